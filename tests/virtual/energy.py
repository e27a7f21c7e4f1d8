#!/usr/bin/env python3
"""Energy end to end: suite, virtual boards with emulated meters, store, report.

usage: energy.py BUILD SOURCE usual|faults|eembc

What a virtual board draws is known (targets/boards), and its instructions are exact, so net energy
is too: N instructions of 2^shift ns at (run - sleep) times the voltage.
"""
import csv
import io
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

build, source = sys.argv[1:3]
RUN_A, IDLE_A, SLEEP_A, VOLTS, NS = 9e-3, 4e-3, 1.2e-3, 3.0, 128e-9

SUITE = """
description: energy end to end
measure: {windows: 2, slope: 3, window_time: 20ms}
defaults: {inputs: "%(s)s/suites/models/{name}/in*.bin", expected: "%(s)s/suites/models/{name}/out*.bin"}
models: ["%(s)s/suites/models/sine/sine.tflite"]
boards: [%(boards)s]
engines: [tiny]
energy: {profile: %(profile)s, voltage: 3.0V, windows: 3, window_time: 300ms, idle_time: 50ms,
  battery: {capacity: 2000mAh, sleep_current: 12uA, inferences_per_hour: 360}}
budgets: [%(budgets)s]
"""

BOARD = """
cpu: cortex-m4
agent: netduinoplus2
clock: 168MHz
voltage: 3.3V
flash: {base: 0x08000000, size: 1MiB}
ram: {base: 0x20000000, size: 128KiB}
slot: {base: 0x08020000, size: 896KiB, written_by: flash}
timebase: instructions
virtual:
  kind: qemu
  machine: netduinoplus2
  icount_shift: 7
  marker_set: 0x40020018
  marker_clear: 0x4002001a
  meter: {%s}
"""


def tinyrig(*args):
    p = subprocess.run([build + "/tinyrig", *args], capture_output=True, text=True, timeout=240)
    return p.returncode, p.stdout + p.stderr


def run(folder, boards, meters=None, profile="guarded", budgets="energy <= 30uJ, battery_life >= 1y"):
    os.makedirs(folder + "/boards", exist_ok=True)
    for name, meter in (meters or {}).items():
        with open("%s/boards/%s.yaml" % (folder, name), "w") as f:
            f.write("name: %s%s" % (name, BOARD % meter))
    with open(folder + "/s.yaml", "w") as f:
        f.write(SUITE % {"s": source, "boards": ", ".join(boards), "profile": profile,
                         "budgets": budgets})
    db = folder + "/r.db"
    status, text = tinyrig("run", folder + "/s.yaml", "--db", db, "--board-dir", folder + "/boards",
                           "--quiet")
    _, report = tinyrig("report", "--db", db, "--format", "json")
    cases = {c["board"]: c for c in json.loads(report)["cases"]}
    return status, text, cases, db


def run_text(folder, budgets):
    """A suite that cannot be run."""
    with open(folder + "/s.yaml", "w") as f:
        f.write(SUITE % {"s": source, "boards": "virt-m4", "profile": "guarded", "budgets": budgets})
    status, text = tinyrig("run", folder + "/s.yaml", "--db", folder + "/n.db", "--quiet")
    return status, text, None, None


def metric(case, name):
    return next((m["value"] for m in case["metrics"] if m["name"] == name), None)


def fact(case, name):
    facts = case["facts"]
    if isinstance(facts, dict):
        return facts.get(name)
    return next((f["value"] for f in facts if f["key"] == name), None)


def near(got, wanted, tolerance, what):
    assert got is not None and abs(got / wanted - 1) <= tolerance, (what, got, wanted)


def figures_are_right(folder):
    status, text, cases, db = run(folder, ["virt-m4", "virt-rv32"])
    assert status == 0, text
    for board in ("virt-m4", "virt-rv32"):
        c = cases[board]
        seconds = metric(c, "latency") * NS
        net = seconds * VOLTS * (RUN_A - SLEEP_A) * 1e9
        near(metric(c, "energy.net"), net, 0.005, board + " net")
        near(metric(c, "energy"), seconds * VOLTS * RUN_A * 1e9, 0.005, board + " gross")
        near(metric(c, "energy.marginal"), net, 0.01, board + " marginal")
        near(metric(c, "current.idle"), SLEEP_A * 1e9, 0.01, board + " idle")
        assert metric(c, "energy.uncertainty") > abs(metric(c, "energy.net") - net)
        assert abs(metric(c, "energy.gate_error")) < 0.001, metric(c, "energy.gate_error")
        assert metric(c, "meter.lost") == 0
        assert fact(c, "meter.emulated") == "yes"
        assert fact(c, "voltage.source") == "setpoint"
        assert metric(c, "battery_life") > 0
    rows = sqlite3.connect(db).execute(
        "SELECT full, inferences, net_nj, gross_nj, idle_nj, lost, emulated, systematic_nj + random_nj, invalid"
        " FROM v_energy WHERE board = 'virt-m4' ORDER BY window").fetchall()
    assert [r[0] for r in rows] == [1, 1, 1, 0, 0] and all(r[5] == 0 and r[6] == 1 and r[8] == 0 for r in rows), rows
    for r in rows:
        near(r[2] / r[1], metric(cases["virt-m4"], "energy.net"), 0.005, "window")
        near(r[3], r[2] + r[4], 1e-9, "gross is net and idle")
        assert r[7] > 0
    for form in ("text", "html", "markdown"):
        _, report = tinyrig("report", "--db", db, "--format", form)
        assert "emulated" in report, form


def traces_are_kept_and_shown(folder):
    run(folder, ["virt-m4"])
    assert not os.path.exists(folder + "/r.db-traces")  # nothing was wrong: none is kept
    status, text = tinyrig("run", folder + "/s.yaml", "--db", folder + "/r.db", "--quiet",
                           "--keep-trace")
    assert status == 0, text
    status, text = tinyrig("trace", "list", "--db", folder + "/r.db")
    assert status == 0 and text.count("sine/virt-m4/tiny") == 5 and "emulated" in text, text
    status, text = tinyrig("trace", "export", "--id", "1", "--db", folder + "/r.db")
    rows = [line.split(",") for line in text.splitlines() if line[:1].isdigit()]
    high = [float(r[1]) for r in rows if r[2] == "1"]
    assert len(high) >= 30000 and abs(sum(high) / len(high) / RUN_A - 1) < 0.01, len(high)
    _, page = tinyrig("report", "--db", folder + "/r.db", "--format", "html")
    assert "<h2 id=\"traces\"" in page or "id=\"traces\"" in page, page[:2000]
    assert "window 0 of" in page and "(emulated) at 3.000 V" in page and "class=\"band\"" in page
    svg = folder + "/t.svg"
    for zoom in ([], ["--from", "50ms", "--to", "350ms"]):
        status, text = tinyrig("trace", "plot", "--id", "1", "--db", folder + "/r.db", "-o", svg, *zoom)
        assert status == 0, text
        with open(svg) as f:
            picture = f.read()
        assert picture.startswith("<svg") and "emulated" in picture and "</svg>" in picture
    assert "window of" in picture  # the marker rises in the zoomed range
    status, text = tinyrig("trace", "plot", "--from", "100s", "--db", folder + "/r.db")
    assert status == 2 and "the range is empty" in text, text
    old_traces_go_with_their_runs(folder)


def old_traces_go_with_their_runs(folder):
    db = folder + "/r.db"
    for path, table, columns in ((db, "run", ("started_ns", "ended_ns")), (db + "-traces", "trace", ("at_ns",))):
        with sqlite3.connect(path) as connection:
            for column in columns:
                connection.execute(f"UPDATE {table} SET {column} = {column} - 40 * 86400000000000")
        connection.close()
    prune = ("db", "prune", "--older", "30d", "--keep-tagged", "--db", db)
    assert tinyrig("tag", "keep", "--db", db)[0] == 0
    assert ", 0 traces" in tinyrig(*prune)[1]
    assert tinyrig("tag", "--delete", "keep", "--db", db)[0] == 0
    assert ", 5 traces" in tinyrig(*prune)[1]
    status, text = tinyrig("trace", "list", "--db", db)
    assert status == 0 and "sine" not in text, text


def batteries_are_projected(folder):
    run(folder, ["virt-m4"])
    status, text = tinyrig("battery", "last", "--capacity", "220mAh", "--sleep-current", "2uA",
                           "--rate", "60", "--db", folder + "/r.db")
    assert status == 0 and "sine/virt-m4/tiny" in text and "emulated" in text, text
    for args, expected in (
            (["--sleep-current", "12uA"], "lasts 19.0 years"),
            (["--other-current", "176.4mA"], "lasts 11.3 h"),
            (["--sleep-current", "12uA"], "10 years need 22.82 uA or less"),
            (["--sleep-current", "12uA", "--charge", "840uC", "--rate", "360"],
             "at most 46.35 inferences per hour")):
        status, text = tinyrig("battery", "--capacity", "2Ah", *args)
        assert status == 0 and expected in text, (expected, text)
    status, text = tinyrig("battery", "--capacity", "2kg")
    assert status == 2 and "expected a number with Ah" in text, text


def faults_cost_their_case_only(folder):
    meters = {"lossy": "faults: [lose 3000 at 20000]", "gone": "faults: [hangup 1 at 30000]",
              "stranger": "variant: stranger", "storm": "faults: [storm 200 at 20000]",
              "nan": "variant: nan", "fine": "run: 9mA", "truncated": "variant: truncated",
              "deaf": "variant: mute", "garbage": "faults: [garbage 700 at 20000]",
              "sly": "faults: [lose 6400 at 20000]", "clipped": "faults: [saturate 3 at 20000]",
              "flooded": "faults: [saturate 9000 at 20000]"}
    status, text, cases, db = run(folder, sorted(meters), meters)
    assert status == 4, (status, text)
    assert cases["fine"]["status"] == "passed", cases["fine"]
    for name in ("stranger", "gone", "nan", "truncated", "deaf"):
        assert cases[name]["status"] == "error", cases[name]
    assert "breaks off after" in json.dumps(cases["truncated"])
    assert "does not answer" in json.dumps(cases["deaf"])
    # What costs samples costs its window, with a reason; the others of the case still count.
    for name in ("garbage", "storm", "sly", "clipped", "flooded"):
        assert cases[name]["status"] == "passed", cases[name]
        near(metric(cases[name], "energy.net"), metric(cases["fine"], "energy.net"), 0.005, name)
    rows = sqlite3.connect(db).execute(
        "SELECT board, window, invalid FROM v_energy WHERE invalid <> 0").fetchall()
    gate, meter = 1 << 7, 1 << 6
    assert any(r[0] == "sly" and r[2] & gate for r in rows), rows  # 64 x 100: no counter shows it
    assert any(r[0] == "garbage" and r[2] & (meter | gate) for r in rows), rows
    assert any(r[0] == "flooded" and r[2] & meter for r in rows), rows
    assert not any(r[0] in ("fine", "clipped") for r in rows), rows
    assert metric(cases["clipped"], "meter.saturated") == 3, cases["clipped"]
    assert "not the metadata of a PPK2" in json.dumps(cases["stranger"])
    assert "the meter is gone" in json.dumps(cases["gone"])
    assert "calibration" in json.dumps(cases["nan"])
    for c in cases.values():
        assert metric(c, "latency") is not None  # what was measured before is kept
    lossy = cases["lossy"]
    assert lossy["status"] == "passed" and metric(lossy, "meter.lost") > 0, lossy
    near(metric(lossy, "energy.net"), metric(cases["fine"], "energy.net"), 0.02, "lossy")


def an_lpm01a_measures_the_same(folder):
    """Falling edges only, a thousand energies a second: the window's begin is that of the current."""
    meters = {"lpm": "driver: lpm01a", "deaf": "driver: lpm01a, variant: mute",
              "pulled": "driver: lpm01a, faults: [hangup 1 at 30000]",
              "noisy": "driver: lpm01a, faults: [garbage 40 at 30000]"}
    status, text, cases, _ = run(folder, sorted(meters), meters)
    assert status == 4, text
    c = cases["lpm"]
    assert c["status"] == "passed" and fact(c, "method.gate") == "falling edges", c
    near(metric(c, "energy.net"), metric(c, "latency") * NS * VOLTS * (RUN_A - SLEEP_A) * 1e9, 0.005, "lpm")
    assert "is this an LPM01A?" in json.dumps(cases["deaf"])
    assert "the meter is gone" in json.dumps(cases["pulled"])
    assert cases["noisy"]["status"] in ("passed", "error"), cases["noisy"]
    for name in ("deaf", "pulled"):
        assert cases[name]["status"] == "error" and metric(cases[name], "latency") is not None


AVR = """
description: energy of an eight-bit core
measure: {windows: 2, slope: 3, window_time: 5ms}
defaults: {inputs: "%(s)s/suites/models/{name}/in*.bin"}
models: ["%(s)s/suites/models/sine/sine.tflite"]
boards: [virt-avr]
engines: ["null"]
energy: {voltage: 5V, windows: 3, window_time: 200ms, idle_time: 50ms}
"""


def an_avr_is_measured_too(folder):
    with open(folder + "/avr.yaml", "w") as f:
        f.write(AVR % {"s": source})
    db = folder + "/r.db"
    status, text = tinyrig("run", folder + "/avr.yaml", "--db", db, "--quiet")
    _, report = tinyrig("report", "--db", db, "--format", "json")
    case = json.loads(report)["cases"][0]
    assert status == 0, (text, case)
    seconds = metric(case, "latency") / 16e6
    # simavr's cycles go on in sleep, so what the core does between windows counts as idle, not as sleep
    near(metric(case, "energy.net"), seconds * 5.0 * (RUN_A - IDLE_A) * 1e9, 0.005, "avr")
    near(metric(case, "current.idle"), IDLE_A * 1e9, 0.01, "avr idle")


def the_eembc_profile_is_run_by_its_rules(folder):
    """Exactly five windows of at least ten seconds, gross, the median; the firmware of the latency."""
    status, text, cases, db = run(folder, ["virt-m4"], profile="eembc", budgets="")
    assert status == 0, text
    c = cases["virt-m4"]
    assert fact(c, "method.energy") == "eembc/1" and fact(c, "meter.emulated") == "yes"
    rows = sqlite3.connect(db).execute(
        "SELECT duration_s, marker_nj / inferences, full, invalid, inferences FROM v_energy ORDER BY window").fetchall()
    assert len(rows) == 5 and all(r[0] >= 10 and r[2] == 1 and r[3] == 0 and r[4] >= 10 for r in rows), rows
    near(metric(c, "energy"), sorted(r[1] for r in rows)[2], 1e-9, "median")
    near(metric(c, "energy"), metric(c, "latency") * NS * VOLTS * RUN_A * 1e9, 0.001, "gross")
    builds = sqlite3.connect(db).execute("SELECT DISTINCT value FROM v_facts WHERE key = 'firmware.sha256'").fetchall()
    assert len(builds) == 1, builds


def a_broken_budget_fails(folder):
    for budget in ("energy <= 1uJ", "battery_life >= 50y", "energy.net <= 1000nJ", "current.peak <= 5mA"):
        status, text, cases, _ = run(folder, ["virt-m4"], budgets=budget)
        assert status == 1 and cases["virt-m4"]["status"] == "over-budget", (budget, text, cases)
    status, text, _, _ = run_text(folder, "energy <= 1kg")
    assert status == 2 and "a budget on 'energy' expected an energy such as 400uJ" in text, text


def a_recording_stands_in_for_a_meter(folder):
    """`replay`: the window comes from a file whose integral is known, and is no emulated one."""
    _, _, cases, db = run(folder, ["virt-m4"])
    latency_s = metric(cases["virt-m4"], "latency") * NS
    n = sqlite3.connect(db).execute("SELECT max(inferences) FROM v_energy").fetchone()[0]
    rate, rest = 10000, 3000  # 300 ms before and after
    busy = round(n * latency_s * rate)
    with open(folder + "/trace.csv", "w") as f:
        f.write("time_s,current_mA,D0\n")
        for k in range(busy + 2 * rest):
            on = rest <= k < rest + busy
            f.write("%.4f,%s,%d\n" % (k / rate, "7.5" if on else "0.5", on))
    with open(folder + "/lab.yaml", "w") as f:
        f.write("meters:\n  file: {driver: replay, where: %s/trace.csv}\n" % folder)
    with open(folder + "/s.yaml") as f:
        text = f.read()
    with open(folder + "/s.yaml", "w") as f:
        f.write(text.replace("energy: {", "energy: {meter: file, "))
    db = folder + "/replay.db"
    status, text = tinyrig("run", folder + "/s.yaml", "--db", db, "--lab", folder + "/lab.yaml", "--quiet")
    _, report = tinyrig("report", "--db", db, "--format", "json")
    c = json.loads(report)["cases"][0]
    assert c["status"] in ("passed", "over-budget"), (status, text, c)
    assert (fact(c, "meter.kind"), fact(c, "meter.name"), fact(c, "meter.emulated")) == ("replay", "file", "no"), c["facts"]
    near(metric(c, "energy.net"), latency_s * VOLTS * 7e-3 * 1e9, 0.005, "net of the recording")
    near(metric(c, "energy"), latency_s * VOLTS * 7.5e-3 * 1e9, 0.005, "gross of the recording")
    near(metric(c, "current.idle"), 0.5e6, 0.001, "idle of the recording")
    # It is the same file for a third of the inferences, which the gate's length gives away.
    rows = sqlite3.connect(db).execute("SELECT full, invalid FROM v_energy ORDER BY window").fetchall()
    assert [r[0] for r in rows] == [1, 1, 1, 0, 0] and [r[1] for r in rows] == [0, 0, 0, 1 << 7, 1 << 7], rows
    _, table = tinyrig("report", "--db", db, "--format", "csv")
    assert {r["emulated_meter"] for r in csv.DictReader(io.StringIO(table))} == {"0"}, table


def what_is_emulated_says_so(folder):
    """Every command and format that shows a figure of the meter; what is not the meter's stays plain."""
    run(folder, ["virt-m4"], budgets="energy <= 1uJ, flash <= 1KiB")  # both are broken
    db = folder + "/r.db"
    assert tinyrig("run", folder + "/s.yaml", "--db", db, "--quiet")[0] == 1

    def shown(*args):
        status, text = tinyrig(*args, "--db", db)
        assert status in (0, 1), (args, text)
        return text

    for form in (["report", "last", "-f", "csv"], ["export", "last", "-f", "csv"]):
        rows = {r["metric"]: r["emulated_meter"] for r in csv.DictReader(io.StringIO(shown(*form)))}
        for name in ("energy", "energy.net", "energy.gate_error", "charge", "current", "voltage", "battery_life", "meter.lost"):
            assert rows[name] == "1", (name, rows)
        assert rows["latency"] == rows["flash"] == "0", rows
    cases = {c.get("name").split(": ")[-1]: c for c in
             ElementTree.fromstring(shown("report", "last", "-f", "junit")).iter("testcase")}
    energy, flash = cases["energy <= 1uJ"], cases["flash <= 1KiB"]
    assert energy.find("properties/property").attrib == {"name": "meter", "value": "emulated"}
    assert "(emulated)" in energy.find("failure").get("message") and flash.find("properties") is None
    assert "emulated" not in flash.find("failure").get("message")
    lines = shown("report", "last", "-f", "github").splitlines()
    assert [("(emulated)" in line) for line in lines if "over budget" in line].count(True) == 1, lines
    for command in (["compare", "last~1", "last", "--all"], ["gate", "last", "--baseline", "last~1", "--lenient"]):
        marked = {"energy", "energy.net", "charge", "charge.net", "current", "battery_life"}
        document = json.loads(shown(*command, "-f", "json"))
        rows = document["cases"][0]["metrics"]
        assert {m["metric"] for m in rows if m["emulated_meter"]} == marked, rows
        text = shown(*command, "-f", "markdown")
        assert "energy (emulated)" in text and "latency (emulated)" not in text, text
        for f in document.get("gate", {}).get("findings", []):
            assert f["emulated_meter"] == ("energy" in f["text"]), f
    assert "over budget: energy <= 1uJ (emulated)" in shown("gate", "last", "--baseline", "last~1", "--lenient")
    text = shown("rank", "--model", "sine", "--by", "energy", "-f", "markdown")
    assert text.count("(emulated)") == 2, text  # energy and battery
    assert json.loads(shown("rank", "--model", "sine", "-f", "json"))[0]["emulated_meter"]
    limits = ["pick", "--model", "sine", "--energy", "1J", "--battery", "1d", "--flash", "1MiB"]
    assert shown(*limits, "-f", "markdown").count(", emulated)") == 2, shown(*limits)
    assert [l["emulated_meter"] for l in json.loads(shown(*limits, "-f", "json"))[0]["limits"]] == [
        l["metric"] != "flash" for l in json.loads(shown(*limits, "-f", "json"))[0]["limits"]]
    assert "energy  (virtual, emulated meter)" in shown("history", "--metric", "energy")
    for name, marked in (("energy", True), ("battery_life", True), ("latency", False)):
        series = json.loads(shown("history", "--metric", name, "-f", "json"))[0]
        assert [series["emulated_meter"]] + [p["emulated_meter"] for p in series["points"]] == [marked] * 3, series
    assert "emulated" not in shown("history", "--metric", "latency")


TESTS = {"usual": (figures_are_right, traces_are_kept_and_shown, batteries_are_projected, a_broken_budget_fails,
                   what_is_emulated_says_so, a_recording_stands_in_for_a_meter),
         "faults": (faults_cost_their_case_only, an_lpm01a_measures_the_same, an_avr_is_measured_too),
         "eembc": (the_eembc_profile_is_run_by_its_rules,)}

for test in TESTS[sys.argv[3]]:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TINYRIG_LOCK_DIR"] = folder  # other tests use the same boards
        test(folder)
    print(test.__name__, "ok")

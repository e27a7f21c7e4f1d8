#!/usr/bin/env python3
"""Energy end to end: suite, virtual boards with emulated meters, store, report.

usage: energy.py BUILD SOURCE

What a virtual board draws is known (targets/boards), and its instructions are exact, so net energy
is too: N instructions of 2^shift ns at (run - sleep) times the voltage.
"""
import json
import os
import subprocess
import sys
import tempfile

build, source = sys.argv[1:3]
RUN_A, SLEEP_A, VOLTS, NS = 9e-3, 1.2e-3, 3.0, 128e-9

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
              "nan": "variant: nan", "fine": "run: 9mA"}
    status, text, cases, _ = run(folder, sorted(meters), meters)
    assert status == 4, (status, text)
    assert cases["fine"]["status"] == "passed", cases["fine"]
    assert cases["stranger"]["status"] == "error"
    assert "not the metadata of a PPK2" in json.dumps(cases["stranger"])
    assert "the meter is gone" in json.dumps(cases["gone"])
    assert "calibration" in json.dumps(cases["nan"])
    for c in cases.values():
        assert metric(c, "latency") is not None  # what was measured before is kept
    lossy = cases["lossy"]
    assert lossy["status"] == "passed" and metric(lossy, "meter.lost") > 0, lossy
    near(metric(lossy, "energy.net"), metric(cases["fine"], "energy.net"), 0.02, "lossy")


def a_broken_budget_fails(folder):
    status, _, cases, _ = run(folder, ["virt-m4"], budgets="energy <= 1uJ")
    assert status == 1 and cases["virt-m4"]["status"] == "over-budget", cases


for test in (figures_are_right, traces_are_kept_and_shown, batteries_are_projected, faults_cost_their_case_only, a_broken_budget_fails):
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TINYRIG_LOCK_DIR"] = folder  # other tests use the same boards
        test(folder)
    print(test.__name__, "ok")

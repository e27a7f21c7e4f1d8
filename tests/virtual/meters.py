#!/usr/bin/env python3
"""Instruments that boards share, and meters that are their switch, through `tinyrig run`.

usage: meters.py BUILD SOURCE

The meters are far ends of their own (tinyrig-vmeter in real time, a SCPI supply), so windows that are
measured with them cannot be right: what counts is who had which meter when, and that all goes on.
"""
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile

build, source = sys.argv[1:3]

SUITE = """
description: shared instruments
measure: {windows: 2, slope: 2, window_time: 5ms}
defaults: {inputs: "%(s)s/suites/models/{name}/in*.bin", expected: "%(s)s/suites/models/{name}/out*.bin"}
models: [%(models)s]
boards: [%(boards)s]
engines: [tiny]
%(energy)s
"""
ENERGY = "energy: {voltage: 3.0V, windows: 1, window_time: 20ms, idle_time: 20ms}"


class Peer:
    """A far end that says `ready WHERE` and ends with its standard input."""

    def __init__(self, *argv, **env):
        self.p = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                  env=dict(os.environ, **env))
        self.where = self.p.stdout.readline().split()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.p.stdin.close()
        self.p.wait(10)


def vmeter(folder):
    return Peer(build + "/targets/virtual/tinyrig-vmeter", "--kind", "ppk2", "--link", folder + "/ppk2",
                "--square", "30000,10000")


def run(folder, lab, boards, energy=ENERGY, wait=True, waits=("--wait", "1min"), models=("sine",)):
    with open(folder + "/lab.yaml", "w") as f:
        f.write(lab)
    name = "-".join(boards)
    with open("%s/%s.yaml" % (folder, name), "w") as f:
        f.write(SUITE % {"s": source, "boards": ", ".join(boards), "energy": energy, "models": ", ".join(
            '"%s/suites/models/%s/%s.tflite"' % (source, m, m) for m in models)})
    db = "%s/%s.db" % (folder, name)
    p = subprocess.Popen([build + "/tinyrig", "run", "%s/%s.yaml" % (folder, name), "--db", db, "--quiet", *waits,
                          "--virtual-jobs", "2", "--lab", folder + "/lab.yaml"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return (p, db) if not wait else (finish(p), cases(db), db)


def finish(p):
    text, _ = p.communicate(timeout=240)
    return p.returncode, text


def cases(db):
    report = subprocess.run([build + "/tinyrig", "report", "--db", db, "--format", "json"],
                            capture_output=True, text=True, timeout=60).stdout
    return {c["board"]: c for c in json.loads(report)["cases"]}


def fact(case, name):
    facts = case["facts"]
    return facts.get(name) if isinstance(facts, dict) else next((f["value"] for f in facts if f["key"] == name), None)


def spans(db):
    return sqlite3.connect(db).execute("SELECT board, time, time + host_s FROM v_attempts ORDER BY time").fetchall()


def do_not_overlap(rows):
    return all(a[2] <= b[1] + 0.05 for a, b in zip(rows, rows[1:]))


LAB_SHARED = """
virtual_boards: false
meters:
  shared: {driver: ppk2, where: %(where)s, mode: source, channels: 4, mux: [sh, %(folder)s/mux.sh, "{channel}"]}
boards:
  left: {board: virt-m4, meter: shared, meter_channel: 1}
  right: {board: virt-m4, meter: shared, meter_channel: 2}
"""


def boards_of_one_run_take_turns(folder):
    """One meter behind a multiplexer: both boards get it, one after the other, though the first fails."""
    with vmeter(folder) as m:
        with open(folder + "/mux.sh", "w") as f:
            f.write("echo $1 >> %s/mux.log\n" % folder)
        (status, text), result, db = run(folder, LAB_SHARED % {"where": m.where, "folder": folder}, ["left", "right"])
    assert status == 3, (status, text)
    for board in ("left", "right"):
        assert fact(result[board], "meter.name") == "shared", result[board]
        assert result[board]["status"] == "error", result[board]
        assert re.search("marker|marked|energy window", json.dumps(result[board])), result[board]
    with open(folder + "/mux.log") as f:
        assert sorted(set(f.read().split())) == ["1", "2"]
    assert do_not_overlap(spans(db)), spans(db)


def runs_wait_for_each_others_meter(folder):
    """The lease of a meter holds across processes, as a board's does."""
    with vmeter(folder) as m:
        with open(folder + "/mux.sh", "w") as f:
            f.write("date +\"$1 %%s.%%N\" >> %s/mux.log\n" % folder)
        lab = LAB_SHARED % {"where": m.where, "folder": folder}
        first, db1 = run(folder, lab, ["left"], wait=False)
        second, db2 = run(folder, lab, ["right"], wait=False)
        finish(first), finish(second)
    for db, board in ((db1, "left"), (db2, "right")):
        assert fact(cases(db)[board], "meter.name") == "shared", cases(db)[board]
    # An attempt has the meter from when it selected its channel to its end; before, it waits.
    with open(folder + "/mux.log") as f:
        chosen = [line.split() for line in f]
    held = []
    for db, channel in ((db1, "1"), (db2, "2")):
        begins = [float(c[1]) for c in chosen if c[0] == channel]
        ends = [row[2] for row in spans(db)]
        assert len(begins) == len(ends) > 0, (chosen, spans(db))
        held += [(channel, b, e) for b, e in zip(begins, ends)]
    held.sort(key=lambda h: h[1])
    assert do_not_overlap(held), held


def a_multiplexer_that_fails_costs_its_case(folder):
    with vmeter(folder) as m:
        with open(folder + "/mux.sh", "w") as f:
            f.write("[ $1 = 2 ]\n")
        (status, text), result, _ = run(folder, LAB_SHARED % {"where": m.where, "folder": folder}, ["left", "right"])
    assert "multiplexer: sh exited with status 1" in json.dumps(result["left"]), result["left"]
    assert fact(result["right"], "meter.name") == "shared", result["right"]


LAB_MANY = """
virtual_boards: false
meters:
  shared: {driver: ppk2, where: /dev/null}
boards:
"""


def figures(db):
    return sorted(sqlite3.connect(db).execute(
        "SELECT board, metric, value FROM v_metrics WHERE unit IN ('instructions', 'bytes')"))


def who_shares_has_its_turn_and_the_same_figures(folder):
    """Four boards of one meter in the plan's order; a fifth, with none, at the same time; no --wait."""
    names = ["b1", "b2", "b3", "b4", "free"]
    results = {}
    for shares in (True, False):
        lab = LAB_MANY + "".join("  %s: {board: virt-m4%s}\n" % (
            n, ", meter: shared" if shares and n != "free" else "") for n in names)
        (status, text), _, db = run(folder, lab, names, energy="", waits=[])
        assert status == 0, (status, text)
        results[shares] = figures(db)
        if shares:
            turns = [row for row in spans(db) if row[0] != "free"]
            assert [row[0] for row in turns] == names[:4] and do_not_overlap(turns), turns
            free = next(row for row in spans(db) if row[0] == "free")
            assert free[1] < turns[1][1], spans(db)
        for suffix in ("", "-wal", "-shm"):
            if os.path.exists(db + suffix):
                os.unlink(db + suffix)
    assert results[True] and results[True] == results[False], results


LAB_FREE = """
virtual_boards: false
meters:
  shared: {driver: ppk2, where: %s, mode: source}
boards:
  left: {board: virt-m4}
  right: {board: virt-m4}
"""


def a_suite_can_name_the_meter(folder):
    """Of boards that have none: in one run they take turns at it all the same, without --wait."""
    with vmeter(folder) as m:
        (status, text), result, _ = run(folder, LAB_FREE % m.where, ["left", "right"], waits=[],
                                        energy=ENERGY.replace("{", "{meter: shared, "))
        for board in ("left", "right"):
            assert fact(result[board], "meter.name") == "shared", (text, result[board])
        (status, text), result, _ = run(folder, LAB_FREE % m.where, ["left"],
                                        energy=ENERGY.replace("{", "{meter: nobody, "))
    assert status != 0 and "nobody" in text + json.dumps(result), text


LAB_SUPPLY = """
virtual_boards: false
meters:
  supply: {driver: scpi, where: "%s", mode: source, voltage: 3.0V}
power:
  rail: {kind: meter, meter: supply, off_time: 100ms}
boards:
  m4: {board: virt-m4, power: rail}
"""


def a_meter_is_the_boards_switch(folder):
    """On before anything is asked of the board, at the lab's voltage."""
    log = folder + "/scpi.log"
    with Peer(sys.executable, os.path.dirname(os.path.abspath(__file__)) + "/instruments.py", "scpi",
              INSTRUMENT_LOG=log) as m:
        (status, text), result, _ = run(folder, LAB_SUPPLY % ("127.0.0.1:" + m.where), ["m4"], energy="")
        assert status == 0, (text, result)
        with open(log) as f:
            lines = [l.split(" ", 1)[1].strip() for l in f]
        assert "VOLT 3.0000" in lines and "OUTP ON" in lines and "OUTP OFF" not in lines, lines


def a_refusal_does_not_let_the_supply_go(folder):
    """A window that makes no sense is no failure of the meter: letting a PPK2 go would cut the board off."""
    log = folder + "/scpi.log"
    with Peer(sys.executable, os.path.dirname(os.path.abspath(__file__)) + "/instruments.py", "scpi",
              INSTRUMENT_LOG=log) as m:
        energy = ENERGY.replace("{", "{meter: supply, ").replace("idle_time: 20ms", "idle_time: 10min")
        (status, text), result, db = run(folder, LAB_SUPPLY % ("127.0.0.1:" + m.where), ["m4"], energy=energy,
                                         models=("sine", "gated"))
        assert status == 3 and "idle time" in json.dumps(result["m4"]), (text, result)
        assert {r[0] for r in spans(db)} == {"m4"} and len(spans(db)) >= 2, spans(db)
        with open(log) as f:
            lines = [l.split(" ", 1)[1].strip() for l in f]
        assert lines.count("*IDN?") == 1 and lines.count("OUTP ON") >= 1, lines


def a_switch_that_is_gone_is_named(folder):
    (status, text), result, _ = run(folder, LAB_SUPPLY % "127.0.0.1:1", ["m4"], energy="")
    assert status == 3 and "power switch 'rail'" in json.dumps(result["m4"]), (text, result)


for test in (boards_of_one_run_take_turns, who_shares_has_its_turn_and_the_same_figures,
             runs_wait_for_each_others_meter, a_multiplexer_that_fails_costs_its_case,
             a_suite_can_name_the_meter, a_meter_is_the_boards_switch, a_refusal_does_not_let_the_supply_go,
             a_switch_that_is_gone_is_named):
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TINYRIG_LOCK_DIR"] = folder
        test(folder)
    print(test.__name__, "ok")

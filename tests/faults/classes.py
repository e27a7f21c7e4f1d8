#!/usr/bin/env python3
"""One failure of each class that is not a broken line's: an engine that gives up, an agent that
breaks the protocol, windows that make no line, outputs that are wrong, a suite that asks for what
cannot be. Each is stored once under its class, names board, stage, time spent and the next thing to
try, and only what is the lab's fault is tried again.

usage: classes.py BUILD SOURCE
"""
import os
import re
import shutil
import sqlite3
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import Lab  # noqa: E402
from liar import Liar, bent, engine_failed, more_windows, scattered, silent  # noqa: E402

lab = Lab(sys.argv[1], sys.argv[2], "classes")
AGENT = os.path.join(lab.build, "agents/ports/posix/tinyrig-agent-posix")
MUTE = 1 + 1 + 6  # record and end of the first window, and the end again for each time it is asked
LIES = {"gives-up": (engine_failed, 99), "miscounts": (more_windows, 1), "bends": (bent, 9999),
        "falls-silent": (silent, MUTE), "honest": (None, 0)}
NOISY = {"noisy": (scattered(3), 9999), "noisy-for-ever": (scattered(9999), 9999)}
MUTE_S = 60  # a hung first window costs less; where nothing is known of a model, it is two minutes
NAMED = r"board '{}', stage '{}', after [0-9.]+ ?[a-z]+: {}"


def make_boards():
    """Agents of this host behind TCP ports: to the harness they are boards that nobody can reset."""
    os.mkdir(lab.path("kinds"))
    lab.write("kinds/far.yaml", "name: far\ncpu: cortex-m4\nclock: 100MHz\nflash: 1MiB\nram: 1MiB\n"
                                "timebase: ns\ntransport: {kind: tcp, where: localhost:1}\n"
                                f"flashing: {{method: none, firmware: {AGENT}}}\n")
    boards = {name: Liar(AGENT, lab.env, *lie) for name, lie in {**LIES, **NOISY}.items()}
    return boards, lab.write("lab.yaml", "virtual_boards: false\nboards:\n" + "".join(
        f"  {name}: {{board: far, transport: {{where: \"localhost:{board.port}\"}}}}\n"
        for name, board in boards.items()))


def attempts(database):
    """model, board: its attempts in order."""
    found = {}
    for model, board, *rest in lab.query(
            database, "SELECT model, board, attempt, status, failure_class, stage, text, hint, host_s"
                      " FROM v_attempts ORDER BY attempt"):
        found.setdefault((model, board), []).append(rest)
    return found


def check_told(board, attempt, status, kind, stage, words):
    """One failed attempt as the store has it."""
    _, got_status, got_kind, got_stage, text, hint, host_s = attempt
    lab.check((got_status, got_kind, got_stage) == (status, kind, stage), attempt)
    lab.check(re.match(NAMED.format(board, stage, words), text), text)
    lab.check(hint and len(hint) > 20, f"nothing to try next: {attempt}")
    lab.check(host_s > 0, attempt)


def run(suite, boards, database):
    more = [word for b in boards for word in ("-b", b)]
    return lab.run("run", suite, "--board-dir", lab.path("kinds"), "--lab", inventory, "--db",
                   database, *more)


def agents_that_fail():
    suite = lab.suite(1, measure="{inferences: 3, windows: 2}")
    database = lab.path("agents.db")
    code, out = run(suite, [b for b in LIES if b != "honest"], database)
    lab.check(code == 4, f"status {code}\n{out}")
    found = attempts(database)
    (gives_up,) = found["sine0", "gives-up"]
    check_told("gives-up", gives_up, "failed", "agent", "check", "vector 0: the engine failed")
    (bends,) = found["sine0", "bends"]
    check_told("bends", bends, "error", "invalid-window", "latency", "windows do not lie on a line")
    broken, *rest = found["sine0", "miscounts"]
    check_told("miscounts", broken, "error", "protocol", "check", "vector 0: RUN: 6 windows instead of 1")
    lab.check([r[1] for r in rest if r[2] != "invalid-window"] in (["passed"], []) and rest, rest)
    mute, *rest = found["sine0", "falls-silent"]
    check_told("falls-silent", mute, "error", "timeout", "check", "vector 0: RUN: no answer in")
    lab.check(mute[6] < MUTE_S, f"a board that hangs in its first window was waited for {mute[6]:.0f} s")
    lab.check([r[1] for r in rest if r[2] != "invalid-window"] in (["passed"], []) and rest, rest)
    lab.check(out.count("trying again") == 2, out)
    boards = lab.query(database, "SELECT DISTINCT board FROM v_recoveries ORDER BY 1")
    lab.check(boards == [("falls-silent",), ("miscounts",)], f"boards that were brought back: {boards}")


def boards_that_are_noisy():
    """Windows that hide the latency are followed by longer ones; none is left out of the record."""
    suite = lab.suite(1, name="noisy", measure="{window_time: 1ms, windows: 2}")
    database = lab.path("noisy.db")
    code, out = run(suite, NOISY, database)
    lab.check(code == 4, f"status {code}\n{out}")
    found = attempts(database)
    (noisy,) = found["sine0", "noisy"]
    lab.check(noisy[1] == "passed", noisy)
    (hidden,) = found["sine0", "noisy-for-ever"]
    check_told("noisy-for-ever", hidden, "error", "invalid-window", "latency",
               "the windows are too noisy")
    windows = {}
    for board, inferences in lab.query(database, "SELECT board, inferences FROM v_windows"
                                                 " WHERE NOT cold ORDER BY window"):
        windows.setdefault(board, []).append(inferences)
    rounds = [[n * level for level in (1, 2, 3) for _ in range(2)] for n in (1000, 2000, 4000, 8000)]
    lab.check(windows["noisy"] == sum(rounds[:2], []), windows["noisy"])
    lab.check(windows["noisy-for-ever"] == sum(rounds, []), windows["noisy-for-ever"])
    latency = lab.query(database, "SELECT board, value, unit FROM v_metrics WHERE metric = 'latency'")
    lab.check(latency == [("noisy", 1000.0, "ns")], latency)


def suites_that_fail():
    """The same board goes on after either."""
    sine = os.path.join(lab.source, "suites/models/sine")
    with open(os.path.join(sine, "out00.bin"), "rb") as f:
        right = f.read()
    with open(lab.path("wrong.bin"), "wb") as f:
        f.write(bytes([right[0] ^ 1]) + right[1:])
    with open(lab.path("long.bin"), "wb") as f:
        f.write(bytes(7))
    models = "".join(
        f"  - name: {name}\n    path: {sine}/sine.tflite\n    inputs: {given}\n    expected: {wanted}\n"
        for name, given, wanted in (
            ("wrong", f"{sine}/in00.bin", lab.path("wrong.bin")),
            ("long", lab.path("long.bin"), f"{sine}/out00.bin"),
            ("right", f"{sine}/in00.bin", f"{sine}/out00.bin")))
    suite = lab.write("suites.yaml", f"name: suites\nmodels:\n{models}boards: [honest]\n"
                                     "engines: [tiny]\nmeasure: {inferences: 3, windows: 2}\n")
    database = lab.path("suites.db")
    code, out = run(suite, ["honest"], database)
    lab.check(code in (1, 4), f"status {code}\n{out}")  # a busy host may find the right one's windows noisy
    found = attempts(database)
    (wrong,) = found["wrong", "honest"]
    check_told("honest", wrong, "failed", "wrong-output", "check", "1 of 1 outputs are wrong")
    (long,) = found["long", "honest"]
    check_told("honest", long, "failed", "suite", "check", "vector 0: .*long.bin: has 7 bytes")
    lab.check(lab.query(database, "SELECT count(*) FROM v_metrics WHERE model <> 'right' AND"
                                  " metric LIKE 'latency'")[0][0] == 0, "a number without an output")
    lab.check(not lab.query(database, "SELECT * FROM v_recoveries"), "a board was brought back")
    lab.check(len(found["right", "honest"]) == 1, found)
    lab.check("trying again" not in out, out)


def files_that_vanish():
    """While a run goes on: no board is at fault, and none is brought back for it."""
    sine = os.path.join(lab.source, "suites/models/sine")
    gone = lab.path("gone.bin")
    shutil.copy(os.path.join(sine, "in00.bin"), gone)
    models = "".join(f"  - name: {name}\n    path: {sine}/sine.tflite\n    inputs: {given}\n"
                     for name, given in (("first", f"{sine}/in00.bin"), ("second", gone)))
    suite = lab.write("vanish.yaml", f"name: vanish\nmodels:\n{models}boards: [honest]\n"
                                     "engines: [tiny]\nmeasure: {inferences: 5000, windows: 20}\n")
    database = lab.path("vanish.db")
    p = lab.start("run", suite, "--board-dir", lab.path("kinds"), "--lab", inventory, "--db", database)
    while p.poll() is None and not (os.path.exists(database) and begun(database)):
        time.sleep(0.01)
    os.unlink(gone)
    out, _ = p.communicate(timeout=120)
    (second,) = attempts(database)["second", "honest"]
    check_told("honest", second, "failed", "suite", "check", "vector 0: .*gone.bin: No such file")
    lab.check(not lab.query(database, "SELECT * FROM v_recoveries"), f"a board was brought back\n{out}")


def firmware_that_is_not_there():
    """A slip in a file, or a build without this compiler: it says nothing of the board."""
    elf = lab.path("kinds/nowhere.elf")
    lab.write("kinds/slip.yaml", "name: slip\ncpu: cortex-m4\nclock: 100MHz\nflash: 1MiB\nram: 1MiB\n"
                                 "timebase: ns\ntransport: {kind: tcp, where: localhost:1}\n"
                                 "flashing: {method: none, firmware: nowhere.elf}\n")
    lab.write("slip-lab.yaml", "virtual_boards: false\nboards:\n  slipped: {board: slip, transport: "
                               f"{{where: \"localhost:{liars['honest'].port}\"}}}}\n")
    where = ("--board-dir", lab.path("kinds"), "--lab", lab.path("slip-lab.yaml"))
    database = lab.path("slip.db")
    code, out = lab.run("run", lab.suite(2), *where, "--db", database)
    lab.check(code == 3 and "trying again" not in out, f"status {code}\n{out}")
    found = attempts(database)
    lab.check(len(found) == 2, found)
    for tries in found.values():
        lab.check(len(tries) == 1, tries)
        check_told("slipped", tries[0], "error", "suite", "admission", f"firmware {elf}: No such file")
        lab.check("'firmware' under the board's 'flashing'" in tries[0][5], tries[0])
    lab.check(not lab.query(database, "SELECT * FROM v_recoveries"), f"it was brought back\n{out}")
    code, out = lab.run("boards", "check", "slipped", *where)
    lab.check(code == 3 and f"firmware {elf}: No such file" in out and "hint: " in out, f"{code}\n{out}")
    os.mkdir(elf)
    code, out = lab.run("run", lab.suite(1, name="batch"), *where, "--db", lab.path("batch.db"),
                        "--batch")
    lab.check(code == 76 and f"firmware {elf} is no file" in out, f"requeued for a slip: {code}\n{out}")
    lab.check(lab.quarantined() == [], lab.quarantined())
    code, out = lab.run("boards", *where)
    lab.check(re.search(r"\nslipped .* good +- +- ", out), f"it counts for the board:\n{out}")
    os.rmdir(elf)
    shutil.copy(AGENT, elf)
    run = lab.query(database, "SELECT run FROM v_runs")[0][0]
    code, out = lab.run("resume", run, "--lab-faults", *where, "--db", database)
    for tries in attempts(database).values():
        lab.check(len(tries) > 1 and tries[-1][3] != "admission", f"{tries}: {code}\n{out}")


def begun(database):
    try:
        return lab.query(database, "SELECT count(*) FROM v_attempts")[0][0]
    except sqlite3.OperationalError:
        return 0


liars, inventory = make_boards()
agents_that_fail()
boards_that_are_noisy()
suites_that_fail()
files_that_vanish()
firmware_that_is_not_there()
for liar in liars.values():
    liar.close()
lab.check_quiet([lab.path("agents.db"), lab.path("suites.db")])
lab.close()
print("agent, protocol, invalid-window, wrong-output, suite: each under its class, told in full")

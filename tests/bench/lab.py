#!/usr/bin/env python3
"""What a lab of 16 boards costs beside its boards.

usage: lab.py BUILD SOURCE [CASES [BOARDS]]

The boards are agents on this host whose inferences take 10 ms each and no CPU (paced.c): virtual
chips would compete with the harness for its two cores, which no real board does. Their link is a
pty that takes next to no time; on a serial line the harness's share would be smaller.

overhead   (wall time of the run / mean time that a board and its line were waited for) - 1, from
           start to end of the process; bar 10 %
per case   the same difference, in ms per case of a board
wedged     how much longer a case of the other boards takes (median) when one board hangs in its
           first case, in turns with runs where none does; bar 1 %

On a host that is busy with other things the waiting includes them: `chrt -r 5` keeps them away.
"""
import os
import re
import resource
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../faults"))
from lab import Lab  # noqa: E402

CASES = int(sys.argv[3]) if len(sys.argv) > 3 else 500
BOARDS = int(sys.argv[4]) if len(sys.argv) > 4 else 16
OVERHEAD_BAR, WEDGED_BAR = 0.10, 0.01
ROUNDS = 3

lab = Lab(sys.argv[1], sys.argv[2], "bench-lab")
boards = [f"b{i:02d}" for i in range(BOARDS)]


def make_lab():
    os.mkdir(lab.path("kinds"))
    agent = os.path.join(lab.build, "tests/bench/paced-agent")
    lab.write("kinds/paced.yaml",
              "name: paced\ncpu: host\nagent: posix\nclock: 1GHz\nram: 64MiB\ntimebase: ns\n"
              f"engines: [\"null\", paced]\nflashing: {{firmware: {agent}}}\nvirtual: {{kind: posix}}\n")
    return lab.write("lab.yaml", f"name: bench\nvirtual_boards: false\ncommands: [{agent}]\nboards:\n" +
                     "".join(f"  {b}: {{board: paced}}\n" for b in boards))


def make_suite(name, models):
    sine = os.path.join(lab.source, "suites/models/sine")
    text = f"name: {name}\nmodels:\n"
    for i in range(models):
        text += (f"  - name: m{i}\n    path: {sine}/sine.tflite\n"
                 f"    inputs: {sine}/in00.bin\n    expected: {sine}/in00.bin\n")
    return lab.write(name + ".yaml", text + 'boards: ["*"]\nengines: [paced]\n'
                     "measure: {inferences: 4, windows: 2, slope: 2}\n")


def run(suite, inventory, name):
    """Wall time, CPU time of all that ran, what boards were waited for, what went wrong."""
    database = lab.path(name + ".db")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    code, out = lab.run("--verbose=lab", "run", suite, "--board-dir", lab.path("kinds"), "--lab", inventory, "--db",
                        database, "-q", "--virtual-jobs", str(BOARDS), timeout=1200)
    wall = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    lab.check(code in (0, 3, 4), f"{name}: {code}\n{out}")
    return {"wall": wall, "database": database,
            "waited": sum(float(ms) for ms in re.findall(r"waited ([0-9.]+) ms", out)) / 1000,
            "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
            "noisy": lab.query(database, "SELECT count(*) FROM v_attempts WHERE"
                                         " failure_class = 'invalid-window'")[0][0],
            "other": lab.query(database, "SELECT board, text FROM v_attempts WHERE status ="
                                         " 'error' AND failure_class <> 'invalid-window'")}


def overhead(suite, inventory, models):
    r = run(suite, inventory, "many")
    lab.check(not r["other"], f"lab faults: {r['other'][:3]}")
    spent = r["waited"] / BOARDS  # every board has the same cases
    lab.check(spent > 0, "nothing was waited for")
    extra = r["wall"] / spent - 1
    print(f"{models * BOARDS} cases of {1000 * spent / models:.0f} ms on {BOARDS} boards: "
          f"{r['wall']:.2f} s, {spent:.2f} s of it for each board and its line")
    print(f"overhead            {100 * extra:6.2f} %   bar {100 * OVERHEAD_BAR:.0f} %")
    print(f"  per case          {1000 * (r['wall'] - spent) / models:6.1f} ms")
    print(f"  CPU per case      {1000 * r['cpu'] / models / BOARDS:6.1f} ms, of harness, supervisors "
          "and agents together")
    print(f"  refused as noisy  {r['noisy']:6d}      (the host's clock is theirs)")
    return extra <= OVERHEAD_BAR


def others_ms(r, board):
    """How long each case of the other boards took."""
    return [1000 * seconds for seconds, in lab.query(
        r["database"], f"SELECT host_s FROM v_attempts WHERE board <> '{board}'")]


def wedged(suite, inventory):
    """In turns, so that whatever else the host does hits both alike."""
    lab.env["TINYRIG_FAULT_ANSWER_MS"] = "700"
    alone, beside = [], []
    for i in range(ROUNDS):
        alone += others_ms(run(suite, inventory, f"good{i}"), boards[0])
        lab.write(f"faults/{boards[0]}.faults", "mute from-board at 200\n" +
                  "mute from-board\n" * 9)
        r = run(suite, inventory, f"wedged{i}")
        lab.check({board for board, _ in r["other"]} == {boards[0]}, f"not wedged: {r['other'][:3]}")
        beside += others_ms(r, boards[0])
        for name in os.listdir(lab.path("faults")):
            os.unlink(lab.path("faults/" + name))
        lab.run("boards", "clear", boards[0], "--board-dir", lab.path("kinds"), "--lab", inventory)
    middle = statistics.median(alone), statistics.median(beside)
    loss = middle[1] / middle[0] - 1
    print(f"wedged board        {100 * loss:6.2f} %   bar {100 * WEDGED_BAR:.0f} %  (median case "
          f"{middle[0]:.1f} ms, beside it {middle[1]:.1f} ms, of {len(beside)}; mean "
          f"{100 * (statistics.mean(beside) / statistics.mean(alone) - 1):.2f} %)")
    return loss <= WEDGED_BAR


def main():
    inventory = make_lab()
    models = (CASES + BOARDS - 1) // BOARDS
    good = overhead(make_suite("many", models), inventory, models)
    good = wedged(make_suite("some", max(models // 4, 2)), inventory) and good
    lab.close()
    sys.exit(0 if good else 1)


main()

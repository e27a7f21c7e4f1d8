#!/usr/bin/env python3
"""Kill the harness, or its worker, at every n-th frame of a session, and resume.

usage: kill_frames.py BUILD SOURCE [STRIDE [FIRST]]

The log of frames (--verbose=wire) says when; frames are counted in both directions. What must hold
after each kill is in killing.py. A killed worker costs its case and no more: the harness
itself lives, says so, and exits with a status of the lab's, or measures the case again.
"""
import os
import signal
import sqlite3
import sys

from killing import Bench


def workers(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(child) for child in f.read().split()]


def kill_at(bench, frame, victim):
    """True: killed; False: the run had fewer frames."""
    p = bench.start("run", bench.suite, before=["--verbose=wire"])
    seen = 0
    for line in p.stderr:
        seen += " wire]" in line
        if seen < frame:
            continue
        try:
            for pid in [p.pid] if victim == "harness" else workers(p.pid):
                os.kill(pid, signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            pass
        break
    p.communicate()
    if seen < frame:
        return False
    bench.check_after_kill()
    if victim == "worker" and p.returncode not in (0, 3, 4):
        bench.fail(f"the harness ended with {p.returncode}")
    return True


def check_fault(bench, figures):
    """The case was not measured again at once: it failed, says why, and what it had by then is right."""
    rows = sqlite3.connect(bench.database).execute(
        "SELECT status, failure_class, text FROM v_attempts").fetchall()
    if not rows or any(r[0] == "passed" or "signal 9" not in r[2] for r in rows):
        bench.fail(f"the killed worker's case is {rows}")
    if not set(bench.figures()) <= set(figures):
        bench.fail("a figure differs from an undisturbed run")


def main():
    build, source = sys.argv[1], sys.argv[2]
    stride = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    frame = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    bench = Bench(build, source, models=1, boards=1)
    figures = bench.reference()
    kills = 0
    more = True
    while more:
        for victim in ("harness", "worker"):
            bench.about = f"{victim} killed at frame {frame}: give 1 {frame} to begin there"
            more = kill_at(bench, frame, victim)
            if victim == "harness":
                bench.finish(figures)
            elif bench.figures() != figures:
                check_fault(bench, figures)
            bench.forget()
            kills += more
        frame += stride
    if kills < 4:
        bench.fail("hardly a frame was seen")
    print(f"{kills} kills, at every {stride}. frame: nothing lost, doubled or left behind")
    bench.close()


main()

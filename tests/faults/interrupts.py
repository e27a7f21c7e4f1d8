#!/usr/bin/env python3
"""A run that is stopped: by a person, by a full disk, by a locked database, by dead processes.

usage: interrupts.py BUILD SOURCE
"""
import os
import signal
import sqlite3
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import Lab, Shim, kill, parent  # noqa: E402

lab = Lab(sys.argv[1], sys.argv[2], "interrupts")
shim = Shim(lab)
if len(lab.kinds()) < 2:
    print("skipped: no cross-compiled firmware in this build")
    sys.exit(77)
inventory = lab.write("lab.yaml", "name: t\nvirtual_boards: false\nboards:\n"
                                  f"  one: {{board: {lab.kinds()[0]}}}\n"
                                  f"  two: {{board: {lab.kinds()[1]}}}\n")
suite = lab.suite(6)


def start(database):
    return lab.start("run", suite, "--lab", inventory, "--db", database)


def lines_until(p, word, times=1):
    """What it says, up to a line with the word."""
    said = ""
    for line in p.stdout:
        said += line
        times -= word in line
        if times == 0:
            return said
    lab.fail(f"it never said '{word}':\n{said}")
    return said


def passed(database):
    return {key for key, in lab.query(database, "SELECT case_key FROM v_attempts"
                                                " WHERE status = 'passed'")}


def check_resumes(database, reference):
    """The rest is measured, and nothing again."""
    before = passed(database)
    code, out = lab.run("resume", "--lab", inventory, "--db", database)
    lab.check(code == 0, f"resume: {code}\n{out}")
    again = [key for key in before if f"] passed {key} " in out]
    lab.check(not again, f"measured again: {again}")
    lab.check(lab.figures(database) == reference, "figures differ from an undisturbed run")
    lab.check_quiet([database])


def one_interrupt_finishes_the_window(reference):
    db = lab.path("once.db")
    p = start(db)
    lines_until(p, "] passed", 2)
    p.send_signal(signal.SIGINT)
    out, _ = p.communicate(timeout=120)
    run = lab.query(db, "SELECT run FROM v_runs")[0][0]
    lab.check(p.returncode == 130, f"status {p.returncode}\n{out}")
    lab.check(f"tinyrig resume --db {db} {run}" in out, f"no command to resume with:\n{out}")
    lab.check_quiet([db])
    states = dict(lab.query(db, "SELECT status, count(*) FROM v_attempts GROUP BY 1"))
    lab.check(set(states) <= {"passed", "cancelled"} and states["passed"] >= 2, states)
    lab.check(lab.query(db, "SELECT finished FROM v_runs") == [(0,)], "the run has an end")
    check_resumes(db, reference)


def two_interrupts_stop_at_once(reference):
    """Workers that would never end (they are stopped) are not waited for."""
    db = lab.path("twice.db")
    p = start(db)
    lines_until(p, "] passed", 2)
    workers = [pid for pid in lab.ours() if parent(pid) == p.pid]
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    p.send_signal(signal.SIGINT)
    time.sleep(0.3)
    lab.check(p.poll() is None, "one interrupt did not wait for the window")
    p.send_signal(signal.SIGINT)
    out, _ = p.communicate(timeout=120)
    lab.check(p.returncode == 130 and "tinyrig resume" in out, f"status {p.returncode}\n{out}")
    lab.check_quiet([db])
    check_resumes(db, reference)


def a_full_disk_stops_the_run(reference):
    db = lab.path("full.db")
    p = start(db)
    lines_until(p, "] passed", 2)
    shim.full(True)
    out, _ = p.communicate(timeout=120)
    shim.full(False)
    lab.check(p.returncode == 3, f"status {p.returncode}\n{out}")
    lab.check("database or disk is full" in out, f"the reason is not said:\n{out}")
    lab.check_quiet([db])
    lab.check(len(passed(db)) >= 2, "what was acknowledged is lost")
    check_resumes(db, reference)


def a_locked_database_is_waited_for(reference):
    db = lab.path("busy.db")
    p = start(db)
    lines_until(p, "] passed", 2)
    other = sqlite3.connect(db, timeout=60, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    time.sleep(2)
    other.execute("ROLLBACK")
    other.close()
    out, _ = p.communicate(timeout=240)
    lab.check(p.returncode == 0, f"status {p.returncode}\n{out}")
    lab.check(lab.figures(db) == reference, "figures differ from an undisturbed run")
    lab.check_quiet([db])


def a_database_locked_for_good_stops_the_run(reference):
    db = lab.path("locked.db")
    p = start(db)
    lines_until(p, "] passed", 2)
    other = sqlite3.connect(db, timeout=60, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    out, _ = p.communicate(timeout=240)
    other.execute("ROLLBACK")
    other.close()
    lab.check(p.returncode == 3, f"status {p.returncode}\n{out}")
    lab.check("database is locked" in out, f"the reason is not said:\n{out}")
    check_resumes(db, reference)


def a_killed_worker_costs_an_attempt(reference):
    db = lab.path("worker.db")
    p = start(db)
    lines_until(p, "] passed", 2)
    victim = [pid for pid in lab.ours() if parent(pid) == p.pid][0]
    kill(victim)
    out, _ = p.communicate(timeout=240)
    lab.check(p.returncode == 0, f"status {p.returncode}\n{out}")
    lab.check(lab.figures(db) == reference, "figures differ from an undisturbed run")
    for row in lab.query(db, "SELECT failure_class, stage, text FROM v_attempts"
                             " WHERE status = 'error'"):
        lab.check(row[:2] == ("lab", "worker") and "killed by signal 9" in row[2], row)
    lab.check_quiet([db])


def a_dead_emulator_is_not_waited_for(reference):
    """Answers may take so long that the test would run out of time if it were."""
    db = lab.path("dead.db")
    lab.env["TINYRIG_FAULT_ANSWER_MS"] = "60000"
    lab.write("faults/one.faults", "die edge 3\n")
    code, out = lab.run("run", suite, "--lab", inventory, "--db", db, timeout=150)
    del lab.env["TINYRIG_FAULT_ANSWER_MS"]
    lab.check(code == 0, f"status {code}\n{out}")
    rows = lab.query(db, "SELECT board, failure_class, text FROM v_attempts WHERE status = 'error'")
    lab.check(len(rows) == 1 and rows[0][:2] == ("one", "lab") and "board died" in rows[0][2], rows)
    lab.check(lab.figures(db) == reference, "figures differ from an undisturbed run")


def main():
    database = lab.path("reference.db")
    code, out = lab.run("run", suite, "--lab", inventory, "--db", database)
    lab.check(code == 0, f"undisturbed run: {code}\n{out}")
    reference = lab.figures(database)
    lab.check(reference, "no figures")
    for test in (one_interrupt_finishes_the_window, two_interrupts_stop_at_once,
                 a_full_disk_stops_the_run, a_locked_database_is_waited_for,
                 a_database_locked_for_good_stops_the_run, a_killed_worker_costs_an_attempt,
                 a_dead_emulator_is_not_waited_for):
        lab.note = f"in {test.__name__}"
        test(reference)
    lab.close()
    print("interrupts, a full disk, locks, dead processes: as they should be")


main()

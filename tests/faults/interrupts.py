#!/usr/bin/env python3
"""A run that is stopped: by a person, by a full disk, by a locked database, by dead processes.

usage: interrupts.py BUILD SOURCE
"""
import os
import shlex
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


def start(database, *more):
    return lab.start("run", suite, "--lab", inventory, "--db", database, *more)


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
    lab.check(f"tinyrig resume --lab {inventory} --db {db} {run}\n" in out,
              f"no command to resume with:\n{out}")
    lab.check_quiet([db])
    states = dict(lab.query(db, "SELECT status, count(*) FROM v_attempts GROUP BY 1"))
    lab.check(set(states) <= {"passed", "cancelled"} and states["passed"] >= 2, states)
    lab.check(lab.query(db, "SELECT finished FROM v_runs") == [(0,)], "the run has an end")
    check_resumes(db, reference)


def a_resumed_run_is_the_one_that_was_asked_for(reference):
    """With its boards and repeats, by the command that was printed; and by one process at a time."""
    db = lab.path("asked for.db")
    records = lab.path("its records")
    p = start(db, "-b", "one", "--repeat", "2", "--record", records)
    lines_until(p, "] passed", 2)
    alive = [p.pid] + [pid for pid in lab.ours() if parent(pid) == p.pid]
    for pid in alive:
        os.kill(pid, signal.SIGSTOP)
    code, out = lab.run("resume", "--lab", inventory, "--db", db)
    lab.check(code == 3 and f"is going on: process {p.pid} of " in out, f"beside it: {code}\n{out}")
    p.send_signal(signal.SIGINT)
    for pid in alive:
        os.kill(pid, signal.SIGCONT)
    out, _ = p.communicate(timeout=120)
    command = shlex.split(out.split("go on with: tinyrig ")[1].splitlines()[0])
    code, out = lab.run(*command)
    lab.check(code == 0 and "6 passed" in out, f"{command}: {code}\n{out}")
    counted = lab.query(db, "SELECT board, case_key, sum(status = 'passed') FROM v_attempts GROUP BY 2")
    lab.check(len(counted) == 6 and {(b, n) for b, _, n in counted} == {("one", 1)}, counted)
    repeats = lab.query(db, "SELECT DISTINCT (SELECT max(repeat) FROM v_windows w WHERE w.case_key ="
                            " c.case_key) FROM v_cases c")
    lab.check(repeats == [(1,)], f"the rest was not repeated: {repeats}")
    first = lab.query(db, "SELECT command_line FROM v_runs")[0][0]
    lab.check(shlex.split(first) == ["tinyrig", "run", suite, "--lab", inventory, "--db", db, "-b",
                                     "one", "--repeat", "2", "--record", records], first)
    lab.check(len(os.listdir(records)) >= 2, "what the rest said was not recorded")
    lab.check_quiet([db])


def a_run_is_resumed_from_any_folder(reference):
    """The suite was typed as it lies from there; another one is called so where it is resumed."""
    db, here, there = lab.path("folders.db"), lab.folder, lab.path("there")
    os.mkdir(there)
    with open(os.path.join(there, os.path.basename(suite)), "w") as f:
        f.write("nonsense")

    def resume(folder):
        q = lab.start("resume", "--lab", inventory, "--db", db, cwd=folder)
        return q.communicate(timeout=240)[0], q.returncode
    p = lab.start("run", os.path.basename(suite), "--lab", inventory, "--db", db, "-b", "one", cwd=here)
    lines_until(p, "] passed", 2)
    p.send_signal(signal.SIGINT)
    p.communicate(timeout=120)
    lab.check(p.returncode == 130, f"status {p.returncode}")
    lab.check(lab.query(db, "SELECT suite_file FROM run") == [(suite,)], "where the suite lies")
    lab.execute(db, "UPDATE run SET suite_file = NULL")  # of an older program
    out, code = resume("/")
    lab.check(code == 2 and "in the folder where the run began" in out, f"{code}\n{out}")
    lab.execute(db, f"UPDATE run SET suite_file = '{suite}'")
    out, code = resume(there)
    lab.check(code == 0 and "6 passed" in out, f"{code}\n{out}")
    lab.check(lab.query(db, "SELECT suite_path FROM v_runs") == [(os.path.basename(suite),)], "as typed")
    lab.check_quiet([db])


def what_failed_before_counts_after(reference):
    """The status of a resumed run is that of the whole run."""
    sine = os.path.join(lab.source, "suites/models/sine")
    with open(os.path.join(sine, "out00.bin"), "rb") as f:
        right = f.read()
    with open(lab.path("wrong.bin"), "wb") as f:
        f.write(bytes([right[0] ^ 1]) + right[1:])
    with open(suite) as f:
        text = f.read().replace(f"{sine}/in*.bin", f"{sine}/in00.bin", 1)
    wrong = lab.write("wrong.yaml", text.replace(f"{sine}/out*.bin", lab.path("wrong.bin"), 1))
    db = lab.path("wrong.db")
    p = lab.start("run", wrong, "--lab", inventory, "--db", db, "-b", "one")
    lines_until(p, "] passed")
    p.send_signal(signal.SIGINT)
    p.communicate(timeout=120)
    lab.check(p.returncode == 130, f"status {p.returncode}")
    code, out = lab.run("resume", "--lab", inventory, "--db", db)
    lab.check(code == 1 and "5 passed, 0 over budget, 1 failed" in out, f"{code}\n{out}")
    run = lab.query(db, "SELECT run FROM v_runs")[0][0]
    code, out = lab.run("run", wrong, "--lab", inventory, "--db", db, "-b", "one", "--run-id", run)
    lab.check(code == 1 and "passed sine" not in out, f"again: {code}\n{out}")


def shares_of_a_run_may_go_to_one_database(reference):
    db, run = lab.path("shares.db"), "6f1c2a34-7b5e-4d21-9c0a-3f5d8e7a1b2c"
    for share in ("1/2", "2/2"):
        code, out = lab.run("run", suite, "--lab", inventory, "--db", db, "--run-id", run, "--shard",
                            share)
        lab.check(code == 0, f"share {share}: {code}\n{out}")
    lab.check(lab.figures(db) == reference, "figures differ from an undisturbed run")
    lab.check({n for n, in lab.query(db, "SELECT attempts FROM v_cases")} == {1}, "measured again")


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
    for test in (one_interrupt_finishes_the_window, a_resumed_run_is_the_one_that_was_asked_for,
                 a_run_is_resumed_from_any_folder, what_failed_before_counts_after,
                 shares_of_a_run_may_go_to_one_database, two_interrupts_stop_at_once,
                 a_full_disk_stops_the_run, a_locked_database_is_waited_for,
                 a_database_locked_for_good_stops_the_run, a_killed_worker_costs_an_attempt,
                 a_dead_emulator_is_not_waited_for):
        lab.note = f"in {test.__name__}"
        test(reference)
    lab.close()
    print("interrupts, a full disk, locks, dead processes: as they should be")


main()

#!/usr/bin/env python3
"""Kill `tinyrig run` at random moments, resume it, and look for what must never happen.

usage: kill_resume.py BUILD SOURCE [ROUNDS [SEED]]

After each kill -9: the database is sound, no emulator or supervisor of ours lives, no lease is
held. After the last resume: every case has exactly one ended attempt that counts, none is missing,
and the exact figures are those of an undisturbed run. Prints its seed; give it again to replay.
"""
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

build, source = sys.argv[1], sys.argv[2]
rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 12
seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.randrange(1 << 30)
rng = random.Random(seed)
tinyrig = os.path.join(build, "tinyrig")
folder = tempfile.mkdtemp(prefix="tinyrig-kill-")
env = dict(os.environ, TINYRIG_LOCK_DIR=os.path.join(folder, "locks"), TMPDIR=folder)
os.mkdir(env["TINYRIG_LOCK_DIR"])
database = os.path.join(folder, "r.db")
suite = os.path.join(folder, "suite.yaml")
boards = [b for b, elf in (("virt-m4", "netduinoplus2"), ("virt-m0", "microbit"))
          if os.path.exists(os.path.join(build, "firmware", elf + ".elf"))]


def fail(text):
    print(f"FAILED (seed {seed}): {text}; kept: {folder}")
    sys.exit(1)


def write_suite():
    with open(suite, "w") as f:
        f.write("name: killed\nmodels:\n")
        for i in range(4):
            f.write(f"  - name: sine{i}\n    path: {source}/suites/models/sine/sine.tflite\n"
                    f"    inputs: {source}/suites/models/sine/in*.bin\n"
                    f"    expected: {source}/suites/models/sine/out*.bin\n")
        f.write(f"boards: [{', '.join(boards)}]\nengines: [tiny]\n"
                "measure: {inferences: 3, windows: 2}\n")


def start(*args):
    return subprocess.Popen([tinyrig, *args, "--db", database, "-q"], env=env,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def ours():
    """Processes with our folder in their environment: workers, supervisors, emulators."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as f:
                if env["TINYRIG_LOCK_DIR"].encode() in f.read() and int(pid) != os.getpid():
                    with open(f"/proc/{pid}/stat") as stat:
                        if stat.read().rsplit(")", 1)[1].split()[0] != "Z":
                            found.append(int(pid))
        except (FileNotFoundError, PermissionError, ProcessLookupError):
            pass
    return found


def check_after_kill():
    for _ in range(100):
        left = ours()
        if not left:
            break
        time.sleep(0.05)
    else:
        fail(f"processes outlive the harness: {left}")
    if os.path.exists(database):
        answer = sqlite3.connect(database).execute("PRAGMA integrity_check").fetchone()[0]
        if answer != "ok":
            fail(f"database: {answer}")


def figures(path):
    """(case, metric, unit, value) of everything exact: instruction counts, sizes."""
    db = sqlite3.connect(path)
    rows = db.execute("SELECT case_key, metric, value FROM v_metrics WHERE unit <> 'ns' AND"
                      " metric NOT LIKE 'latency%overhead' AND metric NOT LIKE 'clock%'"
                      " AND metric <> 'latency.residual'").fetchall()
    return sorted(rows)


def main():
    if not boards:
        print("skipped: no cross-compiled firmware in this build")
        sys.exit(77)
    write_suite()
    reference = os.path.join(folder, "reference.db")
    done = subprocess.run([tinyrig, "run", suite, "--db", reference, "-q"], env=env,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        fail(f"undisturbed run: {done.returncode}\n{done.stderr}")
    kills = 0
    args = ["run", suite]
    for _ in range(rounds):
        p = start(*args)
        time.sleep(rng.uniform(0.0, 0.8))
        if p.poll() is None:
            p.send_signal(signal.SIGKILL)
            kills += 1
        p.wait()
        check_after_kill()
        db = os.path.exists(database) and sqlite3.connect(database)
        begun = db and db.execute("SELECT count(*) FROM sqlite_master WHERE name='v_runs'"
                                  ).fetchone()[0] and db.execute(
                                      "SELECT count(*) FROM v_runs").fetchone()[0]
        args = ["resume"] if begun else ["run", suite]
    p = start(*args)
    _, errors = p.communicate()
    if p.returncode != 0:
        fail(f"the last resume: {p.returncode}\n{errors}")
    db = sqlite3.connect(database)
    runs = db.execute("SELECT count(*) FROM v_runs").fetchone()[0]
    if runs != 1:
        fail(f"{runs} runs instead of 1")
    if figures(database) != figures(reference):
        fail("figures differ from an undisturbed run")
    if not figures(reference):
        fail("no exact figures were stored")
    print(f"{kills} kills of {rounds} rounds, seed {seed}: nothing lost, doubled or left behind")
    subprocess.run(["rm", "-rf", folder], check=True)


main()

#!/usr/bin/env python3
"""Run the quickstart suite twice: every window of every virtual board must count the same.

usage: determinism.py BUILD SOURCE
"""
import os
import sqlite3
import subprocess
import sys
import tempfile

build, source = sys.argv[1:3]
with tempfile.TemporaryDirectory(prefix="tinyrig-twice-") as folder:
    database = os.path.join(folder, "r.db")
    locks = os.path.join(folder, "locks")
    os.mkdir(locks)
    for _ in range(2):
        run = subprocess.run([os.path.join(build, "tinyrig"), "run", "-q", "--db", database,
                              os.path.join(source, "suites", "quickstart.yaml")],
                             env=dict(os.environ, TINYRIG_LOCK_DIR=locks), stderr=subprocess.PIPE,
                             text=True)
        if run.returncode != 0:
            sys.exit(f"run: exit status {run.returncode}\n{run.stderr}")
    db = sqlite3.connect(database)
    pairs = db.execute("""
        SELECT a.case_key, a.window, a.value, b.value FROM v_windows a JOIN v_windows b
        ON a.case_key = b.case_key AND a.repeat = b.repeat AND a.window = b.window
        AND a.cold = b.cold AND a.run < b.run""").fetchall()
    boards = db.execute("SELECT count(DISTINCT board) FROM v_windows").fetchone()[0]
    different = [p for p in pairs if p[2] != p[3]]
    for p in different[:10]:
        print("differs:", *p)
    print(f"{boards} boards, {len(pairs)} windows measured twice, {len(different)} differ")
    sys.exit(1 if different else 0 if pairs else 77)

#!/usr/bin/env python3
"""float32 on every core with an FPU, skipped with a reason on the others; a tolerance has to be
declared. usage: float.py BUILD SOURCE"""
import os
import sqlite3
import subprocess
import sys
import tempfile

build, source = sys.argv[1:3]
WITH_FPU = ("virt-m4", "virt-m7", "virt-m33", "virt-m55", "virt-posix")
EXACT = """models: [{{name: k, path: {0}/kws-float.tflite, inputs: {0}/in00.bin,
                      expected: {0}/out00.bin}}]
boards: [virt-posix]
engines: [tiny]
measure: {{inferences: 1, windows: 1, slope: 1}}
"""


def check(good, what):
    if not good:
        sys.exit(what)


def run(suite):
    database = os.path.join(folder, "r.db")
    if os.path.exists(database):
        os.unlink(database)
    subprocess.run([os.path.join(build, "tinyrig"), "run", "-q", "--db", database, suite],
                   env=dict(os.environ, TINYRIG_LOCK_DIR=os.path.join(folder, "locks")),
                   stderr=subprocess.DEVNULL)
    db = sqlite3.connect(database)
    cases = {key: (status, text or "") for key, status, text in db.execute(
        "SELECT case_key, status, text FROM v_cases")}
    facts = set(db.execute("SELECT key, value FROM v_facts"))
    db.close()
    return cases, facts


with tempfile.TemporaryDirectory(prefix="tinyrig-float-") as folder:
    os.mkdir(os.path.join(folder, "locks"))
    cases, facts = run(os.path.join(source, "suites", "float.yaml"))
    for board in WITH_FPU + ("virt-m0", "virt-rv32"):
        status, text = cases[f"kws-float/{board}/tiny"]
        if board in WITH_FPU:
            check(status == "passed", f"{board}: {status} {text}")
        else:
            check(status == "skipped" and "FPU" in text, f"{board}: {status} {text}")
        check(cases[f"kws-small/{board}/tiny"][0] == "passed", f"{board}: int8")
    check({("model.arithmetic", "float32"), ("model.arithmetic", "integer"),
           ("model.tolerance", "1e-05")} <= facts, facts)

    with open(os.path.join(folder, "s.yaml"), "w") as f:
        f.write(EXACT.format(os.path.join(source, "suites", "models", "kws-float")))
    status, text = run(os.path.join(folder, "s.yaml"))[0]["k/virt-posix/tiny"]
    check(status == "failed" and "outputs are wrong" in text, f"exact: {status} {text}")

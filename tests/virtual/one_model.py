#!/usr/bin/env python3
"""The image with one model's kernels: `tinyrig model --registrations` names them, the model runs on
it within 512 bytes of stack, another model is refused. usage: one_model.py BUILD SOURCE KERNELS"""
import os
import sqlite3
import subprocess
import sys
import tempfile

build, source, kernels = sys.argv[1:4]
tinyrig = os.path.join(build, "tinyrig")
models = os.path.join(source, "suites", "models")
SUITE = """models:
  - {{name: kws, path: {0}/kws/kws.tflite, inputs: {0}/kws/in*.bin, expected: {0}/kws/out*.bin}}
  - {{name: gated, path: {0}/gated/gated.tflite}}
boards: [one]
engines: [tiny]
measure: {{inferences: 1, windows: 1, slope: 1, max_vectors: 1}}
"""


def check(good, what):
    if not good:
        sys.exit(what)


with tempfile.TemporaryDirectory(prefix="tinyrig-one-") as folder:
    environment = dict(os.environ, TINYRIG_LOCK_DIR=os.path.join(folder, "locks"))
    os.mkdir(os.path.join(folder, "locks"))
    os.mkdir(os.path.join(folder, "boards"))
    r = subprocess.run([tinyrig, "model", os.path.join(models, "kws", "kws.tflite"), "--board",
                        "virt-m4-big", "--registrations"], stdout=subprocess.PIPE, text=True,
                       check=True)
    check(r.stdout.strip() == kernels, f"{r.stdout.strip()} is needed, the image has {kernels}")

    with open(os.path.join(source, "targets", "boards", "virt-m4-big.yaml")) as f:
        board = f.read().replace("name: virt-m4-big", "name: one")
    with open(os.path.join(folder, "boards", "one.yaml"), "w") as f:
        f.write(board.replace("agent: mps2-an386", "agent: mps2-an386-one"))
    with open(os.path.join(folder, "s.yaml"), "w") as f:
        f.write(SUITE.format(models))
    database = os.path.join(folder, "r.db")
    subprocess.run([tinyrig, "run", "-q", "--db", database, "--board-dir",
                    os.path.join(folder, "boards"), os.path.join(folder, "s.yaml")],
                   env=environment, stderr=subprocess.DEVNULL)
    db = sqlite3.connect(database)
    rows = {key: (status, text or "") for key, status, text in db.execute(
        "SELECT case_key, status, text FROM v_cases")}
    check(rows["kws/one/tiny"][0] == "passed", rows)
    check(rows["gated/one/tiny"][0] == "failed" and "not supported" in rows["gated/one/tiny"][1], rows)
    figures = dict(db.execute("SELECT metric, value FROM v_metrics WHERE case_key = 'kws/one/tiny'"))
    check(0 < figures["ram.stack"] <= 512, f"stack: {figures['ram.stack']}")
    print(f"flash without the model {figures['flash'] - figures['flash.model']:.0f} B, "
          f"stack {figures['ram.stack']:.0f} B")
    db.close()

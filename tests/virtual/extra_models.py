#!/usr/bin/env python3
"""Public models on every virtual board that can hold them, ten reference vectors, bit for bit.

usage: extra_models.py BUILD

TINYRIG_EXTRA_MODELS names a folder with MODEL.tflite files and golden/NAME/inNN.bin, outNN.bin;
without it the test skips.
"""
import os
import sqlite3
import subprocess
import sys
import tempfile

MODELS = {"kws": "kws_ref_model.tflite", "ad": "ad01_int8.tflite", "hello": "hello_world_int8.tflite",
          "speech": "micro_speech_quantized.tflite"}

build = sys.argv[1]
models = os.environ.get("TINYRIG_EXTRA_MODELS")
if not models:
    print("skipped: TINYRIG_EXTRA_MODELS is not set")
    sys.exit(77)
with tempfile.TemporaryDirectory(prefix="tinyrig-extra-") as folder:
    database = os.path.join(folder, "r.db")
    locks = os.path.join(folder, "locks")
    suite = os.path.join(folder, "extra.yaml")
    os.mkdir(locks)
    with open(suite, "w") as f:
        f.write("models:\n")
        for name, file in MODELS.items():
            f.write(f"  - name: {name}\n    path: {models}/{file}\n"
                    f"    inputs: {models}/golden/{name}/in*.bin\n"
                    f"    expected: {models}/golden/{name}/out*.bin\n")
        f.write('boards: ["virt-*"]\nengines: [tiny]\n'
                "measure: {inferences: 1, windows: 1, slope: 1, max_vectors: 10}\n"
                "exclude:\n"
                "  - {board: virt-m4-inject, reason: its slot is a share of its RAM}\n"
                "  - {board: virt-posix, reason: the host is covered by the golden suite}\n")
    run = subprocess.run([os.path.join(build, "tinyrig"), "run", "-q", "--db", database, suite],
                         env=dict(os.environ, TINYRIG_LOCK_DIR=locks), stderr=subprocess.PIPE,
                         text=True)
    if run.returncode != 0:
        sys.exit(f"exit status {run.returncode}\n{run.stderr}")
    db = sqlite3.connect(database)
    compared, equal, boards = db.execute(
        "SELECT sum(outputs_compared), sum(outputs_equal), count(DISTINCT board) FROM v_cases"
        " WHERE status = 'passed'").fetchone()
    for row in db.execute("SELECT case_key, text FROM v_cases WHERE status = 'skipped'"):
        print("skipped", *row)
    print(f"{equal} of {compared} outputs equal on {boards} boards")
    sys.exit(0 if compared and compared == equal else 1)

#!/usr/bin/env python3
"""Public models on every virtual board that can hold them, bit for bit: the best kernels and ten
reference vectors, or with --all every variant of the kernels and every vector.

usage: extra_models.py BUILD [--all]

TINYRIG_EXTRA_MODELS names a folder with MODEL.tflite files and golden/NAME/inNN.bin, outNN.bin;
without it the test skips.
"""
import os
import sqlite3
import subprocess
import sys
import tempfile

MODELS = {"kws": "kws_ref_model.tflite", "ad": "ad01_int8.tflite", "hello": "hello_world_int8.tflite",
          "speech": "micro_speech_quantized.tflite", "scrambled": "keyword_scrambled_8bit.tflite"}
# What the agents of the boards do not hold.
WITHOUT = {"tuned": ["virt-avr*"], "avr": ["virt-m*", "virt-rv32*", "virt-fe310*"],
           "armv7em": ["virt-m0*", "virt-m3*", "virt-rv32*", "virt-fe310*", "virt-avr*"],
           "mve": ["virt-m0*", "virt-m3*", "virt-m4*", "virt-m7*", "virt-rv32*", "virt-fe310*",
                   "virt-avr*"]}

build, thorough = sys.argv[1], "--all" in sys.argv[2:]
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
        kernels = "ref, tuned, armv7em, mve, avr" if thorough else "best"
        f.write(f'boards: ["virt-*"]\nengines: [tiny]\nparameters: {{kernels: [{kernels}]}}\n'
                "measure: {inferences: 1, windows: 1, slope: 1, "
                f"max_vectors: {1000 if thorough else 10}}}\n"
                "exclude:\n" + "".join(
                    f"  - {{board: '{board}', parameters: {{kernels: {variant}}}, "
                    "reason: its agent has no such kernels}\n"
                    for variant, boards in WITHOUT.items() for board in boards if thorough) +
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

#!/usr/bin/env python3
"""Models on the AVR boards: both kernel variants exact, the AVR's own cheaper; what does not fit is
said with its bytes, before the board is touched. Prints the cycles of both variants.

usage: avr.py BUILD SOURCE
"""
import os
import sqlite3
import subprocess
import sys
import tempfile

build, source = (os.path.abspath(p) for p in sys.argv[1:3])
MODELS = {"sine": 0.5, "gesture": 0.3, "kws-small": 0.2}  # at most this share of the reference's cycles
SUITE = """
measure: {{inferences: 1, windows: 1, slope: 1, max_vectors: 1}}
defaults: {{inputs: "{models}/{{name}}/in*.bin", expected: "{models}/{{name}}/out*.bin"}}
models: [{paths}]
boards: [virt-avr, virt-avr-mega]
engines: [tiny]
parameters: {{kernels: [ref, avr]}}
"""


def fail(text):
    sys.exit(f"avr: {text}")


def tinyrig(folder, *arguments):
    return subprocess.run([os.path.join(build, "tinyrig"), *arguments], text=True, cwd=folder,
                          env=dict(os.environ, TINYRIG_LOCK_DIR=folder), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)


def measure(folder):
    models = os.path.join(source, "suites", "models")
    with open(os.path.join(folder, "s.yaml"), "w") as f:
        f.write(SUITE.format(models=models,
                             paths=", ".join(f"{models}/{m}/{m}.tflite" for m in MODELS)))
    run = tinyrig(folder, "run", "-q", "--db", "r.db", "s.yaml")
    if run.returncode != 0:
        fail(f"run: exit status {run.returncode}\n{run.stdout}")
    db = sqlite3.connect(os.path.join(folder, "r.db"))
    cycles = {}
    for model, board, parameters, value, compared, equal in db.execute(
            "SELECT m.model, m.board, m.parameters, m.value, c.outputs_compared, c.outputs_equal"
            " FROM v_metrics m JOIN v_cases c ON c.run = m.run AND c.case_key = m.case_key"
            " WHERE m.metric = 'latency' AND c.status = 'passed'"):
        if not compared or compared != equal:
            fail(f"{model} on {board}: {equal} of {compared} outputs are equal")
        cycles[model, board, parameters.split("=")[-1]] = value
    skipped = db.execute("SELECT case_key, text FROM v_cases WHERE status = 'skipped'").fetchall()
    db.close()
    return cycles, skipped


def check_workloads(folder):
    with open(os.path.join(source, "suites", "workloads.yaml")) as f:
        text = f.read().replace("[virt-m0, virt-m4, virt-rv32]", "[virt-avr]")
    with open(os.path.join(folder, "w.yaml"), "w") as f:
        f.write(text.replace("workloads/", os.path.join(source, "suites", "workloads", "")))
    run = tinyrig(folder, "run", "-q", "--db", "w.db", "w.yaml")
    if run.returncode != 0 or "virt-avr" not in text:
        fail(f"workloads: exit status {run.returncode}\n{run.stdout}")


def main():
    with tempfile.TemporaryDirectory(prefix="tinyrig-avr-") as folder:
        check_workloads(folder)
        cycles, skipped = measure(folder)
        for (model, board, variant), value in sorted(cycles.items()):
            if variant == "avr":
                ref = cycles[model, board, "ref"]
                print(f"{model:10s} {board:14s} ref {ref:11.0f}  avr {value:10.0f} cycles  {value / ref:.3f}")
                if value > MODELS[model] * ref:
                    fail(f"{model}: more than {MODELS[model]} of the reference")
        if len(cycles) != 10:
            fail(f"{len(cycles)} cases passed, not 10")
        if not skipped or not all(key.startswith("kws-small/virt-avr-mega/") and "of RAM" in text and
                                  "virt-avr-mega has 8.0 KiB" in text for key, text in skipped):
            fail(f"skipped: {skipped}")
        model = os.path.join(source, "suites/models/kws-small/kws-small.tflite")
        text = tinyrig(folder, "model", model, "--board", "virt-avr*").stdout
        line = [x for x in text.splitlines() if x.strip().startswith("virt-avr-mega ")]
        if not line or "no: needs " not in line[0] or "virt-avr-mega has 8.0 KiB" not in line[0]:
            fail(f"tinyrig model: {text}")


if __name__ == "__main__":
    main()

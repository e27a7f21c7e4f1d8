#!/usr/bin/env python3
"""Accuracy measured on an emulated board is that of the reference implementation, from raw files and
from NumPy arrays of real numbers. usage: accuracy.py BUILD SOURCE"""
import csv
import os
import sqlite3
import struct
import subprocess
import sys
import tempfile

build, source = sys.argv[1], sys.argv[2]
models = os.path.join(source, "suites", "models")
sys.path.insert(0, models)
import reference  # noqa: E402

LIMIT = 40


def npy(path, descr, shape, form, values):
    head = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    head += " " * (-(11 + len(head)) % 64) + "\n"
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode())
        f.write(struct.pack(f"<{len(values)}{form}", *values))


def samples(name):
    data = os.path.join(models, "data", name)
    with open(os.path.join(data, "y_labels.csv")) as f:
        return [(reference.read(os.path.join(data, r[0])), int(r[2]))
                for r in list(csv.reader(f))[:LIMIT]]


def interpreter(name):
    return reference.Interpreter(reference.read(os.path.join(models, name, name + ".tflite")))


gesture = samples("gesture")
reading = interpreter("gesture")
tensor = reading.graph.tensors[reading.graph.inputs[0]]
with tempfile.TemporaryDirectory(prefix="tinyrig-accuracy-") as folder:
    real, labels = [], []
    for data, label in gesture:
        real += [(q - tensor.zero_point) * tensor.scale for q in struct.unpack(f"{len(data)}b", data)]
        labels.append(label)
    npy(os.path.join(folder, "x.npy"), "<f4", (len(labels), len(real) // len(labels)), "f",
        [v / 2 - 1 for v in real])
    npy(os.path.join(folder, "y.npy"), "<i4", (len(labels),), "i", labels)
    suite = os.path.join(folder, "s.yaml")
    with open(suite, "w") as f:
        f.write(f"""
models:
  - name: raw
    path: {models}/gesture/gesture.tflite
    dataset: {{path: {models}/data/gesture, limit: {LIMIT}}}
  - name: arrays
    path: {models}/gesture/gesture.tflite
    dataset:
      {{path: x.npy, labels: y.npy, offset: 1, scale: 2, quantize: true}}
  - name: hum
    path: {models}/hum/hum.tflite
    dataset: {{path: {models}/data/hum, metric: auc}}
  - name: rebuilt
    path: {models}/hum/hum.tflite
    dataset: {{path: {models}/data/hum, metric: mse, limit: {LIMIT}}}
boards: [virt-m4]
measure: {{inferences: 1, windows: 1, slope: 2}}
""")
    locks = os.path.join(folder, "locks")
    os.mkdir(locks)
    database = os.path.join(folder, "r.db")
    run = subprocess.run([os.path.join(build, "tinyrig"), "run", "-q", "--db", database, suite],
                         env=dict(os.environ, TINYRIG_LOCK_DIR=locks), stderr=subprocess.PIPE,
                         text=True)
    if run.returncode != 0:
        sys.exit(f"exit status {run.returncode}\n{run.stderr}")
    db = sqlite3.connect(database)
    got = {(model, metric): value for model, metric, value in db.execute(
        "SELECT model, metric, value FROM v_metrics WHERE metric IN ('accuracy', 'auc', 'mse')")}
    outputs = {}
    for model, vector, data in db.execute("SELECT model, vector, data FROM v_outputs"):
        outputs.setdefault(model, {})[vector] = data

out = reading.graph.tensors[reading.graph.outputs[0]]
right = 0
for i, (data, label) in enumerate(gesture):
    path = os.path.join(models, "data", "gesture", f"gesture_{i:04}.bin")
    scores = out.unpack(reference.infer(reading, path))
    right += scores.index(max(scores)) == label
    for model in ("raw", "arrays"):
        if list(out.unpack(outputs[model][i])) != list(scores):
            sys.exit(f"{model}: output of sample {i} differs from the reference")
print(got)
good = (got["raw", "accuracy"] == got["arrays", "accuracy"] == right / len(gesture)
        and got["hum", "auc"] > 0.9 and 0 < got["rebuilt", "mse"] < 1)
sys.exit(0 if good else 1)

#!/usr/bin/env python3
"""Custom operators: the example on the host and on an emulated board whose image holds it, refused
by name elsewhere. usage: custom.py BUILD SOURCE"""
import os
import random
import sqlite3
import struct
import subprocess
import sys
import tempfile

build, source = sys.argv[1:3]
sys.path.insert(0, os.path.join(source, "suites", "models"))
from oracle.build import Builder  # noqa: E402

ROWS, LENGTH, STEP = 3, 11, 2


def check(good, what):
    if not good:
        sys.exit(what)


def model(name, data):
    """The operator, and RELU behind it."""
    b = Builder()
    tensors = [b.tensor("t%d" % i, "INT8", [ROWS, LENGTH], [0.5], [0]) for i in range(3)]
    b.operator("CUSTOM:" + name, tensors[:1], tensors[1:2], 1, {"custom": data})
    b.operator("RELU", tensors[1:2], tensors[2:], 1)
    return b.finish(tensors[:1], tensors[2:])


def two_operators(first, second):
    b = Builder()
    tensors = [b.tensor("t%d" % i, "INT8", [ROWS, LENGTH], [0.5], [0]) for i in range(3)]
    for i, name in enumerate((first, second)):
        b.operator("CUSTOM:" + name, tensors[i:i + 1], tensors[i + 1:i + 2], 1, {"custom": b""})
    return b.finish(tensors[:1], tensors[2:])


def infer(path, board, *options):
    return subprocess.run([os.path.join(build, "tinyrig"), "infer", path, "--board", board,
                           "--input", os.path.join(folder, "in.bin"), "--output", folder, *options],
                          env=dict(os.environ, TINYRIG_LOCK_DIR=os.path.join(folder, "locks")),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def write(name, data):
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())
    return path


def check_plan(model):
    """Runs where the firmware holds the operator, skipped with the reason where it does not."""
    suite = write("s.yaml", "models: [{name: m, path: %s, inputs: in.bin}]\nengines: [tiny]\n"
                            "boards: [custom, virt-m4-big, virt-posix]\n" % model)
    database = os.path.join(folder, "r.db")
    options = ["--board-dir", os.path.join(folder, "boards")]
    for verb in (["plan", *options], ["run", *options, "-q", "--db", database]):
        r = subprocess.run([os.path.join(build, "tinyrig"), *verb, suite], text=True,
                           env=dict(os.environ, TINYRIG_LOCK_DIR=os.path.join(folder, "locks")),
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        check(r.returncode == 0, f"{verb}: {r.returncode} {r.stderr}")
        if verb[0] == "plan":
            check(r.stdout.count("holds no such operator") == 1, r.stdout)
    db = sqlite3.connect(database)
    cases = {key: (status, text or "") for key, status, text in db.execute(
        "SELECT case_key, status, text FROM v_cases")}
    db.close()
    for board in ("custom", "virt-posix"):
        check(cases[f"m/{board}/tiny"][0] == "passed", f"{board}: {cases}")
    status, text = cases["m/virt-m4-big/tiny"]
    check(status == "skipped" and "operator 0 CUSTOM 'ExampleDelta'" in text, f"{status} {text}")


with tempfile.TemporaryDirectory(prefix="tinyrig-custom-") as folder:
    os.mkdir(os.path.join(folder, "locks"))
    os.mkdir(os.path.join(folder, "boards"))
    rng = random.Random(5)
    x = [rng.randint(-128, 127) for _ in range(ROWS * LENGTH)]
    expected = [0 if i % LENGTH < STEP else min(127, abs(x[i] - x[i - STEP]))
                for i in range(len(x))]
    write("in.bin", struct.pack("%db" % len(x), *x))
    known = write("known.tflite", model("ExampleDelta", bytes([STEP])))
    with open(os.path.join(source, "targets", "boards", "virt-m4-big.yaml")) as f:
        board = f.read().replace("name: virt-m4-big", "name: custom")
    write("boards/custom.yaml", board.replace("agent: mps2-an386", "agent: mps2-an386-custom"))
    for board, options in (("virt-posix", ()),
                           ("custom", ("--board-dir", os.path.join(folder, "boards")))):
        r = infer(known, board, *options)
        check(r.returncode == 0, f"{board}: {r.stderr}")
        with open(os.path.join(folder, "in.out.bin"), "rb") as f:
            got = list(struct.unpack("%db" % len(x), f.read()))
        check(got == expected, f"{board}: {got}, expected {expected}")

    r = infer(known, "virt-m4-big")
    check(r.returncode == 2 and "operator 0 CUSTOM 'ExampleDelta'" in r.stderr and
          "mps2-an386.elf holds no such operator (there are none in it)" in r.stderr,
          f"without it: {r.returncode} {r.stderr}")
    check_plan(known)
    both = write("both.tflite", two_operators("MyOp", "Other"))
    r = subprocess.run([os.path.join(build, "tinyrig"), "model", both], text=True,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    check(r.returncode == 2 and "2 operators cannot run" in r.stderr and
          "operator 0 CUSTOM 'MyOp'" in r.stderr and "operator 1 CUSTOM 'Other'" in r.stderr,
          f"two at once: {r.returncode} {r.stderr}")
    for name, data, text in (
            ("MyOp", b"", "operator 0 CUSTOM 'MyOp' v1: no custom operator of this name is "
                          "registered (ExampleDelta)"),
            ("ExampleDelta", b"\0", "operator 0 CUSTOM 'ExampleDelta' v1: a step of 0")):
        r = infer(write("refused.tflite", model(name, data)), "virt-posix")
        check(r.returncode == 2 and text in r.stderr, f"{name}: {r.returncode} {r.stderr}")

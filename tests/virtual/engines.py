#!/usr/bin/env python3
"""Workloads, and a foreign runtime linked from a library, through the whole harness.
usage: engines.py BUILD SOURCE"""
import os
import random
import sqlite3
import struct
import subprocess
import sys
import tempfile

build, source = sys.argv[1], sys.argv[2]


def check(good, what):
    if not good:
        sys.exit(what)


def write(name, data):
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())


def run(suite, *options):
    database = os.path.join(folder, "r.db")
    if os.path.exists(database):
        os.unlink(database)
    r = subprocess.run([os.path.join(build, "tinyrig"), "run", "-q", "--db", database, *options, suite],
                       env=dict(os.environ, TINYRIG_LOCK_DIR=locks), stderr=subprocess.PIPE, text=True)
    rows = {}
    if os.path.exists(database):
        rows = {key: (status, text or "") for key, status, text in sqlite3.connect(database).execute(
            "SELECT case_key, status, text FROM v_cases")}
    return r.returncode, rows, r.stderr


def example_net(rng):
    """A net of the example runtime, an input, and what must come out."""
    inputs, outputs = 20, 5
    data = b"EXN1" + struct.pack("<2H", inputs, outputs)
    x = [rng.randrange(-128, 128) for _ in range(inputs)]
    y = []
    for _ in range(outputs):
        bias, w = rng.randrange(-9999, 9999), [rng.randrange(-128, 128) for _ in range(inputs)]
        data += struct.pack(f"<i{inputs}b", bias, *w)
        y.append(max(-128, min(127, (bias + sum(a * b for a, b in zip(w, x))) >> 8)))
    return data, struct.pack(f"{inputs}b", *x), struct.pack(f"{outputs}b", *y)


with tempfile.TemporaryDirectory(prefix="tinyrig-engines-") as folder:
    locks = os.path.join(folder, "locks")
    os.mkdir(locks)

    status, rows, log = run(os.path.join(source, "suites", "workloads.yaml"))
    check(status == 0 and len(rows) == 6 and all(r[0] == "passed" for r in rows.values()),
          f"workloads: {status} {rows} {log}")

    write("bad.workload", "fir taps=48 tapes=3")
    write("s.yaml", "models: [{path: bad.workload, name: bad}]\nboards: [virt-m4-big]\n"
                    "engines: [workload]\n")
    status, rows, log = run(os.path.join(folder, "s.yaml"))
    check(status == 1 and rows["bad/virt-m4-big/workload"][0] == "failed", f"bad: {status} {rows}")

    net, x, y = example_net(random.Random(3))
    write("net.exn", net)
    write("in.bin", x)
    write("out.bin", y)
    with open(os.path.join(source, "targets", "boards", "virt-m4-big.yaml")) as f:
        board = f.read().replace("name: virt-m4-big", "name: foreign")
    os.mkdir(os.path.join(folder, "boards"))
    write("boards/foreign.yaml", board.replace("agent: mps2-an386", "agent: mps2-an386-foreign")
          + 'engines: ["null", exn]\n')
    write("s.yaml", "models: [{path: net.exn, name: net, inputs: in.bin, expected: out.bin}]\n"
                    "boards: [foreign, virt-m4-big]\nengines: [exn]\nmeasure: {inferences: 5}\n")
    status, rows, log = run(os.path.join(folder, "s.yaml"), "--board-dir",
                            os.path.join(folder, "boards"))
    check(status == 0 and rows["net/foreign/exn"][0] == "passed", f"foreign: {status} {rows} {log}")
    check("no engine 'exn'" in rows["net/virt-m4-big/exn"][1], f"skip: {rows}")
    write("s.yaml", "models: [{path: net.exn, name: net}]\nboards: [virt-m4]\nengines: [tine]\n")
    status, rows, log = run(os.path.join(folder, "s.yaml"))
    check(status == 2 and "did you mean 'tiny'" in log, f"unknown engine: {status} {log}")

#!/usr/bin/env python3
"""`tinyrig infer` on the host and on an emulated board. usage: infer.py BUILD SOURCE"""
import json
import os
import subprocess
import sys
import tempfile

build, source = sys.argv[1], sys.argv[2]
models = os.path.join(source, "suites", "models")


def infer(*arguments):
    return subprocess.run([os.path.join(build, "tinyrig"), "infer", *arguments], text=True,
                          env=dict(os.environ, TINYRIG_LOCK_DIR=locks, TMPDIR=folder),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def check(good, what):
    if not good:
        sys.exit(what)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def check_misfits(source):
    """What a plan skips on a board, infer refuses in the same words. Nothing is started for it."""
    suite = os.path.join(folder, "s.yaml")
    names = ("kws-small", "kws-float", "ww")
    with open(suite, "w") as f:
        f.write("models: [%s]\nengines: [tiny]\nboards: ['virt-*']\n" % ", ".join(
            "{name: %s, path: %s}" % (n, os.path.join(models, n, n + ".tflite")) for n in names))
    r = subprocess.run([os.path.join(build, "tinyrig"), "plan", suite, "--json"], text=True,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    check(r.returncode == 0, r.stderr)
    skipped = [c for c in json.loads(r.stdout)["cases"] if c["skip"]]
    check(len({c["skip"].split()[0] for c in skipped}) == 2, f"both kinds of reason: {skipped}")
    for c in skipped:
        model = os.path.join(models, c["model"], c["model"] + ".tflite")
        r = infer(model, "--board", c["board"], "--input", source)
        check(r.returncode == 2 and f"board '{c['board']}': {c['skip']}" in r.stderr,
              f"{c['key']}: {r.returncode} {r.stderr}")
    print(f"{len(skipped)} cases refused as planned")


with tempfile.TemporaryDirectory(prefix="tinyrig-infer-") as folder:
    locks = os.path.join(folder, "locks")
    os.mkdir(locks)
    for board, name in (("virt-posix", "lstm"), ("virt-m4", "svdf"), ("virt-posix", "gated")):
        model = os.path.join(models, name, name + ".tflite")
        out = os.path.join(folder, board + name)
        inputs = [os.path.join(models, name, f"in{i:02}.bin") for i in range(2)]
        r = infer(model, "--board", board, "--input", inputs[0], "--input", inputs[1],
                  "--output", out, "--profile")
        check(r.returncode == 0, r.stderr)
        for i in range(2):
            got = read(os.path.join(out, f"in{i:02}.out.bin"))
            check(got == read(os.path.join(models, name, f"out{i:02}.bin")),
                  f"{name} on {board}: output {i} differs")
        check("share  operator and kernel" in r.stdout, r.stdout)

    sine = os.path.join(models, "sine", "sine.tflite")
    good = os.path.join(models, "sine", "in00.bin")
    wrong = os.path.join(folder, "wrong.bin")
    with open(wrong, "wb") as f:
        f.write(b"123")
    for arguments, status, text in (
            ((sine,), 2, "no input"),
            ((sine, "--board", "virt-poxis", "--input", good), 2, "did you mean 'virt-posix'"),
            ((sine, "--input", wrong), 2, "has 3 bytes, the model's inputs take 1"),
            ((sine, "--input", good, "--input", good), 2, "would both be written"),
            ((good, "--input", good), 2, "TFL3"),
            ((sine, "--input", good, "--engine", "huge"), 2, "no engine 'huge'")):
        r = infer(*arguments)
        check(r.returncode == status and text in r.stderr,
              f"{arguments}: {r.returncode} {r.stderr}")
    check_misfits(good)
    check(not [n for n in os.listdir(folder) if n.startswith("tinyrig-run")], "scratch folder left")

#!/usr/bin/env python3
"""The oracle against TensorFlow Lite itself: two releases that npm has, compiled for browsers.

usage: check_tflite.py SOURCE [--count N] [--seed S] [--op NAME ...]

They are what `./bootstrap oracle-tools` installs (TINYRIG_ORACLE_TOOLS names another folder). Both releases give quantised operators to a
delegate (XNNPACK) with a rounding of its own; a byte of their code is changed so that it takes none
of them, and TensorFlow Lite's own kernels compute them. Every random model of one operator
must come out of them as the oracle says, bit for bit, but for what RULES below name.
"""
import argparse
import collections
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
TFJS, LITERT = "tfjs", "litert"
# Of each release: where it is, and changes of its code (what stands there, which byte, its new value).
RELEASES = {
    TFJS: ("@tensorflow/tfjs-tflite/wasm/tflite_web_api_cc",
           [("20014103360204", 3, 0x00)]),  # options.flags = QS8 | QU8: none of them
    LITERT: ("@litertjs/core/wasm/litert_wasm_compat_internal",
             [("2003410336026c", 3, 0x00),  # the same
              ("20032003360200024020000440", 9, 0x41)]),  # if (options): if (0), so for defaults
}
EQUAL, ONE_ROUNDING, CLOSE, STEP = "equal", "equal, rounded once", "close", "one step"
"""Rules, and why they are not all EQUAL:
ONE_ROUNDING  the matrix library of the two releases rounds products once where the reference kernels
              (and TensorFlow Lite Micro) round twice: equal to the oracle in one of the two ways
CLOSE         float32, where sums have no defined order
STEP          by tables where TensorFlow Lite Micro and the reference kernels compute (exp of SOFTMAX),
              or the other way about (tanh of an LSTM): at most 1 apart"""
RULES = {
    "BATCH_MATMUL": (LITERT, ONE_ROUNDING),
    "CONV_2D": (LITERT, ONE_ROUNDING),
    "CONV_2D_INT4": (LITERT, ONE_ROUNDING),
    "CONV_2D_INT16": (TFJS, EQUAL),  # the newer one wants an option that says the bias's type
    "DEPTHWISE_CONV_2D_INT16": (TFJS, EQUAL),
    "FULLY_CONNECTED": (LITERT, ONE_ROUNDING),
    "FULLY_CONNECTED_INT4": (LITERT, ONE_ROUNDING),
    "FULLY_CONNECTED_INT16": (TFJS, EQUAL),
    "SOFTMAX": (LITERT, STEP),
    "SVDF_INT16": (TFJS, EQUAL),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (TFJS, STEP),
}
NOT_THERE = {
    "SVDF": "a state of 8 bits is TensorFlow Lite Micro's own",
    "SVDF_FLOAT32": "LiteRT does not load variable tensors",
    "LSTM_FLOAT32": "LiteRT does not load variable tensors",
    "VARIABLES": "LiteRT does not keep resource variables between runs",
    "VARIABLES_ONCE": "nor does it here",
}


def patched(kind, tools, folder):
    """(script, its code with the delegate switched off)."""
    name, changes = RELEASES[kind]
    base = os.path.join(tools, "node_modules", name)
    with open(base + ".wasm", "rb") as f:
        data = bytearray(f.read())
    for there, byte, value in changes:
        if data.count(bytes.fromhex(there)) != 1:
            sys.exit(f"{base}.wasm is another release than was expected")
        data[data.index(bytes.fromhex(there)) + byte] = value
    path = os.path.join(folder, kind + ".wasm")
    with open(path, "wb") as f:
        f.write(data)
    return base + ".js", path


class Case:
    """A random model and the inputs of its first inference."""

    def __init__(self, op, name, oracle):
        self.op, self.name = op, name
        self.made = oracle.generate.case(op, random.Random(name))
        self.graph = oracle.run.Interpreter(self.made.model).graph
        sizes = [g.size * struct.calcsize("<" + g.format)
                 for g in (self.graph.tensors[i] for i in self.graph.inputs)]
        self.inputs = [self.made.input[sum(sizes[:i]):sum(sizes[:i + 1])] for i in range(len(sizes))]
        rounds = len(self.made.input) // max(1, sum(sizes))
        self.expected = self.made.output[:len(self.made.output) // rounds]

    def tensor(self, i):
        inputs = self.graph.operators[0].inputs
        return self.graph.tensors[inputs[i]] if i < len(inputs) and inputs[i] >= 0 else None

    def left_out(self):
        """Why neither release can be asked."""
        plain = self.op.replace("_FLOAT32", "").replace("_INT16", "").replace("_INT4", "")
        if plain in ("CONV_2D", "DEPTHWISE_CONV_2D") and self.tensor(2) is None:
            return "without a bias one release refuses, the other reads one"
        if self.op == "FULLY_CONNECTED_INT16" and self.tensor(2) is None:
            return "without a bias the width of sums differs"
        output = self.graph.tensors[self.graph.outputs[0]]
        if self.op == "QUANTIZE" and (self.tensor(0).type, output.type) == ("INT8", "INT32"):
            return "TensorFlow Lite Micro's own"
        if self.op == "UNIDIRECTIONAL_SEQUENCE_LSTM" and self.tensor(18).zero_point != 0:
            return "a zero point of the hidden state has the other sign there"
        return None

    def write(self, folder):
        base = os.path.join(folder, self.name)
        job = {"model": base + ".tflite", "output": base + ".out", "inputs": []}
        with open(job["model"], "wb") as f:
            f.write(self.made.model)
        for i, data in enumerate(self.inputs):
            job["inputs"].append(f"{base}.in{i}")
            with open(job["inputs"][-1], "wb") as f:
                f.write(data)
        return job

    def numbers(self, data):
        code = self.graph.tensors[self.graph.outputs[0]].format
        return struct.unpack(f"<{len(data) // struct.calcsize('<' + code)}{code}", data)


def once(oracle, case):
    """The oracle's answer when products are rounded once."""
    def multiply(x, multiplier, shift):
        down = 31 - shift
        if down <= 0:
            return oracle.fixed.int32(x * multiplier << -down)
        return oracle.fixed.int32((x * multiplier + (1 << (down - 1))) >> down)

    users = [m for m in vars(oracle).values() if hasattr(m, "multiply")]
    before = oracle.fixed.multiply
    for module in users:
        module.multiply = multiply
    try:
        return b"".join(oracle.run.Interpreter(case.made.model).outputs(case.inputs))
    finally:
        for module in users:
            module.multiply = before


def agrees(oracle, case, got, rule):
    if got == case.expected:
        return True
    if rule == ONE_ROUNDING:
        return got == once(oracle, case)
    if len(got) != len(case.expected) or rule == EQUAL:
        return False
    pairs = list(zip(case.numbers(got), case.numbers(case.expected)))
    if rule == STEP:
        return all(abs(a - b) <= 1 for a, b in pairs)
    return all(abs(a - b) <= 1e-5 * max(1, abs(b)) for a, b in pairs)


def rule_of(op):
    if op in RULES:
        return RULES[op]
    return LITERT, CLOSE if op.endswith("_FLOAT32") else EQUAL


def ask(kind, cases, arguments, folder):
    """What a release says of each case: (output, None) or (None, error)."""
    script, wasm = patched(kind, arguments.tools, folder)
    jobs = [case.write(folder) for case in cases]
    runner = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tflite_web.js")
    said = subprocess.run(["node", runner, kind, script, wasm], text=True, check=True,
                          input="".join(json.dumps(j) + "\n" for j in jobs),
                          stdout=subprocess.PIPE).stdout.splitlines()
    if len(said) != len(jobs):
        sys.exit(f"{kind} ended after {len(said)} of {len(jobs)} models: {cases[len(said)].name}")
    for job, line in zip(jobs, said):
        error = json.loads(line).get("error")
        if error is not None:
            yield None, error
            continue
        with open(job["output"], "rb") as f:
            yield f.read(), None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source")
    parser.add_argument("--count", type=int, default=12, help="models of each operator (12)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--op", action="append", metavar="NAME")
    arguments = parser.parse_args()
    arguments.tools = os.environ.get("TINYRIG_ORACLE_TOOLS",
                                     os.path.join(arguments.source, "build-oracle-tools"))
    for name, _ in RELEASES.values():
        if shutil.which("node") is None or not os.path.exists(os.path.join(arguments.tools, "node_modules", name + ".wasm")):
            print("skipped: './bootstrap oracle-tools' installs what this needs")
            return 77
    sys.path.insert(0, os.path.join(arguments.source, "suites/models"))
    import oracle
    from oracle import conv, elementwise, fixed, generate, generate_real, recurrent, reduce, run  # noqa: F401

    cases = collections.defaultdict(list)
    left_out = collections.Counter(NOT_THERE.values())
    for op in arguments.op or sorted(set(generate.CASES) - set(NOT_THERE)):
        for number in range(arguments.count):
            case = Case(op, f"{op}-{arguments.seed}-{number}", oracle)
            why = case.left_out()
            if why is None:
                cases[rule_of(op)[0]].append(case)
            else:
                left_out[why] += 1
    wrong, right = [], 0
    with tempfile.TemporaryDirectory(prefix="tinyrig-tflite-") as folder:
        for kind, list_ in cases.items():
            for case, (got, error) in zip(list_, ask(kind, list_, arguments, folder)):
                if error is not None:
                    wrong.append(f"{case.name}: {kind} fails: {error}")
                elif not agrees(oracle, case, got, rule_of(case.op)[1]):
                    wrong.append(f"{case.name}: {kind} computes other values ({case.made.detail})")
                else:
                    right += 1
    for line in wrong:
        print(line)
    print(f"{right} models as TensorFlow Lite computes them, {len(wrong)} not; not asked:")
    for why, n in sorted(left_out.items()):
        print(f"  {n:3} {why}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Expected outputs of a .tflite model, from an implementation that shares nothing with ours.

usage: reference.py run MODEL INPUT OUTPUT       one inference, raw tensors in and out
       reference.py vectors MODEL DIR            DIR/in*.bin -> DIR/out*.bin
       reference.py check MODEL DIR              the same, compared instead of written
       reference.py layers MODEL INPUT DIR       every operator's output to DIR/opNN.bin
"""

import glob
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from oracle.run import Interpreter, split_inputs  # noqa: E402


def read(path):
    with open(path, 'rb') as f:
        return f.read()


def write(path, data):
    with open(path, 'wb') as f:
        f.write(data)


def infer(interpreter, path):
    interpreter.reset()
    return b''.join(interpreter.outputs(split_inputs(interpreter.graph, read(path))))


def vector_pairs(folder):
    for path in sorted(glob.glob(os.path.join(folder, 'in*.bin'))):
        yield path, os.path.join(folder, 'out' + os.path.basename(path)[2:])


def layers(interpreter, path, folder):
    os.makedirs(folder, exist_ok=True)
    graph = interpreter.graph
    values = interpreter.run(split_inputs(graph, read(path)))
    for number, op in enumerate(graph.operators):
        tensor = graph.tensors[op.outputs[0]]
        write(os.path.join(folder, 'op%02d.bin' % number), tensor.pack(values[op.outputs[0]]))


def check(interpreter, folder):
    wrong = 0
    for source, expected in vector_pairs(folder):
        if infer(interpreter, source) != read(expected):
            print('%s: differs from %s' % (source, expected))
            wrong += 1
    return 1 if wrong else 0


def main(argv):
    if len(argv) < 4 or argv[1] not in ('run', 'vectors', 'check', 'layers'):
        sys.stderr.write(__doc__)
        return 2
    interpreter = Interpreter(read(argv[2]))
    if argv[1] == 'run':
        write(argv[4], infer(interpreter, argv[3]))
    elif argv[1] == 'vectors':
        for source, target in vector_pairs(argv[3]):
            write(target, infer(interpreter, source))
    elif argv[1] == 'layers':
        layers(interpreter, argv[3], argv[4])
    else:
        return check(interpreter, argv[3])
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv))

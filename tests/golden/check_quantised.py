#!/usr/bin/env python3
"""Every recipe's quantised model does what its layers mean.

usage: check_quantised.py SOURCE_ROOT TINYRIG_RECIPE

The generator writes each layer's values in double precision. Here every operator of the model gets
those as its inputs, quantised, and what the oracle makes of them must be near the layer's own
values: a transposed weight, a wrong bias scale or a misplaced padding would be bit-exact between
two engines, and is far off here. Errors are in steps of the output's quantisation; for a model in
float32, in millionths of its greatest value.
"""

import glob
import os
import struct
import subprocess
import sys
import tempfile

MEAN, LARGEST = 6.0, 30.0  # what eight-bit weights and inputs explain; a wrong layout gives 50


class Layers:
    """Real values by tensor name, for one sample."""

    def __init__(self, reference, folder, sample):
        self.values = {}
        for path in glob.glob(os.path.join(folder, 'real%02d-*.bin' % sample)):
            raw = reference.read(path)
            name = os.path.basename(path)[len('real00-'):-len('.bin')]
            self.values[name] = struct.unpack('<%df' % (len(raw) // 4), raw)

    def quantised(self, tensor):
        if tensor.type == 'FLOAT32':
            return list(self.values[tensor.name])
        low, high = {'INT8': (-128, 127), 'INT16': (-32768, 32767)}[tensor.type]
        return [min(max(round(v / tensor.scale) + tensor.zero_point, low), high)
                for v in self.values[tensor.name]]


def step(tensor, values):
    if tensor.type == 'FLOAT32':
        return 1e-6 * max(abs(v) for v in values)
    return 64 if tensor.type == 'INT16' else 1


def check_sample(interpreter, layers, operator, call):
    """(mean, largest) error of the worst operator, and its name."""
    graph = interpreter.graph
    interpreter.reset()
    values = {i: t.constant for i, t in enumerate(graph.tensors) if t.constant is not None}
    for i, t in enumerate(graph.tensors):
        if t.is_variable:
            values[i] = interpreter.state.setdefault(i, [t.zero_point] * t.size)
        elif t.name in layers.values:
            values[i] = layers.quantised(t)
    worst = (0.0, 0.0, '')
    for number, op in enumerate(graph.operators):
        results = operator(graph, op, number)(call(graph, op, values, interpreter.state))
        for index, result in zip(op.outputs, results):
            t = graph.tensors[index]
            if t.name not in layers.values:
                values[index] = result
                continue
            errors = [abs(a - b) / step(t, values[index]) for a, b in zip(result, values[index])]
            mean = sum(errors) / len(errors)
            worst = max(worst, (mean, max(errors), t.name))
    return worst


def check(tool, recipe, folder):
    import reference
    from oracle.common import Call
    from oracle.run import operator
    name = os.path.basename(os.path.dirname(recipe))
    model = os.path.join(folder, name + '.tflite')
    subprocess.run([tool, 'build', recipe, '-o', model, '--real', folder], check=True,
                   stdout=subprocess.DEVNULL)
    interpreter = reference.Interpreter(reference.read(model))
    worst = check_sample(interpreter, Layers(reference, folder, 0), operator, Call)
    print('%-12s mean %.2f, largest %.1f steps (%s)' % (name, *worst))
    return worst[0] <= MEAN and worst[1] <= LARGEST


def main():
    models = os.path.join(sys.argv[1], 'suites', 'models')
    sys.path.insert(0, models)
    good = []
    for recipe in sorted(glob.glob(os.path.join(models, '*', 'recipe.yaml'))):
        with tempfile.TemporaryDirectory() as folder:
            good.append(check(sys.argv[2], recipe, folder))
    return 0 if good and all(good) else 1


if __name__ == '__main__':
    sys.exit(main())

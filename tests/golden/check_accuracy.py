#!/usr/bin/env python3
"""Trained classifiers know their test set. usage: check_accuracy.py SOURCE_ROOT"""

import csv
import os
import sys

TOP1 = {'gesture': 0.95}
AUC = {'hum': 0.9}  # of the reconstruction error as a sign of a fault


def samples(data):
    with open(os.path.join(data, 'y_labels.csv')) as f:
        for name, classes, label in csv.reader(f):
            yield os.path.join(data, name), int(classes), int(label)


def top1(reference, interpreter, data):
    out = interpreter.graph.tensors[interpreter.graph.outputs[0]]
    right = []
    for path, classes, label in samples(data):
        scores = out.unpack(reference.infer(interpreter, path))
        right.append(scores.index(max(scores)) == label and len(scores) == classes)
    return sum(right) / len(right)


def auc(reference, interpreter, data):
    """Chance that a faulty sample scores higher than a healthy one; ties count half."""
    inp = interpreter.graph.tensors[interpreter.graph.inputs[0]]
    out = interpreter.graph.tensors[interpreter.graph.outputs[0]]
    scores = ([], [])
    for path, _, label in samples(data):
        x = inp.unpack(reference.read(path))
        y = out.unpack(reference.infer(interpreter, path))
        scores[label].append(sum(((a - inp.zero_point) * inp.scale
                                  - (b - out.zero_point) * out.scale) ** 2
                                 for a, b in zip(x, y)) / len(x))
    wins = sum((bad > good) + (bad == good) / 2 for bad in scores[1] for good in scores[0])
    return wins / (len(scores[0]) * len(scores[1]))


def main():
    models = os.path.join(sys.argv[1], 'suites', 'models')
    sys.path.insert(0, models)
    import reference
    good = True
    for wanted, measure in ((TOP1, top1), (AUC, auc)):
        for name, least in sorted(wanted.items()):
            model = reference.read(os.path.join(models, name, name + '.tflite'))
            got = measure(reference, reference.Interpreter(model),
                          os.path.join(models, 'data', name))
            print('%s: %s %.3f' % (name, measure.__name__, got))
            good = good and got >= least
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())

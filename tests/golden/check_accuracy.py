#!/usr/bin/env python3
"""Trained classifiers know their test set. usage: check_accuracy.py SOURCE_ROOT"""

import csv
import os
import sys

LEAST = {'gesture': 0.95}  # top-1


def top1(reference, model, data):
    interpreter = reference.Interpreter(reference.read(model))
    out = interpreter.graph.tensors[interpreter.graph.outputs[0]]
    right = total = 0
    with open(os.path.join(data, 'y_labels.csv')) as f:
        for name, classes, label in csv.reader(f):
            scores = out.unpack(reference.infer(interpreter, os.path.join(data, name)))
            right += scores.index(max(scores)) == int(label) and len(scores) == int(classes)
            total += 1
    return right, total


def main():
    models = os.path.join(sys.argv[1], 'suites', 'models')
    sys.path.insert(0, models)
    import reference
    bad = 0
    for name, least in sorted(LEAST.items()):
        model = os.path.join(models, name, name + '.tflite')
        right, total = top1(reference, model, os.path.join(models, 'data', name))
        print('%s: %d of %d right' % (name, right, total))
        bad += right < least * total or total == 0
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())

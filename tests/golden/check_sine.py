#!/usr/bin/env python3
"""The trained regressor follows sin(x) over its whole input range. usage: check_sine.py SOURCE_ROOT"""

import math
import os
import sys

models = os.path.join(sys.argv[1], 'suites', 'models')
sys.path.insert(0, models)
import reference  # noqa: E402

interpreter = reference.Interpreter(reference.read(os.path.join(models, 'sine', 'sine.tflite')))
x = interpreter.graph.tensors[interpreter.graph.inputs[0]]
y = interpreter.graph.tensors[interpreter.graph.outputs[0]]
worst = 0.0
for q in range(-128, 128):
    out = y.unpack(interpreter.outputs([x.pack([q])])[0])[0]
    real = (out - y.zero_point) * y.scale
    worst = max(worst, abs(real - math.sin((q - x.zero_point) * x.scale)))
print('largest error over 256 inputs: %.3f' % worst)
sys.exit(0 if worst < 0.1 else 1)

#!/usr/bin/env python3
"""Keeps suites/models/oracle equal to golden files that another implementation made.

usage: check_oracle.py SOURCE_ROOT

TINYRIG_EXTRA_MODELS names a folder with public models (*.tflite) and golden/NAME/ with inNN.bin,
outNN.bin and layers_inNN/opNN.bin. Skipped (77) when it is not set.
"""

import glob
import os
import sys

SLOW = 4  # inputs of each model beside the ones with layers: the oracle is pure Python

MODELS = {'hello': 'hello_world_int8', 'ad': 'ad01_int8', 'kws': 'kws_ref_model',
          'speech': 'micro_speech_quantized', 'scrambled': 'keyword_scrambled_8bit'}


def check_layers(reference, interpreter, source, folder):
    graph = interpreter.graph
    interpreter.reset()
    values = interpreter.run(reference.split_inputs(graph, reference.read(source)))
    wrong = 0
    for number, op in enumerate(graph.operators):
        expected = reference.read(os.path.join(folder, 'op%02d.bin' % number))
        tensor = op.outputs[0]
        if graph.tensors[tensor].pack(values[tensor]) != expected:
            print('%s: operator %d (%s) differs' % (source, number, op.name))
            wrong += 1
    return wrong


def check_model(reference, model, folder):
    interpreter = reference.Interpreter(reference.read(model))
    wrong = compared = 0
    for layers in sorted(glob.glob(os.path.join(folder, 'layers_in*'))):
        source = os.path.join(folder, layers.rpartition('layers_')[2] + '.bin')
        wrong += check_layers(reference, interpreter, source, layers)
        compared += 1
    for source, expected in list(reference.vector_pairs(folder))[:SLOW]:
        compared += 1
        if reference.infer(interpreter, source) != reference.read(expected):
            print('%s differs' % source)
            wrong += 1
    print('%s: %d inputs compared, %d wrong' % (os.path.basename(model), compared, wrong))
    return wrong == 0 and compared > 0


def main():
    extra = os.environ.get('TINYRIG_EXTRA_MODELS')
    if not extra:
        print('TINYRIG_EXTRA_MODELS is not set: nothing to compare with')
        return 77
    sys.path.insert(0, os.path.join(sys.argv[1], 'suites', 'models'))
    import reference
    good = [check_model(reference, os.path.join(extra, MODELS[name] + '.tflite'),
                        os.path.join(extra, 'golden', name)) for name in sorted(MODELS)]
    return 0 if all(good) else 1


if __name__ == '__main__':
    sys.exit(main())

#!/usr/bin/env python3
"""Compares our engine with the independent oracle on random one-operator models.

usage: check_ops.py SOURCE_ROOT RUN_OPS [FIRST_SEED COUNT]
"""

import glob
import os
import subprocess
import sys
import tempfile


def main():
    sys.path.insert(0, os.path.join(sys.argv[1], 'suites', 'models'))
    import reference
    from oracle.fixed import Undefined
    first, count = sys.argv[3:5] if len(sys.argv) > 4 else ('1', '30')
    wrong = {}
    total = 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[2], folder, first, count], check=True)
        for path in sorted(glob.glob(os.path.join(folder, '*.tflite'))):
            stem = path[:-len('.tflite')]
            interpreter = reference.Interpreter(reference.read(path))
            try:
                expected = reference.infer(interpreter, stem + '.in')
            except Undefined:  # so is TensorFlow Lite's own result
                continue
            total += 1
            if expected != reference.read(stem + '.out'):
                name = os.path.basename(stem)
                wrong.setdefault(name.rpartition('-')[0], []).append(name)
    for name in sorted(wrong):
        print('%s: %d differ: %s' % (name, len(wrong[name]), ' '.join(wrong[name][:5])))
    print('%d models compared' % total)
    return 1 if wrong or not total else 0


if __name__ == '__main__':
    sys.exit(main())

#!/usr/bin/env python3
"""Random models of one operator with the outputs they must give: a fuzz of kernels.

usage: single_op.py DIR [--op NAME ...] [--count N] [--seed S] [--list]

Writes DIR/CASE.tflite, CASE.in.bin (input tensors one after the other) and CASE.out.bin (output
tensors likewise) for N cases of every operator, and DIR/INDEX with a line "CASE operator inputs
outputs detail" each. CASE is operator-seed-number, and the same seed gives the same case again.
Operators with state are run three times: CASE.in.bin and CASE.out.bin then hold three rounds.
"""

import argparse
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from oracle import generate, generate_real  # noqa: E402, F401 (it adds cases)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('folder', nargs='?')
    parser.add_argument('--op', action='append', choices=sorted(generate.CASES), metavar='NAME')
    parser.add_argument('--count', type=int, default=10, help='cases of each operator (10)')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--list', action='store_true', help='print the operators and stop')
    args = parser.parse_args()
    if args.list or not args.folder:
        print('\n'.join(sorted(generate.CASES)))
        return 0 if args.list else 2
    os.makedirs(args.folder, exist_ok=True)
    with open(os.path.join(args.folder, 'INDEX'), 'w') as index:
        for name in args.op or sorted(generate.CASES):
            for number in range(args.count):
                case = '%s-%d-%d' % (name, args.seed, number)
                made = generate.case(name, random.Random(case))
                write(args.folder, case, made)
                index.write('%s %s %d %d %s\n' % (case, name, len(made.input), len(made.output),
                                                  made.detail))
    return 0


def write(folder, case, made):
    for suffix, data in (('tflite', made.model), ('in.bin', made.input), ('out.bin', made.output)):
        with open(os.path.join(folder, '%s.%s' % (case, suffix)), 'wb') as f:
            f.write(data)


if __name__ == '__main__':
    sys.exit(main())

#!/usr/bin/env python3
"""Random models on virtual boards against `ref` on the host (walk.c).

usage: walk.py SOURCE WALK COUNT SEED BOARD... [-- OPTION...]     OPTION: of walk

COUNT models of each operator from SEED on (0: a random one), by both generators, on every board.
A line that says `differs` names model and seed; the same seed gives the same models again.
"""

import os
import random
import subprocess
import sys
import tempfile


def main():
    arguments, options = sys.argv[1:], []
    if '--' in arguments:
        at = arguments.index('--')
        arguments, options = arguments[:at], arguments[at + 1:]
    source, walk, count, seed = arguments[:4]
    seed = seed if seed != '0' else str(random.randrange(1, 1 << 31))
    status = 0
    with tempfile.TemporaryDirectory(prefix='tinyrig-walk-') as folder:
        if '-b' not in options and '-o' not in options:
            cases = os.path.join(folder, 'cases')
            maker = os.path.join(source, 'suites', 'models', 'single_op.py')
            subprocess.run([sys.executable, maker, cases, '--count', str(max(1, int(count) // 3)),
                            '--seed', seed], check=True, env=dict(os.environ, PYTHONDONTWRITEBYTECODE='1'))
            options = ['-c', cases] + options
        for board in arguments[4:]:
            path = os.path.join(source, 'targets', 'boards', board + '.yaml')
            status |= subprocess.run([walk, '-d', folder, '-n', count, '-s', seed, *options,
                                      path]).returncode
    return status


if __name__ == '__main__':
    sys.exit(main())

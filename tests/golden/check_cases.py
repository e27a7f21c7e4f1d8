#!/usr/bin/env python3
"""Our engine on random models of every operator, against the independent oracle.

usage: check_cases.py SOURCE_ROOT RUN_CASES [COUNT SEED [VARIANTS]]
"""

import os
import subprocess
import sys
import tempfile


def main():
    single_op = os.path.join(sys.argv[1], 'suites', 'models', 'single_op.py')
    count, seed = sys.argv[3:5] if len(sys.argv) > 4 else ('8', '1')
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, single_op, folder, '--count', count, '--seed', seed],
                       check=True)
        return subprocess.run([sys.argv[2], folder] + sys.argv[5:6]).returncode


if __name__ == '__main__':
    sys.exit(main())

#!/usr/bin/env python3
"""Our engine on random one-operator models, against outputs of the independent oracle.

usage: check_cases.py SOURCE_ROOT RUN_CASES [COUNT [SEED]]

COUNT cases of every operator (40); the same seed gives the same cases. An operator may be refused
only when it stands in unsupported.txt.
"""

import collections
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def allowed():
    with open(os.path.join(HERE, 'unsupported.txt')) as f:
        return {line.strip() for line in f if line.strip() and not line.startswith('#')}


def main():
    root, run_cases = sys.argv[1:3]
    count, seed = (sys.argv[3:] + ['40', '1'][len(sys.argv) - 3:])[:2]
    maker = os.path.join(root, 'suites', 'models', 'single_op.py')
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, maker, folder, '--count', count, '--seed', seed],
                       check=True)
        run = subprocess.run([run_cases, folder], stdout=subprocess.PIPE, text=True)
        with open(os.path.join(folder, 'INDEX')) as f:
            operators = {line.split()[1] for line in f}
    refused, wrong = collections.Counter(), []
    printed = run.stdout
    if run.returncode not in (0, 1) or not re.search(r'^\d+ cases, ', printed, re.M):
        wrong.append('%s ended with status %d before its last line' % (run_cases, run.returncode))
    for line in printed.splitlines():
        name = re.match(r'(\w+)-\d+-\d+: ', line)
        if name and ': differs' in line or 'missing' in line:
            wrong.append(line)
        elif name:
            refused[name.group(1)] += 1
            if name.group(1) not in allowed():
                wrong.append(line)
    print('\n'.join(wrong[:20]))
    print(printed.splitlines()[-1] if printed else 'nothing ran')
    for name in sorted(allowed() & operators - set(refused)):
        print('%s is supported now: take it out of unsupported.txt' % name)
    return 1 if wrong or not printed else 0


if __name__ == '__main__':
    sys.exit(main())

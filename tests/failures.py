#!/usr/bin/env python3
"""What the failed tests of meson's last run in these build folders said, at the end of a long log
where it is looked for. usage: failures.py BUILD..."""
import json
import os
import sys

LINES = 40  # of each stream: the end tells why
PASSED = ("OK", "SKIP", "EXPECTEDFAIL")

for build in sys.argv[1:]:
    path = os.path.join(build, "meson-logs", "testlog.json")
    if not os.path.exists(path):
        continue
    with open(path, encoding="utf-8", errors="replace") as f:
        tests = [json.loads(line) for line in f]
    for test in (t for t in tests if t["result"] not in PASSED):
        print(f"== {os.path.basename(build)}: {test['name']}: {test['result']}"
              f" after {test['duration']:.0f} s")
        for stream in ("stdout", "stderr"):
            for line in test.get(stream, "").splitlines()[-LINES:]:
                print(f"   {line}")

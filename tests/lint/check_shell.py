#!/usr/bin/env python3
"""No shell and no open door: nothing in the program hands a string to a shell or listens beyond the
loopback. usage: check_shell.py SOURCE_ROOT"""
import os
import re
import sys

root = sys.argv[1]
# Calls that start a shell, or look up a program in a way that can.
SHELL = re.compile(r"\b(?:system|popen|wordexp|execlp?|execle)\s*\(")
SHELL_PATH = re.compile(r"\"(?:/bin/|/usr/bin/)?(?:sh|bash|dash)\"")
# Servers: files that may listen, and what they may listen on.
LISTEN = re.compile(r"\blisten\s*\([^,()]*,[^,()]*\)")
ANY_ADDRESS = re.compile(r"INADDR_ANY|in6addr_any|\"0\.0\.0\.0\"|AI_PASSIVE")
MAY_WRITE_SHELL = {"harness/cli/lab.c"}  # writes scripts for Slurm, runs none
failures = []


def without_comments_and_strings(text):
    """Comments blanked; strings only when they are not looked at."""
    return re.sub(r"/\*.*?\*/|//[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), text, flags=re.S)


def check(path, text):
    code = without_comments_and_strings(text)
    name = os.path.relpath(path, root)
    for number, line in enumerate(code.splitlines(), 1):
        bare = re.sub(r"\"(?:[^\"\\]|\\.)*\"", '""', line)
        if SHELL.search(bare):
            failures.append(f"{name}:{number}: starts a shell: {line.strip()}")
        if SHELL_PATH.search(line) and name not in MAY_WRITE_SHELL:
            failures.append(f"{name}:{number}: names a shell: {line.strip()}")
        if ANY_ADDRESS.search(line):
            failures.append(f"{name}:{number}: an address that everybody reaches: {line.strip()}")
        if LISTEN.search(bare) and not re.search(r"INADDR_LOOPBACK|AF_UNIX|127\.0\.0\.1", code):
            failures.append(f"{name}:{number}: listens, and not on the loopback: {line.strip()}")


def files():
    for top in ("harness", "agents", "targets"):
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in names:
                if name.endswith((".c", ".h")):
                    yield os.path.join(folder, name)


def main():
    count = 0
    for path in files():
        with open(path, encoding="utf-8") as f:
            check(path, f.read())
        count += 1
    own = len(failures)
    for bad in ('system("x");', 'FILE *p = popen(s, "r");', 'execl("/bin/sh", "sh", "-c", s, NULL);',
                'a = htonl(INADDR_ANY);', 'argv[0] = "sh";', 'listen(fd, 1);'):
        before = len(failures)
        check(os.path.join(root, "made-up.c"), bad)
        if len(failures) == before:
            print(f"the check does not see: {bad}")
            sys.exit(1)
    for line in failures[:own]:
        print(line)
    print(f"{count} files, {own} findings")
    sys.exit(own > 0 or count < 300)


main()

#!/usr/bin/env python3
"""The live view of many boards on a terminal with few rows, and plain lines where there is none.

usage: test_view.py TINYRIG SOURCE
"""
import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios

TINYRIG, SOURCE = sys.argv[1:3]
BOARDS, ROWS, COLUMNS = 14, 9, 70
folder = tempfile.mkdtemp(prefix="tinyrig-view-")


def fail(text):
    print(f"FAILED: {text}\nkept: {folder}")
    sys.exit(1)


def write(name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def command(database):
    return [TINYRIG, "run", suite, "--lab", inventory, "--virtual-jobs", "3", "--db",
            os.path.join(folder, database)]


def on_terminal():
    """All that was written to a terminal of so many rows."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    p = subprocess.Popen(command("tty.db"), env=env, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    out = b""
    try:
        while got := os.read(master, 65536):
            out += got
    except OSError:
        pass  # the last one has closed it
    os.close(master)
    return p.wait(), out.decode("utf-8", "replace").replace("\r\n", "\n")


def check_view(text):
    """Every picture fits the terminal, says what it leaves out, and is gone at the end."""
    pictures = re.split(r"\x1b\[(\d+)A\x1b\[J", text)
    heights = [int(n) for n in pictures[1::2]]
    if not heights or max(heights) >= ROWS:
        fail(f"pictures of {heights} lines on {ROWS} rows")
    if any(len(line) >= COLUMNS for line in text.split("\n") if line.startswith("  b")):
        fail("a line that wraps")
    seen = "\n".join(pictures[0::2])
    for wanted in (rf"\.\.\. and {BOARDS - ROWS + 3} more boards: \d+ at work, \d+ waiting, \d+ done",
                   rf"\d+ of {2 * BOARDS} cases, about .* left",
                   r"b\d\d +\d/2 +~\d+ s +sine\S+: \w+", r"b\d\d +0/2 +~\d+ s +waiting"):
        if not re.search(wanted, seen):
            fail(f"no '{wanted}' in {seen[-3000:]}")
    if "more boards" in pictures[-1]:
        fail(f"the view stays: {pictures[-1]}")


boards = "".join(f"  b{i:02d}: {{board: virt-posix}}\n" for i in range(BOARDS))
inventory = write("lab.yaml", f"virtual_boards: false\nboards:\n{boards}")
sine = os.path.join(SOURCE, "suites/models/sine")
models = "".join(f"  - name: sine{i}\n    path: {sine}/sine.tflite\n    inputs: {sine}/in*.bin\n"
                 f"    expected: {sine}/out*.bin\n" for i in range(2))
suite = write("s.yaml", f"name: view\nmodels:\n{models}boards: ['*']\nengines: [tiny]\n"
                        "measure: {inferences: 3, windows: 2}\n")
env = dict(os.environ, TMPDIR=folder, TINYRIG_LOCK_DIR=os.path.join(folder, "locks"),
           XDG_STATE_HOME=os.path.join(folder, "state"), TERM="xterm")
os.mkdir(env["TINYRIG_LOCK_DIR"])
status, shown = on_terminal()
if status not in (0, 3, 4):  # a busy host may find windows of itself too noisy
    fail(f"status {status}\n{shown[-2000:]}")
check_view(shown)
plain = subprocess.run(command("plain.db"), env=env, capture_output=True, text=True, check=False)
if "\x1b" in plain.stdout + plain.stderr or len(re.findall(r"(?m)^\[\d+/\d+\] ", plain.stderr)) < 2 * BOARDS:
    fail(f"not plain lines: {plain.stderr}")
shutil.rmtree(folder)
print(f"{BOARDS} boards on {ROWS} rows: each picture fits; plain lines where there is no terminal")

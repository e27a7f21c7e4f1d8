#!/usr/bin/env python3
"""A debug probe that fails at each step of a run: connect, reset, erase, write, verify, inject,
upload, link, and between the windows. Whatever happens, the failure is told with its step and the
next thing to try, the board measures its next case or goes into quarantine, in time, and no OpenOCD
and no QEMU stays behind.

usage: probe_faults.py BUILD SOURCE [all]
"""
import os
import re
import shutil
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import Lab  # noqa: E402

if shutil.which("openocd") is None or shutil.which("qemu-system-arm") is None:
    print("skipped: openocd or qemu-system-arm is not installed")
    sys.exit(77)
if not os.path.exists(os.path.join(sys.argv[1], "firmware", "microbit-rtt.elf")):
    print("skipped: no cross compiler")
    sys.exit(77)

lab = Lab(sys.argv[1], sys.argv[2], "probe")
DEADLINE_S = 180  # of a run of two cases with one failure in it; most take two, alone
BOARDS = {"m0": "virt-m0-rtt", "m4": "virt-m4-rtt", "ram": "virt-m4-inject"}

# name: (words of the fault behind its trigger, what is said about it)
SILENT = r"stopped answering|does not answer|Force reconnect|CTRL/STAT"
FAULTS = {
    "wait": ("swd-wait {at} count 100000", SILENT),
    "fault": ("swd-fault {at} count 100000", SILENT),
    "parity": ("swd-parity {at} count 100000", SILENT),
    "no ack": ("swd-no-ack {at} count 100000", SILENT),
    "dead": ("swd-dead {at}", SILENT),
    "power": ("power-off {at}", SILENT),
    "killed": ("debugger-dies {at}", r"OpenOCD killed by signal 9"),
}
PINS_TAKEN = "swd-off edge 3"
# board, step of the harness (None: behind the third edge of the marker), transfers after it, what
# the failure names
STEPS = [
    ("m4", "connect", 4, r"'init'"),
    ("m4", "reset", 6, r"reset: .*'reset halt'"),
    ("m4", "erase", 6, r"erase: .*flash erase_address"),
    ("m4", "write", 30, r"write: .*flash write_image"),
    ("m4", "verify", 6, r"verify: .*verify_image"),
    ("m4", "start", 4, r"reset: .*'reset run'"),
    ("m4", "upload", 6, r"model: .*'reset halt'"),
    ("m4", "write#2", 30, r"model: write: .*flash write_image"),
    ("m4", "link", 6, r"swd|agent"),
    ("m4", None, 0, r"swd|agent|window|OpenOCD"),
    ("m0", "connect", 4, r"'init'"),
    ("m0", "erase", 6, r"erase: .*flash erase_address"),
    ("m0", "write", 30, r"write: .*flash write_image"),
    ("m0", "write", 200, r"write: .*flash write_image"),
    ("m0", "verify", 6, r"verify: .*verify_image"),
    ("m0", "link", 6, r"swd|agent"),
    ("ram", "connect", 4, r"'init'"),
    ("ram", "inject", 6, r"into RAM at .*load_image"),
    ("ram", "start", 2, r"OpenOCD|agent|swd"),
    ("ram", "load", 6, r"model: load: .*load_image"),
    ("ram", "link", 6, r"swd|agent"),
]
CHEAP = {("m4", "connect", "dead"), ("m0", "write", "power"), ("m4", "erase", "fault"),
         ("m4", "verify", "wait"), ("ram", "inject", "killed"), ("m4", "link", "no ack"),
         ("m4", None, "killed"), ("ram", "load", "parity")}


def plan(board, step, at, fault, starts=1):
    """What goes wrong at the first `starts` starts of the board's supervisor."""
    words = FAULTS[fault][0]
    line = (words.format(at="edge 3") if step is None else
            f"@{step} {words.format(at=f'swd {at}')}")
    arm(board, (line + "\n") * starts)


def arm(board, lines):
    """For a board that nothing is known of."""
    lab.write(f"faults/{board}.faults", lines)
    for name in (f"faults/{board}.status", f"state/board-{board}.state"):
        if os.path.exists(lab.path(name)):
            os.unlink(lab.path(name))


def reports(board):
    with open(lab.path(f"faults/{board}.status"), encoding="utf-8") as file:
        return file.read()


def heals(board, step, at, named, fault):
    """Once: the ladder brings the board back and both cases are measured."""
    lab.note = f"{board}, {step or 'window'} + {at}, {fault}"
    database = lab.path("once.db")
    plan(board, step, at, fault)
    start = time.monotonic()
    code, out = lab.run("run", suite, "--lab", inventory, "--db", database, "-b", board)
    seconds = time.monotonic() - start
    lab.check(code == 0, f"status {code}\n{out}")
    lab.check(seconds < DEADLINE_S, f"took {seconds:.0f} s")
    lab.check(re.search(r"fired [1-9]", reports(board)), f"never came: {reports(board)}")
    rows = lab.query(database, "SELECT rung, worked, reason FROM v_recoveries ORDER BY time")
    lab.check(rows and rows[-1][1] == 1, f"nothing helped: {rows}\n{out}")
    for wanted in (named, FAULTS[fault][1]):
        lab.check(re.search(wanted, rows[0][2], re.S), f"no '{wanted}' in: {rows[0][2]}")
    lab.check(rows[0][2].rstrip().endswith(")"), f"nothing to try next: {rows[0][2]}")
    failed = lab.query(database, "SELECT failure_class, text FROM attempt WHERE status = 'error'")
    for kind, text in failed:
        lab.check(kind in ("lab", "timeout", "protocol"), f"class {kind}: {text}")
    lab.check_quiet([database])
    os.unlink(database)
    return seconds


def stays_away(board, step, at, named, fault):
    """Each time: quarantine with a reason, the other board is measured, and a check brings it back."""
    lab.note = f"{board}, {step} + {at}, {fault}, always"
    database = lab.path("always.db")
    other = "m0" if board != "m0" else "m4"
    plan(board, step, at, fault, starts=20)
    start = time.monotonic()
    code, out = lab.run("run", suite, "--lab", inventory, "--db", database, "-b", board, "-b",
                        other)
    lab.check(code == 4, f"status {code}\n{out}")
    lab.check(time.monotonic() - start < 2 * DEADLINE_S, "took too long")
    for wanted in ("did not come back", named, FAULTS[fault][1]):
        lab.check(re.search(wanted, out, re.S), f"no '{wanted}' in: {out}")
    kinds = lab.query(database, "SELECT DISTINCT failure_class FROM attempt a JOIN case_def c ON "
                                f"c.id = a.case_def WHERE c.board = '{board}'")
    lab.check(kinds == [("lab",)], f"classes {kinds}")
    with open(lab.path(f"state/board-{board}.state"), encoding="utf-8") as file:
        lab.check("state quarantined" in file.read(), "not in quarantine")
    lab.check_quiet([database])
    lab.write(f"faults/{board}.faults", "")
    code, out = lab.run("boards", "check", board, "--lab", inventory)
    lab.check(code == 0, f"does not pass its check afterwards: {out}")
    lab.check_quiet([database])
    os.unlink(database)


def only_under_reset():
    """A chip whose firmware took the debug pins: one rung brings it back, those before it cannot."""
    lab.note = "m4, pins taken"
    database = lab.path("pins.db")
    arm("m4", PINS_TAKEN + "\n")
    code, out = lab.run("run", suite, "--lab", inventory, "--db", database, "-b", "m4")
    lab.check(code == 0, f"status {code}\n{out}")
    rows = lab.query(database, "SELECT rung, worked FROM v_recoveries ORDER BY time")
    lab.check(rows == [("reopen", 0), ("probe-reset", 0), ("connect-under-reset", 1)], rows)
    lab.check_quiet([database])


suite = lab.suite(2)
inventory = lab.write("lab.yaml", "name: t\nvirtual_boards: false\nboards:\n" + "".join(
    f"  {name}: {{board: {kind}}}\n" for name, kind in BOARDS.items()))
everything = sys.argv[3:] == ["all"]
seen = []
for board, step, at, named in STEPS:
    for fault in FAULTS:
        if everything or (board, step, fault) in CHEAP and (board, step, at) != ("m0", "write", 30):
            seen.append(heals(board, step, at, named, fault))
ALWAYS = [("m4", "connect", 4, "'init'", "dead"), ("m0", "write", 30, "write: ", "power"),
          ("ram", "inject", 6, "into RAM at", "killed")]
for case in ALWAYS if everything else ALWAYS[:1]:
    stays_away(*case)
only_under_reset()
lab.close()
print(f"{len(seen)} failures healed, the slowest run took {max(seen):.1f} s; "
      f"{len(ALWAYS if everything else ALWAYS[:1])} boards that stayed broken were put away")

#!/usr/bin/env python3
"""Who holds a board, what a release would break, and boards that are not the ones they should be.

usage: leases.py BUILD SOURCE
"""
import os
import re
import shutil
import stat
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import Lab  # noqa: E402

lab = Lab(sys.argv[1], sys.argv[2], "leases")
if not lab.kinds():
    print("skipped: no cross-compiled firmware in this build")
    sys.exit(77)
kind = lab.kinds()[0]
LONG = 30  # cases


def boards(*args):
    return lab.run("boards", *args, "--lab", lab.path("lab.yaml"))


def wait_line(process, text):
    seen = ""
    for line in process.stdout:
        seen += line
        if text in line:
            return seen
    lab.fail(f"'{text}' never said:\n{seen}")
    return seen


def a_release_says_what_it_breaks_and_ends_one_worker():
    """Two boards measure a suite much longer than what is done meanwhile; one is taken away."""
    suite = lab.suite(LONG, name="long", measure="{inferences: 40, windows: 20}")
    database = lab.path("r.db")
    run = lab.start("run", suite, "--lab", lab.path("lab.yaml"), "--db", database, "--no-retries")
    wait_line(run, "/one/")
    code, out = boards("list")
    lab.check(code == 0 and re.search(r"^one .* in use by \S+ \(pid \d+ on \S+, since .*, long\)",
                                      out, re.M), out)
    with open(lab.path("locks/one.lock")) as f:
        record = f.read()
    lab.check(re.match(r"\d+ \S+ \S+ \d+ long\n$", record), record)
    code, out = lab.run("run", suite, "--lab", lab.path("lab.yaml"), "--db", lab.path("loser.db"),
                        "-b", "one")
    lab.check(code == 3 and "in use by" in out and "for" not in out.split("in use by")[0], out)
    with open(lab.path("locks/one.lock")) as f:
        lab.check(f.read() == record, "a loser changed the holder's record")
    code, out = boards("release", "one")
    lab.check(code == 1 and run.poll() is None, f"released without --force: {code}\n{out}")
    for word in ("is held by", "process " + record.split()[0], "for 'long'", "lab fault",
                 "resume --lab-faults", "Nothing was done; --force does it."):
        lab.check(word in out, f"'{word}' is not said:\n{out}")
    code, out = boards("release", "one", "--force")
    lab.check(code == 0 and "one is free." in out, f"{code}\n{out}")
    rest = run.stdout.read()
    lab.check(run.wait(300) == 4, f"the run: {run.returncode}\n{rest}")
    status = dict(lab.query(database, "SELECT c.board || ' ' || a.status, count(*) FROM attempt a JOIN"
                                      " case_def c ON c.id = a.case_def GROUP BY 1"))
    lab.check(status.get("two passed") == LONG, f"the other board was touched: {status}")
    # Cancelled unless it was told between two cases.
    lab.check(status.get("one error", 0) > 0 and status.get("one cancelled", 0) <= 1, status)
    lab.check(sum(status.values()) == 2 * LONG, status)
    code, out = lab.run("resume", "--lab-faults", "--lab", lab.path("lab.yaml"), "--db", database,
                        lab.query(database, "SELECT run FROM v_runs")[0][0])
    lab.check(code == 0, f"resume: {code}\n{out}")
    code, out = boards("list")
    lab.check(re.search(r"^one .*\bpassed 20\S+ +free$", out, re.M), out)


def a_stranger_is_left_alone():
    """A lock that another program holds, with the record of a process that is no tinyrig."""
    import fcntl
    with open(lab.path("locks/one.lock"), "r+") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        f.truncate(0)
        host = os.uname().nodename
        f.write(f"{os.getpid()} me {host} {time.time_ns()} bench work\n")
        f.flush()
        code, out = boards("release", "one", "--force")
        lab.check(code == 3 and "is not a tinyrig; it is left alone" in out, f"{code}\n{out}")
        db, suite = lab.path("strange.db"), lab.suite(4, name="strange")
        code, out = lab.run("run", suite, "--lab", lab.path("lab.yaml"), "--db", db, "-b", "one",
                            "--wait", "4s")
        lab.check(code == 3 and "in use by me" in out, f"{code}\n{out}")
        waits = lab.query(db, "SELECT stage, host_s >= 4 FROM v_attempts ORDER BY time")
        lab.check(waits == [("admission", 1)] + [("admission", 0)] * 3, f"not waited for once: {waits}")
        lab.check(not lab.query(db, "SELECT * FROM v_flakes"), "the board's fault, though others use it")
        f.seek(0)
        f.truncate(0)
        f.write(f"1 me elsewhere {time.time_ns()} bench work\n")
        f.flush()
        code, out = boards("release", "one", "--force")
        lab.check(code == 3 and "runs on host elsewhere" in out, f"{code}\n{out}")
    code, out = boards("release", "one")
    lab.check(code == 0 and "one is free." in out, out)


def twins_with_swapped_cables_are_told_apart():
    os.mkdir(lab.path("kinds"))
    for name, uid in (("left", "11" * 12), ("right", "22" * 12)):
        lab.write(f"kinds/twin-{name}.yaml",
                  f"name: twin-{name}\ncpu: host\nagent: posix\nclock: 1GHz\nram: 64MiB\n"
                  f"timebase: ns\nvirtual: {{kind: posix, options: [--uid, \"{uid}\"]}}\n")

    def inventory(left, right):
        return lab.write("twins.yaml", "name: twins\nvirtual_boards: false\nboards:\n"
                                       f"  left: {{board: twin-left, uid: \"{left}\"}}\n"
                                       f"  right: {{board: twin-right, uid: \"{right}\"}}\n")
    options = ["--board-dir", lab.path("kinds")]
    code, out = lab.run("boards", "check", *options, "--lab", inventory("11" * 12, "22" * 12))
    lab.check(code == 0, f"twins in place: {code}\n{out}")
    suite, swapped = lab.suite(1, name="swapped"), inventory("22" * 12, "11" * 12)
    code, out = lab.run("run", suite, *options, "--lab", swapped, "--db", lab.path("swapped.db"))
    lab.check(code == 3 and "this is another board" in out, f"swapped: {code}\n{out}")
    lab.check("cables may be swapped" in out, out)
    lab.check(lab.query(lab.path("swapped.db"), "SELECT count(*) FROM v_metrics")[0][0] == 0,
              "a number was stored")
    classes = lab.query(lab.path("swapped.db"), "SELECT DISTINCT failure_class FROM attempt"
                                                " WHERE status = 'error'")
    lab.check(classes == [("lab",)], f"no lab fault: {classes}")


def other_firmware_is_a_lab_fault():
    """The emulator is given an image that differs from the one the lab means in its build id."""
    with open(os.path.join(lab.build, "agents/ports/posix/tinyrig-agent-posix"), "rb") as f:
        image = bytearray(f.read())
    note = image.find(b"\x03\x00\x00\x00GNU\x00")  # the build id that the agent reports of itself
    image[note + 8] ^= 0xFF
    other = lab.path("other-agent")
    with open(other, "wb") as f:
        f.write(image)
    os.chmod(other, 0o700)
    inventory = lab.write("fw.yaml", "name: fw\nvirtual_boards: false\nboards:\n"
                                     "  host: {board: virt-posix}\n")
    # Each time that it is started or switched on, for as long as the ladder has rungs.
    lab.write("faults/host.faults", 60 * f"firmware file {other};power-off at 0 to-board ms 50\n")
    code, out = lab.run("boards", "check", "host", "--lab", inventory)
    os.unlink(lab.path("faults/host.faults"))
    if "firmware" not in out and code == 0:
        # The ladder flashed it anew and the right one answered: it never counted.
        lab.check("reflash helped" in out, out)
    lab.check("build" in out or "reflash helped" in out, f"nobody noticed: {code}\n{out}")


def another_probe_is_a_lab_fault():
    """The lab file means a probe of another serial number than the one that answers."""
    if not os.path.exists(os.path.join(lab.build, "firmware")) or not shutil.which("openocd"):
        print("no OpenOCD: probes not tried")
        return
    inventory = lab.write("probe.yaml", "name: p\nvirtual_boards: false\nboards:\n"
                                        "  mine: {board: virt-m0-swd}\n"
                                        "  other: {board: virt-m0-swd,"
                                        " openocd: {serial: 066FFF000000000000000001}}\n")
    code, out = lab.run("boards", "check", "mine", "--lab", inventory)
    if "firmware" in out and "not there" in out:
        print("no firmware for virt-m0-swd: probes not tried")
        return
    lab.check(code == 0, f"its own probe: {code}\n{out}")
    suite = lab.suite(1, name="probes")
    code, out = lab.run("run", suite, "--lab", inventory, "--db", lab.path("probe.db"), "-b",
                        "other", "--no-retries")
    lab.check(code == 3, f"another probe: {code}\n{out}")
    lab.check(lab.query(lab.path("probe.db"), "SELECT count(*) FROM v_metrics")[0][0] == 0,
              "a number was stored")


def suites_with_swapped_meters_do_not_wait_for_each_other():
    """Each board has the meter that the other one's suite names. There are none, but leases come first."""
    inventory = lab.write("meters.yaml", "name: m\nvirtual_boards: false\nmeters:\n" + "".join(
        f"  m{n}: {{driver: ppk2, where: {lab.path('no-meter-' + n)}}}\n" for n in "ab") + "boards:\n"
        f"  one: {{board: {kind}, meter: ma}}\n  two: {{board: {kind}, meter: mb}}\n")
    runs = []
    for board, meter in (("one", "mb"), ("two", "ma")):
        suite = lab.suite(1, name="meters-" + board, boards=f"[{board}]", more=f"energy: {{meter: {meter}}}\n")
        runs.append(lab.start("run", suite, "--lab", inventory, "--db", lab.path(f"meter-{board}.db"),
                              "--wait", "2min", "--no-retries"))
    said = [run.communicate(timeout=300)[0] for run in runs]
    for out in said:
        lab.check("looking for the port" in out and "in use" not in out, said)


def files_are_not_for_everyone():
    """Whatever the umask; locks are for all who share the boards."""
    for folder, _, names in os.walk(lab.folder):
        for name in names:
            path = os.path.join(folder, name)
            if name.endswith((".db", ".db-wal", ".db-shm", ".state", ".session", ".state-lock")):
                lab.check(stat.S_IMODE(os.stat(path).st_mode) & 0o7 == 0, f"{path} is for everyone")


def main():
    old = os.umask(0)
    lab.write("lab.yaml", f"name: t\nvirtual_boards: false\nboards:\n  one: {{board: {kind}}}\n"
                          f"  two: {{board: {kind}}}\n")
    a_release_says_what_it_breaks_and_ends_one_worker()
    a_stranger_is_left_alone()
    twins_with_swapped_cables_are_told_apart()
    other_firmware_is_a_lab_fault()
    another_probe_is_a_lab_fault()
    suites_with_swapped_meters_do_not_wait_for_each_other()
    files_are_not_for_everyone()
    os.umask(old)
    lab.check_quiet([lab.path("r.db")])
    lab.close()
    print("leases: one taken by force, a stranger left alone; other boards, firmware and probes told")


main()

#!/usr/bin/env python3
"""Seeded faults on virtual boards, run after run; after each what must always hold is checked.

usage: soak.py BUILD SOURCE [--minutes M] [--rounds N] [--boards N] [--seed S] [--first N]

Each round arms faults on a third of the boards and strikes once: it kills a process, interrupts the
run, fills the disk, locks the database, turns the clock. The run ends or is resumed. Then: no figure
differs from an undisturbed run, every case passed once, nothing lives on, no lease is held, the
database is sound, boards without faults noticed nothing. A failure prints what replays its round:
what is done is drawn from seed and number alone; when the host does it is up to the host.
"""
import argparse
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import Lab, Shim, kill, parent, wrong_firmware  # noqa: E402

NOISY = ("energy", "current", "charge", "battery", "power", "meter.samples")  # drawn anew each time
ENERGY_SHARE = 0.02  # between two runs of an emulated board; its own uncertainty is larger
STRIKES = ("none", "kill worker", "kill tinyrig-vboard", "kill qemu", "kill openocd",
           "kill tinyrig-vmeter", "kill any", "kill harness", "interrupt", "interrupt twice",
           "disk full", "database locked", "clock")


def line_fault(rng):
    way = rng.choice(["to-board", "from-board"])
    kind = rng.choice(["drop", "garble", "duplicate", "insert"])
    if rng.random() < 0.6:
        return f"{kind} {way} at {rng.randrange(3000)} count {rng.randrange(1, 60)}"
    return f"{kind} {way} prob {rng.choice([0.0005, 0.002, 0.005])}"


def board_fault(rng, bad_firmware):
    at = f"{rng.choice(['to-board', 'from-board'])} at {rng.randrange(4000)}"
    firmware = f"firmware file {bad_firmware};power-off {at} ms 50" if bad_firmware else "echo"
    return rng.choice([
        f"stall {at} ms {rng.choice([50, 500, 3000])}", f"replay from-board at {rng.randrange(3000)}",
        f"mute from-board at {rng.randrange(3000)} count 3000", f"reset {at}", f"hang {at}",
        f"hang edge {rng.randrange(1, 12)}", f"reset edge {rng.randrange(1, 12)}",
        f"unplug {at} ms {rng.choice([20, 300])}", f"power-off {at} ms 100", f"die {at}",
        "reboot-loop ms 40 count 5", "echo", firmware, line_fault(rng), line_fault(rng),
        line_fault(rng)])


class Soak:
    def __init__(self, arguments):
        self.a = arguments
        self.lab = Lab(arguments.build, arguments.source, "soak")
        self.shim = Shim(self.lab)
        self.lab.env["TINYRIG_FAULT_ANSWER_MS"] = "1500"
        self.survived = {}
        self.rungs = 0
        self.cases = 0
        self.make_lab()

    def make_lab(self):
        lab = self.lab
        kinds = lab.kinds()
        if not kinds:
            print("skipped: no cross-compiled firmware in this build")
            sys.exit(77)
        behind_probe = [k for k in ("virt-m4-swd", "virt-m0-rtt") if lab.has_firmware(k) and
                        shutil.which("openocd")]
        pattern = (kinds[:2] * 2 + behind_probe[:1] + kinds + behind_probe[1:])
        self.boards = {f"b{i:02d}": pattern[i % len(pattern)] for i in range(self.a.boards)}
        self.inventory = lab.write("lab.yaml", "name: soak\nvirtual_boards: false\nboards:\n" + "".join(
            f"  {b}: {{board: {kind}}}\n" for b, kind in self.boards.items()))
        self.suite = lab.suite(2, name="soak", more="energy: {profile: guarded, voltage: 3.0V, "
                               "windows: 2, window_time: 40ms, idle_time: 20ms}\n")
        self.bad = {kind: wrong_firmware(lab, kind) for kind in set(self.boards.values())
                    if "swd" not in kind and "rtt" not in kind}

    def command(self, verb, *more):
        return [verb, *more, "--lab", self.inventory, "--virtual-jobs", str(self.a.jobs)]

    def count(self, name, n=1):
        if n:
            self.survived[name] = self.survived.get(name, 0) + n

    # ---- the faults of a round ----

    def arm(self, rng):
        """Faults for a third of the boards; the others must not notice."""
        struck = rng.sample(sorted(self.boards), max(1, len(self.boards) // 3))
        for board in sorted(struck):
            lines = []
            for _ in range(rng.randrange(1, 3)):
                bad = self.bad.get(self.boards[board])
                lines.append(";".join(board_fault(rng, bad) for _ in range(rng.randrange(1, 3))))
            self.lab.write(f"faults/{board}.faults", "\n".join(lines) + "\n")
        return struck

    def disarm(self):
        """Forget what was not armed, and count what fired."""
        for name in os.listdir(self.lab.path("faults")):
            path = self.lab.path("faults/" + name)
            if name.endswith(".status"):
                with open(path) as f:
                    for kind, fired in re.findall(r"; \d+ ([a-z-]+) fired (\d+)", f.read()):
                        self.count(kind, int(fired) > 0)
            os.unlink(path)

    def strike(self, rng, p, database):
        """One thing that happens to the host; True when it did."""
        what = rng.choice(STRIKES)
        time.sleep(rng.uniform(0, 1) ** 2 * self.a.strike_s)
        if what == "none" or p.poll() is not None:
            return "none"
        if what.startswith("kill "):
            if not self.kill(rng, p, what[5:]):
                return "none"
        elif what.startswith("interrupt"):
            for _ in range(2 if what.endswith("twice") else 1):
                p.send_signal(signal.SIGINT)
                time.sleep(0.3)
        elif what == "disk full":
            self.shim.full(True)
        elif what == "database locked":
            self.lock(database, rng.choice([1, 4, 14]))
        else:
            self.shim.jump(rng.choice([-86400, -3600, -1, 1, 7200, 31536000]))
        self.count(what)
        return what

    def kill(self, rng, p, whom):
        if whom == "harness":
            return kill(p.pid)
        for _ in range(40):
            found = [pid for pid in self.lab.ours() if pid != p.pid and
                     (whom == "any" or whom == "worker" and parent(pid) == p.pid or
                      whom in self.lab.name_of(pid))]
            if found:
                return kill(rng.choice(sorted(found)))
            time.sleep(0.05)
        return False

    def lock(self, database, seconds):
        for _ in range(100):
            if os.path.exists(database) and self.runs(database):
                break
            time.sleep(0.05)
        db = sqlite3.connect(database, timeout=5, isolation_level=None)
        try:
            db.execute("BEGIN IMMEDIATE")
            time.sleep(seconds)
            db.execute("ROLLBACK")
        except sqlite3.OperationalError:
            pass
        db.close()

    # ---- what must hold ----

    def figures(self, database):
        return [f for f in self.lab.figures(database) if not f[1].startswith(NOISY)]

    def energies(self, database):
        """Of each case: its figure, and where the truth lies by what it says of its uncertainty."""
        return {key: rest for key, *rest in self.lab.query(
            database, "SELECT case_key, value, low, high FROM v_metrics WHERE metric = 'energy.net'")}

    def runs(self, database):
        try:
            return self.lab.query(database, "SELECT count(*) FROM v_runs")[0][0]
        except sqlite3.OperationalError:
            return 0

    def check_unharmed(self, database, struck, what, out):
        """Boards without faults have no errors; a kill may have hit one of them."""
        rows = self.lab.query(
            database, "SELECT DISTINCT board FROM v_attempts WHERE status = 'error' OR attempt > 0")
        harmed = [board for board, in rows if board not in struck]
        may = 1 if what.startswith("kill ") else 0
        self.lab.check(len(harmed) <= may, f"boards {harmed} had no fault (struck: {what})\n{out}")

    def check_all(self, database, out):
        lab = self.lab
        wrong = set(self.figures(database)) ^ set(self.reference)
        lab.check(not wrong, f"figures differ from an undisturbed run: {sorted(wrong)[:8]}")
        energies = self.energies(database)
        lab.check(energies.keys() == self.reference_energies.keys(), "energy figures are missing")
        for key, (value, low, high) in energies.items():
            wanted = self.reference_energies[key][0]
            lab.check(low <= wanted <= high and abs(value - wanted) <= ENERGY_SHARE * wanted,
                      f"{key}: {value} ({low} to {high}) nJ instead of {wanted}")
        counted = lab.query(database, "SELECT case_key, sum(status = 'passed') FROM v_attempts"
                                      " GROUP BY 1")
        lab.check(len(counted) == self.expected_cases and all(n == 1 for _, n in counted),
                  f"not measured once: {[c for c in counted if c[1] != 1]}\n{out}")
        lab.check(self.runs(database) == 1, "more than one run")
        self.rungs += lab.query(database, "SELECT count(*) FROM v_recoveries WHERE worked")[0][0]
        self.cases += lab.query(database, "SELECT count(*) FROM v_attempts")[0][0]

    def forget(self, database):
        for suffix in ("", "-wal", "-shm", "-traces"):
            if os.path.exists(database + suffix):
                os.unlink(database + suffix)

    def wait(self, p, what):
        try:
            return p.communicate(timeout=self.a.patience)[0]
        except subprocess.TimeoutExpired:
            self.lab.fail(f"a run that does not end ({what}); it still runs")
        return ""

    def settle(self, database):
        """After the disturbed run: the host is well again, boards are looked at by a person."""
        self.shim.full(False)
        self.shim.jump(0)
        self.lab.check_quiet([database])
        self.disarm()
        for board in self.lab.quarantined():
            self.count("quarantine")
            self.lab.run("boards", "clear", board, "--lab", self.inventory)

    def round(self, number):
        rng = random.Random(f"{self.a.seed}-{number}")
        lab = self.lab
        lab.note = f"(replay: --seed {self.a.seed} --first {number} --rounds 1)"
        database = lab.path("round.db")
        lab.env["TINYRIG_FAULT_SEED"] = str(rng.randrange(1, 1 << 30))
        struck = self.arm(rng)
        began = time.monotonic()
        p = lab.start(*self.command("run", self.suite), "--db", database)
        what = self.strike(rng, p, database)
        out = self.wait(p, what)
        self.settle(database)
        lab.check(p.returncode in (0, 3, 4, 130, -9), f"status {p.returncode} after {what}\n{out}")
        if self.runs(database):
            self.check_unharmed(database, struck, what, out)
            rest = self.command("resume", "--lab-faults", "--db", database, "-q",
                                lab.query(database, "SELECT run FROM v_runs")[0][0])
        else:
            rest = self.command("run", self.suite, "--db", database, "-q")
        code, more = lab.run(*rest, timeout=self.a.patience)
        lab.check(code == 0, f"after {what}: the rest of the run: {code}\n{out}\n---\n{more}")
        lab.check_quiet([database])
        self.disarm()
        self.check_all(database, out + more)
        self.forget(database)
        print(f"round {number}: {what}; {time.monotonic() - began:.0f} s, {self.total()} faults so far",
              flush=True)

    def total(self):
        return sum(self.survived.values())

    def undisturbed(self):
        database = self.lab.path("reference.db")
        began = time.monotonic()
        code, out = self.lab.run(*self.command("run", self.suite), "--db", database, "-q",
                                 timeout=self.a.patience)
        self.lab.check(code == 0, f"undisturbed run: {code}\n{out}")
        self.a.strike_s = time.monotonic() - began
        self.reference = self.figures(database)
        self.reference_energies = self.energies(database)
        self.lab.check(self.reference and self.reference_energies, "no exact figures were stored")
        self.expected_cases = self.lab.query(database, "SELECT count(*) FROM v_cases")[0][0]

    def run(self):
        self.undisturbed()
        print(f"soak: seed {self.a.seed}, {len(self.boards)} boards, {self.expected_cases} cases, "
              f"undisturbed {self.a.strike_s:.0f} s", flush=True)
        end = time.monotonic() + 60 * self.a.minutes
        number = self.a.first
        while number < self.a.first + self.a.rounds and (number == self.a.first or
                                                         time.monotonic() < end):
            self.round(number)
            number += 1
        self.lab.close()
        detail = ", ".join(f"{n} {k}" for k, n in sorted(self.survived.items()))
        print(f"soak: {number - self.a.first} rounds on {len(self.boards)} boards, seed {self.a.seed}: "
              f"{self.cases} attempts, {self.rungs} rungs that helped, "
              f"{self.total()} faults survived ({detail})")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("source")
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=1 << 30)
    parser.add_argument("--boards", type=int, default=16)
    parser.add_argument("--jobs", type=int, default=6, help="virtual boards at once")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    parser.add_argument("--first", type=int, default=0, help="number of the first round")
    parser.add_argument("--patience", type=float, default=1800, help="seconds a run may take")
    Soak(parser.parse_args()).run()


main()

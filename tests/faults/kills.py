#!/usr/bin/env python3
"""Kill -9 at random moments of runs, of flashing, and of merging databases, many times over.

usage: kills.py BUILD SOURCE [--kills N] [--seed S]

Each turn starts one of the three, or goes on with what the last kill left of it, and kills the
harness or one of its processes. After each kill: what the harness had said was done is in the
database, nothing is there twice, no lease is held, no process lives on, the database is sound. What
went through to its end holds the figures of an undisturbed run. The moments are drawn from the seed
as shares of the time an undisturbed one takes here; where they fall is up to the host.
"""
import argparse
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import Lab, kill  # noqa: E402


class Job:
    """Something that is started until it went through; then it is checked and begins anew."""

    def __init__(self, lab, name):
        self.lab, self.name = lab, name
        self.database = lab.path(name + ".db")
        self.acknowledged = set()
        self.kills = self.completed = 0

    def begin(self):
        began = time.monotonic()
        code, out = self.lab.run(*self.command(), timeout=300)
        self.lab.check(code == 0, f"undisturbed {self.name}: {code}\n{out}")
        self.seconds = time.monotonic() - began
        self.reference = self.figures()
        self.lab.check(self.reference, f"{self.name}: no figures")
        self.forget()

    def forget(self):
        self.acknowledged = set()
        for suffix in ("", "-wal", "-shm", "-traces"):
            if os.path.exists(self.database + suffix):
                os.unlink(self.database + suffix)

    def count(self, sql):
        try:
            return self.lab.query(self.database, sql)
        except sqlite3.OperationalError:  # killed before there were tables
            return []

    def finish(self):
        """It went through: everything is there, once."""
        self.lab.check(self.figures() == self.reference, f"{self.name}: figures differ")
        self.completed += 1
        self.forget()

    def turn(self, rng):
        """Start, kill, look. True when something was killed."""
        said = self.lab.path(self.name + ".said")
        with open(said, "w") as f:
            p = subprocess.Popen([self.lab.tinyrig, *self.command()], env=self.lab.env, stdout=f,
                                 stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        time.sleep(rng.uniform(0, 1.1) * self.seconds)
        victim = p.pid
        if rng.random() < 0.3:
            victim = rng.choice(sorted(set(self.lab.ours()) | {p.pid}))
        killed = p.poll() is None and kill(victim)
        try:
            code = p.wait(timeout=300)
        except subprocess.TimeoutExpired:
            self.lab.fail(f"{self.name}: it does not end")
        with open(said) as f:
            text = f.read()
        self.lab.check(code in (0, 3, 4, -9), f"{self.name}: status {code}\n{text}")
        self.kills += killed
        self.lab.check_quiet([self.database])
        self.look(text)
        if code == 0:
            self.finish()
        return killed


class Run(Job):
    """A run on one board, and its resumption."""

    def __init__(self, lab, name, kind, models):
        super().__init__(lab, name)
        self.inventory = lab.write(name + "-lab.yaml", "name: kills\nvirtual_boards: false\n"
                                   f"boards:\n  board: {{board: {kind}}}\n")
        self.suite = lab.suite(models, name=name)

    def command(self):
        begun = os.path.exists(self.database) and self.count("SELECT run FROM v_runs")
        what = ["resume", "--lab-faults", begun[0][0]] if begun else ["run", self.suite]
        return [*what, "--lab", self.inventory, "--db", self.database]

    def figures(self):
        return self.lab.figures(self.database)

    def look(self, text):
        self.acknowledged |= set(re.findall(r"\] passed (\S+)", text))
        rows = dict(self.count("SELECT case_key, sum(status = 'passed') FROM v_attempts GROUP BY 1"))
        lost = [key for key in self.acknowledged if not rows.get(key)]
        self.lab.check(not lost, f"{self.name}: lost: {lost}\n{text}")
        twice = [key for key, n in rows.items() if (n or 0) > 1]
        self.lab.check(not twice, f"{self.name}: measured twice: {twice}\n{text}")


class Merge(Job):
    """A merge of databases of which each holds a run of the same suite."""

    def __init__(self, lab, name, sources):
        super().__init__(lab, name)
        self.sources = sources

    def command(self):
        return ["merge", *self.sources, "--db", self.database]

    def figures(self):
        db = self.database
        return (sorted(self.lab.query(db, "SELECT run, case_key, metric, value FROM v_metrics")),
                sorted(self.lab.query(db, "SELECT run, case_key, attempt, status FROM v_attempts")),
                sorted(self.lab.query(db, "SELECT run, case_key, window, value FROM v_windows")),
                sorted(self.lab.query(db, "SELECT run, finished FROM v_runs")))

    def look(self, text):
        """A database is in whole or not at all; those named as merged are in."""
        merged = {run for run, in self.count("SELECT run FROM v_runs")}
        whole = {run: n for run, n in self.count("SELECT run, count(*) FROM v_metrics GROUP BY 1")}
        for run in merged:
            wanted = sum(1 for row in self.reference[0] if row[0] == run)
            self.lab.check(whole.get(run) == wanted, f"merge: run {run} is there by half\n{text}")
        self.lab.check(self.acknowledged <= merged, "merge: a merged run is lost")
        self.acknowledged |= merged


def make_sources(lab):
    """Databases to merge: runs on one board each."""
    sources = []
    suite = lab.suite(2, name="merged")
    for i, kind in enumerate(lab.kinds()):
        inventory = lab.write(f"merge-lab{i}.yaml", "name: kills\nvirtual_boards: false\n"
                              f"boards:\n  board{i}: {{board: {kind}}}\n")
        sources.append(lab.path(f"source{i}.db"))
        code, out = lab.run("run", suite, "--lab", inventory, "--db", sources[-1], "-q")
        lab.check(code == 0, f"source {i}: {code}\n{out}")
    return sources


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("source")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    a = parser.parse_args()
    rng = random.Random(a.seed)
    lab = Lab(a.build, a.source, "kills")
    lab.note = f"(--seed {a.seed})"
    if not lab.kinds():
        print("skipped: no cross-compiled firmware in this build")
        sys.exit(77)
    jobs = [Run(lab, "run", lab.kinds()[0], 3), Merge(lab, "merge", make_sources(lab))]
    if lab.has_firmware("virt-m0-swd") and shutil.which("openocd"):
        jobs.append(Run(lab, "flash", "virt-m0-swd", 1))
    for job in jobs:
        job.begin()
    began, shown = time.monotonic(), 0
    while sum(job.kills for job in jobs) < a.kills:
        rng.choice(jobs).turn(rng)
        kills = sum(job.kills for job in jobs)
        if kills >= shown + 50:
            shown = kills
            print(f"{kills} kills in {time.monotonic() - began:.0f} s", flush=True)
    detail = ", ".join(f"{job.kills} of {job.name} ({job.completed} went through)" for job in jobs)
    print(f"{a.kills} kill -9, seed {a.seed}: {detail}; 0 acknowledged records lost, 0 doubled, "
          "0 leases stuck, 0 orphans")
    lab.close()


main()

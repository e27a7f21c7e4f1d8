#!/usr/bin/env python3
"""Kill `tinyrig run` at random moments, resume it, and look for what must never happen.

usage: kill_resume.py BUILD SOURCE [ROUNDS [SEED]]

After each kill -9: the database is sound, no emulator or supervisor of ours lives, no lease is
held. After the last resume: no scratch folder is left but that of another run that still lives; every case has exactly one ended attempt that counts, none is missing,
and the exact figures are those of an undisturbed run. Prints its seed; give it again to replay.
"""
import fcntl
import os
import random
import signal
import sys
import time

from killing import Bench


ALIVE = "tinyrig-run-aLive1"


def scratch_folders(bench):
    return [name for name in os.listdir(bench.folder) if name.startswith("tinyrig-run-")]


def another_run(bench, name):
    """The scratch folder of a run beside ours, which goes on while the file is open."""
    os.mkdir(os.path.join(bench.folder, name), 0o700)
    lock = open(os.path.join(bench.folder, name, "lock"), "w", encoding="ascii")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def main():
    build, source = sys.argv[1], sys.argv[2]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 12
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.randrange(1 << 30)
    rng = random.Random(seed)
    bench = Bench(build, source, models=4, boards=2)
    bench.about = f"seed {seed}"
    began = time.monotonic()
    figures = bench.reference()
    whole = time.monotonic() - began
    others = another_run(bench, ALIVE)
    another_run(bench, "tinyrig-run-dEad01").close()
    os.mkdir(os.path.join(bench.folder, "tinyrig-run-hAlf01"))  # killed before it had its lock
    kills = 0
    for _ in range(rounds):
        p = bench.start(*(["resume"] if bench.begun() else ["run", bench.suite]))
        time.sleep(rng.uniform(0.0, whole / 2))  # so that most of them strike a run under way
        if p.poll() is None:
            p.send_signal(signal.SIGKILL)
            kills += 1
        p.communicate()
        bench.check_after_kill()
    bench.finish(figures)
    if scratch_folders(bench) != [ALIVE]:
        bench.fail(f"scratch folders: {scratch_folders(bench)}")
    others.close()
    _, errors = bench.start("run", bench.suite, database=bench.database + "2").communicate()
    if scratch_folders(bench):
        bench.fail(f"scratch folders: {scratch_folders(bench)}; {errors}")
    print(f"{kills} kills of {rounds} rounds, seed {seed}: nothing lost, doubled or left behind")
    bench.close()


main()

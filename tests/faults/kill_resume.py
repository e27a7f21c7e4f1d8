#!/usr/bin/env python3
"""Kill `tinyrig run` at random moments, resume it, and look for what must never happen.

usage: kill_resume.py BUILD SOURCE [ROUNDS [SEED]]

After each kill -9: the database is sound, no emulator or supervisor of ours lives, no lease is
held. After the last resume: every case has exactly one ended attempt that counts, none is missing,
and the exact figures are those of an undisturbed run. Prints its seed; give it again to replay.
"""
import random
import signal
import sys
import time

from killing import Bench


def main():
    build, source = sys.argv[1], sys.argv[2]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 12
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.randrange(1 << 30)
    rng = random.Random(seed)
    bench = Bench(build, source, models=4, boards=2)
    bench.about = f"seed {seed}"
    figures = bench.reference()
    kills = 0
    for _ in range(rounds):
        p = bench.start(*(["resume"] if bench.begun() else ["run", bench.suite]))
        time.sleep(rng.uniform(0.0, 0.8))
        if p.poll() is None:
            p.send_signal(signal.SIGKILL)
            kills += 1
        p.communicate()
        bench.check_after_kill()
    bench.finish(figures)
    print(f"{kills} kills of {rounds} rounds, seed {seed}: nothing lost, doubled or left behind")
    bench.close()


main()

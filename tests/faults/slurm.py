#!/usr/bin/env python3
"""A Slurm cluster on loopback with a virtual board per node, made by `tinyrig lab slurm`.

usage: slurm.py BUILD SOURCE [NODES [rough]]

Proves: a board has one job at a time; a board out of service drains its node and comes back, one
that fails its check is drained and its job runs when it is well again; a lab fault (75) requeues a
job that then goes on where it was; the merged database has the figures of a local run, to the bit,
and merging again changes nothing; shares in array tasks make the same. `rough` also kills slurmd,
slurmctld and two jobs on the way. Needs Slurm and munge (./bootstrap slurm-tools) and root; skipped
without.
"""
import os
import re
import shutil
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import Lab, kill  # noqa: E402

nodes = int(sys.argv[3]) if len(sys.argv) > 3 else 3
rough = "rough" in sys.argv[4:]
os.environ["PATH"] += ":/usr/sbin:/sbin"
missing = [p for p in ("munged", "slurmctld", "slurmd", "sbatch") if shutil.which(p) is None]
if missing or os.getuid() != 0:
    print(f"skipped: no {', '.join(missing) or 'root'} (./bootstrap slurm-tools)")
    sys.exit(77)

lab = Lab(sys.argv[1], sys.argv[2], "slurm")
if not lab.kinds():
    print("skipped: no cross-compiled firmware in this build")
    sys.exit(77)
lab.env["TINYRIG_FAULT_ANSWER_MS"] = "1000"
host = socket.gethostname()
daemons = {}
started = time.monotonic()


def note(text):
    print(f"{time.monotonic() - started:6.1f} s  {text}", flush=True)


def free_ports(count):
    """A stretch of ports that nobody listens on now."""
    for base in range(21000 + os.getpid() % 8000, 32000 - count, count):
        held = []
        try:
            for port in range(base, base + count):
                held.append(socket.socket())
                held[-1].bind(("127.0.0.1", port))
            return base
        except OSError:
            continue
        finally:
            for s in held:
                s.close()
    lab.fail("no free ports")
    return 0


def start(name, *argv):
    with open(lab.path(f"log/{name}.log"), "a") as log:
        daemons[name] = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *argv], stdout=log, stderr=log, env=lab.env,
                                         start_new_session=True)


def step_keepers():
    """Processes that slurmd left to keep a job's step, known by what they have open: they outlive it."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                mine = f.read().startswith(b"slurmstepd:")
            if mine and any(os.readlink(f"/proc/{pid}/fd/{fd}").startswith(lab.folder)
                            for fd in os.listdir(f"/proc/{pid}/fd")):
                yield int(pid)
        except OSError:
            continue  # it ended meanwhile


def stop_all():
    for name in sorted(daemons, key=lambda n: n == "munged"):
        daemons[name].terminate()
    for p in daemons.values():
        try:
            p.wait(10)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
    for pid in step_keepers():
        kill(pid)


real_fail = lab.fail


def fail(text):
    stop_all()
    for pid in lab.ours():
        kill(pid)
    real_fail(text)


lab.fail = fail


def slurm(*argv, check=True):
    p = subprocess.run(argv, env=lab.env, text=True, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, check=False)
    if check and p.returncode != 0:
        lab.fail(f"{' '.join(argv)}: {p.stdout}")
    return p.stdout.strip()


def wait(what, seconds, condition):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.5)
    lab.fail(f"{what}: not within {seconds} s\n{slurm('sinfo', '-lN', check=False)}\n"
             f"{slurm('squeue', check=False)}")


def node_state(name):
    return slurm("sinfo", "-h", "-n", name, "-o", "%T %E", check=False)


def job_field(job, field):
    found = re.search(rf" {field}=(\S+)", " " + slurm("scontrol", "-o", "show", "job", job,
                                                       check=False))
    return found.group(1) if found else ""


def start_slurmd(board):
    start(f"slurmd-{board}", "slurmd", "-D", "-N", board, "-f", lab.path("slurm.conf"))


def start_cluster(boards, port):
    for sub in ("log", "run", "spool", "spool/ctld"):
        os.makedirs(lab.path(sub), exist_ok=True)
    os.chmod(lab.folder, 0o755)
    with open(lab.path("munge.key"), "wb") as f:
        f.write(os.urandom(1024))
    os.chmod(lab.path("munge.key"), 0o600)
    start("munged", "munged", "--foreground", "--force", "--key-file", lab.path("munge.key"),
          "--socket", lab.path("run/munge.sock"), "--pid-file", lab.path("run/munged.pid"),
          "--log-file", lab.path("log/munged"), "--seed-file", lab.path("run/munged.seed"))
    with open(lab.path("slurm/slurm.conf.part")) as f:
        part = f.read()
    # A container may have no cgroups to give; and what takes a minute at night takes seconds here.
    for old, new in (("proctrack/cgroup", "proctrack/linuxproc"), ("task/cgroup", "task/none"),
                     ("HealthCheckInterval=60", "HealthCheckInterval=3")):
        lab.check(old in part, f"slurm.conf.part has no {old}")
        part = part.replace(old, new)
    lab.write("slurm.conf", f"""ClusterName=boards
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={lab.path('run/munge.sock')}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmctldPort={port}
SlurmctldPidFile={lab.path('run/slurmctld.pid')}
SlurmdPidFile={lab.path('run')}/slurmd-%n.pid
StateSaveLocation={lab.path('spool/ctld')}
SlurmdSpoolDir={lab.path('spool')}/%n
SlurmctldLogFile={lab.path('log/slurmctld')}
SlurmdLogFile={lab.path('log')}/slurmd-%n
SwitchType=switch/none
MpiDefault=none
SlurmctldTimeout=30
SlurmdTimeout=20
KillWait=5
MinJobAge=3600
AccountingStorageType=accounting_storage/none
""" + part)
    lab.env["SLURM_CONF"] = lab.path("slurm.conf")
    start("slurmctld", "slurmctld", "-D", "-i", "-f", lab.path("slurm.conf"))
    for board in boards:
        start_slurmd(board)
    wait("all nodes idle", 120, lambda: slurm("sinfo", "-h", "-t", "idle", "-o", "%D",
                                              check=False) == str(len(boards)))
    note(f"{len(boards)} nodes are up")


submitted = {}


def submit(suite, results, shares=None, boards=()):
    submitted[os.path.basename(results)] = (suite, results, shares, boards)
    if shares:
        lab.env["TINYRIG_SHARES"] = str(shares)
    merge = slurm("sh", lab.path("slurm/submit.sh"), suite, results, *boards)
    lab.env.pop("TINYRIG_SHARES", None)
    with open(os.path.join(results, "jobs")) as f:
        jobs = dict(line.split() for line in f)
    lab.check(merge.isdigit(), merge)
    return jobs


def hurry():
    """A requeued job waits two minutes; here it need not. What needs a person, a job on hold and a
    node that was drained because the controller had forgotten its job, gets one."""
    for line in slurm("squeue", "-h", "-t", "PD,SE", "-o", "%i %r", check=False).splitlines():
        job, _, reason = line.partition(" ")
        if reason == "BeginTime":
            slurm("scontrol", "update", f"JobId={job}", "StartTime=now", check=False)
        elif "held" in reason.lower():
            slurm("scontrol", "release", job, check=False)
            note(f"job {job} was on hold")
    for line in slurm("sinfo", "-h", "-N", "-o", "%N %T %E", check=False).splitlines():
        name, state, reason = line.split(" ", 2)
        if ("drain" in state or "down" in state) and ("Duplicate" in reason or "not respond" in reason):
            slurm("scontrol", "update", f"NodeName={name}", "State=RESUME", check=False)


def wait_merge(name, seconds):
    def done():
        hurry()
        if os.path.exists(os.path.join(lab.path(name), "complete")):
            return True
        if not slurm("squeue", "-h", "-o", "%i", check=False) and "UP" in slurm("scontrol", "ping",
                                                                              check=False):
            submit(*submitted[name])
            note(f"run {name} was submitted again: the controller had forgotten a part of it")
        return False
    wait(f"run {name} is merged", seconds, done)


def drain_and_return(board, inventory):
    lab.run("boards", "maintenance", board, "new cable", "--lab", inventory)
    wait("a board in maintenance drains", 60, lambda: "drain" in node_state(board))
    lab.check("tinyrig: maintenance: new cable" in node_state(board), node_state(board))
    lab.run("boards", "clear", board, "--lab", inventory)
    wait("a cleared board returns", 60, lambda: node_state(board).startswith("idle"))
    note("a board in maintenance was drained and came back")


def fail_a_check(board, suite, inventory):
    """Its agent does not answer the prolog's check: the node is drained and the job waits."""
    with open(inventory) as f:
        good = f.read()
    bad = good.replace(f"  {board}: {{board:", f"  {board}: {{uid: \"{'0F' * 12}\", board:")
    lab.write("lab.yaml", bad)  # another board on its cable: the check says so
    jobs = submit(suite, lab.path("check"), boards=[board])
    wait("a board that fails its check drains", 120, lambda: "drain" in node_state(board))
    lab.check(job_field(jobs[board], "JobState") != "COMPLETED", "it ran on a bad board")
    lab.write("lab.yaml", good)
    code, out = lab.run("boards", "check", board, "--lab", inventory)
    lab.check(code == 0, out)
    slurm("scontrol", "update", f"NodeName={board}", "State=RESUME", check=False)
    wait_merge("check", 240)
    lab.check(lab.query(results("check"), "SELECT count(*) FROM v_metrics")[0][0] > 0, "no results")
    note("a board that failed its check was drained; its job ran when it was well")


def job_processes():
    """Job: its processes that measure."""
    found = {}
    for pid in lab.ours():
        try:
            with open(f"/proc/{pid}/environ", "rb") as f:
                job = re.search(rb"(?:^|\0)SLURM_JOB_ID=(\d+)\0", f.read() + b"\0")
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read().split(b"\0")
        except OSError:
            continue
        if job and b"--run-id" in words:
            found.setdefault(job.group(1).decode(), []).append(pid)
    return found


def break_things(jobs, boards):
    """Two jobs are killed, one by Slurm and one by nobody; slurmd and slurmctld die and return."""
    victims = []

    def kill_one():
        for job, pids in job_processes().items():
            if job in victims or job not in jobs.values():
                continue
            if victims:
                slurm("scontrol", "requeue", job)
            killed = [pid for pid in pids if kill(pid)]
            victims.extend([job] if killed or victims else [])
            return bool(victims)
        return False

    wait("a job runs", 120, kill_one)
    wait("another job runs", 120, lambda: kill_one() and len(victims) == 2)
    note(f"jobs {victims} killed, the second by Slurm as well")
    victim = boards[-1]
    daemons[f"slurmd-{victim}"].kill()
    daemons[f"slurmd-{victim}"].wait()
    time.sleep(2)
    start_slurmd(victim)
    note("slurmd killed and started again")
    daemons["slurmctld"].kill()
    daemons["slurmctld"].wait()
    time.sleep(2)
    start("slurmctld", "slurmctld", "-D", "-f", lab.path("slurm.conf"))
    wait("the controller answers", 90, lambda: "UP" in slurm("scontrol", "ping", check=False))
    note("slurmctld killed and started again")


def overlaps(database):
    """Pairs of attempts on one board at one time."""
    return lab.query(database, """SELECT a.id, b.id FROM attempt a JOIN case_def ca
        ON ca.id = a.case_def JOIN case_def cb ON cb.board = ca.board JOIN attempt b
        ON b.case_def = cb.id WHERE a.id < b.id AND a.started_ns < b.ended_ns
        AND b.started_ns < a.ended_ns AND a.status <> 'skipped' AND b.status <> 'skipped'""")


def results(name):
    return os.path.join(lab.path(name), "results.db")


def check_merged(name, boards, shares, reference):
    """The same figures, each once, and another merge adds nothing."""
    merged = results(name)
    got = lab.figures(merged)
    lab.check(got == reference, f"{name}: {len(got)} merged figures differ from a local run's "
                                f"{len(reference)}: {set(got) ^ set(reference)}")
    lab.check(lab.query(merged, "SELECT count(*) FROM v_runs")[0][0] == 1, f"{name}: not one run")
    doubled = lab.query(merged, "SELECT case_def, number, count(*) FROM attempt"
                                " GROUP BY case_def, number HAVING count(*) > 1")
    lab.check(doubled == [], f"{name}: doubled attempts {doubled}")
    parts = [os.path.join(lab.path(name), "parts", p)
             for p in sorted(os.listdir(os.path.join(lab.path(name), "parts")), reverse=True)
             if p.endswith(".db")]
    lab.check(len(parts) == shares * len(boards), parts)
    code, out = lab.run("merge", "--db", merged, *parts)
    lab.check(code == 0 and out.count("0 runs, 0 attempts, 0 measurements added") == len(parts), out)
    other = lab.path(f"{name}-backwards.db")
    code, out = lab.run("merge", "--db", other, *parts)
    lab.check(code == 0 and lab.figures(other) == reference, f"{name}: order matters: {out}")
    return merged


def main():
    kinds = lab.kinds()
    boards = [f"n{i:02d}" for i in range(nodes)]
    port = free_ports(nodes + 1)
    inventory = lab.write("lab.yaml", "name: cluster\nvirtual_boards: false\nboards:\n" + "".join(
        f"  {b}: {{board: {kinds[i % len(kinds)]}}}\n" for i, b in enumerate(boards)))
    suite = lab.suite(30 if rough else 3, name="nightly")
    code, out = lab.run("run", suite, "--lab", inventory, "--db", lab.path("reference.db"), "-q")
    lab.check(code == 0, f"local run: {code}\n{out}")
    reference = lab.figures(lab.path("reference.db"))
    lab.check(len(reference) > 10 * nodes, f"{len(reference)} figures")
    note(f"local run: {len(reference)} figures")
    code, out = lab.run("lab", "slurm", "--lab", inventory, "--host", host, "--address",
                        "127.0.0.1", "--port", str(port + 1), "--conf", lab.path("slurm.conf"),
                        "-o", lab.path("slurm"))
    lab.check(code == 0, out)
    start_cluster(boards, port)
    drain_and_return(boards[0], inventory)
    fail_a_check(boards[1], suite, inventory)

    # The first board hangs in each attempt at its first case: a lab fault, so the job is requeued.
    lab.write(f"faults/{boards[0]}.faults",
              ";".join(f"hang to-board at {n}" for n in range(1000, 8200, 600)) +
              "\nhang to-board at 1000\n")  # the second line is for its emulator started anew
    jobs = submit(suite, lab.path("first"))
    again = submit(suite, lab.path("second"), shares=2)  # same boards, same time
    lab.check(sorted(jobs) == boards and sorted(again) == boards, (jobs, again))
    if rough:
        break_things(dict(jobs), boards)
    wait_merge("first", 900)
    wait_merge("second", 900)
    note("both runs are merged")

    merged = check_merged("first", boards, 1, reference)
    check_merged("second", boards, 2, reference)
    failed = lab.query(merged, "SELECT count(*) FROM attempt WHERE status = 'error'")[0][0]
    lab.check(rough or failed >= 3, f"the fault was not seen: {failed} failed attempts")
    restarts = sum(int(job_field(j, "Restarts") or 0) for j in jobs.values())
    lab.check(rough or int(job_field(jobs[boards[0]], "Restarts")) > 0, "no job was requeued")
    both = lab.path("both.db")
    code, out = lab.run("merge", "--db", both, results("first"), results("second"),
                        results("check"))
    lab.check(code == 0, out)
    lab.check(overlaps(both) == [], f"two jobs on one board: {overlaps(both)}")
    stop_all()
    lab.check_quiet([merged, both])
    lab.close()
    print(f"slurm: {nodes} nodes, {len(jobs)} jobs and {2 * len(again)} array tasks, "
          f"{restarts} requeues, {failed} failed attempts"
          f"{', slurmd, slurmctld and two jobs killed' if rough else ''}: "
          f"{len(reference)} figures as in a local run")


try:
    main()
except Exception:
    stop_all()
    raise

#!/usr/bin/env python3
"""The examples for systemd, logrotate, GitHub and GitLab: well-formed, and what they have tinyrig do
is what this tinyrig can do. usage: test_config.py TINYRIG SOURCE_ROOT"""
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

tinyrig, root = sys.argv[1], sys.argv[2]
checked = []


def fail(text):
    print("FAILED:", text)
    sys.exit(1)


def read(name):
    with open(os.path.join(root, "config", name)) as f:
        return f.read()


def output(*argv):
    p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                       check=False)
    return p.returncode, p.stdout


def check_command(where, line):
    """Its command and its options must exist; files need not."""
    words = shlex.split(line)
    verb, options = words[1], [w for w in words[2:] if w.startswith("--")]
    code, text = output(tinyrig, "help", verb)
    if code != 0:
        fail(f"{where}: there is no command '{verb}'")
    for option in options:
        if not re.search(rf"^ .*{option}\b", text, re.M):
            fail(f"{where}: '{verb}' has no option '{option}'")
    checked.append(verb)


def commands(text):
    text = re.sub(r"\\\n\s*", " ", text)
    for line in text.splitlines():
        m = re.search(r"\S*/tinyrig (?:run|report|nightly|gate)\b.*", line)
        if m and not line.lstrip().startswith("#"):
            yield re.split(r" #| >>", m.group(0))[0]


def check_ci(name, jobs_of, lines_of):
    try:
        import yaml
    except ImportError:
        print("python3-yaml is not installed: CI examples not parsed")
        return
    document = yaml.safe_load(read(name))
    jobs = jobs_of(document)
    if set(jobs) != {"virtual", "boards"}:
        fail(f"{name}: jobs {sorted(jobs)}")
    for job, body in jobs.items():
        lines = [c for line in lines_of(body) for c in commands(" ".join(line.split()))]
        if not lines:
            fail(f"{name}: job '{job}' runs no tinyrig")
        for line in lines:
            check_command(f"{name}, job {job}", line)
        if job == "virtual" and any("nightly" in line for line in lines):
            fail(f"{name}: a stranger's change would get boards")
    condition = str(jobs["boards"].get("if", jobs["boards"].get("rules")))
    if "pull_request" not in condition and "DEFAULT_BRANCH" not in condition:
        fail(f"{name}: boards would see a stranger's change")


def check_systemd():
    service = read("systemd/tinyrig-nightly.service")
    lines = [c for c in commands(service)]
    if len(lines) != 1:
        fail(f"service: {lines}")
    check_command("service", lines[0])
    if not shutil.which("systemd-analyze"):
        print("systemd-analyze is not installed: units not verified")
        return
    with tempfile.TemporaryDirectory() as folder:
        # The program is not installed where tests run: any that can be executed stands for it.
        paths = []
        program = shlex.split(lines[0])[0].rpartition("=")[2]
        for name, text in (("tinyrig-nightly.service", service.replace(program, "/bin/true")),
                           ("tinyrig-nightly.timer", read("systemd/tinyrig-nightly.timer"))):
            paths.append(os.path.join(folder, name))
            with open(paths[-1], "w") as f:
                f.write(text)
        code, text = output("systemd-analyze", "verify", "--man=no", "--recursive-errors=no",
                            *paths)
        if code != 0 or text.strip():
            fail(f"systemd-analyze verify: {code}\n{text}")
        with open(paths[0], "a") as f:  # and it does look
            f.write("Nise=5\n[Service]\nNise=5\n")
        if "Nise" not in output("systemd-analyze", "verify", "--man=no", paths[0])[1]:
            fail("systemd-analyze verify finds no mistake")
    when = re.search(r"OnCalendar=(.*)", read("systemd/tinyrig-nightly.timer")).group(1)
    code, text = output("systemd-analyze", "calendar", when)
    if code != 0:
        fail(f"OnCalendar: {text}")


def check_logrotate():
    """What the service appends to is what is rotated, and nobody else may read it."""
    text = read("systemd/tinyrig.logrotate")
    pattern = text.strip().splitlines()[1].split()[0]
    log = re.search(r"append:(\S+)", read("systemd/tinyrig-nightly.service")).group(1)
    if os.path.dirname(pattern) != os.path.dirname(log) or not log.endswith(".log"):
        fail(f"logrotate: {pattern} is not {log}")
    if not re.search(r"create 0640 tinyrig", text) or not re.search(r"rotate \d+", text):
        fail("logrotate: " + text)
    if not shutil.which("logrotate") or os.getuid() != 0:
        return
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "conf")
        with open(path, "w") as f:
            f.write(text.replace("/var/log/tinyrig", folder).replace(" tinyrig adm", " root root"))
        os.chmod(path, 0o644)
        with open(os.path.join(folder, "nightly.log"), "w") as f:
            f.write("a night\n")
        os.chmod(folder, 0o755)
        code, text = output("logrotate", "--force", "--state", os.path.join(folder, "s"), path)
        if code != 0 or not os.path.exists(os.path.join(folder, "nightly.log.1")):
            fail(f"logrotate: {code}\n{text}")


def main():
    check_ci("ci/github.yml", lambda d: d["jobs"],
             lambda job: [s["run"] for s in job["steps"] if "run" in s])
    check_ci("ci/gitlab.yml", lambda d: {k: v for k, v in d.items() if k != "stages"},
             lambda job: job["script"] + job.get("after_script", []))
    check_systemd()
    check_logrotate()
    print(f"examples: {len(checked)} commands, units, rotation")


main()

#!/usr/bin/env python3
"""Nights: the first, a second, a wrong output, a lab that failed, an interrupted one; who is told.

usage: nightly.py BUILD SOURCE
"""
import os
import re
import shutil
import signal
import stat
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import Lab  # noqa: E402

lab = Lab(sys.argv[1], sys.argv[2], "nightly")
if not lab.kinds():
    print("skipped: no cross-compiled firmware in this build")
    sys.exit(77)
kind = lab.kinds()[0]
database = lab.path("r.db")
tell = lab.write("tell", "#!/bin/sh\n[ ! -e \"$(dirname \"$0\")/slow\" ] || { touch "
                         "\"$(dirname \"$0\")/asked\"; exec sleep 50; }\n[ ! -e \"$(dirname \"$0\")/broken\" ] || exit 1\n"
                         "{ echo \"$TINYRIG_VERDICT_BEFORE > $TINYRIG_VERDICT\"; head -1; } >> "
                         "\"$(dirname \"$0\")/told\"\n")
os.chmod(tell, 0o700)


def inventory(uid=""):
    return lab.write("lab.yaml", f"name: night\nvirtual_boards: false\nnotify: [{tell}]\n"
                                 f"boards:\n  one: {{board: {kind}{uid}}}\n")


def night(suite, *more, start=False):
    args = ["nightly", suite, "--lab", lab.path("lab.yaml"), "--db", database, "-o",
            lab.path("out"), *more]
    return lab.start(*args) if start else lab.run(*args)


def told():
    with open(lab.path("told")) as f:
        return f.read().splitlines()


def summary():
    with open(os.path.join(lab.path("out"), "summary.md")) as f:
        text = f.read()
    lab.check(text.count("\n") < 80, "more than a page:\n" + text)
    return text


def two_nights_pass(suite):
    code, out = night(suite)
    lab.check(code == 0, f"first night: {code}\n{out}")
    lab.check(told()[0] == "none > passed", told())
    lab.check("passed" in told()[1], told())
    lab.check("first night" in summary() and "1 boards checked, 0 failed" in summary(), summary())
    for name in ("summary.md", "report.html", "report.md", "junit.xml"):
        path = os.path.join(lab.path("out"), name)
        lab.check(os.path.getsize(path) > 100, name)
        lab.check(stat.S_IMODE(os.stat(path).st_mode) & 0o7 == 0, f"{name} is for everyone")
    lab.execute(database, "UPDATE run SET started_ns = started_ns - 40 * 86400000000000")
    before = lab.query(database, "SELECT count(*) FROM v_metrics")[0][0]
    code, out = night(suite, "--keep", "30d")
    lab.check(code == 0, f"second night: {code}\n{out}")
    lab.check(len(told()) == 2, f"told again without news: {told()}")
    lab.check("### gate" in summary() and "first night" not in summary(), summary())
    lab.check("gate: passed" in summary(), summary())
    lab.check("pruned 1 runs" in out, out)
    windows = lab.query(database, "SELECT count(DISTINCT a.run) FROM window w"
                                  " JOIN attempt a ON a.id = w.attempt")[0][0]
    lab.check(windows == 1, "the old night still has its windows")
    lab.check(lab.query(database, "SELECT count(*) FROM v_metrics")[0][0] == 2 * before,
              "a summary was pruned")


def a_wrong_output_is_a_failed_night():
    """The suite is the same by name; its model has other expected outputs now."""
    sine = os.path.join(lab.source, "suites/models/sine")
    shutil.copytree(sine, lab.path("sine"))
    for name in os.listdir(lab.path("sine")):
        if name.startswith("out"):
            with open(os.path.join(lab.path("sine"), name), "r+b") as f:
                byte = f.read(1)[0]
                f.seek(0)
                f.write(bytes([byte ^ 1]))
    with open(lab.path("faulty.yaml")) as f:
        wrong = lab.write("wrong.yaml", f.read().replace(sine, lab.path("sine")))
    code, out = night(wrong)
    lab.check(code == 1, f"wrong output: {code}\n{out}")
    lab.check(told()[2] == "passed > failed", told())
    lab.check("wrong\\-output" in summary() or "wrong-output" in summary(), summary())
    lab.check("gate: failed" in summary(), summary())
    figures = lab.query(database, "SELECT metric FROM v_metrics WHERE status = 'failed'"
                                  " AND metric LIKE 'latency%'")
    lab.check(not figures, f"figures of wrong outputs: {figures}")


def a_failed_lab_is_told_when_the_mail_works_again(suite):
    inventory(", uid: 00112233445566778899AABB")  # a board like ours, but not it
    lab.write("broken", "")
    code, out = night(suite, "--baseline", "none")
    lab.check(code == 3, f"lab failed: {code}\n{out}")
    lab.check("nobody was told" in out and len(told()) == 4, out)
    lab.check("doctor one:" in out and "agent    BROKEN" in out, out)
    lab.check("| one | quarantined |" in summary(), summary())
    os.unlink(lab.path("broken"))
    code, out = night(suite, "--baseline", "none")
    lab.check(code == 3, f"lab failed again: {code}\n{out}")
    lab.check(told()[4] == "failed > not measured: the lab failed", told())
    inventory()


def a_bad_baseline_is_said_to_be_one(suite):
    """The boards have been measured; it is the gate that could not do its work."""
    lab.write("bad.db", "no database, though called one" * 100)
    heard = len(told())
    code, out = night(suite, "--baseline", lab.path("bad.db"))
    lab.check(code == 2 and "nightly: measured, not judged: the gate failed" in out, f"{code}\n{out}")
    lab.check("not begun" not in out + summary() and "1 passed" in summary(), summary())
    lab.check("gate: " in summary() and "bad.db" in summary(), summary())
    lab.check(len(told()) == heard + 2 and told()[heard].endswith("> measured, not judged: the gate failed"),
              told()[heard:])
    code, out = night(suite)
    lab.check(code == 0, f"the night after: {code}\n{out}")


def a_slip_costs_no_night(suite):
    before = lab.query(database, "SELECT count(*) FROM run")
    for option, value in (("--keep", "90"), ("--keep", "0d"), ("--keep", "60y"), ("--wait", "50d"),
                          ("--wait", "soon"), ("--tolerance", "much")):
        code, out = night(suite, option, value)
        lab.check(code == 2 and option + ": expected" in out, f"{option}: {code}\n{out}")
    lab.check(lab.query(database, "SELECT count(*) FROM run") == before, "measured all the same")


def a_board_whose_state_is_lost_is_out_of_service(suite):
    """It may have been in quarantine; the others are measured."""
    lab.write("lab.yaml", f"name: night\nvirtual_boards: false\nnotify: [{tell}]\n"
                          f"boards:\n  one: {{board: {kind}}}\n  two: {{board: {kind}}}\n")
    lab.write("state/board-one.state", "nonsense")
    code, out = lab.run("boards", "--lab", lab.path("lab.yaml"))
    lab.check(code == 0 and re.search(r"\none .*maintenance: .*not a state of a board", out), out)
    code, out = lab.run("run", suite, "--lab", lab.path("lab.yaml"), "--db", lab.path("two.db"))
    lab.check(code == 0 and "1 passed" in out and "1 skipped" in out, f"{code}\n{out}")
    os.unlink(lab.path("state/board-one.state"))
    inventory()


def a_full_disk_is_a_night_to_tell_of(suite):
    """States of boards cannot be kept; nor may the last night's reports pass for this one's."""
    lab.write("state/board-one.state", "state suspect\n")
    os.rename(lab.path("state"), lab.path("kept"))
    os.mkdir(lab.path("state"))
    os.mkdir(lab.path("state/board-one.state-lock"))  # for root, who may write everywhere
    heard = len(told())
    code, out = night(suite)
    lab.check(code == 3 and "checks of boards: " in out, f"{code}\n{out}")
    lab.check(len(told()) == heard + 2 and told()[heard].endswith("the lab failed"), told()[heard:])
    lab.check("checks of boards" in summary(), summary())
    lab.check(sorted(os.listdir(lab.path("out"))) == ["summary.md", "verdict"], "old reports")
    shutil.rmtree(lab.path("state"))
    os.rename(lab.path("kept"), lab.path("state"))
    os.unlink(lab.path("state/board-one.state"))


def a_night_ends_when_told_after_its_run_too():
    lab.write("slow", "")
    os.unlink(os.path.join(lab.path("out"), "verdict"))
    p = night(lab.suite(1), start=True)
    for _ in range(3600):  # on a busy host
        if os.path.exists(lab.path("asked")) or p.poll() is not None:
            break
        time.sleep(0.05)
    lab.check(os.path.exists(lab.path("asked")), "nobody was asked")
    p.send_signal(signal.SIGTERM)
    out = p.communicate(timeout=45)[0]  # the program that is told would take 50 s
    lab.check(p.returncode == -signal.SIGTERM, f"{p.returncode}\n{out}")
    os.unlink(lab.path("slow"))


def an_interrupted_night_can_be_resumed():
    suite = lab.suite(20, name="long")
    p = night(suite, start=True)
    seen = ""
    for line in p.stdout:
        seen += line
        if "long/" in line or "sine0" in line:
            p.send_signal(signal.SIGINT)
            break
    seen += p.stdout.read()
    lab.check(p.wait(120) == 130, f"interrupted: {p.returncode}\n{seen}")
    lab.check("tinyrig resume" in seen and "interrupted" in summary(), seen)
    code, out = lab.run("resume", "--lab", lab.path("lab.yaml"), "--db", database)
    lab.check(code == 0, f"resume: {code}\n{out}")


def main():
    inventory()
    suite = lab.suite(1)
    two_nights_pass(suite)
    a_wrong_output_is_a_failed_night()
    a_failed_lab_is_told_when_the_mail_works_again(suite)
    code, out = night(lab.path("none.yaml"))
    lab.check(code == 2, f"no suite: {code}\n{out}")
    a_bad_baseline_is_said_to_be_one(suite)
    a_slip_costs_no_night(suite)
    an_interrupted_night_can_be_resumed()
    a_board_whose_state_is_lost_is_out_of_service(suite)
    a_full_disk_is_a_night_to_tell_of(suite)
    a_night_ends_when_told_after_its_run_too()
    lab.check_quiet([database])
    lab.close()
    print("nightly: passed, unchanged, wrong output, lab failed, no suite, interrupted; each told once")


main()

#!/usr/bin/env python3
"""Recorded sessions, played back: the same figures with no board there; broken and foreign records are
lab faults and never results; and a bundle, which says nothing of the lab that it should not.

usage: replay.py BUILD SOURCE
"""
import hashlib
import os
import shutil
import stat
import sys
import tarfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import Lab  # noqa: E402

lab = Lab(sys.argv[1], sys.argv[2], "replay")
if not lab.kinds():
    print("skipped: no cross-compiled firmware in this build")
    sys.exit(77)
SECRET = "hunter2"
records = lab.path("records")
database = lab.path("r.db")


def inventory():
    """With a secret wherever a lab file may have one."""
    return lab.write("lab.yaml", f"""name: night
virtual_boards: false
commands: [{SECRET}-tool]
notify: [mail, {SECRET}@example.org]
labgrid: [labgrid-client, -x, {SECRET}:20408]
meters:
  m: {{driver: scpi, where: "{SECRET}.example:5025", serial: {SECRET}}}
power:
  pdu: {{kind: command, turn_on: [pdu, --password, {SECRET}], turn_off: [pdu, {SECRET}]}}
boards:
  one: {{board: {lab.kinds()[0]}}}   # {SECRET}
  two: {{board: {lab.kinds()[-1]}}}
  three:
    {{board: {lab.kinds()[0]}, power: pdu, maintenance: "ask {SECRET}",
     transport: {{usb_serial: {SECRET}2, where: /dev/{SECRET}}}}}
""")


def replay(suite, folder, name, *more):
    """With nothing in PATH that could be an emulator."""
    path, lab.env["PATH"] = lab.env["PATH"], lab.path("empty")
    code, out = lab.run("run", suite, "--lab", lab.path("lab.yaml"), "--db", lab.path(name),
                        "--replay", folder, *more)
    lab.env["PATH"] = path
    return code, out


def the_same_figures_come_back(suite):
    code, out = lab.run("run", suite, "--lab", inventory(), "--db", database, "--record", records)
    lab.check(code == 0, f"record: {code}\n{out}")
    line = lab.query(database, "SELECT command_line FROM run")[0][0]
    lab.check(line.startswith("tinyrig run /") and line.endswith(f"--record {records}"), line)
    with open(lab.path("state/board-one.state")) as f:
        state = f.read()
    code, out = replay(suite, records, "replayed.db")
    lab.check(code == 0, f"replay: {code}\n{out}")
    lab.check(len(lab.figures(database)) > 20, "no figures")
    lab.check(lab.figures(lab.path("replayed.db")) == lab.figures(database), "other figures")
    facts = lab.query(lab.path("replayed.db"), "SELECT DISTINCT value FROM v_facts"
                                               " WHERE key = 'session.replayed'")
    lab.check(facts == [("yes",)], f"not marked: {facts}")
    with open(lab.path("state/board-one.state")) as f:
        lab.check(f.read() == state, "a replay changed the board's state")
    code, out = lab.run("run", suite, "--lab", lab.path("lab.yaml"), "--replay", records)
    lab.check(code == 2 and "--db" in out, f"into the results of real boards: {code}\n{out}")


def what_is_no_such_record_is_no_result(suite):
    broken = lab.path("broken")
    shutil.copytree(records, broken)
    for name in os.listdir(broken):
        path = os.path.join(broken, name)
        with open(path) as f:
            lines = f.readlines()
        with open(path, "w") as f:
            f.writelines(lines[:len(lines) // 12] if name.startswith("one") else ["nonsense\n"])
    code, out = replay(suite, broken, "broken.db", "--no-retries")
    lab.check(code == 3, f"broken records: {code}\n{out}")
    lab.check("the record ends" in out and "line 1" in out, out)
    lab.check(lab.query(lab.path("broken.db"), "SELECT count(*) FROM v_metrics"
                                               " WHERE metric = 'latency'")[0][0] == 0, "a result")
    code, out = replay(suite, lab.path("nowhere"), "none.db")
    lab.check(code == 2 and "--replay: " in out and not os.path.exists(lab.path("none.db")), out)
    code, out = replay(suite, lab.path("empty"), "none.db", "--no-retries")
    lab.check(code == 3 and "record of board" in out, f"no records: {code}\n{out}")


def a_record_that_is_not_whole_is_told(suite):
    """It costs no result; the run says so once for a board, and the cases it is missing of have it."""
    lab.env["TINYRIG_FAULT_RECORD_MAX"] = "3000"
    cut = lab.path("cut")
    code, out = lab.run("run", suite, "--lab", lab.path("lab.yaml"), "--db", lab.path("cut.db"), "-b", "one",
                        "--record", cut, "-q")
    del lab.env["TINYRIG_FAULT_RECORD_MAX"]
    lab.check(code == 0 and out.count("board one: its record is cut: it has no more than 3000 bytes\n") == 1,
              f"{code}\n{out}")
    (name,) = os.listdir(cut)
    with open(os.path.join(cut, name)) as f:
        text = f.read()
    lab.check(2000 < len(text) <= 3000 and text.endswith("\n"), f"{len(text)} bytes")
    os.symlink(lab.path("gone/away"), lab.path("link"))  # a folder that is there no more
    code, out = lab.run("run", suite, "--lab", lab.path("lab.yaml"), "--db", lab.path("lost.db"), "-b", "one",
                        "--record", lab.path("link"))
    lab.check(code == 0 and out.count("board one: its record is lost: ") == 1 and
              ".session: No such file or directory\n" in out, f"{code}\n{out}")
    for db, word in (("cut.db", "cut"), ("lost.db", "lost")):
        told = lab.query(lab.path(db), "SELECT DISTINCT case_key, value FROM v_facts"
                                       " WHERE key = 'session.record'")
        lab.check(len(told) == 2 and all(f"its record is {word}: " in value for _, value in told), told)
        lab.check(lab.figures(lab.path(db)) == [f for f in lab.figures(database) if "/one/" in f[0]], db)
    lab.check(not lab.query(database, "SELECT * FROM v_facts WHERE key = 'session.record'"), "a whole one")


def a_replay_is_never_resumed(suite):
    """Neither from the records' beginning, where the rest of it is not, nor on boards."""
    shutil.copy(lab.path("replayed.db"), lab.path("half.db"))
    lab.execute(lab.path("half.db"), "DELETE FROM attempt WHERE id = (SELECT max(id) FROM attempt)")
    lab.execute(lab.path("half.db"), "UPDATE run SET ended_ns = NULL")
    run = lab.query(lab.path("half.db"), "SELECT run FROM v_runs")[0][0]
    where = ("--lab", lab.path("lab.yaml"), "--db", lab.path("half.db"))
    for words in (["resume", *where], ["run", suite, *where, "--run-id", run],
                  ["run", suite, *where, "--run-id", run, "--replay", records]):
        code, out = lab.run(*words)
        lab.check(code == 2 and "was played from records: nothing can go on with it" in out and
                  "played from their beginning: 'tinyrig run' the suite again" in out, f"{words}: {code}\n{out}")
    run = lab.query(database, "SELECT run FROM v_runs")[0][0]
    code, out = lab.run("run", suite, *where[:2], "--db", database, "--run-id", run, "--replay", records)
    lab.check(code == 2 and "was measured on boards" in out, f"{code}\n{out}")
    code, out = lab.run("resume", "--replay", records, *where)
    lab.check(code == 2 and "unknown option '--replay'" in out, f"{code}\n{out}")


def bundle(name, *more):
    code, out = lab.run("bundle", "--lab", lab.path("lab.yaml"), "--db", database, "-o",
                        lab.path(name), *more)
    lab.check(code == 0, f"bundle: {code}\n{out}")
    with open(lab.path(name), "rb") as f:
        data = f.read()
    lab.check(stat.S_IMODE(os.stat(lab.path(name)).st_mode) == 0o640, "its mode")
    return data


def a_bundle_has_all_but_secrets(suite):
    data = bundle("b.tar.gz", "--records", records)
    with tarfile.open(lab.path("b.tar.gz")) as t:
        files = {n.removeprefix("tinyrig-bundle/"): t.extractfile(n).read() for n in t.getnames()}
    expected = {"boards.txt", "lab.txt", "run.json", "suite.yaml", "versions.txt"}
    lab.check(expected == {n for n in files if "/" not in n}, sorted(files))
    lab.check(sorted(n for n in files if "/" in n) ==
              [f"records/{n}" for n in sorted(os.listdir(records))], sorted(files))
    for name, content in files.items():
        lab.check(SECRET.encode() not in content, f"{name} tells the secret")
    text = files["lab.txt"].decode()
    digest = hashlib.sha256(f"{SECRET}2".encode()).hexdigest()[:8]
    lab.check("(redacted)" in text and f"usb_serial: sha256 {digest}" in text, text)
    lab.check(b"tinyrig 0." in files["versions.txt"], files["versions.txt"])
    with open(suite, "rb") as f:
        lab.check(files["suite.yaml"] == f.read(), "the suite")
    lab.check(bundle("again.tar.gz", "--records", records) == data, "another archive")
    with tarfile.open(lab.path("b.tar.gz")) as t:
        t.extractall(lab.path("report"))
    code, out = replay(suite, lab.path("report/tinyrig-bundle/records"), "reported.db")
    lab.check(code == 0 and lab.figures(lab.path("reported.db")) == lab.figures(database), out)
    code, out = lab.run("bundle", "--lab", lab.path("lab.yaml"), "--db", database, "--records",
                        lab.path("empty"))
    lab.check(code == 2 and "no recorded session" in out, out)


def a_bundle_has_no_file_but_the_suite_that_was_measured():
    """A database that came from elsewhere names any file of this host as its suite."""
    lab.write("private", SECRET)
    lab.execute(database, f"UPDATE suite SET path = '{lab.path('private')}'")
    lab.execute(database, f"UPDATE run SET suite_file = '{lab.path('private')}'")
    bundle("private.tar.gz")
    with tarfile.open(lab.path("private.tar.gz")) as t:
        text = t.extractfile("tinyrig-bundle/suite.yaml").read().decode()
    lab.check(SECRET not in text and "left out" in text, text)


def main():
    os.mkdir(lab.path("empty"))
    inventory()
    suite = lab.suite(2, boards="[one, two]")
    the_same_figures_come_back(suite)
    a_replay_is_never_resumed(suite)
    a_record_that_is_not_whole_is_told(suite)
    what_is_no_such_record_is_no_result(suite)
    a_bundle_has_all_but_secrets(suite)
    a_bundle_has_no_file_but_the_suite_that_was_measured()
    lab.check_quiet([database])
    lab.close()
    print("records: played back to the bit without a board, broken ones refused; bundles without secrets")


main()

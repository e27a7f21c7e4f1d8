#!/usr/bin/env python3
"""Boards that fail and are brought back, boards that are not, and boards that are others.

usage: recovery.py BUILD SOURCE
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import Lab, kill, parent, wrong_firmware  # noqa: E402

lab = Lab(sys.argv[1], sys.argv[2], "recovery")
lab.env["TINYRIG_FAULT_ANSWER_MS"] = "800"
database = lab.path("r.db")
KINDS = lab.kinds()
if len(KINDS) < 2:
    print("skipped: no cross-compiled firmware in this build")
    sys.exit(77)


def arm(board, *lines):
    lab.write(f"faults/{board}.faults", "".join(line + "\n" for line in lines))


def rungs(db, board):
    return lab.query(db, f"SELECT rung, worked FROM v_recoveries WHERE board = '{board}'"
                         " ORDER BY time")


def attempts(db, board):
    return lab.query(db, "SELECT a.number, a.status, a.failure_class FROM attempt a JOIN case_def c"
                         f" ON c.id = a.case_def WHERE c.board = '{board}' ORDER BY a.started_ns")


def lab_faults(db):
    return lab.query(db, "SELECT case_key, text FROM v_attempts WHERE status = 'error' AND"
                         " failure_class <> 'invalid-window'")


def state(board):
    with open(lab.path(f"state/board-{board}.state")) as f:
        return dict(line.rstrip("\n").partition(" ")[::2] for line in f)


def a_hung_board_is_reset_and_its_case_retried(suite, inventory):
    arm("hangs", "hang edge 3")  # in its second window
    code, out = lab.run("run", suite, "--lab", inventory, "--db", database, "-b", "hangs", "-b",
                        "well")
    lab.check(code == 0, f"status {code}\n{out}")
    lab.check("trying again" in out, out)
    lab.check(rungs(database, "hangs") == [("reopen", 0), ("probe-reset", 1)],
              rungs(database, "hangs"))
    first, second = attempts(database, "hangs")[:2]
    lab.check(first[:2] == (0, "error") and second[:2] == (1, "passed"), (first, second))
    lab.check(first[2] in ("timeout", "lab", "protocol"), first)
    lab.check(rungs(database, "well") == [], "the other board was touched")
    lab.check(state("hangs")["faults"] == "1" and state("hangs")["state"] == "good", "state")
    text = lab.query(database, "SELECT text FROM attempt WHERE status = 'error'")[0][0]
    lab.check("board 'hangs', stage '" in text and ", after " in text, text)


def a_killed_worker_does_not_renew_the_budget(inventory):
    """Its board hangs each time that it is started: one retry there is, whoever measures."""
    db, suite = lab.path("budget.db"), lab.suite(1, name="budget",
                                                    measure="{inferences: 40, windows: 300}")
    arm("hangs", *["hang edge 3"] * 8)
    p = lab.start("run", suite, "--lab", inventory, "--db", db, "-b", "hangs", "--retries", "1")
    said = ""
    for line in p.stdout:
        said += line
        if "trying again" in line:
            for pid in [pid for pid in lab.ours() if parent(pid) == p.pid]:
                kill(pid)
    lab.check(p.wait(300) == 3, f"status {p.returncode}\n{said}")
    # Killed in its second attempt, or just before: then another worker had it.
    tries = attempts(db, "hangs")
    lab.check([t[:2] for t in tries] == [(0, "error"), (1, "error")], f"{tries}\n{said}")
    arm("hangs")
    lab.run("boards", "clear", "hangs", "--lab", inventory)


def other_firmware_is_no_result(suite, inventory):
    """The board comes up with an agent of another build."""
    db = lab.path("fw.db")
    arm("hangs", f"firmware file {wrong_firmware(lab, KINDS[0])};power-off at 0 to-board ms 50")
    code, out = lab.run("run", suite, "--lab", inventory, "--db", db, "-b", "hangs")
    lab.check(code == 0, f"status {code}\n{out}")
    lab.check(("reflash", 1) in rungs(db, "hangs"), rungs(db, "hangs"))
    ids = lab.query(db, "SELECT DISTINCT value FROM v_facts WHERE key = 'firmware.build_id'")
    lab.check(len(ids) == 1, f"results of two firmwares: {ids}")


def twins_are_told_apart(suite):
    """
    Two boards of a kind with swapped cables: every case is a lab fault, none a result. They are the
    host itself, whose windows a busy machine may find too noisy; that is no fault of the lab.
    """
    os.mkdir(lab.path("kinds"))
    for name, uid in (("left", "11" * 12), ("right", "22" * 12)):
        lab.write(f"kinds/twin-{name}.yaml",
                  f"name: twin-{name}\ncpu: host\nagent: posix\nclock: 1GHz\nram: 64MiB\n"
                  f"timebase: ns\nvirtual: {{kind: posix, options: [--uid, \"{uid}\"]}}\n")

    def inventory(left, right):
        return lab.write("twins-lab.yaml",
                         "name: twins\nvirtual_boards: false\nboards:\n"
                         f"  left: {{board: twin-left, uid: \"{left}\"}}\n"
                         f"  right: {{board: twin-right, uid: \"{right}\"}}\n")

    good, swapped = lab.path("twins.db"), lab.path("swapped.db")
    code, out = lab.run("run", suite, "--board-dir", lab.path("kinds"), "--lab",
                        inventory("11" * 12, "22" * 12), "--db", good)
    lab.check(code in (0, 3, 4) and not lab_faults(good), f"status {code}\n{out}")
    uids = lab.query(good, "SELECT DISTINCT board, value FROM v_facts WHERE key = 'board.uid'")
    lab.check(sorted(uids) == [("left", "11" * 12), ("right", "22" * 12)], uids)
    code, out = lab.run("run", suite, "--board-dir", lab.path("kinds"), "--lab",
                        inventory("22" * 12, "11" * 12), "--db", swapped)
    lab.check(code == 3, f"swapped: status {code}\n{out}")
    lab.check("this is another board" in out, out)
    lab.check(lab.query(swapped, "SELECT count(*) FROM v_metrics")[0][0] == 0, "a number was stored")
    lab.check(state("left")["state"] == "quarantined", "left is not in quarantine")


def quarantine_holds_until_a_check_passed(suite, inventory):
    db = lab.path("q.db")
    arm("hangs", *["mute from-board"] * 20)
    code, out = lab.run("run", suite, "--lab", inventory, "--db", db, "-b", "hangs", "-b", "well")
    lab.check(code == 4, f"status {code}\n{out}")
    lab.check(rungs(db, "hangs")[-1] == ("quarantine", 0), rungs(db, "hangs"))
    lab.check(state("hangs")["state"] == "quarantined", state("hangs"))
    before = len(os.listdir(lab.folder))
    code, out = lab.run("run", suite, "--lab", inventory, "--db", db, "-b", "hangs", "--batch")
    lab.check(code == 76, f"a quarantined board under a scheduler: {code}\n{out}")
    lab.check("in quarantine since" in out, out)
    code, out = lab.run("boards", "check", "hangs", "--lab", inventory)
    lab.check(code == 3 and state("hangs")["state"] == "quarantined", out)
    arm("hangs")
    code, out = lab.run("boards", "check", "hangs", "--lab", inventory)
    lab.check(code == 0 and state("hangs")["state"] == "good", out)
    code, out = lab.run("resume", "--lab-faults", "--lab", inventory, "--db", db,
                        lab.query(db, "SELECT run FROM v_runs ORDER BY time LIMIT 1")[0][0])
    lab.check(code == 0, f"resume of what the lab failed: {code}\n{out}")
    lab.check(len(os.listdir(lab.folder)) == before, os.listdir(lab.folder))
    code, out = lab.run("boards", "maintenance", "hangs", "new cable", "--lab", inventory)
    code, out = lab.run("run", suite, "--lab", inventory, "--db", db, "-b", "hangs", "-b", "well")
    lab.check(code == 0 and "maintenance: new cable" in out, out)
    code, out = lab.run("boards", "clear", "hangs", "--lab", inventory)
    lab.check(code == 0 and state("hangs")["state"] == "good", out)


def a_recorded_session_is_kept(suite, inventory):
    code, out = lab.run("run", suite, "--lab", inventory, "--db", lab.path("rec.db"), "-b", "well",
                        "--record", lab.path("records"))
    lab.check(code == 0, out)
    kept = os.listdir(lab.path("records"))
    lab.check(len(kept) == 1 and kept[0].startswith("well-") and "-nonce" in kept[0], kept)
    path = os.path.join(lab.path("records"), kept[0])
    lab.check(os.stat(path).st_mode & 0o7 == 0, "a record that anybody reads")
    with open(path) as f:
        lines = f.read().splitlines()
    lab.check(len(lines) > 50 and all(line.split()[1] in "<>" for line in lines), lines[:3])


def main():
    suite = lab.suite(2)
    inventory = lab.write("lab.yaml", "name: t\nvirtual_boards: false\nboards:\n"
                                      f"  hangs: {{board: {KINDS[0]}}}\n"
                                      f"  well: {{board: {KINDS[1]}}}\n")
    a_hung_board_is_reset_and_its_case_retried(suite, inventory)
    a_killed_worker_does_not_renew_the_budget(inventory)
    other_firmware_is_no_result(suite, inventory)
    twins_are_told_apart(suite)
    quarantine_holds_until_a_check_passed(suite, inventory)
    a_recorded_session_is_kept(suite, inventory)
    lab.check_quiet([database])
    lab.close()
    print("recovery, identity, quarantine, records: as they should be")


main()

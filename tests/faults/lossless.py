#!/usr/bin/env python3
"""All that workers say is in the database and in what is exported from it: every event once, every field
as it was. usage: lossless.py BUILD SOURCE

Each worker writes its events down before they leave it (TINYRIG_EVENT_LOG). They are compared with the
tables and views by what is written here, which knows nothing of the code between: for a run with repeats,
cold windows, several inputs, data sets, profiles, energy, budgets, wrong outputs and a board whose outputs
turn wrong later; for one that was killed and resumed; and for shares that were merged.
"""
import collections
import csv
import hashlib
import io
import json
import math
import os
import signal
import sys
import time
import uuid

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import Lab  # noqa: E402
from liar import Liar, wrong_after  # noqa: E402

lab = Lab(sys.argv[1], sys.argv[2], "lossless")
AGENT = os.path.join(lab.build, "agents/ports/posix/tinyrig-agent-posix")
MODELS = os.path.join(lab.source, "suites/models")
VECTORS = len([n for n in os.listdir(MODELS + "/sine") if n.startswith("in") and n.endswith(".bin")])
BY_PARENT = ("worker", "admission")  # stages of ends that no worker said
WINDOW = ("repeat", "index", "cold", "inferences", "ticks", "overhead", "value", "unit", "invalid", "host_ns")
ENERGY = ("index", "inferences", "full", "invalid", "duration_s", "gross_nj", "net_nj", "idle_nj",
          "marker_nj", "gross_nc", "net_nc", "mean_na", "idle_na", "peak_na", "drift_na", "mean_uv",
          "systematic_nj", "random_nj", "samples", "lost")
METRIC = ("name", "class_", "unit", "lower_is_better", "value", "low", "high", "n", "budget", "over_budget")
OUTPUT = ("vector", "tensor", "pass", "compared", "equal", "first_difference", "differences")
PROFILE = ("index", "op", "kernel", "value", "unit", "macs")
RECOVERY = ("rung", "reason", "worked")
END = ("status", "code", "failure_class", "stage", "text", "hint", "host_ns", "retried")
INVALID = ("clock", "short", "overrun", "link", "output", "residual", "meter", "gate")


# ---- what was said ----

def plain(value):
    """Nothing is a number that is none."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def said(path):
    """(case, attempt): kind: events in order."""
    found = collections.defaultdict(lambda: collections.defaultdict(list))
    with open(path) as f:
        for line in f:
            event = {key: plain(value) for key, value in json.loads(line).items()}
            key = event["case"], event["attempt"]
            if event["kind"] == "case-begin":
                found.pop(key, None)  # one of this number was begun, and nobody lived to hear of it
            found[key][event["kind"]].append(event)
    return found


def pick(event, fields):
    row = [event[f] for f in fields]
    if event["kind"] == "metric" and not (event["low"] is not None and event["high"] is not None
                                          and event["low"] < event["high"]):
        row[fields.index("low")] = row[fields.index("high")] = None  # no interval
    if event["kind"] == "profile" and event["kernel"] is None:
        row[fields.index("kernel")] = ""
    for name in ("data", "samples"):
        if isinstance(event.get(name), dict):
            row += [event[name]["size"], event[name]["sha256"]]
    if event["kind"] == "case-end":
        row += [event["log"]["sha256"] if event["log"] else None]
    return tuple(row)


# ---- what is there ----

def digest(data):
    return None if data is None else hashlib.sha256(data).hexdigest()


def stored(database):
    """The same of the database: (case, attempt): kind: rows; and when each attempt began and ended."""
    found = collections.defaultdict(lambda: collections.defaultdict(list))

    def read(kind, columns, source, change=lambda row: row):
        for key, attempt, *row in lab.query(database, f"SELECT case_key, attempt, {columns} FROM {source}"):
            found[key, attempt][kind].append(tuple(change(row)))

    inner = "FROM attempt a JOIN case_def c ON c.id = a.case_def"
    read("window", '"repeat", window, cold, inferences, ticks, overhead, value, unit, invalid, host_s, 0, NULL',
         "v_windows", lambda r: r[:9] + [round(r[9] * 1e9)] + r[10:])
    read("energy", ", ".join(("window",) + ENERGY[1:]), "v_energy")
    read("output", ", ".join(OUTPUT) + ", size, data", "v_outputs", lambda r: r[:-1] + [digest(r[-1])])
    read("profile", "position, op, kernel, value, unit, macs", "v_profile")
    read("fact", "key, value", "v_facts WHERE kind <> 'board_type'")
    read("recovery", "rung, reason, worked", "v_recoveries")
    read("metric", "metric, class, unit, lower_is_better, value, low, high, n, budget, over_budget",
         f"(SELECT c.key AS case_key, a.number AS attempt, s.metric, s.class, u.name AS unit,"
         f" s.lower_is_better, m.* {inner} JOIN measurement m ON m.attempt = a.id"
         f" JOIN series s ON s.id = m.series JOIN unit u ON u.id = s.unit)")
    read("case-end", "status, code, failure_class, stage, text, hint, host_ns, retried, data, ended_ns",
         f"(SELECT c.key AS case_key, a.number AS attempt, a.*, b.data {inner}"
         f" LEFT JOIN blob b ON b.id = a.log WHERE a.status IS NOT NULL)",
         lambda r: r[:8] + [digest(r[8])] + r[9:])
    read("case-begin", "started_ns", f"(SELECT c.key AS case_key, a.number AS attempt, a.* {inner})")
    return found


FIELDS = {"window": WINDOW, "energy": ENERGY, "output": OUTPUT, "profile": PROFILE, "metric": METRIC,
          "recovery": RECOVERY, "fact": ("key", "value"), "case-end": END, "case-begin": ("at_ns",)}


def rows_of(events, kind):
    rows = [pick(e, FIELDS[kind]) for e in events.get(kind, [])]
    if kind == "energy":
        rows = [row[:len(ENERGY)] for row in rows]
    if kind == "case-end":
        rows = [row + (e["at_ns"],) for row, e in zip(rows, events[kind])]
    return collections.Counter(rows)


def compare(where, log, database):
    """Every event once, and nothing that nobody said. An attempt that never ended may have less."""
    events, rows = said(log), stored(database)
    compared = collections.Counter()
    lab.check(set(rows) <= set(events) | {k for k in rows if is_skip(rows[k])},
              f"{where}: attempts that nobody began: {set(rows) - set(events)}")
    for key in events:
        ended = any(row[3] not in BY_PARENT for row in rows[key]["case-end"])
        for kind in FIELDS:
            want, got = rows_of(events[key], kind), collections.Counter(rows[key][kind])
            compared[kind] += sum(want.values())
            if kind == "case-end" and not ended:
                continue
            missing, strange = want - got, got - want
            lab.check(not strange and (not missing or not ended),
                      f"{where}: {key}: {kind}: said, not there: {list(missing)[:3]}; there, not said: "
                      f"{list(strange)[:3]}")
    conflicts = lab.query(database, "SELECT sum(conflicts) FROM v_runs")
    lab.check(conflicts == [(0,)], f"{where}: {conflicts} {lab.query(database, 'SELECT * FROM v_conflicts')}")
    return compared


def is_skip(kinds):
    return any(row[0] == "skipped" for row in kinds["case-end"])


# ---- what is exported ----

def words(bits):
    return tuple(w for i, w in enumerate(INVALID) if bits >> i & 1)


def compare_exported(where, log, database, run):
    """JSON has all of the newest attempts, CSV their metrics."""
    events = said(log)
    cases = json.loads(export(database, run, "json"))["cases"]
    table = collections.Counter(
        (r["case"], r["metric"], r["value"]) for r in csv.DictReader(io.StringIO(export(database, run, "csv")))
        if r["metric"])
    for case in cases:
        if case["status"] in ("skipped", "unfinished") or (case["failure"] or {}).get("stage") in BY_PARENT:
            continue
        mine = events[case["key"], case["attempt"]]
        for kind, name, fields in (("window", "windows", WINDOW), ("energy", "energy_windows", ENERGY),
                                   ("metric", "metrics", METRIC), ("profile", "profile", PROFILE),
                                   ("recovery", "recoveries", RECOVERY)):
            want = collections.Counter(pick(e, fields)[:len(fields)] for e in mine[kind])
            want = collections.Counter(
                {tuple(words(v) if f == "invalid" else v for f, v in zip(fields, row)): n
                 for row, n in want.items()})
            got = collections.Counter(
                tuple(tuple(row[f]) if f == "invalid" else row["class" if f == "class_" else f]
                      for f in fields) for row in case.get(name, []))
            lab.check(want == got, f"{where}: JSON of {case['key']}: {name}: {list((want - got))[:3]} is "
                                   f"{list((got - want))[:3]}")
        lab.check(all(case["facts"].get(e["key"]) == e["value"] for e in mine["fact"]),
                  f"{where}: JSON of {case['key']}: facts")
        (end,) = mine["case-end"]
        lab.check((case["status"], case["text"], case["host_ns"]) == (end["status"], end["text"], end["host_ns"]),
                  f"{where}: JSON of {case['key']}: {case['status']}, {case['text']}")
        first = [e for e in mine["output"] if e["compared"] and e["pass"] == 0]
        wrong = {e["vector"] for e in mine["output"] if e["compared"] and not e["equal"]}
        lab.check((case["outputs_compared"], case["outputs_equal"]) == (len(first), len(first) - len(wrong)),
                  f"{where}: JSON of {case['key']}: outputs")
        for e in mine["metric"]:
            row = case["key"], e["name"], next(
                (v for c, m, v in table if (c, m) == (case["key"], e["name"]) and
                 (v == "" if e["value"] is None else v != "" and float(v) == e["value"])), None)
            lab.check(table[row] == 1, f"{where}: CSV: {row} {e}")
    return len(cases)


def export(database, run, form):
    code, out = lab.run("export", f"run={run}", "--format", form, "--db", database)
    lab.check(code == 0, out)
    return out


# ---- runs ----

def run(log, *args, codes=(0, 1, 3, 4)):  # a busy host may find windows too noisy
    lab.env["TINYRIG_EVENT_LOG"] = lab.path(log)
    code, out = lab.run(*args, "--lab", inventory, "--board-dir", lab.path("kinds"), "--quiet")
    lab.check(code in codes, f"{args}: status {code}\n{out}")
    return out


def make_suites():
    """Both suites of this test: one with all that needs no meter, one with energy."""
    with open(MODELS + "/sine/out00.bin", "rb") as f:
        right = f.read()
    with open(lab.path("wrong.bin"), "wb") as f:
        f.write(bytes([right[0] ^ 1]) + right[1:])
    sine = f"path: {MODELS}/sine/sine.tflite"
    golden = f"inputs: {MODELS}/sine/in*.bin, expected: {MODELS}/sine/out*.bin"
    many = lab.write("many.yaml", f"""name: many
measure: {{inferences: 400, windows: 2, repeat: 3, profile: true}}
models:
  - {{name: right, {sine}, {golden}, budgets: [ram <= 1MiB]}}
  - {{name: over, {sine}, {golden}, budgets: [macs <= 1]}}
  - {{name: wrong, {sine}, inputs: {MODELS}/sine/in00.bin, expected: {lab.path("wrong.bin")}}}
  - {{name: free, {sine}, inputs: {MODELS}/sine/in*.bin}}
  - {{name: data, path: {MODELS}/gesture/gesture.tflite, dataset: {{path: {MODELS}/data/gesture, limit: 5}}}}
boards: [virt-posix, forgets{", virt-m4" if M4 else ""}]
engines: [tiny]
""")
    energy = lab.write("energy.yaml", f"""name: energy
measure: {{inferences: 100, windows: 2, repeat: 2}}
models:
  - {{name: right, {sine}, {golden}}}
boards: [virt-m4]
engines: [tiny]
energy: {{voltage: 3.0V, windows: 2, window_time: 100ms, idle_time: 50ms,
  battery: {{capacity: 2000mAh, sleep_current: 12uA, inferences_per_hour: 360}}}}
budgets: [energy <= 1nJ]
""")
    return many, energy


def all_kinds(many, energy):
    """Nothing is lost of a run that goes through."""
    database = lab.path("all.db")
    run("all.log", "run", many, "--db", database)
    compared = compare("run", lab.path("all.log"), database)
    exported = compare_exported("run", lab.path("all.log"), database, "last")
    if M4:
        run("energy.log", "run", energy, "--db", lab.path("energy.db"))
        compared += compare("energy", lab.path("energy.log"), lab.path("energy.db"))
        exported += compare_exported("energy", lab.path("energy.log"), lab.path("energy.db"), "last")
    for kind in FIELDS:
        lab.check(compared[kind] > 0 or kind == "recovery" or (kind == "energy" and not M4),
                  f"no {kind} was said: the test is no test")
    look_closer(database, said(lab.path("all.log")))
    print(f"{sum(compared.values())} events: {dict(compared)}; {exported} cases exported")
    return database


def look_closer(database, events):
    """What was once lost: first windows, clock checks of later repeats, outputs that turn wrong later."""
    for (key, _), kinds in events.items():
        end = kinds["case-end"][0]["status"]
        if end in ("passed", "over-budget"):
            per_repeat = collections.Counter(w["repeat"] for w in kinds["window"])
            cold = 0 if key.startswith("data/") else 1
            lab.check(set(per_repeat) == {0, 1, 2} and
                      all(n >= 6 + cold for n in per_repeat.values()), f"{key}: {per_repeat}")
        clocks = [m for m in kinds["metric"] if m["name"] == "clock.ppm"]
        lab.check(len(clocks) <= 1 and (end != "passed" or "virt-m4" in key or clocks[0]["n"] >= 3),
                  f"{key}: {clocks}")
    later = lab.query(database, "SELECT case_key, vector, pass, equal, differences FROM v_outputs WHERE pass > 0")
    lab.check(later == [("right/forgets/tiny", 0, 1, 0, 1)], f"outputs that were wrong later: {later}")
    row = lab.query(database, "SELECT status, stage, outputs_compared, outputs_equal FROM v_cases"
                              " WHERE case_key = 'right/forgets/tiny'")
    lab.check(row == [("failed", "check again", VECTORS, VECTORS - 1)], row)


def killed_and_resumed(many):
    """What was there before a kill is there after the resume, once."""
    database, log = lab.path("resumed.db"), lab.path("resumed.log")
    lab.env["TINYRIG_EVENT_LOG"] = log
    p = lab.start("run", many, "--lab", inventory, "--board-dir", lab.path("kinds"), "--quiet", "--db", database)
    until = time.monotonic() + 120
    while time.monotonic() < until and p.poll() is None:
        if os.path.exists(log) and any(kinds["case-end"] for kinds in said_so_far(log).values()):
            break
        time.sleep(0.05)
    p.send_signal(signal.SIGKILL)
    p.communicate()
    run("resumed.log", "resume", "--db", database)
    compare("resume", log, database)
    compare_exported("resume", log, database, "last")


def said_so_far(path):
    """The log may end within a line."""
    with open(path) as f:
        text = f.read()
    whole = lab.write("so-far.log", text[:text.rfind("\n") + 1])
    return said(whole)


def shares_merged(many):
    """Two shares of a run, merged twice: what one database has and what the other has."""
    name, merged = str(uuid.uuid4()), lab.path("merged.db")
    parts = [lab.path("share-1.db"), lab.path("share-2.db")]
    for i, part in enumerate(parts):
        run("shares.log", "run", many, "--db", part, "--run-id", name, "--shard", f"{i + 1}/2")
        code, out = lab.run("tag", f"share-{i + 1}", "last", "--db", part)
        lab.check(code == 0, out)
        code, out = lab.run("mute", f"case-{i}/*", "--reason", "a test", "--days", "3", "--db", part)
    for order in (parts, parts[::-1], parts):
        code, out = lab.run("merge", "--db", merged, *order)
        lab.check(code == 0 and "something else" not in out, out)
        compare("merge", lab.path("shares.log"), merged)
    compare_exported("merge", lab.path("shares.log"), merged, "last")
    lab.check(lab.query(merged, "SELECT count(*) FROM v_cases WHERE status = 'skipped'") == [(0,)],
              "a case that one share left to the other is skipped")
    lab.check(len(lab.query(merged, "SELECT tag FROM v_tags")) == 2, "a tag is lost")
    code, out = lab.run("db", "check", "--db", merged)
    lab.check(code == 0, out)


M4 = lab.has_firmware("virt-m4")
os.mkdir(lab.path("kinds"))
lab.write("kinds/far.yaml", "name: far\ncpu: cortex-m4\nclock: 100MHz\nflash: 1MiB\nram: 1MiB\n"
                            "timebase: ns\ntransport: {kind: tcp, where: localhost:1}\n"
                            f"flashing: {{method: none, firmware: {AGENT}}}\n")
liar = Liar(AGENT, lab.env, wrong_after(VECTORS), -1)
inventory = lab.write("lab.yaml", "boards:\n  forgets: {board: far, transport: {where: "
                                  f"\"localhost:{liar.port}\"}}}}\n  virt-posix: {{board: virt-posix}}\n"
                                  "  virt-m4: {board: virt-m4}\n")
suites = make_suites()
all_kinds(*suites)
killed_and_resumed(suites[0])
shares_merged(suites[0])
liar.close()
lab.check_quiet([lab.path(name) for name in ("all.db", "resumed.db", "merged.db")])
lab.close()
print("nothing is lost")

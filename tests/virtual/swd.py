#!/usr/bin/env python3
"""The same cases over a serial port, over SWD, and with the agent injected into RAM: outputs and
instruction counts must be the same. Then OpenOCD is killed in the middle of a run, and nothing may
stay behind.

usage: swd.py BUILD SOURCE
"""
import os
import re
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time

build, source = map(os.path.abspath, sys.argv[1:3])
rounds = int(os.environ.get("TINYRIG_FLASH_ROUNDS", "2"))
if shutil.which("openocd") is None or shutil.which("qemu-system-arm") is None:
    print("skipped: openocd or qemu-system-arm is not installed")
    sys.exit(77)
if not os.path.exists(os.path.join(build, "firmware", "microbit-rtt.elf")):
    print("skipped: no cross compiler")
    sys.exit(77)

# serial board: those that must agree with it
TWINS = {"virt-m0": ["virt-m0-swd", "virt-m0-rtt"], "virt-m3": ["virt-m3-inject"],
         "virt-m4-big": ["virt-m4-swd", "virt-m4-rtt", "virt-m4-inject"],
         "virt-m7": ["virt-m7-inject"], "virt-m55": ["virt-m55-inject"]}
BOARDS = [b for a, twins in TWINS.items() for b in [a] + twins]
failures = []


def check(good, what):
    if not good:
        failures.append(what)
        print("FAILED:", what)


def children(folder):
    """Programs that were started for a run in this folder and still live."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                mine = folder.encode() in file.read()
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                stat = file.read()
        except OSError:
            continue
        name = stat[stat.index("(") + 1:stat.rindex(")")]
        zombie = stat[stat.rindex(")") + 2] == "Z"
        if mine and not zombie and int(pid) != os.getpid():
            found.append((int(pid), name))
    return found


def tinyrig(*arguments, wait=True):
    command = [os.path.join(build, "tinyrig"), *arguments]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    if not wait:
        return process
    text, _ = process.communicate(timeout=280)
    return process.returncode, text


def run_suite(suite, boards, *more):
    arguments = ["run", "--db", database, os.path.join(source, "suites", suite), *more]
    for board in boards:
        arguments += ["-b", board]
    return tinyrig(*arguments)


def compare_twins(suite):
    db = sqlite3.connect(database)
    values = {}
    for board, model, engine, metric, value in db.execute(
            "SELECT board, model, engine, metric, value FROM v_metrics "
            "WHERE suite = ? AND metric IN ('latency', 'latency.cold', 'memory.arena')", (suite,)):
        values[board, model, engine, metric] = value
    outputs = {}
    for board, model, vector, tensor, data in db.execute(
            "SELECT board, model, vector, tensor, data FROM v_outputs JOIN v_runs USING (run) "
            "WHERE v_runs.suite = ?", (suite,)):
        outputs[board, model, vector, tensor] = data
    compared = 0
    for serial, twins in TWINS.items():
        for table in (values, outputs):
            for key in [k for k in table if k[0] == serial]:
                for twin in twins:
                    other = (twin,) + key[1:]
                    if other not in table:
                        check(False, f"{suite}: {other} is missing")
                        continue
                    compared += 1
                    check(table[other] == table[key],
                          f"{suite}: {other}: {table[other]!r} instead of {table[key]!r}")
    check(compared > 0, f"{suite}: nothing to compare")
    print(f"{suite}: {compared} figures and outputs compared with the serial port's")


def silent_windows():
    """The probe counts what it does to the memory, and when; the marker says when windows are."""
    seen = 0
    for board in BOARDS:
        path = os.path.join(environment["TINYRIG_FAULT_DIR"], board + ".status")
        for line in read(path).decode().splitlines() if os.path.exists(path) else []:
            status = dict(word.split("=", 1) for word in line.split() if "=" in word)
            if "in_windows" not in status or status["edges"] == "0":
                continue  # no probe, or no marker
            seen += int(status["edges"])
            check(int(status["accesses"]) > 0 and status["in_windows"] == "0",
                  f"{board}: {status['in_windows']} accesses of {status['accesses']} in windows")
    check(seen >= 4 * 20, f"only {seen} edges were seen")
    print(f"no access of the probe to memory in {seen // 2} windows of four boards")


def agree():
    status, text = run_suite("quickstart.yaml", BOARDS)
    check(status == 0, f"quickstart: exit status {status}\n{text}")
    compare_twins("quickstart")
    silent_windows()


def footprint():
    status, text = run_suite("footprint.yaml", BOARDS)
    check(status == 0, f"footprint: exit status {status}\n{text}")
    compare_twins("footprint")


def segments(elf):
    """(address in flash, bytes) of what an ELF file loads."""
    with open(elf, "rb") as file:
        data = file.read()
    offset, size, count = (struct.unpack_from("<I", data, 28)[0],
                           *struct.unpack_from("<HH", data, 42))
    for i in range(count):
        kind, at, _, load, length = struct.unpack_from("<5I", data, offset + i * size)
        if kind == 1 and length > 0:
            yield load, data[at:at + length]


def reflash():
    """Two firmwares in turn on one chip, each by a run of its own that must pass; then what the
    flash holds is what the file says, byte by byte."""
    lab = os.path.join(folder, "boards")
    os.makedirs(lab, exist_ok=True)
    suite = os.path.join(source, "suites", "quickstart.yaml")
    for pair in (("virt-m0-swd", "virt-m0-rtt"), ("virt-m4-swd", "virt-m4-rtt")):
        content = os.path.join(folder, pair[0] + ".flash")
        firmware = {}
        for board in pair:
            with open(os.path.join(source, "targets", "boards", board + ".yaml"),
                      encoding="utf-8") as file:
                text = file.read()
            firmware[board] = os.path.join(build, "firmware",
                                           text.split("agent: ")[1].split("\n")[0] + ".elf")
            with open(os.path.join(lab, board + ".yaml"), "w", encoding="utf-8") as file:
                file.write(text + f"  flash_file: {content}\n")
        done = 0
        for turn in range(rounds):
            board = pair[turn % 2]
            status, said = tinyrig("run", "--db", database, "--board-dir", lab, "-b", board,
                                   "--filter", "sine/*", suite)
            check(status == 0 and " 1 passed" in said, f"{board}, flashing {turn}: {said}")
            flash = read(content)
            different = [hex(at) for at, data in segments(firmware[board])
                         if flash[at:at + len(data)] != data]
            check(different == [], f"{board}, flashing {turn}: other bytes at {different}")
            done += status == 0 and different == []
        print(f"{pair[0]}: {done} of {rounds} flashings ran and read back identical")


def kill_openocd():
    for board in ("virt-m0-rtt", "virt-m4-rtt"):
        process = tinyrig("run", "--db", database, "-b", board,
                          os.path.join(source, "suites", "quickstart.yaml"), wait=False)
        killed = False
        end = time.monotonic() + 20
        while not killed and time.monotonic() < end and process.poll() is None:
            for pid, name in children(folder):
                if name == "openocd":
                    time.sleep(0.4)
                    try:
                        os.kill(pid, signal.SIGKILL)
                        killed = True
                    except OSError:
                        pass
        text, _ = process.communicate(timeout=120)
        check(killed, f"{board}: no OpenOCD was seen")
        # A lab fault: the ladder heals it and the case is measured again, or the run says so.
        check(process.returncode in (0, 3, 4), f"{board}: exit status {process.returncode}\n{text}")
        # Killed while it had nothing to do, as between flashing and talking, it is not missed.
        check("OpenOCD" in text or " 3 passed, " in text, f"{board}: {text}")
        check(children(folder) == [], f"{board}: {children(folder)} live on")
        status, text = run_suite("quickstart.yaml", [board], "--filter", "sine/*")
        check(status == 0, f"{board} after the kill: {text}")


def doctor():
    status, text = tinyrig("doctor", "virt-m4-rtt")
    check(status == 0 and "DPIDR 0x2ba01477" in text and "Cortex-M4" in text and
          "link     ok" in text and re.search(r"meter    ok .* mA over [0-9]+ samples", text),
          f"doctor: {text}")
    lab = os.path.join(folder, "lab.yaml")
    boards = os.path.join(folder, "real")
    os.makedirs(boards, exist_ok=True)
    with open(os.path.join(boards, "bench.yaml"), "w", encoding="utf-8") as file:
        file.write("cpu: cortex-m4\nagent: mps2-an386\nclock: 25MHz\n"
                   "flash: {base: 0, size: 1MiB}\nram: {base: 0x20000000, size: 64KiB}\n"
                   "openocd: {interface: interface/stlink-dap.cfg, target: target/atsame5x.cfg}\n")
    with open(lab, "w", encoding="utf-8") as file:
        file.write("boards:\n  bench:\n    board: bench\n"
                   "    transport: {usb_serial: NOPE}\n    openocd: {address: \"127.0.0.1:1\"}\n")
    status, text = tinyrig("doctor", "--lab", lab, "--board-dir", boards, "bench")
    check(status == 3 and "adapter  BROKEN" in text and "core" not in text, f"no adapter: {text}")
    # Nothing switches it on; its meter is not there.
    with open(lab, "w", encoding="utf-8") as file:
        file.write("meters:\n  gone: {driver: ppk2, where: /dev/null}\n"
                   "commands: [\"false\", \"true\"]\npower:\n  none: {kind: command, turn_on: [\"false\"], turn_off: [\"true\"]}\n"
                   "boards:\n  bench: {board: bench, power: none, transport: {usb_serial: NOPE}}\n"
                   "  metered: {board: virt-posix, meter: gone}\n")
    status, text = tinyrig("doctor", "--lab", lab, "--board-dir", boards, "bench")
    check(status == 3 and "power    BROKEN" in text and "by hand" in text, f"no power: {text}")
    status, text = tinyrig("doctor", "--lab", lab, "--board-dir", boards, "metered")
    check(status != 0 and "link     ok" in text and "meter    BROKEN" in text,
          f"no meter: {text}")
    status, text = tinyrig("probe", "/dev/null")
    check(status == 0 and "rejected" in text, f"probe: {text}")


# Chips that are not as the board file has it: the virtual board, what is changed in its file, the
# step at which a doctor stops, the class of a run's cases, and what both say.
STRANGE = {
    "secured": ("virt-m4-swd", ("  probe: true", "  probe: true\n  chip: same54-secured"),
                "core", "lab", "locked"),
    "unknown": ("virt-m4-swd", ("  probe: true", "  probe: true\n  chip: same54-unknown"),
                "flash", "flash", "another chip than the board file says"),
    "protected": ("virt-m0-swd", ("  probe: true", "  probe: true\n  chip: nrf51-protected"),
                  "agent", "flash", "write-protected"),
    "other-script": ("virt-m0-swd", ("target/nrf51.cfg", "target/atsame5x.cfg"),
                     "flash", "flash", "another chip than the board file says"),
    "other-chip": ("virt-m4-swd", ("target/atsame5x.cfg", "target/nrf51.cfg"),
                   "agent", "flash", "another chip than the board file says"),
    "other-id": ("virt-m4-swd", ("dpidr: 0x2ba01477", "dpidr: 0x0bb11477"),
                 "chip", "lab", "DPIDR 0x2ba01477, the board file 0x0bb11477"),
    "other-core": ("virt-m4-swd", ("cpu: cortex-m4", "cpu: cortex-m33"),
                   "chip", "lab", "has a Cortex-M4 r0p0, the board file says cortex-m33"),
    "blank": ("virt-m4-rtt", ("method: openocd", "method: none"),
              "agent", "lab", "is the flash blank"),
}


def strange(names=("secured", "protected", "other-id")):
    environment["TINYRIG_FAULT_ANSWER_MS"] = "400"  # boards that will not answer are many here
    lab = os.path.join(folder, "strange")
    os.makedirs(lab)
    db = os.path.join(folder, "strange.db")
    for name in names:
        board, (old, new), step, kind, words = STRANGE[name]
        text = read(os.path.join(source, "targets", "boards", board + ".yaml")).decode()
        check(old in text, f"{board} has no '{old}'")
        with open(os.path.join(lab, f"virt-{name}.yaml"), "w", encoding="utf-8") as file:
            file.write(text.replace(f"name: {board}", f"name: virt-{name}").replace(old, new) +
                       f"  flash_file: {name}.flash\n")
        with open(os.path.join(lab, name + ".flash"), "wb") as file:
            file.write(b"\xff" * 1024)  # the rest of it is blank, too
        status, said = tinyrig("doctor", "--board-dir", lab, f"virt-{name}")
        said = re.sub(r"\s+", " ", said)
        check(status == 3 and words in said and f"{step} BROKEN" in said, f"doctor {name}: {said}")
        status, said = tinyrig("run", "--db", db, "--board-dir", lab, "-b", f"virt-{name}",
                               "--filter", "sine/*", os.path.join(source, "suites/quickstart.yaml"))
        check(status == 3 and words in said, f"run {name}: exit status {status}\n{said}")
        found = sqlite3.connect(db).execute(
            "SELECT DISTINCT failure_class FROM attempt a JOIN case_def c ON c.id = a.case_def "
            "WHERE c.board = ?", (f"virt-{name}",)).fetchall()
        check(found == [(kind,)], f"run {name}: {found} instead of {kind}")
        logs = sqlite3.connect(db).execute(
            "SELECT b.data FROM attempt a JOIN case_def c ON c.id = a.case_def "
            "JOIN blob b ON b.id = a.log WHERE c.board = ?", (f"virt-{name}",)).fetchall()
        check(len(logs) > 0 and b"openocd:" in logs[0][0] and b"DPIDR" in logs[0][0],
              f"run {name}: OpenOCD's log is not kept with the case: {logs}")
    del environment["TINYRIG_FAULT_ANSWER_MS"]
    print(f"{len(names)} chips that are locked, others or blank")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def join():
    """A board whose OpenOCD somebody else has started, and goes on running after us."""
    port = free_port()
    boards = os.path.join(folder, "joined")
    os.makedirs(boards)
    text = ("cpu: cortex-m4\nagent: mps2-an386-rtt\nclock: 25MHz\n"
            "flash: {base: 0, size: 1MiB}\nram: {base: 0x20000000, size: 256KiB}\n"
            "slot: {base: 0x00020000, size: 896KiB, written_by: flash}\n"
            "transport: {kind: swd}\nflashing: {method: openocd}\n"
            "openocd: {target: target/atsame5x.cfg, connect: \"%s:%d\"}\n")
    for name, host in (("joined", "127.0.0.1"), ("remote", "192.0.2.1")):
        with open(os.path.join(boards, name + ".yaml"), "w", encoding="utf-8") as file:
            file.write(text % (host, port))
    lab = os.path.join(folder, "join.yaml")
    with open(lab, "w", encoding="utf-8") as file:
        file.write("virtual_boards: false\nboards:\n"
                   "  joined: {board: joined}\n  remote: {board: remote}\n")
    vboard = subprocess.Popen(
        [os.path.join(build, "targets/virtual/tinyrig-vboard"), "--kind", "qemu", "--name", "far",
         "--dir", folder, "--machine", "mps2-an386", "--icount", "off", "--probe", "stlink"],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    check(vboard.stdout.readline().startswith("ready"), "no board to join")
    status, said = tinyrig("doctor", "--lab", lab, "--board-dir", boards, "joined")
    check(status == 3 and "adapter  BROKEN" in said and "start it" in said, f"nobody there: {said}")
    status, said = tinyrig("doctor", "--lab", lab, "--board-dir", boards, "remote")
    check(status == 2 and "on 127.0.0.1" in said, f"another host's: {said}")
    openocd = subprocess.Popen(
        ["openocd", "-c", f"bindto 127.0.0.1; tcl_port {port}; gdb_port disabled",
         "-c", "telnet_port disabled", "-f", os.path.join(folder, "far.openocd.cfg")],
        env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True)
    for line in openocd.stderr:
        if "for tcl connections" in line:
            break
    threading.Thread(target=openocd.stderr.read, daemon=True).start()
    status, said = tinyrig("doctor", "--lab", lab, "--board-dir", boards, "joined")
    check(status == 0 and "DPIDR 0x2ba01477" in said and "Cortex-M4" in said, f"joined: {said}")
    sine = os.path.join(source, "suites/models/sine")
    out = os.path.join(folder, "joined.out")
    status, said = tinyrig("infer", os.path.join(sine, "sine.tflite"), "--lab", lab, "--board-dir",
                           boards, "--board", "joined", "--input", os.path.join(sine, "in00.bin"),
                           "--output", out)
    check(status == 0, f"joined: {said}")
    check(read(os.path.join(out, "in00.out.bin")) == read(os.path.join(sine, "out00.bin")),
          "joined: another output")
    check(openocd.poll() is None, "the OpenOCD of somebody else was ended")
    openocd.kill()
    openocd.wait()
    vboard.stdin.close()
    vboard.wait()


with tempfile.TemporaryDirectory(prefix="tinyrig-swd-") as folder:
    database = os.path.join(folder, "r.db")
    environment = dict(os.environ, TMPDIR=folder, TINYRIG_LOCK_DIR=os.path.join(folder, "locks"))
    environment["TINYRIG_FAULT_DIR"] = os.path.join(folder, "faults")
    for name in ("TINYRIG_LOCK_DIR", "TINYRIG_FAULT_DIR"):
        os.mkdir(environment[name])
    for part in sys.argv[3:] or ["agree", "reflash", "kill_openocd", "doctor", "join", "strange"]:
        {"agree": agree, "footprint": footprint, "reflash": reflash, "kill_openocd": kill_openocd,
         "doctor": doctor, "join": join, "strange": strange, "strange_all": lambda: strange(STRANGE)}[part]()
    time.sleep(0.2)
    check(children(folder) == [], f"{children(folder)} live on")
sys.exit(1 if failures else 0)

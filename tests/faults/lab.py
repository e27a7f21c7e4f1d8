"""A lab of virtual boards in a private folder, for the programs of this folder."""
import mmap
import os
import shutil
import signal
import struct
import sqlite3
import subprocess
import sys
import tempfile
import time


AGENTS = {"virt-m4": "netduinoplus2", "virt-m0": "microbit", "virt-m3": "mps2-an385",
          "virt-rv32": "rv32-virt", "virt-m4-swd": "mps2-an386", "virt-m0-rtt": "microbit-rtt",
          "virt-m0-swd": "microbit"}


class Lab:
    def __init__(self, build, source, name):
        self.build, self.source = os.path.abspath(build), os.path.abspath(source)
        self.tinyrig = os.path.join(self.build, "tinyrig")
        self.folder = tempfile.mkdtemp(prefix=f"tinyrig-{name}-")
        self.note = ""
        self.env = dict(os.environ, TMPDIR=self.folder)
        for key, sub in (("TINYRIG_LOCK_DIR", "locks"), ("TINYRIG_STATE_DIR", "state"),
                         ("TINYRIG_FAULT_DIR", "faults")):
            self.env[key] = os.path.join(self.folder, sub)
            os.mkdir(self.env[key])

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)
        return self.path(name)

    def fail(self, text):
        print(f"FAILED {self.note}: {text}\nkept: {self.folder}")
        sys.exit(1)

    def check(self, condition, text):
        if not condition:
            self.fail(text)

    def kinds(self):
        """Kinds of virtual boards whose firmware this build has."""
        return [k for k in ("virt-m4", "virt-m0", "virt-m3", "virt-rv32") if self.has_firmware(k)]

    def has_firmware(self, kind):
        return os.path.exists(self.firmware(kind))

    def firmware(self, kind):
        return os.path.join(self.build, "agents/ports/firmware", AGENTS[kind] + ".elf")

    def suite(self, models, measure="{inferences: 3, windows: 2}", name="faulty", boards='["*"]',
              more=""):
        sine = os.path.join(self.source, "suites/models/sine")
        text = f"name: {name}\nmodels:\n"
        for i in range(models):
            text += (f"  - name: sine{i}\n    path: {sine}/sine.tflite\n"
                     f"    inputs: {sine}/in*.bin\n    expected: {sine}/out*.bin\n")
        return self.write(name + ".yaml",
                          text + f"boards: {boards}\nengines: [tiny]\nmeasure: {measure}\n{more}")

    def start(self, *args, **more):
        return subprocess.Popen([self.tinyrig, *args], env=self.env, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)

    def run(self, *args, timeout=600):
        p = self.start(*args)
        try:
            out, _ = p.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            p.kill()
            self.fail(f"tinyrig {' '.join(args)}: not done after {timeout} s")
        return p.returncode, out

    def query(self, database, sql):
        db = sqlite3.connect(database)
        rows = db.execute(sql).fetchall()
        db.close()
        return rows

    def execute(self, database, sql):
        db = sqlite3.connect(database)
        db.execute(sql)
        db.commit()
        db.close()

    def ours(self):
        """Processes with our folder in their environment: workers, supervisors, emulators."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as f:
                    if self.env["TINYRIG_LOCK_DIR"].encode() not in f.read():
                        continue
                with open(f"/proc/{pid}/stat") as f:
                    if f.read().rsplit(")", 1)[1].split()[0] != "Z" and int(pid) != os.getpid():
                        found.append(int(pid))
            except (FileNotFoundError, PermissionError, ProcessLookupError):
                pass
        return found

    def name_of(self, pid):
        try:
            with open(f"/proc/{pid}/comm") as f:
                return f.read().strip()
        except (FileNotFoundError, ProcessLookupError):
            return ""

    def quarantined(self):
        """Boards that this host will not use before somebody looked at them."""
        names = []
        for name in sorted(os.listdir(self.env["TINYRIG_STATE_DIR"])):
            if name.endswith(".state"):
                with open(os.path.join(self.env["TINYRIG_STATE_DIR"], name)) as f:
                    if "state quarantined\n" in f.read():
                        names.append(name[len("board-"):-len(".state")])
        return names

    def held(self):
        """Leases that somebody holds."""
        names = []
        for name in os.listdir(self.env["TINYRIG_LOCK_DIR"]):
            path = os.path.join(self.env["TINYRIG_LOCK_DIR"], name)
            if name.endswith(".lock") and subprocess.run(
                    ["flock", "-n", path, "true"], check=False).returncode != 0:
                names.append(name)
        return names

    def check_quiet(self, databases=()):
        """Nothing of ours lives, nothing is held, databases are sound."""
        for _ in range(1200):  # on a busy host ends take their time
            left = self.ours()
            if not left:
                break
            time.sleep(0.05)
        else:
            self.fail(f"processes outlive the harness: {left}")
        self.check(not self.held(), f"leases are held: {self.held()}")
        for database in databases:
            if os.path.exists(database):
                answer = self.query(database, "PRAGMA integrity_check")[0][0]
                self.check(answer == "ok", f"database: {answer}")

    def figures(self, database):
        """(case, metric, value) of everything exact in the attempts that count."""
        return sorted(self.query(database, """
            SELECT m.case_key, m.metric, m.value FROM v_metrics m
             WHERE m.unit <> 'ns' AND m.metric NOT LIKE 'latency%overhead'
               AND m.metric NOT LIKE 'clock%' AND m.metric <> 'latency.residual'"""))

    def close(self):
        shutil.rmtree(self.folder)


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
        return True
    except ProcessLookupError:
        return False


def parent(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return int(f.read().rsplit(")", 1)[1].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def wrong_firmware(lab, kind):
    """A copy of a kind's agent that says to be another build: one bit of its build id differs."""
    path = lab.path(kind + "-other.elf")
    with open(lab.firmware(kind), "rb") as f:
        image = bytearray(f.read())
    note = image.find(b"\x03\x00\x00\x00GNU\x00")
    lab.check(note > 0, f"{lab.firmware(kind)}: no build id")
    image[note + 8] ^= 0x01
    with open(path, "wb") as f:
        f.write(image)
    os.chmod(path, 0o700)
    return path


class Shim:
    """The clock and the disk of the lab's processes (shim.c)."""

    def __init__(self, lab):
        path = lab.write("shim", "\0" * 16)
        with open(path, "r+b") as f:
            self.words = mmap.mmap(f.fileno(), 16)
        lab.env["TINYRIG_SHIM"] = path
        lab.env["LD_PRELOAD"] = os.path.join(lab.build, "tests/faults/libfaultshim.so")
        lab.check(os.path.exists(lab.env["LD_PRELOAD"]), "the shim was not built")

    def jump(self, seconds):
        self.words[0:8] = struct.pack("q", int(seconds * 1e9))

    def full(self, yes):
        self.words[8:16] = struct.pack("q", int(yes))

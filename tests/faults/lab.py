"""A lab of virtual boards in a private folder, for the programs of this folder."""
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time


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
        pairs = (("virt-m4", "netduinoplus2"), ("virt-m0", "microbit"), ("virt-m3", "mps2-an385"),
                 ("virt-rv32", "rv32-virt"))
        return [k for k, elf in pairs
                if os.path.exists(os.path.join(self.build, "firmware", elf + ".elf"))]

    def suite(self, models, measure="{inferences: 3, windows: 2}", name="faulty", boards='["*"]'):
        sine = os.path.join(self.source, "suites/models/sine")
        text = f"name: {name}\nmodels:\n"
        for i in range(models):
            text += (f"  - name: sine{i}\n    path: {sine}/sine.tflite\n"
                     f"    inputs: {sine}/in*.bin\n    expected: {sine}/out*.bin\n")
        return self.write(name + ".yaml",
                          text + f"boards: {boards}\nengines: [tiny]\nmeasure: {measure}\n")

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
        for _ in range(200):
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

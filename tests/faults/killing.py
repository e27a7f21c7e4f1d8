"""What the tests that kill have in common: a lab of their own, and what must hold after a kill."""
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time


class Bench:
    """A suite, a database and locks in a folder of their own, on the first boards there are."""

    def __init__(self, build, source, models, boards):
        self.tinyrig = os.path.join(build, "tinyrig")
        self.folder = tempfile.mkdtemp(prefix="tinyrig-kill-")
        self.env = dict(os.environ, TINYRIG_LOCK_DIR=os.path.join(self.folder, "locks"),
                        TMPDIR=self.folder, XDG_STATE_HOME=os.path.join(self.folder, "state"))
        os.mkdir(self.env["TINYRIG_LOCK_DIR"])
        self.database = os.path.join(self.folder, "r.db")
        self.suite = os.path.join(self.folder, "suite.yaml")
        self.about = ""  # how to replay, for messages
        self.boards = [b for b, elf in (("virt-m4", "netduinoplus2"), ("virt-m0", "microbit"))
                       if os.path.exists(os.path.join(build, "firmware", elf + ".elf"))][:boards]
        if not self.boards:
            print("skipped: no cross-compiled firmware in this build")
            sys.exit(77)
        model = f"{source}/suites/models/sine"
        with open(self.suite, "w") as f:
            f.write("name: killed\nmodels:\n")
            for i in range(models):
                f.write(f"  - name: sine{i}\n    path: {model}/sine.tflite\n"
                        f"    inputs: {model}/in*.bin\n    expected: {model}/out*.bin\n")
            f.write(f"boards: [{', '.join(self.boards)}]\nengines: [tiny]\n"
                    "measure: {inferences: 3, windows: 2}\n")

    def fail(self, text):
        print(f"FAILED ({self.about}): {text}; kept: {self.folder}")
        sys.exit(1)

    def start(self, *args, database=None, before=()):
        return subprocess.Popen([self.tinyrig, *before, *args, "--db", database or self.database,
                                 "-q"], env=self.env, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True, errors="replace")

    def reference(self):
        """The exact figures of an undisturbed run."""
        path = os.path.join(self.folder, "reference.db")
        p = self.start("run", self.suite, database=path)
        _, errors = p.communicate()
        if p.returncode != 0:
            self.fail(f"undisturbed run: {p.returncode}\n{errors}")
        figures = self.figures(path)
        if not figures:
            self.fail("no exact figures were stored")
        return figures

    def figures(self, path=None):
        """(case, metric, unit, value) of everything exact: instruction counts, sizes."""
        db = sqlite3.connect(path or self.database)
        return sorted(db.execute(
            "SELECT case_key, metric, value FROM v_metrics WHERE unit <> 'ns' AND"
            " metric NOT LIKE 'latency%overhead' AND metric NOT LIKE 'clock%'"
            " AND metric <> 'latency.residual'").fetchall())

    def processes(self):
        """Those with our folder in their environment: workers, supervisors, emulators."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as f:
                    if self.env["TINYRIG_LOCK_DIR"].encode() not in f.read():
                        continue
                with open(f"/proc/{pid}/stat") as stat:
                    if stat.read().rsplit(")", 1)[1].split()[0] != "Z":
                        found.append(int(pid))
            except (FileNotFoundError, PermissionError, ProcessLookupError):
                pass
        return found

    def check_after_kill(self):
        """Nobody of ours lives on, and the database is sound."""
        for _ in range(1200):  # on a busy host ends take their time
            if not self.processes():
                break
            time.sleep(0.05)
        else:
            self.fail(f"processes outlive the harness: {self.processes()}")
        if os.path.exists(self.database):
            answer = sqlite3.connect(self.database).execute("PRAGMA integrity_check").fetchone()[0]
            if answer != "ok":
                self.fail(f"database: {answer}")

    def begun(self):
        """Has the run got as far as the database?"""
        if not os.path.exists(self.database):
            return False
        db = sqlite3.connect(self.database)
        return bool(db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'v_runs'"
                               ).fetchone()[0] and
                    db.execute("SELECT count(*) FROM v_runs").fetchone()[0])

    def finish(self, figures, args=None):
        """Resume to the end; then everything is there once, as if nothing had been."""
        p = self.start(*(args or (["resume"] if self.begun() else ["run", self.suite])))
        _, errors = p.communicate()
        if p.returncode != 0:
            self.fail(f"the last resume: {p.returncode}\n{errors}")
        self.check_done(figures)

    def check_done(self, figures):
        runs = sqlite3.connect(self.database).execute("SELECT count(*) FROM v_runs").fetchone()[0]
        if runs != 1:
            self.fail(f"{runs} runs instead of 1")
        if self.figures() != figures:
            self.fail("figures differ from an undisturbed run")

    def forget(self):
        """Start again with no database."""
        for name in os.listdir(self.folder):
            if name.startswith("r.db"):
                os.remove(os.path.join(self.folder, name))

    def close(self):
        shutil.rmtree(self.folder)

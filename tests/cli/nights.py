"""What tests of commands over stored runs share: a database of four nights, and running `tinyrig`."""
import os
import subprocess
import sys
import tempfile
import unittest

MAKE_DB, TINYRIG, ROOT = sys.argv[1:4]


class Nights(unittest.TestCase):
    """Runs, oldest first: base, the same again, 5 % slower in a new build, and one with failures."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.db = os.path.join(cls.folder.name, 'results.db')
        subprocess.run([MAKE_DB, cls.db, '8', '1', '1', '1.05:aaaaaaaa', 'f1'], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def run_it(self, *arguments, status=0):
        done = subprocess.run([TINYRIG, *arguments, '--db', self.db], text=True,
                              capture_output=True, timeout=60)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

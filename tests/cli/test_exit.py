"""The exit statuses of `run`, `resume` and of the program itself.

usage: test_exit.py TINYRIG SOURCE_ROOT
"""
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

TINYRIG, ROOT = sys.argv[1:3]
BUILD = os.path.dirname(TINYRIG)


@unittest.skipUnless(os.path.exists(os.path.join(BUILD, 'firmware/microbit.elf')) and
                     os.path.exists(os.path.join(BUILD, 'targets/virtual/tinyrig-vboard-avr')),
                     'the virtual boards are not built')
class Exit(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.db = self.path('results.db')
        self.env = dict(os.environ, TINYRIG_DB=self.db, TINYRIG_LOCK_DIR=self.folder.name)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def suite(self, boards='virt-avr', engines='"null"', more='', time_='2ms'):
        path = self.path('suite.yaml')
        with open(path, 'w', encoding='utf-8') as f:
            f.write(f'name: exits\nmodels:\n  - name: sine\n    path: {ROOT}/suites/models/sine/'
                    f'sine.tflite\n{more}boards: [{boards}]\nengines: [{engines}]\n'
                    f'measure: {{windows: 2, slope: 2, window_time: {time_}}}\n')
        return path

    def run_it(self, *arguments, status=0):
        done = subprocess.run([TINYRIG, *arguments], text=True, capture_output=True, env=self.env,
                              timeout=100)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def without_arm(self):
        """Agents for AVR only: the other boards cannot be started."""
        data = self.path('data')
        os.makedirs(os.path.join(data, 'firmware'))
        os.symlink(os.path.join(ROOT, 'targets/boards'), os.path.join(data, 'boards'))
        for name in os.listdir(os.path.join(BUILD, 'firmware')):
            if name.startswith('atmega'):
                os.symlink(os.path.join(BUILD, 'firmware', name),
                           os.path.join(data, 'firmware', name))
        self.env['TINYRIG_DATA'] = data

    def test_2_with_the_mistakes_of_all_suites(self):
        good = self.suite()
        for name in ('one.yaml', 'two.yaml'):
            with open(self.path(name), 'w', encoding='utf-8') as f:
                f.write('modles: x.tflite\n')
        done = self.run_it('check', self.path('one.yaml'), good, self.path('two.yaml'), status=2)
        self.assertIn(f'{good}: good', done.stdout)
        for name in ('one.yaml', 'two.yaml'):
            self.assertIn(f"{self.path(name)}:1:1: key 'modles' is not known", done.stderr)

    def test_0_when_all_passed(self):
        self.env['TMPDIR'] = self.folder.name
        self.run_it('run', '-q', self.suite())
        left = self.path('tinyrig-run-dEad01')
        os.mkdir(left)
        with open(os.path.join(left, 'lock'), 'w', encoding='utf-8'):
            pass
        self.run_it('resume')
        self.assertFalse(os.path.exists(left), 'of a process that was killed')

    def test_1_on_wrong_outputs(self):
        wrong = self.path('wrong.bin')
        with open(wrong, 'wb') as f:
            f.write(b'\x55')
        self.run_it('run', '-q', self.suite(
            'virt-m0', 'tiny', f'    inputs: {ROOT}/suites/models/sine/in00.bin\n'
                               f'    expected: {wrong}\n'), status=1)

    def test_1_on_a_broken_budget(self):
        self.run_it('run', '-q', self.suite(more='budgets: ["flash <= 1KiB"]\n'), status=1)

    def test_2_on_wrong_usage_and_bad_files(self):
        self.run_it('nosuch', status=2)
        self.run_it('run', status=2)
        self.run_it('run', self.path('none.yaml'), status=2)
        self.run_it('run', self.suite(boards='nosuch'), status=2)

    def test_2_on_what_cannot_be_counted(self):
        """50 days are more milliseconds than 32 bits hold; 60 years ago is before 1970."""
        self.run_it('run', '-q', '--wait', '30d', self.suite())
        for words, most in ((['run', self.suite(), '--wait', '50d'], '--wait: at most 30.0 days'),
                            (['infer', 'x.tflite', '--wait', '2y'], '--wait: at most 30.0 days'),
                            (['boards', 'check', '--wait', '31d'], '--wait: at most 30.0 days'),
                            (['run', self.suite(), '--repeat', '4294967297'],
                             '--repeat: at most 4294967295'),
                            (['run', self.suite(), '--jobs', '4294967296'],
                             '--jobs: at most 4294967295'),
                            (['db', 'prune', '--whole-runs', '--older', '60y'],
                             '--older: at most 50.0 years')):
            self.assertIn(most + ", got '" + words[-1] + "'", self.run_it(*words, status=2).stderr)
        self.assertIn('1 runs', self.run_it('db').stdout)

    def test_3_when_the_lab_is_at_fault_and_4_when_a_part_of_it_is(self):
        self.without_arm()
        self.run_it('run', '-q', self.suite('virt-m0'), status=3)
        self.run_it('run', '-q', self.suite('virt-m0, virt-avr'), status=4)

    def test_74_when_the_output_cannot_be_written(self):
        self.run_it('run', '-q', self.suite())
        with open('/dev/full', 'w', encoding='utf-8') as full:
            for command in (['help'], ['report', 'all', '--format', 'json']):
                done = subprocess.run([TINYRIG, *command], stdout=full, env=self.env, check=False)
                self.assertEqual(done.returncode, 74)

    def test_130_when_interrupted_and_resume_goes_on(self):
        child = subprocess.Popen([TINYRIG, 'run', self.suite(time_='3s')], env=self.env, text=True,
                                 stderr=subprocess.PIPE)
        while not self.begun():
            self.assertIsNone(child.poll())
            time.sleep(0.05)
        child.send_signal(signal.SIGINT)
        said = child.communicate(timeout=60)[1]
        self.assertEqual(child.returncode, 130, said)
        self.assertIn('go on with: tinyrig resume', said)

    def begun(self):
        if not os.path.exists(self.db):
            return False
        done = subprocess.run([TINYRIG, 'db'], text=True, capture_output=True, env=self.env,
                              check=False)
        return ' 1 attempts' in done.stdout


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])

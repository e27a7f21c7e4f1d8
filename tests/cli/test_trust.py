"""Files of a pull request run no program unless the lab's own file allows that program.

usage: test_trust.py TINYRIG SOURCE_ROOT
"""
import os
import subprocess
import sys
import tempfile
import unittest

TINYRIG, ROOT = sys.argv[1:3]


@unittest.skipIf(os.path.exists('/etc/tinyrig/lab.yaml'), 'this host has a lab file')
class Trust(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.mark = self.path('mark')
        for sub in ('home', 'checkout/config', 'checkout/boards'):
            os.makedirs(self.path(sub))
        self.env = dict(os.environ, HOME=self.path('home'), TINYRIG_LOCK_DIR=self.folder.name,
                        TINYRIG_DB=self.path('r.db'))
        for name in ('XDG_CONFIG_HOME', 'TINYRIG_LAB'):
            self.env.pop(name, None)
        self.write('checkout/suite.yaml', f'models: {ROOT}/suites/models/sine/sine.tflite\n'
                                          'boards: [virt-posix]\n')
        self.write('checkout/boards/bad.yaml',
                   'name: bad\ncpu: cortex-m4\nagent: any\nclock: 8MHz\nram: 64KiB\n'
                   'timebase: cycles\ntransport: {kind: pty, where: /dev/null}\n'
                   f'flashing: {{method: command, command: [touch, {self.mark}],'
                   f' firmware: {ROOT}/README.md}}\n')

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, text):
        with open(self.path(name), 'w', encoding='utf-8') as f:
            f.write(text)
        return self.path(name)

    def run_it(self, *arguments):
        return subprocess.run([TINYRIG, *arguments], cwd=self.path('checkout'), env=self.env,
                              text=True, capture_output=True, timeout=100, check=False)

    def refused(self, done, word):
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertIn(word, done.stderr)
        self.assertFalse(os.path.exists(self.mark), 'a program ran')

    def test_a_lab_file_of_the_checkout_names_no_programs(self):
        for text in (f'notify: [touch, {self.mark}]\n', f'commands: [touch]\n',
                     f'labgrid: [touch, {self.mark}]\n',
                     f'meters: {{m: {{driver: ppk2, channels: 2, mux: [touch, {self.mark}]}}}}\n',
                     f'power: {{p: {{kind: command, turn_on: [touch, {self.mark}],'
                     f' turn_off: [touch, {self.mark}]}}}}\n'):
            self.write('checkout/config/lab.yaml', text)
            for command in (['check', 'suite.yaml'], ['run', 'suite.yaml'], ['boards'],
                            ['nightly', 'suite.yaml']):
                self.refused(self.run_it(*command), 'names programs to run')
            done = self.run_it('check', 'suite.yaml', '--lab', 'config/lab.yaml')
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_one_without_programs_is_fine(self):
        self.write('checkout/config/lab.yaml', 'boards: {a: {board: virt-posix}}\n')
        done = self.run_it('check', 'suite.yaml')
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_board_file_runs_what_the_lab_lists_and_nothing_else(self):
        lab = self.write('lab.yaml', 'boards: {x: {board: bad}}\n')
        for command in (['check', 'suite.yaml'], ['boards', 'check', 'x']):
            self.refused(self.run_it(*command, '--lab', lab, '--board-dir', 'boards'),
                         "which 'commands' of this lab does not allow")
        self.write('lab.yaml', 'commands: [touch]\nboards: {x: {board: bad}}\n')
        self.run_it('boards', 'check', 'x', '--lab', lab, '--board-dir', 'boards')
        self.assertTrue(os.path.exists(self.mark), 'what the lab allows did not run')

    def test_a_suite_cannot_name_programs(self):
        self.write('checkout/suite.yaml', f'models: a.tflite\nnotify: [touch, {self.mark}]\n')
        self.refused(self.run_it('check', 'suite.yaml'), "key 'notify' is not known")


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])

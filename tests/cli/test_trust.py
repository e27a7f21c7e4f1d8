"""Files of a pull request run no program unless the lab's own file allows that program.

usage: test_trust.py TINYRIG SOURCE_ROOT
"""
import os
import shutil
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

    def test_virtual_boards_are_no_way_around_it(self):
        """They need no entry in a lab file, nor a lab file at all."""
        self.write('evil', f'#!/bin/sh\ntouch {self.mark}\nsleep 1\n')
        os.chmod(self.path('evil'), 0o700)
        text = ('name: {0}\ncpu: host\nclock: 1GHz\nram: 1MiB\ntimebase: ns\n'
                'virtual: {{kind: posix}}\nflashing: {{{1}}}\n')
        for name, flashing in (('native', f'method: none, firmware: {self.path("evil")}'),
                               ('flashed', f'method: command, command: [{self.path("evil")}]')):
            os.mkdir(self.path(name))
            self.write(f'{name}/{name}.yaml', text.format(name, flashing))
            self.write('checkout/suite.yaml', f'models: {ROOT}/suites/models/sine/sine.tflite\n'
                                              f'boards: [{name}]\n')
            for command in (['run', 'suite.yaml', '--no-retries'], ['boards', 'check', name]):
                self.refused(self.run_it(*command, '--board-dir', self.path(name)),
                             "which 'commands' of this lab does not allow")
            lab = self.write('lab.yaml', f'commands: [{self.path("evil")}]\n')
            self.run_it('boards', 'check', name, '--lab', lab, '--board-dir', self.path(name))
            self.assertTrue(os.path.exists(self.mark), 'what the lab allows did not run')
            os.unlink(self.mark)

    def test_a_run_overwrites_no_file_that_is_not_meant_to_keep_a_flash(self):
        with open(f'{ROOT}/targets/boards/virt-m4-swd.yaml', encoding='utf-8') as f:
            text = f.read().replace('virt-m4-swd', 'keeps')
        precious = self.write('precious.txt', 'words')
        self.write('checkout/boards/keeps.yaml', text + f'  flash_file: {precious}\n')
        done = self.run_it('boards', '--board-dir', 'boards')
        self.refused(done, "'flash_file' expected a file called *.flash")

    def test_a_folder_that_looks_like_a_repository_runs_nothing(self):
        """git would find it before the checkout's own, and do what its configuration says."""
        git = ['git', '-C', self.path('checkout'), '-c', 'user.name=a', '-c', 'user.email=a@b']
        for words in (['init', '-q'], ['commit', '-q', '--allow-empty', '-m', 'x']):
            try:
                subprocess.run(git + words, check=True)
            except FileNotFoundError:
                self.skipTest('no git')
        fake = self.path('checkout/suites')
        shutil.copytree(self.path('checkout/.git'), fake)
        self.write('checkout/suites/config', '[core]\nrepositoryformatversion = 0\nbare = false\n'
                   f'worktree = ..\nfsmonitor = "touch {self.mark}; false"\n')
        os.rename(self.path('checkout/suite.yaml'), os.path.join(fake, 'suite.yaml'))
        done = self.run_it('run', 'suites/suite.yaml')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(os.path.exists(self.mark), 'a program ran')

    def test_a_suite_cannot_name_programs(self):
        self.write('checkout/suite.yaml', f'models: a.tflite\nnotify: [touch, {self.mark}]\n')
        self.refused(self.run_it('check', 'suite.yaml'), "key 'notify' is not known")


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])

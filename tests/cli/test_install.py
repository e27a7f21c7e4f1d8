"""What is installed is all that an installed tinyrig looks for: boards, firmware, the virtual lab.

usage: test_install.py MESON BUILD SOURCE_ROOT
"""
import os
import subprocess
import sys
import tempfile
import unittest

MESON, BUILD, ROOT = sys.argv[1:4]


class Install(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        subprocess.run([MESON, 'install', '-C', BUILD, '--no-rebuild', '--quiet', '--destdir',
                        self.folder.name], check=True, stdout=subprocess.DEVNULL)

    def find(self, end):
        for folder, _, names in os.walk(self.folder.name):
            for name in names:
                if os.path.join(folder, name).endswith('/' + end):
                    return os.path.join(folder, name)
        self.fail(f'{end} is not installed')

    def test_boards_and_their_firmware_are_there(self):
        boards = os.path.dirname(self.find('tinyrig/boards/virt-m4.yaml'))
        self.assertEqual(sorted(os.listdir(boards)),
                         sorted(os.listdir(os.path.join(ROOT, 'targets/boards'))))
        lab = os.path.join(self.folder.name, 'lab.yaml')
        with open(lab, 'w', encoding='utf-8') as f:
            f.write('name: virtual\n')
        env = dict(os.environ, TINYRIG_DATA=os.path.dirname(boards), HOME=self.folder.name)
        done = subprocess.run([self.find('bin/tinyrig'), 'check',
                               os.path.join(ROOT, 'suites/quickstart.yaml'), '--lab', lab],
                              env=env, text=True, capture_output=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('good', done.stdout)

    def test_so_is_the_virtual_lab(self):
        for name in ('tinyrig-vboard', 'tinyrig-vmeter', 'tinyrig-agent-posix'):
            self.assertTrue(os.access(self.find('tinyrig/' + name), os.X_OK), name)
        self.find('man1/tinyrig.1')
        self.find('man5/tinyrig.5')


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])

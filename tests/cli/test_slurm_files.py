"""submit.sh of `tinyrig lab slurm`, with programs in place of Slurm's: what is submitted, and what is not.

usage: test_slurm_files.py TINYRIG SOURCE_ROOT
"""
import os
import subprocess
import sys
import tempfile
import unittest

TINYRIG, ROOT = sys.argv[1:3]
SINFO = """#!/bin/sh
case "$*" in
*%N*) printf 'two\\none\\none\\n' ;;
*"-n one"*%f*) echo virt-m4,power,meter-m ;;
*) echo virt-m0 ;;
esac
"""
SBATCH = """#!/bin/sh
echo "$@" >>"$(dirname "$0")/submitted"
echo "$(wc -l <"$(dirname "$0")/submitted");cluster"
"""


class Submit(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        for name, text in (('sinfo', SINFO), ('sbatch', SBATCH)):
            os.chmod(self.write('bin/' + name, text), 0o700)
        lab = self.write('lab.yaml', 'virtual_boards: false\n'
                                     'meters: {m: {driver: csv, where: /dev/null}}\n'
                                     'boards: {one: {board: virt-m4, meter: m}, two: {board: virt-m0},'
                                     ' out: {board: virt-m0, maintenance: "broken it is"}}\n')
        self.env = dict(os.environ, PATH=self.path('bin') + ':' + os.environ['PATH'],
                        TINYRIG_LOCK_DIR=self.folder.name, TINYRIG_STATE_DIR=self.folder.name)
        subprocess.run([TINYRIG, 'lab', 'slurm', '--lab', lab, '--host', 'h', '-o',
                        self.path('slurm')], env=self.env, check=True, stdout=subprocess.DEVNULL)
        self.write('suite.yaml', f'models: {ROOT}/suites/models/sine/sine.tflite\n')

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), 'w', encoding='utf-8') as f:
            f.write(text)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), encoding='utf-8') as f:
            return f.read()

    def submit(self, *boards):
        return subprocess.run([self.path('slurm/submit.sh'), self.path('suite.yaml'),
                               self.path('results'), *boards], env=self.env, text=True,
                              capture_output=True, timeout=60, check=False)

    def test_a_board_is_a_node_unless_it_is_out_of_service(self):
        nodes = self.read('slurm/nodes-h.conf')
        self.assertIn('NodeName=one NodeHostname=h', nodes)
        self.assertNotIn('NodeName=out', nodes)
        self.assertIn('Licenses=meter-m:1\n', self.read('slurm/slurm.conf.part'))

    def test_a_job_per_board_and_one_that_merges_after_them(self):
        done = self.submit()
        self.assertEqual((done.returncode, done.stdout), (0, '3;cluster\n'), done.stderr)
        one, two, merge = self.read('bin/submitted').splitlines()
        self.assertIn('--nodelist=one --licenses=meter-m ', one)
        self.assertIn('--nodelist=two --open-mode', two)
        self.assertIn('--dependency=afterany:1:2 ', merge)
        run = self.read('results/run')
        self.assertEqual(self.submit('two').returncode, 0)  # the same run goes on
        self.assertEqual(self.read('results/run'), run)
        self.assertEqual(len(self.read('bin/submitted').splitlines()), 5)

    def test_a_folder_of_another_suite_is_not_taken_for_this_one(self):
        """Shares that are done would count, and the merged database would be called complete."""
        self.submit()
        before = self.read('bin/submitted')
        with open(self.path('suite.yaml'), 'a', encoding='utf-8') as f:
            f.write('name: other\n')
        done = self.submit()
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn('another folder', done.stderr)
        self.assertEqual(self.read('bin/submitted'), before)
        job = subprocess.run([self.path('slurm/job.sh')], text=True, capture_output=True, timeout=60,
                             env=dict(self.env, SLURMD_NODENAME='one', TINYRIG_RUN='x',
                                      TINYRIG_SUITE=self.path('suite.yaml'),
                                      TINYRIG_RESULTS=self.path('results')), check=False)
        self.assertEqual(job.returncode, 2, job.stdout)
        self.assertIn('changed since', job.stderr)
        self.assertFalse(os.listdir(self.path('results/parts')), 'called done')


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])

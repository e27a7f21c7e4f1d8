"""rank, and MLPerf Tiny both ways, through the command line.

usage: test_mlperf.py MAKE_DB TINYRIG
"""
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import unittest

MAKE_DB, TINYRIG = sys.argv[1:3]


def performance(seconds, inferences=300):
    windows = ''.join(f'Performance results for window {i + 1}:\n    # Inferences :    {inferences}\n'
                      f'    Runtime      :    {seconds:.3f} sec.\n'
                      f'    Throughput   :    {inferences / seconds:.3f} inf./sec.\n'
                      for i in range(5))
    return windows + f'Median throughput is {inferences / seconds:.3f} inf./sec.\n'


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.db = self.path('results.db')

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def run_it(self, *arguments, status=0):
        done = subprocess.run([TINYRIG, *arguments, '--db', self.db], text=True,
                              capture_output=True, timeout=60)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def sql(self, statement):
        db = sqlite3.connect(self.db)
        rows = db.execute(statement).fetchall()
        db.close()
        return rows


class Rank(Case):
    def setUp(self):
        super().setUp()
        subprocess.run([MAKE_DB, self.db, '8', '1', '1.5:aaaaaaaa'], check=True)

    def rank(self, *options):
        return json.loads(self.run_it('rank', '--model', 'kws', '-f', 'json', *options).stdout)

    def test_silicon_first_best_first_and_counts_are_no_times(self):
        rows = self.rank()
        self.assertEqual([r['realm'] for r in rows], ['silicon'] * 3 + ['virtual'] * 5)
        times = [r['time_ns'] for r in rows]
        self.assertEqual(times[:3], sorted(times[:3]))
        self.assertEqual(times[3:], [None] * 5)
        best = rows[0]
        self.assertAlmostEqual(best['macs_per_cycle'], 2.66e6 / best['cycles'], places=6)
        self.assertTrue(any(r['pareto'] for r in rows[:3]))

    def test_only_the_newest_result_counts_unless_a_run_is_named(self):
        self.assertEqual(len(self.rank()), 8)
        newest = {r['case']: r['cycles'] for r in self.rank()}
        before = {r['case']: r['cycles'] for r in self.rank('last~1')}
        self.assertAlmostEqual(newest['kws/nrf52840-dk/tiny'] / before['kws/nrf52840-dk/tiny'], 1.5,
                               places=1)

    def test_the_margin_is_against_the_rate(self):
        for row in self.rank('--rate', '10')[:3]:
            self.assertAlmostEqual(row['rate_margin'], 1e8 / row['time_ns'], places=9)
        table = self.run_it('rank', '--model', 'kws', '--rate', '10').stdout
        self.assertIn('too slow', table)
        self.assertIn('Pareto', table)

    def test_order_and_wrong_usage(self):
        energies = [r['energy_nj'] for r in self.rank('--by', 'energy')[:3]]
        self.assertEqual(energies, sorted(energies))
        self.assertIn('| case |', self.run_it('rank', '-m', 'kws', '-f', 'markdown').stdout)
        self.run_it('rank', status=2)
        self.run_it('rank', '--model', 'nosuch', status=2)
        self.run_it('rank', '--model', 'kws', '--by', 'beauty', status=2)


class Tree(Case):
    def put(self, board, benchmark, mode, text, root='tiny_results_v1.2'):
        folder = self.path(f'{root}/closed/acme/results/{board}/{benchmark}/{mode}')
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, 'results.txt'), 'w', encoding='utf-8') as f:
            f.write(text)

    def setUp(self):
        super().setUp()
        self.tree = self.path('tiny_results_v1.2')
        self.put('board-x', 'kws', 'performance', performance(12.5))
        self.put('board-x', 'kws', 'energy', 'Median energy cost is 1820.500 uJ/inf.\n')
        self.put('board-x', 'kws', 'accuracy', 'Top-1: 90.5%\n')
        self.put('board-x', 'ad', 'performance', performance(3.1))
        self.put('board-x', 'ad', 'accuracy', 'AUC = 0.862\n')

    def test_published_results_become_reference_series(self):
        out = self.run_it('import', self.tree).stdout
        self.assertIn('v1.2, 1 systems, 2 benchmarks', out)
        values = dict(((k, m), v) for k, m, v in
                      self.sql('SELECT case_key, metric, value FROM v_metrics'))
        self.assertAlmostEqual(values['kws/board-x/acme', 'latency'], 1e9 / 24, places=0)
        self.assertAlmostEqual(values['kws/board-x/acme', 'energy'], 1820500, places=3)
        self.assertAlmostEqual(values['kws/board-x/acme', 'accuracy'], 0.905, places=9)
        self.assertAlmostEqual(values['ad/board-x/acme', 'auc'], 0.862, places=9)
        invalid = dict(self.sql('SELECT case_key, max(invalid) FROM v_windows GROUP BY 1'))
        self.assertEqual(invalid, {'kws/board-x/acme': 0, 'ad/board-x/acme': 2})

    def test_importing_again_changes_nothing(self):
        counts = 'SELECT (SELECT count(*) FROM v_metrics), (SELECT count(*) FROM v_windows)'
        self.run_it('import', self.tree)
        before = self.sql(counts)
        self.run_it('import', self.tree)
        self.assertEqual(self.sql(counts), before)
        self.assertIn('sound', self.run_it('db', 'check').stdout)

    def test_two_rounds_are_compared_and_short_windows_are_invalid(self):
        self.put('board-x', 'kws', 'performance', performance(25), 'tiny_results_v1.3')
        self.put('board-x', 'ad', 'performance', performance(3), 'tiny_results_v1.3')
        self.run_it('import', self.tree, self.path('tiny_results_v1.3'))
        out = json.loads(self.run_it('compare', 'suite=mlperf-tiny v1.2,board=board-x,model=kws',
                                     'suite=mlperf-tiny v1.2,board=board-x,model=ad', '-f',
                                     'json').stdout)
        rows = {m['metric']: m for m in out['cases'][0]['metrics']}
        self.assertEqual(rows['latency']['verdict'], 'invalid')

    def test_hostile_trees_are_only_text(self):
        self.put('<script>', 'kws', 'performance', performance(11))
        self.put('board-x', 'vww', 'performance', 'Median throughput is nan inf./sec.\n' + 'x' * 9999)
        self.put('board-x', 'ic', 'performance', 'Median throughput is -1e999 inf./sec.\n\0\0')
        self.assertIn('2 systems, 3 benchmarks', self.run_it('import', self.tree).stdout)

    def test_wrong_usage_is_2(self):
        os.rename(self.tree, self.path('some'))
        self.assertIn('which round', self.run_it('import', self.path('some'), status=2).stderr)
        self.run_it('import', self.path('some'), '--round', 'v9', status=2)
        self.assertIn('no results', self.run_it('import', self.folder.name, '--round', 'v1.0',
                                                status=2).stderr)

    # ---- the other way ----

    def export(self, selection, *options, status=0):
        return self.run_it('export', selection, '--format', 'mlperf', '-o', self.path('out'),
                           '--submitter', 'acme', *options, status=status).stdout

    def read(self, name):
        with open(self.path('out/closed/acme/' + name), encoding='utf-8') as f:
            return f.read()

    def test_what_keeps_the_rules_is_exported_and_comes_back_the_same(self):
        self.run_it('import', self.tree)
        before = self.sql("SELECT metric, value FROM v_metrics WHERE model = 'kws' ORDER BY metric")
        self.assertEqual(self.export('model=kws'), '')
        self.assertIn('Median throughput is 24.000 inf./sec.',
                      self.read('results/board-x/kws/performance/results.txt'))
        self.assertIn('Top-1: 90.5%', self.read('results/board-x/kws/accuracy/results.txt'))
        self.assertEqual(json.loads(self.read('systems/board-x.json'))['Status'], 'rdi')
        self.assertIn('mlperf.round = v1.2', self.read('results/board-x/kws/energy/log.txt'))
        os.remove(self.db)
        self.run_it('import', self.path('out'), '--round', 'v1.2')
        after = self.sql("SELECT metric, value FROM v_metrics ORDER BY metric")
        self.assertEqual([m for m, _ in after], [m for m, _ in before])
        for (_, a), (_, b) in zip(before, after):
            self.assertAlmostEqual(a / b, 1, places=4)

    def test_each_broken_rule_is_named(self):
        self.put('board-x', 'kws', 'accuracy', 'Top-1: 85.0%\n')
        self.put('board-x', 'vww', 'performance', performance(11, 9))
        self.run_it('import', self.tree)
        out = self.export('board=board-x', status=1)
        self.assertIn('kws/board-x/acme: accuracy: accuracy 0.850 is below the closed division', out)
        self.assertIn('ad/board-x/acme: performance: 0 of 5 windows', out)
        self.assertIn('vww/board-x/acme: accuracy: no accuracy was measured', out)
        self.assertIn('vww/board-x/acme: performance: 0 of 5 windows', out)
        self.assertEqual(self.run_it('export', 'model=kws', '--format', 'mlperf', '--open', '-o',
                                     self.path('open'), '--submitter', 'acme').stdout, '')

    def test_an_emulator_is_no_device(self):
        subprocess.run([MAKE_DB, self.db, '1', '1'], check=True)
        out = self.export('model=kws', status=1)
        self.assertIn('device: an emulator is no device', out)
        text = self.read('results/virt-m4/kws/performance/results.txt')
        self.assertEqual(text, 'Median throughput is 0.000 inf./sec.\n')

    def test_wrong_export_usage_is_2(self):
        self.run_it('import', self.tree)
        self.run_it('export', '--format', 'mlperf', status=2)
        self.run_it('export', '--format', 'xml', status=2)
        self.export('model=kws', '--status', 'soon', status=2)
        self.run_it('export', 'model=nosuch', '--format', 'csv', status=2)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])

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
        self.assertRegex(table, r'pico .* 0\.\d\d x')
        self.assertIn('Pareto', table)

    def test_order_and_wrong_usage(self):
        energies = [r['energy_nj'] for r in self.rank('--by', 'energy')[:3]]
        self.assertEqual(energies, sorted(energies))
        self.assertIn('| board |', self.run_it('rank', '-m', 'kws', '-f', 'markdown').stdout)
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

    def test_no_number_of_benchmarks_or_submitters_is_too_many(self):
        for i in range(40):
            self.put('board-x', f'ic/v{i:02}', 'performance', performance(12.5))
        for i in range(1100):
            os.makedirs(os.path.join(self.tree, 'closed', f'empty{i}'))
        self.put('../../zz/results/board-z', 'kws', 'performance', performance(12.5))
        out = self.run_it('import', self.tree).stdout
        self.assertIn('v1.2, 2 systems, 43 benchmarks', out)

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

    def test_a_tree_that_links_to_itself_comes_to_an_end(self):
        for i in range(30):
            os.symlink('.', os.path.join(self.tree, f'closed/acme/results/{i}'))
        self.assertIn('more than 100000 folders',
                      self.run_it('import', self.tree, status=2).stderr)

    def test_the_last_round_of_a_path_is_meant(self):
        os.mkdir(self.path('all-v0.5-to-v1.3'))
        moved = self.path('all-v0.5-to-v1.3/tiny_results_v1.2')
        os.rename(self.tree, moved)
        self.assertIn(': v1.2, 1 systems', self.run_it('import', moved).stdout)

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

    # ---- the layouts and dialects of the rounds so far ----

    def put_at(self, path, text):
        path = os.path.join(self.tree, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)

    def imported(self):
        self.run_it('import', self.tree)
        rows = self.sql("SELECT case_key || ' ' || metric, value FROM v_metrics")
        windows = dict(self.sql('SELECT case_key, count(*) FROM v_windows GROUP BY 1'))
        return dict(rows), windows

    def test_the_newer_runners_dialect_has_its_windows(self):
        self.put('board-y', 'kws', 'performance', ''.join(
            f'Performance results for window {i}\n    # Inferences : 250\n    Runtime: 10.{i} sec.\n'
            f'    Throughput: 24.{i} inf./sec.\n    Runtime requirements have been met.\n'
            for i in range(1, 6)) + '0726.01 ulp-mlperf: Median throughput is     23.500 inf./sec.\n')
        self.put('board-y', 'kws', 'energy', 'Energy data for trial 0\n  Elapsed time  : 10.9\n'
                 '  Inferences    : 250\n  Power         : 32.8 mW.\n  Energy/Inf    : 1431.4 uJ/inf\n'
                 'Median energy cost is 1430.5 uJ/inf.\n')
        self.put('board-y', 'kws', 'accuracy', '0809.0 ulp-mlperf: Top 1% = 91.3\n'
                                               '0809.0 ulp-mlperf: AUC = 0.978\n')
        values, windows = self.imported()
        self.assertEqual(windows['kws/board-y/acme'], 5)
        self.assertEqual(values['kws/board-y/acme energy'], 1430500)
        self.assertAlmostEqual(values['kws/board-y/acme accuracy'], 0.913)
        self.assertNotIn('kws/board-y/acme auc', values)

    def test_energy_runners_dialect_counts_every_other_window(self):
        self.put('board-z', 'ic', 'performance', ''.join(
            f'00366.093 ulp-mlperf: Performance results for window {2 * i}:\n'
            f'00366.093 ulp-mlperf:   # Inferences :          100\n'
            f'00366.093 ulp-mlperf:   Runtime      :       18.192 sec.\n'
            f'00366.093 ulp-mlperf: Runtime requirements have been met.\n' for i in range(1, 6)) +
            '00366.093 ulp-mlperf: Median throughput is 5.497 inf./sec.\n')
        values, windows = self.imported()
        self.assertEqual(windows['ic/board-z/acme'], 5)
        self.assertAlmostEqual(values['ic/board-z/acme latency'], 1e9 / 5.497, places=2)

    def test_a_stack_above_the_system_belongs_to_the_engine(self):
        self.put_at('closed/acme/results/fast_kernels/board-q/keyword_spotting/performance/'
                    'results.txt', performance(11))
        self.put_at('closed/acme/results/slow_kernels/board-q/keyword_spotting/performance/'
                    'results.txt', performance(44))
        values, _ = self.imported()
        self.assertIn('kws/board-q/acme/fast_kernels latency', values)
        self.assertIn('kws/board-q/acme/slow_kernels latency', values)
        runs = self.sql("SELECT DISTINCT run, engine, board FROM v_metrics WHERE board = 'board-q'")
        self.assertEqual(len(runs), 2)

    def test_variants_and_misspelt_modes_below_a_benchmark_are_found(self):
        for variant in ('A1', 'B2'):
            self.put_at(f'open/acme/results/fpga/ic/{variant}/performance/results.txt',
                        performance(12))
            self.put_at(f'open/acme/results/fpga/ic/{variant}/power/results.txt',
                        'Median energy cost is 30.667 uJ/inf.\n')
        self.put('board-w', 'vww', 'performance', performance(12))
        self.put('board-w', 'vww', 'enegy', 'Median energy cost is 7.5 uJ/inf.\n')
        values, _ = self.imported()
        self.assertEqual(values['ic/fpga/acme/variant=A1 energy'], 30667)
        self.assertEqual(values['ic/fpga/acme/variant=B2 energy'], 30667)
        self.assertEqual(values['vww/board-w/acme energy'], 7500)
        self.assertEqual({p for p, in self.sql("SELECT parameters FROM v_cases WHERE board = 'fpga'")},
                         {'variant=A1', 'variant=B2'})

    def test_a_log_alone_gives_the_devices_own_windows(self):
        lines = ''.join(f'08354.5 dut: infer 30000 1%m-warmup-start-1\n08354.5 dut: m-infer-start-30000\n'
                        f'08354.5 dut: m-lap-us-{10**9 * i}\n08367.2 dut: m-lap-us-{10**9 * i + 12 * 10**6}'
                        '\n08367.2 dut: m-infer-done\n' for i in range(5))
        self.put_at('closed/acme/results/old/kws/performance/performance_log.txt',
                    '08354.1 dut: timestamp%m-lap-us-7\n' + lines)
        values, windows = self.imported()
        self.assertEqual(windows['kws/old/acme'], 5)
        self.assertAlmostEqual(values['kws/old/acme latency'], 12e9 / 30000, places=3)

    def test_the_streaming_benchmark_has_no_energy_per_inference(self):
        text = ('Accuracy: 44 True positives, 6 False negatives, 4 False positives\n'
                'Average duty cycle: 0.56085\nEstimated throughput: 55.742 inf./sec.\n')
        self.put('board-s', 'sww', 'performance', text)
        self.put('board-s', 'sww', 'energy', 'Energy data for trial 0\n  Inferences    : 1\n'
                 '  Power         : 25.6220 mW.\nMedian energy cost is 30746401.8100 uJ/inf.\n' + text)
        values, _ = self.imported()
        self.assertAlmostEqual(values['sww/board-s/acme latency'], 1e9 / 55.742, places=2)
        self.assertAlmostEqual(values['sww/board-s/acme accuracy'], 0.88)
        self.assertNotIn('sww/board-s/acme energy', values)
        facts = dict(self.sql("SELECT key, value FROM v_facts WHERE board = 'board-s'"))
        self.assertEqual((facts['mlperf.power_mw'], facts['mlperf.false_positives']), ('25.622', '4'))

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

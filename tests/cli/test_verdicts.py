"""Every verdict and every exit status of `compare` and `gate`, through the command line.

usage: test_verdicts.py MAKE_DB TINYRIG SOURCE_ROOT
"""
import json
import os
import re
import sqlite3
import subprocess
import sys
import unittest

from nights import MAKE_DB, ROOT, TINYRIG, Nights



class Verdicts(Nights):
    def test_a_comparison_that_a_format_has_no_room_for_is_refused(self):
        self.run_it('report', 'last', '--format', 'html', '--against', 'last~1')
        done = self.run_it('report', 'last', '--against', 'last~1', status=2)
        self.assertIn("--against is for --format html", done.stderr)

    def test_a_merge_names_the_file_that_is_no_database_or_damaged(self):
        path = os.path.join(self.folder.name, 'words.db')
        with open(path, 'w', encoding='utf-8') as f:
            f.write('words ' * 1000)
        done = self.run_it('merge', path, status=2)
        self.assertIn(f"'{path}': not a tinyrig results database; nothing was merged", done.stderr)
        with open(self.db, 'rb') as f:
            whole = f.read()
        with open(path, 'wb') as f:
            f.write(whole[:4096] + b'\xa5' * (len(whole) - 4096))
        done = self.run_it('merge', path, status=2)
        self.assertIn(f"'{path}': the file is damaged; nothing was merged", done.stderr)
        self.assertIn('sound', self.run_it('db', 'check').stdout)

    def test_runs_are_listed_as_the_hint_for_a_wrong_one_says(self):
        hint = self.run_it('report', 'last~99', status=2).stderr
        self.assertIn('`tinyrig db runs` lists them', hint)
        lines = self.run_it('db', 'runs').stdout.splitlines()
        self.assertEqual(len(lines), 4)
        self.assertIn(lines[0][:8], self.run_it('report', 'last').stdout)
        self.assertRegex(lines[-1], r'  \d+ of \d+ passed$')

    def compare(self, a, b):
        return json.loads(self.run_it('compare', a, b, '--format', 'json').stdout)

    def row(self, a, b, case, metric='latency'):
        cases = {c['case']: c for c in self.compare(a, b)['cases']}
        return {m['metric']: m for m in cases[case]['metrics']}[metric]

    def gate(self, status, *arguments):
        return self.run_it('gate', *arguments, status=status)

    # ---- verdicts ----

    def test_the_same_counts_are_unchanged(self):
        row = self.row('last~3', 'last~2', 'kws/virt-m4/tiny')
        self.assertEqual((row['verdict'], row['change']), ('unchanged', 0))

    def test_an_equal_board_that_scatters_is_within_noise(self):
        verdicts = {m['verdict'] for c in self.compare('last~3', 'last~2')['cases']
                    for m in c['metrics']}
        self.assertEqual(verdicts, {'unchanged', 'within-noise'})

    def test_five_percent_more_instructions_are_a_regression(self):
        row = self.row('last~2', 'last~1', 'kws/virt-m4/tiny')
        self.assertEqual((row['verdict'], row['method']), ('regressed', 'exact'))
        self.assertAlmostEqual(row['change'], 0.05, places=5)

    def test_five_percent_less_are_an_improvement(self):
        row = self.row('last~1', 'last~2', 'kws/nrf52840-dk/tiny')
        self.assertEqual(row['verdict'], 'improved')
        self.assertTrue(row['low'] <= row['change'] <= row['high'] < 0)

    def test_one_value_of_unknown_scatter_is_inconclusive(self):
        row = self.row('last~2', 'last~1', 'kws/nucleo-l4r5zi/tiny', 'energy')
        self.assertEqual(row['verdict'], 'inconclusive')

    def test_a_case_that_only_the_candidate_has_has_no_baseline(self):
        row = self.row('last~3,model=kws', 'last~2', 'ad/virt-m4/tiny')
        self.assertEqual((row['verdict'], row['a']), ('no-baseline', None))

    def test_an_emulator_and_a_chip_are_incomparable_and_keep_their_units(self):
        row = self.row('last~2,board=virt-m4,model=kws', 'last~2,board=pico,model=kws',
                       'kws/pico/tiny')
        self.assertEqual((row['verdict'], row['blocked_by']), ('incomparable', 'realm'))
        self.assertEqual((row['unit_a'], row['unit']), ('instructions', 'ns'))
        text = self.run_it('compare', 'last~2,board=virt-m4,model=kws',
                           'last~2,board=pico,model=kws').stdout
        self.assertIn('virtual -> silicon', text)
        self.assertIn('5,054,000 instructions', text)

    def test_two_emulated_boards_are_compared_across(self):
        row = self.row('last~2,board=virt-m4,model=kws', 'last~2,board=virt-m0,model=kws',
                       'kws/virt-m0/tiny')
        self.assertEqual(row['verdict'], 'regressed')
        self.assertAlmostEqual(row['b'] / row['a'], 6.1 / 1.9, places=2)

    def test_two_models_are_compared_across(self):
        row = self.row('last~2,board=virt-m4,model=kws', 'last~2,board=virt-m4,model=ad',
                       'ad/virt-m4/tiny')
        self.assertEqual(row['verdict'], 'improved')

    def test_wrong_outputs_are_failed_and_lab_errors_invalid(self):
        cases = {c['case']: c['verdict'] for c in self.compare('last~1', 'last')['cases']}
        self.assertEqual(cases['ad/virt-m0/tiny'], 'failed')
        self.assertEqual(cases['kws/nucleo-l4r5zi/tiny'], 'invalid')

    def test_every_verdict_there_is_has_been_seen(self):
        with open(os.path.join(ROOT, 'harness/spec/verdict.h'), encoding='utf-8') as f:
            known = set(re.findall(r'X\(VERDICT_\w+, "([\w-]+)"', f.read()))
        pairs = (('last~2', 'last~1'), ('last~1', 'last~2'), ('last~3', 'last~2'), ('last~1', 'last'),
                 ('last~3,model=kws', 'last~2'),
                 ('last~2,board=virt-m4,model=kws', 'last~2,board=pico,model=kws'))
        seen = {v for a, b in pairs for c in self.compare(a, b)['cases']
                for v in [c['verdict'], *(m['verdict'] for m in c['metrics'])]}
        self.assertEqual(seen, known)

    def test_the_same_binary_never_alerts_and_says_why(self):
        path = os.path.join(self.folder.name, 'same.db')
        subprocess.run([MAKE_DB, path, '8', '1', '1.05'], check=True)
        db = sqlite3.connect(path)
        db.execute("INSERT INTO dimension_fact SELECT id, 'firmware.sha256', 'f00d' FROM dimension"
                   " WHERE kind = 'firmware'")
        db.commit()
        db.close()
        done = subprocess.run([TINYRIG, 'gate', '--baseline', 'last~1', '--db', path, '-f', 'json'],
                              text=True, capture_output=True, check=False)
        out = json.loads(done.stdout)
        rows = [m for c in out['cases'] for m in c['metrics'] if m['metric'] == 'latency']
        self.assertEqual({m['verdict'] for m in rows}, {'within-noise'})
        self.assertEqual({m['reason'] for m in rows},
                         {'same binary and environment: what differs is noise'})
        self.assertEqual(out['gate']['outcome'], 'passed')

    # ---- formats ----

    def test_what_did_not_change_is_counted_and_listed_on_request(self):
        what = ('compare', 'last~3', 'last~2')
        self.assertIn('16 cases without a change', self.run_it(*what).stdout)
        self.assertNotIn('kws/virt-m4/tiny', self.run_it(*what).stdout)
        self.assertIn('kws/virt-m4/tiny', self.run_it(*what, '--all').stdout)

    def test_markdown_is_a_table(self):
        text = self.run_it('compare', 'last~2', 'last~1', '-f', 'markdown').stdout
        self.assertIn('| verdict | metric | a | b | unit | change | n | method | reason |', text)
        self.assertIn('agent build', text)

    def test_a_report_goes_to_a_file(self):
        path = os.path.join(self.folder.name, 'out.json')
        self.assertEqual(self.run_it('compare', 'last', 'last', '-f', 'json', '-o', path).stdout, '')
        with open(path, encoding='utf-8') as f:
            self.assertEqual(json.load(f)['version'], 1)

    # ---- exit statuses ----

    def test_0_when_nothing_got_worse(self):
        self.assertIn('gate: passed', self.gate(0, 'last~2', '--baseline', 'last~3').stdout)

    def test_1_on_a_regression(self):
        out = self.gate(1, 'last~1', '--baseline', 'last~2').stdout
        self.assertIn('gate: failed', out)
        self.assertIn('regressed: kws/virt-m4/tiny: latency +5.00 %', out)

    def test_1_on_a_broken_budget(self):
        out = self.gate(1, 'last,board=virt-m55', '--baseline', 'last~1,board=virt-m55').stdout
        self.assertIn('over-budget: kws/virt-m55/tiny', out)

    def test_strict_fails_on_what_is_inconclusive_and_lenient_does_not(self):
        what = ('last~2,board=nucleo-l4r5zi', '--baseline', 'last~1,board=nucleo-l4r5zi')
        self.gate(1, *what)
        self.gate(0, *what, '--lenient')

    def test_2_on_wrong_usage(self):
        self.assertIn('--baseline is needed', self.gate(2).stderr)
        self.assertIn("did you mean 'board'", self.run_it('compare', 'bord=x', 'last',
                                                          status=2).stderr)
        self.gate(2, '--baseline', 'last', '--format', 'yaml')
        self.assertIn('nothing stored matches',
                      self.run_it('compare', 'last', 'model=nosuch', status=2).stderr)

    def test_3_when_the_lab_is_at_fault(self):
        key = 'key=kws/nucleo-l4r5zi/tiny'
        self.gate(3, f'last,{key}', '--baseline', f'last~1,{key}', '--lenient')

    def test_4_when_some_cases_were_not_measured(self):
        board = 'board=nucleo-l4r5zi'
        self.gate(4, f'last,{board}', '--baseline', f'last~1,{board}', '--lenient')

    def test_5_without_a_baseline(self):
        self.assertIn("no baseline 'release'", self.gate(5, '--baseline', 'release').stderr)
        self.gate(5, '--baseline', os.path.join(self.folder.name, 'none.db'))

    def test_a_database_file_is_a_baseline(self):
        path = os.path.join(self.folder.name, 'base.db')
        subprocess.run([MAKE_DB, path, '8', '1'], check=True)
        self.gate(0, 'last~2', '--baseline', path)
        self.gate(1, 'last~1', '--baseline', path)

    def test_a_baseline_in_csv_knows_no_environment_and_a_line_says_so(self):
        path = os.path.join(self.folder.name, 'base.csv')
        self.run_it('export', 'last~2', '--format', 'csv', '--output', path)
        text = self.gate(1, 'last~1', '--baseline', path).stdout
        self.assertRegex(text, r'known of b alone: .*board\.')
        self.assertNotIn('unknown ->', text)

    def test_a_baseline_in_csv_says_how_its_figures_scatter(self):
        path = os.path.join(self.folder.name, 'scatter.csv')
        self.run_it('export', 'last~2', '--format', 'csv', '--output', path)
        case = 'kws/nrf52840-dk/tiny'
        failed = self.gate(1, 'last~1', '--baseline', path, '--format', 'json').stdout
        rows = {c['case']: c for c in json.loads(failed)['cases']}[case]['metrics']
        row = {m['metric']: m for m in rows}['latency']
        self.assertEqual((row['verdict'], row['method']), ('regressed', 'Student, pooled windows'))

    def test_save_names_what_passed_and_nothing_else(self):
        self.gate(1, 'last~1', '--baseline', 'last~2', '--save', 'slow')
        self.gate(5, 'last~2', '--baseline', 'slow')
        self.gate(0, 'last~2', '--baseline', 'last~3', '--save', 'good')
        self.gate(1, 'last~1', '--baseline', 'good')

    # ---- pick ----

    def picks(self, status, *limits):
        lines = self.run_it('pick', '--run', 'last~1', '--model', 'kws', *limits,
                            status=status).stdout.splitlines()[2:]
        return {line.split()[1]: line for line in lines}

    def test_pick_says_who_passes_by_how_much_and_who_does_not(self):
        lines = self.picks(0, '--latency', '70ms', '--ram', '64KiB', '--energy', '5mJ')
        self.assertRegex(lines['nucleo-l4r5zi'], r'^passes .*22\.2 KiB \(\+65 %\)')
        self.assertRegex(lines['pico'], r'^fails .*\(-92 %\)')

    def test_pick_takes_a_rate_and_a_battery_life(self):
        lines = self.picks(0, '--rate', '10')
        self.assertRegex(lines['nucleo-l4r5zi'], r'^passes .*1\d\.\d+/s \(\+\d+ %\)')
        self.assertRegex(lines['pico'], r'^fails')
        self.assertRegex(self.picks(1, '--battery', '365d')['pico'], r'^unknown')

    def test_pick_never_calls_emulated_counts_a_time(self):
        line = self.picks(0, '--latency', '70ms')['virt-m4']
        self.assertRegex(line, r'^unknown +virt-m4 +tiny +virtual +unknown$')

    def test_pick_exits_1_when_no_board_passes_and_2_on_bad_questions(self):
        self.picks(1, '--ram', '16KiB')
        self.run_it('pick', '--model', 'kws', status=2)
        self.run_it('pick', '--ram', '1MiB', status=2)
        self.run_it('pick', '--model', 'nosuch', '--ram', '1MiB', status=2)
        self.run_it('pick', '--model', 'kws', '--energy', '5m', status=2)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])

"""history, mute, last-good, files as baselines, revisions and second looks, through the command line.

usage: test_history.py MAKE_DB TINYRIG SOURCE_ROOT
"""
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import unittest

MAKE_DB, TINYRIG, ROOT = sys.argv[1:4]
BUILD = os.path.dirname(TINYRIG)
KWS = 'kws/virt-m4/tiny'


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.db = self.path('results.db')

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def make(self, *steps, boards='8', db=None):
        subprocess.run([MAKE_DB, db or self.db, boards, *steps], check=True)

    def run_it(self, *arguments, status=0, cwd=None):
        done = subprocess.run([TINYRIG, *arguments, '--db', self.db], text=True, cwd=cwd,
                              capture_output=True, timeout=100,
                              env=dict(os.environ, TINYRIG_LOCK_DIR=self.folder.name))
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def sql(self, statement, *values):
        with sqlite3.connect(self.db) as db:
            rows = db.execute(statement, values).fetchall()
        db.close()
        return rows

    def history(self, selection, *options):
        return json.loads(self.run_it('history', selection, *options, '-f', 'json').stdout)


class History(Case):
    def test_a_new_level_is_one_change_with_its_run_and_what_differs(self):
        self.make('1', '1', '1', '1', '1.05:aaaaaaaa', '1.05:aaaaaaaa', '1.05:aaaaaaaa')
        runs = [row[0] for row in self.sql('SELECT run FROM v_runs ORDER BY time')]
        for key in (KWS, 'kws/pico/tiny'):
            series, = self.history(f'key={key}')
            change, = series['changes']
            self.assertEqual((change['run'], change['verdict'], change['differs']),
                             (runs[4], 'regressed', 'firmware.build_id'))
            self.assertAlmostEqual(change['change'], 0.05, places=3)
            self.assertEqual(len(series['points']), 7)
        text = self.run_it('history', f'key={KWS}').stdout
        self.assertRegex(text, rf'run {runs[4][:8]}  \+5\.00 %  regressed\n'
                               r' +5,054,000 instructions -> 5,306,700 instructions\n')
        self.assertIn('▁▁▁▁███', text)

    def test_metrics_and_runs_can_be_chosen(self):
        self.make('1', '1', '1.05:aaaaaaaa')
        names = {s['metric'] for s in self.history(f'key={KWS}', '--metric', 'flash*')}
        self.assertIn('flash.model', names)
        self.assertNotIn('latency', names)
        series, = self.history(f'key={KWS}', '--runs', '2')
        self.assertEqual(len(series['points']), 2)
        changed = self.history('suite=quickstart', '--changed', '--metric', 'flash')
        self.assertEqual(changed, [])

    def test_another_compiler_begins_a_new_environment(self):
        self.make('1', '1', '1', '1', '1', '1')
        self.give_newest_runs_another('compiler', 'compiler.version', 'gcc 13', 3)
        series, = self.history('key=kws/pico/tiny')
        change, = series['changes']
        self.assertTrue(change['environment'])
        self.assertEqual(change['differs'], 'compiler.version')
        self.assertEqual([p['environment_changed'] for p in series['points']],
                         [False, False, False, True, False, False])
        self.assertIn('other environment', self.run_it('history', 'key=kws/pico/tiny').stdout)

    def give_newest_runs_another(self, kind, key, value, count):
        with sqlite3.connect(self.db) as db:
            attempts = db.execute('SELECT a.id, a.context FROM attempt a JOIN run r ON r.id = a.run'
                                  ' WHERE r.id IN (SELECT id FROM run ORDER BY started_ns DESC'
                                  ' LIMIT ?)', (count,)).fetchall()
            made = {}
            for attempt, context in attempts:
                if context not in made:
                    made[context] = changed_context(db, context, kind, key, value)
                db.execute('UPDATE attempt SET context = ? WHERE id = ?', (made[context], attempt))
        db.close()

    def test_wrong_usage_is_2(self):
        self.make('1')
        self.run_it('history', 'key=nosuch', status=2)
        self.run_it('history', '--format', 'yaml', status=2)
        self.run_it('history', 'bord=x', status=2)


def changed_context(db, context, kind, key, value):
    """A context that differs from this one in a single fact."""
    new = db.execute('INSERT INTO context (hash) VALUES (randomblob(32))').lastrowid
    for dimension, its_kind in db.execute(
            'SELECT d.id, d.kind FROM context_dimension c JOIN dimension d ON d.id = c.dimension'
            ' WHERE c.context = ?', (context,)).fetchall():
        if its_kind == kind:
            facts = dict(db.execute('SELECT key, value FROM dimension_fact WHERE dimension = ?',
                                    (dimension,)).fetchall())
            facts[key] = value
            dimension = db.execute('INSERT INTO dimension (hash, kind) VALUES (randomblob(32), ?)',
                                   (kind,)).lastrowid
            db.executemany('INSERT INTO dimension_fact VALUES (?, ?, ?)',
                           [(dimension, k, v) for k, v in facts.items()])
        db.execute('INSERT INTO context_dimension VALUES (?, ?)', (new, dimension))
    return new


class Mute(Case):
    def gate(self, status):
        return self.run_it('gate', f'last,key={KWS}', '--baseline', f'last~1,key={KWS}',
                           status=status).stdout

    def test_what_is_muted_is_stored_and_shown_and_does_not_fail_the_gate(self):
        self.make('1', '1.05:aaaaaaaa')
        self.gate(1)
        self.run_it('mute', 'kws/virt-*', 'latency*', '--reason', 'ticket 12', '--for', '3d')
        self.assertIn('latency is muted: ticket 12', self.gate(0))
        table = self.run_it('compare', 'last~1', 'last').stdout
        self.assertRegex(table, r'muted +latency .*\+5\.00 %.*muted: ticket 12')
        series, = self.history(f'key={KWS}')
        self.assertTrue(series['muted'])
        self.assertEqual(len(series['points']), 2)
        self.assertRegex(self.run_it('history', f'key={KWS}').stdout,
                         r'muted until \d{4}-\S+Z: ticket 12')
        self.assertIn('kws/virt-*  latency*  until', self.run_it('mute').stdout)
        self.assertEqual(self.sql('SELECT reason, current FROM v_mutes'), [('ticket 12', 1)])

    def test_a_mute_that_ran_out_or_was_lifted_counts_no_more(self):
        self.make('1', '1.05:aaaaaaaa')
        self.run_it('mute', '*', '--reason', 'bench moves')
        self.gate(0)
        self.sql('UPDATE mute SET expires_ns = set_ns + 1')
        self.gate(1)
        self.assertEqual(self.run_it('mute').stdout, '')
        self.assertIn('ended', self.run_it('mute', '--all').stdout)
        self.run_it('mute', '*', '--reason', 'bench moves again')
        self.gate(0)
        self.run_it('mute', '*', '--delete')
        self.gate(1)
        self.assertIn('is not muted', self.run_it('mute', '*', '--delete', status=2).stderr)

    def test_no_mute_without_a_reason_or_an_end(self):
        self.make('1')
        self.assertIn('--reason', self.run_it('mute', 'kws*', status=2).stderr)
        self.run_it('mute', 'kws*', '--reason', 'x', '--for', '5y', status=2)
        self.run_it('mute', 'kws*', '--reason', 'x', '--for', 'long', status=2)
        self.run_it('mute', 'kws*', '--reason', '', status=2)

    def test_merges_keep_the_newer_word(self):
        other = self.path('other.db')
        self.make('1')
        self.run_it('mute', 'a*', '--reason', 'old')
        self.run_it('db', 'backup', '-o', other)
        self.run_it('mute', 'a*', '--delete')
        self.run_it('merge', other)
        self.assertEqual(self.run_it('mute').stdout, '')
        self.run_it('mute', 'a*', '--reason', 'new')
        self.run_it('merge', other)
        self.assertIn('new', self.run_it('mute').stdout)


class Page(Case):
    def page(self, *options):
        path = self.path('night.html')
        self.run_it('report', 'last', '-o', path, *options)
        with open(path, encoding='utf-8') as f:
            return f.read()

    def test_the_page_of_a_night_has_verdicts_trends_and_mutes(self):
        self.make('1', '1', '1', '1', '1.05:aaaaaaaa', '1.05:aaaaaaaa', '1.1:bbbbbbbb')
        self.run_it('mute', 'kws/pico/*', '--reason', 'ticket 8')
        page = self.page()
        for part in ('id="verdicts"', 'id="trends"', 'regressed', 'Compared with the run before',
                     'ticket 8'):
            self.assertIn(part, page)
        self.assertLess(page.index('id="verdicts"'), page.index('id="results"'))

    def test_it_compares_with_what_is_asked_for(self):
        self.make('1', '1.05:aaaaaaaa', '1.05:bbbbbbbb')
        self.assertNotIn('tag bad">regressed', self.page())
        self.assertIn('tag bad">regressed', self.page('--against', 'last~2'))

    def test_a_first_run_has_nothing_to_compare_with(self):
        self.make('1')
        page = self.page()
        self.assertNotIn('id="verdicts"', page)
        self.assertNotIn('id="trends"', page)


class LastGood(Case):
    def gate(self, run, status):
        return self.run_it('gate', run, '--baseline', 'last-good', status=status)

    def test_it_keeps_itself_and_never_takes_what_failed(self):
        self.make('1', '1', '1.05:aaaaaaaa', '1.05:bbbbbbbb', '1:cccccccc')
        self.gate('last~4', 5)
        self.gate('last~3', 0)
        self.gate('last~2', 1)
        self.gate('last~1', 1)
        self.gate('last', 0)

    def test_a_change_that_is_meant_to_stay_is_accepted_by_its_tag(self):
        self.make('1', '1', '1.05:aaaaaaaa', '1.05:bbbbbbbb')
        self.gate('last~3', 5)
        self.gate('last~2', 0)
        self.gate('last~1', 1)
        self.run_it('tag', 'last-good', 'last~1')
        self.gate('last', 0)

    def test_a_first_run_with_failures_is_no_baseline(self):
        self.make('f1', '1')
        self.assertIn('not all cases of this one passed', self.gate('last~1', 5).stderr)
        self.gate('last', 5)

    def test_a_run_is_never_its_own_baseline_and_is_told_so(self):
        self.make('1', '1')
        self.assertIn('this one is, from now on', self.gate('last~1', 5).stderr)
        self.assertIn("is itself the first 'last-good'", self.gate('last~1', 5).stderr)
        self.gate('last', 0)
        self.gate('last', 0)


class Files(Case):
    def test_an_exported_table_is_a_baseline(self):
        table = self.path('base.csv')
        self.make('1', '1', '1.05:aaaaaaaa')
        key = f'key={KWS}'
        self.run_it('export', f'last~2,{key}', '--format', 'csv', '-o', table)
        self.run_it('gate', f'last~1,{key}', '--baseline', table)
        out = self.run_it('gate', f'last,{key}', '--baseline', table, status=1).stdout
        self.assertIn(f'regressed: {KWS}: latency +5.00 %', out)
        self.run_it('gate', f'last,{key}', '--baseline', self.path('none.csv'), status=5)

    def test_a_tolerance_lets_small_growth_pass_and_says_so(self):
        self.make('1', '1.05:aaaaaaaa')
        what = (f'last,key={KWS}', '--baseline', f'last~1,key={KWS}')
        out = self.run_it('gate', *what, '--tolerance', '6%').stdout
        self.assertIn('latency +5.00 %, within the tolerance', out)
        self.run_it('gate', *what, '--tolerance', '0.04', status=1)
        self.run_it('gate', *what, '--tolerance', 'some', status=2)

    def test_a_broken_table_says_where(self):
        table = self.path('bad.csv')
        self.make('1')
        self.run_it('export', '--format', 'csv', '-o', table)
        with open(table, encoding='utf-8', newline='') as f:
            text = f.read()
        for change, words in ((lambda t: t.replace(',virtual,', ',vertual,', 1),
                               r"bad\.csv:2: realm: 'vertual' is not known"),
                              (lambda t: t.replace('value', 'valu', 1), "no column 'value'"),
                              (lambda t: t + '"open', 'a quote is never closed'),
                              (lambda t: '', 'no column')):
            with open(table, 'w', encoding='utf-8', newline='') as f:
                f.write(change(text))
            self.assertRegex(self.run_it('gate', '--baseline', table, status=2).stderr, words)


@unittest.skipUnless(os.path.exists(os.path.join(BUILD, 'targets/virtual/tinyrig-vboard-avr')),
                     'the virtual AVR boards are not built')
class SecondLook(Case):
    """Runs that really happen. The board counts exactly; the scatter is put in afterwards."""
    SUITE = f"""
name: again
models:
  - name: sine
    path: {ROOT}/suites/models/sine/sine.tflite
boards: [virt-avr]
engines: ["null"]
measure: {{windows: 5, slope: 2, window_time: 2ms}}
"""

    def setUp(self):
        super().setUp()
        with open(self.path('suite.yaml'), 'w', encoding='utf-8') as f:
            f.write(self.SUITE)
        self.measure('--tag', 'base')
        self.measure('--tag', 'candidate')

    def measure(self, *options):
        self.run_it('run', '--quiet', self.path('suite.yaml'), *options)

    def make_faster(self, tag, factor):
        """As if this run had been another build that took so much less, on a board that scatters."""
        with sqlite3.connect(self.db) as db:
            (run, attempt, context), = db.execute(
                'SELECT a.run, a.id, a.context FROM attempt a JOIN tag t ON t.run = a.run'
                ' WHERE t.name = ?', (tag,)).fetchall()
            db.execute('UPDATE window SET value = value * ? * (1 + number % 3 * 0.001)'
                       ' WHERE attempt = ?', (factor, attempt))
            db.execute('UPDATE measurement SET value = value * ?, low = NULL, high = NULL WHERE'
                       " attempt = ? AND series IN (SELECT id FROM series WHERE metric LIKE"
                       " 'latency%')", (factor, attempt))
            db.execute('UPDATE attempt SET context = ? WHERE id = ?',
                       (changed_context(db, context, 'firmware', 'firmware.sha256', 'f' * 64),
                        attempt))
        db.close()

    def gate(self, status, *options):
        return self.run_it('gate', 'tag=candidate', '--baseline', 'base', '--lenient', *options,
                           status=status)

    def test_a_regression_that_stays_fails_and_both_measurements_are_kept(self):
        self.make_faster('base', 0.9)
        self.gate(1)
        done = self.gate(1, '--confirm')
        self.assertIn('measuring 1 case again (candidate)', done.stderr)
        self.assertIn('regressed: sine/virt-avr/null', done.stdout)
        self.assertEqual(len(self.sql('SELECT run FROM v_runs')), 4)
        self.assertEqual(len(self.sql("SELECT tag FROM v_tags WHERE tag LIKE 'confirm-%-b_'")), 2)

    def test_one_that_does_not_come_back_is_a_remark(self):
        self.make_faster('candidate', 1.1)
        self.gate(1)
        out = self.gate(0, '--confirm').stdout
        self.assertIn('not confirmed by a rerun', out)

    def test_with_the_baselines_agents_both_are_measured_in_turns(self):
        data = self.path('data')
        os.mkdir(data)
        os.symlink(os.path.join(ROOT, 'targets/boards'), os.path.join(data, 'boards'))
        os.symlink(os.path.join(BUILD, 'firmware'),
                   os.path.join(data, 'firmware'))
        self.make_faster('base', 0.9)
        done = self.gate(0, '--confirm', '--base-data', data)
        order = re.findall(r'again \((\w+)\)', done.stderr)
        self.assertEqual(order, ['baseline', 'candidate', 'candidate', 'baseline'])
        self.assertIn('not confirmed', done.stdout)
        self.gate(2, '--base-data', data)

    def test_runs_of_two_revisions_are_compared(self):
        def git(*arguments):
            subprocess.run(['git', '-c', 'user.name=t', '-c', 'user.email=t@example.org',
                            *arguments], cwd=self.folder.name, check=True, capture_output=True)
        git('init', '-q')
        git('add', 'suite.yaml')
        git('commit', '-q', '-m', 'one')
        self.measure()
        git('commit', '-q', '--allow-empty', '-m', 'two')
        with open(self.path('suite.yaml'), 'a', encoding='utf-8') as f:
            f.write('# changed\n')
        self.measure()
        out = json.loads(self.run_it('compare', 'git=HEAD~1', 'git=HEAD', '-f', 'json',
                                     cwd=self.folder.name).stdout)
        differences = {d['key']: (d['a'], d['b']) for d in out['cases'][0]['differences']}
        self.assertEqual(differences['git.dirty'], ('no', 'yes'))
        self.assertEqual(out['cases'][0]['runs_a'], 1)
        first = differences['git.revision'][0]
        self.run_it('compare', f'git={first[:10]}', 'last')
        self.run_it('compare', 'git=nosuch', 'last', status=2)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])

"""Every output format through a reader that is not ours: JSON against its schema, JUnit by Python's
XML parser and xmllint, CSV by Python's csv, Markdown's tables, GitHub's annotations, and terminals of
80 and 120 columns.

usage: test_formats.py MAKE_DB TINYRIG SOURCE_ROOT
"""
import copy
import csv
import fcntl
import io
import json
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
import unicodedata
import unittest
import xml.etree.ElementTree as ElementTree

from nights import ROOT, TINYRIG, Nights

sys.path.insert(0, os.path.join(ROOT, 'tests/golden/report'))
from validate import problems  # noqa: E402
try:
    import jsonschema
except ImportError:
    jsonschema = None

PICK = ('pick', '--model', 'kws', '--latency', '70ms', '--ram', '64KiB', '--energy', '5mJ')
# Commands, the schema of what they print as JSON, and how they exit.
COMMANDS = [
    (('report', 'last'), 'report', 0),
    (('report', 'all'), 'report', 0),
    (('compare', 'last~2', 'last~1'), 'compare', 0),
    (('compare', 'last~1', 'last'), 'compare', 0),
    (('compare', 'last~2,board=virt-m4', 'last~2,board=pico'), 'compare', 0),
    (('gate', 'last~1', '--baseline', 'last~2'), 'compare', 1),
    (('gate', 'last~2', '--baseline', 'last~3'), 'compare', 0),
    (('history', '--metric', '*'), 'history', 0),
    (('rank', '--model', 'kws', '--rate', '30'), 'rank', 0),
    ((*PICK, '--rate', '10', '--flash', '1MiB'), 'pick', 0),
    ((*PICK, '--battery', '30d'), 'pick', 1),
]


class Formats(Nights):
    def printed(self, *arguments, status=0):
        return self.run_it(*arguments, status=status).stdout

    def schema(self, name):
        with open(os.path.join(ROOT, 'config/schema', name + '.json'), encoding='utf-8') as f:
            return json.load(f)

    def test_json_is_what_its_schema_says(self):
        for command, name, status in COMMANDS:
            with self.subTest(command=command):
                schema = self.schema(name)
                document = json.loads(self.printed(*command, '-f', 'json', status=status))
                self.assertEqual(list(problems(document, schema, schema, name)), [])
                if jsonschema is not None:
                    jsonschema.Draft202012Validator.check_schema(schema)
                    jsonschema.Draft202012Validator(schema).validate(document)

    def test_schemas_refuse_what_is_not_so(self):
        tried = set()
        for command, name, status in COMMANDS:
            schema = self.schema(name)
            document = json.loads(self.printed(*command, '-f', 'json', status=status))
            for path, value in self.leaves(document):
                key = (name, *(step for step in path if isinstance(step, str)))
                if key in tried:
                    continue
                tried.add(key)
                for change in (lambda d, k: d.pop(k), lambda d, k: d.update({k: {'x': 1}})):
                    broken = copy.deepcopy(document)
                    holder = broken
                    for step in path[:-1]:
                        holder = holder[step]
                    change(holder, path[-1])
                    self.assertTrue(any(problems(broken, schema, schema, name)), (name, path, value))

    def leaves(self, value, path=()):
        """Keys with plain values, except where keys are free (facts)."""
        if isinstance(value, dict):
            for key, inner in value.items():
                if key not in ('facts', 'gate'):
                    yield from self.leaves(inner, (*path, key))
        elif isinstance(value, list):
            for i, inner in enumerate(value[:1]):
                yield from self.leaves(inner, (*path, i))
        elif isinstance(path[-1], str):
            yield path, value

    def test_junit_has_a_test_case_per_case_and_budget(self):
        text = self.printed('report', 'last', '-f', 'junit')
        root = ElementTree.fromstring(text)
        suites = root.findall('testsuite')
        cases = root.findall('testsuite/testcase')
        self.assertEqual(int(root.get('tests')), len(cases))
        for tag, count in (('failure', 'failures'), ('error', 'errors'), ('skipped', 'skipped')):
            found = [c for c in cases if c.find(tag) is not None]
            self.assertEqual(int(root.get(count)), len(found))
            self.assertEqual(sum(int(s.get(count)) for s in suites), len(found))
        report = json.loads(self.printed('report', 'last', '-f', 'json'))
        budgets = sum(m['budget'] is not None for c in report['cases'] for m in c['metrics'])
        self.assertEqual(len(cases), len(report['cases']) + budgets)
        self.assertGreater(budgets, 0)
        if shutil.which('xmllint'):
            subprocess.run(['xmllint', '--noout', '-'], input=text, text=True, check=True)

    def test_csv_holds_the_same_figures_as_json(self):
        rows = list(csv.DictReader(io.StringIO(self.printed('report', 'last', '-f', 'csv'), newline='')))
        report = json.loads(self.printed('report', 'last', '-f', 'json'))
        figures = {(c['key'], m['name']): m['value'] for c in report['cases'] for m in c['metrics']}
        self.assertNotIn(None, {k for row in rows for k in row})
        self.assertEqual({(r['case'], r['metric']): float(r['value']) for r in rows if r['metric']},
                         figures)
        self.assertEqual({r['emulated_meter'] for r in rows if r['metric']}, {'0'})
        self.assertEqual({r['case'] for r in rows}, {c['key'] for c in report['cases']})

    def test_markdown_tables_are_tables(self):
        for command, _, status in COMMANDS:
            if command[0] == 'history' or command[-1] == 'last~3': # nothing to list
                continue
            with self.subTest(command=command):
                text = self.printed(*command, '-f', 'markdown', status=status)
                blocks = re.findall(r'(?:^\|.*\n)+', text, re.M)
                self.assertTrue(blocks)
                for block in blocks:
                    cells = [re.split(r'(?<!\\)\|', line)[1:-1] for line in block.splitlines()]
                    self.assertEqual(len({len(row) for row in cells}), 1, block)
                    self.assertTrue(all(re.fullmatch(r' :?-+:? ', c) for c in cells[1]), block)

    def test_annotations_are_workflow_commands(self):
        lines = self.printed('report', 'last', '-f', 'github').splitlines()
        for line in lines:
            self.assertRegex(line, r'^::(error|warning|notice) (file=[^,:]+,)?title=[^,:]+::\S')
        levels = [line.split()[0] for line in lines]
        self.assertIn('::error', levels)
        self.assertIn('::warning', levels)

    def terminal(self, columns, *arguments):
        """What a terminal of this width shows, and its lines without colours."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 40, columns, 0, 0))
        env = {k: v for k, v in os.environ.items() if k not in ('COLUMNS', 'NO_COLOR')}
        child = subprocess.Popen([TINYRIG, *arguments, '--db', self.db], stdout=slave,
                                 stdin=subprocess.DEVNULL, env=dict(env, TERM='xterm-256color'))
        os.close(slave)
        shown = b''
        while True:
            try:
                more = os.read(master, 65536)
            except OSError: # the other side is closed
                break
            if not more:
                break
            shown += more
        os.close(master)
        child.wait(60)
        text = shown.decode()
        return text, re.sub(r'\x1b\[[0-9;]*m', '', text).split('\r\n')

    def test_nothing_is_wider_than_the_terminal(self):
        for columns in (80, 120):
            for command, _, _ in COMMANDS:
                with self.subTest(command=command, columns=columns):
                    text, lines = self.terminal(columns, *command)
                    for line in lines:
                        self.assertLessEqual(sum(1 + (unicodedata.east_asian_width(c) in 'WF')
                                                 for c in line), columns, line)
                        self.assertNotIn('\x1b', line)
                    self.assertNotIn('...  ', text, 'a name was cut')

    def test_a_terminal_has_colours_and_a_pipe_has_none(self):
        text, _ = self.terminal(80, 'compare', 'last~2', 'last~1')
        self.assertRegex(text, r'\x1b\[1;31mregressed')
        self.assertNotIn('\x1b', self.printed('compare', 'last~2', 'last~1'))


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])

#!/usr/bin/env python3
"""The table of agents/engines/OPERATORS.md against the compiler: operators, versions and types.

usage: check_types.py SOURCE_ROOT ACCEPTS

Every operator is tried with every type of data: random models by the generators of
suites/models/oracle, their tensors turned into the other types. What is taken must stand in the
table, what stands there must be taken, and whatever is refused must be named.
"""

import os
import random
import re
import subprocess
import sys
import tempfile

ROUNDS = 8  # models of each generator
DATA_TYPES = ('INT8', 'UINT8', 'INT16', 'INT32', 'INT64', 'FLOAT32', 'BOOL')
ROW = re.compile(r'^\| ([A-Z0-9_]+) \| (\w+) \|([^|]*)\|', re.M)
KNOWN = re.compile(r'    X\((\w+), (\d+), (\d+), \w+\)')
# How a refusal has to begin, but for types that no tensor of a model may have.
NAMED = r'operator 0 %s v\d+: .|(in|out)put \d+ of the model \(tensor \d+ .*\): type INT64 is not'
# What no generator draws; their rows speak of no types, or tests of their own look at them.
APART = {'CALL_ONCE', 'CUSTOM', 'VAR_HANDLE'}
CONVERSIONS = {'CAST', 'QUANTIZE', 'DEQUANTIZE'}
# Types that weights, states and cells have beside those of the data, by generator.
BESIDE = {'CONV_2D_INT4': 'int8 or int4 weights', 'FULLY_CONNECTED_INT4': 'int8 or int4 weights',
          'SVDF_INT16': 'state int8 or int16', 'UNIDIRECTIONAL_SEQUENCE_LSTM': 'cell int16',
          'SOFTMAX': 'int8 to int8 or int16'}


def convert(builder, tensors, new, scaled=('INT8', 'UINT8', 'INT16')):
    """These tensors as `new`, with values and quantisation that the type can have."""
    low, high = {'UINT8': (0, 255), 'BOOL': (0, 1), 'INT8': (-128, 127)}.get(new, (-100, 100))
    for i in tensors:
        name, _, shape, scales, _, axis, data, variable = builder.tensors[i]
        if new in scaled:
            scales = list(scales) or [0.5]
            zeros = [0] * len(scales)
        else:
            scales, zeros = [], []
        if data is not None:
            data = [min(max(int(v), low), high) for v in data]
        builder.tensors[i] = (name, new, shape, scales, zeros, axis, data, variable)


def data_tensor(draft):
    name, inputs = draft.builder.operators[0][:2]
    return inputs[{'TRANSPOSE_CONV': 2, 'SPLIT': 1}.get(name, 0)]


class Tries:
    """Models by what they try, and what the compiler said."""

    def __init__(self, folder, accepts):
        self.folder, self.accepts, self.made = folder, accepts, []

    def add(self, operator, types, model, what):
        path = os.path.join(self.folder, '%d.tflite' % len(self.made))
        with open(path, 'wb') as f:
            f.write(model)
        self.made.append((operator, types, path, what))

    def run(self):
        """(operator, types of data, what was said, generator) of each."""
        said = subprocess.run([self.accepts], input='\n'.join(p for _, _, p, _ in self.made) + '\n',
                              stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
        assert len(said) == len(self.made)
        return [(op, types, text, what) for (op, types, _, what), text in zip(self.made, said)]


def add_plain(tries, draft, what):
    """As it was drawn, and with the data's type turned into each other one."""
    builder, at = draft.builder, data_tensor(draft)
    name, own = builder.operators[0][0], builder.tensors[at][1]
    tries.add(name, own, builder.finish(draft.inputs, draft.outputs), what)
    same = [i for i, t in enumerate(builder.tensors) if t[1] == own]
    kept = list(builder.tensors)
    for new in DATA_TYPES:
        if new != own:
            convert(builder, same, new)
            tries.add(name, new, builder.finish(draft.inputs, draft.outputs), 'as ' + new)
            builder.tensors[:] = kept


def add_conversion(tries, draft):
    builder = draft.builder
    kept = list(builder.tensors)
    for source in DATA_TYPES:
        for target in DATA_TYPES:
            for tensors, new in ((draft.inputs, source), (draft.outputs, target)):
                convert(builder, tensors, new, ('INT8', 'UINT8', 'INT16', 'INT32'))
            tries.add(builder.operators[0][0], (source, target),
                      builder.finish(draft.inputs, draft.outputs), 'conversion')
            builder.tensors[:] = kept


def add_variables(tries, build):
    for new in DATA_TYPES:
        b = build.Builder()
        handle = b.tensor('handle', 'RESOURCE', [])
        tensors = [b.tensor('t%d' % i, new, [3], [0.5] if new in ('INT8', 'UINT8', 'INT16') else [],
                            [0] if new in ('INT8', 'UINT8', 'INT16') else []) for i in range(2)]
        b.operator('VAR_HANDLE', [], [handle], 1, {0: '', 1: 'v'})
        b.operator('READ_VARIABLE', [handle], tensors[:1], 1)
        b.operator('ASSIGN_VARIABLE', [handle, tensors[1]], [], 1)
        for name in ('READ_VARIABLE', 'ASSIGN_VARIABLE'):
            tries.add(name, new, b.finish(tensors[1:], tensors[:1]), 'variables')


# What is wrong with a variable's first value, and what has to be said of it.
FIRST_VALUES = {'too large': "has 3 bytes, the first value of variable 'v' has 4",
                'too late': "variable 'v' is used before it has its first value"}


def add_first_values(tries, build):
    for what in FIRST_VALUES:
        once, b = build.Builder(), build.Builder()
        n = 4 if what == 'too large' else 3
        handle = once.tensor('handle', 'RESOURCE', [])
        first = once.tensor('first', 'INT8', [n], [0.5], [0], data=[1] * n)
        once.operator('VAR_HANDLE', [], [handle], 1, {0: '', 1: 'v'})
        once.operator('ASSIGN_VARIABLE', [handle, first], [], 1)
        handle = b.tensor('handle', 'RESOURCE', [])
        out = b.tensor('out', 'INT8', [3], [0.5], [0])
        b.operator('CALL_ONCE', [], [], 1, {0: ('i', 1)})
        b.operator('VAR_HANDLE', [], [handle], 1, {0: '', 1: 'v'})
        b.operator('READ_VARIABLE', [handle], [out], 1)
        if what == 'too late':
            b.operators.append(b.operators.pop(0))
        b.second = once
        tries.add('CALL_ONCE', 'INT8', b.finish([], [out]), what)


def add_all(tries, generate, build):
    for name in sorted(set(generate.CASES) - {'VARIABLES', 'VARIABLES_ONCE'}):
        for number in range(ROUNDS):
            draft = generate.draw(name, random.Random('types-%s-%d' % (name, number)))[0]
            if draft.builder.operators[0][0] in CONVERSIONS:
                add_conversion(tries, draft)
            else:
                add_plain(tries, draft, name)
    add_variables(tries, build)
    add_first_values(tries, build)


def table_types(name, text):
    """What a row takes: types of data, or pairs of them for conversions."""
    def words(s):
        return [w.upper() for w in re.findall(r'\b(?:u?int\d+|float32|bool)\b', s)]
    if name in CONVERSIONS:
        pairs = set()
        for part in text.split(';'):
            between, _, target = part.partition(' to ')
            if 'between' in part or not target:
                pairs |= {(a, b) for a in words(part) for b in words(part)}
            else:
                pairs |= {(a, b) for a in words(between) for b in words(target)}
        return pairs
    parts = [p.strip() for p in re.split('[,;]', text)]
    if 'any' in parts:
        return {'ANY'}
    return {words(p)[0] for p in parts if words(p) and not re.search('weights|state|cell', p)}


def compare(name, text, results, any_types):
    taken = {types for op, types, said, _ in results if op == name and said == 'ok'}
    stated = table_types(name, text)
    stated = any_types if stated == {'ANY'} else stated
    wrong = ['%s takes %s, which the table leaves out' % (name, t) for t in sorted(taken - stated)]
    return wrong + ['%s does not take %s, which the table has' % (name, t)
                    for t in sorted(stated - taken)]


def main():
    root, accepts = sys.argv[1:3]
    sys.path.insert(0, os.path.join(root, 'suites', 'models'))
    from oracle import build, generate, generate_real  # noqa: F401 (it adds cases)
    with open(os.path.join(root, 'agents', 'engines', 'OPERATORS.md')) as f:
        document = f.read()
    with open(os.path.join(root, 'harness', 'nn', 'graph.h')) as f:
        known = {name: (int(n), version) for name, n, version in KNOWN.findall(f.read())}
    any_types = {w.upper() for w in re.search(r'any means ([^:.]*)', document).group(1)
                 .replace(',', ' ').replace(' and ', ' ').split()}
    table = {name: (version, text) for name, version, text in ROW.findall(document)}
    with tempfile.TemporaryDirectory(prefix='tinyrig-types-') as folder:
        tries = Tries(folder, accepts)
        add_all(tries, generate, build)
        results = tries.run()
    wrong = ['%s is in one of table and compiler only' % n for n in sorted(set(table) ^ set(known))]
    for name in sorted(set(table) & set(known)):
        version = table[name][0]
        if version not in ('any', known[name][1]):
            wrong.append('%s: version %s, the compiler has %s' % (name, version, known[name][1]))
        if name not in APART:
            wrong += compare(name, table[name][1], results, any_types)
    for generator, words in BESIDE.items():
        name = next(op for op, _, _, what in results if what == generator)
        if words not in table[name][1] or \
                any(said != 'ok' for _, _, said, what in results if what == generator):
            wrong.append('%s: "%s" is not what the table says' % (generator, words))
    for name, types, said, what in results:
        if what in FIRST_VALUES:
            wrong += [] if FIRST_VALUES[what] in said else ['%s: %s' % (what, said)]
        elif said != 'ok' and what != 'variables' and not re.match(NAMED % name, said):
            wrong.append('%s as %s is refused without a name: %s' % (name, types, said))
    print('\n'.join(wrong))
    print('%d models, %d taken' % (len(results), sum(said == 'ok' for _, _, said, _ in results)))
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())

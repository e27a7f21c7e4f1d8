#!/usr/bin/env python3
"""What each kernel variant costs on each core, measured on the virtual boards: harness/nn/costs.def.

usage: costs.py BUILD SOURCE [CORE...]     writes SOURCE/harness/nn/costs.def, of these cores only

Models of many layers run with each variant alone; the profile tells what every operator takes.
A line through those of a kind gives instructions per call, per output and per multiplication, and
the compiler (harness/nn/pack.c) chooses the cheapest variant for each step by them. To be run again
after a change of a kernel that is meant to make it faster: it takes some minutes.
"""

import os
import sqlite3
import subprocess
import sys
import tempfile

# core: board, variants, models if not the usual ones
CORES = {'M0': ('virt-m0', ['ref', 'tuned']), 'M3': ('virt-m3', ['ref', 'tuned']),
         'M4': ('virt-m4', ['ref', 'tuned', 'armv7em']),
         'M55': ('virt-m55', ['ref', 'tuned', 'armv7em', 'mve']),
         'RV32': ('virt-rv32', ['ref', 'tuned']),
         'AVR': ('virt-avr', ['ref', 'avr'], ['rows', 'little'])}
KINDS = {'CONV_2D': 'CONV_S8', 'DEPTHWISE_CONV_2D': 'DEPTHWISE_S8',
         'FULLY_CONNECTED': 'FULLY_CONNECTED_S8', 'ADD': 'ADD_S8', 'MUL': 'MUL_S8', 'SVDF': 'SVDF',
         'AVERAGE_POOL_2D': 'AVERAGE_POOL_S8', 'MAX_POOL_2D': 'MAX_POOL_S8', 'MEAN': 'MEAN',
         'UNIDIRECTIONAL_SEQUENCE_LSTM': 'LSTM_S8'}

# name: input shape, layers: (recipe line, operator, outputs[, elements that a pool or mean reads])
MODELS = {
    'sums': ('[1, 1, 1, 512]', [  # one row: nothing to split into strips
        ('depthwise_conv2d: {kernel: 1, name: a}', 'DEPTHWISE_CONV_2D', 512),
        ('depthwise_conv2d: {kernel: 1, name: b}', 'DEPTHWISE_CONV_2D', 512),
        ('add: {from: [a, b], name: c}', 'ADD', 512),
        ('mul: {from: [b, c], name: d}', 'MUL', 512),
        ('conv2d: {filters: 32, kernel: 1, name: e}', 'CONV_2D', 32),
        ('depthwise_conv2d: {kernel: 1, name: f}', 'DEPTHWISE_CONV_2D', 32),
        ('add: {from: [e, f], name: g}', 'ADD', 32),
        ('mul: {from: [f, g], name: h}', 'MUL', 32),
        ('flatten', None, 0),
        ('dense: {units: 96}', 'FULLY_CONNECTED', 96),
        ('dense: {units: 64}', 'FULLY_CONNECTED', 64),
        ('dense: {units: 12}', 'FULLY_CONNECTED', 12),
        ('dense: {units: 4}', 'FULLY_CONNECTED', 4)]),
    'rows': ('[1, 30, 1, 16]', [
        ('depthwise_conv2d: {kernel: [3, 1]}', 'DEPTHWISE_CONV_2D', 448),
        ('conv2d: {filters: 32, kernel: 1}', 'CONV_2D', 896),
        ('depthwise_conv2d: {kernel: [5, 1]}', 'DEPTHWISE_CONV_2D', 768),
        ('conv2d: {filters: 12, kernel: 1}', 'CONV_2D', 288),
        ('depthwise_conv2d: {kernel: [10, 1]}', 'DEPTHWISE_CONV_2D', 180),
        ('conv2d: {filters: 16, kernel: [5, 1]}', 'CONV_2D', 176),
        ('depthwise_conv2d: {kernel: [11, 1]}', 'DEPTHWISE_CONV_2D', 16),
        ('conv2d: {filters: 24, kernel: 1}', 'CONV_2D', 24)]),
    'svdf': ('[1, 48]', [
        ('svdf: {units: 48, memory: 8}', 'SVDF', 48),
        ('svdf: {units: 24, memory: 24}', 'SVDF', 24),
        ('svdf: {units: 8, memory: 10}', 'SVDF', 8),
        ('svdf: {units: 32, memory: 12}', 'SVDF', 32)]),
    'lstm': ('[1, 12, 20]', [
        ('lstm: {units: 24}', 'UNIDIRECTIONAL_SEQUENCE_LSTM', 288),
        ('lstm: {units: 8}', 'UNIDIRECTIONAL_SEQUENCE_LSTM', 96),
        ('lstm: {units: 16}', 'UNIDIRECTIONAL_SEQUENCE_LSTM', 192)]),
    'little': ('[1, 8, 8, 4]', [
        ('conv2d: {filters: 8, kernel: 3, padding: same}', 'CONV_2D', 512),
        ('depthwise_conv2d: {kernel: 3, padding: same}', 'DEPTHWISE_CONV_2D', 512),
        ('conv2d: {filters: 12, kernel: 1}', 'CONV_2D', 768),
        ('depthwise_conv2d: {kernel: 5, stride: 2, padding: same}', 'DEPTHWISE_CONV_2D', 192),
        ('conv2d: {filters: 7, kernel: 3, padding: same}', 'CONV_2D', 112),
        ('flatten', None, 0),
        ('dense: {units: 24}', 'FULLY_CONNECTED', 24),
        ('dense: {units: 31}', 'FULLY_CONNECTED', 31),
        ('dense: {units: 12}', 'FULLY_CONNECTED', 12),
        ('dense: {units: 4}', 'FULLY_CONNECTED', 4)]),
}
# Pools, means and int16 activations.
MODELS['pools'] = ('[1, 1, 24, 16]', [
    ('max_pool: {kernel: [1, 2], stride: [1, 2]}', 'MAX_POOL_2D', 192, 384),
    ('average_pool: {kernel: [1, 3], padding: same}', 'AVERAGE_POOL_2D', 192, 576),
    ('max_pool: {kernel: [1, 5]}', 'MAX_POOL_2D', 128, 640),
    ('average_pool: {kernel: [1, 4]}', 'AVERAGE_POOL_2D', 80, 320),
    ('max_pool: {kernel: [1, 3]}', 'MAX_POOL_2D', 48, 144),
    ('average_pool: {kernel: [1, 2]}', 'AVERAGE_POOL_2D', 32, 64),
    ('max_pool: {kernel: [1, 2]}', 'MAX_POOL_2D', 16, 32)])
MODELS['means'] = ('[1, 1, 24, 16]', [
    ('average_pool: {kernel: [1, 13], name: a}', 'AVERAGE_POOL_2D', 192, 2496),
    ('mean: {from: a, name: b}', 'MEAN', 16, 192),
    ('average_pool: {from: a, kernel: [1, 9], name: c}', 'AVERAGE_POOL_2D', 64, 576),
    ('mean: {from: c, name: d}', 'MEAN', 16, 64),
    ('max_pool: {from: a, kernel: [1, 9], name: e}', 'MAX_POOL_2D', 64, 576),
    ('concat: {from: [c, e], name: f}', None, 0),
    ('mean: {from: f, name: g}', 'MEAN', 32, 128),
    ('concat: {from: [b, d, g]}', None, 0)])
MODELS['wide'] = MODELS['rows'] + ('int16',)
MODELS['wide-dense'] = ('[1, 80]', MODELS['sums'][1][-4:], 'int16')
USUAL = ['sums', 'rows', 'little', 'svdf', 'lstm', 'pools', 'means', 'wide', 'wide-dense']


def kind_of(model, op):
    kind = KINDS[op]
    return kind.replace('_S8', '_S16') if MODELS[model][2:] else kind


def make_models(build, folder):
    for name, (shape, layers, *wide) in MODELS.items():
        stem = os.path.join(folder, name)
        with open(stem + '.yaml', 'w') as f:
            f.write(f'model: {name}\ndescription: layers to measure\nseed: 3\n'
                    f'input: {{shape: {shape}, type: {wide[0] if wide else "int8"}, data: smooth, range: [-1, 1]}}\n'
                    'layers:\n' + ''.join(f'  - {line}\n' for line, *_ in layers))
        subprocess.run([os.path.join(build, 'harness/recipe/tinyrig-recipe'), 'build',
                        stem + '.yaml', '-o', stem + '.tflite', '--vectors', stem],
                       check=True, stdout=subprocess.DEVNULL)


def run_core(build, folder, board, variants, models=USUAL):
    """(kind, variant): [(outputs, multiplications or what is read, instructions)]"""
    suite, database = os.path.join(folder, board + '.yaml'), os.path.join(folder, board + '.db')
    with open(suite, 'w') as f:
        f.write('models:\n' + ''.join(
            f'  - {{name: {name}, path: {name}.tflite, inputs: "{name}/in00.bin"}}\n'
            for name in models))
        f.write(f'boards: [{board}]\nengines: [tiny]\nparameters: {{kernels: [{", ".join(variants)}]}}\n'
                'measure: {inferences: 1, windows: 1, slope: 1, max_vectors: 1, profile: true}\n')
    os.makedirs(os.path.join(folder, 'locks'), exist_ok=True)
    subprocess.run([os.path.join(build, 'tinyrig'), 'run', '-q', '--db', database, suite],
                   env=dict(os.environ, TINYRIG_LOCK_DIR=os.path.join(folder, 'locks')),
                   check=True, stdout=subprocess.DEVNULL)
    points, seen = {}, {}
    db = sqlite3.connect(database)
    for case, model, op, kernel, value, macs in db.execute(
            'SELECT case_key, model, op, kernel, value, macs FROM v_profile ORDER BY position'):
        which = seen[case, op] = seen.get((case, op), -1) + 1
        layers = [layer[2:] for layer in MODELS[model][1] if layer[1] == op]
        if op in KINDS and which >= len(layers):
            sys.exit(f'{case}: {op} runs in strips; the models here are meant not to')
        wanted = case.split('kernels=')[-1].split(',')[0] if 'kernels=' in case else kernel
        if kernel == wanted and op in KINDS:
            outputs, *read = layers[which]
            points.setdefault((kind_of(model, op), kernel), []).append(
                (outputs, read[0] if read else macs or 0, value))
    db.close()
    return points


def solve(rows, columns):
    """Least squares of the chosen columns of (1, outputs, macs); relative errors count."""
    n = len(columns)
    m = [[0.0] * (n + 1) for _ in range(n)]
    for outputs, macs, value in rows:
        x = [(1, outputs, macs)[c] / value for c in columns]
        for i in range(n):
            for k in range(n):
                m[i][k] += x[i] * x[k]
            m[i][n] += x[i]
    for i in range(n):
        pivot = max(range(i, n), key=lambda r: abs(m[r][i]))
        m[i], m[pivot] = m[pivot], m[i]
        if abs(m[i][i]) < 1e-18:
            return None
        for r in range(n):
            if r != i:
                f = m[r][i] / m[i][i]
                m[r] = [a - f * b for a, b in zip(m[r], m[i])]
    return [m[i][n] / m[i][i] for i in range(n)]


def fit(rows):
    """Per call, per output, per multiplication; what would come out negative is left out."""
    columns = [0, 1, 2] if any(r[1] for r in rows) else [0, 1]
    while columns:
        found = solve(rows, columns)
        if found and min(found) >= 0:
            result = [0.0, 0.0, 0.0]
            for c, v in zip(columns, found):
                result[c] = v
            return result
        columns = columns[:-1] if not found else \
            [c for c, v in zip(columns, found) if v > min(found)]
    return [0.0, 0.0, 0.0]


def main():
    build, source = (os.path.abspath(p) for p in sys.argv[1:3])
    out, wanted = os.path.join(source, 'harness/nn/costs.def'), sys.argv[3:] or list(CORES)
    lines = []
    with tempfile.TemporaryDirectory(prefix='tinyrig-costs-') as folder:
        make_models(build, folder)
        for core, about in CORES.items():
            if core not in wanted:
                with open(out) as f:
                    lines += [line.rstrip() for line in f if line.startswith(f'COST({core},')]
                continue
            for (kind, variant), rows in sorted(run_core(build, folder, *about).items()):
                call, each, mac = fit(rows)
                lines.append(f'COST({core}, {variant.upper()}, {kind}, {call:.0f}, '
                             f'{100 * each:.0f}, {100 * mac:.0f})')
                worst = max(abs(call + each * o + mac * m - v) / v for o, m, v in rows)
                print(f'{lines[-1]:58s} off by {100 * worst:.0f} % at most')
    with open(out, 'w') as f:
        f.write('/*\n * Written by tests/bench/costs.py: instructions (AVR: cycles) that kernels take, measured '
                'on the\n * virtual boards. Core, variant, kind: per call, per 100 outputs, per 100 '
                'multiplications.\n */\n' + '\n'.join(lines) + '\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())

#!/usr/bin/env python3
"""Our engine on the virtual boards beside TensorFlow Lite Micro's stored figures, as ratios.

usage: engine.py BUILD SOURCE [BOARD|MODEL...]     boards: m0 m3 m4 m7 m33 m55 rv32

All boards, or those named; all models, or those named. Models: one shaped like each of the ten that
baseline.csv has, made from recipes (suites/models, tests/bench/models); and those ten themselves
(public-NAME) as far as TINYRIG_EXTRA_MODELS names a folder that holds them. The bars: 0.80 of
CMSIS-NN's instructions on m3, m4, m7 and m33, 0.90 on m55, 0.35 of the reference kernels' on m0 and
rv32; 0.75 of the arena, of models shaped like MLPerf Tiny's; 512 bytes of stack. All is one run, every
output compared first.

TINYRIG_BENCH_PROFILE=1 prints what holds back: the three costliest operators of every model.
"""

import csv
import os
import sqlite3
import subprocess
import sys
import tempfile

BOARDS = {'m0': 'virt-m0', 'm3': 'virt-m3', 'm4': 'virt-m4', 'm7': 'virt-m7', 'm33': 'virt-m33',
          'm55': 'virt-m55', 'rv32': 'virt-rv32'}
AGAINST = {'m0': ('ref', 0.35), 'rv32': ('ref', 0.35), 'm55': ('cmsis', 0.90)}  # else cmsis, 0.80
# Recipes named as their baselines. Those of hello, speech and scrambled have other shapes than
# their originals, so they are not compared: only the originals are.
RECIPES = ['kws', 'ic', 'vww', 'ad', 'strww', 'person', 'lstm']
PUBLIC = {'kws_ref_model': 'kws', 'pretrainedResnet_quant': 'ic', 'vww_96_int8': 'vww',
          'ad01_int8': 'ad', 'str_ww_ref_model': 'strww', 'hello_world_int8': 'hello',
          'micro_speech_quantized': 'speech', 'person_detect': 'person',
          'trained_lstm_int8': 'lstm', 'keyword_scrambled_8bit': 'scrambled'}
ARENA_BAR, STACK_BAR = 0.75, 512
MLPERF = {'kws', 'ic', 'vww', 'ad', 'strww'}  # those that ARENA_BAR is for


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def make(build, recipe, folder, name):
    """A model from its recipe, its inputs, and what a Cortex-M3 makes of them."""
    stem = os.path.join(folder, name)
    run(os.path.join(build, 'harness/recipe/tinyrig-recipe'), 'build', recipe,
        '-o', stem + '.tflite', '--vectors', stem)
    inputs = sorted(f for f in os.listdir(stem) if f.startswith('in'))
    args = [a for f in inputs for a in ('--input', os.path.join(stem, f))]
    run(os.path.join(build, 'tinyrig'), 'infer', stem + '.tflite', '--board', 'virt-m3',
        *args, '--output', stem + '-out')
    for f in inputs:  # in00.out.bin: out00.bin
        os.rename(os.path.join(stem + '-out', f[:-len('.bin')] + '.out.bin'),
                  os.path.join(stem, 'out' + f[len('in'):]))
    return stem + '.tflite', stem + '/in*.bin', stem + '/out*.bin'


def recipe_model(build, source, folder, name):
    """The model that comes along, or one made now."""
    shipped = os.path.join(source, 'suites/models', name)
    if os.path.exists(os.path.join(shipped, name + '.tflite')):
        return os.path.join(shipped, name + '.tflite'), shipped + '/in*.bin', shipped + '/out*.bin'
    for recipe in (shipped + '/recipe.yaml', f'{source}/tests/bench/models/{name}.yaml'):
        if os.path.exists(recipe):
            return make(build, recipe, folder, name)
    raise FileNotFoundError(f'no recipe of {name}')


def models_of(build, source, folder, wanted):
    """name: (file, inputs, expected outputs, baseline)"""
    models = {}
    for name in RECIPES:
        if not wanted or name in wanted:
            models[name] = (*recipe_model(build, source, folder, name), name)
    public = os.environ.get('TINYRIG_EXTRA_MODELS', '')
    for file, name in PUBLIC.items():
        path, golden = os.path.join(public, file + '.tflite'), os.path.join(public, 'golden', name)
        if public and os.path.exists(path) and (not wanted or 'public-' + name in wanted):
            models['public-' + name] = path, golden + '/in*.bin', golden + '/out*.bin', name
    return models


def write_suite(path, models, boards):
    with open(path, 'w') as f:
        f.write('models:\n')
        for name, (model, inputs, outputs, _) in models.items():
            f.write(f'  - {{name: {name}, path: "{model}", inputs: "{inputs}", '
                    f'expected: "{outputs}"}}\n')
        f.write(f'boards: [{", ".join(BOARDS[b] for b in boards)}]\nengines: [tiny]\n'
                'measure: {inferences: 1, windows: 1, slope: 1, max_vectors: 2, profile: true}\n')


def baselines():
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'baseline.csv')) as f:
        rows = csv.DictReader(line for line in f if not line.startswith('#'))
        return {(r['model'], r['core'], r['kernels']): r for r in rows}


def ratio(ours, theirs, bar):
    if not theirs:
        return '     -     ', True
    value = ours / float(theirs)
    return f'{value:6.2f}{"  " if value <= bar else " !"}', value <= bar


def print_row(name, core, metrics, stored, baseline):
    kernels, bar = AGAINST.get(core, ('cmsis', 0.80))
    base = stored[baseline, core, kernels]
    count, arena, stack = (metrics[m] for m in ('latency', 'ram.arena', 'ram.stack'))
    fast, good = ratio(count, base['instructions'], bar)
    small, held = ratio(arena, base['arena'], ARENA_BAR if baseline in MLPERF else float('inf'))
    deep = stack <= STACK_BAR
    print(f'{name:18s} {core:5s} {count:12,.0f} {count / metrics["macs"]:6.2f} {fast}'
          f' {arena:8,.0f} {small} {stack:6,.0f}{" " if deep else "!"} {base["stack"] or "-":>6s}'
          f' {metrics["flash"] - metrics["flash.model"]:8,.0f}'
          f' {base["flash_int8"] or base["flash"]:>8s}')
    return good and held and deep


def print_profile(db):
    """Per case, the costliest operators: their share, and what one multiplication costs them."""
    cases = {}
    for case, op, kernel, value, macs in db.execute(
            'SELECT case_key, op, kernel, value, macs FROM v_profile ORDER BY value DESC'):
        cases.setdefault(case, []).append((op, kernel, value, macs))
    print('\nwhat holds back')
    for case, rows in sorted(cases.items()):
        total = sum(row[2] for row in rows)
        print(case)
        for op, kernel, value, macs in rows[:3]:
            each = f'{value / macs:6.2f}/MAC' if macs else ''
            print(f'    {100 * value / total:4.0f} %  {op:28s} {kernel:24s} {value:12,.0f} {each}')


def print_table(db, models, boards):
    cases = {}
    for model, board, metric, value in db.execute(
            "SELECT model, board, metric, value FROM v_metrics WHERE status = 'passed'"):
        cases.setdefault((model, board), {})[metric] = value
    print('model              core  instructions   /MAC  ratio     arena  ratio    stack  TFLM'
          '    flash     TFLM')
    stored, good = baselines(), bool(cases)
    for model, (*_, baseline) in models.items():
        for core in boards:
            metrics = cases.get((model, BOARDS[core]))
            if metrics:
                good &= print_row(model, core, metrics, stored, baseline)
    for row in db.execute("SELECT case_key, status, text FROM v_cases WHERE status <> 'passed'"):
        print(*row)
        good &= row[1] == 'skipped'
    return good


def main():
    build, source = (os.path.abspath(p) for p in sys.argv[1:3])
    boards = [a for a in sys.argv[3:] if a in BOARDS] or list(BOARDS)
    with tempfile.TemporaryDirectory(prefix='tinyrig-bench-') as folder:
        # Leases of our own: whoever uses the same virtual boards meanwhile is not in the way.
        os.environ['TINYRIG_LOCK_DIR'] = os.path.join(folder, 'locks')
        os.mkdir(os.environ['TINYRIG_LOCK_DIR'])
        models = models_of(build, source, folder, [a for a in sys.argv[3:] if a not in BOARDS])
        suite, database = os.path.join(folder, 'engine.yaml'), os.path.join(folder, 'r.db')
        write_suite(suite, models, boards)
        subprocess.run([os.path.join(build, 'tinyrig'), 'run', '-q', '--db', database, suite],
                       stdout=subprocess.DEVNULL, check=False)
        db = sqlite3.connect(database)
        good = print_table(db, models, boards)
        if os.environ.get('TINYRIG_BENCH_PROFILE'):
            print_profile(db)
        db.close()
    print('every bar is met' if good else 'bars are missed: !')
    return 0


if __name__ == '__main__':
    sys.exit(main())

#!/usr/bin/env python3
"""Remakes the shipped models from their recipes, or checks that they still come out the same.

usage: remake.py TINYRIG_RECIPE [--check] [NAME ...]

Each folder NAME beside this script with a recipe.yaml gets NAME.tflite, in*.bin, out*.bin and
PROVENANCE; a recipe with a data set gets data/NAME. Expected outputs come from reference.py.
A folder without a PROVENANCE file ships only its recipe: it is built where it is needed (--all
builds those too, into the folder given by --into).
"""

import argparse
import filecmp
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import reference  # noqa: E402
from oracle.run import Interpreter  # noqa: E402

PROVENANCE = """\
model: {model}
recipe: suites/models/{model}/recipe.yaml
recipe_sha256: {recipe_sha256}
generator: tinyrig-recipe, version {generator}
model_sha256: {model_sha256}
bytes: {bytes}
macs: {macs}
parameters: {parameters}
{training}inputs: made by the generator from the recipe's seed
expected_outputs: made by suites/models/reference.py, which shares no code with the kernels
rebuild: suites/models/remake.py BUILD/harness/recipe/tinyrig-recipe {model}
licence: MIT, own work; contains no third-party weights or data
"""


def make(tool, name, folder):
    """Everything of one model into folder (data set into folder/data)."""
    recipe = os.path.join(HERE, name, 'recipe.yaml')
    model = os.path.join(folder, name + '.tflite')
    command = [tool, 'build', recipe, '-o', model, '--vectors', folder]
    if has_dataset(recipe):
        command += ['--dataset', os.path.join(folder, 'data')]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    facts = dict(line.split(': ', 1) for line in printed.splitlines())
    loss = facts.pop('train_loss', None)
    facts['training'] = 'train_loss: %s\n' % loss if loss else ''
    with open(os.path.join(folder, 'PROVENANCE'), 'w') as f:
        f.write(PROVENANCE.format(**facts))
    interpreter = Interpreter(reference.read(model))
    for source, target in reference.vector_pairs(folder):
        reference.write(target, reference.infer(interpreter, source))


def has_dataset(recipe):
    with open(recipe) as f:
        return any(line.startswith('dataset:') for line in f)


def files_in(folder):
    return {f for f in os.listdir(folder) if os.path.isfile(os.path.join(folder, f))}


def differences(made, shipped, ignore=()):
    """Names that are missing on one side or differ in content."""
    names = (files_in(made) | files_in(shipped)) - set(ignore)
    for name in sorted(names):
        a, b = os.path.join(made, name), os.path.join(shipped, name)
        if not os.path.exists(a) or not os.path.exists(b) or not filecmp.cmp(a, b, shallow=False):
            yield name


def check(tool, name):
    with tempfile.TemporaryDirectory() as folder:
        make(tool, name, folder)
        bad = list(differences(folder, os.path.join(HERE, name), ['recipe.yaml']))
        data = os.path.join(folder, 'data')
        if os.path.isdir(data):
            bad += ['data/%s/%s' % (name, f)
                    for f in differences(data, os.path.join(HERE, 'data', name))]
    print('%s: %s' % (name, 'differs: ' + ', '.join(bad) if bad else 'identical'))
    return not bad


def remake(tool, name):
    folder = os.path.join(HERE, name)
    for old in files_in(folder) - {'recipe.yaml'}:
        os.remove(os.path.join(folder, old))
    make(tool, name, folder)
    made = os.path.join(folder, 'data')
    if os.path.isdir(made):
        os.makedirs(os.path.join(HERE, 'data'), exist_ok=True)
        subprocess.run(['rm', '-rf', os.path.join(HERE, 'data', name)], check=True)
        os.rename(made, os.path.join(HERE, 'data', name))
    print('%s: made' % name)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('tool')
    parser.add_argument('names', nargs='*')
    parser.add_argument('--check', action='store_true', help='compare instead of writing')
    parser.add_argument('--into', help='build here, recipes that ship no binaries included')
    args = parser.parse_intermixed_args()
    recipes = sorted(n for n in os.listdir(HERE)
                     if os.path.exists(os.path.join(HERE, n, 'recipe.yaml')))
    shipped = [n for n in recipes if os.path.exists(os.path.join(HERE, n, 'PROVENANCE'))]
    if args.into:
        for name in args.names or recipes:
            os.makedirs(os.path.join(args.into, name), exist_ok=True)
            make(args.tool, name, os.path.join(args.into, name))
        return 0
    action = check if args.check else remake
    return 0 if all([action(args.tool, n) for n in args.names or shipped]) else 1


if __name__ == '__main__':
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as failed:  # the tool has said why
        sys.exit(failed.returncode)

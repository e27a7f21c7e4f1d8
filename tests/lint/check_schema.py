#!/usr/bin/env python3
"""The JSON Schemas against an implementation of JSON Schema that is not ours: they are schemas, all
shipped files pass, and mistakes do not. usage: check_schema.py SOURCE_ROOT"""
import glob
import json
import sys

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(f"skipped: {missing.name} is not installed (python3-jsonschema, python3-yaml)")
    sys.exit(77)

FILES = {
    "suite": ["suites/*.yaml"],
    "board": ["targets/boards/*.yaml"],
    "lab": ["config/lab.example.yaml"],
}
# Each is refused by the loader too (tests/unit/test_load.c).
MISTAKES = {
    "suite": [
        "{}",
        "{models: a, windows: 5}",
        "{models: a, measure: {windwos: 5}}",
        "{models: a, measure: {window_time: 500}}",
        "{models: a, measure: {window_time: 500 miles}}",
        "{models: a, measure: {slope: 99}}",
        "{models: a, measure: {interleave: 'yes'}}",
        "{models: a, boards: []}",
        "{models: a, boards: ['virt m4']}",
        "{models: {name: a}}",
        "{models: a, exclude: [{model: a}]}",
        "{models: a, energy: {profile: quick}}",
        "{models: a, parameters: {a b: [1]}}",
    ],
    "board": [
        "{cpu: cortex-m4, clock: 168MHz}",
        "{cpu: cortex-m4, clock: 168, ram: 1KiB}",
        "{cpu: cortex-m4, clock: 168MHz, ram: 1KiB, transport: {kind: uart}}",
        "{cpu: cortex-m4, clock: 168MHz, ram: 1KiB, openocd: {target: /tmp/evil.cfg}}",
        "{cpu: cortex-m4, clock: 168MHz, ram: 1KiB, virtual: {machine: microbit}}",
    ],
    "lab": [
        "{meters: [a]}",
        "{meters: {a: {driver: ppk}}}",
        "{meters: {a b: {driver: ppk2}}}",
        "{boards: {a: {}}}",
    ],
}
GOOD = {
    "suite": [
        "models: models/sine.tflite",
        "{models: [a, {path: b, budgets: ram <= 1KiB}], engines: [null, tiny]}",
        "{models: a, parameters: {depth: [1, 2], fast: true}, measure: {inferences: 3}}",
    ],
    "board": ["{cpu: cortex-m4, clock: 168MHz, ram: 131072, timebase: cycles}"],
    "lab": ["{}", "{meters: {none: {driver: null}}}"],
}


def main(root):
    failures = []
    for name, patterns in FILES.items():
        with open(f"{root}/config/schema/{name}.json", encoding="utf-8") as file:
            schema = json.load(file)
        jsonschema.Draft7Validator.check_schema(schema)
        validator = jsonschema.Draft7Validator(schema)
        paths = [path for pattern in patterns for path in sorted(glob.glob(f"{root}/{pattern}"))]
        if not paths:
            failures.append(f"no file of kind {name}")
        for path in paths:
            with open(path, encoding="utf-8") as file:
                errors = list(validator.iter_errors(yaml.safe_load(file)))
            failures += [f"{path}: {list(e.absolute_path)}: {e.message}" for e in errors]
        for text in GOOD[name]:
            errors = list(validator.iter_errors(yaml.safe_load(text)))
            failures += [f"{name}: {text}: {e.message}" for e in errors]
        for text in MISTAKES[name]:
            if validator.is_valid(yaml.safe_load(text)):
                failures.append(f"{name}: accepted {text}")
    print("\n".join(failures))
    return 1 if failures else 0


sys.exit(main(sys.argv[1]))

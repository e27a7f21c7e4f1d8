"""A JSON document against a schema, with the keywords that report.json uses and no others.
usage: validate.py SCHEMA DOCUMENT... (also: every golden report, and documents that must fail)
"""
import copy
import json
import re
import sys

TYPES = {
    "object": dict, "array": list, "string": str, "boolean": bool, "null": type(None),
    "number": (int, float), "integer": int,
}
KNOWN = {
    "$schema", "$id", "$defs", "$ref", "title", "description", "type", "required", "properties",
    "items", "const", "enum", "pattern", "minimum", "additionalProperties",
}


def is_type(value, name):
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, TYPES[name])


def problems(value, schema, root, where):
    unknown = set(schema) - KNOWN
    assert not unknown, f"the validator does not know {unknown}"
    if "$ref" in schema:
        target = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        yield from problems(value, target, root, where)
    if "const" in schema and value != schema["const"]:
        yield f"{where}: is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is not in {schema['enum']}"
    if "type" in schema:
        names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if not any(is_type(value, name) for name in names):
            yield f"{where}: is no {' or '.join(names)}"
            return
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where}: {value!r} does not match"
    if "minimum" in schema and isinstance(value, (int, float)) and value < schema["minimum"]:
        yield f"{where}: {value} is too small"
    if isinstance(value, dict):
        for key in schema.get("required", []):
            if key not in value:
                yield f"{where}: has no {key}"
        for key, inner in value.items():
            rule = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
            if isinstance(rule, dict):
                yield from problems(inner, rule, root, f"{where}.{key}")
            elif "properties" in schema:
                yield f"{where}: {key} is not in the schema"
    if isinstance(value, list) and "items" in schema:
        for i, inner in enumerate(value):
            yield from problems(inner, schema["items"], root, f"{where}[{i}]")


def broken(document):
    """Documents that must not pass: the check itself is checked."""
    for change in (
        lambda d: d["cases"][0].pop("realm"),
        lambda d: d["cases"][0].update(status="fine"),
        lambda d: d["cases"][0]["metrics"][0].update(value="1"),
        lambda d: d["cases"][0]["metrics"][0].update(unit="ms"),
        lambda d: d["runs"][0].update(started="yesterday"),
        lambda d: d["cases"][0].update(extra=1),
        lambda d: d["cases"][0].update(attempt=-1),
        lambda d: d.update(version=2),
    ):
        copied = copy.deepcopy(document)
        change(copied)
        yield copied


def main():
    schema = json.load(open(sys.argv[1]))
    failed = 0
    for path in sys.argv[2:]:
        document = json.load(open(path))
        for problem in problems(document, schema, schema, path):
            print(problem)
            failed += 1
        for i, bad in enumerate(broken(document)):
            if not any(problems(bad, schema, schema, path)):
                print(f"{path}: broken document {i} passes")
                failed += 1
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""docs/alert.schema.json against what is printed and sent.

    alert_schema.py --program build/ticketwatch --tool build/tests/sink_request [--cache DIR] [--alerts N]

Judged are the lines that `replay` prints of every case in tests/golden, and what webhook, stdout and file send for the
alerts of tests/sinks/golden and for N invented ones full of what breaks payloads. Strictly: for this test the schema
takes no member that it does not name, and each that it names must have been seen. The judges are a small one here,
and where they are installed the package jsonschema and Ajv (from the validators that payloads.py put into DIR).
"""
import argparse
import copy
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "golden"))
sys.path.insert(0, str(ROOT / "tests" / "contract"))
import payloads  # noqa: E402
import run as golden  # noqa: E402

SCHEMA = ROOT / "docs" / "alert.schema.json"
SENDERS = {"webhook": ["url=https://ops.example.com/hook"], "stdout": [], "file": ["path=/var/log/alerts.jsonl"]}
AJV = """
const Ajv = require(process.argv[1] + '/ajv/dist/2020').default, fs = require('fs');
const ajv = new Ajv({strict: true, strictRequired: false, allErrors: true, allowUnionTypes: true});
const valid = ajv.compile(JSON.parse(fs.readFileSync(process.argv[2])));
for (const line of fs.readFileSync(0, 'utf8').split('\\n').filter(Boolean))
    console.log(JSON.stringify(valid(JSON.parse(line)) ? '' : ajv.errorsText(valid.errors).slice(0, 300)));
"""


# ---- the schema ----

def strict(schema):
    """A copy that takes no member which it does not name."""
    made = copy.deepcopy(schema)

    def close(node):
        if isinstance(node, dict):
            if "properties" in node and isinstance(node["properties"], dict):
                node.setdefault("additionalProperties", False)
            for value in node.values():
                close(value)
    close(made)
    return made


def members(schema):
    """The paths of all named members."""
    def walk(node, path):
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
        for name, value in node.get("properties", {}).items():
            yield path + name
            yield from walk(value, path + name + ".")
        if "items" in node:
            yield from walk(node["items"], path)
    return set(walk(schema, ""))


def seen_in(value, path=""):
    for name, inner in value.items():
        yield path + name
        for one in inner if isinstance(inner, list) else [inner]:
            if isinstance(one, dict) and path + name != "key":
                yield from seen_in(one, path + name + ".")


# ---- the small judge ----

TYPES = {"object": dict, "array": list, "string": str, "null": type(None)}
NUMBERS = {"integer": lambda v: isinstance(v, int) or (isinstance(v, float) and v.is_integer()), "number": lambda v: isinstance(v, (int, float))}


def has_type(value, name):
    if isinstance(name, list):
        return any(has_type(value, one) for one in name)
    if name in TYPES:
        return isinstance(value, TYPES[name])
    return NUMBERS[name](value) and not isinstance(value, bool)


def size_faults(rule, limit, value):
    n = {"Length": str, "Items": list, "Properties": dict}[rule[3:]]
    if isinstance(value, n) and (len(value) < limit if rule.startswith("min") else len(value) > limit):
        yield "%s %d" % (rule, limit)


def member_faults(schema, rule, want, value, root):
    if not isinstance(value, dict):
        return
    if rule == "required":
        yield from ("%s is missing" % name for name in want if name not in value)
    elif rule == "dependentRequired":
        yield from ("%s without %s" % (a, b) for a in want if a in value for b in want[a] if b not in value)
    elif rule == "properties":
        for name in want:
            if name in value:
                yield from ("%s: %s" % (name, f) for f in faults(want[name], value[name], root))
    else:
        for name in set(value) - set(schema.get("properties", {})):
            yield from ["%s: no such member" % name] if want is False else faults(want, value[name], root)


def faults(schema, value, root):
    for rule, want in schema.items():
        if rule in ("$schema", "$id", "$defs", "title", "description"):
            continue
        if rule == "$ref":
            yield from faults(root["$defs"][want.rsplit("/", 1)[1]], value, root)
        elif rule == "type":
            yield from [] if has_type(value, want) else ["no %s" % want]
        elif rule == "enum":
            yield from [] if value in want else ["none of %s" % want]
        elif rule == "const":
            yield from [] if value is want else ["not %s" % want]
        elif rule == "pattern":
            yield from [] if not isinstance(value, str) or re.search(want.replace("$", r"\Z"), value) else ["not like %s" % want]
        elif rule == "minimum":
            yield from [] if not isinstance(value, (int, float)) or value >= want else ["below %s" % want]
        elif rule == "items":
            yield from (f for one in value if isinstance(value, list) for f in faults(want, one, root))
        elif rule[3:] in ("Length", "Items", "Properties"):
            yield from size_faults(rule, want, value)
        elif rule in ("required", "dependentRequired", "properties", "additionalProperties"):
            yield from member_faults(schema, rule, want, value, root)
        else:
            raise ValueError("the schema has a rule that this test does not know: " + rule)


# ---- the judges: lines -> what each says is wrong, "" for nothing ----

def small_judge(schema, lines):
    return ["; ".join(faults(schema, value, schema)) for value in lines]


def jsonschema_judge(schema, lines):
    import jsonschema
    judge = jsonschema.Draft202012Validator(schema)
    judge.check_schema(schema)
    return ["; ".join(e.message[:200] for e in judge.iter_errors(value)) for value in lines]


def ajv_judge(modules, folder):
    def judge(schema, lines):
        file = folder / "strict.schema.json"
        file.write_text(json.dumps(schema))
        ran = subprocess.run(["node", "-e", AJV, str(modules), str(file)], input="".join(json.dumps(v) + "\n" for v in lines).encode(),
                             stdout=subprocess.PIPE, check=True)
        return [json.loads(line) for line in ran.stdout.decode().splitlines()]
    return judge


def judges(cache):
    found = {"small": small_judge}
    try:
        import jsonschema
        found["jsonschema"] = jsonschema_judge if hasattr(jsonschema, "Draft202012Validator") else None
    except ImportError:
        found["jsonschema"] = None
    modules = cache / "validators" / "node_modules" if cache else None
    found["ajv"] = ajv_judge(modules, cache) if modules and (modules / "ajv").is_dir() and payloads.node_version() else None
    return found


# ---- what is judged ----

def replayed(program):
    cases = sorted(f.parent for f in (ROOT / "tests" / "golden").glob("*/config.yaml"))
    for case in cases:
        lines, _, fault = golden.replay(program, case)
        if fault:
            raise AssertionError("%s: %s" % (case.name, fault))
        yield from (("replay of " + case.name, line) for line in lines)


def sent(tool, count):
    lines = "".join(json.dumps(a, ensure_ascii=False) + "\n" for a in payloads.alerts(count, 7)).encode("utf-8")
    for sink, settings in SENDERS.items():
        ran = subprocess.run([tool, sink, "--json", *settings], input=lines, stdout=subprocess.PIPE)
        made = [json.loads(line) for line in ran.stdout.decode().split("\n")[:-1]]
        assert ran.returncode == 0 and len(made) == lines.count(b"\n"), "%s: %d requests" % (sink, len(made))
        yield from ((sink, json.loads(request["body"])) for request in made)


def controls(good):
    """What must be refused: else a judge is not judging."""
    def but(**members):
        made = {**copy.deepcopy(good), **members}
        return {name: value for name, value in made.items() if value is not None}
    yield from [but(id="X" * 32), but(id="0" * 33), but(state="open"), but(severity=None), but(count="3"), but(count=-1), but(time="now"),
                but(time="2026-03-02 09:14:07.120Z"), but(key={"page": 7}), but(key={str(i): "" for i in range(5)}), but(accounts=[]),
                but(accounts=[{"id": 5}]), but(evidence=[{"event": "e"}]), but(evidence=[{"time": good["time"], "partition": 1}]),
                but(sample={}), but(trend={"step": "5m", "values": ["3"]}), but(trend={"step": "5m", "values": [0] * 13}), but(sample={"body": "x"}), but(summary="x" * 2049), but(matched=3), but(type="alert.firing"), but(count_estimated=False),
                but(extra=1), but(rule=None), but(users=1.5), []]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--cache", default=None)
    parser.add_argument("--alerts", type=int, default=300)
    args = parser.parse_args()
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    closed = strict(schema)
    named = [*replayed(args.program), *sent(args.tool, args.alerts)]
    bad = list(controls(named[0][1]))
    wrong = ["never seen: " + name for name in sorted(members(schema) - {p for _, line in named for p in seen_in(line)})]
    for name, judge in judges(pathlib.Path(args.cache) if args.cache else None).items():
        if not judge:
            print("%s: skipped, it is not installed" % name)
            continue
        said = judge(closed, [line for _, line in named])
        wrong += ["%s, %s: %s" % (name, where, fault) for (where, _), fault in zip(named, said) if fault]
        wrong += ["%s takes %.200s" % (name, json.dumps(b)) for b, fault in zip(bad, judge(closed, bad)) if not fault]
        print("%s: %d alerts, %d refused; %d controls" % (name, len(said), sum(map(bool, said)), len(bad)))
    for line in wrong[:20]:
        print(line)
    return 1 if wrong or len(named) < 300 else 0


if __name__ == "__main__":
    sys.exit(main())

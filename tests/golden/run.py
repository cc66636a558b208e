#!/usr/bin/env python3
"""Golden replays: every folder beside this file is a case that a person can read.

    run.py PROGRAM [CASE...]
    run.py --oracle [PROGRAM] [CASE...]     tests/oracle instead of the program (which then only gives fingerprints)

A case is README.md (what it shows), config.yaml, events.jsonl, and what must come out: alerts.jsonl, the members that
matter of each line that `replay` prints, in any order of lines of one time; and where there is a summary.json, those
figures of the summary; `arguments` are added to the command. A member that a line of alerts.jsonl does not have is not compared.
"""
import difflib
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "oracle"))
STATES = ["firing", "escalated", "reminder", "resolved", "verified"]


def order(line):
    return line["time"], line["rule"], json.dumps(line["key"], ensure_ascii=False), STATES.index(line["state"]), line.get("count", 0)


def read(text):
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def extra(case):
    return (case / "arguments").read_text().split() if (case / "arguments").exists() else []


def replay(program, case):
    """(alerts, summary figures, fault)"""
    command = [program, "replay", "--format", "json", *extra(case), "-c", str(case / "config.yaml"), str(case / "events.jsonl")]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    told = done.stderr.decode(errors="replace")
    if done.returncode:
        return [], {}, "exit %d: %s" % (done.returncode, told)
    return read(done.stdout.decode()), figures(told), ""


def figures(told):
    return {name.replace(" ", "_"): int(n) for n, name in re.findall(r"\b(\d+) (late|duplicates|dead letters|events of too many keys)", told)}


def oracle_of(program):
    import oracle

    def ask(_, case):
        try:
            alerts, count = oracle.confirmed(case / "config.yaml", [str(case / "events.jsonl")], program, "--settle" in extra(case))
        except oracle.NeedsProgram as e:
            return [], {}, str(e)
        return json.loads(json.dumps(alerts)), dict(count), ""
    return ask


def compared(line, like):
    """The members of `line` that `like` has; all when there is nothing to be like."""
    return {k: near(line.get(k)) for k in like} if like else {k: line.get(k) for k in ("time", "rule", "key", "state", "severity", "count")}


def near(value):
    """Four digits are enough to compare a mean by; 2.0 and 2 are the same."""
    if isinstance(value, dict):
        return {k: near(v) for k, v in value.items()}
    if isinstance(value, list):
        return [near(v) for v in value]
    if not isinstance(value, float):
        return value
    value = round(value, 4)
    return int(value) if value == int(value) else value


def differences(case, alerts, counted):
    expected = sorted(read((case / "alerts.jsonl").read_text(encoding="utf-8")), key=order)
    times = [a["time"] for a in alerts]
    if times != sorted(times):
        yield "the lines are not in the order of time"
    got = sorted(alerts, key=order)
    got = [compared(a, expected[i] if i < len(expected) else None) for i, a in enumerate(got)]
    expected = [compared(a, a) for a in expected]
    yield from difflib.unified_diff(*([json.dumps(a, ensure_ascii=False) for a in lines] for lines in (expected, got)),
                                    "expected", "got", lineterm="", n=9)
    summary = case / "summary.json"
    for name, figure in (json.loads(summary.read_text()) if summary.exists() else {}).items():
        if counted.get(name, 0) != figure:
            yield "summary: %s=%s, expected %s" % (name, counted.get(name, 0), figure)


def run(case, source, program):
    alerts, counted, fault = source(program, case)
    wrong = [fault] if fault else list(differences(case, alerts, counted))
    if wrong:
        print("FAIL %s\n%s\n" % (case.name, (case / "README.md").read_text(encoding="utf-8")) + "\n".join(wrong) + "\n")
    return not wrong


def main():
    arguments = sys.argv[1:]
    by_oracle = "--oracle" in arguments
    if by_oracle:
        arguments.remove("--oracle")
    program = str(pathlib.Path(arguments.pop(0)).resolve()) if arguments and pathlib.Path(arguments[0]).is_file() else None
    if not (by_oracle or program):
        sys.exit(__doc__)
    cases = [c for c in sorted(HERE.iterdir()) if (c / "config.yaml").exists() and (not arguments or c.name in arguments)]
    source = oracle_of(program) if by_oracle else replay
    good = sum([run(case, source, program) for case in cases])
    print("%d of %d cases hold" % (good, len(cases)))
    sys.exit(good != len(cases) or not cases)


if __name__ == "__main__":
    main()

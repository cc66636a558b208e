#!/usr/bin/env python3
"""The mappings of config/examples read what the helpdesks send.

    helpdesks.py PROGRAM [--show] [NAME...]

For each NAME.yaml: `check` has nothing to say; `replay` of NAME.jsonl finds the alerts of NAME.alerts.jsonl (the members that
a line has are compared), leaves out as many duplicates and dead letters as stand below, for these reasons. Its messages become
the events of NAME.events.jsonl, as `check --events` prints them; and these, replayed without the mapping, tell the same. --show
prints what is, for a person to look at before it becomes what should be. The examples of docs/helpdesks.md are accepted, too.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "config" / "examples"
MEMBERS = ["time", "rule", "key", "state", "severity", "count", "users"]
LEFT_OUT = {  # duplicates, dead letters, and what is said of these
    "cloudevents": (0, 0, []),
    "freshdesk": (0, 1, ["id is missing: there is no text or number at /freshdesk_webhook/ticket_id:/freshdesk_webhook/triggered_event"]),
    "intercom": (1, 0, []),
    "zendesk": (1, 1, ["time is missing: there is no text or number at /time"]),
}


def run(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def replayed(program, config, log):
    code, out, err = run(program, "replay", "--format", "json", "-c", config, log)
    return code, [json.loads(line) for line in out.splitlines()], err


def alerts_of(alerts):
    return [{k: a[k] for k in MEMBERS if k in a} for a in alerts]


def events_of(program, config, log):
    return run(program, "check", "-c", config, "--events", log)[1]


def told_by(program, rules, events):
    """What the rules tell of events of our own shape, in order of time."""
    lines = sorted(events.splitlines(True), key=lambda line: json.loads(line)["time"])
    with tempfile.TemporaryDirectory() as folder:
        config, log = pathlib.Path(folder, "own.yaml"), pathlib.Path(folder, "own.jsonl")
        config.write_text("rules:" + rules, encoding="utf-8")
        log.write_text("".join(lines), encoding="utf-8")
        return alerts_of(replayed(program, config, log)[1])


def faults(program, name):
    config, log = EXAMPLES / (name + ".yaml"), EXAMPLES / (name + ".jsonl")
    code, out, err = run(program, "check", "-c", config)
    if code or err or not re.fullmatch(r"[^\n]*: fine: \d+ rules, 0 sinks\n", out):
        yield "check: exit %d\n%s%s" % (code, out, err)
    code, alerts, err = replayed(program, config, log)
    expected = [json.loads(line) for line in (EXAMPLES / (name + ".alerts.jsonl")).read_text(encoding="utf-8").splitlines()]
    if code or alerts_of(alerts) != expected:
        yield "replay: exit %d, found\n%s\n%s" % (code, "\n".join(map(json.dumps, alerts_of(alerts))), err)
    duplicates, dead, reasons = LEFT_OUT[name]
    if " %d duplicates, %d dead letters" % (duplicates, dead) not in err:
        yield "not %d duplicates and %d dead letters: %s" % (duplicates, dead, err)
    if len(reasons) != err.count(": skipped: ") or not all(": skipped: " + reason in err for reason in reasons):
        yield "not these reasons: %s: %s" % (reasons, err)
    events = events_of(program, config, log)
    if events != (EXAMPLES / (name + ".events.jsonl")).read_text(encoding="utf-8"):
        yield "the events are\n" + events
    own = told_by(program, config.read_text(encoding="utf-8").split("\nrules:")[1], events)
    if own != expected:
        yield "as our own events they tell\n" + "\n".join(map(json.dumps, own))


def page_faults(program):
    page = (ROOT / "docs" / "helpdesks.md").read_text(encoding="utf-8")
    examples = re.findall(r"```yaml\n(.*?)```", page, re.S)
    if not examples:
        yield "the page has no example"
    for example in examples:
        with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as f:
            f.write(example)
            f.flush()
            code, out, err = run(program, "check", "-c", f.name)
        if code or "warning" in out:
            yield "refused:\n%s\n%s" % (example, out + err)
    for target in re.findall(r"\]\((\.\.?/[^)#]+|\w+\.md)", page):
        if not (ROOT / "docs" / target).exists():
            yield "there is no " + target


def show(program, name):
    config, log = EXAMPLES / (name + ".yaml"), EXAMPLES / (name + ".jsonl")
    for alert in alerts_of(replayed(program, config, log)[1]):
        print(json.dumps(alert, ensure_ascii=False))
    print(events_of(program, config, log), end="")


def main():
    arguments = [a for a in sys.argv[1:] if a != "--show"]
    if not arguments:
        sys.exit(__doc__)
    program = str(pathlib.Path(arguments[0]).resolve())
    names = arguments[1:] or sorted(p.name.split(".")[0] for p in EXAMPLES.glob("*.events.jsonl"))
    if "--show" in sys.argv:
        for name in names:
            show(program, name)
        return
    wrong = [(name, fault) for name in names for fault in faults(program, name)] + [("docs/helpdesks.md", f) for f in page_faults(program)]
    for name, fault in wrong:
        print("FAIL %s: %s" % (name, fault))
    print("%d helpdesks, %d faults" % (len(names), len(wrong)))
    sys.exit(bool(wrong) or not names)


if __name__ == "__main__":
    main()

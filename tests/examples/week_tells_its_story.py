#!/usr/bin/env python3
"""The example week, replayed by its own rules, tells what story.py put there and nothing that it did not.

    week_tells_its_story.py PROGRAM

Three things: the record is the oracle's; what fired is the list below; the broken, late and repeated lines are
counted. The list is what the first reader of the README sees, so a change of it should be looked at by a person.
"""
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "oracle"))
import oracle  # noqa: E402

WEEK = ROOT / "examples" / "week"
STORY = {  # rule: what must fire, as the beginning of its key; and nothing else
    "page-error": ["/billing/invoices/:id | httperror inv_500", "/login | autherror auth_503", "/reports/exports/:id | timeouterror exp_504",
                   "/checkout/:id/confirm | typeerror", "/imports/:id | parseerror imp_422", "/settings/roles/:id | httperror role_500"],
    "ticket-volume": ["login", "integrations"],
    "csat-drop": [""],
}
AT_LEAST = {  # rule: what must fire among others
    "recurring-issue": ["billing | cannot download invoice", "billing | rechnung", "login | nobody here can log in", "exports | export"],
    "churn-friction": ["alnoor", "dachs", "hoshino", "olivar", "quillon", "veloria"],
}
MOST_CHURN, MOST_RECURRING = 12, 18  # beyond that somebody would stop reading


def essence(alert):
    count = None if "value" in alert else alert.get("count")
    return alert["time"], alert["rule"], json.dumps(alert["key"], ensure_ascii=False), alert["state"], alert["severity"], count


def fired(alerts, rule):
    return {" | ".join(a["key"].values()) for a in alerts if a["rule"] == rule and a["state"] == "firing"}


def missing(keys, beginnings):
    return [b for b in beginnings if not any(k.startswith(b) for k in keys)]


def faults(alerts, told, expected, count):
    want, got = sorted(map(repr, map(essence, expected))), sorted(map(repr, map(essence, alerts)))
    if want != got:
        yield "the oracle differs: %s" % sorted(set(want) ^ set(got))[:8]
    for rule, beginnings in list(STORY.items()) + list(AT_LEAST.items()):
        keys = fired(alerts, rule)
        for b in missing(keys, beginnings):
            yield "%s: %r did not fire" % (rule, b)
        if rule in STORY and len(keys) != len(beginnings):
            yield "%s: %s" % (rule, sorted(keys))
    for rule, most in (("churn-friction", MOST_CHURN), ("recurring-issue", MOST_RECURRING)):
        if len(fired(alerts, rule)) > most:
            yield "%s: %d keys, which is noise" % (rule, len(fired(alerts, rule)))
    again = re.search(r"\b(\d+) duplicates", told)
    if not again or not 0 < int(again.group(1)) < count["duplicates"]:  # only those that a rule looks at are known
        yield "not some of %d duplicates:\n%s" % (count["duplicates"], told)
    for name, n in (("late", 20), ("dead letters", 3)):
        if not re.search(r"\b%d %s" % (n, name), told):
            yield "the summary does not say %d %s:\n%s" % (n, name, told)


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    files = [str(WEEK / "ticketwatch.yaml"), str(WEEK / "week.jsonl.gz")]
    done = subprocess.run([program, "replay", "--format", "json", "-c", *files], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        sys.exit("exit %d\n%s" % (done.returncode, done.stderr.decode()))
    alerts = [json.loads(line) for line in done.stdout.decode().splitlines()]
    expected, count = oracle.confirmed(files[0], files[1:], program)
    found = list(faults(alerts, done.stderr.decode(), expected, count))
    print("\n".join(found) or "the week tells its story: %d transitions" % len(alerts))
    sys.exit(bool(found))


if __name__ == "__main__":
    main()

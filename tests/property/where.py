#!/usr/bin/env python3
"""Random conditions over random events: the program and the oracle's reading of the grammar agree.

    where.py PROGRAM [ROUNDS] [SEED]

A round is one replay: 150 rules with a condition each, 120 events with a ticket of their own, so that
the keys which fire are the events that match.
"""
import json
import pathlib
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "oracle"))
import where as oracle  # noqa: E402

TEXTS = {"ticket.category": ["billing", "login", "b", "größer"], "ticket.channel": ["chat", "email"], "account.tier": ["free", "enterprise"]}
NUMBERS = {"ticket.csat": [1, 2, 3, 3.5, 5], "ticket.sentiment": [-1, -0.3, 0, 0.5], "account.mrr": [0, 100, 12000]}
FLAGS = {"ticket.escalated": [True, False]}
CONDITIONS, EVENTS = 150, 120


def literal(rng, value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return rng.choice(["'%s'", '"%s"']) % value if isinstance(value, str) else json.dumps(value)


def comparison(rng):
    table = rng.choice([TEXTS, NUMBERS, FLAGS])
    field = rng.choice(sorted(table))
    kind, values = rng.random(), table[field]
    if kind < 0.12:
        return "exists(%s)" % field
    if kind < 0.35:
        listed = ", ".join(literal(rng, rng.choice(values)) for _ in range(rng.randint(1, 3)))
        return "%s %s [%s]" % (field, rng.choice(["in", "not in"]), listed)
    if table is TEXTS and kind < 0.55:
        return "%s %s %s" % (field, rng.choice(["contains", "starts_with"]), literal(rng, rng.choice(values + ["i", "bil"])))
    op = rng.choice(["==", "!="] if table is FLAGS else ["==", "!=", "<", "<=", ">", ">="])
    return field + rng.choice([op, " %s " % op]) + literal(rng, rng.choice(values))


def condition(rng, depth):
    kind = rng.random()
    if depth == 0 or kind < 0.3:
        return comparison(rng)
    if kind < 0.45:
        return "not " + rng.choice([comparison(rng), "(%s)" % condition(rng, depth - 1)])
    if kind < 0.6:
        return "(%s)" % condition(rng, depth - 1)
    word = rng.choice([" and ", " or "])
    return word.join(condition(rng, depth - 1) for _ in range(rng.randint(2, 3)))


def event(rng, i):
    made = {"id": "e%d" % i, "type": "ticket.created", "time": "2026-03-02T09:%02d:%02d.000Z" % divmod(i, 60), "ticket": {"id": "T%d" % i}}
    for table in (TEXTS, NUMBERS, FLAGS):
        for name, values in table.items():
            if rng.random() < 0.7:
                thing, member = name.split(".")
                made.setdefault(thing, {})[member] = rng.choice(values)
    return made


def field(made, name):
    thing, member = name.split(".")
    return made.get(thing, {}).get(member)


def matched(program, conditions, events):
    """Of each condition the tickets that the program says it matches."""
    rules = {"r%d" % i: {"where": c, "by": ["ticket.id"], "count": {"at_least": 1, "within": "1s"}} for i, c in enumerate(conditions)}
    with tempfile.TemporaryDirectory() as folder:
        config, log = pathlib.Path(folder, "config.yaml"), pathlib.Path(folder, "log.jsonl")
        config.write_text(json.dumps({"rules": rules}), encoding="utf-8")
        log.write_text("".join(json.dumps(e) + "\n" for e in events), encoding="utf-8")
        done = subprocess.run([program, "replay", "--quiet", "-c", str(config), str(log)], stdout=subprocess.PIPE, check=True)
    found = [set() for _ in conditions]
    for alert in map(json.loads, done.stdout.decode().splitlines()):
        if alert["state"] == "firing":
            found[int(alert["rule"][1:])].add(alert["key"]["ticket.id"])
    return found


def round_of(program, rng):
    conditions = [condition(rng, 3) for _ in range(CONDITIONS)]
    events = [event(rng, i) for i in range(EVENTS)]
    wrong = matches = 0
    for text, found in zip(conditions, matched(program, conditions, events)):
        holds = oracle.compile(text, field)
        wanted = {e["ticket"]["id"] for e in events if holds(e)}
        matches += len(wanted)
        if found != wanted:
            wrong += 1
            print("%s\n  the program only: %s\n  the oracle only: %s" % (text, sorted(found - wanted), sorted(wanted - found)))
    return wrong, matches


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    results = [round_of(str(pathlib.Path(sys.argv[1]).resolve()), rng) for _ in range(rounds)]
    wrong, matches = sum(r[0] for r in results), sum(r[1] for r in results)
    print("%d conditions, %d matches, %d wrong" % (rounds * CONDITIONS, matches, wrong))
    sys.exit(wrong > 0 or matches == 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Events of so long before a time make the same alerts from that time on: what a state made anew relies on.

    lookback.py PROGRAM [LOGS] [SEED]        LOGS random logs (default 100), SEED of the first

A log is told whole, and without its events before some time x. From x + lookback on (a rule's lookback_ms, computed here
from docs/rules.md) both must confirm the same transitions of every episode that opened then; those of earlier
ones are made by a state that begins early enough for them.
"""
import json
import pathlib
import random
import re
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import shuffle  # noqa: E402
from shuffle import logs, oracle  # noqa: E402


HOUR = 60 * shuffle.MINUTE


def lookback(rule):
    """None: not a kind of which this is known here."""
    if rule.kind == "quiet":
        return rule.within + rule.silent_for
    if rule.kind == "deadline":
        return 2 * rule.memory - rule.give_up_after
    if rule.kind == "health":
        return 1 + max(rule.friction.within, rule.escalations.within, 2 * rule.csat.within + rule.cell, rule.remember,
                       rule.quiet.within + rule.silent_for + rule.give_up_after)
    if rule.kind == "anomaly":
        return (rule.reach + 1) * (31 * 24 * HOUR if rule.buckets.unit == "month" else rule.buckets.width) + 26 * HOUR * bool(rule.buckets.unit)
    return rule.within if rule.kind == "count" and not rule.distinct else None


def short_anomaly(r, i):
    """Of buckets and histories that a log of a day has many of."""
    text = re.sub("bucket: [^,]+, history: [0-9a-z]+(, season: [a-z_]+)?", r.choice(["bucket: 7m, history: 1h", "bucket: 30m, history: 3h",
                                                                                  "bucket: 1m, history: 20m"]), shuffle.random_anomaly(r, i))
    return re.sub("min_count: [0-9]+", "min_count: 0", text)


def steady_health(r, i):
    """Which resolves where it opens: else an episode is open for as long as the score stays between, and who begins later
    does not know of it. (A state made anew begins before all episodes that were open.)"""
    text = re.sub(", resolve_below: [0-9]+", "", shuffle.random_health(r, i)).replace("7h", "90m")
    return re.sub("at_risk: ([0-9]+)", r"at_risk: \1, resolve_below: \1", text)


def rules_of(r, folder):
    """Several of each kind, with short memories: else a log of some hours ends before it shows anything."""
    makers = [shuffle.random_quiet, shuffle.random_deadline, steady_health, short_anomaly]
    text = "".join(makers[i % 4](r, i) for i in range(12)).replace("within: 4h", "within: 20m")
    text = "time: {lateness: 10m}\naccounts: {remember: 1h}\nknown_issues: {remember: 1h}\nrules:\n" + text
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    rules, _, _ = oracle.read_config(folder / "config.yaml")
    return {rule.name: rule for rule in rules}


def told(program, folder, events):
    name = folder / "log.jsonl"
    name.write_text("".join(json.dumps(body) + "\n" for _, body in events), encoding="utf-8")
    return [json.loads(line) for line in shuffle.replay(program, folder, [str(name)], b"", False).splitlines()]


def begins(rule, x):
    return x + max(lookback(rule), HOUR)  # what it says of accounts, releases and known issues, too


def key_of(a):
    return a["rule"], json.dumps(a["key"])


def going_on(alerts, rules, x):
    """Keys with an anomaly that is open at x + lookback, and until when: it may go on below what would open one, and who begins
    later does not know of it, or opens another. (A state made anew begins before all episodes that were open.)"""
    opened, until = {}, {}
    for a in alerts:  # where one ends as the next one opens, that one comes first
        ms, begun = logs.time_of(a["time"]), begins(rules[a["rule"]], x)
        if a["kind"] == "anomaly" and a["state"] == "firing" and ms < begun:
            opened[key_of(a)] = a["id"]
            until[key_of(a)] = float("inf")
        elif a["state"] == "resolved" and opened.get(key_of(a)) == a["id"]:
            until[key_of(a)] = ms if ms >= begun else None
    return {key: ms for key, ms in until.items() if ms}


def opened_since(alerts, rules, x, until):
    """Lines of episodes that open at x + lookback or later."""
    opened, out = {}, set()
    for a in alerts:
        ms = logs.time_of(a["time"])
        if (ms, a["state"] != "resolved") <= (until.get(key_of(a), 0), False):
            continue
        if a["state"] == "firing":
            opened[a["id"]] = ms
        if opened.get(a["id"], ms - 1) >= begins(rules[a["rule"]], x):
            out.add(json.dumps(a))
    return out


def one(program, seed, folder):
    r = random.Random(seed)
    rules, events = rules_of(r, folder), shuffle.random_log(r, (0, 0, 0.015))
    whole, lines = told(program, folder, events), 0
    for _ in range(5):
        x = r.choice(events)[0] + r.choice([0, 1])
        late = [e for e in events if e[0] >= x]
        if not late:
            continue
        part = told(program, folder, late)  # which judges its first hours by next to nothing, too
        until = going_on(whole, rules, x)
        for key, ms in going_on(part, rules, x).items():
            until[key] = max(ms, until.get(key, 0))
        want, got = (opened_since(a, rules, x, until) for a in (whole, part))
        if want != got:
            sys.exit("FAIL seed %d, x %s, files in %s\nmissing: %s\nnot expected: %s" % (
                seed, logs.time_text(x), folder, sorted(want - got)[:5], sorted(got - want)[:5]))
        lines += len(want)
    return lines


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    total = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    first = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    lines = 0
    for seed in range(first, first + total):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="ticketwatch-lookback-"))
        lines += one(program, seed, folder)
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    print("%d logs, %d transitions are the same without what lies before" % (total, lines))
    sys.exit(lines == 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""The confirmed record of a recorded log, from the definition of an episode, sharing no code with the program.

    oracle.py -c CONFIG [--fingerprints PROGRAM] LOG...     one transition a line, as `replay` prints them, fewer members

Slow and plain on purpose: everything is sorted, every window is counted by walking back through it. Page, error and
subject in `by` are asked of PROGRAM's `fingerprint` verb; all else is read from the log itself.
"""
import argparse
import collections
import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import anomaly  # noqa: E402
import health  # noqa: E402
import log as logs  # noqa: E402
import miniyaml  # noqa: E402
import quiet_times  # noqa: E402
import rules as kinds  # noqa: E402
import timers  # noqa: E402
import verified  # noqa: E402

STATES = ["firing", "escalated", "reminder", "resolved", "verified"]

class NeedsProgram(Exception):
    """A rule's key holds page, error or subject, and there is no program to ask."""


class Fingerprints:
    """Asks the program for all texts of a kind at once."""

    def __init__(self, program):
        self.program, self.known = program, {}

    def raw(self, event, kind):
        """One line of what the verb reads: an error is type, code and message with tabs between them."""
        if kind == "error":
            parts = [logs.field(event, "error." + m) for m in ("type", "code", "message")]
            return "\t".join(" ".join((p or "").split()) for p in parts) if any(parts) else None
        text = logs.field(event, "page.url" if kind == "page" else "ticket.subject")
        return " ".join(text.split()) if text else None

    def learn(self, events, kind):
        texts = sorted({self.raw(e, kind) for e in events} - {None})
        if not texts:
            return
        if not self.program:
            raise NeedsProgram("give --fingerprints PROGRAM: a key holds " + kind)
        made = subprocess.run([self.program, "fingerprint", "--kind", kind], input="".join(t + "\n" for t in texts).encode(),
                              stdout=subprocess.PIPE, check=True).stdout.decode().split("\n")[:-1]
        assert len(made) == len(texts), "fingerprint answered %d lines for %d" % (len(made), len(texts))
        self.known.update(((kind, t), f) for t, f in zip(texts, made))

    def of(self, event, kind):
        text = self.raw(event, kind)
        return self.known[kind, text] if text else None


def part(event, name, fingerprints):
    return fingerprints.of(event, name) if name in ("page", "error", "subject") else logs.field(event, name)


def by_key(rule, events, fingerprints):
    matching = [e for e in events if rule.counts(e)]
    for kind in {"page", "error", "subject"} & set(rule.by):
        fingerprints.learn(matching, kind)
    keys = collections.defaultdict(list)
    for event in matching:
        key = tuple(part(event, name, fingerprints) for name in rule.by)
        if None not in key:
            keys[key].append(event)
    return keys


def record(rules, log, fingerprints):
    """All transitions, in the order of the confirmed record: time, rule, key, state."""
    out = []
    for rule in rules:
        keys = by_key(rule, log.events, fingerprints)
        for key, events in keys.items():
            others = [[e for other in keys if other != key for e in keys[other]]] if getattr(rule, "overall", False) else []
            steps = list(rule.judge(events, log.end, *others))
            fixed = verified.words(rule, dict(zip(rule.by, key)), events, steps, log) if rule.verify else []
            for transition in [*reminded(rule, steps, log.end), *fixed]:
                out.append((rule, key, quiet_times.mark(rule.maintenance, rule, key, transition)))
    out.sort(key=lambda a: (a[2][0], a[0].name.encode(), [k.encode() for k in a[1]], STATES.index(a[2][1]), a[2][3] or 0))
    return [line(*a) for a in out]


def reminded(rule, steps, end):
    """The steps of one key, and between them what `remind` says: each step again while nothing else was told."""
    opened, told = None, 0
    for step, following in zip(steps, steps[1:] + [(end + 1,)]):
        yield step
        if step[1] == "firing":
            opened, told = step[0], 0
        at, gap = step[0] + (rule.remind or 0), rule.remind
        while gap and step[1] != "resolved" and at < following[0]:
            told += 1
            yield (at, "reminder", *step[2:5], {**(step[5] or {}), "reminder": told, "opened": logs.time_text(opened)})
            gap *= 2
            at += gap


def line(rule, key, transition):
    time, state, severity, count, users, more = transition
    members = {"time": logs.time_text(time), "rule": rule.name, "kind": rule.kind, "key": dict(zip(rule.by, key)), "state": state,
               "severity": severity, "count": count, "users": users, **(more or {})}
    return {k: v for k, v in members.items() if v is not None}


def read_rule(name, body, zone, remember):
    if "health" in body:
        return health.Health(name, body, remember)
    if "anomaly" in body:
        return anomaly.Anomaly(name, body, zone)
    if "ratio" in body:
        return kinds.Ratio(name, body, zone)
    if "quiet" in body:
        return timers.Quiet(name, body)
    if "deadline" in body:
        return timers.Deadline(name, body, zone)
    return kinds.Count(name, body) if "count" in body else kinds.NewValue(name, body) if "new_value" in body else None


def read_config(path):
    """(rules, lateness, max_future). Kinds that the oracle does not know are left out."""
    config = miniyaml.load(pathlib.Path(path).read_text(encoding="utf-8"))
    time = config.get("time") or {}
    remember = kinds.duration((config.get("accounts") or {}).get("remember", "90d"))
    rules = [read_rule(name, body, time.get("zone", "UTC"), remember) for name, body in config["rules"].items()]
    plans = [quiet_times.Maintenance(name, body, time.get("zone", "UTC")) for name, body in (config.get("maintenance") or {}).items()]
    known = kinds.duration((config.get("known_issues") or {}).get("remember", "90d"))
    for rule in filter(None, rules):
        rule.maintenance, rule.known = plans, known
    return [r for r in rules if r], kinds.duration(time.get("lateness", "10m")), kinds.duration(time.get("max_future", "1h"))


def confirmed(config, paths, program=None, settle=False):
    """(transitions, what was counted on the way). settle: time goes on for ever after the last event."""
    rules, lateness, max_future = read_config(config)
    log = logs.Log(paths, lateness, max_future)
    if settle:
        log.end += max(rule.settled_after + (rule.known + verified.DAY if rule.verify else 0) for rule in rules)
    return record(rules, log, Fingerprints(program)), log.count


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("-c", "--config", required=True)
    p.add_argument("--fingerprints", metavar="PROGRAM")
    p.add_argument("--settle", action="store_true")
    p.add_argument("logs", nargs="+", metavar="LOG")
    o = p.parse_args()
    transitions, count = confirmed(o.config, o.logs, o.fingerprints, o.settle)
    for t in transitions:
        print(json.dumps(t, ensure_ascii=False))
    print(" ".join("%s=%d" % c for c in sorted(count.items())), file=sys.stderr)


if __name__ == "__main__":
    main()

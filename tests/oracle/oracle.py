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
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import log as logs  # noqa: E402
import miniyaml  # noqa: E402
import where  # noqa: E402

UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
STATES = ["firing", "escalated", "resolved"]


def duration(text):
    parts = re.findall(r"(\d+)(ms|s|m|h|d|w)", text)
    assert parts and "".join(a + b for a, b in parts) == text, text
    return sum(int(a) * UNITS[b] for a, b in parts)


class Rule:
    """One rule of the configuration. `settings` is what stands under its kind."""

    def __init__(self, name, body):
        self.name, self.body = name, body
        on = body.get("on")
        self.on = [on] if isinstance(on, str) else on
        by = body.get("by", [])
        self.by = [by] if isinstance(by, str) else by
        self.where = where.compile(body["where"], logs.field) if "where" in body else lambda event: True
        self.kind = next(k for k in ("count", "anomaly") if k in body)
        self.settings = body[self.kind]

    def counts(self, event):
        return (not self.on or event.body["type"] in self.on) and self.where(event)


class Count(Rule):
    def __init__(self, name, body):
        super().__init__(name, body)
        s = self.settings
        self.within = duration(s["within"])
        self.resolve_after = duration(s["resolve_after"]) if "resolve_after" in s else self.within
        self.distinct = s.get("distinct") == "user"
        at_least = int(s["at_least"])
        severity = body.get("severity", "low")
        written = {at_least: severity} if isinstance(severity, str) else {int(n): w for w, n in severity.items()}
        below = [n for n in written if n <= at_least]
        self.steps = [(at_least, written[max(below)] if below else "low")]
        self.steps += sorted((n, w) for n, w in written.items() if n > at_least)

    def window(self, events, i):
        """The events at or before events[i], inside (t - within, t], newest first."""
        first = i
        while first >= 0 and events[first].time > events[i].time - self.within:
            first -= 1
        return events[first + 1:i + 1]

    def reached(self, count):
        """How many steps a window count has reached."""
        return sum(at <= count for at, _ in self.steps)

    def judge(self, events, end):
        """events: those of one key, sorted. Yields (time, state, severity, count, users)."""
        open_at, level = None, 0
        for i, event in enumerate(events):
            if open_at is not None and event.time - events[i - 1].time >= self.resolve_after:
                yield self.resolution(events[open_at:i], level)
                open_at, level = None, 0
            window = self.window(events, i)
            people = len({e.user() for e in window})
            count = people if self.distinct else len(window)
            if self.reached(count) > level:
                state = "firing" if open_at is None else "escalated"
                open_at = i + 1 - len(window) if open_at is None else open_at
                level = self.reached(count)
                yield event.time, state, self.steps[level - 1][1], count, people
        if open_at is not None and events[-1].time + self.resolve_after <= end:
            yield self.resolution(events[open_at:], level)

    def resolution(self, episode, level):
        people = len({e.user() for e in episode})
        return episode[-1].time + self.resolve_after, "resolved", self.steps[level - 1][1], len(episode), people


class Fingerprints:
    """Asks the program for all texts of a kind at once."""

    def __init__(self, program):
        self.program, self.known = program, {}

    def raw(self, event, kind):
        if kind == "error":
            parts = [logs.field(event, "error." + m) for m in ("type", "code", "message")]
            return " ".join(p for p in parts if p) or None
        return logs.field(event, "page.url" if kind == "page" else "ticket.subject")

    def learn(self, events, kind):
        texts = sorted({" ".join(t.split()) for t in (self.raw(e, kind) for e in events) if t})
        if not texts:
            return
        made = subprocess.run([self.program, "fingerprint", "--kind", kind], input="".join(t + "\n" for t in texts).encode(),
                              stdout=subprocess.PIPE, check=True).stdout.decode().split("\n")[:-1]
        assert len(made) == len(texts), "fingerprint answered %d lines for %d" % (len(made), len(texts))
        self.known.update(((kind, t), f) for t, f in zip(texts, made))

    def of(self, event, kind):
        text = self.raw(event, kind)
        return self.known[kind, " ".join(text.split())] if text else None


def part(event, name, fingerprints):
    return fingerprints.of(event, name) if name in ("page", "error", "subject") else logs.field(event, name)


def record(rules, log, fingerprints):
    """All transitions, in the order of the confirmed record: time, rule, key, state."""
    out = []
    for rule in rules:
        matching = [e for e in log.events if rule.counts(e)]
        for kind in {"page", "error", "subject"} & set(rule.by):
            fingerprints.learn(matching, kind)
        keys = collections.defaultdict(list)
        for event in matching:
            key = tuple(part(event, name, fingerprints) for name in rule.by)
            if None not in key:
                keys[key].append(event)
        for key, events in keys.items():
            out += [(t, rule.name, key, STATES.index(state), severity, count, users, rule.by)
                    for t, state, severity, count, users in rule.judge(events, log.end)]
    out.sort(key=lambda a: (a[0], a[1].encode(), tuple(k.encode() for k in a[2]), a[3], a[5]))
    return [{"time": logs.time_text(t), "rule": name, "key": dict(zip(by, key)), "state": STATES[state],
             "severity": severity, "count": count, "users": users} for t, name, key, state, severity, count, users, by in out]


def read_config(path):
    """(rules, lateness, max_future). Kinds that the oracle does not know are left out."""
    config = miniyaml.load(pathlib.Path(path).read_text(encoding="utf-8"))
    time = config.get("time") or {}
    rules = [Count(name, body) for name, body in config["rules"].items() if "count" in body]
    return rules, duration(time.get("lateness", "10m")), duration(time.get("max_future", "1h"))


def confirmed(config, paths, program=None):
    """(transitions, what was counted on the way)"""
    rules, lateness, max_future = read_config(config)
    log = logs.Log(paths, lateness, max_future)
    return record(rules, log, Fingerprints(program)), log.count


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("-c", "--config", required=True)
    p.add_argument("--fingerprints", metavar="PROGRAM")
    p.add_argument("logs", nargs="+", metavar="LOG")
    o = p.parse_args()
    transitions, count = confirmed(o.config, o.logs, o.fingerprints)
    for t in transitions:
        print(json.dumps(t, ensure_ascii=False))
    print(" ".join("%s=%d" % c for c in sorted(count.items())), file=sys.stderr)


if __name__ == "__main__":
    main()

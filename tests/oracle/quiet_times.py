"""Planned silences (docs/rules.md, "Maintenance"): which one marks a step of an episode."""
import fnmatch

import log as logs
import timers

SEVERITIES = ["low", "medium", "high", "critical"]


class Maintenance:
    def __init__(self, name, body, zone):
        self.name, self.rule, self.key = name, body.get("rule", "*"), body.get("key", {})
        self.most = SEVERITIES.index(body.get("up_to", "critical"))
        self.start = logs.time_of(body["from"]) if "from" in body else float("-inf")
        self.end = logs.time_of(body["until"]) if "until" in body else float("inf")
        self.hours = timers.Hours(body["weekly"], zone) if "weekly" in body else None
        self.told = {"maintenance": name, "author": body["author"], "reason": body["reason"]}

    def matches(self, rule, key, step):
        time, state, severity = step[:3]
        return (state not in ("resolved", "verified") and SEVERITIES.index(severity) <= self.most and self.start <= time < self.end
                and (self.hours is None or self.hours.open(time // timers.CELL)) and fnmatch.fnmatchcase(rule.name, self.rule)
                and all(n in rule.by and fnmatch.fnmatchcase(key[rule.by.index(n)], p) for n, p in self.key.items()))


def mark(plans, rule, key, step):
    """The step, and why it was told to nobody."""
    plan = next((p for p in plans if p.matches(rule, key, step)), None)
    return (*step[:5], {**(step[5] or {}), "silenced_by": plan.told}) if plan else step

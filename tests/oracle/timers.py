"""The kinds of rules that fire because nothing comes, from docs/rules.md; as rules.py has the others."""
from rules import Rule, duration


class Quiet(Rule):
    def __init__(self, name, body):
        super().__init__(name, body)
        s = self.settings
        self.at_least, self.within = int(s["after"]["at_least"]), duration(s["after"]["within"])
        self.silent_for = duration(s["silent_for"])
        self.give_up_after = duration(s["give_up_after"]) if "give_up_after" in s else max(duration("90d"), self.within)
        self.settled_after = self.silent_for + self.give_up_after
        self.severity = body.get("severity", "low")

    def judge(self, events, end):
        for i, last in enumerate(events):
            count = sum(e.time > last.time - self.within for e in events[:i + 1])
            silent, gone = last.time + self.silent_for, last.time + self.silent_for + self.give_up_after
            speaks = events[i + 1].time if i + 1 < len(events) else None
            if count < self.at_least or silent > end or (speaks is not None and speaks < silent):
                continue
            count = min(count, max(50, self.at_least))
            yield silent, "firing", self.severity, count, None, None
            if speaks is not None and speaks < gone:
                yield speaks, "resolved", self.severity, count, None, None
            elif gone <= end:
                yield gone, "resolved", self.severity, count, None, None

"""The kinds of rules that fire because nothing comes, from docs/rules.md; as rules.py has the others."""
import datetime
import re
import zoneinfo

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


DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
CELL = 5 * 60_000  # hours are written in whole ones of these


class Hours:
    """Business hours, by looking at the clock on the wall every five minutes."""

    def __init__(self, text, zone):
        self.zone, self.spans, self.known = zoneinfo.ZoneInfo(zone), [], {}
        for days, hours in re.findall(r"(\w+(?:-\w+)?) +(\d\d:\d\d-\d\d:\d\d)", text):
            first, last = DAYS.index(days[:3]), DAYS.index(days[-3:])
            begin, end = (int(clock[:2]) * 60 + int(clock[3:]) for clock in hours.split("-"))
            self.spans += [((first + d) % 7, begin, end) for d in range((last - first) % 7 + 1)]

    def open(self, cell):
        if cell not in self.known:
            wall = datetime.datetime.fromtimestamp(cell * CELL // 1000, self.zone)
            minute = wall.hour * 60 + wall.minute
            self.known[cell] = any(d == wall.weekday() and b <= minute < e for d, b, e in self.spans)
        return self.known[cell]

    def after(self, start, span):
        """When span milliseconds of them have passed since start."""
        if not self.spans:
            return start + span
        while True:
            end = (start // CELL + 1) * CELL
            if self.open(start // CELL):
                if end - start >= span:
                    return start + span
                span -= end - start
            start = end


class Deadline(Rule):
    def __init__(self, name, body, zone):
        super().__init__(name, body)
        s = self.settings
        self.starts, self.stops = ([s[k]] if isinstance(s[k], str) else s[k] for k in ("from", "until"))
        self.on = self.starts + self.stops
        self.within, self.give_up_after = duration(s["within"]), duration(s.get("give_up_after", "30d"))
        self.hours = Hours(s.get("business_hours", ""), zone)
        warn_at = s.get("warn_at", [])
        percents = [int(w.rstrip("%")) for w in ([warn_at] if isinstance(warn_at, str) else warn_at)]
        severities = ["low", "medium", "high"][:len(percents)] + [body.get("severity", "high")]
        self.milestones = list(zip([self.within * p // 100 for p in percents] + [self.within], severities))
        weekly = sum(e - b for _, b, e in self.hours.spans) * 60_000
        weeks = self.within // weekly if weekly else 0
        self.memory = self.give_up_after + ((weeks + 3 + weeks // 20) * duration("7d") if weekly else self.within)
        self.settled_after = 2 * self.memory

    def judge(self, events, end):
        for i, event in enumerate(events):
            before = events[i - 1] if i else None
            if event.body["type"] in self.starts and (
                    before is None or before.body["type"] in self.stops or event.time - before.time >= self.memory):
                stop = next((e.time for e in events[i:] if e.body["type"] in self.stops), None)
                yield from self.clock(event.time, stop, end)

    def clock(self, start, stop, end):
        state, severity = "firing", None
        for span, severity_then in self.milestones:
            time = self.hours.after(start, span)
            if time > end or (stop is not None and stop < time):
                break
            yield time, state, severity_then, 1, None, None
            state, severity = "escalated", severity_then
        gone = self.hours.after(start, self.within) + self.give_up_after
        if severity and stop is not None and stop < gone:
            yield stop, "resolved", severity, 1, None, None
        elif severity and gone <= end:
            yield gone, "resolved", severity, 1, None, None

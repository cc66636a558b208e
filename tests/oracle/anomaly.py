"""The kind `anomaly`, from docs/rules.md; as rules.py has the others."""
import math

import log as logs
from buckets import DAY, Buckets, duration
from rules import Rule


class Anomaly(Rule):
    def __init__(self, name, body, zone):
        super().__init__(name, body)
        s = self.settings
        self.metric, self.field = s["metric"], s.get("field")
        self.buckets = Buckets(s["bucket"], zone)
        self.reach = duration(s["history"]) // self.buckets.width  # how many buckets back a baseline looks
        self.settled_after = 2 * (self.reach + 1) * self.buckets.longest  # after that a history is empty and forgotten
        self.season = s.get("season", "none")
        self.by_day = self.season == "hour_of_week" and self.buckets.width == DAY
        hold = self.reach // (7 if self.by_day else {"none": 1, "hour_of_day": 24, "hour_of_week": 168}[self.season])
        self.min_history = int(s["min_history"]) if "min_history" in s else min(24, max(3, hold // 2))
        self.z, self.direction = float(s.get("z", 3)), s.get("direction", "both")
        self.min_count, self.min_change = int(s.get("min_count", 10)), float(s.get("min_change", "0%").rstrip("%")) / 100
        self.severity = body.get("severity", "low")

    def histories(self, events, end):
        """Lists of (bucket, value or None, number of events), each from an event's bucket to the last that has ended,
        or to where the whole history was empty, which is where the key is forgotten."""
        per = {}
        for event in events:
            value = 1 if self.metric == "count" else logs.field(event, self.field)
            if value is not None:
                per.setdefault(self.buckets.cell(event.time), []).append(value)
        values, empty = [], 0
        for b in range(min(per, default=0), self.buckets.cell(end)):
            have = per.get(b, ())
            if not (values or have):
                continue
            mean = sum(round(v * 1e6) for v in have) / 1e6 / len(have) if have else None
            values.append((b, len(have) if self.metric == "count" else mean, len(have)))
            empty = 0 if have else empty + 1
            if empty == self.reach:
                yield values
                values, empty = [], 0
        yield values

    def slot(self, b):
        if self.season == "none":
            return None
        day, hour = self.buckets.hour(b)
        return self.buckets.weekday(b) if self.by_day else (day, hour) if self.season == "hour_of_week" else hour

    def baseline(self, values, i):
        b = values[i][0]
        before = [v for v in values[:i] if v[0] >= b - self.reach]
        while before and not before[0][2]:  # a history begins with a bucket that held something
            before = before[1:]
        before = [v for v in before if v[1] is not None]
        return [v[1] for v in before if self.slot(v[0]) == self.slot(b)]

    def verdict(self, values, i):
        """(0 usual, 1 above, -1 below; the figures), or None where there is nothing to judge by."""
        _, value, have = values[i]
        base = self.baseline(values, i)
        if value is None or len(base) < self.min_history:
            return None
        m = math.fsum(base) / len(base)
        v = math.fsum((x - m) ** 2 for x in base) / len(base)
        sd = math.sqrt(max(v, m, 1)) if self.metric == "count" else max(math.sqrt(v), 0.05 * max(abs(m), 1))
        z = (value - m) / sd
        way = 1 if z > 0 else -1
        enough = have if self.metric == "mean" else value if way > 0 else m
        wanted = self.direction in ("both", "up" if way > 0 else "down")
        odd = wanted and abs(z) >= self.z and abs(value - m) >= self.min_change * abs(m) and enough >= self.min_count
        return way if odd else 0, {"value": value, "mean": m, "stddev": sd, "z": z}

    def judge(self, events, end):
        for values in self.histories(events, end):
            state = 0
            for i, (b, _, have) in enumerate(values):
                verdict = self.verdict(values, i)
                if verdict is None or verdict[0] == state:
                    continue
                time = self.buckets.start(b + 1)
                if state:
                    yield time, "resolved", self.severity, have, None, verdict[1]
                if verdict[0]:
                    yield time, "firing", self.severity, have, None, verdict[1]
                state = verdict[0]
            if state and self.forgotten(values):
                yield self.buckets.start(values[-1][0] + 1), "resolved", self.severity, 0, None, None

    def forgotten(self, values):
        return len(values) >= self.reach and not any(have for _, _, have in values[-self.reach:])

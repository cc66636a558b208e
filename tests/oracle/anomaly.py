"""The kind `anomaly`, from docs/rules.md; as rules.py has the others."""
import math

import log as logs
import where
from buckets import DAY, Buckets, duration
from rules import Rule, passed, reached
from surprise import kept, surprise


def middle(value):
    """Of the value's cell: each octave has 64 cells of one width."""
    width = 2 ** max(0, abs(value).bit_length() - 7)
    return value if width == 1 else (abs(value) // width * width + width // 2) * (1 if value > 0 else -1)


def quantile(values, percent):
    """The smallest value that is at least as large as so many percent; of many different ones those of their cells."""
    ordered = sorted(values if len(set(values)) <= 64 else map(middle, values))
    return ordered[-(-len(ordered) * percent // 100) - 1]


def anscombe(count):
    return 2 * math.sqrt(count + 3 / 8)


def deviation(base, floor, groups=None, means=None):
    """How far one more such value lies from the mean of these, with a least variance. groups: values of all slots; means: of the
    counts whose roots they are, beginning with that of base."""
    v = spread(base) / (len(base) - 1) if len(base) > 1 else 0
    if groups and len(groups) > 1:
        freedom, squares = sum(len(g) - 1 for g in groups), math.fsum(map(spread, groups))
        v = squares / freedom if freedom else 0
        if means and freedom:
            weight = math.fsum((len(g) - 1) * m for g, m in zip(groups, means[1:]))
            v = 1 + means[0] * (squares - freedom) / weight if weight else 0
    return math.sqrt(max(v, floor) * (1 + 1 / len(base)))


def spread(values):
    m = math.fsum(values) / len(values)
    return math.fsum((x - m) ** 2 for x in values)


def share(text):
    return float(text.rstrip("%")) / 100


class Anomaly(Rule):
    def __init__(self, name, body, zone):
        super().__init__(name, body)
        s = self.settings
        self.metric, self.field = s["metric"], s.get("field")
        self.match = where.compile(s["match"], logs.field) if "match" in s else None
        self.buckets = Buckets(s["bucket"], zone)
        self.reach = duration(s["history"]) // self.buckets.width  # how many buckets back a baseline looks
        self.settled_after = 2 * (self.reach + 1) * self.buckets.longest  # after that a history is empty and forgotten
        self.season = s.get("season", "none")
        self.by_day = self.season == "hour_of_week" and self.buckets.width == DAY
        hold = self.reach // (7 if self.by_day else {"none": 1, "hour_of_day": 24, "hour_of_week": 168}[self.season])
        self.surprise, self.period = s.get("method") == "surprise", {"none": 0, "hour_of_day": DAY, "hour_of_week": 7 * DAY}[self.season]
        hold = self.reach if self.surprise else hold
        self.min_history = int(s["min_history"]) if "min_history" in s else min(24, max(3, hold // 2))
        if self.surprise and "min_history" not in s:
            self.min_history = max(self.min_history, self.reach // 8)
        self.novelty, self.direction = s.get("method") in ("novelty", "surprise"), s.get("direction", "both")
        self.bar = share(s.get("beyond", "10%" if self.surprise else "50%")) if self.novelty else float(s.get("z", 3))
        self.lower_bar = float(s.get("resolve_z", 2 * self.bar / 3))
        self.min_count, self.min_change = int(s.get("min_count", 10)), share(s.get("min_change", "0%"))
        self.severity = body.get("severity", "low")
        usual = [p for p in ("ticket.category", "ticket.feature", "account", "ticket.product_version", "page") if p not in self.by]
        self.parts = s.get("contributors", usual)
        self.parts = [self.parts] if isinstance(self.parts, str) else self.parts
        self.present = {}  # of the key that is judged: bucket -> events that count for contributors

    def histories(self, events, end):
        """Lists of (bucket, value or None, number of events), each from an event's bucket to the last that has ended,
        or to where the whole history was empty, which is where the key is forgotten."""
        per, self.present = {}, {}
        for event in events:
            value = self.value(event)
            if value is not None and (value or self.metric != "ratio"):
                self.present.setdefault(self.buckets.cell(event.time), []).append(event)
            if value is not None:
                per.setdefault(self.buckets.cell(event.time), []).append(value)
        values, empty = [], 0
        for b in range(min(per, default=0), self.buckets.cell(end)):
            have = per.get(b, ())
            if not (values or have):
                continue
            values.append((b, self.made_of(have), len(have)))
            empty = 0 if have else empty + 1
            if empty == self.reach:
                yield values
                values, empty = [], 0
        yield values

    def value(self, event):
        """What the event adds to its bucket; fields in whole millionths. None: it does not count."""
        if self.metric == "count":
            return 1
        if self.metric == "ratio":
            return int(self.match(event))
        value = logs.field(event, self.field)
        return None if value is None or abs(value) > 1e9 else round(value * 1e6)

    def made_of(self, have):
        """The metric of a bucket; None where there is none."""
        if self.metric == "count":
            return len(have)
        if not have:
            return None
        if self.metric in ("p50", "p90"):
            return quantile(have, int(self.metric[1:])) / 1e6
        return sum(have) / {"sum": 1e6, "mean": 1e6 * len(have), "ratio": len(have)}[self.metric]

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
        before = [(at, kept(v) if self.surprise and v is not None else v) for at, v, _ in before]
        groups = {}
        for at, v in before:
            if v is not None:
                groups.setdefault(self.slot(at), []).append(v)
        return groups.get(self.slot(b), []), list(groups.values()), before

    def verdict(self, values, i):
        """(1 above, -1 below; whether it opens an episode; whether it keeps one open; the figures), or None where there is
        nothing to judge by."""
        _, value, have = values[i]
        base, groups, before = self.baseline(values, i)
        few = self.metric != "count" and have < self.min_count
        if value is None or few or not base or len(before if self.surprise else base) < self.min_history:
            return None
        m = math.fsum(base) / len(base)
        sd = deviation(base, self.floor(m, value, have), groups)
        z = (value - m) / sd
        if self.metric == "count":
            roots = [anscombe(x) for x in base]
            means = [m] + [math.fsum(g) / len(g) for g in groups]
            z = (anscombe(value) - math.fsum(roots) / len(roots)) / deviation(roots, 1, [list(map(anscombe, g)) for g in groups], means)
        way = 1 if passed(z, 0) else -1
        score = max(value - max(base), min(base) - value, 0) / max(max(base) - min(base), 4 * math.sqrt(self.floor(m, value, have)))
        if self.surprise:
            known = [(self.buckets.start(at), v) for at, v in before + [(values[i][0], kept(value))] if v is not None]
            score = surprise([t for t, _ in known], [v for _, v in known], self.reach // 2, self.period, 1 if self.metric == "count" else 1e-9)
        strength = score if self.novelty else abs(z)
        enough = self.metric != "count" or (value if way > 0 else m) >= self.min_count
        wanted = self.direction in ("both", "up" if way > 0 else "down")
        opens = wanted and reached(strength, self.bar) and reached(abs(value - m), self.min_change * abs(m)) and enough
        matched = {"matched": round(value * have)} if self.metric == "ratio" else {}
        seen = {"lowest": min(base), "highest": max(base), "score": score} if self.novelty else {}
        return way, opens, reached(strength, self.lower_bar), {"value": value, "mean": m, "stddev": sd, "z": z, **matched, **seen}

    def recent(self, values, i):
        """The values of at most twelve buckets, this one the last; as a baseline, they begin with one that held something."""
        before = [v for v in values[:i] if v[0] >= values[i][0] - self.reach]
        while not before[0][2]:
            before = before[1:]
        past = [kept(v[1]) if self.surprise and v[1] is not None else v[1] for v in before]
        return (past + [values[i][1]])[-12:]

    def floor(self, m, value, have):
        """What chance alone makes of a variance."""
        if self.metric == "count":
            return max(m, 1)
        if self.metric == "ratio":
            q = (have * m + 1) / (have + 2)
            return max(q * (1 - q) / have, (0.05 * m) ** 2)
        return max((0.05 * max(abs(m), 1)) ** 2, abs(m * value) / have if self.metric == "sum" else 0)

    def judge(self, events, end):
        for values in self.histories(events, end):
            state = 0
            for i, (b, _, have) in enumerate(values):
                verdict = self.verdict(values, i)
                if verdict is None:
                    continue
                time, (way, opens, stays, figures) = self.buckets.start(b + 1), verdict
                figures["trend"] = {"step": self.buckets.text, "values": self.recent(values, i)}
                if state and not (stays and way == state):
                    yield time, "resolved", self.severity, have, None, figures
                    state = 0
                if opens and not state:
                    yield time, "firing", self.severity, have, None, {**figures, "contributors": self.contributors(b, way, figures)}
                    state = way
            if state and self.forgotten(values):
                yield self.buckets.start(values[-1][0] + 1), "resolved", self.severity, 0, None, None

    def contributors(self, b, way, figures):
        """Those of the bucket. None where a sample would not hold all events, or a page's fingerprint is needed."""
        cells = -(-self.reach // 4)
        first = -(-(b - self.reach) // cells) * cells  # blocks that begin within the history
        blocks = {}
        for c in range(first, b):
            blocks.setdefault(c // cells, []).extend(self.present.get(c, ()))
        now, before = self.present.get(b, []), sum(blocks.values(), [])
        if not now:
            return []
        if "page" in self.parts or len(now) > 64 or any(len(events) > 32 for events in blocks.values()):
            return None
        found = []
        for part in self.parts:
            for text in {logs.field(e, part) for e in now + before} - {None, ""}:
                share, usual = (sum(logs.field(e, part) == text for e in some) / (len(some) or 1) for some in (now, before))
                told = share - usual >= 0.1
                if self.metric == "count":
                    change = way * (share * figures["value"] - usual * figures["mean"])
                    told = way * (share - usual) >= 0.05 and change >= 0.1 * abs(figures["value"] - figures["mean"])
                if told:
                    lean = share - usual if self.metric != "count" else way * (share - usual)
                    one = {"field": part, "value": text, "share": share, "usual": usual if before else None}
                    found.append((-lean, -share, part, text.encode(), {k: v for k, v in one.items() if v is not None}))
        return [one for *_, one in sorted(found, key=lambda f: f[:4])][:3]

    def forgotten(self, values):
        return len(values) >= self.reach and not any(have for _, _, have in values[-self.reach:])

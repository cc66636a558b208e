"""The kinds of rules the oracle knows, from docs/rules.md: plain, by walking back through sorted lists.

A kind's judge() takes the events of one key, sorted, and the time at which the log ends, and yields
(time, state, severity, count, users, more): users and more may be None.
"""
import math

import log as logs
import where
from buckets import Buckets, duration, duration_text

KINDS = ("count", "anomaly", "new_value", "quiet", "ratio", "deadline", "health")


class Rule:
    """One rule of the configuration. `settings` is what stands under its kind."""

    def __init__(self, name, body):
        self.name, self.body = name, body
        on = body.get("on")
        self.on = [on] if isinstance(on, str) else on
        by = body.get("by", [])
        self.by = [by] if isinstance(by, str) else by
        self.where = where.compile(body["where"], logs.field) if "where" in body else lambda event: True
        self.kind = next(k for k in KINDS if k in body)
        self.settings = body[self.kind]
        self.remind = duration(body["remind"]) if "remind" in body else None
        self.verify = duration(body["verify_fixed"]) if "verify_fixed" in body else None

    def counts(self, event):
        return (not self.on or event.body["type"] in self.on) and self.where(event)


class Count(Rule):
    def __init__(self, name, body):
        super().__init__(name, body)
        s = self.settings
        self.within = duration(s["within"])
        self.resolve_after = duration(s["resolve_after"]) if "resolve_after" in s else self.within
        self.distinct = s.get("distinct") == "user"
        self.settled_after = self.resolve_after
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
        open_at, level = None, 0
        for i, event in enumerate(events):
            if open_at is not None and event.time - events[i - 1].time >= self.resolve_after:
                yield self.resolution(events[open_at:i], level)
                open_at, level = None, 0
            window = self.window(events, i)
            count = self.size(window)
            if self.reached(count) > level:
                state = "firing" if open_at is None else "escalated"
                open_at = i + 1 - len(window) if open_at is None else open_at
                level = self.reached(count)
                yield event.time, state, self.steps[level - 1][1], count, named(window), {"trend": self.trend(events, i)}
        if open_at is not None and events[-1].time + self.resolve_after <= end:
            yield self.resolution(events[open_at:], level)

    def size(self, window):
        return len({e.person() for e in window}) if self.distinct else len(window)

    def trend(self, events, i):
        """The window's twelfths; with distinct each person once in a quarter, at the first event in it."""
        values, quarter = [0] * 12, max(1, self.within // 4)
        for e in self.window(events, i):
            same = [o for o in events if o.person() == e.person() and o.time // quarter == e.time // quarter]
            if not self.distinct or same[0] is e:
                values[11 - (events[i].time - e.time) * 12 // self.within] += 1
        return {"step": duration_text(self.within // 12), "values": values}

    def resolution(self, episode, level):
        """Its events, or its people, of whom the program estimates more than it can keep."""
        count = self.size(episode)
        return episode[-1].time + self.resolve_after, "resolved", self.steps[level - 1][1], count, None, None


def named(window):
    return len({logs.field(e, "user") for e in window} - {None})


class NewValue(Rule):
    def __init__(self, name, body):
        super().__init__(name, body)
        s = self.settings
        self.unseen_for, self.within = duration(s["unseen_for"]), duration(s.get("within", "24h"))
        self.at_least = int(s.get("at_least", 3))
        self.learn_until = logs.time_of(s["learn_until"]) if "learn_until" in s else None
        self.settled_after = self.unseen_for
        self.severity = body.get("severity", "low")

    def lives(self, events):
        """Runs of events, none of them unseen_for or more behind the one before it."""
        runs = []
        for event in events:
            if runs and event.time - runs[-1][-1].time < self.unseen_for:
                runs[-1].append(event)
            else:
                runs.append([event])
        return runs

    def judge(self, events, end):
        for life in self.lives(events):
            first, early = life[0].time, life[:self.at_least]
            if self.learn_until is not None and first < self.learn_until:
                continue
            if len(early) < self.at_least or early[-1].time >= first + self.within:
                continue
            yield early[-1].time, "firing", self.severity, self.at_least, named(early), seen(early)
            if life[-1].time + self.unseen_for <= end:
                yield life[-1].time + self.unseen_for, "resolved", self.severity, len(life), None, seen(life)


def seen(events):
    return {"first_seen": logs.time_text(events[0].time), "last_seen": logs.time_text(events[-1].time)}


class Ratio(Rule):
    def __init__(self, name, body, zone):
        super().__init__(name, body)
        s = self.settings
        self.match, self.buckets = where.compile(s["match"], logs.field), Buckets(s["bucket"], zone)
        self.least = int(s.get("min_denominator", 50))
        share = {k: float(s[k].rstrip("%")) / 100 for k in ("above", "below", "min_change") if k in s}
        self.limit, self.change = share.get("above", share.get("below")), share.get("min_change", 0)
        self.ways = {"both": (1, -1), "up": (1,), "down": (-1,)}[s.get("direction", "both")]
        if self.limit is not None:
            self.ways = (1,) if "above" in s else (-1,)
        self.overall = s.get("against") == "overall"
        self.reach = duration(s["history"]) // self.buckets.width if "history" in s else 28
        self.min_history = int(s["min_history"]) if "min_history" in s else min(24, max(3, self.reach // 2))
        self.z = float(s.get("z", 3 if self.limit is None else 2))
        self.severity = body.get("severity", "low")
        self.settled_after = (self.reach + 2) * self.buckets.longest

    def verdict(self, buckets, b, others):
        """(0 usual, 1 above, -1 below; the figures), or None where there is nothing to judge by."""
        n, k = len(buckets[b]), sum(buckets[b])
        if n < self.least:
            return None
        value = k / n
        if self.limit is not None:
            low, high = wilson(k, n, self.z)
            way = 1 if passed(low, self.limit) else -1 if passed(-high, -self.limit) else 0
            sd = math.sqrt(self.limit * (1 - self.limit) / n)
            figures = {"value": value, "mean": self.limit, "stddev": sd, "z": (value - self.limit) / sd}
            return way if way in self.ways else 0, {**figures, "matched": k}
        if self.overall:
            other = [others.get(b, [])]
        else:
            other = [buckets[c] for c in range(b - self.reach, b) if c in buckets]
        all_other = sum(map(len, other))
        if all_other < self.least or not self.overall and len(other) < self.min_history:
            return None
        usual = sum(map(sum, other)) / all_other
        pooled = (k + sum(map(sum, other))) / (n + all_other)
        sd = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / all_other))
        z = (value - usual) / sd if sd else 0
        way = 1 if z > 0 else -1
        odd = way in self.ways and passed(abs(z), self.z) and reached(abs(value - usual), self.change * usual)
        return way if odd else 0, {"value": value, "mean": usual, "stddev": sd, "z": z, "matched": k}

    def trend(self, buckets, b):
        """The shares of at most twelve buckets, where there is a history; they begin with one that has events."""
        seen = [c for c in buckets if b - min(self.reach, 11) <= c <= b]
        if "history" not in self.settings or len(seen) < 2:
            return None
        shares = {c: sum(buckets[c]) / len(buckets[c]) for c in seen}
        return {"step": self.buckets.text, "values": [shares.get(c) for c in range(min(seen), b + 1)]}

    def tallied(self, events):
        """Of each bucket with events, for each whether it matches."""
        buckets = {}
        for event in events:
            buckets.setdefault(self.buckets.cell(event.time), []).append(bool(self.match(event)))
        return buckets

    def judge(self, events, end, others=()):
        """others: the events of all other keys."""
        buckets, others, state, last = self.tallied(events), self.tallied(others), 0, None
        closed = [b for b in sorted(buckets) if self.buckets.start(b + 1) <= end]
        for b in closed + [self.buckets.cell(end)]:
            if state and b > last + self.reach:
                yield self.buckets.start(last + self.reach + 1), "resolved", self.severity, 0, None, None
                state = 0
            verdict = self.verdict(buckets, b, others) if b in closed else None
            last = b
            if verdict is None or verdict[0] == state:
                continue
            for was in ["resolved"] * bool(state) + ["firing"] * bool(verdict[0]):
                yield self.buckets.start(b + 1), was, self.severity, len(buckets[b]), None, {**verdict[1], "trend": self.trend(buckets, b)}
            state = verdict[0]


def slack(limit):
    """What is nearer to a limit than this is at it."""
    return 1e-9 * max(abs(limit), 1)


def reached(figure, limit):
    return figure >= limit - slack(limit)


def passed(figure, limit):
    return figure > limit + slack(limit)


def wilson(k, n, z):
    """Wilson's score interval for k of n, as Newcombe (1998) has it."""
    p, half = k / n, z * math.sqrt(k / n * (1 - k / n) / n + z * z / (4 * n * n))
    return (p + z * z / (2 * n) - half) / (1 + z * z / n), (p + z * z / (2 * n) + half) / (1 + z * z / n)

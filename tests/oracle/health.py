"""The kind `health`, from docs/rules.md: the score of every moment at which it might change, each counted anew from all events."""
import bisect

import log as logs
import where
from rules import Rule, duration

DAY, COUNTED, CELLS, ONE = 86_400_000, 50, 30, 10 ** 9
FRICTION = ["ticket.created", "ticket.updated", "ticket.first_response", "ticket.resolved", "ticket.reopened", "ticket.escalated",
            "ticket.rated", "conversation.finished"]
LIFE = ["ticket.created", "ticket.reopened", "ticket.rated", "page.error", "conversation.finished", "usage.activity"]
FIELDS = ["name", "tier", "mrr", "renewal", "owner"]


class Part:
    """A component: which events count for it. `life` has none of the fields of the others."""

    def __init__(self, name, written, **default):
        s = {"at_least": "1", **default, **written}
        self.name, self.points = name, int(s["points"])
        self.on = [s["on"]] if isinstance(s["on"], str) else s["on"]
        self.where = where.compile(s["where"], logs.field) if "where" in s else lambda event: True
        self.within, self.at_least = duration(s["within"]), int(s["at_least"])

    def takes(self, event):
        return self.points > 0 and event.body["type"] in self.on and self.where(event)


class Health(Rule):
    def __init__(self, name, body, remember):
        super().__init__(name, body)
        s, self.remember = self.settings, remember
        self.friction = Part("friction", s.get("friction", {}), on=FRICTION, where="ticket.sentiment < -0.3 or ticket.csat < 3.5",
                             at_least="3", within="14d", points="30")
        self.escalations = Part("escalations", s.get("escalations", {}), on="ticket.escalated", within="30d", points="20")
        csat, quiet, self.weigh = s.get("csat", {}), s.get("quiet", {}), s.get("weigh", {})
        self.csat = Part("csat", {k: v for k, v in csat.items() if k in ("on", "within", "points")}, on="ticket.rated", where="exists(ticket.csat)",
                         within="30d", points="25")
        self.below, self.fall, self.min_ratings = float(csat.get("below", 3.5)), float(csat.get("fall", 1)), int(csat.get("min_ratings", 3))
        self.cell = self.csat.within // CELLS
        self.quiet = Part("quiet", {k: v for k, v in {**quiet, **quiet.get("after", {})}.items() if k in ("on", "points", "within", "at_least")},
                          on=LIFE, at_least="8", within="30d", points="30")
        self.silent_for, self.give_up_after = duration(quiet.get("silent_for", "21d")), duration(quiet.get("give_up_after", "30d"))
        self.parts = [self.friction, self.escalations, self.csat, self.quiet]
        self.on = [t for p in self.parts for t in p.on] + ["account.updated"]
        self.at_risk = int(s.get("at_risk", 50))
        self.resolve_below = int(s["resolve_below"]) if "resolve_below" in s else -(-self.at_risk * 6 // 10)
        severity = body.get("severity", "low")
        written = {self.at_risk: severity} if isinstance(severity, str) else {int(n): w for w, n in severity.items()}
        self.steps = sorted(written.items())
        if self.steps[0][0] > self.at_risk:
            self.steps = [(self.at_risk, "low")] + [s for s in self.steps if s[1] != "low"]
        self.settled_after = 2 * self.csat.within + self.cell + sum(p.within for p in self.parts) + self.silent_for + self.give_up_after

    # --- one moment ---

    def sort_out(self, events):
        """What each part takes, and what is said of the account: (from when on, when, what), first by others and then by updates."""
        self.takes = {p.name: [e for e in events if p.takes(e)] for p in self.parts}
        self.times = {name: [e.time for e in taken] for name, taken in self.takes.items()}
        self.said = []
        for e in events:
            parts = [p for p in self.parts if p.takes(e)]
            update = e.body["type"] == "account.updated"
            if update or parts and (parts != [self.quiet] or e.body["type"].startswith("ticket.")):
                card = {f: v for f in FIELDS for v in [logs.field(e, "account." + f)] if v not in (None, "")}
                self.said.append((update, e.time + update, e.time, card))
        self.said.sort(key=lambda s: s[0])

    def inside(self, part, after, until):
        """What the part takes of (after, until]."""
        times = self.times[part.name]
        return self.takes[part.name][bisect.bisect_right(times, after):bisect.bisect_right(times, until)]

    def tickets(self, part, t):
        inside = self.inside(part, t - part.within, t)
        return min(COUNTED, len({logs.field(e, "ticket.id") or ("event", e.id) for e in inside})), inside

    def ratings(self, t, back):
        end = (t // self.cell + 1 - back * CELLS) * self.cell - 1
        inside = self.inside(self.csat, end - CELLS * self.cell, min(end, t))
        total = sum(round(logs.field(e, "ticket.csat") * 1e6) for e in inside)
        return len(inside), total / 1e6 / len(inside) if inside else 0

    def silence(self, t):
        lives = self.inside(self.quiet, 0, t)
        if not lives or not lives[-1].time + self.silent_for <= t < lives[-1].time + self.silent_for + self.give_up_after:
            return 0, []
        near = self.inside(self.quiet, lives[-1].time - self.quiet.within, t)
        return min(COUNTED, len(near)), near

    def true_parts(self, t):
        """[(part, how many events, which may be shown)]"""
        for part in (self.friction, self.escalations):
            n, inside = self.tickets(part, t)
            if part.points and n >= part.at_least:
                yield part, n, inside
        (n, mean), (before, was) = self.ratings(t, 0), self.ratings(t, 1)
        fell = self.fall > 0 and before >= self.min_ratings and mean + self.fall <= was
        if self.csat.points and n >= self.min_ratings and (mean < self.below or fell):
            yield self.csat, n, self.inside(self.csat, t - self.csat.within, t)
        n, near = self.silence(t)
        if self.quiet.points and n >= self.quiet.at_least:
            yield self.quiet, n, near

    def weight(self, t):
        """In billionths: each factor is one of whole thousandths."""
        card, w = {}, self.weigh
        for _, since, time, said in self.said:
            if since <= t and time > t - self.remember:
                card.update(said)
        tier, near, large = round(1000 * float(w.get("tier", {}).get(card.get("tier"), 1))), 1000, 1000
        renewal = logs.time_of(card["renewal"] + "T00:00:00Z") if "renewal" in card else None
        if renewal is not None and renewal - duration(w.get("renewal_within", "90d")) <= t < renewal + DAY:
            near = round(1000 * float(w.get("renewal", 1.25)))
        if 0 < float(w.get("mrr_from", 0)) <= card.get("mrr", 0):
            large = round(1000 * float(w.get("mrr", 1.25)))
        return tier * near * large

    # --- all of them ---

    def moments(self, events, end):
        out = set()
        for e in events:
            out |= {e.time + d for d in (0, 1, self.remember, self.friction.within, self.escalations.within, self.silent_for,
                                         self.silent_for + self.give_up_after)}
            out |= {(e.time // self.cell + CELLS * back) * self.cell for back in (1, 2)}
            renewal = logs.field(e, "account.renewal")
            if renewal:
                day = logs.time_of(renewal + "T00:00:00Z")
                out |= {day - duration(self.weigh.get("renewal_within", "90d")), day + DAY}
        return sorted(t for t in out if events[0].time <= t <= end)

    def judge(self, events, end):
        level = None
        self.sort_out(events)
        for t in self.moments(events, end):
            parts = list(self.true_parts(t))
            weight = self.weight(t) if parts else 0
            score = sum(p.points for p, _, _ in parts) * weight
            reached = sum(at * ONE <= score for at, _ in self.steps) - 1
            if level is not None and score < self.resolve_below * ONE:
                yield self.transition(t, "resolved", level, parts, score)
                level = None
            elif reached > (-1 if level is None else level):
                state = "firing" if level is None else "escalated"
                level = reached
                yield self.transition(t, state, level, parts, score)

    def transition(self, t, state, level, parts, score):
        shown = {e.id: e for _, _, inside in parts for e in inside}
        evidence = [e.id for e in sorted(shown.values(), key=logs.Event.order)[-5:]] if state != "resolved" else []
        more = {"score": round(score / ONE, 4), "components": [p.name for p, _, _ in parts], "evidence": evidence}
        return t, state, self.steps[level][1], sum(n for _, n, _ in parts), None, more

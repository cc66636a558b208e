"""What goes through the system in a round: rules and a log of events, both drawn from the round's seed.

Events are out of order by less than the lateness, some come twice, a few come truly late, some are no events at all; one
partition stays empty. A partition that rests is moved on by the time that passes (rules: idleness); the disorder is so
much less than the lateness that this never makes an event late: a round lasts less than SLACK.
"""
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "oracle")]
import log as logs  # noqa: E402

MINUTE, DAY = 60_000, 86_400_000
BASE = 1_772_409_600_000  # 2026-03-02T00:00Z
LATENESS, SLACK, STEP = 10 * MINUTE, 5 * MINUTE, 4 * MINUTE
SINKS = ["ops", "chat", "bugs"]

RULES = """  page-error:
    on: page.error
    by: [page, error]
    count: {at_least: %(errors)d, within: %(window)dm}
    severity: {medium: %(errors)d, high: %(high)d, critical: %(critical)d}
    verify_fixed: 1d
    send: [ops, chat, bugs]
  people:
    on: ticket.created
    by: [ticket.category]
    count: {at_least: 3, within: 10m, distinct: user}
    severity: {high: 5}
    send: [ops, bugs]
  angry:
    on: ticket.created
    where: "ticket.sentiment < -0.3"
    by: [account]
    count: {at_least: 3, within: 20m}
    severity: medium
    send: [ops, chat]
  volume:
    on: ticket.created
    by: [ticket.category]
    anomaly: {metric: count, bucket: 5m, history: 1h, min_history: 3, z: %(z)s, direction: both, min_count: 2}
    send: [ops, chat]
  rating:
    on: ticket.rated
    anomaly: {metric: mean, field: ticket.csat, bucket: 10m, history: 2h, min_history: 3, z: 1.3, direction: both, min_count: 1}
    send: [ops]
"""


VISITOR = """  visitor:
    on: page.error
    by: [account, page]
    count: {at_least: 2, within: 20m}
    severity: {medium: 2, high: 4}
    send: [ops]
"""
KNOWN = "known_issues: {remember: 9d}\n"


def rules(r):
    errors = r.choice([2, 3, 4])
    return RULES % {"errors": errors, "window": r.choice([10, 15, 30]), "high": errors * 2, "critical": errors * 4,
                    "z": r.choice(["1.57", "2.03", "2.51"])}


def event(r, ms, ident):
    kind = r.choice(["ticket.created", "ticket.created", "page.error", "page.error", "ticket.rated"])
    body = {"id": ident, "type": kind, "time": logs.time_text(ms), "account": {"id": "acc-%d" % r.randint(1, 4)}}
    if r.random() < 0.9:
        body["user"] = {"id": "u%d" % r.randint(1, 7)}
    if kind == "page.error":
        body["page"] = {"url": "https://app.example.com/%s/%d" % (r.choice("ab"), r.randint(1, 999))}
        body["error"] = {"type": "E", "code": r.choice(["X1", "X2"]), "message": "No. %d failed" % r.randint(1, 99)}
        return body
    body["ticket"] = {"id": "T-%d" % r.randint(1, 99), "category": r.choice(["billing", "login", "größe"]),
                      "sentiment": round(r.uniform(-1, 1), 2), "csat": round(r.uniform(1, 5), 1)}
    return body


def issue(ms, ident, page, status):
    return ms, {"id": ident, "type": "known_issue.updated", "time": logs.time_text(ms),
                "known_issue": {"id": "KI-" + page, "rule": "page-error", "page": "/%s/:id" % page, "status": status}}


def history(r, n):
    """[(time, body)]: crowds, silences in which episodes end, and days of rest in which it turns out that issues were fixed; the last behind the log."""
    t, out = BASE + r.randint(0, DAY), []
    rests = [*r.sample(range(n), r.choice([0, 1, 2])), n - 1]
    for i in range(n):
        t += r.choice([0, 200, 1000, 5000, 20_000, MINUTE, MINUTE, 2 * MINUTE])
        if r.random() < 0.008:
            t += r.choice([12, 25, 45]) * MINUTE
        out.append((t, event(r, t, "%s%d" % (r.choice(["e", "é", "Z"]), i))))
        if r.random() < 0.005:
            out.append(issue(t, "k%d" % i, r.choice("ab"), r.choice(["open", "fixed"])))
        if i in rests:
            out += [issue(t, "k%d-%s-%d" % (i, page, was), page, status) for page in "ab" for was, status in enumerate(["open", "fixed"])]
            t += r.randint(DAY, 3 * DAY)
    return out


def arrivals(r, events):
    """(partition, body or None for a broken line, timestamp, arrival), in order of arrival."""
    partitions = r.randint(3, 5)
    reach = r.choice([0, MINUTE, LATENESS - SLACK])
    told = []
    for t, body in events:
        late = r.random() < 0.01
        told.append((t + (LATENESS + r.randint(1, 30 * MINUTE) if late else r.randint(0, reach)), r.random(), body, t))
        if r.random() < 0.06:
            told.append((t + r.randint(0, LATENESS - SLACK), r.random(), body, t))  # again, anywhere
        if r.random() < 0.005 and t > events[50][0]:
            told.append((t, r.random(), None, t))
        if r.random() < 0.003:
            ahead = {**body, "id": body["id"] + "-ahead", "time": logs.time_text(t + 3 * DAY)}
            told.append((t, r.random(), ahead, t))  # a clock that is wrong
    return partitions, [(r.randrange(partitions), body, t + 1000, at) for at, _, body, t in sorted(told, key=lambda a: a[:2])]


class Stream:
    """steps: the lines that are fed together. The log holds all of one step before anything of the next: partitions do not
    run apart by more than a step of event time, as they do not in life. `ends` then move the watermark past everything;
    what is confirmed before `cutoff` is compared."""

    def __init__(self, r, n):
        events = history(r, n)
        self.rules = rules(r)
        self.shards = r.choice([1, 1, 2, 3])
        self.record_hours = r.choice([None, 1, 3])  # None: as long as the program's own default
        self.digest_above = r.choice([0, 1, 3, 20])
        full, arrived = arrivals(r, events)
        self.partitions = full + 1  # one stays empty until the end
        self.offsets = [0] * self.partitions
        self.steps = self.in_steps(arrived)
        last = max(t for t, _ in events)
        self.cutoff = last + 2 * DAY + 1  # by then the last fixes are known to hold
        end = last + 3 * DAY
        bodies = ({"id": "end-%d" % p, "type": "release.deployed", "time": logs.time_text(end)} for p in range(self.partitions))
        self.ends = [self.line(p, body, end) for p, body in enumerate(bodies)]

    def in_steps(self, arrived):
        steps = {}
        for partition, body, timestamp, at in arrived:
            steps.setdefault(at // STEP, []).append(self.line(partition, body, timestamp))
        self.times = [(n + 1) * STEP for n in steps]  # no event of a step is later
        return [b"".join(lines) for lines in steps.values()]

    def begun(self):
        """So many steps, until every partition but the empty one has an event."""
        begun, seen = 0, set()
        while len(seen) < self.partitions - 1:
            seen |= {json.loads(x)["kafka"]["partition"] for x in self.steps[begun].splitlines() if x.endswith(b"}")}
            begun += 1
        return begun

    def line(self, partition, body, timestamp):
        at = {"topic": "t", "partition": partition, "offset": self.offsets[partition], "timestamp": timestamp}
        self.offsets[partition] += 1
        if body is None:
            return b'{"kafka":%s, "broken' % json.dumps(at).encode() + b"\n"
        return json.dumps({**body, "kafka": at}, ensure_ascii=False).encode() + b"\n"

    def recorded_from(self, fed_ms):
        """Where Redis lost everything when events up to fed_ms were there, what is older than this may be out of the record:
        it is kept record_for, counted from what the watermark had passed."""
        return fed_ms - LATENESS + MINUTE - self.record_hours * 60 * MINUTE if self.record_hours and fed_ms else 0

    def whole(self):
        return b"".join(self.steps + self.ends)

    def config(self, brokers, name, receiver, session_ms, visitor):
        return ('kafka: {brokers: "%s", topics: [%s], group: %s, dead_letter: %s.dlq, properties: {session.timeout.ms: "%d", '
                'heartbeat.interval.ms: "%d"}}\n'
                'redis: {url: "${REDIS_URL}", prefix: %s, timeout: 1s, shards: %d}\n'
                "%s%stime: {lateness: 10m, idle_after: 1s, max_future: 1h}\nsinks:\n"
                '  ops: {type: webhook, url: "%s/ops"}\n  chat: {type: slack, url: "%s/chat", rate: 1000/s, digest_above: %d}\n'
                '  bugs: {type: linear, url: "%s/bugs", key: "${LINEAR_KEY}", team: 9cfb482a-81e3-4154-b5b9-2c805e70a02d}\n'
                "rules:\n%s" % (brokers, name, name, name, session_ms, session_ms // 8, name, self.shards,
                   "record_for: %dh\n" % self.record_hours if self.record_hours else "", KNOWN, receiver, receiver, self.digest_above, receiver, self.rules + VISITOR * visitor))

    def plain_config(self):
        """As the oracle reads it."""
        return KNOWN + "time: {lateness: 10m, max_future: 1h}\nrules:\n" + self.rules

#!/usr/bin/env python3
"""The oracle itself is tried: by hand-made cases, and against protocol/episodes.py where that folder stands beside the
project (or in TICKETWATCH_SHARED). The two were written apart from each other.

    test_oracle.py [streams]        20,000 random streams unless told otherwise
"""
import collections
import json
import os
import pathlib
import random
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import log as logs  # noqa: E402
import miniyaml  # noqa: E402
import oracle  # noqa: E402
import rules as kinds  # noqa: E402
import where  # noqa: E402

SHARED = pathlib.Path(os.environ.get("TICKETWATCH_SHARED", HERE.parents[2] / "shared"))
STREAMS = 20_000
MINUTE = 60_000
BASE = 1_772_409_600_000  # 2026-03-02T00:00Z


def event(minute, ident, user=None, **members):
    body = {"id": ident, "type": "page.error", "time": logs.time_text(BASE + int(minute * MINUTE)), **members}
    if user:
        body["user"] = {"id": user}
    return body


def read(*bodies, lateness=10 * MINUTE):
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", delete=False) as f:
        f.write("".join((b if isinstance(b, str) else json.dumps(b)) + "\n" for b in bodies))
    try:
        return logs.Log([f.name], lateness)
    finally:
        os.unlink(f.name)


def ids(log):
    return [e.id for e in log.events]


def count(at_least, within, severity="low", **more):
    body = {"count": {"at_least": str(at_least), "within": within, **more}, "severity": severity}
    return kinds.Count("r", body)


def judged(rule, minutes, end=None):
    events = read(*(event(m, "e%03d" % i) for i, m in enumerate(minutes))).events
    end = events[-1].time if end is None else BASE + int(end * MINUTE)
    return [((t - BASE) / MINUTE, state, severity, n) for t, state, severity, n, *_ in rule.judge(events, end)]


class Windows(unittest.TestCase):
    def test_the_older_edge_is_out(self):
        self.assertEqual(judged(count(3, "1h"), [0, 30, 60]), [])

    def test_a_millisecond_later_it_is_in(self):
        self.assertEqual(judged(count(3, "1h"), [0.001, 30, 60]), [(60, "firing", "low", 3)])

    def test_steps(self):
        steps = {"medium": "3", "high": "5"}
        self.assertEqual(judged(count(2, "1h", steps), [0, 1, 2, 3, 4]),
                         [(1, "firing", "low", 2), (2, "escalated", "medium", 3), (4, "escalated", "high", 5)])

    def test_reminders_back_off_and_begin_anew(self):
        rule = count(2, "1h")
        rule.remind = 10
        steps = [(5, "firing", "low", 2, 1, None), (70, "escalated", "high", 3, 1, None), (100, "resolved", "high", 3, None, None)]
        self.assertEqual([(s[0], s[1], (s[5] or {}).get("reminder")) for s in oracle.reminded(rule, steps, 1000)],
                         [(5, "firing", None), (15, "reminder", 1), (35, "reminder", 2), (70, "escalated", None), (80, "reminder", 3),
                          (100, "resolved", None)])  # 75 and 100 would have been the others
        self.assertEqual([s[0] for s in oracle.reminded(rule, steps[:1], 35)], [5, 15, 35])

    def test_resolved_at_the_end_and_not_before(self):
        fired = (1, "firing", "low", 2)
        self.assertEqual(judged(count(2, "1h"), [0, 1], end=60.999), [fired])
        self.assertEqual(judged(count(2, "1h"), [0, 1], end=61), [fired, (61, "resolved", "low", 2)])

    def test_a_gap_of_exactly_resolve_after_ends_the_episode(self):
        self.assertEqual(judged(count(1, "1h"), [0, 60]),
                         [(0, "firing", "low", 1), (60, "resolved", "low", 1), (60, "firing", "low", 1)])

    def test_people(self):
        rule = count(2, "1h", distinct="user")
        log = read(event(0, "a", "ann"), event(1, "b", "ann"), event(2, "c"), event(3, "d"))
        self.assertEqual([(state, n, users) for _, state, _, n, users, _ in rule.judge(log.events, log.end)], [("firing", 2, 1)])


class Accepted(unittest.TestCase):
    def test_late_is_beyond_lateness_not_at_it(self):
        self.assertEqual(ids(read(event(20, "a"), event(10, "b"), event(9.999, "c"))), ["b", "a"])

    def test_a_late_event_moves_nothing_and_a_duplicate_counts_once(self):
        log = read(event(20, "a"), event(1, "z"), event(20, "a"), event(15, "b"))
        self.assertEqual((ids(log), log.count["late"], log.count["duplicates"]), (["b", "a"], 1, 1))

    def test_partitions_have_their_own_clock(self):
        def at(p):
            return {"kafka": {"topic": "t", "partition": p, "offset": 0, "timestamp": BASE + 100 * MINUTE}}
        self.assertEqual(ids(read(event(20, "a", **at(0)), event(1, "b", **at(1)), event(1, "c", **at(0)))), ["b", "a"])

    def test_equal_times_go_by_id(self):
        self.assertEqual(ids(read(event(1, "b"), event(1, "ä"), event(1, "Z"), event(1, "a"))), ["Z", "a", "b", "ä"])

    def test_what_cannot_be_read(self):
        ahead = event(200, "x", kafka={"topic": "t", "partition": 0, "offset": 0, "timestamp": BASE})
        log = read("{", '{"id":"a"}', "[]", event(1, ""), {**event(1, "c"), "time": "9999-01-01T00:00:00Z"}, ahead, event(1, "ok"))
        self.assertEqual((ids(log), log.count["dead_letters"]), (["ok"], 6))

    def test_times(self):
        self.assertEqual(logs.time_of("1970-01-01T01:00:00.1239+01:00"), 123)
        self.assertEqual(logs.time_of("1969-12-31T22:30:00-01:30"), 0)
        self.assertIsNone(logs.time_of("2026-02-30T00:00:00Z"))
        self.assertEqual(logs.time_text(BASE + 1), "2026-03-02T00:00:00.001Z")


class Conditions(unittest.TestCase):
    CASES = [("ticket.csat < 3.5", True), ("ticket.csat >= 3", True), ("ticket.csat == 4", False), ("not ticket.csat == 4", True),
             ("ticket.sentiment < 0", False), ("not ticket.sentiment < 0", True), ("ticket.sentiment != 1", False),
             ("exists(ticket.sentiment)", False), ("exists(ticket.csat) and ticket.status == 'open'", True),
             ("ticket.status in ['new', \"open\"]", True), ("ticket.status not in ['new']", True), ("ticket.team not in ['x']", False),
             ("ticket.subject contains 'voice'", True), ("ticket.subject starts_with 'Voice'", False), ("ticket.escalated == true", False),
             ("ticket.csat == 4 or ticket.csat == 3 and ticket.status == 'shut'", False),
             ("(ticket.csat == 4 or ticket.csat == 3) and not ticket.status == 'shut'", True),
             ("account.tier == 'free'", True), ("account == 'acme'", True), ("ticket.csat < -0.3", False)]

    def test_all(self):
        body = {"ticket": {"csat": 3, "status": "open", "subject": "Invoice", "sentiment": None, "escalated": False},
                "account": {"id": "acme", "tier": "free"}}
        for text, expected in self.CASES:
            with self.subTest(text):
                self.assertIs(where.compile(text, logs.field)(logs.Event(0, "e", body)), expected)

    def test_nonsense_is_refused(self):
        for text in ("ticket.csat <", "(ticket.csat < 3", "ticket.csat < 3 4", "ticket.csat ~ 3"):
            with self.subTest(text), self.assertRaises((ValueError, KeyError)):
                where.compile(text, logs.field)


class Yaml(unittest.TestCase):
    def test_shapes(self):
        text = 'a: {b: 1h, "c": [x, "y, z"], d: "${E}"}  # why\nr:\n  one:\n    by: [page,\n         error]\n    s: "a # b: c"\n  two: {}\n'
        self.assertEqual(miniyaml.load(text), {"a": {"b": "1h", "c": ["x", "y, z"], "d": "${E}"},
                                               "r": {"one": {"by": ["page", "error"], "s": "a # b: c"}, "two": {}}})

    def test_faults(self):
        for text in ("a: 1\na: 2\n", "a\n", "a: 1\n  b: 2\n"):
            with self.subTest(text), self.assertRaises(miniyaml.Fault):
                miniyaml.load(text)


@unittest.skipUnless((SHARED / "protocol" / "episodes.py").exists(), "SKIPPED: no protocol/episodes.py beside the project")
class AgainstEpisodes(unittest.TestCase):
    def setUp(self):
        source = (SHARED / "protocol" / "episodes.py").read_text(encoding="utf-8")
        self.other = {"__name__": "episodes"}
        exec(compile(source.rsplit("main()", 1)[0], "episodes.py", "exec"), self.other)

    def stream(self, r):
        t, out = 0, []
        for i in range(r.randint(3, 80)):
            t += r.choice((0, 0, 1, 1, 2, 3, 8, 20, 40, 45, 90))
            out.append((t, "e%d" % i, r.choice((None, "u1", "u2", "u3"))))
        return out + [r.choice(out) for _ in range(r.randint(0, 10))]

    def test_random_streams(self):
        states, seconds = collections.Counter(), 1000
        for seed in range(STREAMS):
            r = random.Random(seed)
            within, steps = r.choice((10, 40)), sorted(r.sample((1, 2, 3, 4, 6, 9), r.choice((1, 2, 3))))
            resolve, distinct = max(within, r.choice((0, within + 5, 80))), r.random() < 0.4
            stream = self.stream(r)
            end = max(stream)[0] + r.choice((0, within, resolve, 1000))
            want = self.other["canonical"](self.other["Rule"](within, steps, resolve, distinct), stream, end)
            words = ["low", "medium", "high"][:len(steps)]
            rule = count(steps[0], "%ds" % within, dict(zip(words, map(str, steps))), resolve_after="%ds" % resolve,
                         distinct="user" if distinct else "")
            events = {i: logs.Event(t * seconds, i, {"user": {"id": u}} if u else {}) for t, i, u in stream}
            got = rule.judge(sorted(events.values(), key=logs.Event.order), end * seconds)
            got = [(state, t // seconds, words.index(severity)) for t, state, severity, *_ in got]
            self.assertEqual(got, want, "stream %d" % seed)
            states.update(state for state, _, _ in got)
        self.assertGreater(min(states[s] for s in ("firing", "escalated", "resolved")), STREAMS // 10, states)


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1].isdigit():
        STREAMS = int(sys.argv.pop(1))
    unittest.main()

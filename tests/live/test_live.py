#!/usr/bin/env python3
"""`run` against a real Kafka and a real Redis confirms what `replay` confirms: with one process, two and five, through
kill -9, and each alert reaches its sink.

    test_live.py [SEED]          see live.py for what it needs
"""
import json
import pathlib
import random
import signal
import subprocess
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "property"), str(HERE.parent / "oracle")]
import live  # noqa: E402
import log as logs  # noqa: E402
import shuffle  # noqa: E402

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 7
PARTITIONS = 5
DAY = 86_400_000
SEVERITIES = ["low", "medium", "high", "critical"]


def told_log(r, mute=True):
    """A random log as lines that say their partition, and the time up to which its record is compared: an event a month
    later in every partition lets the watermark pass everything before it. Without `mute` all that is recorded is told,
    too: no known issue keeps it back (with them, and a kill: test_life.py)."""
    events = shuffle.random_log(r)
    if not mute:
        for _, body in events:
            body.get("known_issue", {}).pop("mute", None)
    merged = shuffle.spread(r, shuffle.arrivals(r, events, shuffle.LATENESS))
    end = max(t for t, _ in events) + 30 * DAY
    last = [(p, {"id": "end-%d" % p, "type": "release.deployed", "time": logs.time_text(end)}) for p in range(PARTITIONS)]
    lines = (json.dumps(body, ensure_ascii=False).encode() + b"\n" for _, body in shuffle.as_recorded(merged + last))
    return b"".join(lines), end - DAY


def whole_log(r):
    """One in which no partition is silent."""
    while True:
        lines, cutoff = told_log(r)
        if all(sum(partition_of(line) == p for line in lines.splitlines()) > 20 for p in range(PARTITIONS)):
            return lines, cutoff


def partition_of(line):
    return json.loads(line)["kafka"]["partition"]


def halves(lines):
    """Of each partition the first half, and the rest."""
    parts = ([], [])
    for p in range(PARTITIONS):
        own = [line for line in lines.splitlines(True) if partition_of(line) == p]
        parts[0].extend(own[:len(own) // 2])
        parts[1].extend(own[len(own) // 2:])
    return b"".join(parts[0]), b"".join(parts[1])


until = live.until


def rules_of(r):
    return shuffle.random_rules(r).split("rules:\n", 1)[1]


def steps_by_key(alerts):
    """What was said of each key. Not in order of time: what is said early has the time at which it was seen to be so."""
    out = {}
    for a in alerts:
        out.setdefault((a["rule"], json.dumps(a["key"], sort_keys=True)), []).append((a["state"], a["severity"], a.get("reminder", 0)))
    return {key: sorted(steps) for key, steps in out.items()}


def check_order(alerts):
    """Each episode is told from its beginning to its end, and grows worse. Its reminders are told in order, but they wait
    for the watermark, and an escalation does not: it may be told before a reminder of an earlier time."""
    told = {}
    for a in alerts:
        told.setdefault(a["id"], []).append(a)
    for steps in told.values():
        states = [a["state"] for a in steps]
        grows = [SEVERITIES.index(a["severity"]) for a in steps if a["state"] in ("firing", "escalated")]
        reminders = [a["reminder"] for a in steps if a["state"] == "reminder"]
        while len(states) > 1 and states[-1] in ("resolved", "verified"):
            states.pop()
        assert states[0] == "firing" and set(states[1:]) <= {"escalated", "reminder"}, steps
        assert grows == sorted(set(grows)) and reminders == sorted(set(reminders)), steps


class Live(unittest.TestCase):
    maxDiff = None

    def system(self, r, **more):
        system = live.System(rules_of(r), PARTITIONS, **more)
        self.addCleanup(system.close)
        return system

    def expect(self, system, lines):
        path = system.folder / "log.jsonl"
        path.write_bytes(lines)
        return system.replay(path)

    def confirm(self, system, lines, cutoff, processes, disturb=None):
        expected = until(self.expect(system, lines), cutoff)
        self.assertGreater(expected.count(b"\n"), 3, "a log that confirms nothing shows nothing")
        half = lines.index(b"\n", len(lines) // 2) + 1
        for _ in range(processes):
            system.start()
        system.feed(lines[:half])
        if disturb:
            disturb(system)
        system.feed(lines[half:])
        system.wait_for_record(expected, cutoff=cutoff)
        self.assertEqual(set(system.stop_all()) - {0}, set(), system.log_text())

    def test_one_two_and_five_processes_confirm_what_replay_confirms(self):
        for processes, shards in ((1, 1), (2, 3), (5, 1)):
            r = random.Random(SEED)
            with self.subTest(processes=processes, shards=shards):
                lines, cutoff = told_log(r)
                self.confirm(self.system(r, shards=shards), lines, cutoff, processes)

    def test_kill_and_restart_change_nothing(self):
        r = random.Random(SEED + 1)
        lines, cutoff = told_log(r)
        system = self.system(r)

        def disturb(system):
            live.wait_until("a first record", lambda: live.redis("HLEN", system.name + ":7.1:{0}:cursors") != ":0")
            for _ in range(3):
                system.stop(system.processes[0], how=9)
                system.start()

        self.confirm(system, lines, cutoff, 3, disturb)

    def test_each_alert_reaches_its_sink_once(self):
        receiver = live.Receiver()
        self.addCleanup(receiver.close)
        r = random.Random(SEED + 2)
        lines, cutoff = told_log(r, mute=False)
        rules = rules_of(r).replace("    severity:", "    send: [ops]\n    severity:")
        system = live.System(rules, PARTITIONS, sinks='sinks:\n  ops: {type: webhook, url: "%s/ops"}\n' % receiver.url)
        self.addCleanup(system.close)
        expected = [json.loads(line) for line in until(self.expect(system, lines), cutoff).splitlines()]
        expected = steps_by_key(a for a in expected if a["kind"] == "count")
        system.feed(lines)  # first: hours of event time must not come within one second of the clock
        for _ in range(2):
            system.start()

        def said():
            with receiver.lock:
                alerts = [json.loads(body) for _, _, body, _ in receiver.posts]
            check_order(a for a in alerts if a["kind"] == "count")
            return steps_by_key(a for a in alerts if a["kind"] == "count" and logs.time_of(a["time"]) < cutoff)

        try:
            live.wait_until("the alerts", lambda: said() == expected, 60)
        except AssertionError:
            self.assertEqual(said(), expected)
        system.stop_all()
        self.assertEqual(said(), expected)
        ids = [dict(h)["webhook-id"] for _, h, _, _ in receiver.posts]
        self.assertEqual(len(ids), len(set(ids)), "a webhook-id came twice")


    def test_kill_loses_no_alert_and_repeats_none_but_what_was_under_way(self):
        receiver = live.Receiver()
        self.addCleanup(receiver.close)
        r = random.Random(SEED + 3)
        lines, cutoff = told_log(r, mute=False)
        rules = rules_of(r).replace("    severity:", "    send: [ops]\n    severity:")
        system = live.System(rules, PARTITIONS, sinks='sinks:\n  ops: {type: webhook, url: "%s/ops"}\n' % receiver.url)
        self.addCleanup(system.close)
        expected = [json.loads(line) for line in until(self.expect(system, lines), cutoff).splitlines()]
        wanted = steps_by_key(a for a in expected if a["kind"] == "count")
        system.feed(lines)
        for _ in range(3):
            system.start()
        kills = 8
        for _ in range(kills):
            time.sleep(r.uniform(0.2, 1.2))
            system.stop(system.processes[r.randrange(3)], how=9)
            system.start()

        def once():
            """Each delivery once: a repetition must be the same to the byte."""
            bodies = {}
            with receiver.lock:
                for _, headers, body, _ in receiver.posts:
                    assert bodies.setdefault(headers["webhook-id"], body) == body, "one id, two bodies"
            return bodies

        def said():
            alerts = [json.loads(body) for body in once().values()]
            check_order(a for a in alerts if a["kind"] == "count")
            return steps_by_key(a for a in alerts if a["kind"] == "count" and logs.time_of(a["time"]) < cutoff)

        try:
            live.wait_until("the alerts", lambda: said() == wanted, 90)
        except AssertionError:
            self.assertEqual(said(), wanted)
        system.wait_for_record(until(system.replay(system.folder / "log.jsonl"), cutoff), cutoff=cutoff)
        system.stop_all()
        self.assertLessEqual(len(receiver.posts) - len(once()), kills, "more repetitions than requests that were cut off")


FLUSH_SHARD = "local n = 0 for _, k in ipairs(redis.call('KEYS', ARGV[1])) do n = n + redis.call('DEL', k) end return n"


class Loss(unittest.TestCase):
    """Redis loses everything, or a shard of it: the record is made again, and receivers hear nothing twice."""

    def lose(self, quiet, shards=1, one_shard=False):
        r = random.Random(SEED + 4)
        lines, cutoff = whole_log(r)
        redis, receiver = live.PrivateRedis(), live.Receiver()
        self.addCleanup(redis.close)
        self.addCleanup(receiver.close)
        rules = rules_of(r).replace("    severity:", "    send: [ops]\n    severity:")
        system = live.System(rules, PARTITIONS, redis=redis.url, shards=shards,
                             sinks='sinks:\n  ops: {type: webhook, url: "%s/ops"}\n' % receiver.url)
        self.addCleanup(system.close)
        path = system.folder / "log.jsonl"
        path.write_bytes(lines)
        expected = until(system.replay(path), cutoff)
        first, rest = (lines, b"") if quiet else halves(lines)
        for _ in range(2):
            system.start()
        system.feed(first)
        if quiet:
            system.wait_for_record(expected, cutoff=cutoff)
        live.wait_until("delivery", lambda: self.still(receiver), 30)
        time.sleep(4)  # what was said is committed every second
        said, confirmed = self.said(receiver), [logs.time_of(json.loads(line)["time"]) for line in until(system.record(), cutoff).splitlines()]
        self.assertGreater(len(confirmed), 10)
        if one_shard:
            keys = "%s:*.%d:{%s}:*" % (system.name, shards, "0")
            self.assertGreater(int(redis.command("EVAL", FLUSH_SHARD, "0", keys).lstrip(":")), 10)
        else:
            redis.command("FLUSHALL")
        if not quiet:
            system.feed(rest)
        system.wait_for_record(expected, cutoff=cutoff)
        live.wait_until("delivery", lambda: self.still(receiver), 30)
        self.assertEqual(set(system.stop_all()), {0})
        again = [a for a in self.said(receiver)[len(said):] if a in said]
        self.assertEqual([a for a in again if a[3] < max(confirmed)], [], "said twice")
        self.assertEqual(len(again), len(set(again)), "said thrice")

    def said(self, receiver):
        with receiver.lock:
            alerts = [json.loads(body) for _, _, body, _ in receiver.posts]
        return [(a["id"], a["state"], a["severity"], logs.time_of(a["time"])) for a in alerts]

    def still(self, receiver):
        n = len(self.said(receiver))
        time.sleep(3)
        return n and n == len(self.said(receiver))

    def test_a_flushed_redis_is_made_anew(self):
        self.lose(quiet=False)

    def test_also_where_nothing_more_comes(self):
        self.lose(quiet=True)

    def test_also_a_shard_of_three(self):
        self.lose(quiet=False, shards=3, one_shard=True)


class Week(unittest.TestCase):
    """A week like the bundled one, in half as many events, through three processes (the bundled one: test_week.py)."""

    def week(self, **more):
        rules = (live.ROOT / "examples/week/ticketwatch.yaml").read_text(encoding="utf-8").split("\nrules:\n", 1)[1]
        rules = "".join(line if "send:" not in line else "    send: [ops]\n" for line in rules.splitlines(True))
        system = live.System(rules, PARTITIONS, **more)
        self.addCleanup(system.close)
        path = system.folder / "log.jsonl"
        subprocess.run([sys.executable, str(live.ROOT / "examples/week/generate.py"), "--scale", "0.5", "--kafka", str(PARTITIONS), "--out", str(path)],
                       check=True)
        cutoff = logs.time_of("2026-03-20T00:00:00.000Z")
        with open(path, "ab") as file:
            for p in range(PARTITIONS):
                body = {"id": "end-%d" % p, "type": "release.deployed", "time": logs.time_text(cutoff + DAY)}
                body["kafka"] = {"topic": "t", "partition": p, "offset": 10_000_000, "timestamp": cutoff + DAY}
                file.write(json.dumps(body).encode() + b"\n")
        expected = until(system.replay(path), cutoff)
        self.assertGreater(expected.count(b"\n"), 20)
        for _ in range(3):
            system.start()
        return system, path.read_bytes(), expected, cutoff

    def test_it_lives_as_it_replays_when_redis_is_wiped_and_pods_are_frozen_in_the_middle(self):
        redis, receiver = live.PrivateRedis(), live.Receiver()
        self.addCleanup(redis.close)
        self.addCleanup(receiver.close)
        system, lines, expected, cutoff = self.week(redis=redis.url, sinks='sinks:\n  ops: {type: webhook, url: "%s/ops"}\n' % receiver.url)
        wanted = steps_by_key(json.loads(line) for line in expected.splitlines())
        pieces = [0] + [lines.index(b"\n", len(lines) * i // 4) + 1 for i in (1, 2, 3)] + [len(lines)]

        def freeze(how):
            for process in system.processes[:2]:
                process.send_signal(how)

        for i, happens in enumerate((lambda: None, lambda: redis.command("FLUSHALL"), lambda: freeze(signal.SIGSTOP), lambda: None)):
            system.feed(lines[pieces[i]:pieces[i + 1]])
            time.sleep(3)
            happens()
        time.sleep(10)  # longer than the session
        freeze(signal.SIGCONT)
        system.wait_for_record(expected, cutoff=cutoff)

        def said():
            with receiver.lock:
                alerts = {(a["id"], a["state"], a["severity"]): a for a in (json.loads(body) for _, _, body, _ in receiver.posts)}
            return steps_by_key(a for a in alerts.values() if logs.time_of(a["time"]) < cutoff)

        try:
            live.wait_until("the alerts", lambda: said() == wanted, 60)
        except AssertionError:
            heard = said()
            self.fail("\n".join("%s: wanted %s, heard %s" % (key, wanted.get(key), heard.get(key)) for key in {**wanted, **heard}
                                if wanted.get(key) != heard.get(key)))
        self.assertEqual(set(system.stop_all()), {0})


class Stops(unittest.TestCase):
    def test_sigterm_leaves_the_group_at_once(self):
        system = live.System("  r:\n    count: {at_least: 1, within: 1h}\n", 2, properties={"session.timeout.ms": "45000"})
        self.addCleanup(system.close)
        first = system.start()
        live.wait_until("an assignment", lambda: system.log_text().count("event=partition_assigned") == 2, 30)
        second = system.start()
        live.wait_until("a share", lambda: system.log_text().count("event=partition_revoked") >= 1, 30)
        self.assertEqual(system.stop(first), 0)
        live.wait_until("the rest", lambda: system.log_text().count("event=partition_assigned") >= 4, 8)  # sooner than the session ends
        self.assertEqual(system.stop(second), 0)


class Idle(unittest.TestCase):
    def test_a_silent_partition_does_not_hold_the_watermark(self):
        now = int(time.time() * 1000)
        system = live.System("  r:\n    by: [account]\n    count: {at_least: 2, within: 2s}\n", 3, lateness="5s", idle_after="1s")  # else a slow machine is late
        self.addCleanup(system.close)
        events = [{"id": "e%d" % i, "type": "ticket.created", "time": logs.time_text(now + i), "account": {"id": "acme"},
                   "kafka": {"topic": "t", "partition": 0, "offset": i, "timestamp": now}} for i in range(2)]
        system.feed("".join(json.dumps(e) + "\n" for e in events).encode())
        system.start()  # behind the feed: its partition is empty at no time, so it is never moved by the clock past the events
        lines = live.wait_until("the record", lambda: system.record().count(b"\n") == 2 and system.record(), 30).splitlines()
        self.assertEqual([json.loads(x)["state"] for x in lines], ["firing", "resolved"])


if __name__ == "__main__":
    live.need_services()
    unittest.main(argv=sys.argv[:1], verbosity=2)

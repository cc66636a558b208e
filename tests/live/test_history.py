#!/usr/bin/env python3
"""A group that begins on a topic with history: it confirms what `replay` confirms, and can be begun without a month of
alerts. What the topic does not keep for as long as a rule looks back is told.

    test_history.py [SEED]       see live.py for what it needs
"""
import json
import os
import pathlib
import random
import subprocess
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "oracle")]
import live  # noqa: E402
import log as logs  # noqa: E402

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 7
PARTITIONS, ACCOUNTS, EVENTS = 3, 20, 3000
MINUTE, DAY = 60_000, 86_400_000
START = logs.time_of("2026-03-02T00:00:00.000Z")
RULES = """\
  burst:
    by: [account]
    count: {at_least: 3, within: 1h}
    severity: {medium: 3, high: 6}
    send: [ops]
"""


def line(i, t, partition, **more):
    body = {"id": "e%d" % i, "type": "ticket.created", "time": logs.time_text(t), **more,
            "kafka": {"topic": "t", "partition": partition, "offset": i, "timestamp": t}}
    return json.dumps(body).encode() + b"\n"


def month(r):
    """A month of events in order of time, ended by one in every partition a day later; and the time of that."""
    lines, t = [], START
    for i in range(EVENTS):
        t += r.randrange(1, 30 * DAY // EVENTS * 2)
        account = int(ACCOUNTS * r.random() ** 2)
        lines.append(line(i, t, account % PARTITIONS, account={"id": "a%d" % account}))
    end = t + DAY
    return b"".join(lines + [line(EVENTS + p, end, p) for p in range(PARTITIONS)]), end


class History(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.receiver = live.Receiver()
        self.addCleanup(self.receiver.close)

    def system(self, rules=RULES, topic=()):
        system = live.System(rules, PARTITIONS, topic=topic, sinks='sinks:\n  ops: {type: webhook, url: "%s/ops"}\n' % self.receiver.url)
        self.addCleanup(system.close)
        return system

    def expect(self, system, lines, end):
        path = system.folder / "log.jsonl"
        path.write_bytes(lines)
        expected = live.until(system.replay(path), end - DAY // 2)
        self.assertGreater(expected.count(b"\n"), 100, "a log that confirms nothing shows nothing")
        return expected

    def test_a_month_is_read_and_said_once(self):
        system = self.system()
        lines, end = month(random.Random(SEED))
        system.feed(lines)
        for _ in range(2):
            system.start()
        expected = self.expect(system, lines, end)
        system.wait_for_record(expected, cutoff=end - DAY // 2)
        wanted = sorted((a["id"], a["state"], a["severity"]) for a in map(json.loads, expected.splitlines()))
        live.wait_until("the alerts", lambda: len(self.receiver.alerts()) >= len(wanted), 60)
        self.assertEqual(set(system.stop_all()), {0})
        self.assertEqual(sorted(self.receiver.alerts()), wanted)

    def test_a_month_is_read_in_silence_first(self):
        """Without `send` until it has caught up, with it then."""
        system = self.system(RULES.replace("    send: [ops]\n", ""))
        lines, end = month(random.Random(SEED + 1))
        system.feed(lines)
        process = system.start()
        system.wait_for_record(self.expect(system, lines, end), cutoff=end - DAY // 2)
        self.assertEqual(system.stop(process), 0)
        system.config.write_text(system.config.read_text(encoding="utf-8") + "    send: [ops]\n", encoding="utf-8")
        process = system.start()
        more = [line(EVENTS + 10 + i, end + i * MINUTE, 0, account={"id": "new"}) for i in range(3)]
        system.feed(b"".join(more))
        live.wait_until("the new one", lambda: self.receiver.alerts(), 60)
        self.assertEqual(system.stop(process), 0)
        told = [json.loads(body) for _, _, body, _ in self.receiver.posts]
        self.assertEqual([(a["key"], a["state"]) for a in told], [({"account": "new"}, "firing")])

    def told(self, *topic):
        system = self.system("  r:\n    by: [account]\n    count: {at_least: 3, within: 30d}\n", topic)
        process = system.start()
        live.wait_until("an assignment", lambda: "event=partition_assigned" in system.log_text(), 30)
        self.assertEqual(system.stop(process), 0)
        return [text for text in system.log_text().splitlines() if "event=retention_short" in text]

    def test_a_topic_that_keeps_less_than_a_rule_looks_back_is_told(self):
        lines = self.told("retention.ms", str(7 * DAY))
        self.assertEqual(len(lines), 1, lines)
        self.assertRegex(lines[0], r"level=warn .*retention_ms=604800000 lookback_ms=\d+")

    def test_one_that_keeps_enough_is_not(self):
        self.assertEqual(self.told("retention.ms", "-1"), [])
        self.assertEqual(self.told("retention.ms", str(365 * DAY)), [])
        self.assertEqual(self.told("retention.ms", str(DAY), "cleanup.policy", "compact"), [])


class Transactions(unittest.TestCase):
    def test_aborted_records_are_not_counted_and_control_records_hold_nothing_up(self):
        """At the end of each partition stand aborted records and the transaction's end: they are no event, and the
        partitions fall idle all the same."""
        system = live.System("  r:\n    by: [account]\n    count: {at_least: 3, within: 2s}\n", 2, lateness="16s", idle_after="1s")  # else a slow machine is late
        self.addCleanup(system.close)

        def transact(how, lines):
            subprocess.run([live.FEED, os.environ["KAFKA_BROKERS"], system.name, how], input=b"".join(lines), check=True, timeout=60 * live.PATIENCE)
        system.start()
        live.wait_until("an assignment", lambda: "event=partition_assigned" in system.log_text(), 30)
        now = int(time.time() * 1000)
        transact("commit", [line(i, now + i, 0, account={"id": "acme"}) for i in range(3)] + [line(3, now, 1)])
        transact("abort", [line(10 + i, now + i, i % 2, account={"id": "gone"}) for i in range(8)])
        lines = live.wait_until("the record", lambda: system.record().count(b"\n") >= 2 and system.record(), 60).splitlines()
        self.assertEqual([(a["key"]["account"], a["state"]) for a in map(json.loads, lines)], [("acme", "firing"), ("acme", "resolved")])
        self.assertEqual(system.stop_all(), [0])
        self.assertRegex(system.log_text(), r"event=figures events=4 ")


if __name__ == "__main__":
    live.need_services()
    unittest.main(argv=sys.argv[:1], verbosity=2)

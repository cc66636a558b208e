#!/usr/bin/env python3
"""Rules change while the stream runs: three processes are replaced one by one by three with another configuration, one of
which is killed while its new rules read the past. A rule that stays keeps its windows and its open episodes: its record is
that of `replay`, each of its alerts is told once. A new rule, and one whose window changed, have from the moment on the
record that `replay` has. A rule that is gone says nothing more, and a threshold holds at once.

    test_rules.py [SEED]       see live.py for what it needs
"""
import collections
import json
import pathlib
import random
import re
import signal
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]
import live  # noqa: E402
import log as logs  # noqa: E402
import made_log  # noqa: E402
from made_log import MINUTE  # noqa: E402

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 7
PARTITIONS, ACCOUNTS, EVENTS = 4, 80, 8000
UNDER_WAY_S = 5
BEFORE = """\
  stays:
    by: [account]
    count: {at_least: 3, within: 12m}
    severity: {medium: 3, high: 6}
    send: [ops]
  longer:
    by: [account]
    count: {at_least: 4, within: 9m}
  goes:
    by: [account]
    count: {at_least: 4, within: 15m}
  volume:
    anomaly: {metric: count, bucket: 10m, history: 6h, z: 1, min_history: 5, min_count: 1}
"""
AFTER = """\
  stays:
    by: [account]
    count: {at_least: 3, within: 12m}
    severity: {medium: 3, high: 6}
    send: [ops]
  longer:
    by: [account]
    count: {at_least: 4, within: 18m}
  comes:
    where: "ticket.priority == 'high'"
    by: [user]
    count: {at_least: 3, within: 4h}
  volume:
    anomaly: {metric: count, bucket: 10m, history: 6h, z: 1, min_history: 5, min_count: 100000}
"""


def ticket(r, i):
    return {"user": {"id": "u%d" % r.randrange(150)}, "ticket": {"id": "T%d" % i, "priority": r.choice(("low", "high"))}}


def of_rule(record, rule):
    return [line for line in map(json.loads, record.splitlines()) if line["rule"] == rule]


def at(line):
    return logs.time_of(line["time"])


def steps(lines):
    """What a record says of each key, without evidence, which need not be the same."""
    return [(json.dumps(x["key"], sort_keys=True), x["time"], x["state"], x["id"], x["count"]) for x in lines]


def from_then_on(lines, then_ms, like):
    """Without episodes that were open then, by the record that is right: they may have begun before what was read."""
    over = {}
    for x in like:
        key = json.dumps(x["key"], sort_keys=True)
        if x["state"] == "resolved" and x["id"] in [y["id"] for y in like if at(y) < then_ms and y["key"] == x["key"]]:
            over[key] = max(over.get(key, 0), at(x))
    return [x for x in lines if at(x) >= then_ms and at(x) > over.get(json.dumps(x["key"], sort_keys=True), 0)]


class Rules(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.receiver = live.Receiver()
        self.addCleanup(self.receiver.close)
        self.system = live.System(BEFORE, PARTITIONS, shards=self.shards(),
                                  sinks='sinks:\n  ops: {type: webhook, url: "%s/ops"}\n' % self.receiver.url)
        self.addCleanup(self.system.close)
        self.before = self.system.config
        self.after = self.system.folder / "after.yaml"
        self.after.write_text(self.before.read_text(encoding="utf-8").replace(BEFORE, AFTER), encoding="utf-8")
        self.lines, self.cutoff = made_log.tickets(random.Random(SEED), PARTITIONS, ACCOUNTS, EVENTS, MINUTE, ticket)
        path = self.system.folder / "log.jsonl"
        path.write_bytes(b"".join(self.lines))
        self.old = live.until(self.replay(self.before, path), self.cutoff)
        self.new = live.until(self.replay(self.after, path), self.cutoff)

    def shards(self):
        return 1

    def replay(self, config, path):
        self.system.config = config
        return self.system.replay(path)

    def start(self, config):
        self.system.config = config
        before = self.system.log_text().count("event=partition_assigned")
        process = self.system.start()
        return process, lambda: self.system.log_text().count("event=partition_assigned") > before

    def run_before(self, part):
        """Three processes at work on a part of the log."""
        for _ in range(3):
            self.start(self.before)
        live.wait_until("all at work", lambda: self.system.log_text().count("event=rebalance what=assigned") >= 3, 30)
        self.system.feed(b"".join(part))
        live.wait_until("the record of it", lambda: self.settled(self.record()), 240)

    def record(self):
        time.sleep(0.5)  # each look is a process
        return self.system.record()

    def settled(self, record):
        """Every shard has the record of the part fed, but for what the watermark has not passed."""
        def of(lines):
            lines = live.until(lines, self.fed_ms - 30 * MINUTE)
            return [steps(of_rule(lines, rule)) for rule in ("stays", "longer", "goes")]

        return of(record) == of(self.old)

    def moments(self):
        """Rule -> from when on it speaks: the last one to be told, of whichever shard, is late enough."""
        found = collections.defaultdict(int)
        for rule, ms in re.findall(r"event=rule_reads_past rule=(\S+) from_ms=-?\d+ speaks_from_ms=(\d+)", self.system.log_text()):
            found[rule] = max(found[rule], int(ms))
        return found

    def check_records(self):
        record = live.until(self.system.record(), self.cutoff)
        self.assertEqual(steps(of_rule(record, "stays")), steps(of_rule(self.new, "stays")), "a rule that stays")
        moments = self.moments()
        self.assertEqual({"longer", "comes"}, set(moments), "which rules read the past")
        for rule, then_ms in moments.items():
            there, like = of_rule(record, rule), of_rule(self.new, rule)
            right = from_then_on(like, then_ms, like)
            self.assertGreater(len(right), 30, "a log that says nothing shows nothing")
            self.assertEqual(steps(from_then_on(there, then_ms, like)), steps(right), rule)
        self.assertEqual([x for x in of_rule(record, "comes") if at(x) < moments["comes"]], [], "said of before it was there")
        change_ms = max(moments.values())
        gone = of_rule(record, "goes")
        self.assertGreater(len(gone), 30)
        self.assertEqual(steps(gone), steps(of_rule(self.old, "goes"))[:len(gone)], "until it goes all is right")
        self.assertLess(max(map(at, gone)), change_ms + 10 * MINUTE)
        volume = of_rule(record, "volume")
        self.assertGreater(len(volume), 10)
        self.assertLess(max(at(x) for x in volume if x["state"] == "firing"), change_ms + 20 * MINUTE, "a threshold holds at once")

    def check_words(self):
        wanted = {(a["id"], a["state"]) for a in of_rule(self.new, "stays") if a["state"] != "escalated"}  # may be passed over

        def said():
            return collections.Counter((i, state) for i, state, _ in self.receiver.alerts("/ops"))
        live.wait_until("the alerts", lambda: wanted <= set(said()), 120)
        time.sleep(2)
        with self.receiver.lock:
            times = dict(reversed([((a["id"], a["state"]), at_s) for a, at_s in zip((json.loads(p[2]) for p in self.receiver.posts), self.receiver.times)]))
        # Of what was under way when one was killed nobody knows whether it was told; our clock may be late on a busy machine.
        twice = [x for x, n in said().items() if n > 1]
        self.assertEqual([x for x in twice if not -UNDER_WAY_S < times[x] - self.killed_s < UNDER_WAY_S], [], "told twice")
        self.assertLessEqual(len(twice), self.shards(), "more than was under way")

    def test_one_by_one(self):
        half = EVENTS * 2 // 3
        self.fed_ms = logs.time_of(json.loads(self.lines[half])["time"])
        self.run_before(self.lines[:half])
        feeding = self.system.stream(self.lines[half:], 12)
        old, killed = list(self.system.processes), False
        while old:
            process, at_work = self.start(self.after)
            if not killed:
                live.wait_until("new rules", lambda: "event=rule_reads_past" in self.system.log_text(), 30)
                self.assertEqual(self.system.stop(process, signal.SIGKILL), -signal.SIGKILL)
                self.killed_s = time.monotonic()
                killed = True
                process, at_work = self.start(self.after)
            live.wait_until("a share", at_work, 150)
            time.sleep(1)
            self.assertEqual(self.system.stop(old.pop(0)), 0)
        feeding.join()
        live.wait_until("rules that have caught up", lambda: "event=rules_caught_up" in self.system.log_text(), 120)
        text = self.system.log_text()
        self.assertGreaterEqual(text.count("event=rules_replaced"), 1, "old processes stood aside")
        self.system.config = self.after
        expected = steps(of_rule(self.new, "stays"))
        live.wait_until("the record", lambda: steps(of_rule(live.until(self.record(), self.cutoff), "stays")) == expected, 120)
        time.sleep(2)
        self.check_records()
        self.check_words()
        self.assertEqual(set(self.system.stop_all()), {0})


class InShards(Rules):
    def shards(self):
        return 3


if __name__ == "__main__":
    live.need_services()
    unittest.main(argv=sys.argv[:1] + sys.argv[2:], verbosity=2)

#!/usr/bin/env python3
"""Two versions side by side: while events stream, two processes are replaced, one after the other, by two that keep the
state under another name (another number of shards, as another format of the state would be). Neither harms the other; at
the end the new state has the whole record, every alert was delivered, and what had been said for sure is not said again.

    test_rolling.py [SEED]       see live.py for what it needs
"""
import collections
import json
import os
import pathlib
import random
import re
import sys
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]
import live  # noqa: E402
import log as logs  # noqa: E402
import made_log  # noqa: E402
from made_log import MINUTE, START  # noqa: E402

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 7
PARTITIONS, ACCOUNTS, EVENTS, STREAM_S = 4, 120, 6000, 20
RULES = """\
  burst:
    by: [account]
    count: {at_least: 3, within: 20m}
    severity: {medium: 3, high: 6}
    send: [ops]
  volume:
    anomaly: {metric: count, bucket: 1h, history: 12h, z: 3, min_history: 5, min_count: 5}
"""


DELETE = "local n = 0 for _, k in ipairs(redis.call('KEYS', ARGV[1])) do n = n + redis.call('DEL', k) end return n"


class Rolling(unittest.TestCase):
    maxDiff = None

    def replace_all(self, system):
        """New ones for the old ones, one by one: a new one is at work before an old one goes."""
        old = list(system.processes)
        system.config, text = system.folder / "new.yaml", system.config.read_text(encoding="utf-8")
        self.assertIn("shards: 1", text)
        system.config.write_text(text.replace("shards: 1", "shards: 2"), encoding="utf-8")
        for process in old:
            before = system.log_text().count("event=partition_assigned")
            system.start()
            live.wait_until("a share", lambda: system.log_text().count("event=partition_assigned") > before, 30)
            time.sleep(1.5)
            self.assertEqual(system.stop(process), 0)

    def roll(self, extra):
        receiver = live.Receiver()
        self.addCleanup(receiver.close)
        lines, cutoff = made_log.tickets(random.Random(SEED), PARTITIONS, ACCOUNTS, EVENTS, MINUTE)
        system = live.System(RULES, PARTITIONS, extra=extra,
                             sinks='sinks:\n  ops: {type: webhook, url: "%s/ops"}\n' % receiver.url)
        self.addCleanup(system.close)
        path = system.folder / "log.jsonl"
        path.write_bytes(b"".join(lines))
        expected = live.until(system.replay(path), cutoff)
        for _ in range(2):
            system.start()
        live.wait_until("both at work", lambda: system.log_text().count("event=rebalance what=assigned") >= 2, 30)
        replaced = threading.Event()
        self.addCleanup(replaced.set)
        feeding = system.stream(lines, STREAM_S, replaced)
        time.sleep(STREAM_S / 2)
        self.replace_all(system)
        replaced.set()
        feeding.join()
        made = re.findall(r"event=state_remade from_ms=(\d+) record_ms=(\d+) said_ms=(\d+)", system.log_text())
        self.assertTrue(made, system.log_text()[-3000:])
        from_ms, _, said_ms = map(int, made[0])
        record_ms = max(int(record) for _, record, _ in made)  # each shard has its own, from what was committed by then
        system.wait_for_record(live.until(expected, cutoff, record_ms), cutoff=cutoff, from_ms=record_ms)
        wanted = {(a["id"], a["state"], a["severity"]): logs.time_of(a["time"])
                  for a in map(json.loads, expected.splitlines()) if a["rule"] == "burst"}
        self.assertGreater(len(wanted), 300, "a log that says nothing shows nothing")
        self.assertGreater(sum(t < said_ms for t in wanted.values()), 30)
        self.assertGreater(sum(t > said_ms for t in wanted.values()), 30)

        def said():
            return collections.Counter(a for a in receiver.alerts())
        try:
            live.wait_until("the alerts", lambda: set(wanted) <= set(said()), 60)
        finally:
            self.assertEqual(set(wanted) - set(said()), set(), "never said")
        self.assertEqual(set(system.stop_all()), {0})
        often = said()
        self.assertEqual([(a, often[a], t) for a, t in wanted.items() if t < said_ms and often[a] != 1], [], "said for sure, and again")
        self.assertLessEqual(max(often[a] for a in wanted), 2)
        return system, from_ms

    def test_back_again_in_silence_without_the_old_state(self):
        """The old state stood still meanwhile. Without it, it is made anew, and says nothing again."""
        receiver = live.Receiver()
        self.addCleanup(receiver.close)
        lines, cutoff = made_log.tickets(random.Random(SEED + 1), PARTITIONS, ACCOUNTS, EVENTS, MINUTE)
        system = live.System(RULES, PARTITIONS, sinks='sinks:\n  ops: {type: webhook, url: "%s/ops"}\n' % receiver.url)
        self.addCleanup(system.close)
        path, third = system.folder / "log.jsonl", EVENTS // 3
        path.write_bytes(b"".join(lines))
        expected = live.until(system.replay(path), cutoff)
        old = system.config

        def run(part):
            process = system.start()
            system.feed(b"".join(part))
            live.wait_until("its alerts", lambda: self.still(receiver), 60)
            time.sleep(4)  # what was said is committed every second
            self.assertEqual(system.stop(process), 0)
            return len(receiver.alerts())
        first = run(lines[:third])
        system.config = system.folder / "new.yaml"
        system.config.write_text(old.read_text(encoding="utf-8").replace("shards: 1", "shards: 2"), encoding="utf-8")
        second = run(lines[third:2 * third])
        self.assertGreater(second, first + 30)
        self.assertGreater(int(live.redis("EVAL", DELETE, "0", system.name + ":*.1:*").lstrip(":")), 10)
        system.config = old
        run(lines[2 * third:])
        system.wait_for_record(expected, cutoff=cutoff)
        often = collections.Counter(receiver.alerts())
        again = [a for a in receiver.alerts()[:second] if often[a] > 1]
        self.assertLess(len(set(again)), 15, again)  # what was announced early, in the last minutes of each run

    def still(self, receiver):
        n = len(receiver.alerts())
        time.sleep(6)  # a busy machine pauses, too
        return n and n == len(receiver.alerts())

    def test_another_number_of_shards_one_process_after_the_other(self):
        self.roll("")

    def test_with_a_short_record_only_the_end_of_the_log_is_read_again(self):
        system, from_ms = self.roll("record_for: 1h\n")
        self.assertGreater(from_ms, START)
        offsets = [int(x) for x in re.findall(r"event=partition_assigned .*offset=(\d+)", system.log_text().split("event=state_remade", 1)[1])]
        self.assertGreater(offsets[0], 0, "it began at the beginning")


if __name__ == "__main__":
    live.need_services()
    unittest.main(argv=sys.argv[:1], verbosity=2)

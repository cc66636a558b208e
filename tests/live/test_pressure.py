#!/usr/bin/env python3
"""Back-pressure: a sink that is down, a Redis that hangs or has no memory. What cannot go on waits, the rest goes on, memory
stays flat, nobody leaves the group, and everything catches up.

  test_pressure.py [SEED]     needs what `deploy/local/services up` starts
"""
import json
import os
import pathlib
import random
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "oracle"))
import live  # noqa: E402
import log as logs  # noqa: E402

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 7
PARTITIONS, HOUR = 2, 3600000
START = logs.time_of("2026-03-02T09:00:00.000Z")
KEYS = 250
RULES = """  error:
    on: [ticket.created]
    count: {at_least: 3, within: 1h}
    by: [ticket.category]
    send: [%s]
"""


def line(n, time_ms, category, partition):
    return json.dumps({"id": "e%d" % n, "type": "ticket.created", "time": logs.time_text(time_ms), "ticket": {"category": category},
                       "kafka": {"topic": "t", "partition": partition, "offset": n, "timestamp": time_ms}}).encode() + b"\n"


def bursts(r, first, keys, start):
    """Three events for each of so many keys, in partitions of their own; then what settles them."""
    lines = []
    for k in range(keys):
        for i in range(3):
            lines.append(line(first + 3 * k + i, start + 1000 * k + i, "k%d" % (first + k), r.randrange(PARTITIONS)))
    return b"".join(lines)


def end(first, time_ms):
    return b"".join(line(first + p, time_ms, "end", p) for p in range(PARTITIONS))


def memory_kib(process):
    return int(pathlib.Path("/proc/%d/statm" % process.pid).read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def firing(receiver, path):
    with receiver.lock:
        bodies = [json.loads(b) for p, _, b, s in receiver.posts if p == path and s == 200]
    return sorted(a["key"]["ticket.category"] for a in bodies if a["state"] == "firing")


class Sinks(unittest.TestCase):
    def system(self, policy):
        self.receiver, self.down = live.Receiver(), True
        self.addCleanup(self.receiver.close)
        self.receiver.answer = lambda path, body: 503 if self.down and path == "/down" else 200
        sinks = 'sinks:\n  down: {type: webhook, url: "%s/down", outbox_max: 100, when_full: %s}\n  up: {type: webhook, url: "%s/up"}\n'
        self.redis = live.PrivateRedis()
        self.addCleanup(self.redis.close)
        system = live.System(RULES % "down, up", PARTITIONS, redis=self.redis.url,
                             sinks=sinks % (self.receiver.url, policy, self.receiver.url))
        self.addCleanup(system.close)
        return system

    def entries(self, system, kind, sink):
        return int(self.redis.command("XLEN", "%s:7.1:{0}:%s:%s" % (system.name, kind, sink)).lstrip(":"))

    def test_a_full_outbox_puts_aside_and_the_other_sink_hears_all(self):
        r, system = random.Random(SEED), self.system("dead_letter")
        system.feed(bursts(r, 0, KEYS, START))
        process = system.start()
        live.wait_until("the other sink", lambda: len(firing(self.receiver, "/up")) == KEYS, 60)
        self.assertEqual(self.entries(system, "outbox", "down"), 100)
        self.assertEqual(self.entries(system, "dead", "down"), KEYS - 100)
        live.wait_until("the word", lambda: "event=outbox_full" in system.log_text(), 10)
        self.down = False
        live.wait_until("what waited", lambda: len(firing(self.receiver, "/down")) == 100, 90)
        self.assertEqual(self.entries(system, "dead", "down"), KEYS - 100)
        self.assertEqual(system.stop(process), 0)

    def test_a_full_outbox_pauses_reading_and_nothing_is_put_aside(self):
        r, system = random.Random(SEED + 1), self.system("pause")
        process = system.start()
        system.feed(bursts(r, 0, 120, START))
        live.wait_until("the pause", lambda: "when_full: pause" in system.log_text(), 60)
        system.feed(bursts(r, 1000, 100, START + HOUR // 2))
        live.wait_until("the other sink", lambda: len(firing(self.receiver, "/up")) >= 120)
        time.sleep(3)
        self.assertEqual(len(firing(self.receiver, "/up")), 120)
        self.down = False
        live.wait_until("both sinks", lambda: len(firing(self.receiver, "/down")) == 220 == len(firing(self.receiver, "/up")), 90)
        self.assertIn("event=outbox_has_room", system.log_text())
        self.assertEqual(self.entries(system, "dead", "down"), 0)
        self.assertEqual(system.stop(process), 0)


class Redis(unittest.TestCase):
    def system(self):
        self.redis = live.PrivateRedis()
        self.addCleanup(self.redis.close)
        system = live.System(RULES.replace("    send: [%s]\n", ""), PARTITIONS, redis=self.redis.url,
                             properties={"max.poll.interval.ms": "8000"})
        self.addCleanup(system.close)
        return system

    def goes_on(self, system, stop, start, seconds):
        """Redis fails in the middle for longer than max.poll.interval.ms; the group keeps its member."""
        r = random.Random(SEED + 2)
        first, second = bursts(r, 0, KEYS, START), bursts(r, 10000, KEYS, START + 8 * HOUR) + end(90000, START + 24 * HOUR)
        path = system.folder / "log.jsonl"
        path.write_bytes(first + second)
        process = system.start()
        system.feed(first)
        live.wait_until("the first half", lambda: "event=partition_assigned" in system.log_text(), 30)
        time.sleep(1)
        before_kib = memory_kib(process)
        stop()
        system.feed(second)
        time.sleep(seconds)
        grown_kib = memory_kib(process) - before_kib
        start()
        system.wait_for_record(system.replay(path), 60)
        self.assertNotIn("what=lost", system.log_text())
        self.assertEqual(system.log_text().count("event=rebalance what=revoked"), 0)
        self.assertLess(grown_kib, 64 * 1024)
        self.assertEqual(system.stop(process), 0)

    def test_a_redis_that_hangs(self):
        system = self.system()
        self.goes_on(system, lambda: self.redis.process.send_signal(signal.SIGSTOP),
                     lambda: self.redis.process.send_signal(signal.SIGCONT), 14)

    def test_a_redis_without_memory(self):
        system = self.system()
        self.goes_on(system, lambda: self.redis.command("CONFIG", "SET", "maxmemory", "1mb"),
                     lambda: self.redis.command("CONFIG", "SET", "maxmemory", "0"), 10)


if __name__ == "__main__":
    live.need_services()
    unittest.main(argv=sys.argv[:1], verbosity=2)

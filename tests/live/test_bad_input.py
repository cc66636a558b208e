#!/usr/bin/env python3
"""What is wrong outside is said in words that tell what to do, with an exit code that says so too; and nothing is lost.

    test_bad_input.py          see live.py for what it needs
"""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "oracle")]
import live  # noqa: E402
import log as logs  # noqa: E402

RULE = "  r:\n    by: [account]\n    count: {at_least: 3, within: 1h}\n"
BASE = 1_772_409_600_000


def event(ident, minute, partition=0, **more):
    ms = BASE + minute * 60_000
    return {"id": ident, "type": "ticket.created", "time": logs.time_text(ms), "account": {"id": "acme"}, **more,
            "kafka": {"topic": "t", "partition": partition, "offset": 0, "timestamp": ms}}


def consumed(topic, least):
    """The records of a topic, so many at least: [(headers, bytes)]."""
    lines = live.consumed(topic, "print.headers=true", "headers.separator=|", enough=lambda lines: sum(b"\t" in x for x in lines) >= least)
    out = []
    for line in lines:
        headers, tab, value = line.partition(b"\t")
        if tab:
            out.append((dict(h.split(b":", 1) for h in headers.split(b"|") if b":" in h), value))
    return out


class Refusals(unittest.TestCase):
    """The process must end by itself, soon, with code 3 and a text that names the cure (what it waits for: test_start.py)."""

    def refused(self, replace, pattern, code=3):
        system = live.System(RULE, 1)
        self.addCleanup(system.close)
        text = system.config.read_text()
        for old, new in replace:
            self.assertIn(old, text)
            text = text.replace(old, new)
        system.config.write_text(text)
        process = system.start()
        self.assertEqual(system.ended(process), code, system.log_text())
        self.assertRegex(system.log_text(), pattern)

    def test_a_topic_that_does_not_exist(self):
        self.refused([("topics: [t", "topics: [no.such.topic, t")], r"no\.such\.topic.*does not exist.*kafka\.topics")

    def test_a_property_that_librdkafka_does_not_know(self):
        self.refused([('properties: {', 'properties: {fetch.wait.max: "5", ')], r"fetch\.wait\.max")

    def test_redis_wants_a_password(self):
        redis = live.PrivateRedis("--requirepass", "secret")
        self.addCleanup(redis.close)
        self.refused([(os.environ["REDIS_URL"], "redis://127.0.0.1:%d" % redis.port)], r"wants a password.*redis\.")
        self.refused([(os.environ["REDIS_URL"], "redis://:wrong@127.0.0.1:%d" % redis.port)], r"(?i)password")

    def test_redis_evicts(self):
        redis = live.PrivateRedis("--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru")
        self.addCleanup(redis.close)
        self.refused([(os.environ["REDIS_URL"], "redis://127.0.0.1:%d" % redis.port)], r"maxmemory-policy noeviction")

    def test_a_configuration_that_cannot_be_read(self):
        for arguments in (["run", "-c", "/no/such/file"], ["replay", "-c", "/no/such/file", "x"], ["check", "-c", "/no/such/file"]):
            done = subprocess.run([live.PROGRAM, *arguments], capture_output=True, timeout=60)
            self.assertEqual(done.returncode, 1, arguments)
            self.assertIn(b"/no/such/file", done.stderr + done.stdout)

    def test_usage(self):
        for arguments in ([], ["run"], ["replay", "-c", "x"], ["run", "--nonsense"], ["alerts", "-c", "x"]):
            done = subprocess.run([live.PROGRAM, *arguments], capture_output=True, timeout=60)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(b"usage:", done.stderr)
        done = subprocess.run([live.PROGRAM, "rnu"], capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"did you mean 'run'?", done.stderr)


class Records(unittest.TestCase):
    def test_what_is_no_event_goes_to_the_dead_letter_topic_and_the_rest_counts(self):
        system = live.System(RULE, 1, topic=("max.message.bytes", "20000000"))
        self.addCleanup(system.close)
        bad = {
            "broken JSON": b'{"id":"x1","type":"ticket.created"',
            "invalid UTF-8": b'{"id":"x2","type":"ticket.created","time":"2026-03-02T00:01:00Z","user":{"id":"\xff\xfe"}}',
            "a NUL in the id": b'{"id":"x\\u00003","type":"ticket.created","time":"2026-03-02T00:01:00Z"}',
            "year 9999": b'{"id":"x4","type":"ticket.created","time":"9999-01-01T00:00:00Z"}',
            "deep nesting": b"[" * 100_000 + b"]" * 100_000,
            "10 MB": b'{"id":"x6","type":"ticket.created","time":"2026-03-02T00:01:00Z","ticket":{"subject":"' + b"a" * 10_000_000 + b'"}}',
            "no time": b'{"id":"x7","type":"ticket.created"}',
            "a bare word": b"hello",
        }
        good = [json.dumps(event("e%d" % i, i)).encode() for i in range(3)]
        odd = json.dumps(event("e-nul", 3, ticket={"subject": "a NUL \0 inside"})).encode()
        last = json.dumps({**event("end", 90_000), "account": {"id": "none"}}).encode()
        lines = [good[0], *list(bad.values())[:4], good[1], *list(bad.values())[4:], good[2], odd, last]
        system.start()
        system.feed(b"".join(line + b"\n" for line in lines))
        record = [json.loads(x) for x in live.wait_until("the record", lambda: system.record().count(b"\n") >= 2 and system.record()).splitlines()]
        self.assertEqual([(a["state"], a["count"]) for a in record], [("firing", 3), ("resolved", 4)])
        self.assertEqual(system.stop_all(), [0])
        dead = consumed(system.name + ".dlq", len(bad))
        self.assertEqual(len(dead), len(bad), [h for h, _ in dead])
        for (headers, value), (what, sent) in zip(dead, bad.items()):
            self.assertTrue(headers.get(b"tw-reason"), what)
            self.assertEqual(headers.get(b"tw-topic"), system.name.encode())
            self.assertEqual(value[:1000], sent[:1000], what)
        log = system.log_text()
        self.assertIn("event=dead_letter", log)
        self.assertNotIn("aaaaaaaaaa", log)

    def test_redis_away_for_a_while_loses_nothing(self):
        redis = live.PrivateRedis("--appendonly", "yes", "--appendfsync", "always")
        self.addCleanup(redis.close)
        system = live.System(RULE, 2)
        self.addCleanup(system.close)
        system.config.write_text(system.config.read_text().replace(os.environ["REDIS_URL"], "redis://127.0.0.1:%d" % redis.port))
        process = system.start()
        system.feed(json.dumps(event("e0", 0)).encode() + b"\n")
        live.wait_until("a cursor", lambda: "partition_assigned" in system.log_text())
        time.sleep(1)
        redis.process.kill()
        redis.process.wait()
        rest = [event("e%d" % i, i, i % 2) for i in range(1, 4)] + [{**event("end%d" % p, 90_000, p), "account": {"id": "none"}} for p in range(2)]
        system.feed("".join(json.dumps(e) + "\n" for e in rest).encode())
        live.wait_until("a word of it", lambda: "event=unavailable" in system.log_text(), 30)
        time.sleep(1)
        self.assertIsNone(process.poll(), "it must wait, not die")
        redis.process = subprocess.Popen(["redis-server", "--port", str(redis.port), "--bind", "127.0.0.1", "--dir", redis.folder, "--save", "",
                                          "--appendonly", "yes", "--appendfsync", "always"], stdout=subprocess.DEVNULL)
        live.wait_until("Redis", redis.answers, 20)
        lines = live.wait_until("the record", lambda: system.record().count(b"\n") == 2 and system.record(), 60).splitlines()
        self.assertEqual([(json.loads(x)["state"], json.loads(x)["count"]) for x in lines], [("firing", 3), ("resolved", 4)])
        self.assertEqual(system.stop_all(), [0])


if __name__ == "__main__":
    live.need_services()
    unittest.main(verbosity=2)

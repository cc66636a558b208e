#!/usr/bin/env python3
"""A process is told to end while what it needs is away, and Redis begins to throw keys away under it.

    test_stops.py                see live.py for what it needs; the broker that goes away is its own
"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "oracle")]
import live  # noqa: E402
import made_log  # noqa: E402

RULE = "  r:\n    by: [account]\n    count: {at_least: 1, within: 1h}\n    send: [ops]\n"
SERVICES = str(live.ROOT / "deploy/local/services")
DRAIN_S = 25  # what `run --help` promises
SLACK_S = 15  # of a machine that is busy with other things


def events(first, n):
    return made_log.one_each(first, n, partitions=2)


class Away(unittest.TestCase):
    """SIGTERM while a server is away: it ends in the time that it promises, and says that it ended well."""

    def setUp(self):
        self.redis, self.receiver = live.PrivateRedis(), live.Receiver()
        self.addCleanup(self.redis.close)
        self.addCleanup(self.receiver.close)

    def at_work(self):
        system = live.System(RULE, 2, redis=self.redis.url, sinks='sinks:\n  ops: {type: webhook, url: "%s/ops"}\n' % self.receiver.url)
        self.addCleanup(system.close)
        self.process = system.start()
        system.feed(events(0, 4))
        try:
            live.wait_until("four alerts", lambda: len(self.receiver.alerts()) == 4, 60)
        except AssertionError:
            self.fail("%d alerts of four\n%s" % (len(self.receiver.alerts()), system.log_text()[-4000:]))
        return system

    def ends(self, system):
        started = time.monotonic()
        self.assertEqual(system.stop(self.process, seconds=60), 0, system.log_text()[-3000:])
        self.assertLess(time.monotonic() - started, DRAIN_S + SLACK_S)
        self.assertIn("event=stopped failed=0", system.log_text())

    def test_redis_is_gone(self):
        system = self.at_work()
        self.redis.process.kill()
        live.wait_until("a word of it", lambda: "event=unavailable" in system.log_text(), 30)
        self.ends(system)

    def test_redis_hangs(self):
        system = self.at_work()
        self.redis.process.send_signal(signal.SIGSTOP)
        live.wait_until("a word of it", lambda: "event=unavailable" in system.log_text(), 30)
        self.ends(system)

    def broker(self):
        folder = tempfile.mkdtemp(prefix="ticketwatch-kafka-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.addCleanup(self.services, folder, "down")
        self.services(folder, "up", "kafka")
        text = (pathlib.Path(folder) / "env").read_text(encoding="utf-8")
        before = os.environ["KAFKA_BROKERS"]
        self.addCleanup(os.environ.update, KAFKA_BROKERS=before)
        os.environ["KAFKA_BROKERS"] = text.split("KAFKA_BROKERS=", 1)[1].split()[0]
        return folder

    def services(self, folder, *words):
        done = subprocess.run([SERVICES, "-d", folder, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120 * live.PATIENCE)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_kafka_is_gone(self):
        folder = self.broker()
        system = self.at_work()
        self.services(folder, "kill", "kafka")
        time.sleep(3)
        self.assertIsNone(self.process.poll(), "it must wait, not die")
        self.ends(system)

    def test_both_are_gone(self):
        folder = self.broker()
        system = self.at_work()
        self.services(folder, "kill", "kafka")
        self.redis.process.kill()
        time.sleep(3)
        self.assertIsNone(self.process.poll(), "it must wait, not die")
        self.ends(system)


class Static(unittest.TestCase):
    """Members with a name of their own (group.instance.id), as those of a StatefulSet: one that ends does not leave, so one that comes
    back in time finds its partitions and the others notice nothing; for one that stays away they wait as long as a session."""
    SESSION_S = 16

    def owned(self, system, process):
        return system.log(process).count("event=partition_assigned") - system.log(process).count("event=partition_revoked")

    def test_it_ends_and_comes_back(self):
        system = live.System(RULE.replace("    send: [ops]\n", ""), 2, properties={
            "group.instance.id": "${TW_MEMBER}", "session.timeout.ms": str(self.SESSION_S * 1000)})
        self.addCleanup(system.close)
        first, second = system.start(TW_MEMBER="first"), system.start(TW_MEMBER="second")
        live.wait_until("one partition each", lambda: self.owned(system, first) == 1 and self.owned(system, second) == 1, 60)
        time.sleep(3)  # the last word of this rebalance
        before = system.log(second).count("event=rebalance")
        began = time.monotonic()
        self.assertEqual(system.stop(first), 0)
        self.assertLess(time.monotonic() - began, DRAIN_S + SLACK_S)
        again = system.start(TW_MEMBER="first")
        live.wait_until("its partition again", lambda: self.owned(system, again) == 1, self.SESSION_S + 20)
        self.assertEqual(system.log(second).count("event=rebalance"), before, "the other noticed it")
        self.assertEqual(system.stop(again), 0)
        began = time.monotonic()
        live.wait_until("all partitions", lambda: self.owned(system, second) == 2, self.SESSION_S + 20)
        self.assertGreater(time.monotonic() - began, 2, "it was waited for")
        self.assertEqual(system.stop(second), 0)


class Evicts(unittest.TestCase):
    def setUp(self):
        self.redis = live.PrivateRedis()
        self.addCleanup(self.redis.close)

    def system(self):
        system = live.System(RULE.replace("    send: [ops]\n", ""), 2, redis=self.redis.url)
        self.addCleanup(system.close)
        return system

    def test_a_policy_changed_while_it_runs_ends_the_process(self):
        system = self.system()
        process = system.start()
        live.wait_until("an assignment", lambda: system.log_text().count("event=partition_assigned") == 2, 30)
        self.redis.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        self.assertEqual(system.ended(process), 3, system.log_text())
        self.assertRegex(system.log_text(), r"event=failed .*maxmemory-policy noeviction")

    def test_keys_that_were_thrown_away_are_told(self):
        self.redis.command("CONFIG", "SET", "maxmemory", "3mb")
        self.redis.command("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
        for i in range(300):
            self.redis.command("SET", "other:%d" % i, "x" * 20000)
        self.redis.command("FLUSHALL")
        self.redis.command("CONFIG", "SET", "maxmemory-policy", "noeviction")
        self.redis.command("CONFIG", "SET", "maxmemory", "0")
        system = self.system()
        process = system.start()
        live.wait_until("a warning", lambda: "evicted_keys" in system.log_text(), 30)
        self.assertEqual(system.stop(process), 0)


if __name__ == "__main__":
    live.need_services()
    unittest.main(verbosity=2)

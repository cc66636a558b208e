#!/usr/bin/env python3
"""A process that starts while Kafka or Redis is away waits: its pages are served and say why, it begins when they are there, and
SIGTERM ends it at once. What no waiting mends ends it, with a word of what to mend.

    test_start.py                see live.py for what it needs
"""
import json
import os
import re
import signal
import subprocess
import sys
import time
import unittest
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "oracle")]
import live  # noqa: E402
from test_status import ask, figures, readiness  # noqa: E402

RULE = "  r:\n    by: [account]\n    count: {at_least: 1, within: 1h}\n"
AT_ONCE_S = 12  # the least wait of a request to Kafka is a second, and the machine may be busy


class Start(unittest.TestCase):
    def system(self, redis=None, brokers=None):
        self.port = live.free_port()
        system = live.System(RULE, 2, redis=redis, extra='status: {listen: "127.0.0.1:%d"}\n' % self.port)
        self.addCleanup(system.close)
        if brokers:
            text = system.config.read_text()
            system.config.write_text(text.replace(os.environ["KAFKA_BROKERS"], brokers))
        self.process = system.start()
        return system

    def waits(self, system, reason):
        def said():
            return [r for r in readiness(self.port)["reasons"] if r.startswith("start: ")]

        live.wait_until("a reason", said, 30)
        self.assertRegex(said()[0], reason)
        self.assertEqual(ask(self.port, "/healthz")[0], 200)
        self.assertEqual(figures(self.port)["ticketwatch_ready"].value(), 0)
        time.sleep(3)
        self.assertIsNone(self.process.poll(), system.log_text())
        self.assertEqual(system.log_text().count("event=waiting"), 1, "said once, not with every try: " + system.log_text())

    def ends_at_once(self, system):
        began = time.monotonic()
        self.assertEqual(system.stop(self.process), 0, system.log_text())
        self.assertLess(time.monotonic() - began, AT_ONCE_S)
        self.assertIn("event=stopped failed=0", system.log_text())

    def test_redis_comes_later(self):
        redis = live.PrivateRedis()
        self.addCleanup(lambda: redis.close())
        redis.process.kill()
        redis.process.wait()
        system = self.system(redis.url)
        self.waits(system, r"Redis at 127\.0\.0\.1:\d+ cannot be reached")
        redis.process = subprocess.Popen(["redis-server", "--port", str(redis.port), "--bind", "127.0.0.1", "--dir", redis.folder, "--save", ""],
                                         stdout=subprocess.DEVNULL)
        live.wait_until("readiness", lambda: readiness(self.port)["ready"], 30)
        self.assertEqual(system.stop_all(), [0])

    def test_redis_hangs(self):
        redis = live.PrivateRedis()
        self.addCleanup(redis.close)
        redis.process.send_signal(signal.SIGSTOP)
        system = self.system(redis.url)
        self.waits(system, r"Redis at 127\.0\.0\.1:\d+ does not answer")
        self.ends_at_once(system)

    def test_kafka_comes_later(self):
        """Its port is ours first, and answers nothing; then it is a way to the broker."""
        with live.socket.create_server(("127.0.0.1", 0)) as silent:
            system = self.system(brokers="127.0.0.1:%d" % silent.getsockname()[1])
            self.waits(system, r"no Kafka broker of 127\.0\.0\.1:\d+ answered: ")
            self.ends_at_once(system)

    def test_a_wrong_address_is_corrected(self):
        """What waits reads a file that changed as well."""
        system = self.system(brokers="127.0.0.1:1")
        self.waits(system, r"no Kafka broker of 127\.0\.0\.1:1 answered: .*refused")
        text = system.config.read_text()
        system.config.write_text(text.replace("127.0.0.1:1\"", os.environ["KAFKA_BROKERS"] + "\"", 1))
        live.wait_until("readiness", lambda: readiness(self.port)["ready"], 40)
        self.assertEqual(system.stop_all(), [0])

    def test_a_wrong_password_is_said(self):
        redis = live.PrivateRedis("--requirepass", "right")
        self.addCleanup(redis.close)
        system = self.system(redis.url.replace("redis://", "redis://:wrong@"))
        self.assertEqual(system.ended(self.process), 3, system.log_text())
        self.assertRegex(system.log_text(), r"event=failed reason=.*WRONGPASS")
        self.assertNotIn("wrong@", system.log_text())


if __name__ == "__main__":
    live.need_services()
    unittest.main(verbosity=2)

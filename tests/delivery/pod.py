"""A process that delivers (tests/tools/deliver.c), alerts for it, and the Redis between them."""
import json
import os
import signal
import subprocess
import tempfile
import time
import unittest

import redis_server

QUICK = ["retry_min=50", "retry_max=200", "request_timeout=1500", "connect_timeout=800", "lease=3000"]


def alert(number, state="firing", **members):
    time_text = f"2026-03-02T09:{number // 60 % 60:02d}:{number % 60:02d}.000Z"
    return json.dumps({
        "id": f"{number:032x}", "rule": "page-error", "kind": "count", "state": state,
        "severity": "medium", "time": time_text, "key": {"page": "/billing"},
        "summary": f"private words {number}", "count": 3, "users": 3, "first_seen": time_text,
        "last_seen": time_text, **members}, separators=(",", ":"), ensure_ascii=False)


def wait_for(condition, seconds=60):
    """Whether it comes true; on a quiet machine all does in less than a quarter of that."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.005)
    return False


class Pod:
    def __init__(self, tool, redis, name, *arguments, stdout=subprocess.PIPE, environment=None):
        self.log_path, self.closed = tempfile.mktemp(prefix="delivery_log."), False
        environment = {**{k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}, **(environment or {})}
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([tool, redis.url, name, *QUICK, *arguments], stderr=log, stdout=stdout,
                                            env=environment)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def says(self, words, seconds=60, times=None):
        """Whether its log comes to hold these words; just so many times, if that is given."""
        return wait_for(lambda: words in self.log() if times is None else self.log().count(words) == times, seconds)

    def stats(self):
        """Of a pod with one sink, after its first word was read."""
        self.process.send_signal(signal.SIGUSR1)
        return json.loads(self.process.stdout.readline())

    def comes_to(self, seconds=60, **figures):
        """Whether the figures become these: they follow what a receiver and Redis saw."""
        return wait_for(lambda: figures.items() <= self.stats().items(), seconds)

    def stop(self):
        """SIGTERM, also of one that was stopped; the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def freeze(self):
        """It does nothing more once this returns: its first thread hears the signal, and stops the others when it gets to run."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        """Ended well, or by our own hand; what a sanitizer found is in the log. Twice is once."""
        if self.closed:
            return
        self.closed = True
        status, log = self.stop(), self.log()
        if self.process.stdout:
            self.process.stdout.close()
        os.unlink(self.log_path)
        assert status in (0, -signal.SIGKILL) and "Sanitizer" not in log, (status, log)


class DeliveryCase(unittest.TestCase):
    """Tests with a Redis in common, which each finds empty."""

    @classmethod
    def setUpClass(cls):
        cls.redis = redis_server.Redis()

    @classmethod
    def tearDownClass(cls):
        cls.redis.close()

    def setUp(self):
        self.redis.command("FLUSHALL")

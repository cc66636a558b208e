#!/usr/bin/env python3
"""What the watcher says of itself, to a receiver that listens: a heartbeat, said once for all processes, that stops when they do;
and that a sink fails, by way of another one, until it works again.

    test_notices.py              see live.py for what it needs
"""
import json
import pathlib
import signal
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "oracle")]
import live  # noqa: E402
from test_reload import events  # noqa: E402

RULE = "  r:\n    by: [account]\n    count: {at_least: 1, within: 1h}\n    send: [ops]\n"
EVERY_S = 2


class Notices(unittest.TestCase):
    def setUp(self):
        self.receiver = live.Receiver()
        self.addCleanup(self.receiver.close)
        url = self.receiver.url
        self.system = live.System(RULE, 3, extra="heartbeat: {sink: alive, every: %ds}\n" % EVERY_S, sinks=(
            'sinks:\n  ops: {type: webhook, url: "%s/ops", when_failing: backup}\n  backup: {type: webhook, url: "%s/backup"}\n'
            '  alive: {type: webhook, url: "%s/alive"}\n' % (url, url, url)))
        self.addCleanup(self.system.close)

    def said(self, path):
        with self.receiver.lock:
            return [json.loads(body) for p, _, body, status in self.receiver.posts if p == path and status == 200]

    def test_a_heartbeat(self):
        two = [self.system.start() for _ in range(2)]
        live.wait_until("a heartbeat", lambda: self.said("/alive"), 40)
        began, before = time.monotonic(), len(self.said("/alive"))
        time.sleep(4 * EVERY_S)
        beats = len(self.said("/alive")) - before
        most = (time.monotonic() - began) / EVERY_S + 1
        self.assertTrue(2 <= beats <= most, "%d heartbeats, not one each %d s of two processes" % (beats, EVERY_S))
        alert = self.said("/alive")[-1]
        self.assertEqual((alert["rule"], alert["state"], alert["key"]), ("ticketwatch-heartbeat", "firing", {"group": self.system.name}))
        self.assertEqual(len({a["id"] for a in self.said("/alive")}), len(self.said("/alive")), "each is one of its own")
        for process in two:
            process.send_signal(signal.SIGSTOP)
        try:
            time.sleep(EVERY_S)
            stopped = len(self.said("/alive"))
            time.sleep(2 * EVERY_S)
            self.assertEqual(len(self.said("/alive")), stopped, "who does nothing is not alive")
        finally:
            for process in two:
                process.send_signal(signal.SIGCONT)
        live.wait_until("a heartbeat", lambda: len(self.said("/alive")) > stopped, 20)
        self.assertEqual(self.system.record(), b"", "it is no alert of a rule")
        self.assertEqual(self.system.stop_all(), [0, 0])

    def test_a_sink_that_fails(self):
        self.receiver.answer = lambda path, body: 500 if path == "/ops" else 200
        for _ in range(2):
            self.system.start()
        live.wait_until("a heartbeat", lambda: self.said("/alive"), 40)
        self.system.feed(b"".join(events(i, 1, "a%d" % i) for i in range(12)))
        told = live.wait_until("a word of it", lambda: self.said("/backup"), 60)[0]
        self.assertEqual((told["rule"], told["key"], told["state"], told["severity"]), ("ticketwatch-sink", {"sink": "ops"}, "firing", "high"))
        live.wait_until("a line", lambda: "event=sink_fails sink=ops told=backup" in self.system.log_text())
        time.sleep(4)
        self.assertEqual(len(self.said("/backup")), 1, "said once for all processes")
        self.receiver.answer = lambda path, body: 200
        both = live.wait_until("the end of it", lambda: len(self.said("/backup")) == 2 and self.said("/backup"), 90)
        self.assertEqual((both[1]["state"], both[1]["id"]), ("resolved", told["id"]))
        live.wait_until("what waited", lambda: len(self.receiver.alerts("/ops")) == 12)
        self.assertEqual(self.system.stop_all(), [0, 0])


if __name__ == "__main__":
    live.need_services()
    unittest.main(verbosity=2)

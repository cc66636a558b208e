#!/usr/bin/env python3
"""A storm reaches people as a few messages and programs alert by alert, though a process is killed while it tells it.

    test_storm.py            see live.py for what it needs
"""
import collections
import pathlib
import re
import sys
import threading
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "oracle")]
import live  # noqa: E402
import made_log  # noqa: E402

ALERTS = 200
RULES = "  r:\n    by: [account]\n    count: {at_least: 1, within: 1h}\n    send: [ops, chat]\n"


def event(n):
    return made_log.line("e%d" % n, made_log.START, account={"id": "a%d" % n})


class Storm(unittest.TestCase):
    def setUp(self):
        self.receiver = live.Receiver()
        self.addCleanup(self.receiver.close)
        url = self.receiver.url
        self.system = live.System(RULES, 1, sinks='sinks:\n  ops: {type: webhook, url: "%s/ops"}\n'
                                                  '  chat: {type: teams, url: "%s/chat"}\n' % (url, url))
        self.addCleanup(self.system.close)

    def told(self):
        """How many alerts each message in the chat tells, by its id; the same is told in the same words."""
        many, bodies = {}, {}
        with self.receiver.lock:
            posts = [(headers, body.decode()) for path, headers, body, _ in self.receiver.posts if path == "/chat"]
        for headers, body in posts:
            ident = headers.get("Idempotency-Key") or re.search(r"alert ([0-9a-f]{32})", body).group(1)
            self.assertEqual(bodies.setdefault(ident, body), body)
            many[ident] = int((re.search(r"([\d,]+) alerts at once", body) or [0, "1"])[1].replace(",", ""))
        return many

    def most_often(self):
        """How often the same digest came."""
        with self.receiver.lock:
            posts = [headers.get("Idempotency-Key") for path, headers, _, _ in self.receiver.posts if path == "/chat"]
        return max(collections.Counter(filter(None, posts)).values(), default=0)

    def test_a_storm(self):
        asked, killed = threading.Event(), threading.Event()

        def answer(path, body):
            if path == "/chat" and b"alerts at once" in body and not asked.is_set():
                asked.set()
                killed.wait(60)
            return 200
        self.receiver.answer = answer
        self.system.feed(b"".join(event(n) for n in range(1, ALERTS + 1)))
        first = self.system.start()
        self.assertTrue(asked.wait(60), self.system.log_text()[-2000:])
        first.kill()
        killed.set()
        self.system.start()
        live.wait_until("each alert, one by one", lambda: len({a for a, _, _ in self.receiver.alerts("/ops")}) == ALERTS, 60)
        live.wait_until("all of them, in the chat", lambda: sum(self.told().values()) >= ALERTS, 150)
        self.assertEqual(sum(self.told().values()), ALERTS)
        self.assertLess(len(self.told()), 45)
        live.wait_until("the one in whose request it was killed, again", lambda: self.most_often() >= 2, 60)
        self.assertEqual(self.most_often(), 2)
        self.system.stop_all()


if __name__ == "__main__":
    live.need_services()
    unittest.main(argv=sys.argv[:1], verbosity=2)

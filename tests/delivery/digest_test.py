#!/usr/bin/env python3
"""Storms: more alerts than digest_above within digest_within become one message, told as surely as a single alert.

  tests/delivery/digest_test.py DELIVER [TEST...]     DELIVER is the tool tests/tools/deliver.c

The sink is of type teams, whose digests carry their id in a header, as all do that go by HTTP.
"""
import json
import os
import re
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(__file__))
import redis_server  # noqa: E402
from pod import DeliveryCase, Pod, wait_for  # noqa: E402
from pod import alert as any_alert  # noqa: E402
from receiver import Receiver, answer  # noqa: E402

TOOL = None


def name(number):
    """An alert's first eight digits, by which a digest names it."""
    return f"{number:08x}"


def alert(number, state="firing", key=None, **members):
    made = any_alert(number, state, key={"page": key or f"/p{number}"}, **members)
    return json.dumps({**json.loads(made), "id": name(number) + "0" * 24}, separators=(",", ":"))


def texts(value):
    """All texts of a card."""
    if isinstance(value, dict):
        return [t for k, v in value.items() for t in ([v] if k == "text" else texts(v))]
    return [t for v in value for t in texts(v)] if isinstance(value, list) else []


class Message:
    def __init__(self, request):
        self.id, self.body, self.time = request.id, request.body, request.time
        self.text = "\n".join(texts(json.loads(request.body)))
        count = re.search(r"([\d,]+) alerts? at once: ([^\n]*)", self.text)
        self.many = int(count.group(1).replace(",", "")) if count else 0
        self.states = count.group(2) if count else ""
        alone = re.search(r"alert ([0-9a-f]{8})", self.text)
        self.alone = int(alone.group(1), 16) if alone and not count else None

    def names(self, number):
        return "· " + name(number) in self.text


class DigestTest(DeliveryCase):
    def setUp(self):
        super().setUp()
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)

    def pod(self, *options, pod="a", path="/ok", sink=":teams=url="):
        made = Pod(TOOL, self.redis, pod, "paused_min=50", "paused_max=200", *options,
                   f"chat{sink}{self.receiver.url(path)}")
        self.addCleanup(made.close)
        self.assertEqual(made.process.stdout.readline(), b"ready\n", made.log())
        return made

    def add(self, numbers, **more):
        for n in numbers:
            self.redis.add("chat", alert(n, **more))

    def told(self):
        with self.receiver.lock:
            return [Message(r) for r in self.receiver.requests]

    def empty(self, seconds=20):
        self.assertTrue(wait_for(lambda: self.redis.waiting("chat") == 0, seconds), self.redis.waiting("chat"))

    def answers(self, act):
        """`act` says the status for a message that is told, or None: it hangs."""
        def answers(connection, path, earlier):
            status = act(Message(self.receiver.requests[-1]), earlier)
            if status is None:
                return self.receiver.hang(connection, False)
            return answer(connection, status)
        self.receiver.act = answers

    # ---- what becomes one message ----

    def test_a_storm_is_one_message(self):
        self.add(range(1, 201))
        pod = self.pod("digest_above=20")
        self.empty()
        told = self.told()
        self.assertEqual([m.many for m in told], [200])
        self.assertEqual(told[0].states, "200 firing")
        self.assertIn("page-error: 200 firing", told[0].text)
        self.assertTrue(all(told[0].names(n) for n in range(1, 6)), told[0].text)
        self.assertIn("and 195 more", told[0].text)
        self.assertTrue(pod.comes_to(digested=200, delivered=0))
        self.assertTrue(pod.says("event=digest_delivered", times=1), pod.log())
        self.assertIn("alerts=200", pod.log())
        self.assertEqual(self.redis.command("EXISTS", redis_server.ONE_SHARD + "digest:chat"), 0)

    def test_as_many_as_may_be_go_one_by_one(self):
        self.add(range(1, 21))
        pod = self.pod("digest_above=20")
        self.empty()
        self.assertEqual([m.alone for m in self.told()], list(range(1, 21)))
        self.assertTrue(pod.comes_to(delivered=20, digested=0))

    def test_a_storm_that_goes_on(self):
        """Some alone, then what came meanwhile, each time all of it; all are told, each once."""
        pod = self.pod("digest_above=5", "digest_within=1500")
        began = time.monotonic()
        for n in range(1, 121):
            self.redis.add("chat", alert(n))
            self.receiver.released.wait(0.02)
        self.empty()
        told = self.told()
        self.assertEqual(sum(m.many or 1 for m in told), 120)
        self.assertTrue(all(m.many != 1 for m in told))
        windows = (told[-1].time - began) / 1.5 + 2  # in each so many one by one, and one or two together
        self.assertLess(len(told), 7 * windows)
        self.assertTrue(pod.comes_to(delivered=sum(not m.many for m in told), digested=sum(m.many for m in told)))

    def test_what_is_left_of_a_storm_waits_its_time(self):
        self.add(range(1, 31))
        self.pod("digest_above=20", "digest_within=3000")
        self.empty()
        self.add([31])
        self.assertTrue(wait_for(lambda: len(self.told()) == 2))
        first, last = self.told()
        self.assertEqual((first.many, last.alone), (30, 31))
        self.assertGreater(last.time - first.time, 1)

    def test_more_than_a_digest_holds(self):
        self.add(range(1, 701))
        self.pod("digest_above=20", "digest_within=60000", "lease=30000")
        self.assertTrue(wait_for(lambda: len(self.told()) == 2, 30), len(self.told()))
        self.empty()
        self.assertEqual([m.many for m in self.told()], [500, 200])

    def test_what_goes_unsent_is_in_none(self):
        """Silenced, stale and resolved ones: as they would go alone."""
        self.add(range(1, 31))
        self.add(range(31, 41), silenced_by={"maintenance": "deploy", "author": "jo", "reason": "release"})
        self.add([1, 2], state="escalated", severity="high")
        self.add([1, 2, 3], state="resolved")
        self.add([31], state="resolved")
        pod = self.pod("digest_above=20", "lease=30000")
        self.empty()
        told = self.told()
        self.assertEqual([m.states for m in told], ["30 firing, 3 resolved"])
        self.assertTrue(pod.says("event=alert_silenced", times=11), pod.log())
        self.assertTrue(pod.says("event=alert_superseded", times=2), pod.log())
        muted = self.redis.command("XRANGE", redis_server.ONE_SHARD + "muted", "-", "+")
        self.assertEqual(len(muted), 10)

    def test_a_broken_entry_stands_apart(self):
        self.add(range(1, 31))
        self.redis.add("chat", b"no alert\x00\xff")
        self.add(range(31, 61))
        self.pod("digest_above=20", "digest_within=300")
        self.empty()
        self.assertEqual([m.many for m in self.told()], [30, 30])
        self.assertEqual([d[b"alert"] for d in self.redis.dead("chat")], [b"no alert\x00\xff"])

    # ---- once ----

    def test_killed_in_the_request_and_taken_over(self):
        """The same alerts under the same id, and never another mix, though more have come."""
        self.answers(lambda message, earlier: None if len(self.receiver.requests) == 1 else 200)
        self.add(range(1, 51))
        first = self.pod("digest_above=20", "digest_within=1000", "request_timeout=30000")
        self.assertTrue(wait_for(lambda: self.told()))
        self.add(range(51, 81))
        first.kill()
        self.pod("digest_above=20", "digest_within=1000", pod="b")
        self.empty()
        told = self.told()
        self.assertEqual([m.many for m in told], [50, 50, 30])
        self.assertEqual((told[0].id, told[0].body), (told[1].id, told[1].body))
        self.assertNotEqual(told[1].id, told[2].id)

    def test_of_a_type_that_has_none_any_more(self):
        """They go one by one, and none is lost."""
        self.answers(lambda message, earlier: None)
        self.add(range(1, 31))
        first = self.pod("digest_above=20", "request_timeout=30000")
        self.assertTrue(wait_for(lambda: self.told()))
        first.kill()
        self.receiver.act = lambda connection, path, earlier: answer(connection, 200)
        webhook = self.pod(pod="b", sink="=")
        self.empty()
        with self.receiver.lock:
            ids = [json.loads(r.body)["id"][:8] for r in self.receiver.requests[1:]]
        self.assertEqual(sorted(ids), [name(n) for n in range(1, 31)])
        self.assertTrue(webhook.comes_to(delivered=30, digested=0))

    def test_an_answer_that_was_lost(self):
        self.answers(lambda message, earlier: 200 if earlier else 503)
        self.add(range(1, 51))
        self.pod("digest_above=20")
        self.empty()
        told = self.told()
        self.assertEqual([m.many for m in told], [50, 50])
        self.assertEqual((told[0].id, told[0].body), (told[1].id, told[1].body))

    def test_a_pod_that_slept(self):
        """It wakes with an answer of its own, and nothing comes of it."""
        asleep = threading.Event()
        self.answers(lambda message, earlier: 200 if asleep.wait(30) else 500)
        self.add(range(1, 51))
        sleeper = self.pod("digest_above=20", "lease=1800", "digest_within=300", "request_timeout=30000")
        self.assertTrue(wait_for(lambda: self.told()))
        sleeper.freeze()
        asleep.set()
        other = self.pod("digest_above=20", "lease=1800", "digest_within=300", pod="b")
        self.empty()
        sleeper.thaw()
        self.assertTrue(sleeper.says("event=digest_delivered"), sleeper.log())
        self.assertEqual(other.stop(), 0)
        self.add(range(51, 81))
        self.empty()
        told = self.told()
        self.assertEqual([m.many for m in told[:2]], [50, 50])
        self.assertEqual(sum(m.many or 1 for m in told[2:]), 30)
        self.assertEqual(told[0].body, told[1].body)

    def test_drained_while_it_gathers(self):
        """What waits for its minute is given back, and another tells it."""
        first = self.pod("digest_above=5", "digest_within=60000")
        self.add(range(1, 21))
        self.assertTrue(wait_for(lambda: sum(m.many or 1 for m in self.told()) >= 5))
        wait_for(lambda: self.redis.waiting("chat") == 0, 0.5)
        self.add(range(21, 31))
        self.assertEqual(first.stop(), 0)
        self.redis.command("DEL", redis_server.ONE_SHARD + "told:chat")  # as if the minute were over
        self.pod("digest_above=5", "digest_within=60000", pod="b")
        self.empty()
        self.assertEqual(sum(m.many or 1 for m in self.told()), 30)

    # ---- refused ----

    def test_one_that_is_refused_is_taken_apart(self):
        """Its alerts go one by one, in order; only what the receiver does not like alone is dead."""
        self.answers(lambda message, earlier: 400 if message.many or message.alone == 7 else 200)
        self.add(range(1, 31))
        pod = self.pod("digest_above=20", "digest_within=60000")
        self.empty()
        told = self.told()
        self.assertEqual([m.many for m in told][:2], [30, 0])
        self.assertEqual([m.alone for m in told[1:]], list(range(1, 31)))
        self.assertEqual([json.loads(d[b"alert"])["id"][:8] for d in self.redis.dead("chat")], [name(7)])
        self.assertTrue(pod.says("event=digest_apart", times=1), pod.log())

    def test_one_that_fails_keeps_its_keys_in_order(self):
        """It steps aside: others are told, but not what is about the same as one of its alerts."""
        fails = [True]
        self.answers(lambda message, earlier: 503 if message.many and fails[0] else 200)
        self.add(range(1, 31))
        pod = self.pod("digest_above=20", "digest_within=500")
        self.assertTrue(pod.says("event=digest_retry"), pod.log())
        self.add([3], state="resolved", key="/p3")
        self.add([99])
        self.assertTrue(wait_for(lambda: any(m.alone == 99 for m in self.told())), pod.log()[-2000:])
        self.assertFalse(any(m.alone == 3 for m in self.told()))
        fails[0] = False
        self.empty()
        told = [m.many or m.alone for m in self.told()]
        self.assertGreater(told.index(3), max(i for i, t in enumerate(told) if t == 30))

    def test_a_full_redis_lets_alerts_out(self):
        self.addCleanup(self.redis.command, "CONFIG", "SET", "maxmemory", "0")
        self.answers(lambda message, earlier: 200 if self.redis_is_full else 503)
        self.redis_is_full = False
        self.add([1])
        pod = self.pod("digest_above=20", "retry_min=500", "retry_max=500")
        self.assertTrue(pod.says("event=alert_retry"), pod.log())
        self.add(range(2, 41))
        self.redis.command("CONFIG", "SET", "maxmemory", "1")
        self.redis_is_full = True
        self.empty()
        self.assertEqual({m.alone for m in self.told()}, set(range(1, 41)))

    def test_a_full_redis_and_one_that_is_muted(self):
        """It cannot be written down, and holds up nothing before it."""
        self.addCleanup(self.redis.command, "CONFIG", "SET", "maxmemory", "0")
        self.add(range(1, 31))
        self.add([31], silenced_by={"maintenance": "deploy", "author": "jo", "reason": "release"})
        self.redis.command("XGROUP", "CREATE", redis_server.ONE_SHARD + "outbox:chat", "delivery", "0")
        self.redis.command("CONFIG", "SET", "maxmemory", "1")
        pod = self.pod("digest_above=20", "digest_within=500")
        self.assertTrue(wait_for(lambda: self.redis.waiting("chat") == 1), pod.log()[-2000:])
        self.assertEqual({m.alone for m in self.told()}, set(range(1, 31)))
        self.redis.command("CONFIG", "SET", "maxmemory", "0")
        self.empty()
        self.assertEqual(len(self.told()), 30)


if __name__ == "__main__":
    if not redis_server.installed():
        print("skipped: redis-server is not installed")
        sys.exit(77)
    TOOL = sys.argv.pop(1)
    unittest.main(argv=sys.argv[:1] + ["DigestTest." + t if "." not in t else t for t in sys.argv[1:]])

#!/usr/bin/env python3
"""Delivery against receivers that misbehave, pods that die and a Redis that goes away.

  tests/delivery/delivery_test.py DELIVER [TEST...]     DELIVER is the tool tests/tools/deliver.c

Promised: nothing lost, the order within a sink kept, one sink never delays another, the same id and
body at every attempt, a repetition only where the answer was unknown or asked for it.
"""
import json
import os
import shutil
import ssl
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(__file__))
import redis_server  # noqa: E402
from pod import DeliveryCase, Pod, wait_for  # noqa: E402
from pod import alert as any_alert  # noqa: E402
from receiver import Receiver  # noqa: E402

TOOL = None
LEARNT_S = 5  # silences and causes are read every two
QUICKER = ["request_timeout=5000", "connect_timeout=3000", "paused_min=50", "paused_max=200", "drain=2000"]


def alert(number, state="firing", key="/billing", severity="medium"):
    return any_alert(number, state, key={"page": key}, severity=severity)


class SlowProxy:
    """A SOCKS5 proxy (RFC 1928) that connects only once `open` is set, and then to itself."""

    def __init__(self):
        self.asked, self.open, self.ended = (threading.Event() for _ in range(3))
        self.got = b""
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"socks5://127.0.0.1:{self.server.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        connection, _ = self.server.accept()
        with connection:
            connection.recv(100)  # methods
            connection.sendall(b"\x05\x00")
            connection.recv(100)  # where to
            self.asked.set()
            self.open.wait(60)
            connection.sendall(b"\x05\x00\x00\x01" + bytes(6))
            self.got = connection.recv(100)
            self.ended.set()


class ReadyPod(Pod):
    """One that is at work, with any number of webhooks."""

    def __init__(self, redis, name, *arguments, **environment):
        super().__init__(TOOL, redis, name, *QUICKER, *arguments, environment=environment)
        self.sinks_n = sum("=@" in a or "=http" in a for a in arguments)
        assert self.process.stdout.readline() == b"ready\n", self.log()

    def stats(self):
        """Of the first sink."""
        first = super().stats()
        for _ in range(self.sinks_n - 1):
            self.process.stdout.readline()
        return first


class DeliveryTest(DeliveryCase):
    def setUp(self):
        super().setUp()
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)

    def pod(self, *args, name="a", **paths):
        sinks = [f"{sink}={self.receiver.url(path)}" for sink, path in paths.items()]
        made = ReadyPod(self.redis, name, *args, *sinks)
        self.addCleanup(made.close)
        return made

    def add(self, sink, numbers):
        for n in numbers:
            self.redis.add(sink, alert(n))

    def empty(self, *sinks, seconds=60):
        self.assertTrue(wait_for(lambda: all(self.redis.waiting(s) == 0 for s in sinks), seconds),
                        {s: self.redis.waiting(s) for s in sinks})

    def hold_first(self, path):
        """The first request for that path is answered well, but only once the event that is returned is set."""
        go, act, came = threading.Event(), self.receiver.act, []

        def hold(connection, words, earlier):
            if "/" + "/".join(words) == path and not came:
                came.append(True)
                go.wait(60)
                words = ["ok"]
            return act(connection, words, earlier)
        self.receiver.act = hold
        self.addCleanup(go.set)
        return go

    def attempts(self, path):
        """[(alert number, how often)] in the order of the first attempts; same body each time."""
        rows, bodies = [], {}
        for r in self.receiver.of(path):
            body = r.alert()
            self.assertEqual(bodies.setdefault(r.id, r.body), r.body)
            self.assertEqual(r.id, f"{body['id']}_firing")
            if rows and rows[-1][0] == int(body["id"], 16):
                rows[-1][1] += 1
            else:
                rows.append([int(body["id"], 16), 1])
        return [tuple(row) for row in rows]

    def check_once(self, path, numbers):
        self.assertEqual(self.attempts(path), [(n, 1) for n in numbers])

    # ---- receivers ----

    def test_delivers_once_and_in_order(self):
        self.add("ok", range(1, 6))
        pod = self.pod(ok="/ok")
        self.empty("ok")
        self.add("ok", range(6, 101))
        self.empty("ok")
        self.check_once("/ok", range(1, 101))
        request = self.receiver.of("/ok")[0]
        self.assertTrue(request.headers["user-agent"].startswith("ticketwatch/"))
        self.assertEqual(request.headers["content-type"].split(";")[0], "application/json")
        self.assertTrue(pod.comes_to(delivered=100))
        self.assertEqual(pod.stop(), 0)

    def test_transient_failures_are_repeated(self):
        """Each fails a few times for each alert; then goes on with the next one."""
        paths = {"fail": "/fail/3", "reset": "/reset/2", "close": "/close/2",
                 "garbage": "/garbage/2", "gone": "/refuse/2/503", "early": "/refuse/1/425",
                 "hang": "/hang_once"}
        for sink in paths:
            self.add(sink, [1, 2, 3])
        pod = self.pod("request_timeout=2000", **paths)
        self.empty(*paths)
        for sink, tries in {"fail": 4, "reset": 3, "close": 3, "garbage": 3, "gone": 3,
                            "early": 2, "hang": 2}.items():
            self.assertEqual(self.attempts(paths[sink]), [(n, tries) for n in (1, 2, 3)], sink)
        self.assertNotIn("private words", pod.log())
        self.assertNotIn("127.0.0.1", pod.log())
        self.assertNotIn("alert_dead", pod.log())
        self.assertTrue(pod.says("event=alert_delivered", times=21), pod.log()[-3000:])

    def test_backoff_grows_with_jitter(self):
        self.add("fail", [1])
        self.pod("retry_min=100", "retry_max=100000", fail="/fail/5")
        self.empty("fail")
        times = [r.time for r in self.receiver.of("/fail/5")]
        gaps = [b - a for a, b in zip(times, times[1:])]
        self.assertEqual(len(gaps), 5)
        for i, gap in enumerate(gaps):
            self.assertGreaterEqual(gap, 0.095)
            self.assertLess(gap, 0.1 * 2 ** (i + 1) + 3)  # the machine may be busy

    def test_retry_after_is_honoured_and_bounded(self):
        self.add("limit", [1])
        self.add("date", [1])
        self.add("far", [1])
        pod = self.pod("retry_after_max=2500", limit="/limit/2", date="/limit_date/3",
                       far="/limit/7200")
        self.empty("limit", "date", "far")
        for path, least in (("/limit/2", 1.9), ("/limit_date/3", 1.8), ("/limit/7200", 2.4)):
            first, second = self.receiver.of(path)
            self.assertGreaterEqual(second.time - first.time, least)
            self.assertLess(second.time - first.time, least + 20)  # the machine may be busy
        self.assertNotIn("lease_lost", pod.log())  # though it is shorter than the waits

    def test_what_can_never_be_delivered_is_dead(self):
        self.add("gone", [1, 2])
        self.redis.add("broken", b"no alert\x00\xff")
        self.redis.add("broken", b"")
        self.add("broken", [3])
        pod = self.pod(gone="/status/422", broken="/ok")
        self.empty("gone", "broken")
        dead = self.redis.dead("gone")
        self.assertEqual([d[b"alert"].decode() for d in dead], [alert(1), alert(2)])
        self.assertIn(b"422", dead[0][b"reason"])
        self.assertEqual(dead[0][b"attempts"], b"1")
        self.assertEqual([d[b"alert"] for d in self.redis.dead("broken")],
                         [b"no alert\x00\xff", b""])
        self.check_once("/ok", [3])
        self.check_once("/status/422", [1, 2])
        self.assertTrue(wait_for(lambda: pod.log().count("event=alert_dead") == 4), pod.log())

    def test_an_endpoint_that_refuses_us_pauses_the_sink(self):
        """It is told loudly once, tried slowly with the secret as it is then, and nothing is lost, however long it
        lasts; a changed secret is tried at once."""
        paths = {"key": "/status/401", "right": "/status/403", "gone": "/status/404",
                 "closed": "/status/410", "moved": "/redirect"}
        with tempfile.TemporaryDirectory(prefix="delivery_url.") as folder:
            for sink, path in paths.items():
                with open(f"{folder}/{sink}", "w") as f:
                    f.write(self.receiver.url(path))
                self.add(sink, [1, 2, 3])
            pod = self.pod("give_up=100", "paused_min=300", "paused_max=60000",
                           *(f"{sink}=@{folder}/{sink}" for sink in paths))
            self.assertTrue(wait_for(lambda: all(len(self.receiver.of(p)) >= 3 for p in paths.values())))
            self.assertTrue(pod.comes_to(paused=1))
            for sink, path in paths.items():
                self.assertLess(len(self.receiver.of(path)), 10)
                self.assertEqual(self.redis.waiting(sink), 3)
                self.assertEqual(self.redis.dead(sink), [])
                self.assertTrue(pod.says(f"event=sink_paused sink={sink} ", times=1), pod.log()[-3000:])
                with open(f"{folder}/new", "w") as f:
                    f.write(self.receiver.url(f"/ok/{sink}"))
                os.rename(f"{folder}/new", f"{folder}/{sink}")
            self.empty(*paths)
        for sink in paths:
            self.check_once(f"/ok/{sink}", [1, 2, 3])
            self.assertTrue(pod.says(f"event=sink_goes_on sink={sink} ", times=1), pod.log()[-3000:])
        self.assertEqual(self.receiver.of("/redirected"), [])
        self.assertTrue(pod.comes_to(paused=0))

    def test_an_old_alert_is_given_up(self):
        self.add("sink", [1])
        self.pod("give_up=700", sink="/status/500")
        self.empty("sink")
        dead = self.redis.dead("sink")
        self.assertEqual(len(dead), 1)
        self.assertTrue(dead[0][b"reason"].startswith(b"gave up: "), dead)
        self.assertEqual(int(dead[0][b"attempts"]), len(self.receiver.of("/status/500")))

    def test_an_answer_without_end_is_an_answer(self):
        """The header came: what the body does cannot make it undelivered."""
        sinks = {"huge": "/huge", "trickle": "/trickle", "error": "/error_body"}
        for sink in sinks:
            self.add(sink, [1, 2])
        self.pod("request_timeout=1500", **sinks)
        self.empty(*sinks)
        for path in sinks.values():
            self.check_once(path, [1, 2])
        # Some lies in the kernel's buffers.
        self.assertLess(self.receiver.bytes_sent["huge"], 2 * 15e6)

    def test_an_endless_header_is_no_answer(self):
        self.pod("give_up=5000", "request_timeout=800", long="/huge_header", slow="/trickle_header")
        self.add("long", [1])
        self.add("slow", [1])
        self.empty("long", "slow")
        self.assertIn(b"no answer", self.redis.dead("long")[0][b"reason"])
        self.assertIn(b"no answer", self.redis.dead("slow")[0][b"reason"])
        tries = len(self.receiver.of("/huge_header"))
        self.assertGreater(tries, 1)
        self.assertLess(self.receiver.bytes_sent["huge_header"], tries * 15e6)

    @unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
    def test_a_certificate_of_nobody_is_refused(self):
        with tempfile.TemporaryDirectory(prefix="delivery_tls.") as folder:
            files = [f"{folder}/cert.pem", f"{folder}/key.pem"]
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
                            "2", "-subj", "/CN=127.0.0.1", "-addext",
                            "subjectAltName=IP:127.0.0.1", "-out", files[0], "-keyout",
                            files[1]], check=True, capture_output=True)
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(*files)
            receiver = Receiver(tls)
            self.addCleanup(receiver.close)
        self.add("sink", [1])
        pod = self.pod("connect_timeout=9000", "request_timeout=9000", "lease=20000",
                       f"sink=https://127.0.0.1:{receiver.port}/ok")
        self.assertTrue(wait_for(lambda: pod.log().count("event=alert_retry") >= 2))
        self.assertEqual(receiver.requests, [])
        self.assertIn("certificate", pod.log())

    def test_a_dead_sink_delays_no_other(self):
        """From append to POST, with five sinks that hang, trickle, reset, refuse and redirect."""
        bad = {"hang": "/hang", "trickle": "/trickle_header", "reset": "/reset/9999",
               "five": "/status/500", "huge": "/huge_header"}
        for sink in bad:
            self.add(sink, range(1, 20))
        pod = self.pod("request_timeout=40000", "lease=80000", "nobody=http://127.0.0.1:9/x",
                       "nowhere=http://no-such-host.invalid/x", ok="/ok", **bad)
        self.add("nobody", [1])
        self.add("nowhere", [1])
        self.assertTrue(wait_for(lambda: len(self.receiver.of("/hang")) == 1))
        delays_ms = []
        for n in range(1, 101):
            began = time.monotonic()
            self.add("ok", [n])
            self.assertTrue(wait_for(lambda: len(self.receiver.of("/ok")) == n))
            delays_ms.append((self.receiver.of("/ok")[-1].time - began) * 1000)
            time.sleep(0.005)
        middle, worst = statistics.median(delays_ms), max(delays_ms)
        print(f"append to POST beside dead sinks: p50 {middle:.1f} ms, worst {worst:.1f} ms")
        self.assertLess(middle, 1000)  # milliseconds on a quiet machine; the dead ones take forty seconds each
        self.assertLess(worst, 10000)
        self.check_once("/ok", range(1, 101))
        self.assertLessEqual(len(self.receiver.of("/hang")), 2)
        self.assertIsNone(pod.process.poll())

    def test_a_changed_secret_is_read_again(self):
        with tempfile.NamedTemporaryFile("w", prefix="delivery_url.") as f:
            f.write(self.receiver.url("/status/401"))
            f.flush()
            self.add("sink", [1, 2])
            pod = self.pod(f"sink=@{f.name}")
            self.assertTrue(wait_for(lambda: len(self.receiver.of("/status/401")) >= 2))
            os.truncate(f.name, 0)
            f.seek(0)
            f.write(self.receiver.url("/ok"))
            f.flush()
            self.empty("sink")
        self.check_once("/ok", [1, 2])
        self.assertNotIn("alert_dead", pod.log())

    def test_an_unreadable_secret_stops_the_start(self):
        process = subprocess.run([TOOL, self.redis.url, "a", "sink=@/no/such/file"],
                                 capture_output=True, text=True, timeout=60)
        self.assertEqual(process.returncode, 3)
        self.assertIn("/no/such/file", process.stderr)

    # ---- several at a time ----

    def add_apart(self, sink, numbers, **more):
        """Alerts that have nothing to do with each other."""
        for n in numbers:
            self.redis.add(sink, alert(n, key=f"/page/{n}", **more))

    def test_several_requests_at_a_time(self):
        """As many as `concurrency` says, over all pods; of one rule and key one after another, in order."""
        path = "/slow/150"
        for n in range(1, 41):
            self.redis.add("sink", alert(n, key=f"/page/{n % 10}"))
        pods = [self.pod("concurrency=4", "lease=9000", sink=path, name=name) for name in "ab"]
        self.empty("sink")
        self.assertEqual(self.receiver.most_served[path], 4)
        got = self.receiver.of(path)
        self.assertEqual(sorted(r.number() for r in got), list(range(1, 41)))
        for digit in range(10):
            same = [r for r in got if r.number() % 10 == digit]
            self.assertEqual([r.number() for r in same], sorted(r.number() for r in same))
            for one, other in zip(same, same[1:]):
                self.assertGreaterEqual(other.began, one.ended)
        self.assertNotIn("lease_lost", "".join(p.log() for p in pods))

    def test_a_rate_holds_over_all_pods(self):
        """And over retries, and with several under way; another sink does not mind."""
        pods = [self.pod("concurrency=4", "gap=250", "lease=9000", paced="/fail/1", name=name) for name in "ab"]
        free = self.pod(free="/ok", name="c")
        self.add_apart("paced", range(1, 9))
        self.add_apart("free", range(1, 11))
        self.empty("free")
        self.assertGreater(self.redis.waiting("paced"), 0)
        self.empty("paced")
        times = sorted(r.time for r in self.receiver.of("/fail/1"))
        self.assertEqual(len(times), 16)
        self.assertGreater(times[-1] - times[0], 15 * 0.25 * 0.8)
        for pod in pods + [free]:
            self.assertNotIn("lease_lost", pod.log())

    def test_several_in_flight_and_killed(self):
        """Another pod takes all of them over."""
        self.add_apart("sink", range(1, 9))
        first = self.pod("concurrency=4", "request_timeout=60000", sink="/hang_once", name="a")
        self.assertTrue(wait_for(lambda: len(self.receiver.of("/hang_once")) == 4))
        first.kill()
        act = self.receiver.act
        self.receiver.act = lambda connection, path, earlier: act(connection, ["ok"], earlier)
        self.pod("concurrency=4", sink="/hang_once", name="b")
        self.empty("sink")
        numbers = [r.number() for r in self.receiver.of("/hang_once")]
        self.assertEqual(sorted(numbers), sorted([1, 2, 3, 4] + list(range(1, 9))))

    def test_a_bad_alert_steps_aside(self):
        """What fails again and again holds up nothing but what is said of the same rule and key."""
        path = "/only/1/500"
        self.add_apart("sink", [1])
        self.redis.add("sink", alert(2, key="/page/1"))
        self.add_apart("sink", range(3, 21))
        pod = self.pod(sink=path)
        self.assertTrue(wait_for(lambda: self.redis.waiting("sink") == 2))
        numbers = [r.number() for r in self.receiver.of(path)]
        self.assertEqual([n for n in numbers if n != 1], list(range(3, 21)))
        self.assertEqual(numbers[:5], [1] * 5)
        self.assertTrue(pod.says("event=circuit_open"), pod.log()[-3000:])  # again, when only the bad ones are left
        self.assertTrue(pod.says("event=circuit_closed"), pod.log()[-3000:])
        act = self.receiver.act
        self.receiver.act = lambda connection, path, earlier: act(connection, ["ok"], earlier)
        self.empty("sink")
        self.assertEqual([r.number() for r in self.receiver.of(path)][-2:], [1, 2])
        self.assertEqual(self.redis.dead("sink"), [])

    def test_many_bad_alerts_leave_room(self):
        """More than may step aside: the others go on all the same, and of the bad ones some are given up."""
        bad, path = 24, "/upto/24/500"
        for n in range(1, bad + 1):
            self.add_apart("sink", [n, 100 + 2 * n, 101 + 2 * n])
        pod = self.pod("retry_min=20", "retry_max=60", sink=path)
        good = set(range(102, 102 + 2 * bad))
        self.assertTrue(wait_for(lambda: good <= {r.number() for r in self.receiver.of(path)}, 60), pod.log()[-3000:])
        self.assertTrue(wait_for(lambda: self.redis.waiting("sink") <= 17), pod.log()[-3000:])
        dead = self.redis.dead("sink")
        self.assertGreaterEqual(len(dead), bad - 17)
        self.assertLess(len(dead), bad - 5)
        for entry in dead:
            self.assertTrue(entry[b"reason"].startswith(b"gave up, as others wait: HTTP 500"), entry)
            self.assertGreaterEqual(int(entry[b"attempts"]), 5)
        numbers = [r.number() for r in self.receiver.of(path)]
        self.assertEqual(sorted(n for n in numbers if n > bad), sorted(good))  # each once

    def test_stale_steps_coalesce(self):
        """An escalation is not told where a later step waits behind it; what opens and what ends always is."""
        steps = [(1, "firing", "low"), (1, "escalated", "medium"), (1, "escalated", "high"), (2, "firing", "low"),
                 (2, "escalated", "high"), (1, "escalated", "critical"), (3, "firing", "low"), (3, "resolved", "low"),
                 (4, "escalated", "high"), (4, "resolved", "high")]
        for number, state, severity in steps:
            self.redis.add("sink", alert(number, state, f"/page/{number}", severity))
        pod = self.pod(sink="/ok")
        self.empty("sink")
        told = [(r.number(), r.alert()["state"], r.alert()["severity"]) for r in self.receiver.of("/ok")]
        left = [(1, "escalated", "medium"), (1, "escalated", "high"), (4, "escalated", "high")]
        self.assertEqual(told, [step for step in steps if step not in left])
        self.assertTrue(pod.says("event=alert_superseded", times=3), pod.log()[-3000:])
        self.assertTrue(pod.comes_to(superseded=3, delivered=7))

    def test_what_another_alert_explains_is_not_told(self):
        """While it fires; its own later steps list it. Two processes, and one sink is told of the cause, the other would be of what follows."""
        def churn(number, account, state="firing"):
            return any_alert(number, state, rule="churn", key={"account": account}, accounts=[{"id": account}])

        def cause(state):
            return any_alert(1, state, key={"page": "/pay"}, accounts=[{"id": "acme"}, {"id": "bolt"}])
        self.pod("hide=page-error,churn,account", name="a", eng="/eng")
        pod = self.pod("hide=page-error,churn,account", name="b", crm="/crm")
        self.redis.add("crm", churn(2, "acme"))  # before
        self.empty("crm")
        self.redis.add("eng", cause("firing"))
        self.empty("eng")
        time.sleep(LEARNT_S)
        for step in (churn(3, "bolt"), churn(4, "cogs"), churn(2, "acme", "escalated")):
            self.redis.add("crm", step)
        self.empty("crm")
        self.redis.add("eng", cause("resolved"))
        self.empty("eng")
        time.sleep(LEARNT_S)
        for step in (churn(3, "bolt", "resolved"), churn(2, "acme", "resolved"), churn(5, "bolt")):
            self.redis.add("crm", step)
        self.empty("crm")
        self.assertEqual([(r.number(), r.alert()["state"]) for r in self.receiver.of("/crm")],
                         [(2, "firing"), (4, "firing"), (2, "resolved"), (5, "firing")])
        self.assertIn('reason="silenced by explained: page-error 00000000 explains it"', pod.log())
        self.assertEqual([r.alert()["state"] for r in self.receiver.of("/eng")], ["firing", "resolved"])

    def test_a_reminder_that_a_later_step_waits_behind_is_stale(self):
        for step in (json.loads(alert(1)), {**json.loads(alert(1, "reminder")), "reminder": 1, "opened": "2026-03-02T08:00:00.000Z"},
                     json.loads(alert(1, "resolved"))):
            self.redis.add("sink", json.dumps(step, separators=(",", ":")))
        self.pod(sink="/ok")
        self.empty("sink")
        self.assertEqual([r.alert()["state"] for r in self.receiver.of("/ok")], ["firing", "resolved"])

    def test_what_a_maintenance_silenced_is_not_told(self):
        """Nor is its end, unless something of it was told."""
        plan = {"silenced_by": {"maintenance": "deploy", "author": "ops", "reason": "a deploy"}}
        pod = self.pod(sink="/ok")
        for number, state, more in [(1, "firing", plan), (1, "escalated", plan), (2, "firing", plan), (3, "firing", {}), (3, "escalated", plan),
                                    (2, "escalated", {}), (1, "resolved", {}), (2, "resolved", {}), (3, "resolved", {})]:
            self.redis.add("sink", json.dumps({**json.loads(alert(number, state, f"/page/{number}")), **more}, separators=(",", ":")))
            self.empty("sink")
        self.assertEqual([(r.number(), r.alert()["state"]) for r in self.receiver.of("/ok")],
                         [(3, "firing"), (2, "escalated"), (2, "resolved"), (3, "resolved")])
        self.assertIn('reason="silenced by ops: a deploy"', pod.log())

    def test_what_a_known_issue_mutes_is_not_told(self):
        """Once it is muted no more, the next step is told, and the end with it."""
        mute = {"known_issue": {"id": "KI-41", "status": "open", "muted": True}}
        pod = self.pod(sink="/ok")
        for number, state, more in [(1, "firing", mute), (2, "firing", mute), (2, "escalated", {}), (1, "resolved", {}), (2, "resolved", {})]:
            self.redis.add("sink", json.dumps({**json.loads(alert(number, state, f"/page/{number}")), **more}, separators=(",", ":")))
            self.empty("sink")
        self.assertEqual([(r.number(), r.alert()["state"]) for r in self.receiver.of("/ok")], [(2, "escalated"), (2, "resolved")])
        self.assertIn('reason="silenced by KI-41: a known issue"', pod.log())

    def test_an_escalation_that_waits_for_its_next_try_is_superseded(self):
        path = "/only/1/500"
        self.redis.add("sink", alert(1, "escalated", severity="high"))
        pod = self.pod("retry_min=4000", "retry_max=4000", sink=path)
        self.assertTrue(wait_for(lambda: "alert_retry" in pod.log()))
        act = self.receiver.act
        self.receiver.act = lambda connection, path, earlier: act(connection, ["ok"], earlier)
        self.redis.add("sink", alert(1, "resolved", severity="high"))
        self.empty("sink")
        self.assertEqual([r.alert()["state"] for r in self.receiver.of(path)], ["escalated", "resolved"])

    def test_an_alert_that_alone_is_refused_is_dead(self):
        path = "/only/2/404"
        self.add_apart("sink", range(1, 6))
        pod = self.pod(sink=path)
        self.empty("sink")
        dead = self.redis.dead("sink")
        self.assertEqual([json.loads(d[b"alert"])["id"] for d in dead], [f"{2:032x}"])
        self.assertIn(b"404", dead[0][b"reason"])
        self.assertEqual(sorted({r.number() for r in self.receiver.of(path)}), list(range(1, 6)))
        self.assertTrue(pod.says("event=sink_paused", times=1), pod.log()[-3000:])
        self.assertTrue(pod.says("event=sink_goes_on", times=1), pod.log()[-3000:])

    def test_many_alerts_do_not_each_pay_the_timeout(self):
        """A receiver that hangs is asked by one request at a time once its circuit is open; when it is back all go."""
        for concurrency in (1, 4):
            with self.subTest(concurrency=concurrency):
                sink, path = f"hang{concurrency}", f"/hang/{concurrency}"
                self.add_apart(sink, range(1, 61))
                pod = self.pod(f"concurrency={concurrency}", "request_timeout=600", "retry_min=600", "retry_max=1000",
                               **{sink: path})
                self.assertTrue(pod.comes_to(open=1))
                before, began = len(self.receiver.of(path)), time.monotonic()
                self.assertLessEqual(before, 10 + concurrency)
                self.assertTrue(wait_for(lambda: len(self.receiver.of(path)) >= before + 3))
                most = (time.monotonic() - began) / 1.1 + 2  # a time-out of 0.6 s and a wait of 0.6 to 1 s each
                self.assertLess(len(self.receiver.of(path)) - before, most)
                act = self.receiver.act
                self.receiver.act = lambda connection, path, earlier: act(connection, ["ok"], earlier)
                began = time.monotonic()
                self.empty(sink)
                self.assertLess(time.monotonic() - began, 24)  # not one at a wait, which were half a minute and more
                self.assertTrue(pod.comes_to(open=0))
                self.receiver.act = act
                self.assertEqual({r.number() for r in self.receiver.of(path)}, set(range(1, 61)))

    # ---- figures ----

    def test_figures_of_the_outbox(self):
        """How many wait, for how long, how many are dead; too many dead are told, once."""
        dead = redis_server.ONE_SHARD + "dead:hang"
        self.redis.command("EVAL", "for i = 1, 9999 do redis.call('XADD', KEYS[1], '*', 'alert', '') end",
                           1, dead)
        self.add("hang", [1, 2, 3])
        pod = self.pod(hang="/hang")
        self.assertTrue(pod.comes_to(queued=3, dead_total=9999))
        self.assertNotIn("dead_stream_grows", pod.log())
        for _ in range(2):
            self.redis.command("XADD", dead, "*", "alert", "")
        self.assertTrue(pod.comes_to(dead_total=10001))
        self.assertTrue(wait_for(lambda: pod.stats()["oldest_ms"] > 2000))
        self.assertLess(pod.stats()["oldest_ms"], 120000)
        self.assertTrue(pod.says("event=dead_stream_grows sink=hang entries=10001", times=1), pod.log()[-3000:])

    # ---- pods ----

    def test_killed_in_a_request_and_started_again(self):
        """Unknown whether it arrived: once more, with the same id, and then the rest."""
        self.add("sink", [1, 2])
        first = self.pod("lease=60000", sink="/hang_once")
        self.assertTrue(wait_for(lambda: self.receiver.of("/hang_once")))
        first.kill()
        began = time.monotonic()
        # The others answer at once.
        self.receiver.act = lambda connection, path, earlier, act=self.receiver.act: act(
            connection, ["ok"], earlier)
        self.pod("lease=60000", sink="/hang_once")
        self.empty("sink", seconds=90)
        self.assertLess(time.monotonic() - began, 30)  # its own entry: no lease to wait for
        self.assertEqual(self.attempts("/hang_once"), [(1, 2), (2, 1)])

    def test_killed_and_another_takes_over(self):
        self.add("sink", [1, 2])
        first = self.pod("request_timeout=60000", sink="/hang_once", name="a")
        self.assertTrue(wait_for(lambda: self.receiver.of("/hang_once")))
        second = self.pod(sink="/hang_once", name="b")
        first.kill()
        self.empty("sink")
        self.assertEqual(self.attempts("/hang_once")[0], (1, 2))
        self.assertEqual([n for n, _ in self.attempts("/hang_once")], [1, 2])
        gap = self.receiver.of("/hang_once")[1].time - self.receiver.of("/hang_once")[0].time
        self.assertGreaterEqual(gap, 2.5)  # the lease
        self.assertLess(gap, 30)
        self.assertNotIn("lease_lost", second.log())

    def test_a_pod_that_slept_does_no_harm(self):
        self.add("sink", [1, 2, 3])
        sleeper = self.pod("retry_min=3000", "retry_max=3000", sink="/fail/1", name="a")
        self.assertTrue(wait_for(lambda: "alert_retry" in sleeper.log()))
        sleeper.freeze()
        self.pod(sink="/fail/1", name="b")
        self.empty("sink")
        sleeper.thaw()
        self.assertTrue(wait_for(lambda: "lease_lost" in sleeper.log()))
        self.assertEqual(self.attempts("/fail/1"), [(1, 2), (2, 2), (3, 2)])

    def test_a_long_request_keeps_its_lease(self):
        """It is renewed while the answer is waited for, however long that takes."""
        self.add("sink", [1, 2])
        first = self.pod("lease=1200", "request_timeout=60000", sink="/slow/4000", name="a")
        self.assertTrue(wait_for(lambda: self.receiver.of("/slow/4000")))
        self.pod("lease=1200", "request_timeout=60000", sink="/slow/4000", name="b")
        self.empty("sink")
        self.check_once("/slow/4000", [1, 2])
        self.assertNotIn("lease_lost", first.log())

    def test_a_killed_pod_holds_a_sink_for_a_lease(self):
        self.add("sink", [1, 2])
        first = self.pod("lease=1500", "request_timeout=60000", sink="/hang_once", name="a")
        self.assertTrue(wait_for(lambda: len(self.receiver.of("/hang_once")) == 1))
        self.pod("lease=1500", sink="/hang_once", name="b")
        self.assertTrue(wait_for(lambda: len(self.receiver.of("/hang_once")) == 1))
        time.sleep(1)  # a renewal or two
        first.kill()
        self.receiver.act = lambda connection, path, earlier, act=self.receiver.act: act(
            connection, ["ok"], earlier)
        killed = time.monotonic()
        self.empty("sink")
        self.assertLess(time.monotonic() - killed, 20)  # its request's time-out is a minute

    def test_frozen_in_a_request_and_thawed(self):
        """The late answer is told to Redis, and neither loses nor repeats anything."""
        self.add("sink", [1, 2, 3])
        answer_it = self.hold_first("/slow/300")
        frozen = self.pod("lease=1200", "request_timeout=60000", sink="/slow/300", name="a")
        self.assertTrue(wait_for(lambda: self.receiver.of("/slow/300")))
        frozen.freeze()
        answer_it.set()
        second = self.pod("lease=1200", "request_timeout=60000", sink="/slow/300", name="b")
        self.empty("sink")
        self.add("sink", [4])
        self.assertTrue(wait_for(lambda: len(self.receiver.of("/slow/300")) == 5))
        frozen.thaw()
        self.assertTrue(wait_for(lambda: "alert_delivered" in frozen.log()))
        self.add("sink", [5, 6])
        self.empty("sink")
        self.assertEqual(self.attempts("/slow/300"), [(1, 2)] + [(n, 1) for n in range(2, 7)])
        self.assertNotIn("lease_lost", second.log())

    def test_thawed_while_another_repeats(self):
        """The first request was answered well: the other pod need not go on with its own."""
        self.add("sink", [1])
        answer_it = self.hold_first("/status/500")
        frozen = self.pod("lease=1200", sink="/status/500", name="a")
        self.assertTrue(wait_for(lambda: self.receiver.of("/status/500")))
        frozen.freeze()
        answer_it.set()
        second = self.pod("lease=1200", sink="/status/500", name="b")
        self.assertTrue(wait_for(lambda: "alert_retry" in second.log()))
        frozen.thaw()
        self.empty("sink")
        self.assertTrue(wait_for(lambda: "lease_lost" in second.log()))
        self.assertNotIn("alert_dead", second.log() + frozen.log())

    def test_frozen_before_it_sent(self):
        """Its connection stands only after another pod has told the sink of that alert and the next:
        then not a byte of the old request is sent."""
        proxy = SlowProxy()
        self.addCleanup(proxy.server.close)
        self.add("sink", [1, 2])
        pod = ReadyPod(self.redis, "a", "lease=1000", "connect_timeout=30000",
                       "request_timeout=30000", f"proxy={proxy.url}", "sink=http://127.0.0.1:9/late")
        self.addCleanup(pod.close)
        self.assertTrue(proxy.asked.wait(60))
        pod.freeze()
        self.pod("lease=1000", sink="/ok", name="b")
        self.empty("sink")
        self.check_once("/ok", [1, 2])
        proxy.open.set()
        pod.thaw()
        self.assertTrue(wait_for(lambda: "too late" in pod.log()), pod.log())
        self.assertTrue(proxy.ended.wait(60))
        self.assertEqual(proxy.got, b"")

    def test_many_pods_keep_the_order(self):
        pods = [self.pod(sink="/slow/3", name=f"pod{i}") for i in range(4)]
        self.add("sink", range(1, 101))
        self.assertTrue(wait_for(lambda: len(self.receiver.of("/slow/3")) > 30))
        pods[0].kill()
        self.add("sink", range(101, 151))
        self.empty("sink")
        rows = self.attempts("/slow/3")
        self.assertEqual([n for n, _ in rows], list(range(1, 151)))
        self.assertLessEqual(sum(times for _, times in rows), 151)

    def test_a_long_wait_keeps_its_lease(self):
        self.add("sink", [1, 2])
        first = self.pod("retry_min=60000", "retry_max=60000", "drain=30000", sink="/fail/1", name="a")
        self.assertTrue(wait_for(lambda: "alert_retry" in first.log()))
        second = self.pod(sink="/fail/1", name="b")
        time.sleep(6)  # two leases
        self.assertEqual(self.attempts("/fail/1"), [(1, 1)])
        began = time.monotonic()
        first.stop()  # gives it back: the other one takes it at once
        self.assertLess(time.monotonic() - began, 15)
        self.empty("sink")
        self.assertEqual(self.attempts("/fail/1"), [(1, 2), (2, 2)])
        self.assertIn("alert_released", first.log())
        self.assertNotIn("lease_lost", second.log())

    def test_drain_lets_requests_finish(self):
        self.add("slow", [1, 2])
        self.add("hang", [1])
        answer_it = self.hold_first("/slow/600")
        pod = self.pod("drain=4000", "request_timeout=60000", "lease=60000", slow="/slow/600", hang="/hang")
        self.assertTrue(wait_for(lambda: self.receiver.of("/slow/600") and
                                 self.receiver.of("/hang")))
        began = time.monotonic()
        threading.Timer(1, answer_it.set).start()
        self.assertEqual(pod.stop(), 0)
        self.assertLess(time.monotonic() - began, 30)
        self.check_once("/slow/600", [1])  # answered, removed, and none taken after it
        self.assertEqual(self.redis.waiting("slow"), 1)
        self.assertEqual(self.redis.waiting("hang"), 1)
        began = time.monotonic()
        self.receiver.act = lambda connection, path, earlier, act=self.receiver.act: act(
            connection, ["ok"], earlier)
        self.pod(slow="/slow/600", hang="/hang", name="b")
        self.empty("slow", "hang")
        self.assertLess(time.monotonic() - began, 30)  # no lease to wait for
        self.assertEqual(self.attempts("/slow/600"), [(1, 1), (2, 1)])
        self.assertEqual(self.attempts("/hang"), [(1, 2)])

    def test_a_drain_ends_with_the_last_answer(self):
        self.add("slow", [1])
        answer_it = self.hold_first("/slow/300")
        pod = self.pod("drain=50000", "request_timeout=60000", slow="/slow/300")
        self.assertTrue(wait_for(lambda: self.receiver.of("/slow/300")))
        began = time.monotonic()
        threading.Timer(0.3, answer_it.set).start()
        self.assertEqual(pod.stop(), 0)
        self.assertLess(time.monotonic() - began, 20)
        self.assertEqual(self.redis.waiting("slow"), 0)

    def test_an_idle_pod_stops_at_once(self):
        pod = self.pod("drain=50000", sink="/ok")
        began = time.monotonic()
        self.assertEqual(pod.stop(), 0)
        self.assertLess(time.monotonic() - began, 20)

    # ---- shards ----

    def test_every_shard_has_its_outbox(self):
        """Each in order, side by side; the figures are sums."""
        stems = [redis_server.shard_stem(3, i) for i in range(3)]
        for n in range(1, 31):
            self.redis.add("ok", alert(n), stems[n % 3])
        pod = self.pod("shards=3", ok="/ok", gone="/status/400")
        self.redis.add("gone", alert(1), stems[0])
        self.redis.add("gone", alert(2), stems[2])
        for stem in stems:
            self.assertTrue(wait_for(lambda s=stem: self.redis.waiting("ok", s) == 0))
            self.assertTrue(wait_for(lambda s=stem: self.redis.waiting("gone", s) == 0))
        got = [n for n, times in self.attempts("/ok") if self.assertEqual(times, 1) is None]
        self.assertEqual(sorted(got), list(range(1, 31)))
        for i in range(3):
            in_shard = [n for n in got if n % 3 == i]
            self.assertEqual(in_shard, sorted(in_shard))
        self.assertEqual([len(self.redis.dead("gone", s)) for s in stems], [1, 0, 1])
        self.assertTrue(pod.comes_to(delivered=30))
        self.assertEqual(pod.stop(), 0)

    def test_a_busy_shard_rings_beside_a_quiet_one(self):
        """A shard whose sink hangs delays no other shard of the same sink."""
        stems = [redis_server.shard_stem(2, i) for i in range(2)]
        act = self.receiver.act
        self.receiver.act = lambda connection, path, earlier: act(
            connection, ["hang"] if self.receiver.requests[-1].alert()["id"] == f"{1:032x}"
            else path, earlier)
        self.pod("request_timeout=40000", "lease=80000", "shards=2", ok="/ok")
        self.redis.add("ok", alert(1), stems[0])
        self.assertTrue(wait_for(lambda: len(self.receiver.of("/ok")) == 1))
        for n in range(2, 12):
            began = time.monotonic()
            self.redis.add("ok", alert(n), stems[1])
            self.assertTrue(wait_for(lambda n=n: len(self.receiver.of("/ok")) == n))
            self.assertLess(time.monotonic() - began, 10)
        self.assertEqual(self.redis.waiting("ok", stems[0]), 1)

    # ---- Redis ----

    def test_redis_goes_away_and_comes_back(self):
        """What was answered meanwhile is not posted again."""
        self.add("slow", [1, 2])
        self.add("ok", [1])
        pod = self.pod("lease=20000", slow="/slow/500", ok="/ok")
        self.assertTrue(wait_for(lambda: self.receiver.of("/slow/500") and
                                 "alert_delivered" in pod.log()))
        self.redis.kill()
        self.assertTrue(wait_for(lambda: "outbox_unavailable" in pod.log()))
        time.sleep(1)
        self.redis.start()
        self.add("ok", [2])
        self.empty("slow", "ok")
        self.check_once("/slow/500", [1, 2])
        self.check_once("/ok", [1, 2])
        self.assertTrue(pod.says("outbox_unavailable", times=1), pod.log()[-3000:])
        self.assertTrue(pod.says("outbox_back", times=1), pod.log()[-3000:])

    def test_redis_is_away_for_longer_than_a_lease(self):
        """Who comes back first spares what the others hold: they may have an answer to tell."""
        pods = [self.pod("lease=1000", sink="/slow/300", name=f"pod{i}") for i in range(3)]
        for n in range(1, 5):
            self.add("sink", [n])
            self.assertTrue(wait_for(lambda n=n: len(self.receiver.of("/slow/300")) == n))
            self.redis.kill()
            time.sleep(1.5)
            self.redis.start()
            self.empty("sink")
        self.check_once("/slow/300", range(1, 5))
        for pod in pods:
            self.assertNotIn("lease_lost", pod.log())

    def test_redis_loses_everything(self):
        """While an answer is awaited, and while a try is: both lanes go on with what comes next."""
        paths = {"slow": "/slow/20", "waits": "/fail/1"}
        answer_it = self.hold_first("/slow/20")
        pod = self.pod("lease=1200", "retry_min=4000", "retry_max=4000", "request_timeout=60000", **paths)
        for sink, path in paths.items():
            self.add(sink, [1])
            self.assertTrue(wait_for(lambda p=path: self.receiver.of(p)))
        self.assertTrue(wait_for(lambda: "alert_retry" in pod.log()))
        self.redis.command("FLUSHALL")
        for sink in paths:
            self.add(sink, [2])
        answer_it.set()
        self.empty(*paths)
        self.assertEqual(self.attempts("/slow/20"), [(1, 1), (2, 1)])
        self.assertEqual(self.attempts("/fail/1"), [(1, 1), (2, 2)])

    def test_without_redis_it_waits_and_stops(self):
        self.redis.kill()
        try:
            pod = self.pod("drain=50000", sink="/ok")
            self.assertTrue(wait_for(lambda: "outbox_unavailable" in pod.log()))
            began = time.monotonic()
            self.assertEqual(pod.stop(), 0)
            self.assertLess(time.monotonic() - began, 20)
        finally:
            self.redis.start()

    def test_a_full_redis_still_lets_alerts_out(self):
        """No room to write a dead alert down: it stays, and the other sinks go on."""
        self.add("bad", [1])
        pod = self.pod("lease=1200", "request_timeout=60000", bad="/hang", ok="/slow/20")
        self.pod("lease=1200", "request_timeout=60000", bad="/hang", name="b")
        self.assertTrue(wait_for(lambda: self.receiver.of("/hang")))
        self.add("ok", range(1, 31))
        self.redis.command("CONFIG", "SET", "maxmemory", "1")
        try:
            act = self.receiver.act
            self.receiver.act = lambda connection, path, earlier: act(
                connection, ["status", "400"] if path == ["hang"] else path, earlier)
            self.receiver.released.set()
            self.assertTrue(wait_for(lambda: "outbox_refuses" in pod.log()))
            self.empty("ok")
            time.sleep(2.5)  # leases, which are renewed
            self.assertEqual(self.redis.waiting("bad"), 1)
        finally:
            self.redis.command("CONFIG", "SET", "maxmemory", "0")
        self.empty("bad")
        self.assertEqual(len(self.redis.dead("bad")), 1)
        self.assertEqual(self.attempts("/hang"), [(1, 2)])
        self.check_once("/slow/20", range(1, 31))
        self.assertNotIn("outbox_unavailable", pod.log())

    def test_scripts_forgotten(self):
        self.pod(ok="/ok")
        for n in range(1, 21):
            self.redis.command("SCRIPT", "FLUSH")
            self.add("ok", [n])
        self.empty("ok")
        self.check_once("/ok", range(1, 21))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if not redis_server.installed():
        print("skipped: redis-server is not installed")
        sys.exit(77)
    TOOL = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)

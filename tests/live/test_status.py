#!/usr/bin/env python3
"""The status server of a live process: figures that Prometheus takes, and readiness that tells the truth.

    test_status.py          see live.py for what it needs; promtool is asked too where it is installed
"""
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "oracle")]
import live  # noqa: E402
import log as logs  # noqa: E402
import metrics_text  # noqa: E402

RULES = "  r:\n    by: [account]\n    count: {at_least: 3, within: 1h}\n    send: [ops]\n  quiet:\n    on: ticket.rated\n    count: {at_least: 9, within: 1h}\n"
BASE = 1_772_409_600_000
PAGE = live.ROOT / "docs/metrics.md"


def event(ident, minute, partition=0, **more):
    ms = BASE + minute * 60_000
    return {"id": ident, "type": "ticket.created", "time": logs.time_text(ms), "account": {"id": "acme"}, **more,
            "kafka": {"topic": "t", "partition": partition, "offset": 0, "timestamp": ms}}


def lines(events):
    return "".join(e if isinstance(e, str) else json.dumps(e) + "\n" for e in events).encode()


def ask(port, path, method="GET", timeout=30):
    """(status, headers, body); (0, {}, b"") where nobody listens."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        link.request(method, path)
        answer = link.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    except ConnectionError:
        return 0, {}, b""
    finally:
        link.close()


def figures(port):
    status, headers, body = ask(port, "/metrics")
    assert status == 200 and headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8", (status, headers)
    return metrics_text.parse(body.decode())


def readiness(port):
    status, headers, body = ask(port, "/readyz")
    said = json.loads(body) if body else {"ready": False, "reasons": ["nobody listens"]}
    assert (status == 200) == said["ready"], (status, said)
    return said


class Status(unittest.TestCase):
    maxDiff = None

    def system(self, partitions=2, **more):
        system = live.System(RULES, partitions, **more)
        self.addCleanup(system.close)
        return system

    def start(self, system):
        """A process with a port of its own."""
        port = live.free_port()
        text = re.sub(r"(?m)^status:.*\n", "", system.config.read_text())
        system.config.write_text(text.replace("rules:\n", 'status: {listen: "127.0.0.1:%d"}\nrules:\n' % port, 1))
        return system.start(), port

    def ready(self, system, port, seconds=60):
        try:
            live.wait_until("readiness", lambda: readiness(port)["ready"], seconds)
        except AssertionError:
            self.fail("%s\n%s" % (readiness(port), system.log_text()))

    def test_figures_are_what_happened(self):
        receiver = live.Receiver()
        self.addCleanup(receiver.close)
        system = self.system(sinks='sinks:\n  ops: {type: webhook, url: "%s/ops"}\n' % receiver.url)
        _, port = self.start(system)
        self.ready(system, port)
        first = figures(port)
        self.assertEqual(first["ticketwatch_events_total"].value(fate="accepted"), 0)
        self.assertNotIn("ticketwatch_watermark_seconds", [n for f in first.values() for n, _ in f.samples], "nothing was read yet")
        bad = '{"id":"x","kafka":{"topic":"t","partition":1,"offset":0,"timestamp":%d}}\n' % BASE
        system.feed(lines([event("e0", 0), event("e1", 1), event("e1", 1), event("e2", 2), bad, event("end", 90, 0), event("end1", 90, 1),
                           event("old", 3, 0)]))
        live.wait_until("the alert", receiver.alerts)
        live.wait_until("the figures", lambda: figures(port)["ticketwatch_deliveries_total"].value(sink="ops", outcome="delivered") == 2)
        wanted = {"accepted": 5, "late": 1, "duplicate": 1, "behind": 0, "rejected": 1}
        live.wait_until("all fates", lambda: {f: figures(port)["ticketwatch_events_total"].value(fate=f) for f in wanted} == wanted)
        live.wait_until("an end", lambda: self.at_rest(system, figures(port)))
        now = figures(port)
        self.assertEqual(now["ticketwatch_alerts_announced_total"].value(rule="r"), 2)
        self.assertEqual(now["ticketwatch_alerts_announced_total"].value(rule="quiet"), 0)
        states = {s: now["ticketwatch_alerts_total"].value(rule="r", state=s) for s in ("firing", "escalated", "reminder", "resolved")}
        self.assertEqual(states, {"firing": 1, "escalated": 0, "reminder": 0, "resolved": 1})
        self.assertEqual(now["ticketwatch_rule_matches_total"].value(rule="r"), 5)
        self.assertEqual(now["ticketwatch_watermark_seconds"].value(), BASE / 1000 + 80 * 60)
        self.assertAlmostEqual(now["ticketwatch_watermark_lag_seconds"].value(), time.time() - BASE / 1000 - 80 * 60, delta=120)
        self.assertEqual(now["ticketwatch_partitions_owned"].value(), 2)
        self.assertEqual(now["ticketwatch_rewinds_total"].value(cause="first"), 1)
        self.assertEqual(now["ticketwatch_rewinds_total"].value(cause="wiped"), 0)
        self.assertGreaterEqual(now["ticketwatch_rebalances_total"].value(what="assigned"), 1)
        self.assertEqual(now["ticketwatch_ready"].value(), 1)
        self.assertEqual(now["ticketwatch_reading_paused"].value(), 0)
        self.assertLess(now["ticketwatch_loop_tick_age_seconds"].value(), 30)
        self.assertGreater(now["ticketwatch_process_resident_memory_bytes"].value(), 1e6)
        self.assertGreater(now["ticketwatch_process_cpu_seconds_total"].value(), 0)
        self.assertAlmostEqual(now["ticketwatch_process_start_time_seconds"].value(), time.time(), delta=600)
        for script in ("apply", "commit"):
            count = now["ticketwatch_redis_script_seconds"].samples[("ticketwatch_redis_script_seconds_count", (("script", script),))]
            self.assertGreater(count, 0)
        batches = now["ticketwatch_batches_total"].value()
        self.assertGreaterEqual(now["ticketwatch_batch_seconds"].samples[("ticketwatch_batch_seconds_count", ())], batches)
        for name, family in first.items():
            if family.type == "counter":
                for key, value in family.samples.items():
                    self.assertGreaterEqual(now[name].samples[key], value, key)
        self.assertEqual(system.stop_all(), [0])

    def at_rest(self, system, now):
        """Everything was read, and no alert waits."""
        lags = [now["ticketwatch_partition_" + what].value(partition="%s/%d" % (system.name, p))
                for what in ("lag_records", "lag_age_seconds") for p in (0, 1)]
        return lags == [0] * 4 and now["ticketwatch_outbox_entries"].value(sink="ops") == 0

    def test_every_figure_has_its_line_in_the_docs(self):
        system = self.system()
        _, port = self.start(system)
        self.ready(system, port)
        families = figures(port)
        self.assertTrue(families)
        self.assertTrue(all(name.startswith("ticketwatch_") for name in families))
        listed = dict(re.findall(r"(?m)^\| `(ticketwatch_\w+)(?:\{[a-z, ]*\})?` \| (?:counter|gauge|histogram) \| (.*) \|$", PAGE.read_text(encoding="utf-8")))
        self.assertEqual({n: f.help for n, f in families.items()}, listed)

    def test_promtool_takes_them(self):
        promtool = shutil.which("promtool", path=os.environ["PATH"] + ":" + str(live.ROOT / ".deps" / "bin"))
        if not promtool:
            self.skipTest("promtool is not on this machine")
        system = self.system()
        _, port = self.start(system)
        self.ready(system, port)
        system.feed(lines([event("e%d" % i, i) for i in range(3)]))
        live.wait_until("events", lambda: figures(port)["ticketwatch_events_total"].value(fate="accepted") == 3)
        done = subprocess.run([promtool, "check", "metrics"], input=ask(port, "/metrics")[2], capture_output=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, b""))

    def test_a_lag_is_seen_and_ages(self):
        redis = live.PrivateRedis()
        self.addCleanup(redis.close)
        system = self.system(1, redis=redis.url)
        _, port = self.start(system)
        self.ready(system, port)
        name = system.name + "/0"

        def lag(what="lag_records"):
            return figures(port)["ticketwatch_partition_" + what].value(partition=name)

        system.feed(lines([event("first", 0)]))
        live.wait_until("an event", lambda: figures(port)["ticketwatch_events_total"].value(fate="accepted") == 1)
        redis.process.send_signal(19)  # SIGSTOP: nothing can be applied
        system.feed(lines([event("e%d" % i, i) for i in range(7)]))

        def stands():
            said = readiness(port)
            return not said["ready"] and said["reasons"] == ["redis: Redis does not answer as it should"]

        try:
            live.wait_until("unreadiness", stands, 30)
            live.wait_until("errors", lambda: figures(port)["ticketwatch_redis_errors_total"].value(kind="no_answer"), 30)
            live.wait_until("a lag", lambda: lag() == 7, 10)
            live.wait_until("its age", lambda: lag("lag_age_seconds") > 3, 20)
            self.assertLess(lag("lag_age_seconds"), 600)
            self.assertEqual(ask(port, "/healthz")[0], 200, "Redis is no reason to restart")
        finally:
            redis.process.send_signal(18)
        self.ready(system, port)
        live.wait_until("no lag", lambda: lag() == 0 and lag("lag_age_seconds") == 0)
        self.assertEqual(system.stop_all(), [0])

    def test_readiness_goes_with_redis_and_comes_back(self):
        redis = live.PrivateRedis("--appendonly", "yes", "--appendfsync", "always")
        self.addCleanup(redis.close)
        system = self.system(redis=redis.url)
        process, port = self.start(system)
        self.ready(system, port)
        redis.process.kill()
        redis.process.wait()
        live.wait_until("unreadiness", lambda: readiness(port)["reasons"] == ["redis: Redis does not answer as it should"], 30)
        live.wait_until("the figure", lambda: figures(port)["ticketwatch_ready"].value() == 0)
        live.wait_until("errors", lambda: figures(port)["ticketwatch_redis_errors_total"].value(kind="unreachable"), 10)
        for _ in range(10):
            self.assertEqual(ask(port, "/healthz")[0], 200)
            self.assertFalse(readiness(port)["ready"])
            time.sleep(0.2)
        self.assertIsNone(process.poll())
        redis.process = subprocess.Popen(["redis-server", "--port", str(redis.port), "--bind", "127.0.0.1", "--dir", redis.folder, "--save", "",
                                          "--appendonly", "yes", "--appendfsync", "always"], stdout=subprocess.DEVNULL)
        self.ready(system, port)
        self.assertEqual(readiness(port)["reasons"], [])
        self.assertEqual(system.stop_all(), [0])

    def test_unreadiness_while_every_batch_fails(self):
        """Redis refuses at once: there is always a batch in hand, and none is done."""
        redis = live.PrivateRedis()
        self.addCleanup(redis.close)
        system = self.system(1, redis=redis.url)
        _, port = self.start(system)
        self.ready(system, port)
        system.feed(lines([event("first", 0)]))
        live.wait_until("an event", lambda: figures(port)["ticketwatch_events_total"].value(fate="accepted") == 1)
        redis.command("CONFIG", "SET", "maxmemory", "1")
        system.feed(lines([event("e%d" % i, i) for i in range(3000)]))
        name = system.name + "/0"
        live.wait_until("a lag", lambda: figures(port)["ticketwatch_partition_lag_records"].value(partition=name) == 3000, 10)
        live.wait_until("unreadiness", lambda: readiness(port)["reasons"] == ["redis: Redis does not answer as it should"], 30)
        redis.command("CONFIG", "SET", "maxmemory", "0")
        self.ready(system, port)
        live.wait_until("no lag", lambda: figures(port)["ticketwatch_partition_lag_records"].value(partition=name) == 0)
        self.assertEqual(system.stop_all(), [0])

    def test_a_full_outbox_is_told(self):
        receiver = live.Receiver()
        self.addCleanup(receiver.close)
        receiver.answer = lambda path, body: 503
        system = self.system(sinks='sinks:\n  ops: {type: webhook, url: "%s/ops", outbox_max: 100}\n' % receiver.url)
        _, port = self.start(system)
        self.ready(system, port)
        accounts = [{"account": {"id": "a%d" % i}} for i in range(120)]
        system.feed(lines([event("e%d.%d" % (i, n), n, i % 2, **a) for n in range(3) for i, a in enumerate(accounts)]))
        live.wait_until("unreadiness", lambda: readiness(port)["reasons"] == ["sinks: the outbox of ops is full"])
        live.wait_until("the figure", lambda: figures(port)["ticketwatch_outbox_full"].value(sink="ops") == 1)
        live.wait_until("entries", lambda: figures(port)["ticketwatch_outbox_entries"].value(sink="ops") >= 100)
        live.wait_until("an age", lambda: figures(port)["ticketwatch_outbox_oldest_age_seconds"].value(sink="ops") > 1)
        live.wait_until("retries", lambda: figures(port)["ticketwatch_deliveries_total"].value(sink="ops", outcome="retried") > 0)
        self.assertEqual(ask(port, "/healthz")[0], 200)
        receiver.answer = lambda path, body: 200
        self.ready(system, port)
        live.wait_until("room", lambda: figures(port)["ticketwatch_outbox_entries"].value(sink="ops") == 0)
        live.wait_until("the figure", lambda: figures(port)["ticketwatch_outbox_full"].value(sink="ops") == 0)
        self.assertEqual(system.stop_all(), [0])

    def test_a_process_without_a_partition_is_ready(self):
        system = self.system(1)
        _, port = self.start(system)
        self.ready(system, port)
        _, second = self.start(system)
        self.ready(system, second)
        live.wait_until("one owner", lambda: sorted(figures(p)["ticketwatch_partitions_owned"].value() for p in (port, second)) == [0, 1])
        self.assertEqual(system.stop_all(), [0, 0])

    def test_a_port_that_is_taken(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            system = self.system()
            system.config.write_text(system.config.read_text().replace(
                "rules:\n", 'status: {listen: "127.0.0.1:%d"}\nrules:\n' % taken.getsockname()[1], 1))
            process = system.start()
            self.assertEqual(system.ended(process), 3, system.log_text())
            self.assertRegex(system.log_text(), r"event=failed reason=\"status\.listen: 127\.0\.0\.1:\d+: Address already in use: another process")

    def test_without_the_section_nothing_listens(self):
        system = self.system()
        process = system.start()
        live.wait_until("the start", lambda: "event=started" in system.log_text())
        self.assertNotIn("status_listens", system.log_text())
        inodes = {m.group(1) for f in pathlib.Path("/proc/%d/fd" % process.pid).iterdir() for m in [re.match(r"socket:\[(\d+)\]", os.readlink(f))] if m}
        tables = [t.split() for n in ("tcp", "tcp6") for t in pathlib.Path("/proc/net/" + n).read_text().splitlines()[1:]]
        listening = {t[9] for t in tables if t[3] == "0A"}
        self.assertTrue(inodes and listening)
        self.assertEqual(inodes & listening, set())
        self.assertEqual(system.stop_all(), [0])

    def test_manners(self):
        system = self.system()
        _, port = self.start(system)
        self.ready(system, port)
        status, headers, body = ask(port, "/metrics", "HEAD")
        self.assertEqual((status, body), (200, b""))
        self.assertGreater(int(headers["Content-Length"]), 5000)
        self.assertEqual(ask(port, "/")[0], 404)
        status, headers, _ = ask(port, "/metrics", "PUT")
        self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))
        self.assertEqual(system.stop_all(), [0])

    def test_clients_who_say_nothing_hurt_nobody(self):
        system = self.system()
        _, port = self.start(system)
        self.ready(system, port)
        silent = [socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(100)]
        for link in silent[:50]:
            link.sendall(b"GET /metr")
        for _ in range(20):
            begin = time.monotonic()
            self.assertEqual(ask(port, "/healthz")[0], 200)
            self.assertLess(time.monotonic() - begin, 4)  # those who say nothing may do so for five
        for link in silent:
            link.close()
        self.assertEqual(system.stop_all(), [0], "a crowd must not hold up the end")


if __name__ == "__main__":
    live.need_services()
    unittest.main(verbosity=2)

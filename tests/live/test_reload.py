#!/usr/bin/env python3
"""The configuration changes while processes run: rules come and change, a sink comes, a file is bad. What a rule that stays
says and records is what it would have been, and each alert is told once.

    test_reload.py [SEED]        see live.py for what it needs
"""
import collections
import os
import pathlib
import random
import re
import signal
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "oracle")]
import live  # noqa: E402
import made_log  # noqa: E402
from made_log import MINUTE, START  # noqa: E402
from test_rules import of_rule, steps, ticket  # noqa: E402
from test_status import figures, readiness  # noqa: E402

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 7
PARTITIONS, ACCOUNTS, EVENTS, STREAM_S = 3, 60, 6000, 24
STAYS = """\
  stays:
    by: [account]
    count: {at_least: 3, within: 12m}
    severity: {medium: 3, high: 6}
    send: [ops]
"""
COMES = """\
  comes:
    by: [user]
    count: {at_least: 3, within: 1h}
    send: [more]
"""


class Folder:
    """A mounted ConfigMap: `..data` is a link to a folder with the file, and is swapped for one to another."""

    def __init__(self, folder, text):
        self.folder, self.n = folder, 0
        folder.mkdir()
        self.swap(text)
        (folder / "ticketwatch.yaml").symlink_to("..data/ticketwatch.yaml")
        self.path = folder / "ticketwatch.yaml"

    def swap(self, text):
        self.n += 1
        name = "..v%d" % self.n
        (self.folder / name).mkdir()
        (self.folder / name / "ticketwatch.yaml").write_text(text, encoding="utf-8")
        (self.folder / "..data_tmp").symlink_to(name)
        os.replace(self.folder / "..data_tmp", self.folder / "..data")


class Base(unittest.TestCase):
    maxDiff = None
    LATENESS = "10m"

    def setUp(self):
        self.receiver = live.Receiver()
        self.addCleanup(self.receiver.close)
        self.system = live.System(STAYS, PARTITIONS, lateness=self.LATENESS, sinks='sinks:\n  ops: {type: webhook, url: "%s/ops"}\n' % self.receiver.url)
        self.addCleanup(self.system.close)
        self.before = self.system.config.read_text()

    def start(self):
        """A process with a folder and a port of its own."""
        port = live.free_port()
        first = self.text(self.before, port)
        mount = Folder(self.system.folder / ("mount%d" % port), first)
        self.system.config = mount.path
        return self.system.start(), mount, port

    def text(self, text, port):
        return text.replace("rules:\n", 'status: {listen: "127.0.0.1:%d"}\nrules:\n' % port, 1)

    def after(self, rules):
        sinks = '  more: {type: webhook, url: "%s/more"}\n' % self.receiver.url
        return self.before.replace("rules:\n", sinks + "rules:\n", 1).replace(STAYS, rules)

    def ready(self, *ports):
        for port in ports:
            live.wait_until("readiness", lambda: readiness(port)["ready"], 40)

    def reloads(self):
        return self.system.log_text().count("config_reloaded")


def events(first, n, account="acme"):
    """From `first` on, one a second, all of one account and one person."""
    return b"".join(made_log.line("e%d" % i, START + i * 1000, i % PARTITIONS, i, account={"id": account}, user={"id": "u"})
                    for i in range(first, first + n))


class One(Base):
    """One process: what each change does, and what a bad one does not."""

    def test_changes_and_mistakes(self):
        process, mount, port = self.start()
        self.ready(port)
        self.system.feed(events(0, 2))
        live.wait_until("events", lambda: figures(port)["ticketwatch_events_total"].value(fate="accepted") == 2)
        joined = self.system.log_text().count("event=rebalance")

        with self.subTest("a mistake is told, and changes nothing"):
            mount.swap(self.text(self.after(STAYS.replace("at_least", "at_leest")), port))
            live.wait_until("a word of it", lambda: "event=config_refused" in self.system.log_text(), 20)
            self.assertRegex(self.system.log_text(), r"event=config_mistake file=.* line=\d+ column=\d+ reason=.*at_leest.*did you mean 'at_least'")
            live.wait_until("a reason", lambda: readiness(port)["reasons"])
            said = readiness(port)
            self.assertTrue(said["ready"])
            self.assertRegex(said["reasons"][0], r"^configuration: line \d+: rules\.stays\.count\.at_leest: ")
            live.wait_until("the figure", lambda: figures(port)["ticketwatch_config_last_reload_success"].value() == 0)
            self.assertLess(figures(port)["ticketwatch_config_last_reload_success_timestamp_seconds"].value(), time.time() - 0.5)

        with self.subTest("a rule and a sink come; an open window goes on"):
            mount.swap(self.text(self.after(STAYS + COMES), port))
            live.wait_until("it", lambda: self.reloads() == 1, 20)
            self.system.feed(events(2, 1))
            live.wait_until("the third of three", lambda: len(self.receiver.alerts("/ops")) == 1)
            try:
                live.wait_until("the new rule's", lambda: len(self.receiver.alerts("/more")) == 1, 30)
            except AssertionError:
                self.fail(self.system.log_text()[-5000:])
            live.wait_until("the figure", lambda: figures(port)["ticketwatch_config_last_reload_success"].value() == 1)
            live.wait_until("counts that go on", lambda: figures(port)["ticketwatch_rule_matches_total"].value(rule="stays") == 3)
            live.wait_until("readiness without a word", lambda: readiness(port)["reasons"] == [])

        with self.subTest("a threshold holds at once"):
            mount.swap(self.text(self.after(STAYS.replace("high: 6", "high: 5") + COMES), port))
            live.wait_until("it", lambda: self.reloads() == 2, 20)
            self.system.feed(events(3, 2))
            live.wait_until("an escalation", lambda: "escalated" in [s for _, s, _ in self.receiver.alerts("/ops")])
            self.assertEqual(len({i for i, _, _ in self.receiver.alerts("/ops")}), 1)

        with self.subTest("SIGHUP reads it again, whatever it is"):
            process.send_signal(signal.SIGHUP)
            live.wait_until("it", lambda: self.reloads() == 3, 20)

        with self.subTest("the log's level and format are the file's"):
            mount.swap(self.text(self.after(STAYS + COMES), port) + "log: {level: debug, format: json}\n")
            live.wait_until("it", lambda: self.reloads() == 4, 20)
            process.send_signal(signal.SIGHUP)
            live.wait_until("a line of JSON", lambda: '"event":"config_reloaded"' in self.system.log_text(), 20)
            mount.swap(self.text(self.after(STAYS + COMES), port))
            live.wait_until("it", lambda: self.reloads() == 5, 20)

        with self.subTest("what takes a restart is refused"):
            mount.swap(self.text(self.after(STAYS), port).replace("time: {", "time: {zone: Europe/Berlin, "))
            live.wait_until("a word of it", lambda: "time.zone is another" in self.system.log_text(), 20)
            self.assertEqual(self.reloads(), 5)

        self.assertEqual(self.system.log_text().count("event=rebalance"), joined, "the group saw nothing of it")
        self.assertEqual(self.system.stop(process), 0)

    def test_another_topic_joins_anew(self):
        process, mount, port = self.start()
        self.ready(port)
        other = self.system.name + ".other"
        self.system.make_topic(other, 1)
        mount.swap(self.text(self.before.replace("topics: [", "topics: [%s, " % other), port))
        live.wait_until("its partition", lambda: figures(port)["ticketwatch_partitions_owned"].value() == PARTITIONS + 1, 40)
        self.assertEqual(self.system.stop(process), 0)


class Three(Base):
    """Three processes under a stream see the new file at different moments."""
    LATENESS = "10m"

    def test_swaps_at_different_moments(self):
        lines, cutoff = made_log.tickets(random.Random(SEED), PARTITIONS, ACCOUNTS, EVENTS, MINUTE, ticket)
        path = self.system.folder / "log.jsonl"
        path.write_bytes(b"".join(lines))
        replayed = live.until(self.system.replay(path), cutoff)
        expected = steps(of_rule(replayed, "stays"))
        self.assertGreater(len(expected), 100)
        started = [self.start() for _ in range(3)]
        self.ready(*[port for _, _, port in started])
        feed = self.system.stream(lines, STREAM_S)
        for pause, (_, mount, port) in zip((6, 2, 3), started):
            time.sleep(pause)
            mount.swap(self.text(self.after(STAYS + COMES), port))
        feed.join()
        try:
            live.wait_until("the record", lambda: self.of_stays(cutoff) == expected, 120)
        except AssertionError:
            self.system.keep = True
            self.assertEqual(self.of_stays(cutoff), expected, self.system.log_text()[-3000:])
        live.wait_until("the new file at each", lambda: self.reloads() == 3)
        self.assertIn("event=rule_reads_past rule=comes", self.system.log_text())
        self.check_deliveries(replayed)
        self.assertEqual(self.system.stop_all(), [0, 0, 0])

    def of_stays(self, cutoff):
        return steps(of_rule(live.until(self.system.record(), cutoff), "stays"))

    def check_deliveries(self, replayed):
        """Every episode was told, and no step of one twice."""
        expected = {x["id"] for x in of_rule(replayed, "stays")}

        def never_told():
            return expected - {i for i, _, _ in self.receiver.alerts("/ops")}

        try:
            live.wait_until("all that was to be told", lambda: not never_told(), 60)
        except AssertionError:
            self.system.keep = True
            self.fail("%d of %d never told\n%s" % (len(never_told()), len(expected), self.system.log_text()[-3000:]))
        told = collections.Counter(self.receiver.alerts("/ops"))
        self.assertEqual([k for k, n in told.items() if n > 1], [])


if __name__ == "__main__":
    live.need_services()
    unittest.main(argv=sys.argv[:1], verbosity=2)

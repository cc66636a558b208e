#!/usr/bin/env python3
"""Topics that change under a running process: deleted and created again, grown, cut by retention.

    test_topics.py          see live.py for what it needs
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "oracle")]
import live  # noqa: E402
import log as logs  # noqa: E402

RULE = "  three:\n    by: [account]\n    count: {at_least: 3, within: 1h}\n"
BASE = 1_772_409_600_000


def event(account, minute, partition=0):
    ms = BASE + minute * 60_000
    body = {"id": "%s-%d-%d" % (account, minute, partition), "type": "ticket.created", "time": logs.time_text(ms), "account": {"id": account},
            "kafka": {"topic": "t", "partition": partition, "offset": 0, "timestamp": ms}}
    return json.dumps(body).encode() + b"\n"


def episode(account, minute, partition=0, partitions=1):
    """Three events of an account, and hours later one in each partition that lets the watermark pass."""
    return b"".join([event(account, minute + i, partition) for i in range(3)] +
                    [event("later", minute + 300, p) for p in range(partitions)])


def fillers(n, minute):
    return b"".join(event("quiet%d" % i, minute) for i in range(n))


class Topics(unittest.TestCase):
    def system(self, partitions=1):
        system = live.System(RULE, partitions)
        self.addCleanup(system.close)
        return system

    def admin(self, *words):
        subprocess.run([live.TOPIC, os.environ["KAFKA_BROKERS"], *words], check=True, timeout=60 * live.PATIENCE)

    def create_again(self, system):
        """The broker deletes a while after it has said so."""
        command = [live.TOPIC, os.environ["KAFKA_BROKERS"], "create", system.name, "1"]
        live.wait_until("a topic", lambda: subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0)

    def wait_for(self, system, *accounts):
        """Exactly these accounts' episodes are in the record, and stay there."""
        def now():
            lines = [json.loads(line) for line in system.record().splitlines()]
            return sorted({a for line in lines for a in ("acme", "beta", "ceta") if a in json.dumps(line)})
        try:
            live.wait_until("the record", lambda: now() == sorted(accounts), 90)
        except AssertionError:
            self.fail("the record is of %s\n%s\n%s" % (now(), system.record().decode(), system.log_text()[-4000:]))

    def wait_for_log(self, system, pattern, seconds=60):
        try:
            live.wait_until(pattern, lambda: re.search(pattern, system.log_text()), seconds)
        except AssertionError:
            self.fail("no %s in\n%s" % (pattern, system.log_text()[-4000:]))

    def recreate(self, between, more):
        """The topic goes and comes with another log while the process runs."""
        system = self.system()
        process = system.start()
        system.feed(fillers(10, 0) + episode("acme", 1))
        self.wait_for(system, "acme")
        time.sleep(3)  # something of it is committed
        self.admin("delete", system.name)
        between(system)
        self.create_again(system)
        system.feed(episode("beta", 400) + fillers(more, 700))
        self.wait_for_log(system, "event=log_remade")
        self.wait_for(system, "acme", "beta")
        self.assertIsNone(process.poll(), "it ended")
        started = time.monotonic()
        self.assertEqual(system.stop(process), 0)
        self.assertLess(time.monotonic() - started, 40, "it did not end soon")

    def test_made_anew_at_once_with_a_shorter_log(self):
        self.recreate(lambda system: None, 0)

    def test_made_anew_at_once_with_a_longer_log(self):
        self.recreate(lambda system: None, 200)

    def test_away_for_a_while(self):
        self.recreate(lambda system: self.wait_for_log(system, "event=topic_missing"), 30)

    def test_made_anew_while_no_process_runs(self):
        system = self.system()
        process = system.start()
        system.feed(episode("acme", 1))
        self.wait_for(system, "acme")
        self.assertEqual(system.stop(process), 0)
        self.admin("delete", system.name)
        time.sleep(1)
        self.create_again(system)
        system.feed(episode("beta", 400) + fillers(20, 700))
        system.start()
        self.wait_for_log(system, "event=log_remade")
        self.wait_for(system, "acme", "beta")

    def test_partitions_are_added(self):
        system = self.system()
        system.start()
        system.feed(episode("acme", 1))
        self.wait_for(system, "acme")
        self.admin("grow", system.name, "3")
        # Its times run hours in a second: what is behind the other partitions by then is left out, as of one that was idle.
        self.wait_for_log(system, 'event=partition_assigned partition="%s/2"' % system.name)
        system.feed(episode("beta", 400, 2, 3))
        self.wait_for(system, "acme", "beta")
        self.assertNotIn("event=log_remade", system.log_text())

    def test_retention_took_what_was_not_read(self):
        system = self.system()
        process = system.start()
        system.feed(episode("acme", 1))  # offsets 0 to 3
        self.wait_for(system, "acme")
        self.assertEqual(system.stop(process), 0)
        system.feed(fillers(6, 320) + episode("beta", 400))  # 4 to 13
        self.admin("trim", system.name, "0", "9")
        system.start()
        self.wait_for(system, "acme", "beta")
        self.assertRegex(system.log_text(), r"event=records_lost .*from=4 to=9 count=5")
        self.assertNotIn("event=log_remade", system.log_text())

    def test_retention_took_the_beginning_before_the_first_start(self):
        system = self.system()
        system.feed(fillers(6, 0) + episode("beta", 400))
        self.admin("trim", system.name, "0", "6")
        system.start()
        self.wait_for(system, "beta")
        self.assertNotIn("event=records_lost", system.log_text())


if __name__ == "__main__":
    live.need_services()
    unittest.main(verbosity=2)

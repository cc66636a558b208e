#!/usr/bin/env python3
"""Alerts into a Kafka topic, a file and standard output, from several processes of which some are killed: each has every
step of every episode that the record has, in order, and nothing else.

    test_pipes.py [SEED]          see live.py for what it needs
"""
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "oracle")]
import live  # noqa: E402
import log as logs  # noqa: E402

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 3
BASE, MINUTE = 1_772_409_600_000, 60_000
PARTITIONS = 3
RULES = "  r:\n    by: [account]\n    count: {at_least: 3, within: 1h}\n    severity: {medium: 3, high: 5}\n    send: [topic, lines, out]\n"


def events(r, accounts):
    """Each account has an episode that opens and escalates, then nothing, so that it resolves."""
    made = []
    for a in range(accounts):
        begin = BASE + r.randrange(600) * MINUTE
        made += [(begin + i * MINUTE, "a%d" % a, i) for i in range(r.choice([3, 4, 5, 6]))]
    made += [(BASE + 3000 * MINUTE, "end%d" % p, p) for p in range(PARTITIONS)]
    for ms, account, i in sorted(made):
        partition = i if account.startswith("end") else int(account[1:]) % PARTITIONS
        yield json.dumps({"id": "%s-%d" % (account, i), "type": "ticket.created", "time": logs.time_text(ms), "account": {"id": account},
                          "kafka": {"topic": "t", "partition": partition, "offset": 0, "timestamp": ms}}).encode() + b"\n"


def step(alert):
    return alert["id"], alert["state"], alert["severity"]


def alerts_in(text):
    """But for a line that is being written."""
    return [json.loads(x) for x in text.splitlines(True) if x.startswith("{") and x.endswith("\n")]


def consumed(topic, record):
    """[(partition, key, alert)], as soon as all steps of the record are there."""
    def rows(lines):
        parts = [line.split(b"\t", 2) for line in lines if line.startswith(b"Partition:")]
        return [(partition.decode(), key.decode(), json.loads(value)) for partition, key, value in parts]

    return rows(live.consumed(topic, "print.key=true", "print.partition=true",
                              enough=lambda lines: set(map(step, record)) <= {step(a) for _, _, a in rows(lines)}))


class Pipes(unittest.TestCase):
    def check_complete(self, told, record, what, ordered=True):
        """All steps, each episode's in order; a repetition only of what came before."""
        first = {}
        for i, alert in enumerate(told):
            first.setdefault(step(alert), i)
        self.assertEqual(set(first), set(map(step, record)), what)
        for ident in {a["id"] for a in record} if ordered else ():
            steps = [step(a) for a in record if a["id"] == ident]
            self.assertEqual(sorted(steps, key=first.get), steps, what)
        print("%s: %d steps, %d of them repeated" % (what, len(first), len(told) - len(first)))

    def test_every_step_once_in_order_through_kills(self):
        r = random.Random(SEED)
        lines = list(events(r, 120))
        system = live.System(RULES, PARTITIONS)
        self.addCleanup(system.close)
        system.make_topic(system.name + ".alerts", 4)
        path = system.folder / "alerts.jsonl"
        sinks = "sinks:\n  topic: {type: kafka, topic: %s.alerts}\n  lines: {type: file, path: %s}\n  out: {type: stdout}\n" % (system.name, path)
        system.config.write_text(system.config.read_text().replace("rules:\n", sinks + "rules:\n"))
        processes = [system.start(), system.start()]
        feed = system.stream(lines, 6)
        for _ in range(3):
            time.sleep(1.5)
            system.stop(processes.pop(0), signal.SIGKILL)
            processes.append(system.start())
        feed.join()
        log = system.folder / "log.jsonl"
        log.write_bytes(b"".join(lines))
        system.wait_for_record(system.replay(log))
        record = [json.loads(line) for line in system.record().splitlines()]
        live.wait_until("the file", lambda: len({step(a) for a in alerts_in(path.read_text())}) >= len(record))
        live.wait_until("stdout", lambda: len({step(a) for a in self.printed(system)}) >= len(record))
        consumed(system.name + ".alerts", record)
        self.assertEqual(system.stop_all(), [0, 0])
        self.check_complete(alerts_in(path.read_text()), record, "file")
        self.check_complete(self.printed(system), record, "stdout", ordered=False)
        rows = consumed(system.name + ".alerts", record)
        self.check_complete([a for _, _, a in rows], record, "kafka")
        self.assertTrue(all(key == a["id"] for _, key, a in rows))
        self.assertEqual(len({(p, k) for p, k, _ in rows}), len({k for _, k, _ in rows}))
        self.assertGreater(len({p for p, _, _ in rows}), 1)

    @staticmethod
    def printed(system):
        """Of all processes one after the other; here logs go to the same file."""
        return alerts_in(system.log_text())


if __name__ == "__main__":
    live.need_services()
    del sys.argv[1:]
    unittest.main(verbosity=2)

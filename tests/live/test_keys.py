#!/usr/bin/env python3
"""Rules whose keys are bounded, live: what overflows is counted, and logged once; what has a window of its own for all keys
says what replay says, with two shards and two processes.

    test_keys.py          see live.py for what it needs
"""
import json
import pathlib
import re
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "oracle")]
import live  # noqa: E402
import log as logs  # noqa: E402
from test_status import figures  # noqa: E402

BASE, HOUR = 1_772_409_600_000, 3_600_000  # 2026-03-02T00:00Z
PARTITIONS, KEYS = 2, 60
RULES = """  few:
    on: ticket.created
    by: [ticket.category]
    max_keys: 10
    count: {at_least: 2, within: 30d}
  share:
    on: ticket.created
    by: [ticket.category]
    ratio: {match: "ticket.escalated == true", bucket: 1h, against: overall, min_denominator: 5, z: 2, max_segments: 20}
"""


def events():
    """Four hours of sixty categories, six events of each an hour; some of them escalate more than the rest."""
    n, out = 0, []
    for hour in range(4):
        for i in range(6 * KEYS):
            ms, key = BASE + hour * HOUR + i * 1000, i * 37 % KEYS
            out.append({"id": "e%d" % n, "type": "ticket.created", "time": logs.time_text(ms),
                        "ticket": {"category": "c%02d" % key, "escalated": (key % 4 == 0 and hour % 2 == 1) or i % 25 == 0},
                        "kafka": {"topic": "t", "partition": n % PARTITIONS, "offset": n // PARTITIONS, "timestamp": ms}})
            n += 1
    return out


def ends(first):
    ms = BASE + 6 * HOUR
    return [{"id": "end%d" % p, "type": "usage.activity", "time": logs.time_text(ms),
             "kafka": {"topic": "t", "partition": p, "offset": first + p, "timestamp": ms}} for p in range(PARTITIONS)]


def lines(out):
    return "".join(json.dumps(e) + "\n" for e in out).encode()


def of_rule(record, rule):
    return b"".join(line for line in record.splitlines(True) if json.loads(line)["rule"] == rule)


class Keys(unittest.TestCase):
    def test_bounded_keys(self):
        port = live.free_port()
        system = live.System(RULES, PARTITIONS, shards=2, extra='status: {listen: "127.0.0.1:%d"}\n' % port)
        self.addCleanup(system.close)
        told, log = events(), system.folder / "log.jsonl"
        log.write_bytes(lines(told + ends(len(told))))
        expected = of_rule(system.replay(log), "share")
        self.assertGreater(expected.count(b'"firing"'), 3)
        first = system.start()
        system.feed(lines(told[:len(told) // 2]))
        live.wait_until("half of it", lambda: self.refused(port), 60)
        self.assertEqual(system.stop(first), 0)
        for _ in range(2):
            system.start(**({"_": "second"} if _ else {}))
            if not _:
                live.wait_until("the status page", lambda: self.refused(port) is not None, 60)
                self.only_one_listens(system)
        system.feed(lines(told[len(told) // 2:] + ends(len(told))))
        live.wait_until("the record", lambda: of_rule(system.record(), "share") == expected, 90)
        live.wait_until("the other shard's", lambda: of_rule(system.record(), "few").count(b'"firing"') == 10, 30)
        live.wait_until("the gauge", lambda: figures(port)["ticketwatch_keys"].value(rule="few") == 10, 30)
        live.wait_until("the other", lambda: figures(port)["ticketwatch_keys"].value(rule="share") == 1)  # one window for all keys
        live.wait_until("the log", lambda: self.overflows(system, "few") >= 2 and self.overflows(system, "share") >= 1, 30)
        self.assertLessEqual(self.overflows(system, "few"), 3)  # once a process, however many events

    def overflows(self, system, rule):
        return len(re.findall(r'keys_overflow rule="%s" events=\d+ max_keys=\d+ key="' % rule, system.log_text()))

    def refused(self, port):
        try:
            return figures(port)["ticketwatch_keys_refused_total"].value(rule="few")
        except AssertionError:
            return None

    def only_one_listens(self, system):
        """The next process has a page of its own, which nobody looks at."""
        text = system.config.read_text()
        system.config.write_text(re.sub(r'status: \{listen: "127.0.0.1:\d+"\}', 'status: {listen: "127.0.0.1:%d"}' % live.free_port(), text))


if __name__ == "__main__":
    live.need_services()
    unittest.main(argv=sys.argv[:1])

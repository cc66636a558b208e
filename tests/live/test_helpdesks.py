#!/usr/bin/env python3
"""Helpdesks' own messages through Kafka: what the mappings of config/examples make of them is what `replay` confirms, and
what they cannot read is a dead letter that names the pointer.

    test_helpdesks.py          see live.py for what it needs
"""
import json
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "oracle")]
import live  # noqa: E402
import log as logs  # noqa: E402
import test_bad_input  # noqa: E402

EXAMPLES = live.ROOT / "config" / "examples"
END = logs.time_of("2026-03-04T00:00:00.000Z")


def last(partition):
    """An event of our own shape, which no mapping claims: it moves the partition's watermark past the log."""
    return json.dumps({"id": "end-%d" % partition, "type": "release.deployed", "time": logs.time_text(END),
                       "kafka": {"topic": "t", "partition": partition, "offset": 9999, "timestamp": END}}).encode() + b"\n"


class Helpdesks(unittest.TestCase):
    def system(self, name):
        fields, rules = (EXAMPLES / (name + ".yaml")).read_text(encoding="utf-8").split("\nrules:\n")
        system = live.System(rules, 2, extra=fields + "\n")
        self.addCleanup(system.close)
        lines = (EXAMPLES / (name + ".jsonl")).read_bytes() + last(0) + last(1)
        path = system.folder / "log.jsonl"
        path.write_bytes(lines)
        system.feed(lines)
        return system, live.until(system.replay(path), END)

    def confirms(self, name, alerts):
        system, expected = self.system(name)
        self.assertGreaterEqual(expected.count(b"\n"), alerts, "a log that confirms nothing shows nothing")
        processes = [system.start(), system.start()]
        system.wait_for_record(expected, cutoff=END)
        self.assertEqual([system.stop(p) for p in processes], [0, 0])
        return system

    def test_zendesk_and_its_dead_letter(self):
        system = self.confirms("zendesk", 6)
        dead = test_bad_input.consumed(system.name + ".dlq", 1)
        self.assertEqual(len(dead), 1, dead)
        self.assertIn(b"time is missing: there is no text or number at /time", b" ".join(dead[0][0].values()))

    def test_freshdesk_whose_times_are_those_of_the_records(self):
        self.confirms("freshdesk", 3)

    def test_cloudevents_of_two_shapes(self):
        self.confirms("cloudevents", 4)


if __name__ == "__main__":
    live.need_services()
    unittest.main(argv=sys.argv[:1])

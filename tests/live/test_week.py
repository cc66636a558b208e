#!/usr/bin/env python3
"""Both worlds: the example week through `run` (three processes, a kill -9, a fourth that joins, one that leaves) confirms
for every rule kind the record that `replay` confirms.

    test_week.py          see live.py for what it needs
"""
import gzip
import json
import pathlib
import re
import subprocess
import sys
import time
import unittest
import zlib

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "property"), str(HERE.parent / "oracle")]
import live  # noqa: E402
import log as logs  # noqa: E402
import shuffle  # noqa: E402

PARTITIONS, STREAM_S = 4, 16
DAY = 86_400_000
RULES = (HERE / "week_rules.yaml").read_text(encoding="utf-8")


def owner(body):
    """What a producer would partition by."""
    for name in ("account", "user", "ticket"):
        if name in body and "id" in body[name]:
            return body[name]["id"]
    return body["id"]


def week():
    """The week as recorded lines, and the time up to which its record is compared: an event a month later in every
    partition lets the watermark pass everything before it."""
    merged, end = [], 0
    with gzip.open(HERE.parents[1] / "examples" / "week" / "week.jsonl.gz", "rt", encoding="utf-8") as file:
        for line in file:
            try:
                body = json.loads(line)
                time_ms = logs.time_of(body["time"])
                if time_ms is None or "id" not in body:
                    continue
            except (ValueError, KeyError, TypeError):
                continue  # the week holds three lines that are no events; test_bad_input.py is about these
            end = max(end, time_ms)
            merged.append((zlib.crc32(owner(body).encode()) % PARTITIONS, body))
    end += 30 * DAY
    last = [(p, {"id": "end-%d" % p, "type": "release.deployed", "time": logs.time_text(end)}) for p in range(PARTITIONS)]
    return [json.dumps(body).encode() + b"\n" for _, body in shuffle.as_recorded(merged + last)], end - DAY


def kinds_known():
    told = subprocess.run([live.PROGRAM, "check", "--reference"], capture_output=True, text=True, check=True, timeout=60)
    return set(re.findall(r"^#### kind (\w+)$", told.stdout, re.MULTILINE))


class Week(unittest.TestCase):
    maxDiff = None

    def disturb(self, system):
        """One is killed and another takes its place, a fourth joins, one leaves."""
        time.sleep(STREAM_S * 0.25)
        system.stop(system.processes[0], how=9)
        system.start()
        time.sleep(STREAM_S * 0.25)
        system.start()
        time.sleep(STREAM_S * 0.25)
        self.assertEqual(system.stop(system.processes[0]), 0)

    def confirm(self, shards):
        lines, cutoff = week()
        system = live.System(RULES, PARTITIONS, shards=shards)
        self.addCleanup(system.close)
        path = system.folder / "week.jsonl"
        path.write_bytes(b"".join(lines))
        expected = live.until(system.replay(path), cutoff)
        confirmed = {json.loads(line)["rule"] for line in expected.splitlines()}
        names = {line.strip(" :") for line in RULES.splitlines() if line.startswith("  ") and line[2] not in " #"}
        self.assertEqual(names - confirmed, set(), "a rule that confirms nothing shows nothing")
        for _ in range(3):
            system.start()
        feeding = system.stream(lines, STREAM_S)
        self.disturb(system)
        feeding.join(120)
        system.wait_for_record(expected, cutoff=cutoff)
        self.assertEqual(set(system.stop_all()) - {0}, set(), system.log_text())

    def test_a_kill_and_rebalances_change_nothing(self):
        for shards in (1, 3):
            with self.subTest(shards=shards):
                self.confirm(shards)

    def test_every_kind_is_here(self):
        used = {line.split(":")[0].strip() for line in RULES.splitlines() if line.startswith("    ")}
        self.assertGreater(len(kinds_known()), 5)
        self.assertEqual(kinds_known() - used, set())


if __name__ == "__main__":
    live.need_services()
    unittest.main(argv=sys.argv[:1], verbosity=2)

#!/usr/bin/env python3
"""Replays a real support forum's log, three and a half years of it, and compares with the oracle.

    forum_log.py PROGRAM        exit 77: the log is not there (../shared/data, or $TICKETWATCH_SHARED/data)

No line may be unreadable, the record must be the oracle's, and what fires most is printed for people to judge.
"""
import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "oracle"))
import oracle  # noqa: E402

LOG = pathlib.Path(os.environ.get("TICKETWATCH_SHARED", ROOT.parent / "shared")) / "data" / "thunderbird-support-2023-2026.jsonl.gz"
CONFIG = """
time: {lateness: 10m}
rules:
  recurring-issue:
    on: ticket.created
    by: [ticket.category, subject]
    count: {at_least: 3, within: 30d}
    severity: {medium: 5, high: 10}
  busy-category:
    on: ticket.created
    by: [ticket.category]
    count: {at_least: 12, within: 6h}
    severity: {medium: 20, high: 40}
"""


def essence(alert):
    users = alert["users"] if alert["state"] != "resolved" else None
    key = json.dumps(alert["key"], ensure_ascii=False)
    return alert["time"], alert["rule"], key, alert["state"], alert["severity"], alert["count"], users


def fires_most(alerts):
    """The busiest keys of each rule: firings, and the largest count reached."""
    firings, largest = collections.Counter(), collections.Counter()
    for alert in alerts:
        key = alert["rule"], " | ".join(alert["key"].values())
        firings[key] += alert["state"] == "firing"
        largest[key] = max(largest[key], alert["count"] if alert["state"] != "resolved" else 0)
    for rule in sorted({r for r, _ in firings}):
        mine = [k for k in firings if k[0] == rule]
        print("%s: %d episodes of %d keys" % (rule, sum(firings[k] for k in mine), len(mine)))
        for key in sorted(mine, key=lambda k: (-largest[k], k))[:12]:
            print("  %5d  %d episodes  %s" % (largest[key], firings[key], key[1][:100]))


def main():
    if not LOG.exists():
        print("SKIPPED: no %s" % LOG.name)
        sys.exit(77)
    program = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
        config.write(CONFIG)
        config.flush()
        begun = time.monotonic()
        command = [program, "replay", "--format", "json", "-c", config.name, str(LOG)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        took = time.monotonic() - begun
        expected, count = oracle.confirmed(config.name, [str(LOG)], program)
    told = done.stderr.decode()
    if done.returncode:
        sys.exit("exit %d\n%s" % (done.returncode, told))
    dead = re.search(r"(\d+) dead letters", told)
    if not dead or int(dead.group(1)) or count["dead_letters"]:
        sys.exit("dead letters where there should be none\n%s" % told)
    got = [json.loads(line) for line in done.stdout.decode().splitlines()]
    want, have = sorted(map(essence, expected), key=repr), sorted(map(essence, got), key=repr)
    if want != have:
        sys.exit("the oracle differs: %r" % sorted(set(want) ^ set(have), key=repr)[:10])
    fires_most(got)
    print("%d events in %.2f s, %d transitions as the oracle has them" % (count["events"], took, len(want)))


if __name__ == "__main__":
    main()

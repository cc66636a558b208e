#!/usr/bin/env python3
"""The bundled log is what its generator makes, and holds what the generator's first lines promise.

    week_is_reproducible.py        no arguments; exit 1 and a sentence for each promise that is broken
"""
import collections
import datetime
import gzip
import json
import pathlib
import subprocess
import sys

WEEK = pathlib.Path(__file__).resolve().parents[2] / "examples" / "week"
TYPES = """ticket.created ticket.updated ticket.first_response ticket.resolved ticket.reopened ticket.escalated ticket.rated
page.error conversation.finished account.updated usage.activity release.deployed known_issue.updated""".split()
LATENESS = datetime.timedelta(minutes=10)


def made(*options):
    command = [sys.executable, str(WEEK / "generate.py"), "--out", "-", *options]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout


def parse(line):
    """The event, or None for one of the lines that are broken on purpose."""
    try:
        event = json.loads(line)
        when = datetime.datetime.strptime(event["time"], "%Y-%m-%dT%H:%M:%S.%fZ")
        return event["id"], event["type"], when, line
    except (ValueError, KeyError):
        return None


def look(data):
    seen, types = {}, collections.Counter()
    count = collections.Counter()
    newest = datetime.datetime(1970, 1, 2)
    for line in data.decode().splitlines():
        event = parse(line)
        if event is None:
            count["broken"] += 1
            continue
        ident, kind, when, text = event
        types[kind] += 1
        count["disordered"] += when < newest
        count["late"] += when < newest - LATENESS
        newest = max(newest, when)
        count["again"] += ident in seen
        count["differs"] += seen.setdefault(ident, text) != text
    return count, types


def broken_promises(data):
    count, types = look(data)
    if count["broken"] != 3:
        yield "%d broken lines, not 3" % count["broken"]
    if count["late"] != 20:
        yield "%d late events, not 20" % count["late"]
    if count["differs"]:
        yield "%d repeated deliveries differ from the first" % count["differs"]
    if count["again"] < 200 or count["disordered"] < 2000:
        yield "too tidy: %d repeated, %d out of order" % (count["again"], count["disordered"])
    if not 20_000 <= sum(types.values()) <= 40_000:
        yield "%d events" % sum(types.values())
    for kind in TYPES:
        if not types[kind]:
            yield "no %s" % kind


def partitions_promise():
    """With --kafka every partition counts its offsets from 0 without a hole, and an account stays in its partition."""
    offsets, homes = collections.Counter(), {}
    for line in made("--kafka", "3", "--days", "2", "--scale", "0.3").decode().splitlines():
        try:
            event = json.loads(line)
            at = event["kafka"]
        except (ValueError, KeyError):
            continue
        if at["offset"] != offsets[at["partition"]]:
            yield "partition %(partition)d: offset %(offset)d is out of turn" % at
        offsets[at["partition"]] += 1
        if "account" in event and homes.setdefault(event["account"]["id"], at["partition"]) != at["partition"]:
            yield "account %s moved" % event["account"]["id"]
    if len(offsets) != 3:
        yield "%d partitions used, not 3" % len(offsets)


def main():
    bundled = gzip.decompress((WEEK / "week.jsonl.gz").read_bytes())
    faults = [] if made() == bundled else ["generate.py makes another log than week.jsonl.gz: run it and commit the result"]
    faults += list(broken_promises(bundled)) + list(partitions_promise())
    print("\n".join(faults) or "week.jsonl.gz: %d lines, as generated" % bundled.count(b"\n"))
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()

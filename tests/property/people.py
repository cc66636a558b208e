#!/usr/bin/env python3
"""A crowd behind the top step: its estimate is near, marked, and the same in whatever order people come.

    people.py PROGRAM [SEED]

Logs of so many people and some of their events again, each told several ways: shuffled within lateness, in one and
several partitions, repeated. Each telling must print the same bytes; the people of the episode must be exact below
1,024, and beyond within four of the stated standard errors (3.1 %).
"""
import json
import pathlib
import random
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "oracle"))
import log as logs  # noqa: E402

MINUTE, BASE = 60_000, 1_772_442_000_000
SIZES, TELLINGS = [5, 300, 1000, 1023, 1024, 3000, 20000], 4
CONFIG = """time: {lateness: 10m}
rules:
  crowd:
    on: page.error
    count: {at_least: 2, within: 30m, distinct: user}
    severity: {low: 2, high: 5}
"""


def events_of(r, people):
    """Each person once and some again, over three hours, and an end when all is quiet."""
    who = list(range(people)) + [r.randrange(people) for _ in range(people // 3 + 200)]
    r.shuffle(who)
    out = [{"id": "e%d" % i, "type": "page.error", "time": logs.time_text(BASE + i * 180 * MINUTE // len(who)), "user": {"id": "u%d" % u}}
           for i, u in enumerate(who)]
    return out, {"id": "end", "type": "usage.activity", "time": logs.time_text(BASE + 600 * MINUTE)}


def told(program, r, config, events, end, folder):
    reach = r.choice([0, 1, 9 * MINUTE])
    parts = [[] for _ in range(r.choice([1, 3]))]
    for event in sorted(events + r.sample(events, len(events) // 10), key=lambda e: logs.time_of(e["time"]) + r.random() * reach):
        r.choice(parts).append(event)
    names = []
    for n, part in enumerate(parts):
        names.append(str(folder / ("part%d.jsonl" % n)))
        pathlib.Path(names[-1]).write_text("".join(json.dumps(e) + "\n" for e in part + [{**end, "id": "end%d" % n}]))
    done = subprocess.run([program, "replay", "--quiet", "-c", str(config), *names], stdout=subprocess.PIPE, check=True)
    return done.stdout.decode()


def check(people, lines):
    states = [json.loads(line) for line in lines.splitlines()]
    crowd = [a for a in states if a["rule"] == "crowd"]
    last = crowd[-1]
    off = last["count"] / people - 1
    exact = people < 1024
    assert last["state"] == "resolved" and [a["count"] for a in crowd[:2]] == [2, 5], crowd
    assert last.get("count_estimated", False) != exact, last
    assert ("about" in last["summary"]) != exact, last["summary"]
    assert off == 0 if exact else abs(off) < 4 * 0.0313, (people, last["count"])
    return off


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    r = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    with tempfile.TemporaryDirectory(prefix="ticketwatch-people-") as name:
        folder = pathlib.Path(name)
        config = folder / "config.yaml"
        config.write_text(CONFIG)
        for people in SIZES:
            events, end = events_of(r, people)
            lines = {told(program, r, config, events, end, folder) for _ in range(TELLINGS)}
            if len(lines) != 1:
                sys.exit("FAIL: %d people, %d different records" % (people, len(lines)))
            print("%d people: off by %+.2f %%" % (people, 100 * check(people, lines.pop())))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""How often a healthy bucket is called abnormal at z = 3, before and after the root of counts.

    anomaly_false_alarms.py [PROGRAM]

Random counts, Poisson and (four times as wild) a Poisson whose mean is drawn anew for each bucket, from a gamma distribution
of shape 4. For each usual count and length of history: per cent by the plain z-score with the floor of the mean (what
`anomaly` did at first), and by the formula of docs/rules.md. With PROGRAM that program judges a log of Poisson counts too.
Exit 1 where a Poisson count is called abnormal more often than 0.8 %.
"""
import json
import math
import pathlib
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "oracle"))
import log as logs  # noqa: E402
from anomaly import anscombe, deviation  # noqa: E402

TRIALS, HISTORIES, USUAL, LIMIT = 6000, (3, 8, 24, 100), (0.2, 1, 3, 5, 10, 30, 100), 0.8
BASE, HOUR = 1_772_409_600_000, 3_600_000


def poisson(r, mean):
    n, left = 0, mean
    while left > 0:  # arrivals, one after the other
        left -= r.expovariate(1)
        n += left > 0
    return n


def plain(base, value):
    m = sum(base) / len(base)
    return (value - m) / math.sqrt(max(sum((x - m) ** 2 for x in base) / len(base), m, 1))


def rooted(base, value):
    roots = [anscombe(x) for x in base]
    return (anscombe(value) - sum(roots) / len(roots)) / deviation(roots, 1)


def novel(base, value):
    """As much as 6 z where it is beyond the range seen by half of it."""
    width = max(max(base) - min(base), 4 * math.sqrt(max(sum(base) / len(base), 1)))
    return 6 * max(value - max(base), min(base) - value, 0) / width


def rates(draw, length):
    """Per cent abnormal by each formula; a stretch of counts serves again and again, moved on by one."""
    counts, alarms = [draw() for _ in range(TRIALS + length)], [0, 0, 0]
    for i in range(TRIALS):
        base, value = counts[i:i + length], counts[i + length]
        for n, formula in enumerate((plain, rooted, novel)):
            alarms[n] += abs(formula(base, value)) >= 3
    return [100 * n / TRIALS for n in alarms]


def table(r):
    worst = 0
    print("per cent abnormal: |z| >= 3 plain, of the root, novelty beyond 50 %%   (history of %s values)" % ", ".join(map(str, HISTORIES)))
    for name in ("Poisson", "wandering"):
        for mean in USUAL:
            row = [rates(lambda: poisson(r, mean if name == "Poisson" else r.gammavariate(4, mean / 4)), n) for n in HISTORIES]
            worst = max([worst] + [new for _, new, _ in row]) if name == "Poisson" else worst
            print("%-10s around %-5g %s" % (name, mean, "   ".join("%5.2f %5.2f %5.2f" % tuple(three) for three in row)))
    return worst


def by_program(r, program):
    """What the program itself makes of 60 keys around 5 an hour, over 200 hours."""
    keys, hours, history = 60, 200, 24
    events = []
    for k in range(keys):
        for h in range(hours):
            for n in range(poisson(r, 5)):
                events.append((BASE + h * HOUR + n * 1000, "e%d-%d-%d" % (k, h, n), "c%d" % k))
    events.append((BASE + hours * HOUR, "end", "end"))
    with tempfile.TemporaryDirectory() as folder:
        config, log = pathlib.Path(folder, "config.yaml"), pathlib.Path(folder, "log.jsonl")
        config.write_text("rules:\n  r:\n    by: [ticket.category]\n    anomaly: {metric: count, bucket: 1h, history: %dh, min_history: %d, "
                          "z: 3, min_count: 0}\n" % (history, history))
        log.write_text("".join(json.dumps({"id": i, "type": "ticket.created", "time": logs.time_text(t), "ticket": {"category": c}}) + "\n"
                               for t, i, c in sorted(events)))
        told = subprocess.run([program, "replay", "--format", "json", "-c", str(config), str(log)], stdout=subprocess.PIPE, check=True).stdout
    fired = sum(json.loads(line)["state"] == "firing" for line in told.splitlines())
    judged = keys * (hours - history)
    print("the program: %d of %d hours, %.2f %%" % (fired, judged, 100 * fired / judged))
    return 100 * fired / judged


def main():
    r = random.Random(1)
    worst = table(r)
    if len(sys.argv) > 1:
        worst = max(worst, by_program(r, str(pathlib.Path(sys.argv[1]).resolve())))
    sys.exit(worst > LIMIT)


if __name__ == "__main__":
    main()

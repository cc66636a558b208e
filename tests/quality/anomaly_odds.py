#!/usr/bin/env python3
"""Healthy weeks, and whether the false alarms stay within what `check` printed.

    anomaly_odds.py PROGRAM [WEEKS [LOG]]      1000 weeks of each rule where nothing is written; LOG: only those that begin so

A log of 40 keys is made up: counts that vary more than Poisson's (a gamma of shape 44 over their means: 15 %), a season of hours
and weekdays, 0.5 % more every week, and for each key one holiday in ten weeks, never the same day for all. `replay` judges
it; every episode that opens after eight weeks is false. Exit 1 where a rule has more of them than `check` says.
"""
import collections
import json
import math
import pathlib
import random
import subprocess
import sys
import tempfile

HOUR, WEEK, MONDAY, HISTORY, KEYS = 3_600_000, 604_800_000, 1_767_571_200_000, 8, 40
HOURLY = {
    "hours": "metric: count, bucket: 1h, history: 56d, season: hour_of_week, z: 3, min_count: 10, min_change: 30%",
    "hours-z4": "metric: count, bucket: 1h, history: 56d, season: hour_of_week, z: 4",
    "hours-up": "metric: count, bucket: 1h, history: 28d, season: hour_of_day, z: 3, direction: up",
    "plain": "metric: count, bucket: 1h, history: 14d, z: 3",
    "surprise": "metric: count, bucket: 1h, history: 56d, season: hour_of_week, method: surprise",
    "novelty": "metric: count, bucket: 1h, history: 28d, method: novelty, beyond: 25%, direction: up",
}
DAILY = {
    "days": "metric: count, bucket: 1d, history: 56d, season: hour_of_week, z: 3, min_change: 30%",
    "days-up": "metric: count, bucket: 1d, history: 28d, z: 3, direction: up",
    "ratings": "metric: mean, field: ticket.csat, bucket: 1d, history: 28d, direction: down, min_count: 10",
    "share": "metric: ratio, match: \"ticket.csat < 3\", bucket: 1d, history: 56d, direction: up",
    "median": "metric: p50, field: ticket.csat, bucket: 1d, history: 56d",
}
LOGS = [("hourly, around 4", HOURLY, 4), ("hourly, around 20", HOURLY, 20), ("daily, around 20", DAILY, 20 / 24), ("daily, around 100", DAILY, 100 / 24)]


def busy(day, hour, holiday):
    of_hour = 1.85 if 8 <= hour < 18 else 0.7 if 18 <= hour < 22 else 0.27
    return of_hour * (1.25 if day % 7 < 5 else 0.375) * (0.3 if day == holiday else 1)


def poisson(r, mean):
    if mean > 60:
        return max(0, round(r.gauss(mean, math.sqrt(mean))))
    n, left = 0, mean
    while left > 0:
        left -= r.expovariate(1)
        n += left > 0
    return n


def counts(r, an_hour, weeks, by_day):
    """(hour since MONDAY, key, events) of all keys; the mean wanders from bucket to bucket."""
    for key in range(KEYS):
        holidays = [(HISTORY + first) * 7 + r.randrange(70) for first in range(0, weeks, 10)]
        for hour in range((HISTORY + weeks) * 168):
            if not (by_day and hour % 24):
                wander = r.gammavariate(44, 1 / 44)
            day = hour // 24
            mean = an_hour * busy(day, hour % 24, next((d for d in holidays if d == day), None)) * 1.005 ** (hour / 168)
            yield hour, key, poisson(r, mean * wander)


def write_log(r, path, an_hour, weeks, by_day):
    lines, at = collections.defaultdict(list), 0
    for hour, key, n in counts(r, an_hour, weeks, by_day):
        for _ in range(n):
            at += 1
            lines[hour].append('{"id":"e%d","type":"ticket.rated","time":"%d","ticket":{"category":"c%d","csat":%.2f}}\n' % (
                at, MONDAY + hour * HOUR + r.randrange(HOUR), key, r.gauss(4, 1)))
    with path.open("w") as f:
        for hour in sorted(lines):
            f.writelines(lines[hour])
        f.write('{"id":"end","type":"ticket.resolved","time":"%d"}\n' % (MONDAY + (HISTORY + weeks) * WEEK + 2 * HOUR))


def measure(program, folder, rules, an_hour, weeks, r):
    config, log = folder / "config.yaml", folder / "log.jsonl"
    config.write_text("time: {lateness: 1h}\nrules:\n" + "".join(
        "  %s:\n    on: ticket.rated\n    by: [ticket.category]\n    anomaly: {%s, expected_keys: %d, contributors: []}\n" % (name, body, KEYS)
        for name, body in rules.items()))
    checked = subprocess.run([program, "check", "--format", "json", "-c", str(config)], stdout=subprocess.PIPE, check=True).stdout
    printed = {o["rule"]: o["a_week"] for o in json.loads(checked.splitlines()[-1])["false_alarms"]}
    write_log(r, log, an_hour, weeks, rules is DAILY)
    told = subprocess.run([program, "replay", "--format", "json", "-c", str(config), str(log)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    alarms = collections.Counter()
    for alert in map(json.loads, told.splitlines()):
        if alert["state"] == "firing" and json_time(alert) >= MONDAY + HISTORY * WEEK:
            alarms[alert["rule"]] += 1
    return {name: (printed[name], alarms[name] / weeks) for name in rules}


def json_time(alert):
    import datetime
    return datetime.datetime.fromisoformat(alert["time"].replace("Z", "+00:00")).timestamp() * 1000


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    weeks = max(2, round(int(sys.argv[2] if len(sys.argv) > 2 else 1000) / KEYS))
    r, failed = random.Random(8), False
    print("false alarms a week of %d keys, %d weeks each: printed, found" % (KEYS, weeks))
    chosen = sys.argv[3] if len(sys.argv) > 3 else ""
    for name, rules, an_hour in (one for one in LOGS if one[0].startswith(chosen)):
        with tempfile.TemporaryDirectory() as folder:
            for rule, (printed, found) in measure(program, pathlib.Path(folder), rules, an_hour, weeks, r).items():
                print("%-18s %-9s %8.2f %8.2f%s" % (name, rule, printed, found, "   MORE" if found > printed else ""), flush=True)
                failed |= found > printed
    sys.exit(failed)


if __name__ == "__main__":
    main()

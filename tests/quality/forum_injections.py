#!/usr/bin/env python3
"""Three-fold spikes and halvings put into the hourly series of the real forum log: how many are found, and what fires without.

    forum_injections.py PROGRAM [CONFIG [SEEDS [HOURS...]]]

Every question of the log counts. In each of SEEDS copies (10) a stretch of so many HOURS is changed
every three to four months, at any hour: each event three times, or by a coin not at all. It is found where an episode opens
in that direction in the stretch, or at the end of the bucket that holds its end. Exit 1 where of spikes of 48 hours or of
halvings of 336 hours fewer than 95 % are, or the log itself gives more than one alert a month; 77: no log.
"""
import datetime
import gzip
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SHARED = pathlib.Path(os.environ.get("TICKETWATCH_SHARED", HERE.parent.parent.parent / "shared"))
LOG = SHARED / "data" / "thunderbird-support-2023-2026.jsonl.gz"
HOUR, DAY, MONTH = 3_600_000, 86_400_000, 30.44 * 86_400_000
SPIKE_HOURS, HALVING_HOURS = 48, 336


def millis(text):
    return round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def read_log():
    with gzip.open(LOG, "rt", encoding="utf-8") as f:
        return sorted(millis(e["time"]) for e in map(json.loads, f) if e["type"] == "ticket.created")


def places(r, times, width):
    """Beginnings of stretches, so far apart that none belongs to the history of the next."""
    at = times[0] + 100 * DAY + r.randrange(70 * DAY)
    while at + width + 10 * DAY < times[-1]:
        yield at // HOUR * HOUR
        at += width + r.randrange(95 * DAY, 125 * DAY)


def changed(r, times, starts, width, up):
    out, i = [], 0
    for t in times:
        while i < len(starts) and t >= starts[i] + width:
            i += 1
        inside = i < len(starts) and t >= starts[i]
        copies = 1 if not inside else 3 if up else r.random() < 0.5
        out.extend([t] * copies)
    return out


def alerts(program, config, times, folder):
    """(time, width of the bucket, rule, up) of every episode."""
    log = pathlib.Path(folder, "log.jsonl")
    with log.open("w") as f:
        for n, t in enumerate(times):
            f.write('{"id":"e%d","type":"ticket.created","time":"%d"}\n' % (n, t))
        f.write('{"id":"end","type":"ticket.created","time":"%d"}\n' % (times[-1] + 2 * DAY))
    told = subprocess.run([program, "replay", "--format", "json", "-c", str(config), str(log)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          check=True).stdout
    for a in map(json.loads, told.splitlines()):
        if a["state"] == "firing":
            yield millis(a["time"]), {"1h": HOUR, "1d": DAY}.get(a["bucket"], 7 * DAY), a["rule"], a["z"] > 0


def found_share(program, config, times, hours, up, seeds, folder):
    hits, n = 0, 0
    for seed in range(seeds):
        r = random.Random("%d %d %d" % (seed, hours, up))
        starts = list(places(r, times, hours * HOUR))
        told = [a for a in alerts(program, config, changed(r, times, starts, hours * HOUR, up), folder) if a[3] == up]
        hits += sum(any(s < t < s + hours * HOUR + width for t, width, *_ in told) for s in starts)
        n += len(starts)
    return hits / n, n


def main():
    if not LOG.exists():
        print("skipped: no forum log beside the project")
        sys.exit(77)
    program = str(pathlib.Path(sys.argv[1]).resolve())
    config = sys.argv[2] if len(sys.argv) > 2 else HERE / "forum.yaml"
    seeds = int(sys.argv[3]) if len(sys.argv) > 3 else 10
    stretches = list(map(int, sys.argv[4:])) or [24, 48, 72, 168, 336]
    times, failed = read_log(), False
    with tempfile.TemporaryDirectory() as folder:
        plain = [a for a in alerts(program, config, times, folder)]
        months = (times[-1] - times[0]) / MONTH
        print("the log itself: %.2f alerts a month (%d in %.1f months): %s" % (len(plain) / months, len(plain), months, ", ".join(
            "%s %s %d" % (rule, "up" if up else "down", sum(a[2:] == (rule, up) for a in plain)) for rule, up in sorted({a[2:] for a in plain}))))
        failed |= len(plain) > months
        for hours in stretches:
            for up in (True, False):
                share, n = found_share(program, config, times, hours, up, seeds, folder)
                print("%-10s of %3d hours: %5.1f %% of %d found" % ("three-fold" if up else "halved", hours, 100 * share, n), flush=True)
                failed |= hours == (SPIKE_HOURS if up else HALVING_HOURS) and share < 0.95
    sys.exit(failed)


if __name__ == "__main__":
    main()

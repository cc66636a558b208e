#!/usr/bin/env python3
"""What is known of a real support forum's history is found by config/examples/forum.yaml, with few alerts besides.

    forum_events.py PROGRAM [YEAR]        exit 77: the log is not there (../shared/data, or $TICKETWATCH_SHARED/data)

Prints the alerts that people are told of, of all the log or of a year, a line each: what docs/forum.md is the reading of.
"""
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOG = pathlib.Path(os.environ.get("TICKETWATCH_SHARED", ROOT.parent / "shared")) / "data" / "thunderbird-support-2023-2026.jsonl.gz"
CONFIG = ROOT / "config" / "examples" / "forum.yaml"
MOST_A_WEEK = 0.6
# What happened, the topic (None: all questions), and the days by which one of the rules must have told of it.
KNOWN = [
    ("version 115 comes out", "update", "2023-07-12", "2023-07-25"),
    ("everybody is updated to 115", "update", "2023-09-15", "2023-09-17"),
    ("the week with most questions of all", "update", "2023-10-02", "2023-10-05"),
    ("Hotmail refuses passwords", "Microsoft", "2024-01-23", "2024-01-30"),
    ("everybody is updated to 128", "update", "2024-07-29", "2024-08-06"),
    ("Outlook.com ends plain passwords", "Microsoft", "2024-09-11", "2024-09-17"),
    ("forwarded certified mail is empty", "certified mail", "2025-01-13", "2025-01-16"),
    ("a virus scanner makes it crash", "security program", "2025-01-14", "2025-01-21"),
    ("Google Calendar stands still", "calendar", "2025-03-19", "2025-03-21"),
    ("people are asked to leave ESR", "update", "2025-05-28", "2025-05-30"),
    ("a virus scanner garbles mail", "security program", "2025-08-11", "2025-08-13"),
    ("Comcast cannot be reached", "Comcast", "2025-08-27", "2025-08-29"),
    ("Yahoo: too many requests", "Yahoo", "2025-10-27", "2025-11-04"),
    ("Microsoft refuses sign-ins", "Microsoft", "2026-01-22", "2026-01-24"),
    ("version 148 cannot sign in to Yahoo", "Yahoo", "2026-02-24", "2026-03-03"),
    ("nobody can ask for a day", None, "2026-01-10", "2026-01-12"),
]


def replayed(program):
    done = subprocess.run([program, "replay", "--quiet", "-c", str(CONFIG), str(LOG)], stdout=subprocess.PIPE, check=True)
    firing = [a for a in map(json.loads, done.stdout.decode().splitlines()) if a["state"] == "firing"]
    return [a for a in firing if "hidden_by" not in a]


def about(alert):
    return alert["key"].get("ticket.feature")


def shown(alert):
    figures = "%g, usually %.1f" % (alert["value"], alert["mean"]) if "mean" in alert else "%d before" % alert["count"]
    return "%s  %-6s  %-19s  %-16s  %s" % (alert["time"][:16], alert["severity"], alert["rule"], about(alert) or "", figures)


def main():
    if not LOG.exists():
        print("SKIPPED: no %s" % LOG.name)
        sys.exit(77)
    alerts = replayed(str(pathlib.Path(sys.argv[1]).resolve()))
    year = sys.argv[2] if len(sys.argv) > 2 else ""
    print("\n".join(shown(a) for a in alerts if a["time"].startswith(year)))
    missed = [what for what, topic, begin, end in KNOWN
              if not any(about(a) == topic and begin <= a["time"] < end for a in alerts)]
    weeks = 181
    print("%d alerts in %d weeks, %.2f a week; %d of %d known events" % (
        len(alerts), weeks, len(alerts) / weeks, len(KNOWN) - len(missed), len(KNOWN)))
    if missed or len(alerts) > MOST_A_WEEK * weeks:
        sys.exit("missed: " + "; ".join(missed) if missed else "too many alerts for a person who has other things to do")


if __name__ == "__main__":
    main()

"""Recorded logs as the oracle reads them: lines -> accepted events, by the definitions and nothing cleverer.

An event is late when its time is more than `lateness` before the largest time that stood before it in its partition:
that of its "kafka" member, else its file. Accepted are the events that are not late, one for each id.
"""
import collections
import datetime
import gzip
import json
import pathlib
import re
import subprocess
import sys

TEXTS = """ticket.id ticket.subject ticket.status ticket.priority ticket.channel ticket.category ticket.feature
ticket.product_version ticket.team ticket.agent ticket.locale user.id account.id account.name account.tier account.renewal
account.owner page.url page.action error.type error.code error.message release.version release.service release.url
known_issue.id known_issue.status known_issue.title known_issue.workaround known_issue.url known_issue.rule known_issue.page known_issue.error
known_issue.subject known_issue.category""".split()
NUMBERS = ["ticket.sentiment", "ticket.csat", "account.mrr"]
FLAGS = ["ticket.escalated", "known_issue.mute"]
SHORT = {"account": "account.id", "user": "user.id"}
TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:?\d\d)$")
EARLIEST, LATEST = 946_684_800_000, 4_102_444_800_000  # the years 2000 to 2099


class Event:
    def __init__(self, time, ident, body):
        self.time, self.id, self.body = time, ident, body

    def order(self):
        return self.time, self.id.encode()

    def person(self):
        """Who counts as a person: the user, or the event itself where nobody is named."""
        who = field(self, "user.id")
        return ("user", who) if who is not None else ("event", self.id)


def field(event, name):
    """str, float or bool as the field's type is; None where absent, null or of another type."""
    name = SHORT.get(name, name)
    group, member = name.split(".")
    value = event.body.get(group)
    value = value.get(member) if isinstance(value, dict) else None
    if name in TEXTS:
        return str(value) if whole(value) else value if isinstance(value, str) else None
    if name in NUMBERS:
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    assert name in FLAGS, name
    return value if isinstance(value, bool) else None


def whole(value):
    """Ids are often numbers: a text may be written as a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def time_of(text):
    """Milliseconds since 1970, cut to whole ones, or None. A whole number is such milliseconds already."""
    if re.match(r"\d{1,18}$", text):
        return int(text)
    m = TIME.match(text)
    if not m:
        return None
    try:
        day = datetime.datetime(*(int(g) for g in m.groups()[:6]), tzinfo=datetime.timezone.utc)
    except ValueError:
        return None
    ms = int((m.group(7) or "0").ljust(3, "0")[:3])
    zone = m.group(8).replace(":", "")
    away = 0 if zone in "Zz" else int(zone[0] + "1") * (int(zone[1:3]) * 60 + int(zone[3:5]))
    return (day - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) // datetime.timedelta(milliseconds=1) + ms - away * 60_000


def time_text(ms):
    day = datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc)
    return day.strftime("%Y-%m-%dT%H:%M:%S") + ".%03dZ" % (ms % 1000)


def lines(path):
    """Plain, gzip or zstd by content; - is stdin."""
    data = sys.stdin.buffer.read() if path == "-" else pathlib.Path(path).read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    elif data[:4] == b"\x28\xb5\x2f\xfd":
        data = subprocess.run(["zstd", "-dc"], input=data, stdout=subprocess.PIPE, check=True).stdout
    return data.split(b"\n")


def decode(line, max_future):
    """An Event, or a sentence saying why the line is none."""
    try:
        body = json.loads(line.decode("utf-8"), parse_constant=refuse)
    except (ValueError, RecursionError):
        return "not JSON in UTF-8"
    if not isinstance(body, dict):
        return "not an object"
    if isinstance(body.get("data"), dict) and "specversion" in body:  # a CloudEvents envelope
        body = {**body["data"], **{k: body[k] for k in ("id", "type", "time", "kafka") if k in body}}
    for name in ("id", "type", "time"):
        if whole(body.get(name)):
            body[name] = str(body[name])
        if not isinstance(body.get(name), str) or not body[name]:
            return "%s is missing" % name
    when = time_of(body["time"])
    if when is None or not EARLIEST <= when < LATEST:
        return "no sane time: %s" % body["time"]
    stamp = (body.get("kafka") or {}).get("timestamp")
    if stamp is not None and when > stamp + max_future:
        return "too far in the future"
    return Event(when, body["id"], body)


def refuse(name):
    raise ValueError(name + " is no JSON")


class Log:
    """events: the accepted ones, sorted. end: where the watermark stands when the log has been read."""

    def __init__(self, paths, lateness, max_future=3_600_000):
        self.count = collections.Counter()
        self.newest, self.accepted = {}, {}
        for path in paths:
            for line in lines(path):
                if line.strip():
                    self.take(decode(line, max_future), path, lateness)
        self.events = sorted(self.accepted.values(), key=Event.order)
        self.end = max(self.newest.values(), default=0)

    def take(self, event, path, lateness):
        if isinstance(event, str):
            self.count["dead_letters"] += 1
            return
        self.count["events"] += 1
        at = event.body.get("kafka")
        partition = (at["topic"], at["partition"]) if at else path
        newest = self.newest.get(partition, event.time)
        if event.time < newest - lateness:
            self.count["late"] += 1
            return
        self.newest[partition] = max(newest, event.time)
        self.count["duplicates"] += event.id in self.accepted
        self.accepted.setdefault(event.id, event)

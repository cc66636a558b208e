"""Logs that tests of the live system make."""
import json

import log as logs

MINUTE, DAY = 60_000, 86_400_000
START = logs.time_of("2026-03-02T00:00:00.000Z")


def line(ident, ms, partition=0, offset=0, kind="ticket.created", **more):
    """One recorded event."""
    body = {"id": ident, "type": kind, "time": logs.time_text(ms), **more,
            "kafka": {"topic": "t", "partition": partition, "offset": offset, "timestamp": ms}}
    return json.dumps(body).encode() + b"\n"


def event(ident, account, minute=0):
    """A ticket of an account."""
    return line(ident, START + minute * MINUTE, account={"id": account})


def one_each(first, n, start=START, partitions=1):
    """Tickets e<first> and so on, one a second, each of an account of its own."""
    return b"".join(line("e%d" % i, start + i * 1000, i % partitions, i, account={"id": "a%d" % i}) for i in range(first, first + n))


def tickets(r, partitions, accounts, events, step_ms, more=lambda r, i: {}):
    """Tickets of accounts, a few of which have most, in order of time, so that what is said early is what is confirmed;
    behind them, a month later, an event in every partition, which ends all that is open; and the time up to which records
    are compared. `more` gives an event's further members."""
    lines, offsets, t = [], [0] * partitions, START

    def add(partition, *args, **members):
        lines.append(line(*args, partition, offsets[partition], **members))
        offsets[partition] += 1

    for i in range(events):
        t += r.randrange(1, step_ms)
        account = int(accounts * r.random() ** 2)
        add(account % partitions, "e%d" % i, t, account={"id": "a%d" % account}, **more(r, i))
    end = t + 30 * DAY
    for p in range(partitions):
        add(p, "end-%d" % p, end, kind="release.deployed")
    return lines, end - DAY

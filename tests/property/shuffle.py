#!/usr/bin/env python3
"""What alerts depends on the set of events and on nothing else: one log, told a thousand ways, confirms one record.

    shuffle.py PROGRAM [N] [SEED]        N tellings (default 1,000 or $SHUFFLES), SEED of the first log (default 1)

Random rules and a random log of some hundreds of events; each is told in many ways: shuffled as far as lateness
allows, events delivered again, spread anew over partitions or files, interleaved anyhow, plain, compressed or through
a pipe. Each telling must print the same bytes, and what tests/oracle says from the definition.
Every third telling has events that are truly late, so that the record depends on the partitions: it is compared with
the oracle alone. A failure prints the seed and leaves its files behind.
"""
import gzip
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "oracle"))
import accounts  # noqa: E402
import hidden  # noqa: E402
import known_issues  # noqa: E402
import log as logs  # noqa: E402
import miniyaml  # noqa: E402
import oracle  # noqa: E402
import releases  # noqa: E402
import rules as kinds  # noqa: E402
import verified  # noqa: E402

MINUTE = 60_000
BASE = 1_772_409_600_000  # 2026-03-02T00:00Z
LATENESS = 10 * MINUTE
TELLINGS = 20  # of one log
WAYS = ["recorded", "recorded", "recorded.gz", "files", "pipe"]
HEAP = b"x\n" * 500  # broken lines: so many fill a batch, and what stands before them is judged on its own
TYPES = ["ticket.created", "ticket.created", "page.error", "ticket.rated", "usage.activity", "account.updated", "release.deployed",
         "known_issue.updated"]
REMEMBER = ["1h", "4h", "3d", "90d"]
RELEASED = ["0s", "7m", "1h", "1d"]


def random_rules(r):
    """A configuration; at least as many minutes of resolve_after as of lateness and of the window."""
    rules = []
    for i in range(r.randint(2, 5)):
        within, floor = r.choice([(5, 10), (10, 10), (25, 25), (60, 60), (240, 240)])
        steps = sorted(r.sample([1, 2, 3, 4, 5, 7, 11], r.randint(1, 4)))
        count = ["at_least: %d" % steps[0], "within: %dm" % within]
        if floor > within or r.random() < 0.4:
            count.append("resolve_after: %dm" % (floor + r.choice([0, 1, 30])))
        if r.random() < 0.4:
            count.append("distinct: user")
        words = sorted(r.sample(range(4), len(steps)))
        severity = ", ".join("%s: %d" % (["low", "medium", "high", "critical"][w], n) for w, n in zip(words, steps))
        by = r.choice(["", "[ticket.category]", "[account]", "[ticket.category, account]", "[page, error]",
                       "[ticket.category, subject]"])
        by = "    by: %s\n" % by if by else ""
        where = r.choice(["", "", "    where: \"ticket.sentiment < 0.2 or not exists(ticket.sentiment)\"\n",
                          "    where: \"account.tier != 'free' and ticket.csat <= 4\"\n"])
        on = r.choice(["", "    on: ticket.created\n", "    on: [ticket.created, ticket.rated, page.error]\n"])
        rules.append("  r%d:\n%s%s%s    count: {%s}\n    severity: {%s}\n" % (i, on, where, by, ", ".join(count), severity))
    rules.append("  volume:\n    on: ticket.created\n    by: [ticket.category]\n    anomaly: {metric: count, bucket: 1h, "
                 "history: 12h, min_history: 3, z: 1.5, direction: both, min_count: 1}\n")
    rules.append("  rating:\n    anomaly: {metric: mean, field: ticket.csat, bucket: 30m, history: 12h, min_history: 3, "
                 "z: 1.2, direction: both, min_count: 1}\n")
    rules += [random_anomaly(r, i) for i in range(4)]
    rules += [random_new_value(r, i) for i in range(2)]
    rules += [random_ratio(r, i) for i in range(3)]
    rules += [random_quiet(r, i) for i in range(2)]
    rules += [random_deadline(r, i) for i in range(2)]
    rules += [random_health(r, i) for i in range(2)]
    rules = [rule + r.choice(["", "    verify_fixed: %dd\n" % r.choice([1, 1, 2])]) if " count: {" in rule or " new_value: {" in rule else rule
             for rule in rules]
    issues = REMEMBER[2:] if any("verify_fixed" in rule for rule in rules) else REMEMBER
    rules = [rule + r.choice(["", "", "    remind: %dm\n" % r.choice([1, 7, 25, 60])]) for rule in rules]
    return random_maintenance(r) + random_inhibits(r) + ("time: {lateness: 10m, max_future: 1h}\naccounts: {remember: %s}\n"
                                                          "releases: {within: %s}\nknown_issues: {remember: %s}\nrules:\n") % (
                                                              r.choice(REMEMBER), r.choice(RELEASED), r.choice(issues)) + "".join(rules)


def random_maintenance(r):
    """Planned silences in the hours that the log has."""
    plans = []
    for i in range(r.choice([0, 0, 1, 3])):
        parts = ["author: ops", "reason: \"a deploy\"", r.choice(["weekly: \"Mon 00:00-12:00, Tue 08:00-09:30\"", "weekly: \"Sun-Sat 03:00-21:15\"",
                                                              "from: %s, until: %s" % (logs.time_text(BASE + r.randint(0, 9) * 1800000),
                                                                                       logs.time_text(BASE + r.randint(10, 40) * 1800000))])]
        parts += r.choice([[], ["rule: \"r*\""], ["rule: \"*1\""]]) + r.choice([[], ["up_to: %s" % r.choice(["low", "medium", "high"])]])
        parts += r.choice([[], [], ["key: {ticket.category: \"b*\"}"], ["key: {account: acme}"]])
        plans.append("  plan%d: {%s}\n" % (i, ", ".join(parts)))
    return "maintenance:\n" + "".join(plans) if plans else ""


def random_inhibits(r):
    """Some rules hide some others; none does both."""
    plans = []
    for i in range(r.choice([0, 0, 1, 3])):
        equal = r.choice(["", "", ", equal: [account]", ", equal: [ticket.category]", ", equal: [account, ticket.category]"])
        plans.append("  hide%d: {source: \"%s\", hides: [%s]%s}\n" % (
            i, r.choice(["r?", "r0", "ratio*"]), r.choice(["volume, rating", "\"deadline?\", \"anomaly*\"", "\"health*\", volume"]), equal))
    return "inhibit:\n" + "".join(plans) if plans else ""


def random_anomaly(r, i):
    """Little history and low limits, so that logs of a day or two have something to show."""
    metric = r.choice(["count", "count", "sum", "mean", "ratio", "p50", "p90"])
    settings = ["metric: %s" % metric, "direction: %s" % r.choice(["both", "up", "down"]),
                r.choice(["z: 1", "z: 1.3", "z: 2", "z: 1.5, resolve_z: 0.1", "z: 1, resolve_z: 1", "method: novelty", "method: novelty, beyond: 10%",
                          "method: surprise", "method: surprise, beyond: 2%"]),
                "min_count: %d" % r.choice([0, 1, 2, 4]), "min_change: %s" % r.choice(["0%", "20%"]), "min_history: %d" % r.choice([1, 2, 3])]
    if metric == "ratio":
        settings.append("match: \"%s\"" % r.choice(["ticket.csat < 3", "ticket.sentiment < 0 or not exists(ticket.id)", "exists(error.type)"]))
    elif metric != "count":
        settings.append("field: %s" % r.choice(["ticket.csat", "ticket.sentiment", "account.mrr"]))
    bucket, history = r.choice([("7m", "2h"), ("30m", "10h"), ("1h", "12h"), ("1h", "72h"), ("1d", "5d"), ("7d", "21d"), ("month", "90d")])
    settings += ["bucket: %s" % bucket, "history: %s" % history]
    if history == "72h":
        settings.append("season: hour_of_day")
    if r.random() < 0.8:
        settings.append("contributors: [%s]" % ", ".join(r.sample(["ticket.category", "account", "account.tier", "ticket.id", "user"], r.randint(0, 5))))
    on = r.choice(["", "    on: ticket.created\n"])
    by = r.choice(["", "    by: [account]\n", "    by: [ticket.category]\n"])
    return "  anomaly%d:\n%s%s    anomaly: {%s}\n    severity: low\n" % (i, on, by, ", ".join(settings))


def random_new_value(r, i):
    """Silences as short as the log's gaps, so that there are lives that a late event joins."""
    settings = ["unseen_for: %s" % r.choice(["3m", "10m", "25m", "1h", "4h"]), "at_least: %d" % r.choice([1, 2, 3, 7]),
                "within: %s" % r.choice(["1s", "10m", "25m", "6h"])]
    if r.random() < 0.3:
        settings.append("learn_until: %s" % logs.time_text(BASE + r.randint(1, 20) * 30 * MINUTE))
    by = r.choice(["[account]", "[ticket.category]", "[error]", "[user, ticket.category]"])
    return "  new%d:\n    by: %s\n    new_value: {%s}\n    severity: medium\n" % (i, by, ", ".join(settings))


def random_ratio(r, i):
    """Few events make a bucket here, so a little is enough to be sure."""
    settings = ["match: \"%s\"" % r.choice(["ticket.csat < 3", "ticket.sentiment < 0 or not exists(ticket.id)", "exists(error.type)"]),
                "bucket: %s" % r.choice(["7m", "30m", "1h", "5h", "1d"]), "min_denominator: %d" % r.choice([1, 2, 4])]
    if r.random() < 0.5:
        settings += ["%s: %s%%" % (r.choice(["above", "below"]), r.choice(["20", "50", "66.6"])), "z: %s" % r.choice(["0.01", "0.5", "1.01"])]
    elif r.random() < 0.5:
        settings += ["against: overall", "z: %s" % r.choice(["0.2", "0.6", "1.5"]), "direction: %s" % r.choice(["both", "up", "down"]),
                     "min_change: %s" % r.choice(["0%", "10%"])]
        by = r.choice(["[account]", "[ticket.category]", "[ticket.category, user]"])
        settings[1] = "bucket: %s" % r.choice(["1h", "5h", "1d"])
        return "  ratio%d:\n    by: %s\n    ratio: {%s}\n    severity: low\n" % (i, by, ", ".join(settings))
    else:
        settings += ["history: %s" % r.choice(["30h", "60h"] if settings[1] != "bucket: 1d" else ["5d"]), "z: %s" % r.choice(["0.2", "0.6", "1.5"]),
                     "min_history: %d" % r.choice([1, 2, 4]),
                     "direction: %s" % r.choice(["both", "up", "down"]), "min_change: %s" % r.choice(["0%", "10%"])]
    by = r.choice(["", "    by: [account]\n", "    by: [ticket.category]\n", "    by: [ticket.category, user]\n"])
    return "  ratio%d:\n%s    ratio: {%s}\n    severity: low\n" % (i, by, ", ".join(settings))


def random_quiet(r, i):
    """Silences about as long as the log's gaps."""
    within = r.choice([1, 5, 25, 60, 240])
    settings = "after: {at_least: %d, within: %dm}, silent_for: %s" % (
        r.choice([1, 2, 3, 5, 60]), within, r.choice(["1s", "1m", "3m", "10m", "25m", "1h", "4h"]))
    if r.random() < 0.4:
        settings += ", give_up_after: %dm" % (within + r.choice([0, 1, 5, 60]))
    by = r.choice(["", "    by: [account]\n", "    by: [ticket.category]\n", "    by: [user, ticket.category]\n"])
    return "  quiet%d:\n%s    quiet: {%s}\n    severity: high\n" % (i, by, settings)


def random_deadline(r, i):
    """Tickets are few and events of them many, so that clocks start and stop and start again."""
    settings = ["from: %s" % r.choice(["ticket.created", "[ticket.created, page.error]"]), "until: %s" % r.choice(
        ["ticket.rated", "[ticket.rated, usage.activity]"]), "within: %s" % r.choice(["1m", "10m", "25m", "1h", "4h"])]
    severity, warnings = r.choice(["low", "medium", "high", "critical", None]), r.choice([[], [75], [50], [20, 90], [1, 50, 99]])
    most = {"low": 0, "medium": 1, "critical": 3}.get(severity, 2)
    if warnings and most:
        settings.append("warn_at: [%s]" % ", ".join("%d%%" % p for p in warnings[:most]))
    if r.random() < 0.5:
        settings.append("business_hours: \"%s\"" % r.choice(["Mon-Fri 09:00-17:00", "Mon 00:00-12:00, Mon-Wed 20:00-24:00", "Sat-Tue 04:00-04:05"]))
    if r.random() < 0.6:
        settings.append("give_up_after: %s" % r.choice(["1m", "10m", "1h", "5h"]))
    by = r.choice(["[ticket.id]", "[ticket.id]", "[user, ticket.id]", "[account]"])
    severity = "    severity: %s\n" % severity if severity else ""
    return "  deadline%d:\n    by: %s\n    deadline: {%s}\n%s" % (i, by, ", ".join(settings), severity)


def random_health(r, i):
    """Spans as short as the log, points that one or two components are enough for."""
    def span(*choices):
        return r.choice(choices or ("7m", "25m", "1h", "4h"))

    def points():
        return r.choice([0, 10, 30, 50])
    parts = ["friction: {where: \"%s\", at_least: %d, within: %s, points: %d}" % (
        r.choice(["ticket.sentiment < -0.3 or ticket.csat < 3.5", "exists(ticket.sentiment)"]), r.choice([1, 2, 3, 5]), span(), points()),
        "escalations: {on: %s, at_least: %d, within: %s, points: %d}" % (r.choice(["page.error", "[page.error, ticket.created]"]),
                                                                       r.choice([1, 2, 4]), span(), points()),
        "csat: {below: %s, fall: %s, min_ratings: %d, within: %s, points: %d}" % (r.choice(["2.5", "3.5"]), r.choice(["0", "0.5", "1"]),
                                                                                r.choice([1, 2, 4]), span("30m", "1h", "7h"), points()),
        "quiet: {%safter: {at_least: %d, within: %s}, silent_for: %s, give_up_after: %s, points: %d}" % (
            r.choice(["", "on: [usage.activity, page.error], "]), r.choice([1, 2, 6, 50]), span(), span("1s", "3m", "10m", "1h"), span(), points()),
        "weigh: {tier: {team: 1.5, top: 0.5, free: 2.125}, renewal_within: %s, renewal: %s, mrr_from: %d, mrr: %s}" % (
            r.choice(["1h", "1d", "9d"]), r.choice(["1", "1.3"]), r.choice([0, 100, 300]), r.choice(["0.7", "1.2"])),
        "at_risk: 10"]
    r.shuffle(parts)
    low = r.choice([10, 20, 40])
    parts = [p if p[:4] != "at_r" else "at_risk: %d%s" % (low, r.choice(["", ", resolve_below: %d" % (low - r.choice([0, 3, 9]))])) for p in parts]
    severity = r.choice(["high", "{medium: %d, critical: %d}" % (low + 10, low + 40), "{low: %d, high: %d}" % (low, low + 5)])
    if all("points: 0" in p for p in parts if "points" in p) or low == 40:
        parts = [p.replace("points: 0", "points: 50") for p in parts]
    return "  health%d:\n    by: [account]\n    health: {%s}\n    severity: %s\n" % (i, ", ".join(parts), severity)


def random_event(r, ms, ident):
    """A body, by probability with or without each of its parts."""
    body = {"id": ident, "type": r.choice(TYPES), "time": logs.time_text(ms)}
    ticket = {"id": "T-%d" % r.randint(1, 9), "category": r.choice(["billing", "billing", "login", "größe"]),
              "subject": "Invoice %d is wrong" % r.randint(1, 999),
              "sentiment": round(r.uniform(-1, 1), 3), "csat": round(r.uniform(1, 5), 1)}
    body["ticket"] = {k: v for k, v in ticket.items() if r.random() < 0.85}
    if r.random() < 0.8:
        body["user"] = {"id": "u%d" % r.randint(1, 6)}
    if r.random() < 0.9:
        body["account"] = {"id": r.choice(["acme", "birk", "zoë"]), "tier": r.choice(["free", "team"]), "mrr": r.randint(0, 3) * 100}
    if body["type"] == "account.updated":
        body["account"] = random_account(r)
    if body["type"] == "known_issue.updated":
        body["known_issue"] = random_issue(r)
    if body["type"] == "release.deployed":
        release = {"version": "4.%d" % r.randint(1, 9), "service": r.choice(["billing", "web", None]), "url": "https://git.example.com/%d" % r.randint(1, 3)}
        body["release"] = {k: v for k, v in release.items() if r.random() < 0.9}
    if r.random() < 0.5:
        body["page"] = {"url": "https://app.example.com/%s/%d" % (r.choice(["a", "b"]), r.randint(1, 999))}
        body["error"] = {"type": "E", "code": r.choice(["X1", "X2"]), "message": "No. %d failed" % r.randint(1, 99)}
    return body


def random_issue(r):
    """Few issues with much to say, so that one is changed often."""
    issue = {"status": r.choice(["open", "fixed", "fixed", "fixed", "resolved", "closed", "closed", None]), "title": r.choice(["Zoë's PDFs", ""]),
             "workaround": r.choice(["print it", "wait"]), "url": "https://git.example.com/i/%d" % r.randint(1, 2), "mute": r.random() < 0.5,
             "rule": r.choice(["r*", "r*", "volume", "*", "health?"]), "category": r.choice(["billing", "login"])}
    issue.update(r.choice([{}, {}, {}, {}, {"page": "/a/:id"}, {"error": "e x1 no. <int> failed"}, {"subject": "invoice <int> is wrong"}]))
    return {"id": "KI-%d" % r.randint(1, 5), **{k: v for k, v in issue.items() if r.random() < (0.1 if k == "category" else 0.5)}}


def random_account(r):
    """What a CRM says of it: some fields only, and some are null."""
    card = {"name": r.choice(["Acme", "Zoë & Co"]), "tier": r.choice(["free", "team", "top", None]), "mrr": r.choice([0, 50, 100.5, 5000, None]),
            "renewal": "2026-03-%02d" % r.randint(2, 12), "owner": "csm-%d" % r.randint(1, 3)}
    return {"id": r.choice(["acme", "birk", "zoë"]), **{k: v for k, v in card.items() if r.random() < 0.4}}


def random_log(r, rests=(0,)):
    """[(time, body)] with crowds, silences, and moments that several events share; by one of the chances `rests` there is a rest of days behind
    an event, in which fixes are verified."""
    t, out, hurry, rest = BASE, [], r.choice([1, 1, 1, 10, 100]), 0 if rests == (0,) else r.choice(rests)
    for i in range(r.randint(100, 400)):
        gap = r.choice([0, 0, 1, 1000, 7000, MINUTE, MINUTE, 3 * MINUTE, 5 * MINUTE, 10 * MINUTE, 25 * MINUTE,
                        60 * MINUTE + r.choice([-1, 0, 1])])
        t += gap // (hurry if r.random() < 0.98 else 1) + (r.randint(1, 3) * 24 * 60 * MINUTE if rest and r.random() < rest else 0)
        ident = r.choice(["e%d", "%x", "é%d", "Z%d"]) % i + ("-%d" % i)
        out.append((t, random_event(r, t, ident)))
    if rest:
        out.append((t, {"id": "fix", "type": "known_issue.updated", "time": logs.time_text(t), "known_issue": {"id": "KI-9", "rule": "*", "status": "fixed"}}))
        t += r.randint(0, 3) * 24 * 60 * MINUTE
    end = r.choice([t, t + r.choice([10, 25, 60, 240]) * MINUTE, (t // (60 * MINUTE) + 1) * 60 * MINUTE])
    return out + [(end, {"id": "end", "type": "release.deployed", "time": logs.time_text(end)})]  # edges are hit exactly


def arrivals(r, events, reach):
    """The events and some of them again, each with a moment of arrival at most `reach` after its time."""
    told = events + [r.choice(events) for _ in range(r.randint(0, len(events) // 3))]
    slow = r.choice([0, reach // 100, reach])
    delays = (r.choice([slow, 0, r.random() * slow, r.random() * slow]) for _ in told)  # often just in time
    met = [(t + delay, -t, r.random(), body) for delay, (t, body) in zip(delays, told)]  # the punctual first
    return [(moment, n, body) for moment, _, n, body in sorted(met, key=lambda m: m[:3])]


def spread(r, told):
    """(partition, body) of each delivery; the partitions merged in some way that keeps the order of each."""
    partitions = r.randint(1, 5)
    placed = [(r.randrange(partitions), body) for _, _, body in told]
    way = r.choice(["as they arrive", "one after the other", "anyhow"])
    if way == "as they arrive":
        return placed
    queues = {p: iter([d for d in placed if d[0] == p]) for p in range(partitions)}
    turns = sorted(p for p, _ in placed)
    if way == "anyhow":
        r.shuffle(turns)
    return [next(queues[p]) for p in turns]


def as_recorded(merged):
    """Lines that say where they were in Kafka."""
    offsets, out = {}, []
    for p, body in merged:
        offsets[p] = offsets.get(p, 100 * p) + 1
        when = logs.time_of(body["time"]) + 1000
        out.append((p, {**body, "kafka": {"topic": "t", "partition": p, "offset": offsets[p], "timestamp": when}}))
    return out


def written(r, merged, heaps):
    """The lines, with a heap of broken ones behind some of them."""
    lines = (json.dumps(body, ensure_ascii=r.random() < 0.5).encode() + b"\n" for _, body in merged)
    return b"".join(line + (HEAP if r.random() < heaps else b"") for line in lines)


def tell(r, events, folder, reach):
    """Writes one telling of the log; its files, or ["-"] and what to pipe."""
    merged = spread(r, arrivals(r, events, reach))
    way, heaps = r.choice(WAYS), r.choice([0, 0, 0.01, 0.03, 0.15])
    if way == "files":
        names = []
        for p in sorted({p for p, _ in merged}):
            names.append(folder / ("part%d.jsonl" % p))
            names[-1].write_bytes(written(r, [m for m in merged if m[0] == p], heaps))
        return [str(n) for n in names], b""
    data = written(r, as_recorded(merged), heaps)
    if way == "pipe":
        (folder / "piped.jsonl").write_bytes(data)  # the oracle reads it from there
        return ["-"], data
    name = folder / "log.jsonl"
    name.write_bytes(gzip.compress(data, 1) if way == "recorded.gz" else data)
    return [str(name)], b""


def replay(program, folder, paths, piped, settle):
    command = [program, "replay", "--format", "json", *(["--settle"] if settle else []), "-c", str(folder / "config.yaml"), *paths]
    done = subprocess.run(command, input=piped, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        raise Wrong("exit %d\n%s" % (done.returncode, done.stderr.decode(errors="replace")))
    return done.stdout


class Wrong(Exception):
    pass


def essence(alert):
    """What is the same in the oracle, to the letter."""
    people = alert.get("users") if alert["state"] not in ("resolved", "verified") and alert["kind"] in ("count", "new_value") else None
    seen = (alert["first_seen"], alert["last_seen"]) if alert["kind"] == "new_value" else alert["last_seen"] if alert["state"] == "verified" else None
    matched = alert.get("matched") or None  # an episode that silence ends has no figures
    health = [float(alert["score"]), [c if isinstance(c, str) else c["name"] for c in alert["components"]],
              [e if isinstance(e, str) else e["event"] for e in alert.get("evidence", [])]] if alert["kind"] == "health" else None
    reminder = alert.get("reminder"), alert.get("opened"), sorted(alert.get("silenced_by", {}).items())
    return repr((alert["time"], alert["rule"], reminder, json.dumps(alert["key"], ensure_ascii=False), alert["state"], alert["severity"],
                 alert.get("count"), people, seen, matched, health))


def other_contributors(one, other):
    """Those of both where they differ. The oracle does not always know them."""
    want, got = one.get("contributors"), other.get("contributors", [])
    if want is None or len(want) == len(got) and not any(
            (w["field"], w["value"]) != (g["field"], g["value"]) or abs(w["share"] - g["share"]) > 0.00006
            or abs(w.get("usual", -1) - g.get("usual", -1)) > 0.00006 for w, g in zip(want, got)):
        return []
    return [want, got]


def other_trend(one, other):
    """Those of both where they differ."""
    want, got = one.get("trend") or {"step": "", "values": []}, other.get("trend", {"step": "", "values": []})
    if want["step"] == got["step"] and len(want["values"]) == len(got["values"]) and not any(
            (w is None) != (g is None) or abs((w or 0) - (g or 0)) > 0.00006 for w, g in zip(want["values"], got["values"])):
        return []
    return [want, got]


def far(one, other):
    """Figures, of which the program prints four decimals."""
    figures = [n for n in ("value", "mean", "stddev", "z", "lowest", "highest", "score") if n in one]
    return [(n, one[n], other.get(n)) for n in figures if abs(one[n] - other.get(n, 1e9)) > 0.00006] + other_contributors(one, other) + other_trend(one, other)


def against_oracle(program, folder, paths, printed, settle):
    paths = [str(folder / "piped.jsonl")] if paths == ["-"] else paths
    expected, _ = oracle.confirmed(folder / "config.yaml", paths, program, settle)
    want = sorted((essence(a), n, a) for n, a in enumerate(expected))
    got = sorted((essence(a), n, a) for n, a in enumerate(map(json.loads, printed.decode().splitlines())))
    wanted, told = [w[0] for w in want], [g[0] for g in got]
    if wanted != told:
        missing, extra = [w for w in wanted if w not in told][:10], [g for g in told if g not in wanted][:10]
        raise Wrong("the oracle differs\nmissing:\n  %s\nnot expected:\n  %s" % ("\n  ".join(missing), "\n  ".join(extra)))
    against_accounts(folder, paths, [g for _, _, g in got])
    against_inhibits(folder, [json.loads(line) for line in printed.decode().splitlines()])
    against_context(folder, paths, [json.loads(line) for line in printed.decode().splitlines()])
    for (line, _, w), (_, _, g) in zip(want, got):
        if far(w, g):
            raise Wrong("other figures, of the oracle and of the program: %s %s" % (line, far(w, g)))
    return len(want)


def against_accounts(folder, paths, alerts):
    """What they say of accounts is what was last said of them."""
    config = miniyaml.load((folder / "config.yaml").read_text(encoding="utf-8"))
    events = logs.Log(paths, LATENESS).events
    for alert in alerts:
        wrong = accounts.wrong(events, alert, kinds.duration(config.get("accounts", {}).get("remember", "90d")))
        if wrong:
            raise Wrong("of its accounts: %s\n%s" % (wrong, alert))


def against_inhibits(folder, alerts):
    config = miniyaml.load((folder / "config.yaml").read_text(encoding="utf-8"))
    wrong = hidden.wrong(alerts, config.get("inhibit") or {})
    if wrong:
        raise Wrong("of what hides what: %s\n%s" % wrong)


def against_context(folder, paths, alerts):
    """What they say of releases and known issues is what was known of them."""
    config, events = miniyaml.load((folder / "config.yaml").read_text(encoding="utf-8")), logs.Log(paths, LATENESS).events
    wrong = releases.wrong(events, alerts, kinds.duration(config.get("releases", {}).get("within", "1h")))
    if wrong:
        raise Wrong("of releases: %s\n%s" % wrong)
    wrong = known_issues.wrong(events, alerts, kinds.duration(config.get("known_issues", {}).get("remember", "90d")))
    if wrong:
        raise Wrong("of known issues: %s\n%s" % wrong)
    wrong = verified.wrong(alerts) if config["known_issues"]["remember"] == "90d" else None
    if wrong:
        raise Wrong("of the accounts that a fix is to be told: %s" % wrong)


def one_log(program, seed, tellings, folder):
    r = random.Random(seed)
    zone = r.choice(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"])
    (folder / "config.yaml").write_text(random_rules(r).replace("1h}", "1h, zone: %s}" % zone, 1), encoding="utf-8")
    events, first, transitions = random_log(r, (0, 0, 0.015)), None, 0
    settle = r.random() < 0.25
    for n in range(tellings):
        late = n % 3 == 2
        paths, piped = tell(r, events, folder, LATENESS * (6 if late else 1))
        printed = replay(program, folder, paths, piped, settle)
        if late or first is None:
            transitions += against_oracle(program, folder, paths, printed, settle)
        if not late:
            first = first or printed
            if printed != first:
                (folder / "first.txt").write_bytes(first)
                raise Wrong("telling %d prints another record than the first; see first.txt" % n)
    return transitions


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    total = int(sys.argv[2]) if len(sys.argv) > 2 else int(os.environ.get("SHUFFLES", "1000"))
    seed, done, transitions = int(sys.argv[3]) if len(sys.argv) > 3 else 1, 0, 0
    while done < total:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="ticketwatch-shuffle-"))
        tellings = min(TELLINGS, total - done, max(6, total // 15))
        try:
            transitions += one_log(program, seed, tellings, folder)
        except Wrong as wrong:
            print("FAIL seed %d, files in %s\n%s" % (seed, folder, wrong))
            sys.exit(1)
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
        done, seed = done + tellings, seed + 1
    print("%d tellings, one record each; %d transitions as the oracle has them" % (done, transitions))


if __name__ == "__main__":
    main()

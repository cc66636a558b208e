#!/usr/bin/env python3
"""Makes the example log: a week at the support desk of Acme Billing, an invented product with 60 invented customers.

    generate.py                              writes week.jsonl.gz beside this file: 2026-03-02 to 2026-03-09, UTC
    generate.py --seed 7 --days 28 --scale 3 --out month.jsonl.gz
    generate.py --kafka 6 --out -            as recorded from a topic with six partitions

One event a line, in the order of arrival, as a consumer would have met them:
- work follows the clock of Berlin (story.py tells what goes wrong, and when; world.py who the customers are);
- most events arrive within seconds, 2 in 100 after minutes, never after ten; LATE events come 25 to 90 minutes behind
  their time and are too late for a lateness of 10 minutes;
- 15 in 1,000 are delivered again, byte for byte, seconds to minutes later;
- three lines are broken on purpose, so that one sees what happens to such: JSON that ends too early, an event without
  an id, an event whose time is no time. Nothing else is wrong with the log.

The same options give the same bytes on every machine and in every Python 3 (gzip's own output may differ between zlib
versions; what is inside does not). --days beyond seven puts quiet weeks before the story, which needs a Monday as its
first day to fall on the right weekdays. --scale multiplies everyday work and leaves the story as it is.
"""
import argparse
import datetime
import gzip
import json
import pathlib
import sys

import phrases
import story
from world import DAY, HOUR, MINUTE, Dice, card, next_shift, read_accounts, rhythm, user_of

LATE = 20
CHANNELS = [("e-mail", 40), ("chat", 35), ("form", 18), ("phone", 7)]
TEAMS = {"billing": "billing-eu", "login": "platform", "exports": "data", "integrations": "platform", "reporting": "data",
         "team": "success", "mobile": "apps", "other": "success"}
SCORES = [(5, 50), (4, 30), (3, 12), (2, 5), (1, 3)]
SLUMP_SCORES = [(5, 8), (4, 12), (3, 20), (2, 25), (1, 35)]


class Week:
    """The events so far, and the verbs the story is told with."""

    def __init__(self, options):
        self.dice = Dice(options.seed)
        self.start = options.start
        self.end = self.start + options.days * DAY
        self.story_start = self.start + max(0, options.days - 7) * DAY
        self.scale = options.scale
        self.accounts = read_accounts(self.dice)
        self.by_weight = [(a, a["weight"]) for a in self.accounts]
        self.events = []
        self.tickets = 1000

    def at(self, day, hour):
        return int(self.story_start + day * DAY + hour * HOUR)

    def account(self):
        return self.dice.weighted(self.by_weight)

    def add(self, ms, kind, account, members):
        """Keeps an event unless it falls outside the log or its account has fallen silent."""
        if not self.start <= ms < self.end:
            return
        if account and ms >= self.story_start + story.SILENT.get(account["id"], 1e9) * DAY:
            return
        ident = "evt-%08x" % ((len(self.events) + 1) * 2654435761 % 2**32)  # each once, in no order
        self.events.append((ms, {"id": ident, "type": kind, "time": iso(ms), **members}))

    def page_error(self, ms, account, place, error, users=0):
        path, action = (phrases.filled(self.dice, p) for p in place)
        kind, code, text = error
        user = "u-%s-%d" % (account["id"], self.dice.between(1, users)) if users else user_of(account, self.dice)
        shown = {"type": kind, "code": code, "message": phrases.filled(self.dice, text)}
        self.add(ms, "page.error", account, {
            "user": {"id": user}, "account": card(account),
            "page": {"url": "https://app.example.com" + path, "action": action},
            "error": {k: v for k, v in shown.items() if v is not None}})

    def ticket(self, ms, account, category, subject=None, sentiment=None):
        """A ticket and all that becomes of it. Sentiment in hundredths; one in a hundred is cross without a story."""
        dice = self.dice
        self.tickets += 1
        if sentiment is None:
            sentiment = dice.between(-80, -31) if dice.chance(0.008) else dice.between(-29, 70)
        ticket = {"id": "T-%d" % self.tickets, "subject": subject or phrases.subject(dice, account["tongue"], category),
                  "description": dice.pick(phrases.BODIES[account["tongue"]].split("|")), "status": "open",
                  "priority": "high" if sentiment < -50 else dice.pick(["low", "normal", "normal", "normal"]),
                  "channel": dice.weighted(CHANNELS), "category": category, "feature": phrases.FEATURES[category],
                  "product_version": story.version_at(self.story_start, ms), "team": TEAMS[category], "agent": None,
                  "locale": account["tongue"], "sentiment": sentiment / 100, "csat": None, "escalated": False}
        Case(self, account, ticket, {"id": user_of(account, dice)}).live(ms)


class Case:
    """One ticket from its creation to its rating."""

    def __init__(self, week, account, ticket, user):
        self.week, self.account, self.ticket, self.user = week, account, ticket, user

    def tell(self, ms, kind, **changes):
        self.ticket.update(changes)
        self.week.add(ms, kind, self.account, {"ticket": dict(self.ticket), "user": self.user, "account": card(self.account)})
        self.ticket.pop("description", None)  # only the first event carries the text

    def live(self, ms):
        dice = self.week.dice
        self.tell(ms, "ticket.created")
        ms = next_shift(ms + dice.between(3, 90) * MINUTE + dice.between(0, 59_999), dice)
        self.tell(ms, "ticket.first_response", status="pending", agent="a-%d" % dice.between(1, 14))
        if self.ticket["channel"] == "chat":
            self.chat_ends(ms)
        for _ in range(dice.weighted([(0, 30), (1, 35), (2, 25), (3, 10)])):
            ms = next_shift(ms + dice.between(15, 300) * MINUTE + dice.between(0, 59_999), dice)
            self.tell(ms, "ticket.updated", status=dice.pick(["open", "pending"]))
        if dice.chance(0.3 if self.ticket["sentiment"] < -0.5 else 0.02):
            ms = ms + dice.between(5, 60) * MINUTE
            self.tell(ms, "ticket.escalated", escalated=True, priority="urgent")
        self.resolve(next_shift(ms + dice.between(10, 600) * MINUTE + dice.between(0, 59_999), dice))

    def chat_ends(self, ms):
        dice = self.week.dice
        minutes = dice.between(4, 40)
        self.week.add(ms + minutes * MINUTE + dice.between(0, 59_999), "conversation.finished", self.account, {
            "conversation": {"id": "c-" + self.ticket["id"][2:], "minutes": minutes, "messages": dice.between(4, 30)},
            "ticket": {k: self.ticket[k] for k in ("id", "category", "channel", "agent", "sentiment")},
            "user": self.user, "account": card(self.account)})

    def resolve(self, ms):
        dice = self.week.dice
        self.tell(ms, "ticket.resolved", status="solved")
        if dice.chance(0.06):
            ms = ms + dice.between(20, 900) * MINUTE
            self.tell(ms, "ticket.reopened", status="open")
            ms = next_shift(ms + dice.between(30, 500) * MINUTE, dice)
            self.tell(ms, "ticket.resolved", status="solved")
        if dice.chance(0.45):
            ms = ms + dice.between(5, 240) * MINUTE + dice.between(0, 59_999)
            bad = story.slump(self.week.story_start, ms)
            self.tell(ms, "ticket.rated", csat=dice.weighted(SLUMP_SCORES if bad else SCORES))


def iso(ms):
    seconds, rest = divmod(ms, 1000)
    when = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return when.strftime("%Y-%m-%dT%H:%M:%S") + ".%03dZ" % rest


def everyday(week):
    """Hour by hour and account by account: tickets, use of the product, changed contracts."""
    dice = week.dice
    for hour in range(week.start, week.end, HOUR):
        for account in week.accounts:
            busy = rhythm(hour, account["offset"]) * account["weight"] * week.scale
            for t in dice.moments(hour, HOUR, 0.3 * busy):
                week.ticket(t, account, dice.weighted([(c, 10 - i) for i, c in enumerate(phrases.CATEGORIES)]))
            for t in dice.moments(hour, HOUR, 2.1 * busy):
                use = {"feature": dice.pick(["invoices", "exports", "dashboards", "webhooks", "roles", "app"]), "actions": dice.between(1, 40)}
                week.add(t, "usage.activity", account, {"user": {"id": user_of(account, dice)},
                                                        "account": {"id": account["id"], "tier": account["tier"]}, "usage": use})
            for t in dice.moments(hour, HOUR, 0.012 * busy):
                week.add(t, "account.updated", account, {"account": card(account)})
        noise(week, hour)


def noise(week, hour):
    """Errors that nobody should be told about: a page and a message that hardly ever meet twice."""
    dice = week.dice
    for t in dice.moments(hour, HOUR, (2 + 16 * rhythm(hour)) * week.scale):
        path = "/" + dice.pick(phrases.PAGES) + (dice.pick(["", "/{id}", "/{uuid}", "/{id}?from=mail"]))
        week.page_error(t, week.account(), (path, dice.pick(["open", "save", "click"])), dice.pick(phrases.ERRORS))


def delay(dice):
    kind = dice.random()
    if kind < 0.90:
        return dice.between(150, 3_000)
    return dice.between(3_000, 60_000) if kind < 0.98 else dice.between(60_000, 8 * MINUTE)


def arrivals(week):
    """(arrival, order, event), sorted: what the network made of the week."""
    dice, met = week.dice, []
    late = set()
    while len(late) < min(LATE, len(week.events) // 100):  # while others work, so that they are overtaken
        i = dice.between(0, len(week.events) - 1)
        if rhythm(week.events[i][0]) >= 0.9 and week.events[i][0] + 2 * HOUR < week.end:
            late.add(i)
    for i, (ms, event) in enumerate(week.events):
        if i in late:
            met.append((ms + dice.between(25, 90) * MINUTE, len(met), ms, event))
            continue
        first = ms + delay(dice)
        met.append((first, len(met), ms, event))
        if dice.chance(0.015):
            again = min(first + dice.between(2_000, 240_000), ms + 9 * MINUTE + 30_000)
            met.append((again, len(met), ms, event))
    met.sort(key=lambda m: m[:2])
    return met


def partition_of(event, partitions):
    """The key a producer would use: the account, else the ticket, else the event. FNV-1a, 32 bits."""
    key = (event.get("account") or event.get("ticket") or event)["id"]
    h = 2166136261
    for byte in key.encode():
        h = (h ^ byte) * 16777619 % 2**32
    return h % partitions


def lines(week, partitions):
    offsets = [0] * max(1, partitions)
    met = arrivals(week)
    for n, (arrival, _, _, event) in enumerate(met):
        if partitions:
            p = partition_of(event, partitions)
            event = {**event, "kafka": {"topic": "support.tickets", "partition": p, "offset": offsets[p], "timestamp": arrival}}
            offsets[p] += 1
        text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        yield text
        for share, broken in BROKEN:
            if n == int(len(met) * share):
                yield broken(text, event)


BROKEN = [(0.2, lambda text, event: text[:len(text) // 2]),
          (0.5, lambda text, event: json.dumps({k: v for k, v in event.items() if k not in ("id", "kafka")}, ensure_ascii=False)),
          (0.8, lambda text, event: json.dumps({"id": "evt-no-time", "type": "usage.activity", "time": "yesterday, about noon"}))]


def monday(text):
    day = datetime.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=datetime.timezone.utc)
    return int(day.timestamp()) * 1000


def arguments(argv):
    here = pathlib.Path(__file__).resolve().parent
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0], epilog="More at the top of this file.")
    p.add_argument("--seed", type=int, default=20260302)
    p.add_argument("--days", type=int, default=7)
    p.add_argument("--start", type=monday, default=monday("2026-03-02"), help="first day, YYYY-MM-DD, best a Monday")
    p.add_argument("--scale", type=float, default=1.0, help="everyday work, 1 = about 28,000 events in a week")
    p.add_argument("--kafka", type=int, default=0, metavar="N", help="add the kafka member, over N partitions")
    p.add_argument("--out", default=str(here / "week.jsonl.gz"), help="file (.gz is compressed) or - for stdout")
    return p.parse_args(argv)


def write(out, text):
    data = text.encode()
    if out == "-":
        sys.stdout.buffer.write(data)
    elif out.endswith(".gz"):
        with open(out, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as f:
            f.write(data)
    else:
        pathlib.Path(out).write_bytes(data)


def main():
    options = arguments(sys.argv[1:])
    week = Week(options)
    everyday(week)
    story.tell(week)
    write(options.out, "".join(line + "\n" for line in lines(week, options.kafka)))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""The protocol of docs/once.md as an executable model: random schedules of faults against an oracle.

    model.py N               N schedules of the whole protocol, N in which rules change, N that are hard on one journal:
                             exit 1 if one is bad
    model.py N no_RULE...    up to N schedules without a rule (rules.py), its own first: exit 1 if none is bad
    model.py N all           both, but for the rules of which no bad schedule is known
    model.py -v SEED [no_RULE]
    model.py strict ...      also: every mirror at the tail is the fold of all entries there ever were (M)

World   Kafka partitions with bounded disorder, late events and repetitions; commits with metadata; Redis as shards
        (shard.py, journal.py), each a live state and its last durable copy; pods as coroutines (pod.py, follower.py) with
        mirrors of journals (mirror.py). A script is atomic, but the call or its reply can be lost, and it can run late,
        when its caller is long gone.
Faults  crash, stall (zombie), rebalance, no owner, rollback, also of the last few calls, wipe, wipe after wipe, rollback
        into a rebuild, Kafka away for one pod, late commits, receiver down, slow and lost POSTs, a topic made anew.
Rules   come and go (changes.py); a rule that comes has what it should from then on, but for episodes that were open
Checks  when all is quiet; the expected alerts are a pure function of the log
  C  the surviving record holds every expected alert since its R exactly once, and nothing else
  L  every expected alert was delivered      X  nothing else was
  O  outbox entries per alert and state <= 1 + losses of the shard
  S  a state made after a loss says nothing that has its time before the u that was read from the commits
  E  windows that wait or are due have records
  M  (strict) a mirror at the tail of a journal is the fold of all its entries, also of what was trimmed
  D  POSTs per alert and state <= 1 + losses + answers that were not known      T  it ends
"""
import collections
import random
import sys
import time

from changes import CHANGES, CONTEND, Changes
from checks import Checks
from follower import LOST
from kinds import BUCKET, HISTORY, LATENESS, NEG, WITHIN, base_run, cell, count_run, kind_of
from pod import Pod
from rules import OF_CHANGES, OF_JOURNAL, RULES, M, Tried
from shard import Shard

STEPS_MAX, STRICT = 15000, False
FAULTS = (
    ("crash", "crash", "stall", "rebalance", "rebalance", "unowned", "rollback", "wipe", "away", "sink"),
    ("crash", "stall", "rebalance", "unowned", "away", "sink"),  # Redis loses nothing
    ("wipe", "wipe", "rollback", "rebalance", "crash", "stall"),
    ("wipe", "sink", "sink", "wipe", "away", "stall"),
    ("anew", "anew", "rebalance", "stall", "wipe", "rollback"),
    ("rollback", "rollback", "rollback", "crash", "stall", "rebalance"),
)
Event = collections.namedtuple("Event", "time id key hash note")


class World(Changes, Checks):
    def __init__(o, seed, off, told=False):
        r = o.r = random.Random(seed)
        o.off, o.told, o.number = off, told, 0
        o.partitions, o.shards_n = r.choice((2, 3)), r.choice((1, 1, 2))
        o.quiet_for, o.record_for = r.choice((6, 9)), r.choice((2, 4, 12))
        o.kinds = r.choice((("count",), ("count", "base"), ("base",)))
        o.quiet = o.partitions - 1 if r.random() < 0.4 else None  # a partition with nearly no traffic
        o.late_share, o.again_share = r.choice((0, 0.1, 0.3)), r.choice((0, 0.1))
        o.look_share, o.faults = r.choice((1, 1, 0.4, 0.1)), r.choice(FAULTS)
        o.late_speed = r.choice((0.1, 0.02))
        o.keep, o.trim_share, o.squeeze_share = r.choice((3, 6, 20)), r.choice((0, 0.3, 1)), r.choice((0, 0.05))
        o.sync_share = r.choice((0.03, 0.03, 0.2))
        o.broken, o.strict, o.loads, o.reloads = None, STRICT, 0, 0
        o.behind = r.choice((0, 0, 25))  # the topic is filled with events of so long ago
        o.logs, o.top = [[] for _ in range(o.partitions)], [None] * o.partitions
        o.commits, o.late, o.posts, o.said = {}, [], [], []
        o.unsure, o.losses, o.away_until = collections.Counter(), collections.Counter(), {}
        o.now = o.step = o.sink_down = 0
        o.done, o.budget, o.planned = None, r.randint(2, 12), []
        (o.end, o.fault_share), o.shorter = r.choice(((50, 0.015), (80, 0.01), (130, 0.005))), r.random() < 0.5
        o.mode, o.last, o.home = dict.fromkeys("ab", "silent"), dict.fromkeys("ab", 0), dict.fromkeys("ab", 0)
        o.lost_share, o.slow_load = 0.02, 1
        if seed >= CONTEND:
            o.contend()
        for p in range(o.partitions if o.behind else 0):
            o.append(p, 0, "-")
        o.prepare_changes(seed)
        o.shards = [Shard(o, i) for i in range(o.shards_n)]
        o.durable = [Shard(o, i) for i in range(o.shards_n)]
        pods = r.choice((2, 3)) if seed < CONTEND else 3
        o.config = [o.first_rules] * pods
        o.pods = [Pod(o, i) for i in range(pods)]
        o.owner = [r.randrange(len(o.pods)) for _ in range(o.partitions)]

    def contend(o):
        """Many pods, short memories, and a Redis that loses little, but often."""
        o.shards_n, o.keep, o.trim_share, o.squeeze_share = 1, o.r.choice((2, 3, 5)), o.r.choice((1, 0.2)), o.r.choice((0, 0.2))
        o.faults = ("blink",) * 5 + ("rollback", "crash", "crash", "stall", "rebalance")
        o.quiet, o.slow_load = o.partitions - 1 if o.r.random() < 0.6 else None, 4
        o.end, o.fault_share, o.budget, o.lost_share, o.late_speed = 45, 0.05, 40, 0.06, 0.1

    def on(o, rule):
        return rule not in o.off

    def log(o, *words):
        if o.told:
            print(o.step, o.clock(), *words)

    def unique(o):
        o.number += 1
        return o.number

    def clock(o):
        return o.now + o.behind + ((o.step - o.done) // 4 if o.done else 0)

    def away(o, pod):
        return o.away_until.get(pod, 0) > o.step

    def windows(o, key, rules):
        """Those of ":2" are of one key only: what one rule holds need not concern another."""
        return [(x, key) for x in sorted(rules) if key == "b" or ":2" not in x] if key in o.mode else []

    def shard_of(o, wid):
        return (ord(wid[1]) + len(wid[0])) % o.shards_n

    def same(o, p, offset, last_hash):
        """Whether the record before the offset is still the one with this hash."""
        log = o.logs[p]
        return offset <= len(log) and (offset == 0 or last_hash is None or log[offset - 1].hash == last_hash)

    # -- the log

    def produce(o):
        r = o.r
        if o.done:
            return
        if o.now >= o.end:  # an event far behind the others closes everything
            last = o.end + o.quiet_for + (HISTORY + 3) * BUCKET + LATENESS
            for p in range(o.partitions):
                if p != o.quiet:
                    o.append(p, last, "-")
            o.now, o.done = last + 2 * LATENESS, o.step
            return
        o.now += r.random() < 0.4
        k = r.choice("ab")
        if r.random() < 0.06:
            o.mode[k], o.home[k] = r.choice("silent sparse burst burst long long".split()), r.randrange(o.partitions)
        p = o.home[k] if r.random() < 0.8 else r.randrange(o.partitions)
        p = 0 if p == o.quiet and r.random() < 0.9 else p
        if p != o.quiet and o.top[p] is not None and r.random() < o.late_share:
            o.append(p, o.top[p] - LATENESS - r.randint(1, WITHIN), k)
        elif p != o.quiet and r.random() < o.again_share:
            o.repeat(p)
        elif r.random() < {"silent": 0, "sparse": 0.2, "burst": 1, "long": o.now - o.last[k] >= o.quiet_for - 3}[o.mode[k]]:
            o.last[k] = o.now
            o.append(p, max(0, o.now - r.randint(0, LATENESS - 1)), k)

    def append(o, p, t, k):
        late = o.top[p] is not None and t < o.top[p] - LATENESS
        o.logs[p].append(Event(t, "e%d" % o.unique(), k, o.unique(), "late" if late else ""))
        o.top[p] = t if o.top[p] is None else max(t, o.top[p])

    def repeat(o, p):
        top = NEG if o.top[p] is None else o.top[p]
        old = [e for log in o.logs for e in log if e.time <= top and not e.note]
        if old:
            o.logs[p].append(o.r.choice(old)._replace(hash=o.unique(), note="again"))

    def make_anew(o, p):
        """The topic is restored from a copy: the same events, at other offsets."""
        new = []
        for e in o.logs[p]:
            if e.note != "again" or not o.shorter or o.r.random() < 0.5:
                new.append(e)
            if not e.note and not o.shorter and o.r.random() < 0.1:
                new.append(e._replace(hash=o.unique(), note="again"))
        o.logs[p] = new

    def expected(o):
        """Window -> its transitions."""
        events = collections.defaultdict(set)
        for log in o.logs:
            top = None
            for e in log:
                if top is None or e.time >= top - LATENESS:
                    for wid in o.windows(e.key, o.all_rules):
                        events[wid].add((e.time, e.id))
                top = e.time if top is None else max(e.time, top)
        runs = {"count": lambda e: count_run(e, o.quiet_for), "base": lambda e: base_run(e, NEG, True)}
        return {wid: runs[kind_of(wid[0])](tuple(sorted(e))) for wid, e in events.items()}

    # -- faults

    def fault(o):
        r, kind = o.r, o.r.choice(o.faults)
        o.budget -= 1
        pod, shard, p = r.choice(o.pods), r.randrange(o.shards_n), r.randrange(o.partitions)
        o.log("FAULT", kind, "pod", pod.number, "shard", shard, "partition", p)
        if kind in ("crash", "stall"):
            if pod.posting:
                o.unsure[pod.posting] += 1
            if kind == "crash":
                pod.boot()
            pod.stalled = o.step + r.randint(0, 60 if kind == "crash" else 400)
            if r.random() < 0.7:
                o.owner = [r.randrange(len(o.pods)) if x == pod.number else x for x in o.owner]
        elif kind == "rebalance":
            o.owner[p] = r.randrange(len(o.pods))
        elif kind == "unowned":
            o.owner[p] = None
            o.planned.append((o.step + r.randint(20, 300), "owned", p))
        elif kind in ("rollback", "wipe"):
            o.lose(kind, shard)
            if kind == "wipe" and r.random() < 0.5:
                o.planned.append((o.step + r.randint(5, 60), "sync", shard))
                o.planned.append((o.step + r.randint(20, 200), r.choice(("rollback", "wipe")), shard))
        elif kind == "blink":  # the last few calls are lost
            o.planned += [(o.step, "sync", shard), (o.step + r.randint(1, 12), "rollback", shard)]
        elif kind == "away":
            o.away_until[pod.number] = o.step + r.randint(10, 100)
        elif kind == "sink":
            o.sink_down = o.step + r.randint(50, 600)
        elif kind == "anew":
            o.make_anew(p)
            if r.random() < 0.5:
                o.planned.append((o.step + r.randint(0, 60), r.choice(("rollback", "wipe")), shard))

    def lose(o, kind, shard):
        o.losses[shard] += 1
        if kind == "wipe":
            o.durable[shard] = Shard(o, shard)
        o.shards[shard] = o.durable[shard].copy()

    def plan(o):
        due = [x for x in o.planned if x[0] <= o.step]
        o.planned = [x for x in o.planned if x[0] > o.step]
        for _, kind, which in due:
            o.log("PLANNED", kind, which)
            if kind == "owned":
                o.owner[which] = o.r.randrange(len(o.pods))
            elif kind == "replace":
                o.replace(*which)
            elif kind == "sync":
                o.durable[which] = o.shards[which].copy()
            else:
                o.lose(kind, which)

    # -- one schedule

    def run_script(o, place, epoch, name, args):
        s = o.shards[place[0]]
        if epoch is not None and s.epoch != epoch:
            return "EPOCH"
        if place[1] is not None:
            s = s.lanes.get(place[1])
        return getattr(s, name)(*args) if s else "EPOCH"

    def turn(o, pod):
        call, pod.reply = pod.run.send(pod.reply), None
        if call is None:
            return
        if o.budget == 0 or o.r.random() > o.lost_share:
            pod.reply = o.run_script(*call)
            return
        pod.reply, fate = LOST, o.r.choice(("dropped", "late", "done"))
        o.log("LOST", pod.number, call[0], call[2], fate)
        if pod.posting:
            o.unsure[pod.posting] += 1
        if fate == "late":
            o.late.append(lambda: o.run_script(*call))
        elif fate == "done":
            o.run_script(*call)

    def run(o):
        r, quiet = o.r, 0
        while quiet < 25:
            o.step += 1
            if o.step > STEPS_MAX:
                return "T: it does not end"
            x = r.random()
            if x < 0.15:
                o.produce()
            elif x > 1 - o.fault_share and o.budget > 0 and o.now > o.end // 8:
                o.fault()
            if r.random() < o.sync_share:
                shard = r.randrange(o.shards_n)
                o.durable[shard] = o.shards[shard].copy()
            o.change()
            o.plan()
            if o.late and r.random() < o.late_speed:
                o.late.pop(r.randrange(len(o.late)))()
            ready = [p for p in o.pods if p.stalled <= o.step]
            if ready:
                o.turn(r.choice(ready))
            if o.broken:
                return o.broken
            if o.step % 4 == 0:
                quiet = quiet + 1 if o.done and o.all_quiet() else 0
        return o.verdict()

    def all_quiet(o):
        if o.step - o.done > 300 and o.budget and o.r.random() < 0.2:
            o.budget -= 1  # faults come to an end
        if o.budget or o.late or o.planned:
            return False
        end = o.now - 3 * LATENESS
        for s in o.shards:
            places = [s.cursor.get(p, (0, -1))[1] for p in range(o.partitions)]
            if s.lanes or s.rakes or set(s.rules) != o.last_rules:
                return False
            if s.outbox or s.waiting or s.w < end or min(s.due.values(), default=end + 1) <= end:
                return False
            if places != [len(x) for x in o.logs]:
                return False
        return True


def schedule(seed, off=(), told=False):
    o = World(seed, frozenset(off), told)
    return o, o.run()


def series(seeds, rule=None, first=False):
    """True if the whole protocol is never bad, or without the rule sometimes. first: the first bad one is enough."""
    begun, n, bad, total, shown = time.time(), 0, collections.Counter(), collections.Counter(), {}
    for seed in seeds:
        n += 1
        o, fault = schedule(seed, [rule] if rule else [])
        total.update(alerts=len(o.said), losses=sum(o.losses.values()), renamed=getattr(o, "renamed", 0))
        if fault:
            bad[fault[0]] += 1
            shown.setdefault(fault[0], "    seed %d  %s" % (seed, fault))
            if first:
                break
    name = "no_" + rule if rule else "whole protocol"
    print("%-18s %6d schedules %5d bad %s %s %.0f s" % (name, n, sum(bad.values()), dict(bad), dict(total), time.time() - begun))
    print(*[x[:400] for x in shown.values()], sep="\n", end="\n" if shown else "")
    sys.stdout.flush()
    return bool(bad) == bool(rule)


def main(args):
    global STRICT
    if args[:1] == ["strict"]:
        STRICT, args = True, args[1:]
    if args[:1] == ["-v"]:
        o, fault = schedule(int(args[1]), [x[3:] for x in args[2:]], True)
        print(*o.logs, *o.expected().items(), fault or "all is well", sep="\n")
        return fault is not None
    n, words, strict = int(args[0]) if args else 1000, args[1:], STRICT
    kinds = [(range(i, i + n), rules) for i, rules in ((0, RULES), (CHANGES, OF_CHANGES), (CONTEND, OF_JOURNAL))]
    fine = []
    if words in ([], ["all"]):
        fine += [series(seeds) for seeds, _ in kinds]
    for seeds, rules in kinds:
        for x, (seed, _) in rules.items():
            if "no_" + x in words or (words == ["all"] and not isinstance(seed, Tried)):
                STRICT = strict or isinstance(seed, M)
                fine.append(series([seeds[0] + int(seed), *seeds], x, True))
    return not all(fine)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

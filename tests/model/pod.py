"""A pod of the model: a coroutine that yields at every script and wherever it may be stopped."""
from follower import LOST, Follower
from kinds import LATENESS, LOOKBACK, NEG, Judge, kind_of
from shard import MISPLACED

LEASE, MARKS = 60, 8


class Pod(Follower):
    def __init__(p, o, number):
        p.o, p.number, p.stalled = o, number, 0
        p.boot()

    def boot(p):
        p.name, p.posting, p.reply, p.run = p.o.unique(), None, None, p.main()
        p.at = {}  # partition -> where every shard and lane stands, its log, its marks
        p.made, p.horizon = {}, {}  # of each (shard, lane or None)
        p.rules, p.names = p.o.config[p.number], {}  # ours; shard -> rule -> its lane, at first
        p.imposed, p.accepted, p.replaced, p.since = set(), 0, set(), {}
        p.seen_w, p.judged_here, p.checked = {}, set(), {}
        p.mirrors, p.known, p.mine = {}, {}, set()  # of each place; the watermark that came last

    def call(p, place, name, *args):
        reply = LOST
        if place in p.made:
            reply = yield (place, p.made[place][0], name, args)
        if reply == "EPOCH":
            p.drop(place[0])
            return LOST
        return reply

    def drop(p, shard):
        """Nothing is known of the shard any more."""
        for made in (p.made, p.horizon):
            for place in [x for x in made if x[0] == shard]:
                if made is p.made or p.o.changing:
                    made.pop(place)
        for place in [x for x in p.mirrors if x[0] == shard and p.o.on("mirror_epoch")]:
            del p.mirrors[place]
        p.at.clear()

    def places(p, shard):
        return [x for x in p.made if x[0] == shard]

    def main(p):
        o = p.o
        while True:
            owned = [q for q in range(o.partitions) if o.owner[q] == p.number]
            p.at = {q: at for q, at in p.at.items() if q in owned and at["log"] is o.logs[q]}
            p.checked = {q: log for q, log in p.checked.items() if q in owned and log is o.logs[q]}
            for q in owned:
                if not p.replaced:
                    yield from p.partition(q)
                elif o.r.random() < 0.5:
                    o.owner[q] = o.r.randrange(len(o.pods))
            for shard in range(o.shards_n):
                if (yield from p.open(shard)) and o.r.random() < o.look_share:
                    for place in p.places(shard):
                        yield from p.look(place)
                if not p.replaced and o.r.random() < 0.3:
                    yield from p.ask_horizon(shard)
                if not p.replaced and o.changing:
                    yield from p.mend(shard)
                yield from p.deliver(shard)
            yield None

    def open(p, shard):
        """Where there is no state one is made, of what the commits of all partitions say."""
        o = p.o
        if (shard, None) in p.made:
            return True
        impose = shard not in p.imposed
        fresh = o.unique() if o.changing else 0
        reply = yield ((shard, None), None, "open", (p.rules, impose, p.accepted, fresh))
        if reply == LOST or (reply is None and o.away(p.number)):
            return False
        if reply is None:
            found = [c["horizon"] for c in o.commits.values()]
            knew = {c["horizon"][0]: c["rules"] for c in o.commits.values()}
            key = (lambda h: (h[0], -h[2])) if o.on("max") else (lambda h: (-h[0], h[2]))
            past = max(found, key=key, default=(NEG, NEG, NEG))
            knew = knew.get(past[0], p.rules)
            if past[1] > NEG and o.on("own_t"):  # the commits may be those of a configuration that looked back less
                past = (*past[:2], min(past[2], past[1] - max(LOOKBACK[kind_of(x)] for x in p.rules)))
            o.log("FOUND", p.number, "shard", shard, past)
            for _ in range(o.r.choice((0, 1, 8))):
                yield None
            read_u = max((h[0] for h in found), default=NEG)
            reply = yield ((shard, None), None, "make", (o.unique(), past, read_u, p.rules, p.accepted, knew))
            if reply == LOST:
                return False
        epoch, made, mine, generation, gens, lanes, since = reply
        if not mine:
            p.replaced.add(shard)
            o.log("REPLACED", p.number, "shard", shard)
            return False
        p.imposed.add(shard)
        p.replaced.discard(shard)
        p.accepted = max(p.accepted, generation)
        p.made[shard, None] = epoch, made
        for g, lane_made in lanes.items():
            p.made[shard, g] = epoch, lane_made
        p.names[shard] = gens
        p.since.update(since)
        p.at.clear()
        return True

    # -- partitions

    def place(p, q):
        """Where every shard stands; true when all are known."""
        o = p.o
        marks = o.commits[q]["marks"] if q in o.commits else ()
        marks = [m for m in marks if o.same(q, m[0], m[2]) or not o.on("mark_hash")]
        at = {"log": o.logs[q], "cursor": {}, "high": {}, "marks": marks}
        for shard in range(o.shards_n):
            if o.away(p.number) or not (yield from p.open(shard)):
                return
            for place in p.places(shard):
                if not (yield from p.place_one(q, at, place)):
                    return
        if {x for x in p.made} == set(at["cursor"]):
            p.at[q], p.checked[q] = at, at["log"]

    def place_one(p, q, at, place):
        o = p.o
        reply = yield from p.call(place, "place", q)
        if reply == LOST:
            return False
        cursor, high, last_hash = reply
        if cursor is None:
            yield from p.begin(q, place, at["marks"])
            return False
        check = o.on("incarnation") and (o.on("recheck") or q not in p.checked)
        if check and not o.same(q, cursor[1], last_hash):
            o.log("REMADE", p.number, "shard", place, "partition", q)
            yield from p.call(place, "remade", q, cursor)
            return False
        at["cursor"][place], at["high"][place] = cursor, high
        return True

    def begin(p, q, shard, marks):
        """At the last mark before the state's T; without one, or without a past, at the beginning."""
        o = p.o
        from_t = p.made[shard][1][2]
        if not o.on("state_t"):
            from_t = max((c["horizon"] for c in o.commits.values()), default=(0, 0, NEG))[2]
        before = [m for m in marks if m[1] is not None and m[1] < from_t]
        [(start, high, last_hash)] = (before if o.on("marks") else marks)[-1:] or [(0, None, None)]
        o.log("BEGIN", p.number, "shard", shard, "partition", q, "at", start, high)
        high, last_hash = high if o.on("high") else None, last_hash if o.on("mark_hash") else None
        yield from p.call(shard, "begin", q, (o.unique(), start), high, last_hash)

    def partition(p, q):
        o = p.o
        if q not in p.at:
            yield from p.place(q)
        if q not in p.at:
            return
        at, asked = p.at[q], o.clock()
        yield None
        if o.away(p.number) or at["log"] is not o.logs[q]:
            return
        start = min(c[1] for c in at["cursor"].values())
        stops = [c[1] for c in at["cursor"].values() if c[1] > start]
        batch = at["log"][start : min([start + o.r.randint(1, 12)] + stops)]
        if o.r.random() < 0.3:
            yield None
        placed = True
        for shard in [x for x, c in at["cursor"].items() if c[1] == start]:
            placed = placed and (yield from p.take_batch(q, at, shard, start, batch, asked))
        if not placed:
            p.at.pop(q, None)
        elif q in p.at and o.r.random() < 0.5:
            p.commit(q, at)

    def take_batch(p, q, at, shard, start, batch, asked):
        o, cursor, end, last = p.o, at["cursor"][shard], start + len(batch), batch[-1].hash if batch else None
        items, high = p.accept(batch, start, at["high"][shard], shard)
        reply = yield from p.write(shard, (q, cursor, end, high, last), items)
        if reply in (LOST, MISPLACED):
            return False
        at["cursor"][shard], at["high"][shard] = (cursor[0], end), high
        yield from p.judge(shard, *reply)
        if not batch and o.r.random() < 0.7:
            reply = yield from p.call(shard, "idle_at", q, cursor, asked, o.r.random() < 0.5)
        return reply not in (LOST, MISPLACED)

    def accept(p, batch, start, high, shard):
        """The events that are not late, and the largest event time behind them."""
        o, items = p.o, []
        for offset, e in enumerate(batch, start):
            limit = NEG if high is None else high - LATENESS
            if not o.on("local_late"):
                limit = p.seen_w.get(shard, NEG)
            if e.time >= limit:
                items.append((offset, e.time, e.id, p.windows(e.key, shard)))
            high = e.time if high is None else max(high, e.time)
        return items, high

    def windows(p, key, place):
        """Those of the key that lie in the shard and were filled by the lane, or by none that is still one."""
        shard, lane = place
        mine = [x for x in p.o.windows(key, p.rules) if p.o.shard_of(x) == shard]
        gens = p.names[shard]
        here = [x for x in mine if x[0] in gens and (gens[x[0]] if (shard, gens[x[0]]) in p.made else None) == lane]
        return [(*x, gens[x[0]]) for x in here]

    def commit(p, q, at):
        """To Kafka, with what a wipe would ask for. Kafka fences most zombies; a commit may come late."""
        o, end = p.o, min(c[1] for c in at["cursor"].values())
        high = [at["high"][x] for x, c in at["cursor"].items() if c[1] == end][0]
        if not at["marks"] or at["marks"][-1][0] < end:
            at["marks"].append((end, high, at["log"][end - 1].hash if 0 < end <= len(at["log"]) else None))
        if any(x not in p.horizon for x in p.made) or len(p.horizon) < o.shards_n or o.away(p.number):
            return
        lanes = o.on("lanes_u")
        us, _, ts = zip(*[h for x, h in p.horizon.items() if x[1] is None or lanes])
        rs = [h[1] for x, h in p.horizon.items() if x[1] is None or not o.on("lanes_r")]
        horizon = min(us), max(rs), min(ts)
        if min(*us, *rs) == NEG or (horizon[1] > horizon[0] and o.on("ordered")):
            return
        before = [m for m in at["marks"] if m[1] is not None and m[1] < horizon[2]]
        at["marks"] = [m for m in at["marks"] if not before or m[0] >= before[-1][0]]
        if len(at["marks"]) > MARKS:
            del at["marks"][1:-1:2]
        entry = dict(horizon=horizon, marks=tuple(at["marks"]), rules=p.rules)

        def store():
            if at["log"] is o.logs[q] and (o.owner[q] == p.number or o.r.random() < 0.3):
                o.commits[q] = entry

        if o.budget > 0 and o.r.random() < 0.1:
            o.late.append(store)
        else:
            store()

    # -- windows, delivery

    def look(p, shard):
        """What others left, and what is due."""
        o, only = p.o, None if p.o.on("left_over") else p.judged_here
        if not (yield from p.load(shard)):
            return
        m = p.mirrors[shard]
        more = m.oldest() if o.r.random() < o.squeeze_share else []
        reply = yield from p.call(shard, "want", m.tail, o.r.randint(1, 4), only, more)
        if reply == LOST or shard not in p.mirrors:
            return
        entries, w, bases = reply
        if p.follow(shard, w, entries) is not None:
            m = p.mirrors[shard]  # what holds back trimming may have lapsed meanwhile
            bases = {x: b for x, b in bases.items() if x not in more or b is not None or x in m.pending}
            yield from p.judge(shard, m.windows(bases), w)

    def ask_horizon(p, shard):
        for place in p.places(shard) or [(shard, None)]:
            reply = yield from p.call(place, "horizon", max(LOOKBACK[kind_of(x)] for x in p.rules))
            if reply != LOST:
                p.horizon[place] = reply

    def mend(p, shard):
        """Lanes that stand where the shard stands join it."""
        o = p.o
        for _, gen in p.places(shard):
            if gen is not None and o.r.random() < 0.5:
                yield from p.call((shard, None), "join", gen, o.unique())
        if o.r.random() < 0.1:
            yield from p.call((shard, None), "rake", o.r.randint(1, 3))

    def judge(p, shard, windows, w):
        o = p.o
        p.judged_here.update(x for x, _ in windows)
        p.seen_w[shard] = max(w, p.seen_w.get(shard, NEG))
        if not windows or shard not in p.made:
            return
        w, made = w if o.on("same_reply") else p.seen_w[shard], p.made[shard][1]
        judged = [p.judge_one(shard, x, value, w, made, not o.on("proof")) for x, value in windows]
        yield None
        if any(j and j.unproven for _, _, j in judged) and not o.away(p.number):
            ends = [len(log) for log in o.logs]
            yield None
            if (yield from p.call(shard, "proves", ends)) is True:
                judged = [p.judge_one(shard, x, value, w, made, True) for x, value in windows]
                yield None
        yield from p.commit_windows(shard, w, judged)

    def judge_one(p, place, wid, value, w, made, proven):
        """None: a window of a rule that is gone."""
        if wid not in p.windows(wid[1], place):
            return wid, value[0], None
        if not value[1]:
            p.o.broken = "E: nothing is left of %s" % (wid,)
            return wid, value[0], None
        made = (*made[:2], p.since.get(wid[2], made[2]))
        return wid, value[0], Judge(p.o, wid, value, w, made, proven)

    def outbox(p, shard, name, *args):
        """Its scripts ask for no epoch: what was said is delivered, whoever has the rules now."""
        if p.o.changing:
            return (yield (shard, None, name, args))
        return (yield from p.call(shard, name, *args))

    def deliver(p, shard):
        o, shard = p.o, (shard, None)
        leased = o.on("lease")
        reply = yield from p.outbox(shard, "take", p.name, LEASE if leased else 6)
        if not reply or reply == LOST:
            return
        n, p.posting = reply
        if not o.on("ack_after"):
            yield from p.outbox(shard, "ack", n)
        if (yield from p.connect(shard, n, leased)) and o.sink_down <= o.step:
            o.posts.append(p.posting)
            o.log("POST", p.number, p.posting)
            yield None
            if o.budget > 0 and o.r.random() < 0.05:  # it came, the answer was lost
                o.unsure[p.posting] += 1
            elif o.on("ack_after"):
                yield from p.outbox(shard, "ack", n)
        p.posting = None

    def connect(p, shard, n, leased):
        """Slowly; true while the entry is still ours."""
        for turn in range(p.o.r.choice((0, 0, 2, 12))):
            yield None
            if turn % 3 == 2 and leased:
                yield from p.outbox(shard, "hold", p.name, n, LEASE)
        return not leased or not p.o.on("ack_after") or (yield from p.outbox(shard, "hold", p.name, n, LEASE)) is True

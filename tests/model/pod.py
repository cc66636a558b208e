"""A pod of the model: a coroutine that yields at every script and wherever it may be stopped."""
from kinds import LATENESS, LOOKBACK, NEG, Judge
from shard import MISPLACED

LOST = "LOST"  # nothing is known: no reply, or the state is another one
LEASE, MARKS = 60, 8


class Pod:
    def __init__(p, o, number):
        p.o, p.number, p.stalled = o, number, 0
        p.boot()

    def boot(p):
        p.name, p.posting, p.reply, p.run = p.o.unique(), None, None, p.main()
        p.at = {}  # partition -> where every shard stands, its log, its marks
        p.made, p.horizon = {}, {}  # of each shard
        p.seen_w, p.judged_here, p.checked = {}, set(), {}

    def call(p, shard, name, *args):
        reply = LOST
        if shard in p.made:
            reply = yield (shard, p.made[shard][0], name, args)
        if reply == "EPOCH":
            p.made.pop(shard, None)
            p.at.clear()
            return LOST
        return reply

    def main(p):
        o = p.o
        while True:
            owned = [q for q in range(o.partitions) if o.owner[q] == p.number]
            p.at = {q: at for q, at in p.at.items() if q in owned and at["log"] is o.logs[q]}
            p.checked = {q: log for q, log in p.checked.items() if q in owned and log is o.logs[q]}
            for q in owned:
                yield from p.partition(q)
            for shard in range(o.shards_n):
                if (yield from p.open(shard)) and o.r.random() < o.look_share:
                    yield from p.look(shard)
                if o.r.random() < 0.3:
                    yield from p.ask_horizon(shard)
                yield from p.deliver(shard)
            yield None

    def open(p, shard):
        """Where there is no state one is made, of what the commits of all partitions say."""
        o = p.o
        if shard in p.made:
            return True
        reply = yield (shard, None, "open", ())
        if reply == LOST or (reply[0] is None and o.away(p.number)):
            return False
        if reply[0] is None:
            found = [c["horizon"] for c in o.commits.values()]
            key = (lambda h: (h[0], -h[2])) if o.on("max") else (lambda h: (-h[0], h[2]))
            past = max(found, key=key, default=(NEG, NEG, NEG))
            o.log("FOUND", p.number, "shard", shard, past)
            for _ in range(o.r.choice((0, 1, 8))):
                yield None
            reply = yield (shard, None, "make", (o.unique(), past, max((h[0] for h in found), default=NEG)))
            if reply == LOST:
                return False
        p.made[shard] = reply
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
            reply = yield from p.call(shard, "place", q)
            if reply == LOST:
                return
            cursor, high, last_hash = reply
            if cursor is None:
                yield from p.begin(q, shard, marks)
                return
            check = o.on("incarnation") and (o.on("recheck") or q not in p.checked)
            if check and not o.same(q, cursor[1], last_hash):
                o.log("REMADE", p.number, "shard", shard, "partition", q)
                yield from p.call(shard, "remade", q, cursor)
                return
            at["cursor"][shard], at["high"][shard] = cursor, high
        p.at[q], p.checked[q] = at, at["log"]

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
        reply = yield from p.call(shard, "apply", q, cursor, end, items, high, last)
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
                items.append((offset, e.time, e.id, [x for x in o.windows(e.key) if o.shard_of(x) == shard]))
            high = e.time if high is None else max(high, e.time)
        return items, high

    def commit(p, q, at):
        """To Kafka, with what a wipe would ask for. Kafka fences most zombies; a commit may come late."""
        o, end = p.o, min(c[1] for c in at["cursor"].values())
        high = [at["high"][x] for x, c in at["cursor"].items() if c[1] == end][0]
        if not at["marks"] or at["marks"][-1][0] < end:
            at["marks"].append((end, high, at["log"][end - 1].hash if 0 < end <= len(at["log"]) else None))
        if len(p.horizon) < o.shards_n or o.away(p.number):
            return
        us, rs, ts = zip(*p.horizon.values())
        horizon = min(us), max(rs), min(ts)
        if min(*us, *rs) == NEG or (horizon[1] > horizon[0] and o.on("ordered")):
            return
        before = [m for m in at["marks"] if m[1] is not None and m[1] < horizon[2]]
        at["marks"] = [m for m in at["marks"] if not before or m[0] >= before[-1][0]]
        if len(at["marks"]) > MARKS:
            del at["marks"][1:-1:2]
        entry = dict(horizon=horizon, marks=tuple(at["marks"]))

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
        only = None if p.o.on("left_over") else p.judged_here
        reply = yield from p.call(shard, "want", p.o.r.randint(1, 4), only)
        if reply == LOST:
            return
        yield from p.judge(shard, *reply)
        if p.o.r.random() < 0.3 and shard in p.made:
            yield None
            epoch = p.made[shard][0] if p.o.on("forget") else None
            yield (shard, epoch, "forget", (reply[1],))

    def ask_horizon(p, shard):
        reply = yield from p.call(shard, "horizon", max(LOOKBACK[x] for x in p.o.kinds))
        if reply != LOST:
            p.horizon[shard] = reply

    def judge(p, shard, windows, w):
        o = p.o
        p.judged_here.update(x for x, _ in windows)
        p.seen_w[shard] = max(w, p.seen_w.get(shard, NEG))
        if not windows or shard not in p.made:
            return
        w, made = w if o.on("same_reply") else p.seen_w[shard], p.made[shard][1]
        judged = [(x, Judge(o, x, value, w, made, not o.on("proof"))) for x, value in windows]
        yield None
        if any(j.unproven for _, j in judged) and not o.away(p.number):
            ends = [len(log) for log in o.logs]
            yield None
            if (yield from p.call(shard, "proves", ends)) is True:
                judged = [(x, Judge(o, x, value, w, made, True)) for x, value in windows]
                yield None
        yield from p.call(shard, "commit", judged)

    def deliver(p, shard):
        o = p.o
        leased = o.on("lease")
        reply = yield from p.call(shard, "take", p.name, LEASE if leased else 6)
        if not reply or reply == LOST:
            return
        n, p.posting = reply
        if not o.on("ack_after"):
            yield from p.call(shard, "ack", n)
        if (yield from p.connect(shard, n, leased)) and o.sink_down <= o.step:
            o.posts.append(p.posting)
            o.log("POST", p.number, p.posting)
            yield None
            if o.budget > 0 and o.r.random() < 0.05:  # it came, the answer was lost
                o.unsure[p.posting] += 1
            elif o.on("ack_after"):
                yield from p.call(shard, "ack", n)
        p.posting = None

    def connect(p, shard, n, leased):
        """Slowly; true while the entry is still ours."""
        for turn in range(p.o.r.choice((0, 0, 2, 12))):
            yield None
            if turn % 3 == 2 and leased:
                yield from p.call(shard, "hold", p.name, n, LEASE)
        return not leased or not p.o.on("ack_after") or (yield from p.call(shard, "hold", p.name, n, LEASE)) is True

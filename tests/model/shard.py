"""A shard of the model's Redis. Every method but copy() and times() is a script: it happens whole or not at all.

A name of a partition is a number; a cursor is (incarnation, offset); a window's id is (rule, key, lane that filled it).
"""
import lane
from journal import DONE, Journal
from kinds import LATENESS, LOOKBACK, NEG, cell, kind_of
from mirror import field_of

MISPLACED = "MISPLACED"
PER_PARTITION = ("cursor", "high", "idle", "at", "hash")


class Shard(Journal, lane.Rules):
    is_lane = False

    def __init__(s, o, number):
        s.o, s.number = o, number
        s.epoch, s.made, s.read_u = None, (NEG, NEG, NEG), NEG
        s.u = s.r = s.w = s.t = s.top = NEG  # said before u; recorded from r on; the watermark
        s.judged = s.free = NEG  # what comes into the outbox, or begins to wait, says nothing before it
        for name in PER_PARTITION:
            setattr(s, name, {})
        s.window, s.due, s.waiting, s.unproven, s.outbox, s.episodes = {}, {}, {}, {}, {}, {}
        s.record = []
        s.start_journal()
        s.rules, s.lanes, s.rakes, s.since, s.generation, s.spoken = {}, {}, {}, {}, 0, NEG

    def copy(s):
        other = Shard(s.o, s.number)
        for name, value in vars(s).items():
            setattr(other, name, value.copy() if isinstance(value, (dict, list)) else value)
        other.lanes = {g: x.copy_to(other) for g, x in s.lanes.items()}
        other.rakes = {g: x.copy_to(other) for g, x in s.rakes.items()}
        return other

    def watermark(s):
        """The minimum over all partitions of largest event time - lateness, or what idleness moved it to."""
        found = [max(NEG if h is None else h - LATENESS, s.idle.get(p, NEG)) for p, h in s.high.items()]
        if not s.o.on("all_partitions"):
            found = [w for w in found if w > NEG]
        s.w = max(s.w, min(found, default=NEG))
        return s.w

    # -- the state, partitions

    def make(s, epoch, made, read_u, rules, accepted, knew):
        if s.epoch is None:
            s.epoch, s.made, s.read_u, (s.u, s.r, _) = epoch, made, read_u, made
            s.high = dict.fromkeys(range(s.o.partitions)) if s.o.on("all_partitions") else {}
            s.rules, s.generation, s.spoken = dict.fromkeys(rules), max(1, accepted), s.o.clock()
            s.o.came(s.number, rules, *made, knew)
            s.o.log("MADE", s.number, sorted(rules), "generation", s.generation)
        return s.state(rules)

    def place(s, p):
        return s.cursor.get(p), s.high.get(p), s.hash.get(p)

    def begin(s, p, cursor, high, last_hash):
        if p not in s.cursor:
            s.cursor[p], s.high[p], s.hash[p] = cursor, high, last_hash
            if high is not None:
                s.at[p] = s.o.clock()

    def remade(s, p, cursor):
        if s.cursor.get(p) == cursor:
            s.top = max(s.top, NEG if s.high.get(p) is None else s.high[p])
            for name in PER_PARTITION:
                getattr(s, name).pop(p, None)
            s.cursor[p], s.high[p] = (s.o.unique() if s.o.on("token") else cursor[0], 0), None

    def idle_at(s, p, cursor, asked, long):
        """Nothing was behind the cursor, said the broker, asked at `asked` of our clock."""
        if not s.o.on("idle_proof"):
            s.idle[p] = max(s.idle.get(p, NEG), s.o.clock() - LATENESS)
            return None
        if s.cursor.get(p) != cursor:
            return MISPLACED
        t = asked
        if s.high.get(p) is not None and p in s.at and s.o.on("idle_elapsed"):
            t = min(t, s.high[p] + asked - s.at[p])
        s.idle[p] = max(s.idle.get(p, NEG), s.made[0], t - LATENESS if long else NEG)
        return None

    # -- windows

    def apply(s, p, cursor, end, high, last_hash, draft):
        """The draft is None where no event concerns a rule."""
        now = s.cursor.get(p)
        if now is None or now[0] != cursor[0] or end < now[1] or (now != cursor and s.o.on("cursor")):
            return MISPLACED
        wait = ()
        if draft is not None:
            tail, w, least, version, fields, due, wait, dead = draft
            if not s.o.on("trim_tail"):
                s.trim(dead)
            if (fields or s.o.on("tail_always")) and s.refused(tail, w, least):
                return s.stale(tail)
            s.trim(dead)
            if fields:
                s.append(version, w, fields)
            for wid, t in due.items():
                s.due[wid] = min(t, s.due.get(wid, t))
            for wid in wait:
                s.waiting.setdefault(wid, max(s.free, s.u))
        s.cursor[p], s.high[p] = (cursor[0], end), high
        if end > cursor[1]:
            s.at[p], s.hash[p] = s.o.clock(), last_hash
        return DONE, s.watermark(), {x: s.window.get(x) for x in wait}

    def want(s, tail, limit, only, more):
        """Windows to be judged, as their bases; `only`: none but these; `more`: these, too."""
        w = s.watermark()
        found = dict.fromkeys(list(s.waiting) + [x for x, t in s.due.items() if t <= w] + list(s.unproven))
        found = [x for x in found if only is None or x in only][:limit] + more
        return s.entries(tail), w, {x: s.window.get(x) for x in found}

    def proves(s, ends):
        return all(s.cursor.get(p, (0, 0))[1] >= end for p, end in enumerate(ends))

    def commit(s, tail, w, version, judged):
        if s.refused(tail, w, None):
            return s.stale(tail)
        fields = {}
        for wid, _, j in judged:
            fields.setdefault(field_of(wid), []).append(("C", wid, j and len(j.value[0])))
            s.waiting.pop(wid, None)
            s.due.pop(wid, None)
            s.unproven.pop(wid, None)
            if j is None:  # of a rule that is gone
                s.window.pop(wid, None)
                continue
            s.window[wid] = j.value
            if j.due is not None:
                s.due[wid] = j.due
            if j.unproven:
                s.unproven[wid] = None
            for state, t, _, opened in j.confirmed:
                s.episodes[wid, opened] = t if state == "resolved" else None
                if t >= s.made[1] or not s.o.on("record_from"):
                    s.record.append((wid[:2], cell(wid[0], opened, s.o.quiet_for), state, t))
            for state, t, name in j.announced:
                s.o.log("SAY", s.number, wid, state, t, name, "u", s.u)
                s.o.said.append((s.number, s.read_u, (wid[:2], name, state)))
                s.outbox[s.o.unique()] = ((wid[:2], name, state), max(s.judged, s.u) if s.o.on("entry_u") else t, 0, None)
        fields = {x: (w, tuple(ops)) for x, ops in fields.items()}
        s.append(version, w, fields)
        return DONE, s.w, fields

    def horizon(s, longest):
        """u: what is still to be said has its place there or later; R: the record begins there; T: who reads what happened
        from there on comes to the same words and the same record."""
        judged = [s.watermark()]
        judged += s.due.values() if s.o.on("due") else []
        free = min(judged)
        judged += s.waiting.values() if s.o.on("waiting") else []
        judged += [NEG] if s.rakes and s.o.on("rakes") else []
        u = min(judged)
        s.spoken = s.o.clock()
        if u == NEG and s.rakes:
            return (s.u, s.r, s.t) if s.u > NEG else s.made
        if s.o.on("floor") and (u < s.made[0] or u == NEG):
            return s.made
        s.free, s.judged = max(free, s.free), max(u, s.judged)
        s.u = max(s.u, min([u] + [e[1] for e in s.outbox.values() if s.o.on("unsent")]))
        s.r = max(s.r, s.u - s.o.record_for)
        t = [s.r - longest]
        for (wid, opened), over in s.episodes.items():
            if (over is None or over >= s.r) and s.o.on("open_episodes") and s.alive(wid):
                t.append(opened - LOOKBACK[kind_of(wid[0])])
        s.t = min(t)
        return s.u, s.r, s.t

    # -- the outbox: number -> (alert, u when it came, lease until, holder), the oldest first

    def take(s, me, lease):
        for n, (alert, u, until, holder) in s.outbox.items():
            if until > s.o.step and holder != me:
                return None
            s.outbox[n] = (alert, u, s.o.step + lease, me)
            return n, alert
        return None

    def hold(s, me, n, lease):
        held = n in s.outbox and s.outbox[n][3] == me
        if held:
            s.outbox[n] = (*s.outbox[n][:2], s.o.step + lease, me)
        return held

    def ack(s, n):
        s.outbox.pop(n, None)


lane.set_class(lane.lane_class(Shard))

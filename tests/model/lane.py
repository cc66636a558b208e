"""Rules that change while the stream runs, as parts of a shard: which rules it has, and lanes.

A lane is what new rules need to read what is past: cursors, a watermark and ids of its own beside those of the shard. It
shares windows, record and outboxes with it, and joins it when both stand at the same places.
"""
from kinds import LATENESS, LOOKBACK, NEG, kind_of

GONE = 60  # nobody spoke for a set of rules for so long: another one may be put in its place


class Rules:
    """The part of a shard that knows its rules: name -> the lane that filled it, or None."""

    def open(s, rules, impose, accepted, fresh):
        """Whether the state is one of these rules; who may impose its own makes it so."""
        if s.epoch is None:
            return None
        forsaken = s.o.clock() - s.spoken > GONE and s.o.on("forsaken")
        gone_back = s.generation < accepted and s.o.on("generation")
        if set(s.rules) != set(rules) and (impose or forsaken or gone_back):
            s.impose(rules, max(s.generation, accepted) + 1, fresh)
        return s.state(rules)

    def state(s, rules):
        mine = set(s.rules) == set(rules)
        made = {g: lane.made for g, lane in s.lanes.items()}
        return s.epoch, s.made, mine, s.generation, dict(s.rules), made, {g: t for g, (_, t) in s.since.items()}

    def impose(s, rules, generation, fresh):
        """New rules begin in a lane. What others have stays as it is."""
        o = s.o
        new = [x for x in sorted(rules) if x not in s.rules]
        o.log("IMPOSE", s.number, sorted(rules), "new", new, "generation", generation, "w", s.watermark())
        s.rules = {x: g for x, g in s.rules.items() if x in rules}
        s.rules.update((x, fresh if o.on("gen") else None) for x in new)
        s.generation, s.spoken = generation, o.clock()
        s.epoch = o.unique() if o.on("refused") else s.epoch
        for g in [g for g in s.lanes if g not in s.rules.values()]:  # all its rules are gone
            s.rakes[g] = s.lanes.pop(g)
        w = max(s.watermark(), s.made[0])
        o.came(s.number, rules, w, w)
        if new:
            from_t = w - max(LOOKBACK[kind_of(x)] for x in new)
            lane = s.lanes[fresh] = Lane(s, (w, w, from_t) if o.on("since") and w > NEG else (NEG, NEG, NEG))
            lane.rules, s.since[fresh] = frozenset(new), (w, lane.made[2])
            lane.high = dict.fromkeys(range(o.partitions))

    def stands(s):
        return {p: (offset, s.hash.get(p)) for p, (_, offset) in s.cursor.items()}

    def alive(s, wid):
        return wid[0] in s.rules and s.rules[wid[0]] == (wid[2] if s.o.on("gen") else None)

    def join(s, gen, fresh):
        """Where lane and shard stand at the same places, one watermark holds for both; and once nothing is left that
        the lane must not say, they are one."""
        lane, o = s.lanes.get(gen), s.o
        if lane is None or (lane.stands() != s.stands() and o.on("in_step")):
            return
        if o.on("caught_up") and lane.watermark() < max(lane.made[0], s.top):
            return
        for p in s.high:
            both = [x for x in (s.high[p], lane.high.get(p)) if x is not None]
            s.high[p] = lane.high[p] = max(both, default=None)
            s.idle[p] = lane.idle[p] = max(s.idle.get(p, NEG), lane.idle.get(p, NEG))
        lane.w = s.watermark()
        if o.on("settled") and (lane.waiting or min(lane.due.values(), default=lane.w) <= lane.made[0]):
            return
        o.log("JOIN", s.number, gen, "w", s.w)
        s.u = min(s.u, lane.u) if o.on("join_u") else s.u
        s.judged = s.free = NEG
        s.take_journal(lane)
        s.unproven.update(lane.unproven)
        s.rakes[gen] = s.lanes.pop(gen)
        s.epoch = fresh if o.on("join_epoch") else s.epoch

    def take_journal(s, lane):
        """The lane's entries as they are, and one with the watermark of both."""
        o = s.o
        for n in sorted(lane.journal) if o.on("join_journal") else ():
            fields = {x: f for x, f in lane.journal[n].items() if x != "ids" or o.on("join_ids")}
            s.append(o.unique(), max(w for w, _ in fields.values()) if fields else NEG, fields)
        if o.on("join_w"):
            s.append(o.unique(), s.w, {})

    def rake(s, n):
        """What a lane left: windows that are to be judged at some time, the earliest first."""
        for gen, lane in list(s.rakes.items()):
            for wid, t in sorted(lane.due.items(), key=lambda x: x[1])[:n]:
                s.due[wid] = min(t, s.due.get(wid, t))
                del lane.due[wid]
            for wid, u in list(lane.waiting.items()):
                s.waiting.setdefault(wid, u)
            lane.waiting = {}
            if not lane.due:
                del s.rakes[gen]


def lane_class(Shard):
    """A lane is a shard whose windows, record, outbox and episodes are those of another one."""

    def shared(name):
        return property(lambda s: getattr(s.main, name), lambda s, v: setattr(s.main, name, v))

    names = ("window", "episodes", "outbox", "record", "epoch", "read_u", "since")
    Class = type("Lane", (Shard,), {x: shared(x) for x in names})

    def init(s, main, made):
        s.main = main
        kept = {x: getattr(main, x) for x in names}
        Shard.__init__(s, main.o, main.number)
        for x, v in kept.items():
            setattr(main, x, v)
        s.made, s.u, s.r = made, made[0], made[1]

    def copy_to(s, main):
        other = Class(main, s.made)
        for name, value in vars(s).items():
            if name != "main":
                setattr(other, name, value.copy() if isinstance(value, (dict, list)) else value)
        return other

    Class.__init__, Class.copy_to = init, copy_to
    Class.alive = lambda s, wid: s.main.alive(wid)
    Class.is_lane = True
    return Class


Lane = None  # made by shard.py


def set_class(Class):
    global Lane
    Lane = Class

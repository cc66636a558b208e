"""The part of a pod that follows journals: mirrors, and writes that hold iff the mirror is exact."""
from journal import DONE
from mirror import RELOAD, Mirror
from shard import MISPLACED

LOST = "LOST"  # nothing is known: no reply, or the state is another one


class Follower:
    def hear(p, place, w):
        """The watermark as Redis has it now. What came before may be of a future that is lost."""
        p.known[place] = w
        m = p.mirrors.get(place)
        if m and not p.o.on("lapse_w"):
            m.lapse(w)
        if m and not p.o.on("forget"):
            m.forget(w)

    def follow(p, place, w, entries):
        """Folds what came; the windows that it touches. None: the mirror is of another history."""
        m = p.mirrors[place]
        if entries == RELOAD:
            p.o.log("RELOAD", p.number, place, m.tail)
            p.o.reloads += 1
            if p.o.on("reload"):
                del p.mirrors[place]
            return None
        touched = set()
        for entry in entries:
            if entry[1] in p.mine and not p.o.on("own"):
                m.tail = entry[:2]
                continue
            touched |= m.fold(*entry)
        p.hear(place, w)
        return touched

    def load(p, place):
        """A mirror of what is left, read piece by piece while others go on."""
        o = p.o
        if place in p.mirrors:
            return True
        first = yield from p.call(place, "load_begin")
        if first == LOST:
            return False
        tail, w, _ = first
        fields, bases, last, of = {}, {}, tail, o.r.randint(1, 3)
        for i in range(of):
            for _ in range(o.r.randint(0, o.slow_load)):
                yield None
            piece = yield from p.call(place, "load_piece", last, i, of)
            if piece in (LOST, None):
                return False
            last = piece[0]
            fields.update((x, f) for x, f in piece[1].items() if x[0] <= tail[0])
            bases.update(piece[2])
        for _ in range(o.r.randint(0, o.slow_load)):
            yield None
        return (yield from p.load_end(place, tail, w, last, fields, bases))

    def load_end(p, place, tail, w, last, fields, bases):
        o = p.o
        reply = yield from p.call(place, "load_end", tail, last)
        if reply in (LOST, None) or reply[0] == RELOAD:
            return False
        entries, there, known = reply
        m = Mirror(o, tail, w if o.on("load_w") else known)
        m.load({x: f for x, f in fields.items() if x in there or not o.on("load_there")}, bases)
        p.mirrors[place] = m
        p.follow(place, known, entries)
        p.look_at(place)
        o.log("LOADED", p.number, place, m.tail)
        o.loads += 1
        return True

    def write(p, place, where, items):
        """A batch, decided anew until it holds. Answers the windows to be judged and the watermark."""
        o, concerned = p.o, any(x[3] for x in items)
        for _ in range(6):
            if concerned and not (yield from p.load(place)):
                return LOST
            draft = p.mirrors[place].draft(items, p.known[place]) if concerned else None
            p.mine.add(draft and draft[3])
            if o.r.random() < 0.4:
                yield None
            reply = yield from p.call(place, "apply", *where, draft)
            if reply in (LOST, MISPLACED):
                return reply
            done, w, more = reply
            if not concerned:
                return [], w
            if done == DONE:
                return p.written(place, draft, more, w)
            p.follow(place, w, more)
        return LOST

    def written(p, place, draft, bases, w):
        m, fields = p.mirrors[place], draft[4]
        if fields:
            m.fold(m.tail[0] + 1, draft[3], draft[1], fields)
        m.trimmed(draft[7])
        p.hear(place, w)
        p.look_at(place)
        return m.windows(bases), w

    def commit_windows(p, place, w, judged):
        """What others touched meanwhile is left out: it still waits, or is due."""
        o = p.o
        for _ in range(4):
            m = p.mirrors.get(place)
            if not judged or m is None:
                return
            version = o.unique()
            reply = yield from p.call(place, "commit", m.tail, max(w, m.w), version, judged)
            if reply == LOST or place not in p.mirrors:
                return
            done, now, more = reply
            if done == DONE:
                m.fold(m.tail[0] + 1, version, max(w, m.w), more)
                p.hear(place, now)
                p.look_at(place)
                return
            touched = p.follow(place, now, more)
            if touched is None or w > now:
                return
            if o.on("left_out"):
                judged = [x for x in judged if x[0] not in touched]
            yield None

    def look_at(p, place):
        """The model's own check: a mirror at the tail is the fold of all entries that ever were."""
        s = p.o.shards[place[0]]
        s = s if place[1] is None else s.lanes.get(place[1])
        if not p.o.strict or s is None or s.tail() != p.mirrors[place].tail:
            return
        mine, exact = p.mirrors[place].facts(), s.exact().facts()
        if mine != exact:
            p.o.broken = "M: pod %d, %s: %s instead of %s" % (p.number, place, mine, exact)

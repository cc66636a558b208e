"""What a pod knows of a journal: a fold of its entries (number, version, watermark, fields).

A field's name is (rule, lane) or "ids"; it holds the watermark of its entry and, in order, ("+", window, time, id),
("C", window, records in its base or None where it has none), or pairs of id and time.
"""
import collections

from kinds import BUCKET, NEG, STEPS, WITHIN, kind_of

RELOAD = "RELOAD"


def field_of(wid):
    return wid[0], wid[2]


class Mirror:
    def __init__(m, o, tail, w):
        m.o, m.tail, m.w = o, tail, w
        m.ids, m.pending, m.base = {}, {}, {}  # id -> time, entry; window -> (entry, time, id)s; window -> records
        m.fields = collections.defaultdict(list)  # name -> entries that have it

    def fold(m, n, v, w, fields):
        """Returns the windows that it touches."""
        m.lapse(w if m.o.on("lapse_entry") else max(w, m.w))
        m.forget(w)
        m.tail, m.w = (n, v), max(w, m.w)
        for name, (_, ops) in fields.items():
            m.take(n, name, ops)
        ops = [op for name, (_, ops) in fields.items() if name != "ids" for op in ops]
        return {op[1] for op in ops if op[0] == "+" or m.o.on("left_out_c")}

    def take(m, n, name, ops):
        m.fields[name].append(n)
        if name == "ids":
            m.ids.update((ident, (t, n)) for ident, t in ops)
            return
        for op, wid, *more in ops:
            if op == "+":
                m.pending.setdefault(wid, []).append((n, *more))
                continue
            m.pending.pop(wid, None)
            m.base.pop(wid, None)
            if more[0] is not None:
                m.base[wid] = more[0]

    def may_lapse(m, wid, pending):
        few = 0 < len(pending) < STEPS[0]
        return kind_of(wid[0]) == "count" and few and (wid not in m.base or not m.o.on("lapse_base"))

    def lapsed(m, wid, w):
        """Its few records are so old that no other one can come beside them."""
        pending = m.pending.get(wid, ())
        return m.may_lapse(wid, pending) and max(x[1] for x in pending) + WITHIN <= w

    def lapse(m, w):
        for wid in [x for x in m.pending if m.lapsed(x, w)]:
            del m.pending[wid]

    def forget(m, w):
        m.ids = {x: e for x, e in m.ids.items() if e[0] >= w}

    # -- from what is left of a journal

    def load(m, fields, bases):
        m.base.update(bases if m.o.on("load_bases") else {})
        for (n, name), (w, ops) in sorted(fields.items(), key=lambda x: x[0][0]):
            if m.o.on("field_w"):
                m.lapse(w)
            m.take(n, name, ops)
        m.lapse(m.w)
        m.forget(m.w)

    # -- what to write

    def draft(m, items, known):
        """An entry of these items, decided at a watermark, and what is to be written with it."""
        w, add, ids = max(m.w, known), collections.defaultdict(list), {}
        for _, t, ident, wids in items:
            if not wids or t < w or ident in m.ids or ident in ids:
                continue
            ids[ident] = t
            for wid in wids:
                add[wid].append((t, ident))
        fields, due, wait = collections.defaultdict(list), {}, []
        for wid, records in add.items():
            fields[field_of(wid)] += [("+", wid, *x) for x in records]
            before = [] if m.lapsed(wid, w) else [x[1:] for x in m.pending.get(wid, ())]
            m.plan(wid, before, records, due, wait)
        if ids:
            fields["ids"] = list(ids.items())
        fields = {name: (w, tuple(ops)) for name, ops in fields.items()}
        dead = tuple(m.dead()) if fields or not m.o.on("trim_entry") else ()  # a rollback is seen by entries only
        return m.tail, w, min(ids.values(), default=None), m.o.unique(), fields, due, wait, dead

    def plan(m, wid, before, records, due, wait):
        """When a window is to be judged."""
        pending = before + records
        if m.may_lapse(wid, pending):
            return
        first = min(t for t, _ in pending)
        due[wid] = first + WITHIN if kind_of(wid[0]) == "count" else (first // BUCKET + 1) * BUCKET
        if kind_of(wid[0]) == "count" and m.base.get(wid, 0) + len(pending) >= STEPS[0]:
            wait.append(wid)

    # -- trimming

    def dead(m):
        """Fields that say nothing any more; of one name the oldest ones, so that what is left has its C behind it."""
        o, found = m.o, []
        if o.r.random() > o.trim_share:
            return found
        alive = {(x[0], field_of(wid)) for wid, xs in m.pending.items() for x in xs}
        alive |= {(n, "ids") for _, n in m.ids.values()}
        for name, ns in m.fields.items():
            for n in ns:
                if n > m.tail[0] - o.keep and o.on("whole"):
                    break
                if (n, name) in alive and o.on("trim_dead"):
                    if o.on("trim_order"):
                        break
                    continue
                found.append((n, name))
        return found

    def trimmed(m, names):
        for n, name in names:
            if n in m.fields[name]:
                m.fields[name].remove(n)

    def windows(m, bases):
        """Windows as they are judged: base and pending records."""
        found = []
        for wid, base in bases.items():
            records, *rest = base or ((), 0, -1, None)
            found.append((wid, (m.tail, records + tuple(x[1:] for x in m.pending.get(wid, ())), *rest)))
        return found

    def oldest(m):
        """Windows that hold back trimming."""
        first = min((x[0] for xs in m.pending.values() for x in xs), default=None)
        return [wid for wid, xs in m.pending.items() if xs[0][0] == first]

    def facts(m):
        return m.tail, {x: [y[1:] for y in ys] for x, ys in m.pending.items()}, {x: e[0] for x, e in m.ids.items()}

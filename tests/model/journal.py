"""The part of a shard that is its journal: entries are appended iff the tail is the one they were made for."""
from zlib import crc32

from kinds import NEG
from mirror import RELOAD, Mirror

STALE, DONE = "STALE", "DONE"


def bucket(name, of):
    return crc32(repr(name).encode()) % of


class Journal:
    def start_journal(s):
        s.last, s.versions = 0, {0: (0, NEG)}  # of the last entries: version, watermark
        s.journal = {}  # entry -> name -> (watermark, what it says)
        s.history = []  # all entries, for the model's own eyes

    def tail(s):
        return s.last, s.versions[s.last][0]

    def is_tail(s, tail):
        if not s.o.on("tail"):
            return True
        return tail == s.tail() if s.o.on("tail_version") else tail[0] == s.last

    def in_history(s, tail):
        kept = s.versions.get(tail[0])
        return kept is not None and (kept[0] == tail[1] or not s.o.on("sync_version"))

    def entries(s, tail):
        """Those behind it."""
        if not s.in_history(tail):
            return RELOAD
        return [(n, *s.versions[n], s.journal.get(n, {})) for n in range(tail[0] + 1, s.last + 1)]

    def append(s, version, w, fields):
        s.last += 1
        s.versions[s.last] = version, w
        s.versions.pop(s.last - s.o.keep - 1, None)
        if fields:
            s.journal[s.last] = fields
        s.history.append((s.last, version, w, fields))

    def trim(s, names):
        for n, name in names:
            left = {x: f for x, f in s.journal.get(n, {}).items() if x != name}
            s.journal[n] = left
            if not left:
                del s.journal[n]

    def refused(s, tail, w, least):
        """Made for another tail, or at a watermark that is lost, or with events that are late by now."""
        if not s.is_tail(tail):
            return True
        if w > s.w and s.o.on("entry_w"):
            return True
        return least is not None and least < s.w and s.o.on("late_w")

    def stale(s, tail):
        return STALE, s.w, s.entries(tail)

    # -- a mirror begins

    def load_begin(s):
        return s.tail(), s.versions[s.last][1], s.w

    def load_piece(s, tail, i, of):
        """Like HSCAN: what is there all the time is found. `tail`: as the piece before found it."""
        if not s.in_history(tail) and s.o.on("load_chain"):
            return None
        fields = {(n, x): f for n, fs in s.journal.items() for x, f in fs.items() if bucket((n, x), of) == i}
        return s.tail(), fields, {x: len(v[0]) for x, v in s.window.items() if bucket(x, of) == i}

    def load_end(s, first, tail):
        if not s.in_history(tail) and s.o.on("load_chain"):
            return None
        return s.entries(first), {(n, x) for n, fs in s.journal.items() for x in fs}, s.w

    def exact(s):
        m = Mirror(s.o, (0, 0), NEG)
        for entry in s.history:
            m.fold(*entry)
        return m

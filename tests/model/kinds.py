"""Two rule kinds of the model, as pure functions of a window's records, and what judging a window says.

`count` is early, climbs STEPS and resolves after a silence; `base` judges closed buckets against the last ones and is
never early. A run lists the transitions (state, time, level, opened) of sorted records; the last may lie ahead.
"""
import bisect
import collections
import functools

NEG = -(10**9)  # no time yet
LATENESS, WITHIN, STEPS = 3, 6, (3, 5)
BUCKET, HISTORY, LEAST = 4, 3, 2  # a baseline has LEAST to HISTORY buckets
LOOKBACK = {"count": WITHIN, "base": (HISTORY + 1) * BUCKET}


@functools.lru_cache(50000)
def count_run(records, quiet_for):
    out, opened, last, level, low = [], None, None, -1, 0
    for i, (t, _) in enumerate(records):
        if opened is not None and t - last >= quiet_for:
            out.append(("resolved", last + quiet_for, level, opened))
            opened, level = None, -1
        while records[low][0] <= t - WITHIN:
            low += 1
        up = bisect.bisect_right(STEPS, i - low + 1) - 1
        if up > level:
            state, opened, level = ("firing", t, up) if opened is None else ("escalated", opened, up)
            out.append((state, t, up, opened))
        last = t
    return out + ([("resolved", last + quiet_for, level, opened)] if opened is not None else [])


@functools.lru_cache(50000)
def base_run(records, judge_from, trimmed):
    count = collections.Counter(t // BUCKET for t, _ in records)
    start, opened, out = min(count), None, []
    for b in range(start, max(count) + HISTORY + 1):
        base = [count[x] for x in range(max(start, b - HISTORY), b)]
        while trimmed and base and not base[0]:
            base.pop(0)
        end, high = (b + 1) * BUCKET, count[b] >= 3 and count[b] * len(base) > 2 * sum(base)
        judged = len(base) >= LEAST and end >= judge_from
        empty = not any(count[x] for x in range(b - HISTORY + 1, b + 1))
        if opened is None and judged and high:
            out.append(("firing", end, 0, end))
            opened = end
        elif opened is not None and (empty or (judged and not high)):
            out.append(("resolved", end, 0, opened))
            opened = None
        if empty:
            start = min([x for x in count if x > b], default=b + 1)
    return out


def kind_of(rule):
    return rule.split(":")[0]


def cell(rule, opened, quiet_for):
    """What an episode's id is made of."""
    return opened // quiet_for if kind_of(rule) == "count" else opened


class Judge:
    """A window at the watermark w. `made`: the state's u, R, T. `proven`: all that was appended so far is in it.

    window: (version, records, transitions confirmed, level said, cell said)
    """

    def __init__(j, o, wid, window, w, made, proven):
        j.o, j.kind, j.w, j.u0, j.proven, j.unproven = o, kind_of(wid[0]), w, made[0], proven, False
        _, records, done, j.said, j.cell = window
        j.confirmed, j.announced, j.due = [], [], None
        ordered = tuple(sorted(records))
        if j.kind == "count":
            run = count_run(ordered, o.quiet_for)
        else:
            run = base_run(ordered, made[2] + LOOKBACK["base"] if o.on("baseline") else NEG, o.on("trimmed"))
        settled = sum(t < w or (t == w and (state == "resolved" or j.kind == "base")) for state, t, _, _ in run)
        for a in run[done:settled]:
            j.confirmed.append(a)
            j.say(a)
        if j.kind == "count":
            j.look_ahead(run[max(done, settled) :])
        elif max(w, ordered[0][0]) // BUCKET <= ordered[-1][0] // BUCKET + HISTORY:
            j.due = (max(w, ordered[0][0]) // BUCKET + 1) * BUCKET
        j.value = (records, max(done, settled), j.said, j.cell)

    def wait(j, due):
        j.due = due if j.due is None else min(j.due, due)

    def look_ahead(j, run):
        for a in run:
            state, t, _, opened = a
            older = opened - j.o.quiet_for  # unless proven, an episode that was over by then may turn up
            j.wait(t + (state != "resolved"))
            if state == "resolved":
                return
            if j.o.on("calm") and j.w < j.u0:
                j.wait(j.u0)
            elif j.said < 0 and j.w <= older and not j.proven:
                j.unproven = True
                j.wait(older + 1)
            else:
                j.say(a)

    def say(j, a):
        state, t, level, opened = a
        over = state == "resolved"
        if (over and j.said < 0) or (not over and level <= j.said):
            return
        if j.said < 0:
            j.cell = cell(j.kind, opened, j.o.quiet_for)
        j.said = -1 if over else level
        if t >= j.u0 or not j.o.on("silence"):
            j.announced.append((state, t, j.cell))

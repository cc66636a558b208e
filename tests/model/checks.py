"""What must hold when all is quiet (see model.py)."""
import collections

from kinds import cell, kind_of


class Checks:
    def verdict(o):
        runs = o.expected()
        want = {(w, cell(w[0], a[3], o.quiet_for), a[0]): a[1] for w, run in runs.items() for a in run}
        o.right_lines = {(*x, t) for x, t in want.items()}
        o.find_blurs(runs)
        names = {x: o.canonical(runs, x) for x in [x for _, _, x in o.said] + o.posts}
        o.renamed = sum(x != e for x, e in names.items())
        return o.check_record(want) or o.check_words(want, names) or o.check_posts(want, names)

    def canonical(o, runs, alert):
        """Words said early, in disorder, may bear the name of a later cell of the same episode."""
        wid, name, state = alert
        for kind, t, _, opened in runs.get(wid, []) if kind_of(wid[0]) == "count" else []:
            first = cell("count", opened, o.quiet_for)
            if kind == "resolved" and first <= name <= cell("count", t - o.quiet_for, o.quiet_for):
                return wid, first, state
        return alert

    def check_record(o, want):
        for s in o.shards:
            lines = [(*x, t) for x, t in want.items() if o.shard_of(x[0]) == s.number and t >= s.made[1]]
            more, less = collections.Counter(s.record), collections.Counter(lines)
            if o.changing:
                more, less = o.only_since(more, less)
            if more != less:
                return "C: shard %d, %s: %s instead of %s" % (s.number, s.made, dict(more - less), dict(less - more))
        return None

    def check_words(o, want, names):
        entries = collections.Counter()
        for shard, read_u, x in o.said:
            entries[shard, names[x]] += 1
            if names[x] not in want and o.lives(x[0]) and any(first <= last for first, last in o.blurs[x[0]]):
                continue
            if names[x] not in want:
                return "X: nobody expects %s" % (x,)
            if entries[shard, names[x]] > 1 + o.losses[shard] + o.lives(x[0]):
                return "O: too many entries of %s" % (x,)
            if want[names[x]] < read_u and not o.lives(x[0]):
                return "S: %s of %d said by a state made for %d" % (x, want[names[x]], read_u)
        return None

    def check_posts(o, want, names):
        posts, unsure = collections.Counter(names[x] for x in o.posts), collections.Counter()
        for x, n in o.unsure.items():
            unsure[names.get(x)] += n
        for x in want:
            if not posts[x] and want[x] >= o.since(x[0]) and not o.blurred(x[0], want[x]):
                return "L: never delivered: %s of %d" % (x, want[x])
            if posts[x] > 1 + unsure[x] + o.losses[o.shard_of(x[0])] + o.lives(x[0]):
                return "D: %d POSTs of %s" % (posts[x], x)
        return None

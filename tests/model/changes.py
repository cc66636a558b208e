"""What the model's world does to rules, and what may be expected of rules that come and go."""
import collections
import random

from kinds import LOOKBACK, NEG, kind_of

CHANGES = 10**6  # schedules from this seed on change their rules
CONTEND = 2 * 10**6  # ... and from this one on are hard on one journal


class Changes:
    def prepare_changes(o, seed):
        o.changing = CHANGES <= seed < CONTEND
        o.dice = random.Random(-seed - 1)  # of its own: other schedules stay as they are
        o.all_rules = ["count", "count:2", "base", "base:2"] if o.changing else list(o.kinds)
        o.first_rules = o.some_rules() if o.changing else frozenset(o.kinds)
        o.last_rules, o.changes_left = o.first_rules, o.dice.randint(1, 3) if o.changing else 0
        o.added = collections.defaultdict(list)  # (shard, rule) -> the watermarks when it was added
        o.spans = collections.defaultdict(list)  # (shard, rule) -> where their records began, and from where their episodes are whole
        o.known = {}  # shard -> the rules it had last

    def some_rules(o):
        return frozenset(o.dice.sample(o.all_rules, o.dice.randint(1, len(o.all_rules))))

    def change(o):
        """A new configuration: pods are replaced one by one, or all at once."""
        if not o.changes_left or o.now < o.end // 6 or o.dice.random() > 0.004:
            return
        o.changes_left -= 1
        rules = o.last_rules = o.some_rules()
        o.log("CHANGE", sorted(rules))
        o.planned = [x for x in o.planned if x[1] != "replace"]
        at, slow = o.step, o.dice.choice((0, 30, 300))
        for pod in o.dice.sample(range(len(o.pods)), len(o.pods)):
            at += o.dice.randint(0, slow)
            o.planned.append((at, "replace", (pod, rules)))

    def replace(o, pod, rules):
        o.config[pod] = rules
        if o.pods[pod].posting:
            o.unsure[o.pods[pod].posting] += 1
        o.pods[pod].boot()

    # -- what may be expected

    def came(o, shard, rules, w, r, read=None, knew=None):
        """r: the record begins there. Of a state made after a loss: what was read begins at `read`; knew: the rules of the
        commit that it is made of."""
        known = o.known.get(shard, rules)
        for x in rules - (known if knew is None else known & knew):
            o.added[shard, x].append(w)
            whole = w if read is None else min(w, read + LOOKBACK[kind_of(x)])
            o.spans[shard, x].append((r, whole))
        o.known[shard] = frozenset(rules)

    def since(o, wid):
        """From when on the rule's alerts are to be there; one that is gone need not have any."""
        if wid[0] not in o.last_rules:
            return 10**9
        came = [w for (_, rule), ws in o.added.items() if rule == wid[0] for w in ws]
        return max(came, default=NEG)

    def lives(o, wid):
        """How often it came, besides being there from the beginning."""
        return max((len(ws) for (_, rule), ws in o.added.items() if rule == wid[0]), default=0)

    def only_since(o, more, less):
        """The record's lines of a rule that came late: exact from then on, before that nothing wrong."""
        more, less = collections.Counter(more), collections.Counter(less)
        for x in set(more) | set(less):
            if o.silent_before(x) and more[x]:
                less[x] = 0
                continue
            before = x[-1] <= o.since(x[0]) and more[x] <= 1 + o.lives(x[0]) and x in o.right_lines
            if before or o.blurred(x[0], x[-1]):
                more[x] = less[x] = 0
        return +more, +less

    def silent_before(o, line):
        """A rule that came once, to a state that was never lost, says and records nothing of before."""
        wid, t = line[0], line[-1]
        came = o.added.get((o.shard_of(wid), wid[0]), [])
        return len(came) == 1 and t < came[0] and wid[0] not in o.first_rules and not o.losses[o.shard_of(wid)]

    def blurred(o, wid, t):
        """An episode that was open when the rule came may have begun before what the rule read."""
        return any(first <= t <= last for first, last in o.blurs.get(wid, ()))

    def find_blurs(o, runs):
        o.blurs = collections.defaultdict(list)
        for (_, rule), spans in o.spans.items():
            for wid, run in runs.items():
                over = {opened: t for state, t, _, opened in run if state == "resolved"}
                o.blurs[wid] += [
                    (opened, over.get(opened, 10**9))
                    for opened in {a[3] for a in run}
                    for r, whole in spans
                    if wid[0] == rule and opened <= whole and over.get(opened, 10**9) >= r
                ]

"""What a round must have come to: the record is the oracle's to the byte, every alert reached every sink of its rule, nothing
else did, and whatever came twice came twice for a reason that the faults give.

An alert is (rule, key, episode, state, severity). What was said early may have another id than the record if a loss or an
earlier event moved the opening, so episodes are told apart by time: opened <= time, and <= its end.
A repetition is of one of three kinds:
  POST     the same outbox entry once more. Allowed where the answer to the one before was or can have been lost: the
           receiver lied, the process that sent it was killed or stopped, Redis could not be told or forgot that it was.
           Body and id are the same (of an issue its ids: must_agree).
           So they are where several entries are told in one digest, unless Redis forgot which, or the receiver refused it.
  repeated another entry for the same alert, where Redis lost writes between the two: at most one a loss.
  doubled  another entry without such a reason. There must be none.
"""
import collections
import json
import re
import time

import stream

SLACK_S = 1  # between a moment and the suite's noticing it


def told_by(rules_text):
    """{rule: sinks}, from the configuration's own text."""
    out, rule = {}, None
    for line in rules_text.splitlines():
        if line.startswith("  ") and not line.startswith("   "):
            rule = line.strip().rstrip(":")
        elif line.strip().startswith("send:"):
            out[rule] = [s.strip() for s in line.split("[")[1].rstrip("]").split(",")]
    return out


class Episodes:
    """The record's alerts: what is expected, and which of them a delivered one is."""

    def __init__(self, record, sinks):
        self.by_key = collections.defaultdict(list)  # (rule, key) -> [[opened, ended, {(state, severity)}]], what is verified with its time
        self.expected = {}                           # (rule, key, opened, state, severity) -> sinks
        for alert in record:
            key = alert["rule"], json.dumps(alert["key"], sort_keys=True)
            at = stream.logs.time_of(alert["time"])
            episodes = self.by_key[key]
            if alert["state"] == "firing":
                episodes.append([at, None, set()])
            episode = episodes[-1] if alert["state"] != "resolved" else next(e for e in episodes if e[1] is None)
            if alert["state"] == "resolved":
                episode[1] = at
            episode[2].add((alert["state"], alert["severity"], at) if alert["state"] == "verified" else (alert["state"], alert["severity"]))
            self.expected[(*key, episode[0], alert["state"], alert["severity"])] = sinks[alert["rule"]]

    def find(self, key, state, severity, at):
        for opened, ended, steps in self.by_key.get(key, ()):
            inside = at == ended if state == "resolved" else opened <= at and (ended is None or at < ended)
            if (state, severity, at) in steps or inside and (state, severity) in steps:
                return (*key, opened, state, severity)
        return None


class Verdict:
    """problems: texts; an empty list is a round that kept the promises."""

    def __init__(self):
        self.problems = []
        self.counts = collections.Counter()

    def problem(self, kind, text):
        self.counts[kind] += 1
        self.problems.append("%s: %s" % (kind, text))


def time_of(line):
    return stream.logs.time_of(json.loads(line)["time"])


def same_record(expected, record, from_ms):
    """All of it, in order; of what is older than from_ms some may be gone."""
    return check_record(Verdict(), expected, record, from_ms)


def check_record(verdict, expected, record, from_ms):
    """Both are lists of lines, in order. True: as it should be."""
    there = set(record)
    forgotten = [x for x in expected if x not in there and time_of(x) < from_ms]
    verdict.counts["older than the record reaches"] += len(forgotten)
    gone = set(forgotten)
    expected = [x for x in expected if x not in gone]
    want, got = collections.Counter(expected), collections.Counter(record)
    for kind, lines in (("not confirmed", want - got), ("confirmed wrongly", got - want)):
        for line in list(lines.elements()):
            verdict.problem(kind, line.decode()[:300])
    if not verdict.problems and expected != record:
        verdict.problem("confirmed wrongly", "the order differs")
    return not verdict.problems


def names_of(requests):
    """{alert id: (rule, key)}, as the webhook was told."""
    names = {}
    for q in requests:
        if q.sink == "ops":
            body = json.loads(q.body)
            names[body["id"]] = body["rule"], json.dumps(body["key"], sort_keys=True)
    return names


def is_visitor(name):
    """Of the rule that comes and goes: what it says depends on when it came."""
    return name is not None and name[0] == "visitor"


def check_deliveries(verdict, record, sinks, requests, faults, dead):
    """record: the expected one, decoded. dead: {sink: [(entry id, reason)]}."""
    episodes = Episodes(record, sinks)
    said = heard(verdict, episodes, requests, faults)
    check_digests(verdict, requests)
    excused = check_dead(verdict, requests, faults, dead)
    lost, doubled = [], []
    for alert, wanted in episodes.expected.items():
        for sink in wanted:
            verdict.counts["expected"] += 1
            entries = said.get((sink, alert), {})
            if not any(t.post.clean or t.post.found for told in entries.values() for t in told) and not excused & {(sink, e) for e in entries}:
                lost.append((sink, alert, [(t.entry, t.post.answer) for told in entries.values() for t in told]))
    for (sink, alert), entries in said.items():
        doubled += check_entries(verdict, sink, alert, entries, faults)
    take_displaced(verdict, said, lost, doubled)
    take_superseded(verdict, said, lost, excused)
    for kind, found in (("lost", lost), ("doubled", doubled)):
        for one in found:
            verdict.problem(kind, "%s %s: %s" % one)


def heard(verdict, episodes, requests, faults):
    """{(sink, alert): {entry: what told it}} of what belongs to the record."""
    names, said = names_of(requests), collections.defaultdict(dict)
    for t in (t for q in requests for t in q.told if t.time_ms < faults.cutoff_ms and not is_visitor(names.get(t.id))):
        alert = episodes.find(names.get(t.id), t.state, t.severity, t.time_ms)
        if alert is None or t.post.sink not in episodes.expected[alert]:
            verdict.problem("unexpected", "%s %s" % (t.post.sink, (t.alert(), t.time_ms, names.get(t.id))))
        else:
            said[t.post.sink, alert].setdefault(t.entry, []).append(t)
    return said


def check_digests(verdict, requests):
    """A digest says of how many alerts it is, and names none but these."""
    for q in filter(lambda q: q.is_digest(), requests):
        verdict.counts["digests"] += 1
        verdict.counts["told in digests"] += len(q.told)
        text = json.dumps(json.loads(q.body), ensure_ascii=False)
        many = re.search(r"([\d,]+) alerts at once", text)
        named = set(re.findall(r" · ([0-9a-f]{8})\b", text))
        if not many or int(many[1].replace(",", "")) != len(q.told) or not named or not named <= {t.id[:8] for t in q.told}:
            verdict.problem("unexpected", "a digest of %d alerts says %s" % (len(q.told), text[:300]))


def take_displaced(verdict, said, lost, doubled):
    """An early word that belonged to a later episode: an opening was announced, and then a whole episode came to light before
    it and took its name. So one step of the earlier is missing where one of the later is there twice. Counted on its own;
    the evidence is that words of the earlier carry the name of the later."""
    ids = collections.defaultdict(lambda: collections.defaultdict(set))  # (sink, rule, key) -> opened -> ids
    for (sink, alert), entries in said.items():
        ids[(sink, *alert[:2])][alert[2]].update(t.id for told in entries.values() for t in told)
    late = set()
    for one in list(lost):
        sink, (rule, key, opened, *step), _ = one
        here = ids[sink, rule, key]
        taken = [other for other in here if other > opened and here[other] & here.get(opened, set())
                 and len(said.get((sink, (rule, key, other, *step)), ())) > 1]
        if taken:
            lost.remove(one)
            late.update((sink, rule, key, other) for other in taken)
            verdict.counts["displaced"] += 1
    doubled[:] = [d for d in doubled if (d[0], *d[1][:3]) not in late]


def take_superseded(verdict, said, lost, excused):
    """An escalation that a later step of the same episode caught up with while it waited is not told, but to programs (the webhook);
    also where the receiver then refused that step for good."""
    ranks = ["low", "medium", "high", "critical"]

    def is_later(step, than):
        return step[0] == "resolved" or step[0] == "escalated" and ranks.index(step[1]) > ranks.index(than[1])
    told = {(sink, alert) for (sink, alert), entries in said.items()
            if any(t.post.clean for p in entries.values() for t in p) or excused & {(sink, e) for e in entries}}
    for one in list(lost):
        sink, alert, _ = one
        if sink != "ops" and alert[3] == "escalated" and any(s == sink and a[:3] == alert[:3] and is_later(a[3:], alert[3:]) for s, a in told):
            lost.remove(one)
            verdict.counts["superseded"] += 1


def check_dead(verdict, requests, faults, dead):
    """What a receiver refused for good is dead by its own word, also where Redis lost the dead letter since; everything else
    must not be: of a digest its alerts are told one by one. The excused (sink, entry)."""
    lied = {(q.sink, q.entry): q.at for q in requests if is_refused(q) and not q.is_digest()}
    found = {(sink, entry): reason for sink, entries in dead.items() for entry, reason in entries}
    for one, reason in found.items():
        if one not in lied:
            verdict.problem("dead letter", "%s %s: %s" % (*one, reason))
    excused = {one for one, at in lied.items() if one in found or faults.lost_between(at, time.time())}
    verdict.counts["dead by the receiver's word"] += len(excused)
    verdict.counts["lies"] += sum(q.answer not in ("ok", "refused") for q in requests)
    return excused


def made_at(entry):
    return int(entry.split("-")[0]) / 1000


def is_refused(request):
    """For good, by the receiver's own word."""
    return request.answer == "error_body" and request.sink == "chat"


def must_agree(request):
    """What is the same each time an entry is posted. An issue's words tell of the former issue only while Redis remembers it;
    its ids are made from the alert's, so Linear sees the same issue and comment."""
    if request.sink != "bugs":
        return request.body, request.id()
    variables = json.loads(request.body)["variables"]
    return tuple((variables.get(part) or {}).get("id") for part in ("issue", "comment"))


def may_differ(one, other, faults):
    """A digest is what Redis knows that it is; one that is refused is taken apart. What went alone stays alone."""
    if not one.is_digest() and not other.is_digest():
        return False
    return faults.lost_between(one.at, other.at) or one.is_digest() and is_refused(one)


def check_entries(verdict, sink, alert, entries, faults):
    """What came twice without a reason: [(sink, alert, words)]."""
    found, order = [], sorted(entries, key=lambda e: [int(n) for n in e.split("-")])
    for one, other in zip(order, order[1:]):
        if faults.lost_between(made_at(one), made_at(other)):
            verdict.counts["repeated after a loss"] += 1
        else:
            found.append((sink, alert, "entries %s and %s" % (one, other)))
    for entry, told in entries.items():
        posts = [t.post for t in told]
        for one, other in zip(posts, posts[1:]):
            if must_agree(one) != must_agree(other) and not may_differ(one, other, faults):
                verdict.problem("two bodies", "%s %s: entry %s at %.3f and %.3f" % (sink, alert, entry, one.at, other.at))
            verdict.counts["POSTs again"] += entry == other.told[0].entry
            if not faults.may_repeat(one, other):
                verdict.problem("doubled", "%s %s: entry %s was answered to %d at %.3f and sent again by %d at %.3f"
                                % (sink, alert, entry, one.pid, one.at, other.pid, other.at))
    return found


class Faults:
    """What was done to the system, with its times, so that what follows from it can be told from what does not."""

    def __init__(self, cutoff_ms):
        self.cutoff_ms = cutoff_ms
        self.entries = []     # (from, to, kind, what), as they happened
        self.losses = []      # (from, to) in which Redis lost writes
        self.total_losses = []  # (from, to) of those in which it lost all it had
        self.troubles = []    # (from, to) in which Redis did not answer, or not in time
        self.halted = collections.defaultdict(list)  # pid -> [(from, to)] killed (for ever) or stopped

    def note(self, kind, begun, ended, what=""):
        self.entries.append((begun, ended, kind, what))

    def lost_between(self, one, other):
        return any(begun - SLACK_S <= other and one <= ended + SLACK_S for begun, ended in self.losses)

    def may_repeat(self, one, other):
        def meets(spans):
            return any(begun - SLACK_S <= other.at and one.at <= ended + SLACK_S for begun, ended in spans)

        if not one.clean or meets(self.halted[one.pid]) or meets(self.losses):
            return True
        return one.pid != other.pid and meets(self.troubles)  # it could not say that it was answered

    def lines(self, start):
        return ["%8.3f %8.3f %-14s %s" % (a - start, b - start, kind, what) for a, b, kind, what in sorted(self.entries)]


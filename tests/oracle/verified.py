"""When the fix of a known issue is verified, from docs/rules.md, midnight by midnight: an episode was there, all are over, the latest began before the
issue was fixed, and nothing came for `verify_fixed` since the fix."""
import known_issues
import log as logs

DAY = 86_400_000


def words(rule, key, events, steps, log):
    """The words of one key, as transitions. events: the key's; log: all."""
    steps, taken, out = [s for s in steps if s[1] in ("firing", "resolved")], 0, []
    for midnight in range(-(-events[0].time // DAY) * DAY, log.end + 1, DAY):
        until = [s for s in steps if s[0] < midnight or s[0] == midnight and s[1] == "resolved"]
        if len(until) == taken or until[-1][1] != "resolved":
            continue
        last = max(e.time for e in events if e.time < midnight)
        if midnight - last > rule.known:
            taken = len(until)
        elif last < midnight - rule.verify and is_fixed(rule, key, midnight, until[-2][0], log.events):
            taken = len(until)
            seen = {"first_seen": (until[-1][5] or {}).get("first_seen"), "last_seen": logs.time_text(last)}
            out.append((midnight, "verified", *until[-1][2:4], None, seen))
    return out


def is_fixed(rule, key, midnight, opened, events):
    issue = known_issues.expected(events, {"state": "verified", "rule": rule.name, "key": key}, opened, midnight, rule.known)
    fixed = logs.time_of(issue["fixed"]) if issue and issue["status"] == "fixed" else None
    return fixed is not None and opened <= fixed <= midnight - rule.verify


def wrong(alerts):
    """The first word, in the order of the record, that names other accounts than the steps before it; None."""
    waiting = {}
    for alert in alerts:
        of = alert["rule"], json_key(alert)
        if alert["state"] != "verified":
            waiting.setdefault(of, set()).update(a["id"] for a in alert.get("accounts", []))
        elif {a["id"] for a in alert.get("accounts", [])} != waiting.pop(of, set()):
            return alert
    return None


def json_key(alert):
    return tuple(sorted(alert["key"].items()))

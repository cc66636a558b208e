"""Of which known issue an alert says it is, from docs/rules.md: of each member what the latest update says that has it, of those inside
(t - remember, t) and of the latest 500 before t; an issue is of the alert where all that it names is in the rule and key."""
import fnmatch

import log as logs

KNOWN = 500
TEXTS = ["id", "status", "title", "workaround", "url", "rule", "page", "error", "subject", "category"]
PARTS = {"page": "page", "error": "error", "subject": "subject", "category": "ticket.category"}


def issues(events, t, remember):
    """What is known at t. events: sorted, as accepted."""
    told = [e for e in events if e.body["type"] == "known_issue.updated" and logs.field(e, "known_issue.id") and e.time < t][-KNOWN:]
    known = {}
    for e in told:
        if e.time <= t - remember:
            continue
        said = {m: logs.field(e, "known_issue." + m) for m in TEXTS}
        said["mute"] = logs.field(e, "known_issue.mute")
        issue = known.setdefault(said["id"], {})
        was = standing(issue)
        issue.update({m: v for m, v in said.items() if v not in (None, "")})
        if standing(issue) == "fixed" and was != "fixed":
            issue["fixed"] = e.time
    return list(known.values())


def standing(issue):
    return {"fixed": "fixed", "resolved": "fixed", "closed": "closed"}.get(issue.get("status"), "open")


def fits(issue, alert):
    """How much of the alert it names; 0: it is not of it."""
    named = {m: issue[m] for m in PARTS if m in issue}
    if standing(issue) == "closed" or not fnmatch.fnmatchcase(alert["rule"], issue.get("rule", "*")):
        return 0
    return (len(named) + ("rule" in issue)) * all(alert["key"].get(PARTS[m]) == v for m, v in named.items())


def expected(events, alert, opened, t, remember):
    if alert["state"] == "resolved":
        return None
    best = min(((standing(i) == "fixed", -fits(i, alert), i["id"].encode(), n, i) for n, i in enumerate(issues(events, t, remember)) if fits(i, alert)),
               default=None)
    if best is None:
        return None
    issue = best[-1]
    told = {m: issue[m] for m in ("id", "title", "workaround", "url") if m in issue}
    told["status"] = standing(issue)
    if told["status"] == "open":
        return {**told, **({"muted": True} if issue.get("mute") else {})}
    return {**told, "fixed": logs.time_text(issue["fixed"]), **({"regression": True} if issue["fixed"] < opened else {})}


def wrong(events, alerts, remember):
    """The first alert, in the order of the record, that says something else, and what it should say; None. Pages and subjects must be
    named as keys have them."""
    opened = {}
    for alert in alerts:
        time = logs.time_of(alert["time"])
        if alert["state"] == "firing":
            opened[alert["id"]] = time
        want = expected(events, alert, opened.get(alert["id"], time), time, remember)
        if want != alert.get("known_issue"):
            return alert, want
    return None

"""Which releases an alert names, from docs/rules.md: of those inside [o - within, o), where o is when its episode began, the latest
three that differ in version or service; only the latest 200 before the step are known."""
import log as logs

KNOWN, NAMED = 200, 3


def known(events, opened, step, within):
    """events: sorted, as accepted."""
    told = [e for e in events if e.body["type"] == "release.deployed" and logs.field(e, "release.version") and e.time < step][-KNOWN:]
    named = {}
    for e in reversed(told):
        release = {m: logs.field(e, "release." + m) for m in ("version", "service", "url")}
        if opened - within <= e.time < opened:
            named.setdefault((release["version"], release["service"]), {**{k: v for k, v in release.items() if v}, "time": logs.time_text(e.time)})
    return list(named.values())[:NAMED]


def wrong(events, alerts, within):
    """The first alert, in the order of the record, that names others, and what it should name; None."""
    opened = {}
    for alert in alerts:
        time = logs.time_of(alert["time"])
        if alert["state"] == "firing":
            opened[alert["id"]] = time
        want = known(events, opened.get(alert["id"], time), time, within) if alert["state"] not in ("resolved", "verified") else []
        if want != alert.get("releases", []):
            return alert, want
    return None

"""What account.updated events tell of an account at a moment, from docs/rules.md: of each field what the latest one says
that has it, of those inside (t - remember, t), in the order of (time, id)."""
import log as logs

FIELDS = ["name", "tier", "mrr", "renewal", "owner"]


def known(events, account, t, remember):
    """events: sorted, as accepted."""
    told = {}
    for e in events:
        if e.body["type"] == "account.updated" and t - remember < e.time < t and logs.field(e, "account.id") == account:
            said = {f: logs.field(e, "account." + f) for f in FIELDS}
            told.update({f: v for f, v in said.items() if v not in (None, "")})
    return told


def wrong(events, alert, remember):
    """What an alert's accounts say that is not so; an empty list is good."""
    t, listed, out = logs.time_of(alert["time"]), alert.get("accounts", []), []
    for a in listed:
        for name, value in known(events, a["id"], t, remember).items():
            if a.get(name, 0 if name == "mrr" else None) != value:
                out.append("%s.%s is %r, not %r" % (a["id"], name, a.get(name), value))
    if listed != sorted(listed, key=lambda a: (-a.get("mrr", 0), a["id"].encode())):
        out.append("not in order of MRR")
    return out

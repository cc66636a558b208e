"""What `inhibit` says of a record (docs/rules.md, "Inhibition"), made again from the lines themselves: who hides whom is a
function of them."""
import fnmatch


def fits(patterns, rule):
    return any(fnmatch.fnmatchcase(rule, p) for p in ([patterns] if isinstance(patterns, str) else patterns))


def said(line, field):
    values = {v for k, v in line["key"].items() if k == field} | {c["value"] for c in line.get("contributors", []) if c["field"] == field}
    return values | ({a["id"] for a in line.get("accounts", [])} if field == "account" else set())


def has_in_common(one, other, fields):
    return all(said(one, f) & said(other, f) for f in ([fields] if isinstance(fields, str) else fields))


class Episode:
    """One that may hide others."""

    def __init__(self, first):
        self.steps, self.end, self.hid = [first], None, []

    def at(self, time):
        """Its last step then, while it fires."""
        if self.steps[0]["time"] > time or (self.end is not None and self.end <= time):
            return None
        return [s for s in self.steps if s["time"] <= time][-1]


def episodes(lines, plans):
    found = {}
    for line in lines:
        if not any(fits(p["source"], line["rule"]) for p in plans.values()):
            continue
        if line["state"] == "resolved":
            if line["id"] in found:
                found[line["id"]].end = line["time"]
        elif line["id"] in found:
            found[line["id"]].steps.append(line)
        else:
            found[line["id"]] = Episode(line)
    return found


def hider_of(line, sources, plans):
    for ident, source in sources.items():
        step = source.at(line["time"])
        for name, plan in plans.items():
            if (step and fits(plan["source"], step["rule"]) and fits(plan["hides"], line["rule"])
                    and has_in_common(step, line, plan.get("equal", []))):
                return source, {"inhibit": name, "rule": step["rule"], "id": ident}
    return None, None


def wrong(lines, plans):
    """The first line that says something else, and what it should say; None."""
    lines = [line for line in lines if line["state"] != "verified" or "hides" in line or "hidden_by" in line]
    sources = episodes(lines, plans)
    for line in lines:
        source, by = hider_of(line, sources, plans) if line["state"] != "resolved" else (None, None)
        if by != line.get("hidden_by"):
            return line, by
        if source and line["id"] not in [i for _, i, _ in source.hid]:
            about = ", ".join(line["key"].values())
            source.hid.append((line["time"], line["id"], {"rule": line["rule"], "id": line["id"], **({"about": about} if about else {})}))
    for line in lines:
        hid = [h for t, _, h in sources[line["id"]].hid if t <= line["time"]] if line["id"] in sources else []
        if hid[:10] != line.get("hides", []) or (len(hid) if len(hid) > 10 else None) != line.get("hides_total"):
            return line, hid
    return None

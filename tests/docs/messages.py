#!/usr/bin/env python3
"""docs/messages.md shows what tests/sinks/golden has: the messages as their receivers show them.

    messages.py [--write]
"""
import html
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/messages.md"
HEAD = """# What arrives

Messages as their receivers show them, made from the requests in `tests/sinks/golden` by `tests/docs/messages.py --write`. What stands behind each is told in
[sinks.md](sinks.md); words of your own are [templates](templates.md).
"""


def requests(case, sink):
    """The bodies of the requests of a golden file."""
    text = (ROOT / "tests/sinks/golden" / case / (sink + ".txt")).read_text(encoding="utf-8")
    bodies = []
    for part in text.split("\n-------- then\n\n"):
        body = part.split("\n\n", 1)[1].split("\n\n====")[0]
        bodies.append(json.loads(body) if body.lstrip().startswith("{") else {})
    return bodies


def slack_text(text):
    text = re.sub(r"<[^|>]*\|([^>]*)>", r"\1", text)
    return html.unescape(text.replace("*", "").replace("`", ""))


def slack_block(block):
    if block["type"] == "header":
        return [slack_text(block["text"]["text"]), ""]
    if "fields" in block:
        rows = [slack_text(f["text"]).split("\n", 1) for f in block["fields"]]
        return ["%-12s %s" % (label, value) for label, value in rows] + [""]
    texts = [block["text"]] if "text" in block else block["elements"]
    return [slack_text(t["text"]) for t in texts] + [""]


def slack(message):
    lines = [line for b in message["blocks"] for line in slack_block(b)]
    attachment = message["attachments"][0]
    inner = [line for b in attachment["blocks"] for line in slack_block(b)]
    lines += ["\u2503 " + part for line in inner for part in line.split("\n")]
    while lines[-1].strip("\u2503 ") == "":
        lines.pop()
    return "\n".join(line.rstrip() for line in lines) + "\n\u2503 (coloured %s)" % attachment["color"]


def linear_issue(body):
    issue = body["variables"]["issue"]
    priority = ["none", "urgent", "high", "medium", "low"][issue["priority"]]
    return "%s\n(priority: %s)\n\n%s" % (issue["title"], priority, issue["description"].rstrip())


def linear_comment(body):
    return body["variables"]["comment"]["body"].rstrip()


def tagless(text):
    text = re.sub(r"<li>", "- ", re.sub(r"</p>|</li>|<ul>|</ul>", "\n", text))
    return re.sub(r"\n\n+", "\n", html.unescape(re.sub(r"<[^>]*>", "", text))).strip()


def task(body):
    p = body["properties"]
    return "%s\n(due %s, priority %s, owner %s)\n\n%s" % (p["hs_task_subject"], p["hs_timestamp"], p["hs_task_priority"],
                                                        p.get("hubspot_owner_id", "nobody"), tagless(p["hs_task_body"]))


def company(body):
    return "\n".join("%s: %s" % row for row in body["properties"].items())


def page():
    firing, escalated, resolved = "page_error_firing", "page_error_escalated", "page_error_resolved"
    sections = [
        ("Slack: an alert fires", slack(requests(firing, "slack")[0])),
        ("Slack: it gets worse", slack(requests(escalated, "slack")[0])),
        ("Slack: it is over", slack(requests(resolved, "slack")[0])),
        ("Slack: it is of a known issue", slack(requests("page_error_known_issue", "slack")[0])),
        ("Slack: a regression, after a release", slack(requests("page_error_regression", "slack")[0])),
        ("Slack: a fix is verified", slack(requests("page_error_verified", "slack")[0])),
        ("Slack: a value out of its range", slack(requests("csat_falls", "slack")[0])),
        ("Slack: a storm", slack(requests("../digest", "slack")[0])),
        ("Linear: an issue", linear_issue(requests(firing, "linear")[0])),
        ("Linear: the comment of an escalation", linear_comment(requests(escalated, "linear")[-1])),
        ("Linear: the comment of a resolution", linear_comment(requests(resolved, "linear")[-1])),
        ("HubSpot: a task for the account's owner", task(requests("churn_friction", "hubspot_company")[1])),
        ("HubSpot: the task once the fix is verified", task(requests("page_error_verified", "hubspot")[-1])),
        ("HubSpot: what the company is told", company(requests("churn_friction", "hubspot_company")[2])),
    ]
    return HEAD + "".join("\n## %s\n\n````text\n%s\n````\n" % s for s in sections)


def main():
    made = page()
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(made, encoding="utf-8")
    elif sys.argv[1:]:
        sys.exit(__doc__)
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != made:
        sys.exit("docs/messages.md is not what the golden requests say: tests/docs/messages.py --write")
    print("docs/messages.md is as the golden requests: %d messages" % made.count("````text"))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Every message the sink email makes, read as a strict mail program reads it (Python's own parser).

    mails.py --tool build/tests/sink_request [--alerts N]

The alerts are those of tests/sinks/golden and N invented ones full of what breaks messages.
"""
import argparse
import email
import email.policy
import html.parser
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "contract"))
import payloads  # noqa: E402

SETTINGS = ["url=smtp://mail.example.com", "from=alerts@example.com", "to=a@example.com,b@example.com", payloads.TICKET_URL]
HEADERS = {"Date", "From", "To", "Subject", "Message-ID", "In-Reply-To", "References", "Importance", "Auto-Submitted",
           "X-Auto-Response-Suppress", "MIME-Version", "Content-Type"}
TAGS = {"html", "body", "h3", "p", "b", "table", "tr", "th", "td", "ul", "li", "a", "small"}
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f\u0080-\u009f\u202a-\u202e\u2066-\u2069\ufeff]")


class Reader(html.parser.HTMLParser):
    """What a browser would make of it: only our own tags, and links to where they must lead."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.faults, self.open = [], []
        self.feed(text)
        self.close()
        self.faults += ["not closed: %s" % self.open] if self.open else []

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        links = [v for n, v in attributes if n == "href"]
        if tag not in TAGS or any(not v.startswith("https://help.example.com/tickets/") for v in links):
            self.faults.append("%s %s" % (tag, attributes))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append("</%s>" % tag)

    def handle_comment(self, data):
        self.faults.append("a comment")


def faults(alert, body):
    """Of the message about an alert, or where that is None about many."""
    message = email.message_from_bytes(body.encode("ascii"), policy=email.policy.default)
    for part in message.walk():
        yield from (repr(defect) for defect in part.defects)
    yield from ("header %s" % name for name in set(message.keys()) - HEADERS)
    yield from ("twice: %s" % name for name in HEADERS if len(message.get_all(name, [])) > 1)
    yield from ("a line of %d" % len(line) for line in body.split("\r\n") if len(line) > 998)
    yield from ["a bare line break"] if re.search("[^\r]\n|\r[^\n]", body) else []
    ident = "<%s_firing@example.com>" % alert["id"] if alert else ""
    if not alert and not re.fullmatch("<[0-9a-f]{32}_digest@example.com>", message["Message-ID"]):
        yield "the digest's id"
    elif alert and ident != message["Message-ID" if alert["state"] == "firing" else "References"]:
        yield "thread"
    plain, rich = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))
    for text in (plain.replace("\r\n", ""), rich.replace("\r\n", ""), str(message["Subject"])):
        yield from ["a control character"] if CONTROLS.search(text) else []
    yield from Reader(rich).faults


def made_of(tool, lines, *options):
    ran = subprocess.run([tool, "email", "--json", *options, *SETTINGS], input=lines, stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in ran.stdout.decode().split("\n")[:-1]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True)
    parser.add_argument("--alerts", type=int, default=300)
    args = parser.parse_args()
    alerts = payloads.alerts(args.alerts, 11)
    lines = "".join(json.dumps(a, ensure_ascii=False) + "\n" for a in alerts).encode("utf-8")
    made, digests = made_of(args.tool, lines), made_of(args.tool, lines, "--digest", str(payloads.STORM))
    assert len(made) == len(alerts) and len(digests) == -(-len(alerts) // payloads.STORM), (len(made), len(digests))
    wrong = ["digest %d: %s" % (i, fault) for i, m in enumerate(digests) for fault in faults(None, m["body"])]
    wrong += ["alert %d: %s" % (i, fault) for i, (a, m) in enumerate(zip(alerts, made)) for fault in faults(a, m["body"])]
    caught = list(faults(alerts[0], made[0]["body"].replace("Subject: ", "Bcc: x@y\r\nSubject: ", 1).replace("<h3", "<script><h3", 1)))
    print("%d messages and %d digests, %d wrong; a broken one: %d faults" % (len(made), len(digests), len(wrong), len(caught)))
    for line in wrong[:20]:
        print(line)
    return 0 if not wrong and len(caught) >= 2 else 1


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""An alert's life, live: reminders, planned maintenance, what another alert explains, releases, known issues and verified fixes. The record of two processes and two
shards, one of them killed, is that of `replay`, and what is told is what the record does not say was silenced, hidden or muted.

    test_life.py          see live.py for what it needs
"""
import json
import pathlib
import signal
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "oracle")]
import live  # noqa: E402
import log as logs  # noqa: E402
import made_log  # noqa: E402
from made_log import MINUTE, START  # noqa: E402

RULES = """\
  cause:
    on: page.error
    by: [page]
    count: {at_least: 2, within: 3h}
    remind: 1h
    verify_fixed: 1d
    send: [ops]
  churn:
    on: ticket.created
    by: [account]
    count: {at_least: 1, within: 2h}
    severity: {low: 1, high: 3}
    remind: 30m
    send: [ops]
"""
EXTRA = """\
maintenance:
  deploy: {key: {account: quiet-*}, weekly: "Mon 00:00-01:00", author: ops, reason: a deploy}
inhibit:
  the-page-fails: {source: cause, hides: churn, equal: account}
"""


class Life(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.receiver = live.Receiver()
        self.addCleanup(self.receiver.close)
        self.system = live.System(RULES, 1, shards=2, extra=EXTRA,
                                  sinks='sinks:\n  ops: {type: webhook, url: "%s/ops"}\n' % self.receiver.url)
        self.addCleanup(self.system.close)
        self.lines, self.told_until = [], 0

    def event(self, minute, account, **more):
        n = len(self.lines)
        self.lines.append(made_log.line("e%d" % n, START + minute * MINUTE, 0, n, account={"id": account}, **more))

    def feed(self):
        self.system.feed(b"".join(self.lines[self.told_until:]))
        self.told_until = len(self.lines)

    def told(self):
        with self.receiver.lock:
            alerts = [json.loads(body) for _, _, body, _ in self.receiver.posts]
        return {(logs.time_of(a["time"]), a["rule"], list(a["key"].values())[0], a["state"]) for a in alerts if a["key"].get("account") != "zzz"}

    def of_others(self, record):
        """Not of the last event, which only makes time pass: live it is not confirmed yet."""
        return [line for line in record.decode().splitlines() if '"zzz"' not in line]

    def test_life(self):
        first = self.system.start()
        self.system.start()
        error = {"kind": "page.error", "page": {"url": "https://app.example.com/pay"}}
        known = {"kind": "page.error", "page": {"url": "https://app.example.com/known"}}
        self.event(-30, "zzz", kind="release.deployed", release={"version": "4.2.2", "service": "billing"})
        self.event(-20, "zzz", kind="known_issue.updated", known_issue={"id": "KI-1", "rule": "cause", "page": "/known", "mute": True})
        self.event(0, "quiet-1")   # in the maintenance
        self.event(1, "acme", **error)
        self.event(2, "bolt", **error)  # fires, and explains what acme and bolt say from now on
        self.event(3, "dune", **known)
        self.event(4, "dune", **known)  # fires, and nobody is told
        self.feed()
        live.wait_until("the cause", lambda: any(t[1:] == ("cause", "/pay", "firing") for t in self.told()))
        time.sleep(live.LEARNT_S)  # by now both processes know
        self.event(10, "acme")
        self.event(11, "cogs")
        self.feed()
        live.wait_until("cogs", lambda: any(t[1:3] == ("churn", "cogs") for t in self.told()))
        first.send_signal(signal.SIGKILL)
        self.event(100, "quiet-1")  # behind the maintenance; still the same episode
        self.event(120, "cogs")
        self.event(170, "bolt", **error)
        self.event(1000, "zzz", kind="known_issue.updated", known_issue={"id": "KI-1", "status": "fixed"})
        self.event(1001, "dune", **known)
        self.event(1002, "dune", **known)  # a regression
        self.event(2000, "zzz", kind="known_issue.updated", known_issue={"id": "KI-1", "status": "open"})
        self.event(2001, "zzz", kind="known_issue.updated", known_issue={"id": "KI-1", "status": "fixed"})
        self.event(6000, "zzz")  # the fix is verified
        self.feed()
        (self.system.folder / "log.jsonl").write_bytes(b"".join(self.lines))
        want = self.of_others(self.system.replay(self.system.folder / "log.jsonl"))
        live.wait_until("the record", lambda: self.of_others(self.system.record()) == want, 60)
        steps = [json.loads(line) for line in want]
        self.assertEqual({"silenced_by", "hidden_by", "hides", "reminder", "releases"} - {m for s in steps for m in s}, set())
        issues = [m for s in steps for m in s.get("known_issue", {})]
        self.assertIn("muted", issues)
        self.assertIn("regression", issues)
        self.assertEqual([s["key"] for s in steps if s["state"] == "verified"], [{"page": "/known"}])
        expected = self.expected(steps)
        live.wait_until("what is told", lambda: self.told() >= expected, 60)
        time.sleep(1)
        self.assertEqual(self.told(), expected)

    def test_a_rule_that_begins_to_verify(self):
        config = self.system.config.read_text(encoding="utf-8")
        self.system.config.write_text(config.replace("    verify_fixed: 1d\n", ""), encoding="utf-8")
        process = self.system.start()
        known = {"kind": "page.error", "page": {"url": "https://app.example.com/known"}}
        self.event(-20, "zzz", kind="known_issue.updated", known_issue={"id": "KI-1", "rule": "cause", "page": "/known"})
        self.event(3, "dune", **known)
        self.event(4, "acme", **known)
        self.event(1000, "zzz", kind="known_issue.updated", known_issue={"id": "KI-1", "status": "fixed"})
        self.event(1100, "zzz")
        self.feed()
        over = {("/known", "firing"), ("/known", "reminder"), ("/known", "resolved")}
        live.wait_until("the end", lambda: {t[2:] for t in self.told()} == over, 60)
        self.system.stop(process, seconds=60)
        self.system.config.write_text(config, encoding="utf-8")
        self.system.start()  # which reads again what the rule looks back
        self.event(6000, "zzz")
        self.feed()
        live.wait_until("the word", lambda: ("/known", "verified") in {t[2:] for t in self.told()}, 60)
        (self.system.folder / "log.jsonl").write_bytes(b"".join(self.lines))
        want = self.of_others(self.system.replay(self.system.folder / "log.jsonl"))
        self.assertEqual(self.of_others(self.system.record()), want)
        self.assertEqual([a["id"] for a in json.loads(want[-1])["accounts"]], ["acme", "dune"])
        with self.receiver.lock:
            posts = [json.loads(body)["state"] for _, _, body, _ in self.receiver.posts if b"/known" in body]
        self.assertEqual(len(posts), len(want))

    def expected(self, steps):
        """What was neither silenced nor hidden nor muted, but for the end of what nobody was told of."""
        told, out = set(), set()
        for s in steps:
            muted = "silenced_by" in s or "hidden_by" in s or s.get("known_issue", {}).get("muted")
            if muted or (s["state"] == "resolved" and s["id"] not in told):
                continue
            told.add(s["id"])
            out.add((logs.time_of(s["time"]), s["rule"], list(s["key"].values())[0], s["state"]))
        return out


if __name__ == "__main__":
    live.need_services()
    unittest.main(argv=sys.argv[:1], verbosity=2)

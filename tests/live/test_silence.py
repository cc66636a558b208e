#!/usr/bin/env python3
"""What a silence matches is recorded and not told; what was told is told its end.

    test_silence.py          see live.py for what it needs
"""
import json
import pathlib
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "oracle")]
import live  # noqa: E402
import log as logs  # noqa: E402
from made_log import MINUTE, START, event  # noqa: E402


class Silence(live.OneSink):
    RULES = "  r:\n    by: [account]\n    count: {at_least: 1, within: 1h}\n    severity: {medium: 1, high: 3}\n    send: [ops]\n"

    def silence(self, *words, **more):
        return self.verb("silence", *words, **more).strip()

    def told(self):
        with self.receiver.lock:
            alerts = [json.loads(body) for _, _, body, _ in self.receiver.posts]
        return sorted((a["key"]["account"], (logs.time_of(a["time"]) - START) // MINUTE, a["state"]) for a in alerts)

    def test_what_matches_is_not_told(self):
        self.system.start()
        ident = self.silence("add", "--rule", "r*", "--key", "account=ac?e", "--for", "1h", "--author", "al", "--reason", "a deploy")
        self.system.feed(event("c1", "cogs"))  # told
        live.wait_until("cogs", lambda: self.told() == [("cogs", 0, "firing")])
        time.sleep(live.LEARNT_S)  # by now the silence is known
        muted = self.silence("add", "--key", "account=cogs", "--for", "1h", "--author", "al", "--reason", "known")
        time.sleep(live.LEARNT_S)
        self.system.feed(b"".join(event("a%d" % i, "acme", i) for i in range(3)) + event("b1", "bolt", 3) +
                         b"".join(event("d%d" % i, "cogs", i) for i in range(1, 4)))
        live.wait_until("three are kept back", lambda: self.system.log_text().count("event=alert_silenced") == 3)
        self.system.feed(event("end", "zzz", 600))
        live.wait_until("the record", lambda: self.verb("alerts", "ls").count("\n") >= 8)
        want = [("bolt", 3, "firing"), ("bolt", 63, "resolved"), ("cogs", 0, "firing"), ("cogs", 63, "resolved"), ("zzz", 600, "firing")]
        live.wait_until("what is told", lambda: self.told() == want)
        time.sleep(1)
        self.assertEqual(self.told(), want)
        record = [json.loads(line) for line in self.verb("alerts", "ls").splitlines()]
        acme = [a for a in record if a["key"]["account"] == "acme"]
        self.assertEqual([a["state"] for a in acme], ["firing", "escalated", "resolved"])
        shown = self.verb("alerts", "show", acme[0]["id"])
        self.assertIn("firing was not told to ops: silenced until ", shown)
        self.assertIn(" by al: a deploy", shown)
        self.assertIn("escalated was not told", self.verb("alerts", "show", [a for a in record if a["key"]["account"] == "cogs"][0]["id"]))
        listed = [json.loads(line) for line in self.silence("ls", "--format", "json").splitlines()]
        self.assertEqual({s["id"] for s in listed}, {ident, muted})
        self.assertIn("active", self.silence("ls"))

        self.silence("expire", ident)
        self.assertIn("over", self.silence("ls"))
        time.sleep(live.LEARNT_S)
        self.system.feed(event("a9", "acme", 700))
        live.wait_until("acme again", lambda: ("acme", 700, "firing") in self.told())
        self.assertEqual(set(self.system.stop_all()), {0})
        self.assertEqual(self.system.log_text().count("event=alert_silenced"), 4)

    def test_an_end_that_comes_when_the_silence_is_over_is_not_told_either(self):
        self.system.start()
        self.silence("add", "--everything", "--for", "20s", "--author", "al", "--reason", "why")
        over_s = time.monotonic() + 20
        time.sleep(live.LEARNT_S)
        self.system.feed(event("a1", "acme"))
        live.wait_until("kept back", lambda: "event=alert_silenced" in self.system.log_text())
        time.sleep(max(0, over_s - time.monotonic()) + live.LEARNT_S)
        self.system.feed(event("end", "zzz", 600))
        live.wait_until("zzz", lambda: self.told() == [("zzz", 600, "firing")])
        live.wait_until("the end", lambda: self.system.log_text().count("event=alert_silenced") == 2)
        self.system.stop_all()
        self.assertEqual(self.told(), [("zzz", 600, "firing")])

    def test_usage(self):
        good = ["--rule", "r", "--for", "1h", "--author", "al", "--reason", "why"]
        for words in ([], ["add"], ["add", *good[2:]], ["add", *good, "x"], ["add", *good, "--for", "soon"], ["add", *good, "--key", "x"],
                      ["add", *good, "--up-to", "huge"], ["add", *good, "--everything"], ["add", *good[:2], *good[4:]], ["add", *good[:6]],
                      ["ls", "x"], ["expire"], ["fly"], ["add", *good, "--until", "2026-03-02T00:00:00Z"]):
            self.assertIn("usage:", self.verb("silence", *words, code=2), words)
        self.assertIn("over already", self.silence("add", "--rule", "r", "--until", "2020-03-02T00:00:00Z", "--author", "a", "--reason", "x", code=2))
        self.assertIn("there is none 'x'", self.silence("expire", "x", code=1))


if __name__ == "__main__":
    live.need_services()
    unittest.main(argv=sys.argv[:1], verbosity=2)

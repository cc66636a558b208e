#!/usr/bin/env python3
"""Dead letters, of both kinds, are listed, shown and given back; confirmed alerts are listed and shown; a sink is tried.

    test_dlq.py          see live.py for what it needs
"""
import json
import pathlib
import subprocess
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]
import live  # noqa: E402
from made_log import event  # noqa: E402


class Dlq(live.OneSink):
    RULES = "  r:\n    by: [account]\n    count: {at_least: 1, within: 1h}\n    send: [ops]\n"

    def dlq(self, *words, **more):
        return self.verb("dlq", *words, **more)

    def letters(self, *words):
        return [json.loads(line) for line in self.dlq("ls", "--format", "json", *words).splitlines()]

    def test_alerts_that_the_sink_refused(self):
        self.receiver.answer = lambda path, body: 400
        self.system.start()
        self.assertEqual(self.letters("--sink", "ops"), [])
        self.system.feed(event("e1", "acme") + event("e2", "bolt", 1) + event("e3", "cogs", 2))
        live.wait_until("three dead", lambda: len(self.letters("--sink", "ops")) == 3)
        letters = self.letters("--sink", "ops")
        self.assertEqual({x["alert"]["key"]["account"] for x in letters}, {"acme", "bolt", "cogs"})
        self.assertEqual({x["id"].split("/")[1] for x in letters}, {"0", "1"}, "they should lie in both shards")
        for x in letters:
            self.assertIn("400", x["reason"])
        text = self.dlq("ls")
        self.assertEqual(text.count("\n"), 3)
        self.assertIn("r firing low: ", text)
        first = letters[0]
        self.assertIn(first["alert"]["id"], self.dlq("show", first["id"]))

        self.receiver.answer = lambda path, body: 200
        self.dlq("redrive", first["id"])
        live.wait_until("one", lambda: len(self.receiver.alerts()) == 1)
        self.assertEqual(self.receiver.alerts()[0][0], first["alert"]["id"])
        self.assertIn("no dead letter", self.dlq("redrive", first["id"], code=1))
        self.dlq("redrive", "--sink", "ops", "--all")
        live.wait_until("all", lambda: len(self.receiver.alerts()) == 3)
        time.sleep(0.5)
        self.assertEqual(sorted(a[0] for a in self.receiver.alerts()), sorted(x["alert"]["id"] for x in letters))
        self.assertEqual(self.letters("--sink", "ops"), [])
        self.assertEqual(set(self.system.stop_all()), {0})

    def test_records_that_are_no_events(self):
        self.system.start()
        self.system.feed(b"no event\n" + event("e1", "acme") + b'{"id":"\x1b[31mred"}\n')
        live.wait_until("two dead", lambda: len(self.letters("--sink", "input")) == 2)
        letters = self.letters("--sink", "input")
        self.assertEqual([x["offset"] for x in letters], [0, 2])
        self.assertEqual({x["topic"] for x in letters}, {self.system.name})
        shown = self.dlq("show", letters[0]["id"])
        self.assertIn("no event", shown)
        self.assertNotIn("\x1b", self.dlq("show", letters[1]["id"]))
        self.assertIn("id", json.loads(self.dlq("show", "--format", "json", letters[1]["id"]))["record"])
        self.dlq("redrive", letters[0]["id"])
        live.wait_until("it is refused once more", lambda: len(self.letters("--sink", "input")) == 3)
        self.assertEqual([x["offset"] for x in self.letters("--sink", "input")], [0, 2, 3])
        self.assertEqual(set(self.system.stop_all()), {0})

    def test_what_is_not_there(self):
        for ident in ("ops/0/1-1", "ops/9/1-1", "ops/0/x", "input/0/99", "input/7/0", "nobody/0/1-1", "nonsense"):
            self.assertIn("no dead letter '%s'" % ident, self.dlq("show", ident, code=1))
        self.assertIn("there is no sink 'opps'", self.dlq("ls", "--sink", "opps", code=2))

    def test_one_episode_is_shown(self):
        self.system.start()
        self.system.feed(event("e1", "acme") + event("e2", "bolt", 1) + event("e3", "cogs", 600))
        live.wait_until("the record", lambda: self.verb("alerts", "ls").count("\n") == 4)
        first = json.loads(self.verb("alerts", "ls").splitlines()[0])
        both = [json.loads(line) for line in self.verb("alerts", "show", first["id"], "--format", "json").splitlines()]
        self.assertEqual([(a["id"], a["state"]) for a in both], [(first["id"], "firing"), (first["id"], "resolved")])
        text = self.verb("alerts", "show", first["id"][:8])
        for part in (first["id"], "account acme", "event e1", "firing", "resolved"):
            self.assertIn(part, text)
        self.assertIn("no confirmed alert", self.verb("alerts", "show", "0000", code=1))
        self.assertIn("wants an ID", self.verb("alerts", "show", code=2))
        self.system.stop_all()

    def test_a_sink_is_sent_a_test_message(self):
        def tool(*words):
            done = subprocess.run([live.PROGRAM, "sink", "test", *words, "-c", str(self.system.config), "--format", "json"],
                                  capture_output=True, text=True, timeout=60)
            return done.returncode, done.stdout and json.loads(done.stdout), done.stderr
        code, said, _ = tool("ops")
        self.assertEqual((code, said["delivered"], said["status"], said["answer"]), (0, True, 200, "ok"))
        path, _, body, _ = self.receiver.posts[0]
        self.assertEqual((path, json.loads(body)["id"]), ("/ops", said["alert"]))
        self.assertIn("nothing is wrong", json.loads(body)["summary"])
        for status, wanted in ((400, 1), (403, 1), (500, 3)):
            self.receiver.answer = lambda path, body, status=status: status
            code, said, _ = tool("ops")
            self.assertEqual((code, said["delivered"], said["status"]), (wanted, False, status))
        self.assertIn("did you mean 'ops'?", tool("opss")[2])
        self.receiver.close()
        code, said, _ = tool("ops")
        self.assertEqual((code, said["delivered"], said["status"]), (3, False, 0), said)

    def test_usage(self):
        for words in ((), ("ls", "x"), ("show",), ("redrive",), ("redrive", "--all"), ("show", "--all", "--sink", "ops"), ("fly",)):
            self.assertIn("usage:", self.dlq(*words, code=2))


if __name__ == "__main__":
    live.need_services()
    unittest.main(argv=sys.argv[:1], verbosity=2)

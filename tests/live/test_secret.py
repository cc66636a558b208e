#!/usr/bin/env python3
"""Redis' password is changed while `run` is at work: the file comes after the server, and no restart is needed. And no
secret is told by the program: in its log, its figures, its verbs, or what it leaves in Redis.

    test_secret.py               see live.py for what it needs
"""
import json
import os
import pathlib
import sys
import time
import unittest
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "delivery")]
import live  # noqa: E402
import made_log  # noqa: E402
import redis_server  # noqa: E402
import secrets_test  # noqa: E402
from secrets_test import OTHER, SIGNING, WORD  # noqa: E402

ALERT = live.ROOT / "tests/sinks/golden/page_error_firing/alert.json"
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever the environment names
START = int(time.time() * 1000) - 3_600_000


def events(first, n):
    return made_log.one_each(first, n, START)


class Secret(unittest.TestCase):
    def test_a_changed_password_needs_no_restart(self):
        redis = live.PrivateRedis("--requirepass", "first")
        self.addCleanup(redis.close)
        receiver = live.Receiver()
        self.addCleanup(receiver.close)
        file = pathlib.Path(redis.folder) / "password"
        file.write_text("first\n", encoding="utf-8")
        system = live.System("  r:\n    by: [account]\n    count: {at_least: 1, within: 1h}\n    send: ops\n", 1,
                             redis='%s", password_file: "%s' % (redis.url, file),
                             sinks='sinks:\n  ops: {type: webhook, url: "%s/ops"}\n' % receiver.url)
        self.addCleanup(system.close)
        process = system.start()
        system.feed(events(0, 3))
        live.wait_until("three alerts", lambda: len(receiver.alerts()) == 3)

        self.command(redis, "first", "CONFIG SET requirepass second", "CLIENT KILL TYPE normal SKIPME yes")
        system.feed(events(3, 3))
        live.wait_until("a refused log-in", lambda: "WRONGPASS" in system.log_text(), 30)
        time.sleep(2)
        self.assertIsNone(process.poll(), system.log_text())
        file.write_text("second\n", encoding="utf-8")
        live.wait_until("six alerts", lambda: len(receiver.alerts()) == 6)
        self.assertEqual(system.stop_all(), [0])
        for password in ("first", "second"):
            self.assertNotIn(password, system.log_text())

    def command(self, redis, password, *lines):
        text = "".join(line + "\r\n" for line in ("AUTH " + password, *lines))
        with live.socket.create_connection(("127.0.0.1", redis.port), timeout=30) as link:
            link.sendall(text.encode())
            answers = b""
            while answers.count(b"\r\n") < len(lines) + 1:
                answers += link.recv(4096)
        self.assertNotIn(b"-", answers)


class NothingIsTold(unittest.TestCase):
    """Sinks whose receivers refuse, fail, say back what they hear, or are not there; a proxy and a Redis with passwords."""

    def setUp(self):
        self.redis = redis_server.Redis()
        self.addCleanup(self.redis.close)
        self.redis.command("CONFIG", "SET", "requirepass", WORD)
        self.receiver = secrets_test.Echo()
        self.addCleanup(self.receiver.close)
        self.port = live.free_port()
        self.system = live.System("  r:\n    by: [account]\n    count: {at_least: 1, within: 1h}\n    send: [%s]\n" % ", ".join(self.sinks()), 1,
                                  redis='%s", password_file: "%s' % (self.redis.url, WORD), extra='status: {listen: "127.0.0.1:%d"}\n' % self.port)
        self.addCleanup(self.system.close)
        self.secret_files()

    def sinks(self):
        say, team = self.receiver.url("/say/%d"), "9cfb482a-81e3-4154-b5b9-2c805e70a02d"
        return {"kept": 'type: webhook, url: "${HOOK}/say/200", secret: "${SIGNING}"', "dead": 'type: webhook, url_file: url_dead, secret_file: signing',
                "paused": 'type: slack, url: "${HOOK}/say/403"', "limited": 'type: discord, url: "${HOOK}/say/429"',
                "linear": 'type: linear, url: "%s", key_file: word, team: %s' % (say % 400, team),
                "hubspot": 'type: hubspot, url: "%s", key: "${WORD}"' % (say % 401), "pager": 'type: pagerduty, url: "%s", routing_key: "${KEY}"' % (say % 500),
                "nowhere": 'type: teams, url: "http://${WORD}.invalid/${WORD}"', "user": 'type: webhook, url: "http://jane:${WORD}@127.0.0.1:9/"',
                "proxied": 'type: webhook, url: "http://127.0.0.1:9/", proxy: "http://jane:${WORD}@127.0.0.1:9"',
                "mail": 'type: email, url: "smtps://127.0.0.1:9", from: a@example.com, to: b@example.com, user: jane, password_file: word'}

    def secret_files(self):
        config = self.system.config.read_text(encoding="utf-8").replace('password_file: "%s"' % WORD, "password_file: word")
        config = config.replace("rules:\n", "sinks:\n%srules:\n" % "".join("  %s: {%s}\n" % sink for sink in self.sinks().items()), 1)
        for name, text in {"word": WORD, "signing": SIGNING, "url_dead": self.receiver.url("/say/422/" + WORD)}.items():
            (self.system.folder / name).write_text(text + "\n", encoding="utf-8")
            config = config.replace("_file: " + name, '_file: "%s"' % (self.system.folder / name))
        self.system.config.write_text(config, encoding="utf-8")

    def ask(self, path):
        try:
            return DIRECT.open("http://127.0.0.1:%d%s" % (self.port, path), timeout=30).read().decode()
        except urllib.error.HTTPError as answer:
            return answer.read().decode()

    def test_by_the_live_program(self):
        secrets = {"HOOK": self.receiver.url(""), "SIGNING": SIGNING, "WORD": WORD, "KEY": (WORD + OTHER).ljust(32, "0")}
        os.environ.update(secrets)
        self.system.start()
        self.system.feed(events(0, 3) + b'{"broken": "' + WORD[:3].encode() + b'"}\n')
        sinks = self.sinks()
        live.wait_until("a word of each sink", lambda: all("sink=%s " % s in self.system.log_text() for s in sinks))
        live.wait_until("dead letters", lambda: self.redis.command("XLEN", redis_server.shard_stem(1, 0, self.system.name) + "dead:dead") == 3)
        live.wait_until("paused sinks", lambda: all('ticketwatch_sink_paused{sink="%s"} 1' % s in self.ask("/metrics") for s in ("paused", "hubspot")))
        self.assertIn(WORD, secrets_test.leaks(*(str(r.headers) for r in self.receiver.requests)))  # receivers do get it
        told = [self.system.log_text(), secrets_test.whole_redis(self.redis), *map(self.ask, ("/metrics", "/readyz", "/healthz", "/nothing"))]
        told += [self.system.verb(*words) for words in (("dlq", "ls"), ("dlq", "ls", "--format", "json"), ("alerts", "ls"), ("check",))]
        first = json.loads(self.system.verb("dlq", "ls", "--format", "json").splitlines()[0])
        told.append(self.system.verb("dlq", "show", first["id"]))
        told += [self.system.verb("sink", "preview", s, "--alert", str(ALERT)) for s in sinks]
        told += [self.system.verb("sink", "test", s, code=c) for s, c in (("dead", 1), ("paused", 1), ("nowhere", 3), ("user", 3))]
        self.assertEqual(secrets_test.leaks(*told), [])
        self.assertEqual(self.system.stop_all(), [0])
        self.assertEqual(secrets_test.leaks(self.system.log_text()), [])


if __name__ == "__main__":
    live.need_services()
    unittest.main(argv=sys.argv[:1], verbosity=2)

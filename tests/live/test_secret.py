#!/usr/bin/env python3
"""Redis' password is changed while `run` is at work: the file comes after the server, and no restart is needed.

    test_secret.py               see live.py for what it needs
"""
import json
import pathlib
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]
import live  # noqa: E402
import log as logs  # noqa: E402

START = int(time.time() * 1000) - 3_600_000


def events(first, n):
    lines = []
    for i in range(first, first + n):
        body = {"id": "e%d" % i, "type": "ticket.created", "time": logs.time_text(START + i * 1000), "account": {"id": "a%d" % i},
                "kafka": {"topic": "t", "partition": 0, "offset": i, "timestamp": START}}
        lines.append(json.dumps(body) + "\n")
    return "".join(lines).encode()


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
        with live.socket.create_connection(("127.0.0.1", redis.port), timeout=5) as link:
            link.sendall(text.encode())
            answers = b""
            while answers.count(b"\r\n") < len(lines) + 1:
                answers += link.recv(4096)
        self.assertNotIn(b"-", answers)


if __name__ == "__main__":
    live.need_services()
    unittest.main(argv=sys.argv[:1], verbosity=2)

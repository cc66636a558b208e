#!/usr/bin/env python3
"""Secrets stay where they are: whatever goes wrong, none is in a log, a figure, a dead letter or anything else in Redis.

  tests/delivery/secrets_test.py DELIVER [TEST...]     DELIVER is the tool tests/tools/deliver.c

Each sink's address and key hold a word that is looked for in every output afterwards, as it is and as receivers may see
it (base64). Receivers say it back in headers and bodies.
"""
import base64
import os
import shutil
import ssl
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(__file__))
import redis_server  # noqa: E402
from network_test import certificate  # noqa: E402
from pod import DeliveryCase, Pod, alert, wait_for  # noqa: E402
from receiver import Receiver, answer  # noqa: E402

TOOL = None
WORD = "Sesame9Open8"
OTHER = "Abracadabra7"
SIGNING = "whsec_" + base64.b64encode((WORD * 3).encode()).decode()


class Echo(Receiver):
    """/say/STATUS answers with everything that it was told, in the body and in every header that is read."""

    def act(self, connection, path, earlier):
        if path[0] != "say":
            return super().act(connection, path, earlier)
        said = self.requests[-1]
        words = WORD + "_" + said.headers.get("authorization", "").replace(" ", "_")
        headers = [f"{name}: {words}" for name in ("Retry-After", "X-RateLimit-Requests-Reset", "Location", "WWW-Authenticate")]
        body = '{"category":"%s","policyName":"%s","errors":[{"message":"%s","extensions":{"code":"%s"}}]}' % (
            words, WORD, words, WORD)
        return answer(connection, int(path[1].split("?")[0]), headers, body.encode())


def whole_redis(redis):
    """Every key, and what it holds, as Redis would write it down."""
    read = {b"stream": ("XRANGE", "-", "+"), b"string": ("GET",), b"hash": ("HGETALL",), b"zset": ("ZRANGE", 0, -1), b"set": ("SMEMBERS",),
            b"list": ("LRANGE", 0, -1)}
    found = b""
    for key in redis.command("KEYS", "*"):
        verb, *rest = read[redis.command("TYPE", key)]
        found += key + b" " + repr(redis.command(verb, key, *rest)).encode()
    return found.decode(errors="replace")


def leaks(*outputs):
    """The words that are in them, as they are or in base64."""
    words = [w for word in (WORD, OTHER, SIGNING[6:]) for w in (word, base64.b64encode(word.encode()).decode()[:14])]
    return [word for word in words for output in outputs if word in output]


class SecretsTest(DeliveryCase):
    def setUp(self):
        super().setUp()
        self.folder = tempfile.mkdtemp(prefix="secrets.")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.receiver = Echo()
        self.addCleanup(self.receiver.close)

    def file(self, name, text):
        path = f"{self.folder}/{name}"
        with open(path + ".new", "w", encoding="utf-8") as f:
            f.write(text)
        os.rename(path + ".new", path)
        return path

    def pod(self, *arguments):
        pod = Pod(TOOL, self.redis, "a", "paused_min=100", "paused_max=300", "retry_min=50", "retry_max=200", *arguments)
        self.addCleanup(pod.close)
        return pod

    def check_nowhere(self, *outputs):
        self.assertEqual(leaks(*outputs), [])

    def test_whatever_goes_wrong(self):
        files = certificate(self.folder, "IP:127.0.0.1")
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*files)
        secure = Receiver(tls)
        self.addCleanup(secure.close)
        at = {f"s{s}": self.receiver.url(f"/say/{s}/{WORD}") for s in (200, 302, 400, 401, 404, 410, 422, 429, 500, 503)}
        at.update({"reset": self.receiver.url(f"/reset/999/{WORD}"), "hang": self.receiver.url(f"/hang/{WORD}"),
                   "garbage": self.receiver.url(f"/garbage/999/{WORD}"), "tls": f"https://127.0.0.1:{secure.port}/{WORD}",
                   "named": f"http://localhost:{self.receiver.port}/{WORD}", "nowhere": f"http://{WORD}.invalid/{WORD}",
                   "user": f"http://jane:{WORD}@127.0.0.1:9/", "broken": f"http://127.0.0.1:9/{WORD}\x01",
                   "none": f"no address: {WORD}", "port": f"http://127.0.0.1:99999/{WORD}"})
        arguments = [f"{sink}=@{self.file(sink, url)}" for sink, url in at.items()]
        url = self.receiver.url
        for s in (400, 401, 403, 429, 500):
            arguments += [f"linear{s}:linear=url={url(f'/say/{s}')};key={WORD};team=9cfb482a-81e3-4154-b5b9-2c805e70a02d",
                          f"hubspot{s}:hubspot=url={url(f'/say/{s}')};key={WORD}",
                          f"slack{s}:slack=url={url(f'/say/{s}/{WORD}')}",
                          f"hook{s}:webhook=url={url(f'/say/{s}')};secret={SIGNING}",
                          f"badhook{s}:webhook=url={url(f'/say/{s}')};secret={WORD} {WORD}"]
        names = [a.split("=")[0].split(":")[0] for a in arguments]
        for sink in names:
            for n in (1, 2):
                self.redis.add(sink, alert(n))
        pod = self.pod(*arguments)
        self.assertTrue(wait_for(lambda: all(f"sink={sink} " in pod.log() for sink in names), 60),
                        [sink for sink in names if f"sink={sink} " not in pod.log()])
        self.assertTrue(wait_for(lambda: all(self.redis.dead(sink) for sink in ("s400", "s422", "hubspot400", "slack400")), 60))
        self.assertTrue(any(WORD in str(r.headers) for r in self.receiver.requests))  # receivers do get it
        self.check_nowhere(pod.log(), whole_redis(self.redis))

    def test_a_secret_that_changes(self):
        """It is used from then on, by every sink; while it cannot be read, the old one is; neither is told."""
        path = self.file("url", self.receiver.url(f"/status/401/{WORD}"))
        self.redis.add("sink", alert(1))
        pod = self.pod(f"sink=@{path}")
        self.assertTrue(wait_for(lambda: "event=sink_paused" in pod.log()))
        os.unlink(path)
        self.assertTrue(wait_for(lambda: "event=secret_unreadable" in pod.log()))
        before = len(self.receiver.requests)
        self.assertTrue(wait_for(lambda: len(self.receiver.requests) > before))
        self.file("url", self.receiver.url(f"/ok/{OTHER}"))
        self.assertTrue(wait_for(lambda: self.redis.waiting("sink") == 0))
        self.assertEqual(len(self.receiver.of(f"/ok/{OTHER}")), 1)
        self.check_nowhere(pod.log(), whole_redis(self.redis))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if not redis_server.installed() or not shutil.which("openssl"):
        print("skipped: redis-server or openssl is not installed")
        sys.exit(77)
    TOOL = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)

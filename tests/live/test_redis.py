#!/usr/bin/env python3
"""Redis with a user of its own (ACL), behind Sentinels that fail over, and with TLS and a client's certificate, where this build has that.

    test_redis.py                see live.py for what it needs; the servers are its own (redis-server, openssl)
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "oracle")]
import live  # noqa: E402
import made_log  # noqa: E402
from test_connect import Certificates  # noqa: E402

RULE = "  r:\n    by: [account]\n    count: {at_least: 1, within: 1h}\n    send: [ops]\n"


def events(first, n):
    return made_log.one_each(first, n)


class Redis(unittest.TestCase):
    def system(self, redis):
        receiver = live.Receiver()
        self.addCleanup(receiver.close)
        system = live.System(RULE, 1, redis=redis, sinks='sinks:\n  ops: {type: webhook, url: "%s/ops"}\n' % receiver.url)
        self.addCleanup(system.close)
        system.receiver = receiver
        return system

    def sees(self, system, n, seconds=40):
        try:
            live.wait_until("%d alerts" % n, lambda: len({i for i, _, _ in system.receiver.alerts()}) == n, seconds)
        except AssertionError as e:
            self.fail("%s\n%s" % (e, system.log_text()[-3000:]))

    def works(self, system):
        process = system.start()
        system.feed(events(0, 3))
        self.sees(system, 3)
        self.assertEqual(system.stop(process), 0)

    def refused(self, system, pattern):
        process = system.start()
        self.assertEqual(system.ended(process), 3, system.log_text())
        self.assertRegex(system.log_text(), pattern)

    def folder(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="ticketwatch-redis-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        return folder

    def redis(self, *options):
        redis = live.PrivateRedis(*options)
        self.addCleanup(redis.close)
        return redis

    def test_a_user_of_its_own(self):
        acl = self.folder() / "users.acl"
        acl.write_text("user default off\nuser tw on >pa:ss/word ~tw* ~t* +@all -@dangerous +info +keys\nuser poor on >poor ~none:* +@all\n", encoding="utf-8")
        redis = self.redis("--aclfile", str(acl))
        self.works(self.system(redis.url.replace("redis://", "redis://tw:pa:ss/word@")))
        self.refused(self.system(redis.url.replace("redis://", "redis://tw:wrong@")), "event=failed .*WRONGPASS")
        self.refused(self.system(redis.url.replace("redis://", "redis://poor:poor@")), "event=failed .*NOPERM")

    def sentinels(self, master):
        """Three, of which two must agree."""
        ports = [live.free_port() for _ in range(3)]
        for port in ports:
            folder = self.folder()
            config = folder / "sentinel.conf"
            config.write_text("port %d\nbind 127.0.0.1\ndir %s\nsentinel monitor tickets 127.0.0.1 %d 2\nsentinel down-after-milliseconds tickets 3000\n"
                              "sentinel failover-timeout tickets 4000\n" % (port, folder, master), encoding="utf-8")
            process = subprocess.Popen([os.environ.get("REDIS_SERVER", "redis-server"), str(config), "--sentinel"], stdout=subprocess.DEVNULL)
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
        for port in ports:
            live.wait_until("a sentinel that knows the others", lambda: self.knows(port), 30)
        return ports

    def knows(self, port):
        try:
            told = live.redis_command(port, "SENTINEL", "master", "tickets")
        except OSError:
            return False
        return "num-other-sentinels\r\n$1\r\n2" in told and "num-slaves\r\n$1\r\n1" in told

    def test_sentinels_that_fail_over(self):
        master = self.redis()
        replica = self.redis("--replicaof", "127.0.0.1 %d" % master.port)
        live.wait_until("a replica", lambda: "slave0" in master.command("INFO", "replication"), 20)
        ports = self.sentinels(master.port)
        hosts = ",".join("127.0.0.1:%d" % p for p in [live.free_port(), *ports])  # the first is none
        system = self.system('redis://%s", sentinel: "tickets' % hosts)
        process = system.start()
        system.feed(events(0, 3))
        self.sees(system, 3)
        master.process.kill()
        live.wait_until("a word of it", lambda: "event=unavailable" in system.log_text(), 20)
        system.feed(events(3, 3))
        self.sees(system, 6)
        self.assertIn("role:master", replica.command("INFO", "replication"))
        self.assertIsNone(process.poll())
        self.assertEqual(system.stop(process), 0, system.log_text()[-3000:])
        wrong = self.system('redis://%s", sentinel: "nobody' % hosts)
        self.refused(wrong, "event=failed .*watches no master named 'nobody': mend redis.sentinel")

    def test_tls(self):
        plain = self.system("rediss://127.0.0.1:1")
        check = subprocess.run([live.PROGRAM, "check", "-c", str(plain.config)], capture_output=True, text=True, timeout=60)
        if check.returncode:
            self.assertIn("redis.url: rediss:// is TLS, which this build has not", check.stdout)
            self.skipTest("hiredis came without TLS, and `check` says so")
        certificates = Certificates(self.folder())
        port = live.free_port()
        redis = self.redis("--tls-port", str(port), "--tls-cert-file", certificates.path("broker.pem"), "--tls-key-file", certificates.path("broker.key"),
                           "--tls-ca-cert-file", certificates.path("ca.pem"), "--tls-auth-clients", "yes", "--requirepass", "first")
        self.assertTrue(redis.answers())
        ours = '", ca_file: "%s' % certificates.path("ca.pem")
        certificate = '", cert_file: "%s", key_file: "%s' % (certificates.path("client.pem"), certificates.path("client.key"))
        self.works(self.system("rediss://:first@127.0.0.1:%d%s%s" % (port, ours, certificate)))
        self.refused(self.system("rediss://:first@127.0.0.1:%d%s" % (port, certificate)), "event=failed .*certificate is not trusted")
        self.refused(self.system("rediss://:first@localhost:%d%s%s" % (port, ours, certificate)), "event=failed .*certificate is not trusted: .*ostname mismatch")


if __name__ == "__main__":
    live.need_services()
    unittest.main(verbosity=2)

#!/usr/bin/env python3
"""Kafka with log-in and encryption switched on: PLAIN, SCRAM, OAUTHBEARER over TLS, and TLS with a client's certificate; a wrong password
is said; a password in a file that is changed, is used without a restart.

    test_connect.py              see live.py for what it needs; the broker is its own (deploy/local/services, openssl)
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "oracle")]
import live  # noqa: E402
import log as logs  # noqa: E402

SERVICES = str(live.ROOT / "deploy/local/services")
RULE = "  r:\n    by: [account]\n    count: {at_least: 1, within: 1h}\n"
BASE = 1_772_409_600_000
JAAS = "org.apache.kafka.common.security."


def run(*words, **more):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=150 * live.PATIENCE, **more)
    assert done.returncode == 0, "%s: %s%s" % (words, done.stdout, done.stderr)
    return done.stdout


class Certificates:
    """A CA, and two that it signed: the broker's and a client's."""

    def __init__(self, folder):
        self.folder = folder
        self.make("ca", "-x509", "-subj", "/CN=test-ca")
        for name in ("broker", "client"):
            self.make(name, "-subj", "/CN=%s" % name, "-addext", "subjectAltName=IP:127.0.0.1", "-CA", self.path("ca.pem"), "-CAkey", self.path("ca.key"), "-x509")

    def path(self, name):
        return str(self.folder / name)

    def make(self, name, *words):
        run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", self.path(name + ".key"), "-out", self.path(name + ".pem"), *words)


class Broker:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ticketwatch-secure-"))
        self.certificates = Certificates(self.folder)
        self.ports = {"SASL": live.free_port(), "MTLS": live.free_port()}
        self.services("up", "kafka")
        self.plain = re.search(r"KAFKA_BROKERS=(\S+)", (self.folder / "s/env").read_text()).group(1)
        self.secure()
        self.services("restart", "kafka")
        self.services("tool", "kafka.admin.ConfigCommand", "--alter", "--entity-type", "users", "--entity-name", "tw",
                      "--add-config", "SCRAM-SHA-512=[password=scram-first]")

    def secure(self):
        path = self.folder / "s/kafka/kafka.properties"
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"(?m)^(listeners=.*)$", r"\1,SASL://127.0.0.1:%(SASL)d,MTLS://127.0.0.1:%(MTLS)d" % self.ports, text)
        text = re.sub(r"(?m)^(listener.security.protocol.map=.*)$", r"\1,SASL:SASL_SSL,MTLS:SSL", text)
        c = self.certificates
        keystore = self.folder / "broker-both.pem"
        key = run("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", c.path("broker.key"))
        keystore.write_text(key + pathlib.Path(c.path("broker.pem")).read_text(), encoding="utf-8")
        text += "\n".join((
            "ssl.keystore.type=PEM", "ssl.keystore.location=%s" % keystore, "ssl.truststore.type=PEM", "ssl.truststore.location=" + c.path("ca.pem"),
            "listener.name.mtls.ssl.client.auth=required", "listener.name.sasl.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512,OAUTHBEARER",
            'listener.name.sasl.plain.sasl.jaas.config=%splain.PlainLoginModule required user_tw="plain-first" user_tw2="plain-second";' % JAAS,
            "listener.name.sasl.scram-sha-512.sasl.jaas.config=%sscram.ScramLoginModule required;" % JAAS,
            "listener.name.sasl.oauthbearer.sasl.jaas.config=%soauthbearer.OAuthBearerLoginModule required "
            'unsecuredLoginStringClaim_sub="broker";' % JAAS, ""))
        path.write_text(text, encoding="utf-8")

    def services(self, *words):
        return run(SERVICES, "-d", str(self.folder / "s"), *words)

    def close(self):
        self.services("down")
        shutil.rmtree(self.folder, ignore_errors=True)


class Connect(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.before = os.environ["KAFKA_BROKERS"]
        cls.broker = Broker()
        os.environ["KAFKA_BROKERS"] = cls.broker.plain
        cls.ca = {"ssl.ca.location": cls.broker.certificates.path("ca.pem")}
        cls.sasl = {**cls.ca, "security.protocol": "SASL_SSL"}

    @classmethod
    def tearDownClass(cls):
        os.environ["KAFKA_BROKERS"] = cls.before
        cls.broker.close()

    def start(self, listener, properties):
        """Kafka's own port makes the topic and feeds it, before a partition may be idle; the process knows the other one only."""
        system = live.System(RULE, 1, lateness="1s", idle_after="1s", properties=properties)
        self.addCleanup(system.close)
        text = system.config.read_text()
        system.config.write_text(text.replace(self.broker.plain, "127.0.0.1:%d" % self.broker.ports[listener]))
        self.feed(system)
        return system, system.start()

    def feed(self, system, n=3):
        bad = '{"kafka":{"topic":"t","partition":0,"offset":0,"timestamp":%d}}\n' % BASE
        lines = [json.dumps({"id": "e%d" % i, "type": "ticket.created", "time": logs.time_text(BASE + i), "account": {"id": "a%d" % i},
                             "kafka": {"topic": "t", "partition": 0, "offset": i, "timestamp": BASE}}) + "\n" for i in range(n)]
        system.feed(("".join(lines) + bad).encode())

    def works(self, listener, properties):
        system, process = self.start(listener, properties)
        self.sees(system)
        self.assertEqual(system.stop(process), 0, system.log_text()[-3000:])
        return system

    def sees(self, system):
        try:
            live.wait_until("a dead letter", lambda: "event=dead_letter" in system.log_text(), 40)
            live.wait_until("a record", lambda: system.record().count(b'"firing"') == 3, 30)
        except AssertionError as e:
            self.fail("%s\n%s" % (e, system.log_text()[-3000:]))

    def test_plain(self):
        self.works("SASL", {**self.sasl, "sasl.mechanisms": "PLAIN", "sasl.username": "tw", "sasl.password": "plain-first"})

    def test_oauthbearer(self):
        self.works("SASL", {**self.sasl, "sasl.mechanisms": "OAUTHBEARER", "enable.sasl.oauthbearer.unsecure.jwt": "true",
                            "sasl.oauthbearer.config": "principal=tw"})

    def test_a_certificate(self):
        c = self.broker.certificates
        self.works("MTLS", {**self.ca, "security.protocol": "SSL", "ssl.certificate.location": c.path("client.pem"), "ssl.key.location": c.path("client.key")})

    def test_scram(self):
        """librdkafka before 2.6.1 sends its nonce twice, which Kafka refuses from 3.7.2 on; then it is at least said."""
        system, process = self.start("SASL", {**self.sasl, "sasl.mechanisms": "SCRAM-SHA-512", "sasl.username": "tw", "sasl.password": "scram-first"})
        live.wait_until("an end or an assignment", lambda: process.poll() is not None or "partition_assigned" in system.log_text(), 40)
        if process.poll() is None:
            live.wait_until("a dead letter, read and written", lambda: "event=dead_letter" in system.log_text(), 40)
            self.assertEqual(system.stop(process), 0)
        else:
            system.processes.remove(process)
            self.assertRegex(system.log_text(), r"SCRAM.*librdkafka 2\.[0-5]\.\d+ .* 2\.6\.1")
            self.skipTest("this librdkafka cannot do SCRAM with this Kafka")

    def log_in(self, user, password):
        """Both in files."""
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=self.broker.folder))
        self.rotate(user, password)
        return {**self.sasl, "sasl.mechanisms": "PLAIN", "sasl.username_file": str(self.folder / "user"), "sasl.password_file": str(self.folder / "password")}

    def rotate(self, user, password):
        (self.folder / "user").write_text(user + "\n", encoding="utf-8")
        (self.folder / "password").write_text(password + "\n", encoding="utf-8")

    def test_a_password_that_is_changed(self):
        system, process = self.start("SASL", self.log_in("tw", "plain-first"))
        self.sees(system)
        self.rotate("tw2", "plain-wrong")
        live.wait_until("a refusal", lambda: "event=config_refused" in system.log_text(), 40)
        self.assertIsNone(process.poll(), "the client that works goes on")
        self.rotate("tw2", "plain-second")
        live.wait_until("another client", lambda: "event=config_reloaded" in system.log_text(), 40)
        live.wait_until("its partition", lambda: system.log_text().count("event=partition_assigned") == 2, 30)
        self.assertEqual(system.stop(process), 0, system.log_text()[-3000:])
        self.assertNotIn("plain-", system.log_text())

    def test_a_wrong_password_is_said(self):
        system, process = self.start("SASL", self.log_in("tw", "plain-wrong"))
        self.assertEqual(system.ended(process), 3, system.log_text())
        self.assertRegex(system.log_text(), r'event=failed reason="Kafka at 127\.0\.0\.1:\d+ does not let us in: .*[Aa]uthentication failed')
        self.assertNotIn("plain-wrong", system.log_text())


if __name__ == "__main__":
    live.need_services()
    if not shutil.which("openssl"):
        print("skipped: no openssl")
        sys.exit(live.SKIP)
    unittest.main(verbosity=2)

#!/usr/bin/env python3
"""The sink email against a real SMTP server that misbehaves: which answers are tried again, what a mail program reads.

  tests/delivery/email_test.py DELIVER [TEST...]     DELIVER is the tool tests/tools/deliver.c
"""
import email
import email.policy
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(__file__))
import redis_server  # noqa: E402
from pod import DeliveryCase, Pod, alert, wait_for  # noqa: E402
from smtp_server import Server  # noqa: E402

TOOL = None
HARD = "x\r\nBcc: evil@example.com\r\n\r\n.\r\nMAIL FROM:<evil@example.com>\r\n<b>&amp;</b> שלום 請求書 \U0001f525\u202e =?UTF-8?Q?x?= \0"


class EmailTest(DeliveryCase):
    def server(self, **how):
        server = Server(**how)
        self.addCleanup(server.close)
        return server

    def pod(self, server, more="starttls=never", *arguments, host="127.0.0.1", scheme="smtp", to="a@example.com,b@example.com"):
        settings = f"m:email=url={scheme}://{host}:{server.port};from=alerts@example.com;to={to};{more}"
        pod = Pod(TOOL, self.redis, "a", "paused_min=100", "paused_max=300", "connect_timeout=5000", "request_timeout=10000", "drain=2000", *arguments, settings)
        self.addCleanup(pod.close)
        pod.process.stdout.readline()
        return pod

    def add(self, *numbers, **members):
        for n in numbers:
            self.redis.add("m", alert(n, **members))

    def empty(self, seconds=60):
        self.assertTrue(wait_for(lambda: self.redis.waiting("m") == 0, seconds), self.redis.waiting("m"))

    def read(self, mail):
        """As a strict mail program."""
        message = email.message_from_bytes(mail.text, policy=email.policy.default)
        for part in message.walk():
            self.assertEqual(part.defects, [])
        return message

    def one(self, server):
        taken = server.taken()
        self.assertEqual(len(taken), 1)
        return self.read(taken[0])

    # ---- what is read ----

    def test_a_thread_an_episode(self):
        server = self.server()
        self.pod(server)
        for state, severity in (("firing", "medium"), ("escalated", "critical"), ("resolved", "critical")):
            self.add(1, state=state, severity=severity)
            self.empty()
        first, second, third = map(self.read, server.taken())
        self.assertEqual(first["Message-ID"], "<%032x_firing@example.com>" % 1)
        self.assertEqual(second["Message-ID"], "<%032x_escalated_critical@example.com>" % 1)
        self.assertIsNone(first["In-Reply-To"])
        for later in (second, third):
            self.assertEqual(later["In-Reply-To"], first["Message-ID"])
            self.assertEqual(later["References"], first["Message-ID"])
        self.assertEqual([m["Subject"][:10] for m in (first, second, third)], ["[Medium] p", "[Critical]", "[Resolved]"])
        self.assertEqual(first["From"].addresses[0].addr_spec, "alerts@example.com")
        self.assertEqual([a.addr_spec for a in first["To"].addresses], ["a@example.com", "b@example.com"])
        self.assertLess(abs(first["Date"].datetime.timestamp() - time.time()), 600)
        self.assertEqual(server.taken()[0].to, ["RCPT TO:<a@example.com>", "RCPT TO:<b@example.com>"])
        self.assertEqual([p.get_content_type() for p in first.walk()], ["multipart/alternative", "text/plain", "text/html"])
        self.assertIn("How often: 3 times from 3 people", first.get_body(("plain",)).get_content())

    def test_text_alone(self):
        server = self.server()
        self.pod(server, "starttls=never;html=false")
        self.add(1)
        self.empty()
        message = self.one(server)
        self.assertEqual(message.get_content_type(), "text/plain")
        self.assertIn("Page: /billing\r\n", message.get_content())

    def test_nothing_breaks_out(self):
        """Of a subject, a name, a ticket or a key: no header, no command, no tag, no end of the message."""
        server = self.server()
        self.pod(server, "starttls=never;ticket_url=https://h.example/{id}")
        self.add(1, rule="r " + HARD, summary=HARD, kind="other", key={"subject": HARD, "account": HARD}, sample={"subject": HARD, "action": HARD},
                 accounts=[{"id": HARD, "name": HARD, "tier": HARD}], evidence=[{"event": HARD, "ticket": "T" + HARD[:20], "time": "2026-03-02T09:00:00.000Z"}])
        self.empty()
        message = self.one(server)
        self.assertEqual([c for c in server.commands if "evil" in c], [])
        self.assertIsNone(message["Bcc"])
        self.assertEqual(len(message.get_all("Subject")), 1)
        self.assertIn("請求書", message["Subject"])
        self.assertIn("請求書", message.get_body(("plain",)).get_content())
        html = message.get_body(("html",)).get_content()
        self.assertIn("&lt;b&gt;&amp;amp;&lt;/b&gt;", html)
        self.assertEqual(re.findall(r"<b>|\u202e|\0", html), [])
        self.assertTrue(all(len(line) < 200 for line in server.taken()[0].text.split(b"\r\n")))

    # ---- which answers are tried again ----

    def dies(self, why, **replies):
        server = self.server(**replies)
        pod = self.pod(server)
        self.add(1)
        self.assertTrue(wait_for(lambda: self.redis.dead("m")), pod.log())
        self.assertIn(why, self.redis.dead("m")[0][b"reason"])
        self.assertEqual(server.taken(), [])
        self.assertEqual(self.redis.waiting("m"), 0)

    def comes_later(self, times, log, *arguments, **replies):
        server = self.server(**replies)
        pod = self.pod(server, "starttls=never", *arguments)
        self.add(1)
        self.empty()
        self.one(server)
        self.assertEqual(self.redis.dead("m"), [])
        self.assertTrue(pod.says("event=alert_retry", times=times), pod.log()[-3000:])
        self.assertIn(log, pod.log())
        pod.close()

    def test_4yz_is_tried_again(self):
        for step, line in (("greeting", "421 4.3.2 shutting down"), ("MAIL", "451 4.7.1 greylisted"), ("RCPT", "450 4.2.0 mailbox busy"),
                           ("DATA", "452 4.3.1 no room"), ("message", "451 4.3.0 try again")):
            with self.subTest(step):
                good = {"greeting": "220 hi", "MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go", "message": "250 ok"}[step]
                bad = [line] * (2 if step == "RCPT" else 1)
                self.comes_later(1, "SMTP " + line[:9], **{step: [*bad, good]})

    def test_a_drop_anywhere_is_tried_again(self):
        for step in ("greeting", "MAIL", "RCPT", "DATA", "message"):
            with self.subTest(step):
                good = {"greeting": "220 hi", "MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go", "message": "250 ok"}[step]
                self.comes_later(1, "no answer", **{step: ["drop", good]})

    def test_an_answer_that_was_lost_comes_again_with_the_same_id(self):
        server = self.server(message=["drop", "250 ok"])
        self.pod(server)
        self.add(1)
        self.empty()
        ids = [self.read(m)["Message-ID"] for m in server.mails]
        self.assertEqual(ids, ["<%032x_firing@example.com>" % 1] * 2)

    def test_5yz_to_the_message_never(self):
        self.dies(b"SMTP 554 5.7.1", message="554 5.7.1 looks like spam to bob@example.com")
        self.assertNotIn(b"bob", self.redis.dead("m")[0][b"reason"])

    def test_5yz_to_the_envelope_pauses(self):
        """It is about our addresses, so a person must mend it; no alert is lost meanwhile."""
        server = self.server(RCPT=["550 5.1.1 no such user"] * 4 + ["250 ok"])
        pod = self.pod(server)
        self.add(1, 2)
        self.empty()
        self.assertEqual(self.redis.dead("m"), [])
        self.assertIn("sink_paused", pod.log())
        self.assertIn("SMTP 550 5.1.1", pod.log())
        self.assertEqual(len(server.taken()), 2)

    def test_a_recipient_that_is_refused_keeps_none_from_the_others(self):
        server = self.server(RCPT=["550 5.1.1 no such user", "250 ok"])
        pod = self.pod(server)
        self.add(1)
        self.empty()
        self.assertEqual(server.taken()[0].to, ["RCPT TO:<b@example.com>"])
        self.assertTrue(pod.says("recipients refused: 1 of 2, the last with 550 5.1.1"))

    def test_a_server_that_hangs(self):
        """In the middle, and when we say goodbye: others are not held up, and what was taken counts."""
        for step in ("greeting", "DATA", "message"):
            with self.subTest(step):
                self.comes_later(1, "no answer: ", "request_timeout=2500", **{step: ["hang", {"greeting": "220 hi", "DATA": "354 go", "message": "250 ok"}[step]]})
        server = self.server(QUIT="hang")
        self.pod(server)
        self.add(1, 2)
        self.empty()
        self.assertEqual(len(server.taken()), 2)

    def test_ends_on_time_while_it_hangs(self):
        server = self.server(DATA="hang")
        pod = self.pod(server, "starttls=never", "drain=300", "request_timeout=60000")
        self.add(1)
        self.assertTrue(wait_for(lambda: "DATA" in server.commands))
        began = time.monotonic()
        self.assertEqual(pod.stop(), 0)
        self.assertLess(time.monotonic() - began, 20)

    # ---- TLS and passwords ----

    def tls(self):
        folder = tempfile.mkdtemp(prefix="email_tls.")
        self.addCleanup(shutil.rmtree, folder)
        key, cert = folder + "/key.pem", folder + "/cert.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", cert,
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], check=True, stderr=subprocess.DEVNULL)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        return context, cert

    LOGIN = "user=u@example.com;password=s3cret pass"

    @unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
    def test_starttls_and_a_password(self):
        context, cert = self.tls()
        server = self.server(tls=context, AUTH=["535 5.7.8 wrong", "235 welcome"])
        pod = self.pod(server, self.LOGIN, "ca_file=" + cert, "allow=localhost", host="localhost")
        self.add(1)
        self.empty()
        mail = server.taken()[0]
        self.assertTrue(mail.tls)
        self.assertEqual(mail.login, [b"u@example.com", b"s3cret pass"])
        self.assertIn("SMTP 535 5.7.8", pod.log())
        self.assertNotIn("s3cret", pod.log())

    @unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
    def test_nothing_is_said_to_whom_we_do_not_trust(self):
        context, cert = self.tls()
        server = self.server(tls=context)
        pod = self.pod(server, self.LOGIN, "allow=localhost", host="localhost")  # a certificate of nobody
        self.add(1)
        self.assertTrue(pod.says("alert_retry"))
        self.assertEqual([c.split(" ")[0] for c in server.commands if not c.startswith(("EHLO", "STARTTLS", "QUIT"))], [])
        self.assertEqual(self.redis.waiting("m"), 1)

    def test_no_starttls_no_message(self):
        server = self.server()  # does not offer it
        pod = self.pod(server, self.LOGIN)
        self.add(1)
        self.assertTrue(pod.says("sink_paused"))
        self.assertEqual([c for c in server.commands if c.startswith(("AUTH", "MAIL"))], [])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if not redis_server.installed():
        print("skipped: redis-server is not installed")
        sys.exit(77)
    TOOL = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)

#!/usr/bin/env python3
"""Which way requests go: addresses, proxies, certificates, time-outs.

  tests/delivery/network_test.py DELIVER [TEST...]     DELIVER is the tool tests/tools/deliver.c

Promised: an address that is private, special or a cloud's metadata is reached only where the operator wrote it or allows
it, whatever a name leads to; no proxy but the configured one; certificates count.
"""
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(__file__))
import redis_server  # noqa: E402
from pod import DeliveryCase, Pod, alert, wait_for  # noqa: E402
from receiver import Receiver  # noqa: E402

TOOL = None


def certificate(folder, *names):
    files = [f"{folder}/cert.pem", f"{folder}/key.pem"]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={names[0]}",
                    "-addext", "subjectAltName=" + ",".join(names), "-out", files[0], "-keyout", files[1]],
                   check=True, capture_output=True)
    return files


class Proxy:
    """A proxy for plain HTTP: answers itself, and remembers what it was asked for."""

    def __init__(self):
        self.asked = []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            with connection:
                self.asked.append(connection.recv(65536).split(b"\r\n")[0].decode())
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


class NetworkTest(DeliveryCase):
    def setUp(self):
        super().setUp()
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)

    def pod(self, *arguments, name="a", **how):
        pod = Pod(TOOL, self.redis, name, "paused_min=100", "paused_max=300", *arguments, **how)
        self.addCleanup(pod.close)
        return pod

    def delivered(self, sink):
        return wait_for(lambda: self.redis.waiting(sink) == 0)

    def test_a_name_that_leads_to_a_private_address(self):
        """Refused after resolution, and the alert is kept; with a word of the operator's it goes."""
        named = f"http://localhost:{self.receiver.port}/ok"
        words = {"plain": None, "all": "true", "host": "LocalHost", "net": "127.0.0.0/8,::1", "other": "example.com,10.0.0.0/8"}
        arguments = []
        for sink, word in words.items():
            self.redis.add(sink, alert(1))
            arguments += ["allow=" + (word or "")] + [f"{sink}={named}/{sink}"]
        pod = self.pod(*arguments)
        for sink in ("all", "host", "net"):
            self.assertTrue(self.delivered(sink), sink)
        for sink in ("plain", "other"):
            self.assertTrue(pod.says(f"event=sink_paused sink={sink} "))
            self.assertEqual(self.redis.waiting(sink), 1)
            self.assertEqual(self.receiver.of(f"/ok/{sink}"), [])
        self.assertIn("allow_private", pod.log())
        self.assertNotIn("localhost", pod.log())
        self.assertNotIn("127.0.0.1", pod.log())

    def test_a_connection_of_another_sink_is_no_way_round(self):
        named = f"http://localhost:{self.receiver.port}/ok"
        for n in range(1, 21):
            self.redis.add("may", alert(n))
        self.redis.add("maynot", alert(1))
        pod = self.pod(f"maynot={named}/maynot", "allow=localhost", f"may={named}/may")
        self.assertTrue(self.delivered("may"))
        for n in range(21, 60):
            self.redis.add("may", alert(n))
            time.sleep(0.02)
        self.assertTrue(self.delivered("may"))
        self.assertEqual(self.receiver.of("/ok/maynot"), [])
        self.assertEqual(self.redis.waiting("maynot"), 1)
        self.assertTrue(wait_for(lambda: pod.log().count("event=alert_refused sink=maynot ") >= 2), pod.log()[-3000:])

    def test_an_address_that_the_operator_wrote(self):
        """Private ones count as allowed, in any spelling; metadata and the like do not, and are never asked."""
        port = self.receiver.port
        good = {"four": "127.0.0.1", "mapped": "[::ffff:127.0.0.1]", "number": "2130706433", "short": "127.1"}
        bad = {"metadata": "169.254.169.254", "six": "[fd00:ec2::254]", "any": "0.0.0.0", "zero": "[::]", "group": "224.0.0.1",
               "hidden": "[::ffff:169.254.169.254]", "every": "255.255.255.255", "link": "[fe80::1]"}
        for sink in (*good, *bad):
            self.redis.add(sink, alert(1))
        began = time.monotonic()
        pod = self.pod("connect_timeout=60000", "request_timeout=60000", "allow=true", *(f"{sink}=http://{host}:{port}/ok/{sink}" for sink, host in {**good, **bad}.items()))
        for sink in good:
            self.assertTrue(self.delivered(sink), sink)
            self.assertEqual(len(self.receiver.of(f"/ok/{sink}")), 1)
        for sink in bad:
            self.assertTrue(pod.says(f"event=sink_paused sink={sink} "), sink)
            self.assertEqual(self.receiver.of(f"/ok/{sink}"), [])
            self.assertEqual(self.redis.waiting(sink), 1)
        self.assertLess(time.monotonic() - began, 40)  # nobody waited for a connection

    def test_a_redirect_to_the_metadata_address(self):
        self.receiver.location = "http://169.254.169.254/latest/meta-data/"
        self.redis.add("sink", alert(1))
        pod = self.pod(f"sink={self.receiver.url('/redirect')}")
        self.assertTrue(pod.says("event=sink_paused sink=sink "))
        self.assertIn("HTTP 302", pod.log())
        self.assertEqual(self.redis.waiting("sink"), 1)
        self.assertNotIn("169.254", pod.log())

    def test_the_environment_names_no_proxy(self):
        proxy = Proxy()
        self.addCleanup(proxy.server.close)
        self.redis.add("sink", alert(1))
        names = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy")
        self.pod(f"sink={self.receiver.url('/ok')}", environment={name: proxy.url for name in names})
        self.assertTrue(self.delivered("sink"))
        self.assertEqual((len(self.receiver.of("/ok")), proxy.asked), (1, []))

    def test_a_proxy_of_the_configuration(self):
        """It resolves the name, so its word counts; and no_proxy has none."""
        proxy = Proxy()
        self.addCleanup(proxy.server.close)
        self.redis.add("sink", alert(1))
        self.pod(f"proxy={proxy.url}", "sink=http://hooks.example.com/in", environment={"no_proxy": "*"})
        self.assertTrue(self.delivered("sink"))
        self.assertEqual(proxy.asked, ["POST http://hooks.example.com/in HTTP/1.1"])

    @unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
    def test_certificates(self):
        """One of nobody's is refused; with ca_file it is known, but only for its own names."""
        with tempfile.TemporaryDirectory(prefix="delivery_tls.") as folder:
            files = certificate(folder, "DNS:hooks.test", "IP:127.0.0.1")
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(*files)
            receiver = Receiver(tls)
            self.addCleanup(receiver.close)
            for sink in ("stranger", "known", "misnamed"):
                self.redis.add(sink, alert(1))
            pod = self.pod("connect_timeout=9000", "request_timeout=9000", "lease=20000", "allow=localhost",
                           f"stranger=https://127.0.0.1:{receiver.port}/ok/stranger", f"ca_file={files[0]}",
                           f"known=https://127.0.0.1:{receiver.port}/ok/known",
                           f"misnamed=https://localhost:{receiver.port}/ok/misnamed")
            self.assertTrue(self.delivered("known"))
            self.assertTrue(wait_for(lambda: all(pod.log().count(f"event=alert_retry sink={s} ") >= 2
                                                 for s in ("stranger", "misnamed"))))
        self.assertEqual([r.path for r in receiver.requests], ["/ok/known"])

    def test_a_time_out_of_its_own(self):
        for sink in ("short", "long"):
            self.redis.add(sink, alert(1))
        pod = self.pod("lease=20000", "request_timeout=60000", "timeout=2000", f"short={self.receiver.url('/hang_once/a')}",
                       "timeout=30000", f"long={self.receiver.url('/slow/2500')}")
        self.assertTrue(self.delivered("short"))
        first, second = self.receiver.of("/hang_once/a")
        self.assertTrue(1 < second.time - first.time < 30, second.time - first.time)
        self.assertTrue(self.delivered("long"))
        self.assertEqual(len(self.receiver.of("/slow/2500")), 1)
        self.assertTrue(pod.says("event=alert_retry", times=1), pod.log()[-3000:])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if not redis_server.installed():
        print("skipped: redis-server is not installed")
        sys.exit(77)
    TOOL = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)

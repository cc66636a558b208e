"""What tests of the live system share: services, a topic with a log in it, processes, a receiver.

TICKETWATCH_BIN is the folder of the built programs; KAFKA_BROKERS and REDIS_URL name running servers (./setup test
sets all three); without them a test skips with exit code 77.
"""
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "oracle"), str(ROOT / "tests")]
import log as logs  # noqa: E402
from ports import free_port  # noqa: E402

BIN = pathlib.Path(os.environ.get("TICKETWATCH_BIN", ROOT / "build-test"))
PROGRAM = str(BIN / "ticketwatch")
FEED, TOPIC = str(BIN / "tests" / "kafka_feed"), str(BIN / "tests" / "kafka_topic")
SKIP = 77
PATIENCE = 4  # so many times longer a busy machine may take
LEARNT_S = 5  # every process knows a silence, or what explains an alert: they look every two seconds


def need_services():
    if not os.environ.get("KAFKA_BROKERS") or not os.environ.get("REDIS_URL"):
        print("skipped: no Kafka and Redis (./setup test starts both)")
        sys.exit(SKIP)


def until(record, cutoff_ms, from_ms=0):
    """The lines of a record before a time, and not before another."""
    return b"".join(line for line in record.splitlines(True) if from_ms <= logs.time_of(json.loads(line)["time"]) < cutoff_ms)


def wait_until(what, condition, seconds=60.0):
    """Polls until condition() is true; its last value is returned. `seconds` are a quiet machine's."""
    seconds *= PATIENCE
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("%s: not within %g s" % (what, seconds))
        time.sleep(0.05)


class Receiver:
    """An HTTP server that remembers what it was sent. `answer(path, body)` gives a status code, 200 at first."""

    def __init__(self):
        self.posts, self.times, self.lock = [], [], threading.Lock()  # times: of posts, of the monotonic clock
        self.answer = lambda path, body: 200
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # one segment an answer; else a delayed ACK costs 40 ms each

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status = receiver.answer(self.path, body)
                with receiver.lock:
                    receiver.posts.append((self.path, dict(self.headers), body, status))
                    receiver.times.append(time.monotonic())
                text = b"ok" if status == 200 else b"no"
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 128
            daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def alerts(self, path=None):
        """(id, state, severity) of each alert received with status 200, in order of arrival."""
        with self.lock:
            bodies = [json.loads(b) for p, _, b, s in self.posts if s == 200 and path in (None, p)]
        return [(a["id"], a["state"], a["severity"]) for a in bodies]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class System:
    """One topic, one group, one prefix, one configuration; any number of processes on it."""

    def __init__(self, rules, partitions=4, lateness="10m", idle_after="1h", extra="", sinks="", properties=None, topic=(), redis=None, shards=1):
        self.name = "t" + uuid.uuid4().hex[:12]
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ticketwatch-live-"))
        self.partitions = partitions
        self.processes, self.feeds, self.logs, self.keep = [], [], 0, False
        self.log_of = {}  # process -> its log
        settings = {"session.timeout.ms": "6000", "heartbeat.interval.ms": "500", **(properties or {})}
        listed = ", ".join('%s: "%s"' % pair for pair in settings.items())
        self.config = self.folder / "ticketwatch.yaml"
        self.config.write_text(
            'kafka: {brokers: "%s", topics: [%s], group: %s, dead_letter: %s.dlq, properties: {%s}}\n'
            'redis: {url: "%s", prefix: %s, shards: %d}\n'
            "time: {lateness: %s, idle_after: %s, max_future: 1h}\n%s%srules:\n%s"
            % (os.environ["KAFKA_BROKERS"], self.name, self.name, self.name, listed, redis or os.environ["REDIS_URL"], self.name, shards,
               lateness, idle_after, extra, sinks, rules), encoding="utf-8")
        self.make_topic(self.name, partitions, *topic)
        self.make_topic(self.name + ".dlq", 1)

    def make_topic(self, name, partitions, *config):
        subprocess.run([TOPIC, os.environ["KAFKA_BROKERS"], "create", name, str(partitions), *config], check=True, timeout=60 * PATIENCE)

    def feed(self, lines, topic=None):
        """lines: bytes of JSON lines whose "kafka" member says partition and timestamp."""
        subprocess.run([FEED, os.environ["KAFKA_BROKERS"], topic or self.name], input=lines, check=True, timeout=300)

    def stream(self, lines, seconds, rest=None):
        """Feeds them evenly over so many seconds, in a thread of its own, which is returned; the last tenth not before the event
        `rest`."""
        feed = subprocess.Popen([FEED, os.environ["KAFKA_BROKERS"], self.name], stdin=subprocess.PIPE)
        self.feeds.append(feed)
        parts = seconds * 20

        def run():
            for i in range(parts):
                if rest and i == parts * 9 // 10:
                    rest.wait(60 * PATIENCE)
                feed.stdin.write(b"".join(lines[len(lines) * i // parts:len(lines) * (i + 1) // parts]))
                feed.stdin.flush()
                time.sleep(seconds / parts)
            feed.stdin.close()
            if feed.wait(60 * PATIENCE):
                raise RuntimeError("the feed failed")

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def start(self, **environment):
        self.logs += 1
        log = open(self.folder / ("run%d.log" % self.logs), "wb")
        process = subprocess.Popen([PROGRAM, "run", "-c", str(self.config)], stdout=log, stderr=log,
                                   env={**os.environ, **environment})
        log.close()
        self.log_of[process] = self.folder / ("run%d.log" % self.logs)
        self.processes.append(process)
        return process

    def stop(self, process, how=signal.SIGTERM, seconds=30):
        process.send_signal(how)
        return self.ended(process, seconds)

    def ended(self, process, seconds=30):
        """The exit code of one that ends by itself."""
        code = process.wait(seconds * PATIENCE)
        self.processes.remove(process)
        return code

    def stop_all(self):
        return [self.stop(p) for p in list(self.processes)]

    def log(self, process):
        return self.log_of[process].read_text(errors="replace")

    def log_text(self):
        return "".join(f.read_text(errors="replace") for f in sorted(self.folder.glob("run*.log")))

    def verb(self, *words, code=0):
        """What a verb prints, or what it complains of where it should."""
        done = subprocess.run([PROGRAM, *words, "-c", str(self.config)], capture_output=True, text=True, timeout=60 * PATIENCE)
        if done.returncode != code:
            raise AssertionError("%s: exit code %d: %s%s" % (" ".join(words), done.returncode, done.stderr, done.stdout))
        return done.stdout if code == 0 else done.stderr

    def record(self):
        """What `alerts ls` prints."""
        return self.verb("alerts", "ls").encode()

    def replay(self, *logs):
        done = subprocess.run([PROGRAM, "replay", "--quiet", "-c", str(self.config), *map(str, logs)],
                              capture_output=True, timeout=120 * PATIENCE)
        if done.returncode:
            raise AssertionError("replay: %s" % done.stderr.decode())
        return done.stdout

    def wait_for_record(self, expected, seconds=90, cutoff=None, from_ms=0):
        """Waits until the record (before `cutoff`, not before `from_ms`) is exactly `expected`, which it must then stay."""
        def now():
            return self.record() if cutoff is None else until(self.record(), cutoff, from_ms)

        try:
            wait_until("the record", lambda: now() == expected, seconds)
        except AssertionError:
            self.keep = True
            (self.folder / "expected.jsonl").write_bytes(expected)
            (self.folder / "record.jsonl").write_bytes(now())
            raise AssertionError("the record is not what it should be: diff %s/expected.jsonl %s/record.jsonl\n%s"
                                 % (self.folder, self.folder, self.log_text()[-3000:]))
        time.sleep(0.3)
        assert now() == expected, "the record changed after it was complete"

    def close(self):
        for process in self.processes + self.feeds:
            process.kill()
            process.wait()
        if not self.keep:
            shutil.rmtree(self.folder, ignore_errors=True)


def consumed(topic, *properties, enough):
    """The lines that Kafka's own consumer prints of a topic. On a busy machine it gives up early: then once more, with more patience."""
    quiet_ms = 6000
    while True:
        done = subprocess.run([str(ROOT / "deploy/local/services"), "-d", os.environ["TICKETWATCH_LOCAL"], "tool",
                               "org.apache.kafka.tools.consumer.ConsoleConsumer", "--topic", topic, "--from-beginning",
                               "--timeout-ms", str(quiet_ms), *(word for p in properties for word in ("--property", p))],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=120 * PATIENCE)
        lines = done.stdout.split(b"\n")
        if enough(lines) or quiet_ms > 60000:
            return lines
        quiet_ms *= 2


class OneSink(unittest.TestCase):
    """A system of one partition, two shards and one webhook, `ops`; RULES is the test's."""
    maxDiff = None

    def setUp(self):
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)
        self.system = System(self.RULES, 1, shards=2, sinks='sinks:\n  ops: {type: webhook, url: "%s/ops"}\n' % self.receiver.url)
        self.addCleanup(self.system.close)
        self.verb = self.system.verb


class PrivateRedis:
    def __init__(self, *options):
        self.folder, self.port = tempfile.mkdtemp(prefix="ticketwatch-redis-"), free_port()
        self.process = subprocess.Popen(["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder,
                                         "--save", "", *options], stdout=subprocess.DEVNULL)
        self.url = "redis://127.0.0.1:%d" % self.port
        wait_until("Redis", self.answers, 20)

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except OSError:
            return False

    def command(self, *words):
        return redis_command(self.port, *words)

    def close(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def redis_command(port, *words):
    """One command; the raw answer, for short ones."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as link:
        link.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w.encode()), w.encode()) for w in words))
        return link.recv(65536).decode(errors="replace").strip()


def redis(*words):
    """One command to the Redis of the tests."""
    return redis_command(int(os.environ["REDIS_URL"].rsplit(":", 1)[1]), *words)

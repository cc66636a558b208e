"""What goes into the cluster and what comes out: a stream of events stamped as they are appended, a receiver that writes down
when it was told what, and the comparison with `replay` of the same log."""
import collections
import heapq
import http.server
import json
import os
import pathlib
import random
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "oracle"))
import log as logs  # noqa: E402

BIN = pathlib.Path(os.environ.get("TICKETWATCH_BIN", ROOT / "build"))
PROGRAM, FEED, TOPIC = str(BIN / "ticketwatch"), str(BIN / "tests" / "kafka_feed"), str(BIN / "tests" / "kafka_topic")
LATENESS_MS, WITHIN_MS = 2_000, 15_000
RULES = """\
  burst:
    by: [account]
    count: {at_least: 3, within: 15s}
    severity: {medium: 3, high: 6, critical: 12}
    send: ops
  page-error:
    by: [page, error]
    count: {at_least: 4, within: 15s, distinct: user}
    severity: {low: 4, high: 8}
    send: ops
  each:                                  # tells nobody, but the record has every single event
    by: [user]
    count: {at_least: 1, within: 15s}
"""


class Stream(threading.Thread):
    """Events at a steady rate, over all partitions: incidents (some events of one account, or of one page's error, within
    seconds) and between them tickets that belong to nothing. An event's time is that of its append."""

    def __init__(self, brokers, topic, partitions, rate, path):
        super().__init__(daemon=True)
        self.partitions, self.rate, self.path = partitions, rate, path
        self.random, self.calm, self.over = random.Random(7), threading.Event(), threading.Event()
        self.counts, self.offsets, self.planned, self.last_ms = collections.Counter(), [0] * partitions, [], 0
        self.feed = subprocess.Popen([FEED, brokers, topic], stdin=subprocess.PIPE)

    def plan(self, now):
        """An incident that begins now: its events' times and what they share."""
        number, r = self.counts["incidents"], self.random
        self.counts["incidents"] += 1
        if number % 2:
            body = {"account": {"id": "a%d" % number, "name": "A%d" % number}}
        else:
            word = "".join("abcdefghij"[int(digit)] for digit in str(number))  # no number, which a fingerprint would leave out
            body = {"page": {"url": "/orders/" + word}, "error": {"type": "TypeError", "message": "cannot " + word}}
        for i in range(r.randrange(2, 15)):
            heapq.heappush(self.planned, (now + r.uniform(0, 6), number * 100 + i, body))

    def next_body(self, now):
        if self.planned and self.planned[0][0] <= now:
            return heapq.heappop(self.planned)[2]
        if not self.calm.is_set() and self.random.random() < 0.03:
            self.plan(now)
        return {"account": {"id": "n%d" % self.random.randrange(10 ** 9)}} if self.random.random() < 0.5 else {}

    def line(self, number):
        now_ms = int(time.time() * 1000)
        partition = self.random.randrange(self.partitions)
        body = {"id": "e%d" % number, "type": "ticket.created", "time": logs.time_text(now_ms), "user": {"id": "u%d" % number},
                "ticket": {"id": "T-%d" % number, "subject": "Invoice %d cannot be opened" % number, "category": "billing"},
                **self.next_body(now_ms / 1000),
                "kafka": {"topic": "t", "partition": partition, "offset": self.offsets[partition], "timestamp": now_ms}}
        self.offsets[partition] += 1
        self.last_ms = now_ms
        return json.dumps(body).encode() + b"\n"

    def run(self):
        began, number = time.monotonic(), 0
        with open(self.path, "wb") as log:
            while not self.over.is_set():
                due = int((time.monotonic() - began) * self.rate)
                lines = b"".join(self.line(n) for n in range(number, due))
                number = max(number, due)
                log.write(lines)
                self.feed.stdin.write(lines)
                self.feed.stdin.flush()
                time.sleep(0.01)
        self.counts["events"] = number
        self.feed.stdin.close()

    def finish(self):
        """No further incidents; those that began run out and are resolved; then nothing more."""
        self.calm.set()
        time.sleep(6 + WITHIN_MS / 1000 + LATENESS_MS / 1000 + 8)
        self.over.set()
        self.join()
        if self.feed.wait(60):
            raise RuntimeError("the feed failed")


def feed_backlog(brokers, topic, partitions, n):
    """n events, as fast as they can be made, that no rule makes an alert of: a fifth of them with an account that is never seen
    again. They are not in the log that is replayed, since nothing comes of them."""
    with subprocess.Popen([FEED, brokers, topic], stdin=subprocess.PIPE) as feed:
        for i in range(n):
            if i % 1000 == 0:
                now_ms = int(time.time() * 1000)
                now = logs.time_text(now_ms)
            body = {"id": "b%d" % i, "type": "ticket.created", "time": now,
                    "ticket": {"id": "T-%d" % i, "subject": "Invoice %d cannot be opened" % i, "category": "billing"},
                    **({} if i % 5 else {"account": {"id": "b%d" % i}}), "kafka": {"partition": i % partitions, "timestamp": now_ms}}
            feed.stdin.write(json.dumps(body).encode() + b"\n")
        feed.stdin.close()
    if feed.returncode:
        raise RuntimeError("the feed failed")


class Receiver:
    """Webhooks at an address that pods reach: when each came, and what it says."""

    def __init__(self, host, port):
        self.posts, receiver = [], self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version, wbufsize = "HTTP/1.1", -1

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.posts.append((time.time() * 1000, alert_of(body), body["id"]))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads, request_queue_size = True, 128

        self.server = Server((host, port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def alert_of(body):
    """What names an alert here. Each incident has a key of its own, so there is one episode a key. Not its id: what was announced
    early, while a partition was unread, may have another than the record (docs/once.md, Early words)."""
    return body["rule"], json.dumps(body["key"]), body["state"], body["severity"]


def record(verb, config, environment):
    """What `replay LOG` or `alerts ls` says: alert -> (its time, count, id)."""
    done = subprocess.run([PROGRAM, *verb, "-c", config], capture_output=True, check=True, timeout=300, env={**os.environ, **environment})
    return {alert_of(a): (logs.time_of(a["time"]), a["count"], a["id"]) for a in map(json.loads, done.stdout.splitlines())}


def due(alert, time_ms):
    """From when on it could be known."""
    return time_ms + (LATENESS_MS if alert[2] == "resolved" else 0)


class Verdict:
    """`kills` are the times at which a process was killed outright: what it had sent, and was not yet told of as taken, is
    sent again by another. Nothing else may come twice."""

    def __init__(self, wanted, posts, kills, bound_ms):
        said, self.wrong, self.late, self.other_id = collections.defaultdict(list), [], [], 0
        for at, alert, ident in posts:
            said[alert].append((at, ident))
        wanted = {alert: told for alert, told in wanted.items() if alert[0] != "each"}
        for alert, (time_ms, _, ident) in wanted.items():
            if alert not in said:
                self.wrong.append("never said: %s" % (alert,))
                continue
            first, known = said[alert][0][0], due(alert, time_ms)
            self.late.append((known, first - known, alert))
            self.other_id += ident != said[alert][0][1]
            if len(said[alert]) > 1 and not any(-1000 < first - kill < 500 for kill in kills):
                self.wrong.append("said %d times: %s: %s" % (len(said[alert]), alert, said[alert]))
        self.wrong += ["said, and replay does not say it: %s" % (a,) for a in said if a not in wanted]
        self.wrong += ["%.1f s late: %s" % (late / 1000, alert) for _, late, alert in self.late if late > bound_ms]
        self.again = sum(len(times) - 1 for times in said.values())

    def of(self, begin_ms, end_ms):
        """Of the alerts that were due in this time: how many, and how late the middle one, the 99th of 100 and the last."""
        late = sorted(ms for at, ms, _ in self.late if begin_ms <= at < end_ms)
        if not late:
            return "no alerts"
        return "%4d alerts, late by %.2f s (median), %.2f s (p99), %.2f s (most)" % (
            len(late), late[len(late) // 2] / 1000, late[len(late) * 99 // 100] / 1000, late[-1] / 1000)

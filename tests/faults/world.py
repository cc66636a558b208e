"""One round's system: Redis, pods, receiver, feeder, and the faults that can be done to them.

The plan of a round is drawn from its seed before it begins: [(seconds, kind, arguments)]. What takes a while (Redis, the
broker) is done in a thread of its own, one after the other; the rest in the loop that also brings pods back.
"""
import collections
import os
import pathlib
import queue
import subprocess
import tempfile
import threading
import time
import uuid

import pods
import receiver
import servers
import stream
import verdict

PLACES, AT_FIRST = 4, 3
READERS_S = 20
LOSSES = ("lose_writes", "fail_over", "split", "flush", "wipe")
# kind: weight. Those of Kafka only where the broker is the suite's own.
WEIGHTS = {"kill": 10, "stop_long": 4, "stop_short": 6, "leave": 4, "join": 3,
           "lose_writes": 8, "fail_over": 3, "split": 2, "flush": 3, "wipe": 1,
           "redis_restart": 4, "redis_stop": 3, "redis_busy": 2, "redis_full": 2, "script_flush": 3, "clients_killed": 3,
           "cut": 5, "swallow": 3, "delay": 3, "trickle": 2, "drop_reply": 6, "late_reply": 4, "late_request": 6,
           "lie": 12, "rules": 5}
BROKER_WEIGHTS = {"kafka_cut": 3, "kafka_swallow": 2, "kafka_delay": 2, "kafka_drop_reply": 3, "kafka_stop": 2, "kafka_restart": 0.4}


def draw(r, broker, seconds, gap_s, only=None):
    """The plan: about one fault every gap_s seconds."""
    weights = {**WEIGHTS, **(BROKER_WEIGHTS if broker else {})}
    weights = {k: w for k, w in weights.items() if not only or k in only}
    at, plan = 1.0, []
    while at < seconds:
        kind = r.choices(list(weights), list(weights.values()))[0]
        plan.append((at, kind, arguments(r, kind)))
        at += min(r.expovariate(1 / gap_s), 3 * gap_s)
    return plan


def arguments(r, kind):
    place = r.randrange(PLACES)
    return {
        "kill": lambda: (place, r.choice([0, 0.3, 1, 2])),
        "stop_long": lambda: (place, r.uniform(1.2, 1.8)),  # of a session's timeout
        "stop_short": lambda: (place, r.uniform(0.05, 1)),
        "leave": lambda: (place, r.uniform(0.5, 3)),
        "join": lambda: (place,),
        "lose_writes": lambda: (r.choice([1, 2, 5, 20, 60, 200, 1000]),),
        "fail_over": lambda: (r.choice([0.05, 0.3, 1]),),
        "split": lambda: (r.choice([0.3, 1, 2]), sorted(r.sample(range(PLACES), 2))),
        "redis_stop": lambda: (r.choice([0.3, 0.8, 1.5, 3]),),
        "redis_busy": lambda: (r.uniform(0.2, 0.8),),
        "redis_full": lambda: (r.uniform(0.1, 1),),
        "cut": lambda: (place,),
        "swallow": lambda: (place, r.uniform(0.3, 2.5)),
        "delay": lambda: (place, r.uniform(0.5, 3), r.choice([0.02, 0.2, 0.7])),
        "trickle": lambda: (place, r.uniform(0.5, 2)),
        "drop_reply": lambda: (place, r.randint(1, 3)),
        "late_reply": lambda: (place, r.randint(1, 2), r.uniform(1.1, 2.5)),
        "late_request": lambda: (place, r.randint(1, 3), r.uniform(1.1, 4)),
        "lie": lambda: lie(r),
        "kafka_swallow": lambda: (r.uniform(0.5, 3),),
        "kafka_delay": lambda: (r.uniform(0.5, 3), r.choice([0.02, 0.2, 0.7])),
        "kafka_drop_reply": lambda: (r.randint(1, 5),),
        "kafka_stop": lambda: (r.uniform(0.5, 4),),
        "kafka_restart": lambda: (r.choice(["kill", "stop"]),),
    }.get(kind, tuple)()


def lie(r):
    """How many, whom, what. Hanging holds a sink for ten seconds: rarely, and one at a time."""
    kind = r.choices(receiver.Receiver.LIES, [4, 4, 3, 4, 3, 3, 2, 2, 0.6])[0]
    return 1 if kind == "hang" else r.choice([1, 2, 3, 5]), r.choice(["", *stream.SINKS]), kind


class Feeder:
    """Puts the lines into Kafka, some at a time, in a thread of its own: it may have to wait for the broker."""

    def __init__(self, program, brokers, topic, log):
        self.log = log
        with open(log, "wb") as file:
            self.process = subprocess.Popen([str(program), brokers, topic], stdin=subprocess.PIPE, stderr=file)
        self.pieces = queue.Queue()
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        for piece in iter(self.pieces.get, None):
            self.process.stdin.write(piece)
            self.process.stdin.flush()
        self.process.stdin.close()

    def finish(self):
        self.pieces.put(None)
        self.thread.join(240)
        if self.process.wait(240):
            raise RuntimeError("the feeder failed: " + self.log.read_text(errors="replace")[-500:])

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class World:
    def __init__(self, program, tools, broker, session_ms, off=""):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ticketwatch-faults-"))
        self.program, self.tools, self.broker, self.off = program, tools, broker, off
        self.session_ms = session_ms
        self.name = "f" + uuid.uuid4().hex[:12]
        self.config = self.folder / "ticketwatch.yaml"
        self.calm, self.crashes, self.gave_up = False, [], 0
        self.done, self.points = collections.Counter(), collections.Counter()
        self.slow = queue.Queue()
        self.redis = self.receiver = self.faults = None
        self.pods, self.skipped = [], 0
        self.visitor = False  # whether a rule that comes and goes is there

    def open(self, log, seed):
        self.faults = verdict.Faults(log.cutoff)
        self.random = seed
        self.redis = servers.Redis(self.folder)
        self.receiver = receiver.Receiver(self.folder / "requests.jsonl", seed.random())
        self.log = log
        self.write_config()
        # A round lasts half a minute: digests, and a journal whose fields are dropped, and that is long, as they are after an hour.
        self.numbers = "digest_within_ms:3000,journal_kept_ms:%d,journal_long_bytes:%d,recent_bytes:%d" % (
            seed.choice([100, 500, 2000, 10_000]), seed.choice([1000, 5000, 20_000, 1 << 26]), seed.choice([1, 20_000, 1 << 25]))
        for name, partitions in ((self.name, log.partitions), (self.name + ".dlq", 1)):
            self.topic(name, partitions)
        self.pods = [pods.Pod(self, place) for place in range(PLACES)]
        threading.Thread(target=self.slowly, daemon=True).start()

    def feed(self, lines):
        subprocess.run([str(self.tools / "kafka_feed"), self.broker.address, self.name], input=lines, check=True, timeout=60, stderr=subprocess.DEVNULL)

    def write_config(self):
        text = self.log.config(self.broker.address, self.name, self.receiver.url, self.session_ms, self.visitor)
        new = self.config.with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        os.replace(new, self.config)

    def topic(self, name, partitions):
        subprocess.run([str(self.tools / "kafka_topic"), self.broker.address, "create", name, str(partitions), "retention.ms", "-1"],
                       check=True, timeout=60)

    # ---- time ----

    def tick(self):
        now = time.time()
        for pod in self.pods:
            pod.tick(now, self.random)

    def wait(self, until):
        while True:
            self.tick()
            left = until - time.time()
            if left <= 0:
                return
            time.sleep(min(left, 0.02))

    def wait_for_readers(self, partitions):
        """Faults begin when every partition is read: what befalls a group that was never there shows little."""
        end = time.time() + READERS_S
        while time.time() < end and min((self.redis.command("HLEN", key) for key in self.keys_ending("cursors")), default=0) < partitions:
            self.wait(time.time() + 0.1)

    def slowly(self):
        """What may take a while, one after the other."""
        for work in iter(self.slow.get, None):
            try:
                work()
            except Exception as e:  # noqa: BLE001 - the round ends with it, in words
                self.crashes.append("the suite itself: %r" % e)
            self.slow.task_done()

    def short_or_long_stop(self):
        return self.random.choice([0.2, 1, 1.4 * self.session_ms / 1000])

    # ---- faults ----

    def count(self, kind, begun, what="", ended=None):
        self.done[kind] += 1
        self.faults.note(kind, begun, ended or begun, what)

    def strike(self, kind, args):
        if getattr(self, "do_" + kind)(*args) is False:
            self.skipped += 1  # there was nobody to strike
        elif kind not in LOSSES and not kind.startswith(("redis_", "kafka_")):
            self.count(kind, time.time(), str(args))

    def do_kill(self, place, restart_s):
        return self.pods[place].kill(restart_s)

    def do_stop_long(self, place, share):
        return self.pods[place].stop(share * self.session_ms / 1000)

    def do_stop_short(self, place, seconds):
        return self.pods[place].stop(seconds)

    def do_leave(self, place, restart_s):
        return self.pods[place].leave(restart_s)

    def do_join(self, place):
        if self.pods[place].runs():
            return False
        self.pods[place].start(pods.arm(self.random))
        return True

    def later(self, kind, work, what="", loss=False):
        """A fault of Redis or of the broker, whose time is known when it is over."""
        def timed():
            begun = time.time()
            lost = work()
            ended = time.time()
            self.count(kind, begun, "%s %s" % (what, "" if lost is None else lost), ended)
            if not kind.startswith("kafka_"):
                self.faults.troubles.append((begun, ended + 3))  # and until everybody is connected again
            if loss:
                self.faults.losses.append((begun, ended))
            if kind in ("flush", "wipe") or lost == "all":
                self.faults.total_losses.append((begun, ended))

        self.slow.put(timed)

    def do_lose_writes(self, units):
        self.later("lose_writes", lambda: self.redis.server.lose(units), "of %d" % units, loss=True)

    def do_fail_over(self, lag_s):
        self.later("fail_over", lambda: self.redis.fail_over(lag_s), "lag %g s" % lag_s, loss=True)

    def do_split(self, seconds, places):
        proxies = {place: self.pods[place].proxy for place in places}
        self.later("split", lambda: self.redis.split(seconds, proxies), "%g s, pods %s" % (seconds, places), loss=True)

    def do_flush(self):
        self.later("flush", lambda: self.redis.command("FLUSHALL") and None, loss=True)

    def do_wipe(self):
        self.later("wipe", lambda: self.redis.server.lose_all(), loss=True)

    def do_redis_restart(self):
        self.later("redis_restart", lambda: self.redis.server.restart())

    def do_redis_stop(self, seconds):
        def work():
            self.redis.server.signal(19)
            time.sleep(seconds)
            self.redis.server.signal(18)
        self.later("redis_stop", work, "%.1f s" % seconds)

    def do_redis_busy(self, seconds):
        self.later("redis_busy", lambda: self.redis.busy(seconds), "%.1f s" % seconds)

    def do_redis_full(self, seconds):
        self.later("redis_full", lambda: self.redis.full(seconds), "%.1f s" % seconds)

    def do_script_flush(self):
        self.slow.put(lambda: self.redis.command("SCRIPT", "FLUSH"))

    def do_clients_killed(self):
        self.slow.put(lambda: self.redis.command("CLIENT", "KILL", "TYPE", "normal"))
        self.trouble(0)

    def trouble(self, seconds):
        self.faults.troubles.append((time.time(), time.time() + seconds + 3))

    def do_cut(self, place):
        self.trouble(0)
        self.pods[place].proxy.cut()

    def do_swallow(self, place, seconds):
        self.trouble(seconds)
        self.pods[place].proxy.swallow(seconds)

    def do_delay(self, place, seconds, each):
        self.trouble(seconds)
        self.pods[place].proxy.delay(seconds, each)

    def do_trickle(self, place, seconds):
        self.trouble(seconds)
        self.pods[place].proxy.trickle(seconds)

    def next_requests(self, place, n, what, seconds=0.0):
        self.trouble(seconds)
        for _ in range(n):
            self.pods[place].proxy.next(what, seconds)

    def do_drop_reply(self, place, n):
        self.next_requests(place, n, "drop_reply")

    def do_late_reply(self, place, n, seconds):
        self.next_requests(place, n, "late_reply", seconds)

    def do_late_request(self, place, n, seconds):
        self.next_requests(place, n, "late_request", seconds)

    def do_rules(self):
        """A rule comes, or goes: processes notice that their configuration is another."""
        self.visitor = not self.visitor
        self.write_config()

    def lose_meanwhile(self):
        """What a process has just read, or is about to write, is lost while it stands still."""
        if not self.calm and self.random.random() < 0.3:
            self.do_lose_writes(self.random.choice([1, 2, 3, 5, 10, 20]))

    def do_lie(self, n, sink, kind):
        self.receiver.lie(n, sink, kind)

    def do_kafka_cut(self):
        self.later("kafka_cut", self.broker.proxy.cut)

    def do_kafka_swallow(self, seconds):
        self.later("kafka_swallow", lambda: self.broker.proxy.swallow(seconds), "%.1f s" % seconds)

    def do_kafka_delay(self, seconds, each):
        self.later("kafka_delay", lambda: self.broker.proxy.delay(seconds, each), "%.1f s" % seconds)

    def do_kafka_drop_reply(self, n):
        self.later("kafka_drop_reply", lambda: [self.broker.proxy.next("drop_reply") for _ in range(n)] and None, str(n))

    def do_kafka_stop(self, seconds):
        self.later("kafka_stop", lambda: self.broker.freeze(seconds), "%.1f s" % seconds)

    def do_kafka_restart(self, how):
        self.later("kafka_restart", lambda: self.broker.restart(how), how)

    # ---- the end ----

    def end_faults(self):
        """Nothing goes wrong any more, and three pods run."""
        self.calm = True
        self.slow.join()
        for pod in self.pods:
            pod.proxy.calm()
            pod.armed = [p for p in pod.armed if pod.runs()]
            if pod.stopped_at:
                pod.thaw()
        if self.broker.proxy:
            self.broker.proxy.calm()
        for pod in self.pods[:AT_FIRST]:
            if not pod.runs() and pod.restart_at is None:
                pod.start()

    def record(self):
        done = subprocess.run([self.program, "alerts", "ls", "-c", str(self.config)], capture_output=True, timeout=60,
                              env=self.environment())
        return done.stdout if done.returncode == 0 else b""

    def environment(self):
        return {**os.environ, "REDIS_URL": self.redis.url(), "LINEAR_KEY": "lin_api_none"}

    def keys_ending(self, part):
        return [k.decode() for k in self.redis.command("KEYS", self.name + "*}:" + part)]

    def keys(self, part):
        return [k.decode() for k in self.redis.command("KEYS", self.name + "*:%s:*" % part)]

    def waiting(self):
        """Entries that no receiver has confirmed yet."""
        return sum(self.redis.command("XLEN", key) for key in self.keys("outbox"))

    def dead(self):
        """{sink: [(entry, reason)]}"""
        out = {}
        for key in self.keys("dead"):
            for _, fields in self.redis.command("XRANGE", key, "-", "+"):
                row = dict(zip(fields[::2], fields[1::2]))
                out.setdefault(key.rsplit(":", 1)[1], []).append((row[b"entry"].decode(), row[b"reason"].decode()))
        return out

    def close(self):
        self.slow.put(None)
        for pod in self.pods:
            pod.close()
        if self.receiver:
            self.receiver.close()
        if self.redis:
            self.redis.close()

"""The processes under test. Each place has a proxy of its own before Redis; who dies is started again, often with a named
point of the code (core/fault.h) at which it is to die or stop next.
"""
import os
import pathlib
import signal
import subprocess
import time

import proxy

# Where a process can strike itself, and within how many passings: calls of Redis by script or command, before and after.
CALLS = [("apply", 12), ("commit", 12), ("sync", 40), ("load", 6), ("HKEYS", 6), ("HMGET", 12), ("join", 1), ("idle", 12), ("place", 4),
         ("begin", 2), ("open", 2), ("horizon", 6), ("proves", 3), ("outbox_take", 20), ("outbox_ack", 12), ("outbox_hold", 2), ("outbox_dead", 1), ("outbox_figures", 4),
         ("outbox_storm", 6), ("outbox_compose", 2), ("outbox_apart", 1), ("XREAD", 8)]
POINTS = [("redis.%s.%s" % (when, name), most) for name, most in CALLS for when in ("before", "after")]
POINTS += [("post.before", 12), ("post.after", 12), ("kafka.before.commit", 4), ("kafka.after.commit", 4), ("batch.taken", 12),
           ("judged", 20), ("journal.stale", 6), ("journal.load", 2), ("kafka.rebalance", 3), ("kafka.assigned", 2), ("kafka.revoked", 2)]
PASSED = ["journal.stale", "journal.load", "journal.trimmed", "journal.long", "journal.joined", "batch.misplaced"]  # counted, by name
RUNTIME = 3  # exit code of a program that cannot go on: an orchestrator starts it again
RESTART_S = 0.4


# What only those pass that have something to do.
AT_WORK = [p for p in POINTS if p[0].rpartition(".")[2] in ("apply", "commit", "HMGET", "outbox_ack", "outbox_storm", "taken", "stale")
           or p[0].startswith(("post.", "judged"))]


def arm(r, points=POINTS):
    """Up to two points; most of what is passed by every process on its way is passed soon. Some live longer: where all die at once, the
    group has no time to read anything."""
    chosen = r.sample(points, r.choice([0, 1, 1, 2]))
    return [(name, r.randint(1, most), r.choice(["kill", "kill", "kill", "stop"])) for name, most in chosen]


def state_of(pid):
    try:
        return pathlib.Path("/proc/%d/stat" % pid).read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


class Pod:
    def __init__(self, world, place):
        self.world, self.place = world, place
        self.proxy = proxy.Proxy(lambda: world.redis.address(place))
        self.process, self.armed, self.log = None, [], world.folder / ("pod%d.log" % place)
        self.restart_at = None   # when a dead one is started again; None: it is to stay dead
        self.thaw_at = None      # when a stopped one goes on
        self.stopped_at = None
        self.expected_end = False

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def start(self, points=()):
        self.armed = list(points)
        self.restart_at, self.expected_end = None, False
        more = {"REDIS_URL": "redis://127.0.0.1:%d" % self.proxy.port, "LINEAR_KEY": "lin_api_none",
                "TICKETWATCH_FAULT": ",".join("%s:%d:%s" % p for p in points), "TICKETWATCH_OFF": self.world.off, "TICKETWATCH_SET": self.world.numbers,
                "TICKETWATCH_TELL": ",".join(PASSED)}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([self.world.program, "run", "-c", str(self.world.config)], stdout=log, stderr=log,
                                            env={**os.environ, **more})

    def kill(self, restart_s):
        """A process that is stopped dies as well."""
        if not self.runs():
            return False
        self.expected_end = True
        now = time.time()
        self.process.kill()
        self.process.wait()
        self.gone(now, restart_s)
        return True

    def gone(self, at, restart_s):
        self.end_of_stop(at)
        self.world.faults.halted[self.process.pid].append((at, float("inf")))
        self.restart_at = None if restart_s is None else time.time() + restart_s

    def stop(self, seconds):
        if not self.runs() or self.stopped_at:
            return False
        self.stopped_at, self.thaw_at = time.time(), time.time() + seconds
        self.process.send_signal(signal.SIGSTOP)
        return True

    def thaw(self):
        if self.stopped_at and self.runs():
            self.process.send_signal(signal.SIGCONT)
        self.end_of_stop(time.time())

    def end_of_stop(self, at):
        if self.stopped_at:
            self.world.faults.halted[self.process.pid].append((self.stopped_at, at))
        self.stopped_at = self.thaw_at = None

    def leave(self, restart_s):
        """SIGTERM; it drains and leaves the group."""
        if not self.runs() or self.stopped_at:
            return False
        self.expected_end = True
        self.process.terminate()
        self.restart_at = None if restart_s is None else time.time() + restart_s
        return True

    def tick(self, now, r):
        """Notices what became of the process, and brings it back when its time has come."""
        if self.process is None:
            return
        if self.runs():
            self.tick_running(now)
        else:
            if not self.expected_end:
                self.notice_end(now)
                self.expected_end = True
            if self.restart_at and now >= self.restart_at:
                self.start([] if self.world.calm else arm(r))

    def tick_running(self, now):
        if self.thaw_at and now >= self.thaw_at:
            self.thaw()
        elif not self.stopped_at and any(p[2] == "stop" for p in self.armed) and state_of(self.process.pid) == "T":
            self.stopped_at = now
            self.thaw_at = now + self.world.short_or_long_stop()
            self.fired("stop", now)
            self.world.lose_meanwhile()

    def fired(self, what, now):
        names = [p for p in self.armed if p[2] == what]
        last = self.last_point()
        self.world.count("point " + what, now, "pod %d %s" % (self.place, last or names))
        self.world.points[last or "?"] += 1

    def last_point(self):
        lines = [line for line in self.log.read_bytes()[-4000:].decode(errors="replace").split("\n") if line.startswith("fault=")]
        return lines[-1].split()[0][len("fault="):] if lines else None

    def notice_end(self, now):
        code = self.process.returncode
        self.gone(now, RESTART_S)
        if code == -signal.SIGKILL:
            self.fired("kill", now)
        elif code in (RUNTIME, 0):
            self.world.faults.note("gave up", now, now, "pod %d, exit code %d" % (self.place, code))
            self.world.gave_up += 1
        else:
            self.world.crashes.append("pod %d ended with %d: %s" % (self.place, code, self.log))

    def passed(self):
        """How often which of PASSED was."""
        log = self.log.read_bytes() if self.log.exists() else b""
        return {name: log.count(b"passed=%s\n" % name.encode()) for name in PASSED}

    def close(self):
        if self.process and self.runs():
            self.process.kill()
            self.process.wait()
        self.proxy.close()

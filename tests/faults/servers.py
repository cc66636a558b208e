"""The servers that faults befall: a Redis of the suite's own that can lose what it was told, and a broker."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from ports import free_port  # noqa: E402
from resp import Client  # noqa: E402
# `appendfsync no` writes at once and leaves syncing to the kernel: killing the process loses nothing, so that what is
# lost is what the suite takes away.
REDIS_OPTIONS = {"bind": "127.0.0.1", "save": "", "appendonly": "yes", "appendfsync": "no", "auto-aof-rewrite-percentage": "0",
                 "maxmemory-policy": "noeviction", "repl-diskless-sync-delay": "0", "repl-diskless-load": "on-empty-db",
                 "busy-reply-threshold": "100"}


def redis_program():
    return os.environ.get("REDIS_SERVER") or shutil.which("redis-server")


def wait_for(what, condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError("%s: not within %g s" % (what, seconds))
        time.sleep(0.01)


def ends_of_units(data):
    """Where each command, or each transaction as a whole, of an append-only file ends."""
    at, ends, inside = 0, [], False
    while at < len(data):
        if data[at:at + 1] != b"*":
            at = data.index(b"\n", at) + 1
            continue
        line = data.index(b"\r\n", at)
        n, at, word = int(data[at + 1:line]), line + 2, None
        for _ in range(n):
            line = data.index(b"\r\n", at)
            size = int(data[at + 1:line])
            word = word or data[line + 2:line + 2 + size].upper()
            at = line + 2 + size + 2
        inside = word == b"MULTI" or (inside and word != b"EXEC")
        if not inside:
            ends.append(at)
    return ends


class RedisServer:
    def __init__(self, folder, replica_of=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="redis-", dir=folder))
        self.port, self.process = free_port(), None
        self.options = {**REDIS_OPTIONS, "port": str(self.port), "dir": str(self.folder)}
        self.start(["--replicaof", "127.0.0.1", str(replica_of)] if replica_of else [])

    def start(self, more=()):
        words = [w for name, value in self.options.items() for w in ("--" + name, value)]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen([redis_program(), *words, *more], stdout=log, stderr=log)
        wait_for("Redis", self.answers)

    def answers(self):
        try:
            with Client(self.port) as c:
                return c.command("PING") == b"PONG"
        except (OSError, RuntimeError):
            if self.process.poll() is not None:
                raise RuntimeError("Redis ended: %s" % self.folder)
            return False

    def command(self, *words):
        with Client(self.port) as c:
            return c.command(*words)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def signal(self, number):
        self.process.send_signal(number)

    def restart(self):
        self.kill()
        self.start()

    def files(self):
        return self.folder / "appendonlydir"

    def newest_file(self):
        manifest = (self.files() / "appendonly.aof.manifest").read_text().split("\n")
        names = [line.split()[1] for line in manifest if line.endswith("type i")]
        return self.files() / names[-1]

    def lose(self, units):
        """Its last writes: killed, the end of its append-only file cut off, started again. How many were lost: "all" if so."""
        self.kill()
        path = self.newest_file()
        data = path.read_bytes()
        ends = [0] + ends_of_units(data)
        kept = max(0, len(ends) - 1 - units)
        os.truncate(path, ends[kept])
        self.start()
        return len(ends) - 1 - kept if kept else "all"

    def lose_all(self):
        self.kill()
        shutil.rmtree(self.files(), ignore_errors=True)
        self.start()

    def close(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Redis:
    """The primary as it is now: a port that may change, behind the proxies."""

    def __init__(self, folder):
        self.folder = folder
        self.server, self.moved = RedisServer(folder), {}

    def address(self, place):
        """Of the server that this place's process reaches."""
        return "127.0.0.1", self.moved.get(place, self.server).port

    def url(self):
        return "redis://127.0.0.1:%d" % self.server.port

    def command(self, *words):
        return self.server.command(*words)

    def replica(self):
        """A copy of the primary that follows it no more."""
        replica = RedisServer(self.folder, replica_of=self.server.port)
        wait_for("the replica", lambda: b"master_link_status:up" in replica.command("INFO", "replication"))
        replica.command("REPLICAOF", "NO", "ONE")
        return replica

    def fail_over(self, lag_s):
        """A replica that has not heard of the last `lag_s` seconds becomes the primary."""
        replica = self.replica()
        time.sleep(lag_s)
        self.replace(replica)

    def split(self, seconds, proxies):
        """For some seconds there are two primaries: some places (their proxies) reach the new one, the others the old one,
        whose writes are then lost."""
        replica = self.replica()
        self.moved = dict.fromkeys(proxies, replica)
        for proxy in proxies.values():
            proxy.cut()
        time.sleep(seconds)
        self.replace(replica)

    def replace(self, replica):
        old, self.server, self.moved = self.server, replica, {}
        old.close()

    def busy(self, seconds):
        """A script that does not end; who asks meanwhile is told BUSY."""
        with Client(self.server.port, timeout=seconds + 5) as c:
            c.command("EVAL", "local t = redis.call('TIME') local e = t[1] * 1000000 + t[2] + ARGV[1] repeat t = redis.call('TIME') "
                      "until t[1] * 1000000 + t[2] > e return 1", "0", int(seconds * 1e6))

    def full(self, seconds):
        """No memory for writes."""
        self.command("CONFIG", "SET", "maxmemory", "1")
        time.sleep(seconds)
        self.command("CONFIG", "SET", "maxmemory", "0")

    def close(self):
        self.server.close()


class Broker:
    """One that runs already (its faults are nobody's to make), or one of our own, reached through a proxy."""

    def __init__(self, folder=None):
        self.folder, self.proxy = folder, None
        self.address = os.environ.get("KAFKA_BROKERS") if folder is None else None

    def services(self, *words):
        done = subprocess.run([str(ROOT / "deploy/local/services"), "-d", str(self.folder), *words], stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=300)
        if done.returncode:
            raise RuntimeError("services %s: %s" % (" ".join(words), done.stderr.decode()[-800:]))

    def start(self, proxy_class):
        """Clients are told the proxy's address, so that all they say goes through it."""
        self.services("up", "kafka")
        settings = self.folder / "kafka" / "kafka.properties"
        lines = settings.read_text()
        port = int(lines.split("listeners=PLAINTEXT://127.0.0.1:", 1)[1].split(",")[0])
        self.proxy = proxy_class(lambda: ("127.0.0.1", port))
        self.services("stop", "kafka")
        settings.write_text(lines + "\nadvertised.listeners=PLAINTEXT://127.0.0.1:%d\n" % self.proxy.port)
        self.services("start", "kafka")
        self.address = "127.0.0.1:%d" % self.proxy.port

    def pid(self):
        return int((self.folder / "kafka" / "pid").read_text().split()[0])

    def freeze(self, seconds):
        os.kill(self.pid(), signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(self.pid(), signal.SIGCONT)

    def restart(self, how):
        self.services(how, "kafka")
        self.services("start", "kafka")

    def close(self):
        if self.proxy:
            self.services("down")
            self.proxy.close()

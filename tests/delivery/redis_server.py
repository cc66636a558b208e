"""A Redis of the test's own, and as much of a client as the tests need."""
import binascii
import shutil
import socket
import subprocess
import tempfile
import time


def installed():
    return shutil.which("redis-server") is not None


def shard_stem(shards_n, shard, prefix="tw"):
    """As windows/shard.c names it: the smallest number whose slot lies in the shard's part."""
    tag = 0
    while shards_n > 1 and binascii.crc_hqx(str(tag).encode(), 0) % 16384 * shards_n // 16384 != shard:
        tag += 1
    return f"{prefix}:2.{shards_n}:{{{tag}}}:"


ONE_SHARD = shard_stem(1, 0)


class Redis:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="delivery_redis.")
        with socket.create_server(("127.0.0.1", 0)) as s:
            self.port = s.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}"
        self.file = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.dir,
             "--save", "", "--appendonly", "yes", "--appendfsync", "always"],
            stdout=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                self.file = None
                if self.command("PING") == b"PONG":
                    return
            except (OSError, RuntimeError):
                time.sleep(0.02)
        raise RuntimeError("redis-server did not start")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)

    def command(self, *words):
        if self.file is None:
            connection = socket.create_connection(("127.0.0.1", self.port), timeout=5)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.file = connection.makefile("rwb")
            connection.close()  # the file keeps it open
        words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        self.file.write(b"*%d\r\n" % len(words))
        for word in words:
            self.file.write(b"$%d\r\n%s\r\n" % (len(word), word))
        self.file.flush()
        return self.reply()

    def reply(self):
        line = self.file.readline()[:-2]
        if not line:
            raise OSError("connection closed")
        kind, rest = line[:1], line[1:]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"+":
            return rest
        if int(rest) < 0:
            return None
        if kind == b"$":
            return self.file.read(int(rest) + 2)[:-2]
        return [self.reply() for _ in range(int(rest))]

    # ---- the outbox; `stem` is a shard's ----

    def add(self, sink, body, stem=ONE_SHARD):
        return self.command("XADD", f"{stem}outbox:{sink}", "*", "alert", body)

    def waiting(self, sink, stem=ONE_SHARD):
        return self.command("XLEN", f"{stem}outbox:{sink}")

    def held(self, sink):
        try:
            return self.command("XPENDING", f"{ONE_SHARD}outbox:{sink}", "delivery", "-", "+", "1")
        except RuntimeError:  # no group yet
            return []

    def dead(self, sink, stem=ONE_SHARD):
        rows = self.command("XRANGE", f"{stem}dead:{sink}", "-", "+")
        return [dict(zip(f[::2], f[1::2])) for _, f in rows]

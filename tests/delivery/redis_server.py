"""A Redis of the test's own."""
import binascii
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from ports import free_port  # noqa: E402
from resp import Client  # noqa: E402


def installed():
    return shutil.which("redis-server") is not None


def shard_stem(shards_n, shard, prefix="tw"):
    """As windows/shard.c names it: the smallest number whose slot lies in the shard's part."""
    tag = 0
    while shards_n > 1 and binascii.crc_hqx(str(tag).encode(), 0) % 16384 * shards_n // 16384 != shard:
        tag += 1
    return f"{prefix}:7.{shards_n}:{{{tag}}}:"


ONE_SHARD = shard_stem(1, 0)


class Redis:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="delivery_redis.")
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self.client = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.dir,
             "--save", "", "--appendonly", "yes", "--appendfsync", "always"],
            stdout=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                self.client = None
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
        if self.client is None:
            self.client = Client(self.port)
        return self.client.command(*words)

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

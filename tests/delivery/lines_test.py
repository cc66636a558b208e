#!/usr/bin/env python3
"""Alerts as lines: the sinks file and stdout, with rotation, full and missing disks, readers that rest or go away.

  tests/delivery/lines_test.py DELIVER [TEST...]     DELIVER is the tool tests/tools/deliver.c

Promised: every alert is a line of its own, in order, and counts as delivered only once it was written whole.
"""
import fcntl
import json
import os
import resource
import shutil
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(__file__))
import redis_server  # noqa: E402
from pod import DeliveryCase, Pod, alert, wait_for  # noqa: E402

TOOL = None


class LinesTest(DeliveryCase):
    def setUp(self):
        super().setUp()
        self.folder = tempfile.mkdtemp(prefix="lines.")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.path = os.path.join(self.folder, "alerts.jsonl")

    def pod(self, *arguments, name="a", **how):
        pod = Pod(TOOL, self.redis, name, *arguments, **how)
        self.addCleanup(pod.close)
        return pod

    def file_pod(self, more="", **how):
        return self.pod(f"f:file=path={self.path}{more}", **how)

    def add(self, *numbers, sink="f", **members):
        for n in numbers:
            self.redis.add(sink, alert(n, **members))

    def empty(self, sink="f", seconds=60):
        self.assertTrue(wait_for(lambda: self.redis.waiting(sink) == 0, seconds), self.redis.waiting(sink))

    def numbers(self, text):
        self.assertTrue(text == "" or text.endswith("\n"), text[-200:])
        return [int(json.loads(line)["id"], 16) for line in text.splitlines()]

    def read(self, path=None):
        with open(path or self.path, encoding="utf-8", newline="") as f:
            return f.read()

    # ---- files ----

    def test_a_line_an_alert(self):
        for more in ("", ";fsync=never"):
            self.add(*range(1, 101))
            pod = self.file_pod(more, name="a" + str(len(more)))
            self.empty()
            pod.stop()
        self.assertEqual(self.numbers(self.read()), [*range(1, 101)] * 2)
        self.assertEqual(self.read().splitlines()[6], alert(7))
        self.assertEqual(os.stat(self.path).st_mode & 0o137, 0)

    def test_rotated_in_every_way(self):
        self.file_pod()
        self.add(1)
        self.empty()
        os.rename(self.path, self.path + ".1")  # rename
        self.add(2)
        self.empty()
        os.unlink(self.path)  # remove
        self.add(3)
        self.empty()
        self.assertEqual(self.numbers(self.read(self.path + ".1")), [1])
        self.assertEqual(self.numbers(self.read()), [3])
        os.truncate(self.path, 0)  # copy and truncate
        self.add(4)
        self.empty()
        self.assertEqual(self.numbers(self.read()), [4])

    def test_rotated_while_written(self):
        """Two pods, and somebody who renames as fast as he can: nothing is lost, no line is torn."""
        self.add(*range(1, 401))
        self.file_pod(";fsync=never", name="a")
        self.file_pod(";fsync=never", name="b")
        parts, last = 0, 400
        while self.redis.waiting("f") or parts < 4:
            if not self.redis.waiting("f"):  # they were quicker than we
                self.add(*range(last + 1, last + 101))
                last += 100
            if os.path.exists(self.path):
                parts += 1
                os.rename(self.path, f"{self.path}.{parts:05d}")
        seen = []
        for name in sorted(os.listdir(self.folder)):
            seen += self.numbers(self.read(os.path.join(self.folder, name)))
        self.assertEqual(sorted(seen), [*range(1, last + 1)])

    def test_a_line_that_was_torn_is_ended(self):
        with open(self.path, "w") as f:
            f.write('{"id":"half')
        self.add(1)
        self.file_pod()
        self.empty()
        first, rest = self.read().split("\n", 1)
        self.assertEqual(first, '{"id":"half')
        self.assertEqual(self.numbers(rest), [1])

    def test_locked_by_another(self):
        with open(self.path, "w") as f:
            fcntl.flock(f, fcntl.LOCK_EX)
            pod = self.file_pod()
            self.add(1)
            self.assertTrue(pod.says("Connection timed out"))
            self.assertEqual(self.redis.waiting("f"), 1)
        self.empty()
        self.assertEqual(self.numbers(self.read()), [1])

    def test_no_folder_then_one(self):
        """What a person must mend pauses the sink, and nothing is lost."""
        self.path = os.path.join(self.folder, "later", "alerts.jsonl")
        pod = self.file_pod("", name="a")
        self.add(1, 2)
        self.assertTrue(pod.says("No such file or directory"))
        self.assertEqual(self.redis.dead("f"), [])
        self.assertEqual(self.redis.waiting("f"), 2)
        pod.stop()
        os.mkdir(os.path.dirname(self.path))
        self.file_pod(name="b")
        self.empty()
        self.assertEqual(self.numbers(self.read()), [1, 2])

    def test_a_pipe_and_a_folder_are_no_files(self):
        os.mkfifo(self.path)
        pod = self.file_pod(name="a")
        self.add(1)
        self.assertTrue(pod.says("it is no regular file"))
        pod.stop()
        self.path = self.folder
        pod = self.file_pod(name="b")
        self.assertTrue(pod.says("Is a directory"))

    def test_full_disk(self):
        """A line that does not fit whole is taken back, and comes once there is room."""
        self.add(1)
        pod = self.file_pod()
        self.empty()
        size = os.path.getsize(self.path)
        resource.prlimit(pod.process.pid, resource.RLIMIT_FSIZE, (size + 10, resource.RLIM_INFINITY))
        self.add(2)
        pod.process.stdout.readline()
        self.assertTrue(wait_for(lambda: pod.stats()["retried"] > 0))  # its log does not grow either
        self.assertTrue(wait_for(lambda: os.path.getsize(self.path) == size))
        resource.prlimit(pod.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        self.empty()
        self.assertEqual(self.numbers(self.read()), [1, 2])

    def test_hard_text_stays_one_line(self):
        text = "a\nb\r\n\u2028\u0000\u202e<!channel> \U0001f525" * 50000
        self.add(1, 2, summary=text, sample={"subject": text})
        self.file_pod()
        self.empty()
        lines = self.read().split("\n")
        self.assertEqual(len(lines), 3)
        self.assertEqual(json.loads(lines[0])["summary"], text)

    # ---- standard output ----

    def test_stdout_is_a_file(self):
        with open(self.path, "w") as f:
            pod = self.pod("o:stdout=", stdout=f)
            self.add(*range(1, 51), sink="o")
            self.empty("o")
            pod.stop()
        self.assertEqual(self.numbers(self.read().split("\n", 1)[1]), [*range(1, 51)])

    def test_two_sinks_and_four_shards_share_stdout(self):
        pod = self.pod("shards=4", "o:stdout=", "p:stdout=")
        stems = [redis_server.shard_stem(4, i) for i in range(4)]
        for n in range(1, 201):
            self.redis.add("op"[n % 2], alert(n, summary="x" * 3000), stems[n % 4])
        pod.process.stdout.readline()
        got = [json.loads(pod.process.stdout.readline()) for _ in range(200)]
        self.assertEqual(sorted(int(a["id"], 16) for a in got), [*range(1, 201)])

    def test_a_reader_that_rests(self):
        """What it has not taken is not delivered; half a line is ended, and the alert comes whole later."""
        pod = self.pod("o:stdout=", "f:file=path=" + self.path)
        long = "x" * 40000
        self.add(1, 2, 3, 4, sink="o", summary=long)
        self.add(5)
        self.assertTrue(pod.says("the reader does not take it"))
        self.empty()  # the other sink goes on
        self.assertGreaterEqual(self.redis.waiting("o"), 2)
        seen = []
        while len(set(seen)) < 4:
            line = pod.process.stdout.readline()
            try:
                seen.append(int(json.loads(line)["id"], 16))
            except ValueError:
                self.assertTrue(line == b"ready\n" or line.startswith(b'{"id":"'), line[:100])
        self.empty("o")
        self.assertEqual(sorted(set(seen)), [1, 2, 3, 4])

    def test_a_reader_that_went_away(self):
        pod = self.pod("o:stdout=", "f:file=path=" + self.path)
        pod.process.stdout.readline()
        pod.process.stdout.close()
        self.add(1, sink="o")
        self.assertTrue(pod.says("Broken pipe"))
        self.add(2)
        self.empty()
        self.assertEqual(self.redis.waiting("o"), 1)
        self.assertEqual(self.redis.dead("o"), [])

    def test_ends_on_time_with_a_reader_that_rests(self):
        pod = self.pod("drain=300", "o:stdout=")
        self.add(*range(1, 5), sink="o", summary="x" * 100000)
        self.assertEqual(pod.process.stdout.readline(), b"ready\n")
        self.assertTrue(wait_for(lambda: self.redis.held("o")))
        time.sleep(0.5)
        began = time.monotonic()
        self.assertEqual(pod.stop(), 0)
        self.assertLess(time.monotonic() - began, 20)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if not redis_server.installed():
        print("skipped: redis-server is not installed")
        sys.exit(77)
    TOOL = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)

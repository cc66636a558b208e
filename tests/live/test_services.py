#!/usr/bin/env python3
"""deploy/local/services: starts what it says, and stops exactly that.

Real processes throughout. Most cases need only Redis, which starts in a blink; Kafka
takes part where it matters: two instances at once, restarts, and an interrupted start.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPT = os.path.join(ROOT, "deploy", "local", "services")
SKIP = 77


def command(folder, *arguments):
    return [SCRIPT, "-d", folder, *arguments]


def services(folder, *arguments):
    return subprocess.run(command(folder, *arguments), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=600)


def settings(folder):
    with open(os.path.join(folder, "env"), encoding="utf-8") as file:
        return dict(line.rstrip("\n").split("=", 1) for line in file)


def pid_of(folder, name):
    with open(os.path.join(folder, name, "pid"), encoding="utf-8") as file:
        return int(file.read().split()[0])


def runs(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def redis(folder, *words):
    """One command, one answer, over the wire."""
    return redis_at(int(settings(folder)["REDIS_URL"].rpartition(":")[2]), *words)


def redis_at(port, *words):
    with socket.create_connection(("127.0.0.1", port), timeout=30) as link:
        link.sendall((" ".join(words) + "\r\n").encode())
        return link.recv(4096).decode().strip()


def topics(folder):
    answer = services(folder, "tool", "org.apache.kafka.tools.TopicCommand", "--list")
    return answer.stdout.split()


def wait_until(condition, what, seconds=240):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


class ServicesTest(unittest.TestCase):
    def setUp(self):
        self.base = tempfile.mkdtemp(prefix="services test ")  # with spaces, as homes may be
        self.addCleanup(shutil.rmtree, self.base, ignore_errors=True)

    def folder(self, name):
        path = os.path.join(self.base, name)
        self.addCleanup(services, path, "down")
        return path

    def up(self, folder, *only):
        answer = services(folder, "up", *only)
        self.assertEqual(answer.returncode, 0, answer.stderr)

    def test_two_at_once_and_down_stops_one(self):
        one, two = self.folder("one"), self.folder("two")
        started = [subprocess.Popen(command(folder, "up"), stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                   for folder in (one, two)]
        for process in started:
            error = process.communicate(timeout=600)[1]
            self.assertEqual(process.returncode, 0, error)
        self.assertNotEqual(settings(one)["KAFKA_BROKERS"], settings(two)["KAFKA_BROKERS"])
        self.assertNotEqual(settings(one)["REDIS_URL"], settings(two)["REDIS_URL"])

        made = services(one, "topic", "first", "3", "max.message.bytes=11000000")
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(services(two, "topic", "second").returncode, 0)
        self.assertEqual((topics(one), topics(two)), (["first"], ["second"]))
        self.assertEqual([redis(folder, "PING") for folder in (one, two)], ["+PONG", "+PONG"])

        pids = [pid_of(one, "kafka"), pid_of(one, "redis")]
        self.assertEqual(services(one, "down").returncode, 0)
        self.assertEqual([runs(pid) for pid in pids], [False, False])
        self.assertFalse(os.path.exists(one))
        self.assertEqual(topics(two), ["second"])
        self.assertEqual(redis(two, "PING"), "+PONG")

    def test_kafka_keeps_topics_and_port_through_a_kill(self):
        folder = self.folder("kafka")
        self.up(folder, "kafka")
        before = settings(folder)["KAFKA_BROKERS"], pid_of(folder, "kafka")
        self.assertEqual(services(folder, "topic", "kept", "2").returncode, 0)
        self.assertEqual(services(folder, "kill", "kafka").returncode, 0)
        self.assertFalse(runs(before[1]))
        self.assertEqual(services(folder, "start", "kafka").returncode, 0)
        self.assertEqual(settings(folder)["KAFKA_BROKERS"], before[0])
        self.assertNotEqual(pid_of(folder, "kafka"), before[1])
        self.assertEqual(topics(folder), ["kept"])

    def test_redis_keeps_data_and_refuses_to_evict(self):
        folder = self.folder("redis")
        self.up(folder, "redis")
        self.assertIn("noeviction", redis(folder, "CONFIG", "GET", "maxmemory-policy"))
        self.assertEqual(redis(folder, "CONFIG", "SET", "appendfsync", "always"), "+OK")
        self.assertEqual(redis(folder, "SET", "key", "value"), "+OK")
        self.assertEqual(services(folder, "kill", "redis").returncode, 0)
        self.assertEqual(services(folder, "start", "redis").returncode, 0)
        self.assertIn("value", redis(folder, "GET", "key"))

    def test_a_redis_cluster_of_three_masters(self):
        folder = self.folder("cluster")
        self.up(folder, "--redis-cluster", "redis")
        url = settings(folder)["REDIS_CLUSTER_URL"]
        ports = [int(host.rpartition(":")[2]) for host in url.removeprefix("redis://").split(",")]
        self.assertNotIn(int(settings(folder)["REDIS_URL"].rpartition(":")[2]), ports)
        for port in ports:
            info = redis_at(port, "CLUSTER", "INFO")
            self.assertIn("cluster_state:ok", info)
            self.assertIn("cluster_slots_ok:16384", info)
            self.assertIn("cluster_size:3", info)
        self.assertEqual(redis_at(ports[1], "SET", "{b}key", "value").split()[:2], ["-MOVED", "3300"])
        self.assertEqual(redis_at(ports[0], "SET", "{b}key", "value"), "+OK")

        self.assertEqual(services(folder, "kill", "redis-1").returncode, 0)
        self.assertIn("redis-1 does not run", services(folder, "status").stdout)
        self.assertEqual(services(folder, "start", "redis-1").returncode, 0)
        wait_until(lambda: "cluster_state:ok" in redis_at(ports[0], "CLUSTER", "INFO"), "the cluster is whole again", 120)
        self.assertIn("value", redis_at(ports[0], "GET", "{b}key"))
        pids = [pid_of(folder, "redis-%d" % i) for i in (1, 2, 3)]
        self.assertEqual(services(folder, "restart", "redis-cluster").returncode, 0)
        self.assertEqual([runs(pid) for pid in pids], [False] * 3)
        pids = [pid_of(folder, "redis-%d" % i) for i in (1, 2, 3)]
        self.assertEqual(services(folder, "down").returncode, 0)
        self.assertEqual([runs(pid) for pid in pids], [False] * 3)
        self.assertFalse(os.path.exists(folder))

    def test_a_cluster_instead_of_one_redis(self):
        folder = self.folder("instead")
        self.up(folder, "redis-cluster")
        self.assertEqual(settings(folder)["REDIS_URL"], settings(folder)["REDIS_CLUSTER_URL"])
        self.assertFalse(os.path.exists(os.path.join(folder, "redis")))

    def test_up_beside_a_living_one_refuses(self):
        folder = self.folder("live")
        self.up(folder, "redis")
        pid = pid_of(folder, "redis")
        again = services(folder, "up", "redis")
        self.assertEqual(again.returncode, 1)
        self.assertIn("already runs", again.stderr)
        self.assertEqual(pid_of(folder, "redis"), pid)
        self.assertEqual(redis(folder, "PING"), "+PONG")

    def test_a_folder_left_by_a_crash_is_started_afresh(self):
        folder = self.folder("stale")
        self.up(folder, "redis")
        redis(folder, "SET", "old", "value")
        pid = pid_of(folder, "redis")
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not runs(pid), "Redis is gone")
        self.assertIn("redis does not run", services(folder, "status").stdout)
        self.up(folder, "redis")
        self.assertEqual(redis(folder, "GET", "old"), "$-1")
        self.assertEqual(services(folder, "down").returncode, 0)
        self.assertFalse(os.path.exists(folder))

    def interrupted(self, folder, number):
        """Interrupts `up` while Kafka is starting; returns the ids of both services."""
        process = subprocess.Popen(command(folder, "up"), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        file = os.path.join(folder, "kafka", "pid")
        wait_until(lambda: os.path.exists(file), "Kafka has begun")
        pids = [pid_of(folder, name) for name in ("kafka", "redis")]
        process.send_signal(number)
        self.assertNotEqual(process.wait(timeout=240), 0)
        return pids

    def test_a_terminated_start_leaves_nothing(self):
        for pid in self.interrupted(self.folder("terminated"), signal.SIGTERM):
            self.assertFalse(runs(pid))

    def test_down_after_a_killed_start(self):
        folder = self.folder("killed")
        pids = self.interrupted(folder, signal.SIGKILL)
        self.assertTrue(runs(pids[0]))
        self.assertEqual(services(folder, "down").returncode, 0)
        self.assertEqual([runs(pid) for pid in pids], [False, False])

    def test_down_never_stops_a_stranger(self):
        """A process id that came to be used again: other start time, or other folder."""
        folder = self.folder("reused")
        self.up(folder, "redis")
        file = os.path.join(folder, "redis", "pid")
        ours = pid_of(folder, "redis")
        self.addCleanup(os.kill, ours, signal.SIGKILL)
        stranger = subprocess.Popen(["sleep", "600"], cwd=os.path.join(folder, "redis"))
        elsewhere = subprocess.Popen(["sleep", "600"], cwd="/")
        self.addCleanup(lambda: [p.kill() or p.wait() for p in (stranger, elsewhere)])
        with open(f"/proc/{elsewhere.pid}/stat", encoding="utf-8") as stat:
            born = stat.read().rpartition(")")[2].split()[19]
        for line in (f"{stranger.pid} 1\n", f"{elsewhere.pid} {born}\n"):
            with open(file, "w", encoding="utf-8") as out:
                out.write(line)
            self.assertEqual(services(folder, "stop", "redis").returncode, 0)
        self.assertEqual((stranger.poll(), elsewhere.poll()), (None, None))
        self.assertTrue(runs(ours))

    def test_a_folder_of_somebody_else_is_left_alone(self):
        folder = os.path.join(self.base, "mine")
        os.mkdir(folder)
        with open(os.path.join(folder, "letter"), "w", encoding="utf-8") as file:
            file.write("dear")
        answer = services(folder, "up", "redis")
        self.assertEqual(answer.returncode, 1)
        self.assertIn("not empty", answer.stderr)
        self.assertEqual(services(folder, "down").returncode, 0)
        self.assertEqual(os.listdir(folder), ["letter"])


if __name__ == "__main__":
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        print("skipped: no Java for Kafka; ./setup test installs it")
        sys.exit(SKIP)
    unittest.main()

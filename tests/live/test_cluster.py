#!/usr/bin/env python3
"""A Redis Cluster of three masters: two processes stream events while the slot of one of their shards is moved from
node to node, and while a node is killed and started again. Every alert of `replay` is confirmed, and delivered once.

    test_cluster.py [SEED]       see live.py for what it needs; the cluster is its own (deploy/local/services)
"""
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]
import live  # noqa: E402
import log as logs  # noqa: E402
import made_log  # noqa: E402

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 7
SERVICES = str(live.ROOT / "deploy/local/services")
PARTITIONS, ACCOUNTS, EVENTS = 5, 60, 6000
STREAM_S = 12
RULES = """\
  burst:
    by: [account]
    count: {at_least: 3, within: 20m}
    severity: {medium: 3, high: 6}
    send: [ops]
  volume:
    anomaly: {metric: count, bucket: 1h, history: 7d, z: 3, min_history: 5, min_count: 5}
"""


class Cluster:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="ticketwatch-cluster-")
        self.services("up", "redis-cluster")
        env = (pathlib.Path(self.folder) / "env").read_text(encoding="utf-8")
        self.url = env.split("REDIS_CLUSTER_URL=", 1)[1].split()[0]
        self.ports = [int(host.rpartition(":")[2]) for host in self.url.removeprefix("redis://").split(",")]
        self.ids = [self.ask(port, "cluster", "myid") for port in self.ports]

    def services(self, *words):
        done = subprocess.run([SERVICES, "-d", self.folder, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120 * live.PATIENCE)
        assert done.returncode == 0, done.stderr

    def ask(self, port, *words):
        done = subprocess.run(["redis-cli", "-h", "127.0.0.1", "-p", str(port), *map(str, words)], capture_output=True, text=True, timeout=30 * live.PATIENCE)
        answer = done.stdout.strip()
        assert done.returncode == 0 and not answer.startswith(("ERR", "IOERR")), "%s: %s" % (words, answer)
        return answer

    def keys(self, node):
        return self.ask(self.ports[node], "keys", "*").split()

    def slot_of(self, key):
        return int(self.ask(self.ports[0], "cluster", "keyslot", key))

    def move(self, slot, source, target, rest_s):
        """As redis-cli --cluster reshard does it, a few keys at a time."""
        self.ask(self.ports[target], "cluster", "setslot", slot, "importing", self.ids[source])
        self.ask(self.ports[source], "cluster", "setslot", slot, "migrating", self.ids[target])
        time.sleep(rest_s)
        while True:
            keys = self.ask(self.ports[source], "cluster", "getkeysinslot", slot, 4).split()
            if not keys:
                break
            self.ask(self.ports[source], "migrate", "127.0.0.1", self.ports[target], "", 0, 5000, "keys", *keys)
            time.sleep(rest_s / 10)
        for node in (target, source, 3 - source - target):
            self.ask(self.ports[node], "cluster", "setslot", slot, "node", self.ids[target])

    def close(self):
        self.services("down")
        shutil.rmtree(self.folder, ignore_errors=True)


def said(alerts):
    """What was said; what was said twice stands there twice."""
    return sorted((a["id"], a["state"], a["severity"]) for a in alerts)


def story(system):
    return "\n".join(line for line in system.log_text().splitlines() if "event=alert_delivered" not in line)


class Moves(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.cluster = Cluster()
        self.addCleanup(self.cluster.close)
        self.receiver = live.Receiver()
        self.addCleanup(self.receiver.close)

    def system(self, shards):
        system = live.System(RULES, PARTITIONS, redis=self.cluster.url, shards=shards,
                             sinks='sinks:\n  ops: {type: webhook, url: "%s/ops"}\n' % self.receiver.url)
        self.addCleanup(system.close)
        return system

    def places(self, system):
        """Where the shards are: {slot: node}."""
        found = {}
        for node in range(3):
            for key in self.cluster.keys(node):
                if key.startswith(system.name) and key.endswith("}:meta"):
                    found[self.cluster.slot_of(key)] = node
        return found

    def confirm(self, shards, disturb):
        lines, cutoff = made_log.tickets(random.Random(SEED), PARTITIONS, ACCOUNTS, EVENTS, 2 * made_log.MINUTE)
        system = self.system(shards)
        path = system.folder / "log.jsonl"
        path.write_bytes(b"".join(lines))
        expected = live.until(system.replay(path), cutoff)
        alerts = [json.loads(line) for line in expected.splitlines()]
        wanted = said(a for a in alerts if a["rule"] == "burst")
        self.assertGreater(len(wanted), 300, "a log that says nothing shows nothing")
        for _ in range(2):
            system.start()
        live.wait_until("both at work", lambda: system.log_text().count("event=rebalance what=assigned") >= 2, 30)
        live.wait_until("the shards", lambda: len(self.places(system)) == shards, 30)
        places = self.places(system)
        feeding = system.stream(lines, STREAM_S)
        disturb(system, places)
        feeding.join()
        system.wait_for_record(expected, cutoff=cutoff)
        live.wait_until("the alerts", lambda: len(self.receiver.alerts()) >= len(wanted), 60)
        self.assertEqual(set(system.stop_all()), {0}, story(system))
        with self.receiver.lock:
            told = [json.loads(body) for _, _, body, _ in self.receiver.posts]
        self.assertEqual(said(a for a in told if logs.time_of(a["time"]) < cutoff), wanted)
        return system

    def move_about(self, shards):
        def disturb(system, places):
            slot, source = sorted(places.items())[0]
            for target in ((source + 1) % 3, (source + 2) % 3):
                time.sleep(1)
                self.cluster.move(slot, source, target, 0.5)
                source = target
            self.assertEqual(self.places(system)[slot], source)

        system = self.confirm(shards, disturb)
        text = system.log_text()
        self.assertIn("TRYAGAIN", text, "no process met the slot while it was moved")
        self.assertIn("event=available_again", text)

    def test_a_slot_is_moved_while_events_stream(self):
        self.move_about(1)

    def test_one_of_four_shards_is_moved(self):
        self.move_about(4)

    def test_four_shards_lie_on_all_masters(self):
        system = self.system(4)
        system.start()
        live.wait_until("shards", lambda: len(self.places(system)) == 4, 30)
        self.assertEqual(set(self.places(system).values()), {0, 1, 2})
        self.assertEqual(system.stop_all(), [0])

    def test_a_node_is_killed_and_comes_again(self):
        def disturb(system, places):
            time.sleep(1)
            name = "redis-%d" % (sorted(places.items())[0][1] + 1)
            self.cluster.services("kill", name)
            time.sleep(3)  # longer than the others wait for it: the whole cluster is down
            self.cluster.services("start", name)

        self.confirm(1, disturb)


if __name__ == "__main__":
    live.need_services()
    unittest.main(argv=sys.argv[:1], verbosity=2)

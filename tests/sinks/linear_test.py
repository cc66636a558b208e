#!/usr/bin/env python3
"""One issue an episode, in an independent Linear on the real schema, whatever goes wrong.

    linear_test.py DELIVER [--cache DIR] [--episodes N] [--seed N]

DELIVER is the tool tests/tools/deliver.c. The stand-in (linear_server.js) runs on the schema of ../shared/contracts with the GraphQL
library of its validators, and loses answers, fails, limits and kills itself; pods that deliver are killed, and
memories deleted. Exit 77: not here (the folder, node 18, npm or redis-server), so nothing was judged.
"""
import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "contract"), str(HERE.parent / "delivery")]
import payloads  # noqa: E402
import redis_server  # noqa: E402
from ports import free_port  # noqa: E402

TEAM = "9cfb482a-81e3-4154-b5b9-2c805e70a02d"
QUICK = ["retry_min=20", "retry_max=100", "retry_after_max=50", "request_timeout=5000", "connect_timeout=2000", "lease=3000"]
PRIORITY = {"low": 4, "medium": 3, "high": 2, "critical": 1}


class Linear:
    """The stand-in, started again whenever it dies."""

    def __init__(self, modules, schema, chaos, seed):
        self.folder = tempfile.TemporaryDirectory(prefix="linear.")
        self.file = pathlib.Path(self.folder.name) / "state.json"
        self.arguments = [str(modules), str(schema), str(self.file)]
        self.chaos, self.seed, self.port, self.starts, self.ended = str(chaos), seed, free_port(), 0, False
        self.start()
        threading.Thread(target=self.watch, daemon=True).start()

    def start(self):
        self.starts += 1
        self.process = subprocess.Popen(["node", str(HERE / "linear_server.js"), *self.arguments, str(self.port), self.chaos,
                                         str(self.seed + self.starts)], stdout=subprocess.PIPE, text=True)
        said = self.process.stdout.readline().split()
        assert said and said[0] == "ready", said
        self.port = int(said[1])

    def watch(self):
        while not self.ended:
            self.process.wait()
            if not self.ended:
                self.process.stdout.close()
                self.start()

    def url(self, path="/graphql"):
        return "http://127.0.0.1:%d%s" % (self.port, path)

    def close(self):
        self.ended = True
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.folder.cleanup()

    def state(self):
        return json.loads(self.file.read_text())


class Pod:
    def __init__(self, tool, redis, linear, name, *settings):
        sink = "bugs:linear=" + ";".join(["url=" + linear.url(), "key=lin_api_test", "team=" + TEAM, *settings])
        environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen([tool, redis.url, name, *QUICK, sink], stdout=subprocess.PIPE, stderr=self.log, text=True,
                                        env=environment)
        assert self.process.stdout.readline() == "ready\n"

    def end(self, kill=False):
        self.process.kill() if kill else self.process.terminate()
        status = self.process.wait(60)
        self.process.stdout.close()
        self.log.seek(0)
        said = self.log.read().decode()
        self.log.close()
        assert "Sanitizer" not in said and status in (0, -9), said
        return said


def alert(episode, state, severity, place, minute):
    time_text = "2026-03-02T%02d:%02d:00.000Z" % (8 + minute // 60, minute % 60)
    return {"id": "%032x" % (0xABCDEF0000 + episode), "rule": "page-error", "kind": "count", "state": state, "severity": severity,
            "time": time_text, "key": {"page": "/billing/%d" % place, "error": "inv_500"}, "summary": "s", "count": 3, "users": 3,
            "first_seen": "2026-03-02T08:00:00.000Z", "last_seen": time_text}


def story(episodes):
    """Every second episode is the first one of its place come back."""
    steps = []
    for n in range(episodes):
        place = n // 2
        for minute, (state, severity) in enumerate([("firing", "medium"), ("escalated", "critical"), ("resolved", "critical")]):
            steps.append(alert(n, state, severity, place, 3 * n + minute))
    return steps


def uuid(hexa):
    return "%s-%s-4%s-%s%s-%s" % (hexa[:8], hexa[8:12], hexa[13:16], "89ab"[int(hexa[16], 16) & 3], hexa[17:20], hexa[20:])


def wait_until(condition, seconds, what):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("not in time: " + what)


def deliver(tool, redis, linear, steps, rnd, forget, *settings):
    """All steps, while two pods take turns at dying. Returns their logs."""
    pods = [Pod(tool, redis, linear, "pod%d" % i, *settings) for i in range(2)]
    said, made = "", 2
    for i, step in enumerate(steps):
        wait_until(lambda: redis.waiting("bugs") == 0, 120, "the step before")  # an escalation that waits may be passed over
        redis.add("bugs", json.dumps(step, separators=(",", ":")))
        if rnd.random() < 0.15:
            time.sleep(rnd.random() * 0.3)
            said += pods[i % 2].end(kill=True)
            pods[i % 2] = Pod(tool, redis, linear, "pod%d" % made, *settings)
            made += 1
        if forget and rnd.random() < 0.3:
            for key in redis.command("KEYS", "*memory:bugs:*"):
                redis.command("DEL", key)
    wait_until(lambda: redis.waiting("bugs") == 0, 120, "an empty outbox")
    said += "".join(pod.end() for pod in pods)
    return said, made


def check_issues(state, steps, reopens):
    ids = [s["id"] for s in steps if s["state"] == "firing"]
    if reopens:
        ids = ids[::2]
    issues = {i["id"]: i for i in state["issues"]}
    assert len(issues) == len(state["issues"]) == len(ids), "%d issues of %d episodes" % (len(state["issues"]), len(ids))
    for alert_id in ids:
        issue = issues[uuid(alert_id)]
        assert issue["title"] == "inv_500 on " + next(s["key"]["page"] for s in steps if s["id"] == alert_id), issue["title"]
        assert issue["priority"] == PRIORITY["critical"], issue
    return issues


def check_comments(state, steps, reopens, issues):
    """Each step once, in order, at its episode's issue."""
    wanted = {}
    for step in steps:
        n = int(step["id"], 16) - 0xABCDEF0000
        holder = n - n % 2 if reopens else n
        words = {"firing": "It is back", "escalated": "It got worse", "resolved": "Quiet since"}[step["state"]]
        if step["state"] != "firing" or holder != n:
            wanted.setdefault(uuid("%032x" % (0xABCDEF0000 + holder)), []).append((words, step["id"]))
    got = {}
    for comment in state["comments"]:
        words = next(w for w in ("It is back", "It got worse", "Quiet since") if comment["body"].startswith(w))
        got.setdefault(comment["issueId"], []).append((words, comment["body"].rsplit("`", 2)[1]))
    assert got == wanted, {k: (got.get(k), wanted.get(k)) for k in issues if got.get(k) != wanted.get(k)}


def check_relations(state, steps):
    pairs = {(r["issueId"], r["relatedIssueId"]) for r in state["relations"]}
    ids = [uuid(s["id"]) for s in steps if s["state"] == "firing"]
    wanted = {(b, a) for a, b in zip(ids[::2], ids[1::2])}
    assert pairs == wanted and len(state["relations"]) == len(pairs), (pairs ^ wanted)


def run(args, modules, schema, name, chaos, forget, *settings):
    rnd = random.Random(args.seed)
    redis, linear = redis_server.Redis(), Linear(modules, schema, chaos, args.seed)
    steps, began = story(args.episodes), time.monotonic()
    reopens = "regression=reopen" in settings
    try:
        said, pods = deliver(args.tool, redis, linear, steps, rnd, forget, *settings)
        state = linear.state()
        assert redis.dead("bugs") == [], redis.dead("bugs")
        issues = check_issues(state, steps, reopens)
        check_comments(state, steps, reopens, issues)
        if not forget and not reopens:
            check_relations(state, steps)
        print("%s: %d episodes, %d issues, %d comments, %d links; %d requests, %d retries, %d pods, Linear started %d times; %.1f s" % (
            name, args.episodes, len(state["issues"]), len(state["comments"]), len(state["relations"]), state["requests"],
            said.count("event=alert_retry"), pods, linear.starts, time.monotonic() - began))
    finally:
        linear.close()
        redis.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("--cache", default=None)
    parser.add_argument("--episodes", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    contracts = payloads.shared_contracts()
    if payloads.node_version() < 18 or not payloads.shutil.which("npm"):
        payloads.skip("node 18 or newer and npm are needed")
    if not redis_server.installed():
        payloads.skip("redis-server is not installed")
    scratch = None if args.cache else tempfile.TemporaryDirectory()
    cache = pathlib.Path(args.cache or scratch.name)
    cache.mkdir(parents=True, exist_ok=True)
    modules = payloads.installed(contracts, cache) / "node_modules"
    schema = contracts / "schemas" / "linear.graphql"
    run(args, modules, schema, "all well", 0, False)
    run(args, modules, schema, "lost answers, restarts", 0.3, False)
    run(args, modules, schema, "and memories lost", 0.3, True)
    run(args, modules, schema, "a regression reopens", 0.3, False, "regression=reopen")
    return 0


if __name__ == "__main__":
    sys.exit(main())

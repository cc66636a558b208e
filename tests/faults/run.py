#!/usr/bin/env python3
"""Faults without end, and an oracle: does ticketwatch keep its promises through them?

    run.py [SEED [FAULTS]]          until that many faults were done, a tenth of them losses of Redis (1 and 1,000)
    run.py --replay SEED ROUND      one round once more: the same rules, log and plan (its moments are the machine's)

A round is a system of its own: a Redis, some pods, a receiver, a topic. A log of events goes through it while faults
befall it by a plan that is drawn from the seed; then the faults end, everything must come to rest, and what is confirmed
and delivered is compared with the oracle (verdict.py). TICKETWATCH_BIN is the folder of a build with fault points
(-DTICKETWATCH_FAULTS=ON). With KAFKA_BROKERS that broker is used, and left in peace; else one is started, and disturbed too.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "property"), str(HERE.parent / "oracle")]
import pods  # noqa: E402
import proxy  # noqa: E402
import servers  # noqa: E402
import shuffle  # noqa: E402
import stream  # noqa: E402
import verdict  # noqa: E402
import world as worlds  # noqa: E402

BIN = pathlib.Path(os.environ.get("TICKETWATCH_BIN", HERE.parents[1] / "build-test"))
PROGRAM, TOOLS = str(BIN / "ticketwatch"), BIN / "tests"
SKIP = 77
REST_S = 200  # within which everything must have come to rest
STAYS_S = 0.7


class Options:
    """off: rules of the protocol that are switched off. only: kinds of faults. gap_s: between two of them. at_once: nobody waits until
    every partition is read."""

    def __init__(self, **given):
        self.seconds, self.gap_s, self.events, self.off, self.only = 20, 0.7, 1500, "", None
        self.keep, self.strict, self.at_once, self.rest_s = False, False, False, REST_S
        self.__dict__.update(given)


class Round:
    def __init__(self, seed, number, broker, options):
        self.seed, self.number, self.options = seed, number, options
        r = self.random = random.Random("%s/%s" % (seed, number))
        self.stream = stream.Stream(r, options.events)
        self.plan = worlds.draw(r, broker.proxy is not None, options.seconds, options.gap_s, options.only)
        session_ms = r.choice([2000, 2000, 3000, 6000])
        self.world = worlds.World(PROGRAM, TOOLS, broker, session_ms, options.off)
        self.verdict, self.passed = verdict.Verdict(), collections.Counter()
        self.begun, self.fed = time.time(), []  # (when, up to which event time)

    def expected(self):
        """The record before the cutoff as replay prints it, which must be as the oracle has it."""
        folder = self.world.folder
        (folder / "log.jsonl").write_bytes(self.stream.whole())
        (folder / "config.yaml").write_text(self.stream.plain_config(), encoding="utf-8")
        done = subprocess.run([PROGRAM, "replay", "--quiet", "-c", str(folder / "config.yaml"), str(folder / "log.jsonl")], capture_output=True)
        if done.returncode:
            raise RuntimeError("replay: " + done.stderr.decode()[-800:])
        shuffle.against_oracle(PROGRAM, folder, [str(folder / "log.jsonl")], done.stdout, False)
        return self.before(done.stdout)

    def before(self, record):
        lines = [(x, json.loads(x)) for x in record.splitlines(True)]
        return [x for x, alert in lines if stream.logs.time_of(alert["time"]) < self.stream.cutoff and alert["rule"] != "visitor"]

    def feeding(self, begun):
        """[(seconds, step, step)] of those behind `begun`: in gusts, over the time of the plan; the first at once."""
        steps, r = self.stream.steps, self.random
        gusts = r.randint(8, 40)
        times = sorted(r.uniform(0, self.options.seconds) for _ in range(gusts - 1))
        cuts = sorted(r.randint(begun, len(steps)) for _ in range(gusts - 1))
        return [(at, one, other) for at, one, other in zip([0.0] + times, [begun] + cuts, cuts + [len(steps)])]

    def feed(self, feeder, one, other):
        if other > one:
            feeder.pieces.put(b"\n".join(self.stream.steps[one:other]) + b"\n")
            self.fed.append((time.time(), self.stream.times[other - 1]))

    def recorded_from(self):
        """Of what is older than this, some may have gone with a loss."""
        losses = [ended for _, ended in self.world.faults.total_losses]
        return max((self.stream.recorded_from(fed) for at, fed in self.fed if losses and at <= max(losses)), default=0)

    def run(self):
        world = self.world
        world.open(self.stream, self.random)
        wanted = self.expected()
        begun = self.stream.begun()  # an empty log would move event time to the clock's
        self.fed.append((time.time(), self.stream.times[begun - 1]))
        world.feed(b"\n".join(self.stream.steps[:begun]) + b"\n")
        feeder = worlds.Feeder(TOOLS / "kafka_feed", world.broker.address, world.name, world.folder / "feed.log")
        try:
            for pod in world.pods[:worlds.AT_FIRST]:
                pod.start(pods.arm(self.random, pods.AT_WORK))
            if not self.options.at_once:
                world.wait_for_readers(self.stream.partitions)
            self.disturb(feeder, begun)
            world.end_faults()
            feeder.pieces.put(b"".join(self.stream.ends))
            feeder.finish()
            self.settle(wanted)
        finally:
            feeder.close()
        self.judge(wanted)
        requests = world.receiver.so_far()
        self.verdict.counts["told meanwhile"] = sum(q.at < self.disturbed for q in requests)
        self.verdict.counts["requests"] = len(requests)

    def disturb(self, feeder, begun):
        start = time.time()
        acts = [(at, self.feed, (feeder, one, other)) for at, one, other in self.feeding(begun)]
        acts += [(at, self.world.strike, (kind, args)) for at, kind, args in self.plan]
        for at, act, args in sorted(acts, key=lambda a: a[0]):
            self.world.wait(start + at)
            act(*args)
        self.world.wait(start + self.options.seconds)
        self.disturbed = time.time()

    def at_rest(self, wanted):
        try:
            record = self.before(self.world.record())
            if not verdict.same_record(wanted, record, self.recorded_from()) or self.world.waiting():
                return False
        except (OSError, RuntimeError):
            return False
        probe = verdict.Verdict()
        self.deliveries(probe, wanted)
        return probe.counts["lost"] == 0

    def settle(self, wanted):
        end = time.time() + self.options.rest_s
        while not self.at_rest(wanted) and time.time() < end and not self.world.crashes:
            self.world.wait(time.time() + 0.5)
        self.settled = time.time()
        self.world.wait(time.time() + STAYS_S)

    def deliveries(self, into, wanted):
        verdict.check_deliveries(into, [json.loads(x) for x in wanted], verdict.told_by(self.stream.rules),
                                 self.world.receiver.so_far(), self.world.faults, self.world.dead())

    def judge(self, wanted):
        world = self.world
        for pod in world.pods:
            pod.thaw()
            pod.leave(None)
            pod.restart_at = None
        end = time.time() + 30
        while any(p.process and p.runs() for p in world.pods) and time.time() < end:
            world.wait(time.time() + 0.02)
        for pod in world.pods:
            if pod.process and pod.runs():
                self.verdict.problem("crash", "pod %d does not stop" % pod.place)
            elif pod.process and pod.process.returncode not in (0, -9):
                self.verdict.problem("crash", "pod %d stopped with %d" % (pod.place, pod.process.returncode))
        for text in world.crashes:
            self.verdict.problem("crash", text)
        record = self.before(world.record())
        verdict.check_record(self.verdict, wanted, record, self.recorded_from())
        self.deliveries(self.verdict, wanted)
        if self.options.strict and self.verdict.counts["displaced"]:
            self.verdict.problem("strict", "%d words of a later episode" % self.verdict.counts["displaced"])
        if world.waiting():
            self.verdict.problem("waiting", "%d entries are still in an outbox" % world.waiting())
        (world.folder / "expected.jsonl").write_bytes(b"".join(wanted))
        (world.folder / "record.jsonl").write_bytes(b"".join(record))

    def close(self, keep=True):
        """A failed round's files stay, unless it was to fail."""
        world = self.world
        problems = self.verdict.problems
        for pod in world.pods:
            self.passed.update(pod.passed())
        if world.faults:
            text = "\n".join(world.faults.lines(self.begun) + ["", *problems])
            (world.folder / "faults.txt").write_text(text + "\n", encoding="utf-8")
        world.close()
        if not (problems and keep) and not self.options.keep:
            shutil.rmtree(world.folder, ignore_errors=True)

    def tell(self):
        c, w = self.verdict.counts, self.world
        print("round %-3d %3.0f s, to rest %4.1f s: %3d faults, %d losses; %4d deliveries expected, %d of %d requests meanwhile, %d again after a loss, %d POSTs again, "
              "%d displaced, %d digests%s" % (self.number, time.time() - self.begun, self.settled - self.disturbed, sum(w.done.values()),
                 len(w.faults.losses), c["expected"], c["told meanwhile"], c["requests"], c["repeated after a loss"], c["POSTs again"], c["displaced"], c["digests"],
                 "" if not self.verdict.problems else "   FAILED"), flush=True)


def show_failure(one):
    print("FAILED: seed %s, round %d (run.py --replay %s %d); files in %s" % (one.seed, one.number, one.seed, one.number, one.world.folder))
    for line in one.world.faults.lines(one.begun):
        print("   ", line)
    for problem in one.verdict.problems[:20]:
        print("  ", problem)
    print("  ", dict(one.verdict.counts), flush=True)


class Total:
    PROBLEMS = ("not confirmed", "confirmed wrongly", "lost", "unexpected", "doubled", "two bodies", "dead letter", "waiting", "crash")

    def __init__(self):
        self.faults, self.points, self.counts, self.passed = (collections.Counter() for _ in range(4))
        self.losses = self.rounds = self.failed = self.gave_up = 0
        self.begun = time.time()

    def add(self, one):
        self.rounds += 1
        self.failed += bool(one.verdict.problems)
        self.faults.update(one.world.done)
        self.points.update(one.world.points)
        self.passed.update(one.passed)
        self.counts.update(one.verdict.counts)
        self.losses += len(one.world.faults.losses)
        self.gave_up += one.world.gave_up

    def enough(self, o):
        if o.minutes and time.time() - self.begun > o.minutes * 60:
            return True
        share = 0 if o.only else o.faults / 10
        return sum(self.faults.values()) >= o.faults and self.losses >= share

    def tell(self, seed):
        c = self.counts
        print("\nseed %s: %d faults in %d rounds, %.0f s; %d of them Redis losses" % (seed, sum(self.faults.values()), self.rounds,
                                                                                      time.time() - self.begun, self.losses))
        for kind, n in sorted(self.faults.items(), key=lambda k: -k[1]):
            print("  %5d %s" % (n, kind))
        unmet = [name for name, _ in pods.POINTS if name not in self.points]
        print("points of the code struck: %d of %d%s" % (len(pods.POINTS) - len(unmet), len(pods.POINTS), "; not " * bool(unmet) + ", ".join(unmet)))
        print("passed: %s" % ", ".join("%s %d" % (name, self.passed[name]) for name in pods.PASSED))
        print("deliveries expected %d | lost %d | doubled %d | unexpected %d" % (c["expected"], c["lost"], c["doubled"], c["unexpected"]))
        print("record lines missing %d | wrong %d" % (c["not confirmed"], c["confirmed wrongly"]))
        print("requests %d, %d of them while faults went on; lied to %d" % (c["requests"], c["told meanwhile"], c["lies"]))
        print("repeated after a loss %d | POSTs again, each explained, %d | dead by the receiver's word %d | pods that gave up and came back %d"
              % (c["repeated after a loss"], c["POSTs again"], c["dead by the receiver's word"], self.gave_up))
        print("record lines older than the record reaches after a loss %d" % c["older than the record reaches"])
        print("digests %d, of alerts %d" % (c["digests"], c["told in digests"]))
        print("early words of a later episode (displaced) %d" % c["displaced"])
        print("other problems: %s" % {k: c[k] for k in ("two bodies", "dead letter", "waiting", "crash")})
        print("FAILED: %d rounds" % self.failed if self.failed else "all promises kept", flush=True)


def open_broker(own):
    if not own:
        return servers.Broker()
    broker = servers.Broker(pathlib.Path(tempfile.mkdtemp(prefix="ticketwatch-broker-")))
    try:
        broker.start(proxy.Proxy)
    except BaseException:
        broker.services("down")
        raise
    return broker


def play(seed, number, broker, options):
    """A round that was run and judged."""
    one = Round(seed, number, broker, options)
    try:
        one.run()
        one.tell()
        if one.verdict.problems:
            show_failure(one)
    finally:
        one.close()
    return one


def need_build():
    if not servers.redis_program():
        print("skipped: no redis-server")
        sys.exit(SKIP)
    if not pathlib.Path(PROGRAM).exists():
        print("skipped: no program %s (TICKETWATCH_BIN names the folder of a build)" % PROGRAM)
        sys.exit(SKIP)
    if b"TICKETWATCH_FAULT" not in pathlib.Path(PROGRAM).read_bytes():
        print("skipped: %s has no fault points; configure with -DTICKETWATCH_FAULTS=ON" % PROGRAM)
        sys.exit(SKIP)


def read_arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("seed", nargs="?", default="1")
    p.add_argument("faults", nargs="?", type=int, default=1000)
    p.add_argument("--replay", nargs=2, metavar=("SEED", "ROUND"))
    p.add_argument("--seconds", type=float, default=20, help="of faults in a round")
    p.add_argument("--gap", type=float, default=0.7, help="seconds between two faults")
    p.add_argument("--minutes", type=float, help="begin no round after that")
    p.add_argument("--events", type=int, default=1500)
    p.add_argument("--only", help="kinds of faults, with commas between them")
    p.add_argument("--off", default="", help="rules of the protocol that do not hold")
    p.add_argument("--keep", action="store_true", help="keep the files of good rounds too")
    p.add_argument("--strict", action="store_true", help="an early word in the wrong episode is a failure, too")
    p.add_argument("--go-on", action="store_true", help="after a failure")
    p.add_argument("--short", action="store_true", help="a slice for CI: one minute and the round under way, skipped without KAFKA_BROKERS")
    p.add_argument("--own-broker", action="store_true", help="also where KAFKA_BROKERS names one")
    o = p.parse_args()
    if o.short:
        o.seconds, o.minutes, o.strict = 12, 1, True
    if o.short and not os.environ.get("KAFKA_BROKERS"):
        print("skipped: no Kafka (./setup test starts one)")
        sys.exit(SKIP)
    return o


def main():
    o = read_arguments()
    need_build()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended
    options = Options(seconds=o.seconds, gap_s=o.gap, events=o.events, off=o.off, keep=o.keep, strict=o.strict, only=o.only and o.only.split(","))
    broker = open_broker(o.own_broker or not os.environ.get("KAFKA_BROKERS"))
    total, number, last = Total(), 0, 1 << 30
    seed = o.seed
    if o.replay:
        seed, number = o.replay[0], int(o.replay[1])
        last = number
    try:
        while not total.enough(o) and number <= last:
            total.add(play(seed, number, broker, options))
            number += 1
            if total.failed and not o.go_on:
                break
    finally:
        broker.close()
    total.tell(seed)
    sys.exit(1 if total.failed else 0)


if __name__ == "__main__":
    main()

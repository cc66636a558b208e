"""What the measuring programs share: servers with a filled topic, the cost of processes, the tables of the documentation.

Costs are CPU time as the kernel tells it; figures that are kept go into results.jsonl of the place, a line each.
"""
import json
import os
import pathlib
import re
import shlex
import signal
import statistics
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from ports import free_port  # noqa: E402

TOPIC, PARTITIONS, LIMIT_S = "support", 12, 3600
SIDE_BY_SIDE = [(processes, shards) for shards in (1, 3) for processes in (1, 2, 4)]
EVENTS = str(ROOT / "tests/bench/peers/events")


def say(text):
    print(text, file=sys.stderr, flush=True)


# ---- servers and topic -------------------------------------------------------------------


class Place:
    """A folder with servers and what was measured there."""

    def __init__(self, folder, build):
        self.folder, self.build = folder, build
        self.services = [str(ROOT / "deploy/local/services"), "-d", str(folder / "services")]
        self.program = str(build / "ticketwatch")
        self.results = folder / "results.jsonl"

    def up(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / "services/env").exists():
            for told in self.folder.glob("oracle-*"):  # of topics that are gone
                told.unlink()
            subprocess.run([*self.services, "up", "--redis-cluster"], check=True, stdout=subprocess.DEVNULL)
        os.environ.pop("REDIS_CLUSTER_URL", None)  # of other servers, which redis_forgets() would empty
        for line in (self.folder / "services/env").read_text().splitlines():
            name, value = line.split("=", 1)
            os.environ[name] = shlex.split(value)[0]

    def down(self):
        subprocess.run([*self.services, "down"], check=True)

    def keep(self, **figures):
        figures.update(when=time.strftime("%Y-%m-%d %H:%M"), load=round(os.getloadavg()[0], 1))
        with open(self.results, "a", encoding="utf-8") as results:
            results.write(json.dumps(figures) + "\n")

    def kept(self, **wanted):
        """All figures that have these."""
        lines = self.results.read_text(encoding="utf-8").splitlines() if self.results.exists() else []
        return [f for f in map(json.loads, lines) if all(f.get(k) == v for k, v in wanted.items())]


class Topic:
    """Twelve partitions filled once with so many events."""

    def __init__(self, place, events, per_second):
        self.place, self.events, self.per_second = place, events, per_second
        self.name = "%s-%d-%d" % (TOPIC, events, per_second)
        os.environ.update(PARTITIONS=str(PARTITIONS), EVENTS=str(events), TOPIC=self.name)

    def fill(self):
        """How many alerts the oracle makes of the page errors in it (none of them is late)."""
        told = self.place.folder / ("oracle-" + self.name)
        if not told.exists():
            errors = self.place.folder / "errors.jsonl"
            say("filling the topic with %d events" % self.events)
            self.feed(errors)
            say("asking the oracle")
            done = subprocess.run([sys.executable, str(ROOT / "tests/oracle/oracle.py"), "-c", str(self.config("one", "oracle")),
                                   "--settle", "--fingerprints", self.place.program, str(errors)], check=True, stdout=subprocess.PIPE)
            told.write_text("%d\n" % done.stdout.count(b'"state": "firing"'))
            errors.unlink()
        return int(told.read_text())

    def feed(self, errors):
        brokers, tools = os.environ["KAFKA_BROKERS"], self.place.build / "tests"
        subprocess.run([str(tools / "kafka_topic"), brokers, "create", self.name, str(PARTITIONS)], check=True)
        log = subprocess.Popen([sys.executable, EVENTS, str(self.events), "--partitions", str(PARTITIONS),
                                "--per-second", str(self.per_second)], stdout=subprocess.PIPE)
        feed = subprocess.Popen([str(tools / "kafka_feed"), brokers, self.name], stdin=subprocess.PIPE)
        with open(errors, "wb") as kept:
            for line in log.stdout:
                feed.stdin.write(line)
                if b'"type":"page.error"' in line:
                    kept.write(line)
        feed.stdin.close()
        if log.wait() or feed.wait():
            sys.exit("the topic could not be filled")

    def config(self, rules, name, shards=1, sinks=""):
        """The example's rules, or the first of them. `sinks`: their section, for all of the rules."""
        example = (ROOT / "examples/week/ticketwatch.yaml").read_text(encoding="utf-8")
        text = re.sub(r"(?m)^ *send:.*\n", "", example[example.index("\nrules:") + 1:])
        if rules == "one":
            text = text[:re.search(r"(?m)^$", text).start()] + "\n"
        if sinks:
            text = re.sub(r"(?m)^(  [a-z-]+:)$", r"\1\n    send: [ops]", text)
        path = self.place.folder / (name + ".yaml")
        path.write_text('kafka: {brokers: "%s", topics: [%s], group: %s}\nredis: {url: "%s", prefix: %s, shards: %d}\ntime: {lateness: 10m, zone: Europe/Berlin}\n'
                        'status: {listen: "${STATUS}"}\n%s%s' % (os.environ["KAFKA_BROKERS"], self.name, name, redis_url(shards), name, shards, sinks, text), encoding="utf-8")
        return path


# ---- costs -------------------------------------------------------------------------------


def redis(*words, port=None):
    return subprocess.run(["redis-cli", "-p", str(port or redis_ports()[0]), *words], stdout=subprocess.PIPE, check=True).stdout.decode()


def redis_url(shards):
    """Several shards lie in the cluster, if there is one."""
    return os.environ["REDIS_URL"] if shards == 1 else os.environ.get("REDIS_CLUSTER_URL", os.environ["REDIS_URL"])


def redis_ports(shards=None):
    """Of the servers that so many shards lie on; without a number of all, the single one first."""
    urls = [redis_url(shards)] if shards else [os.environ["REDIS_URL"], os.environ.get("REDIS_CLUSTER_URL", "")]
    return [int(p) for url in urls for p in re.findall(r":(\d+)", url)]


def redis_forgets():
    for port in redis_ports():
        redis("FLUSHALL", "SYNC", port=port)


def redis_cpu_s(shards):
    return sum(float(used) for port in redis_ports(shards) for used in re.findall(r"used_cpu_(?:user|sys)(?:_children)?:(\S+)", redis("INFO", "cpu", port=port)))


def cpu_s_of(pid):
    """Of a process that goes on."""
    words = pathlib.Path("/proc/%d/stat" % pid).read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def kafka_cpu_s():
    return cpu_s_of(int(pathlib.Path(os.environ["KAFKA_PID_FILE"]).read_text().split()[0]))


def ended(process):
    """Without taking its cost from the kernel, as poll() does."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def cost_of(process, began):
    """Waits for its end; the kernel says what it used."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return {"cpu_s": used.ru_utime + used.ru_stime, "resident_mib": used.ru_maxrss / 1024, "wall_s": time.monotonic() - began,
            "ended_well": process.returncode == 0}


def sum_of(costs):
    """Of processes side by side."""
    return {"cpu_s": sum(c["cpu_s"] for c in costs), "resident_mib": sum(c["resident_mib"] for c in costs),
            "wall_s": max(c["wall_s"] for c in costs), "ended_well": all(c["ended_well"] for c in costs)}


def with_servers(run, shards=1):
    """What run() cost, and what it cost Redis, which is empty before, and the broker."""
    redis_forgets()
    redis_s, kafka_s = redis_cpu_s(shards), kafka_cpu_s()
    cost = run()
    return {**cost, "redis_s": redis_cpu_s(shards) - redis_s, "kafka_s": kafka_cpu_s() - kafka_s}


# ---- the program on the topic ------------------------------------------------------------


def figures(ports):
    """What all processes publish, one page behind the other."""
    pages = []
    for port in ports:
        with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % port, timeout=30) as answer:
            pages.append(answer.read().decode())
    return "".join(pages)


def total(text, name):
    """Of all series that begin so."""
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))


def fired(text, state):
    return total(text, 'ticketwatch_alerts_total{rule="page-error",state="%s"}' % state)


def all_said(ports, events):
    """True when all is read and, of the rule that all systems have, every episode is over, as the log's last events make them."""
    try:
        text = figures(ports)
    except OSError:
        return False
    return (total(text, "ticketwatch_events_total") >= events and fired(text, "firing") == fired(text, "resolved") > 0
            and total(text, "ticketwatch_outbox_entries") == 0)


def run_ticketwatch(topic, config, processes=1, program=None):
    """From the topic's beginning to its end."""
    place, ports = topic.place, [free_port() for _ in range(processes)]
    began = time.monotonic()
    with open(config.with_suffix(".log"), "wb") as log:
        pods = [subprocess.Popen([program or place.program, "run", "-c", str(config)], stdout=log, stderr=log,
                                 env={**os.environ, "STATUS": "127.0.0.1:%d" % port}) for port in ports]
    try:
        while time.monotonic() < began + LIMIT_S and not all_said(ports, topic.events) and not any(map(ended, pods)):
            time.sleep(0.2)
    finally:
        for pod in pods:
            os.kill(pod.pid, signal.SIGTERM)
    return sum_of([cost_of(pod, began) for pod in pods])


# ---- tables ------------------------------------------------------------------------------


def spread(values, digits):
    if not values:
        return "-"
    low, high = min(values), max(values)
    return "%.*f (%.*f to %.*f)" % (digits, statistics.median(values), digits, low, digits, high)


def publish(text, name, write, page="performance.md"):
    """Prints the table; with `write` also puts it between the page's marks of that name."""
    print(text, flush=True)
    if not write:
        return
    path = ROOT / "docs" / page
    begin, end = "<!-- %s -->\n" % name, "<!-- end -->"
    before, marked, rest = path.read_text(encoding="utf-8").partition(begin)
    if not marked or end not in rest:
        say("docs/%s has no place for %s" % (page, name))
        return
    path.write_text(before + begin + text + "\n" + rest[rest.index(end):], encoding="utf-8")


if __name__ == "__main__":  # bench.py NAME < TEXT
    publish(sys.stdin.read().strip(), sys.argv[1], True)

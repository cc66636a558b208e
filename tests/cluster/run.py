#!/usr/bin/env python3
"""The chart in a real cluster, under load, through everything that happens to pods: no alert may be lost, doubled, or later
than two seconds beyond the session timeout.

    tests/cluster/run.py --image NAME:TAG --kafka HOST:PORT --redis URL --listen HOST:PORT

installs the chart into the cluster that KUBECONFIG names, in a namespace of its own that enforces `restricted`; needs kubectl
and helm in PATH, and the programs of a build with tests in TICKETWATCH_BIN. Kafka and Redis must be reachable by the same
address from here and from pods (`deploy/local/services -a ADDRESS up` starts both), and so must --listen, where the alerts'
receiver is. What it saw stands in docs/kubernetes.md. Without KUBECONFIG it skips.
"""
import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import load  # noqa: E402
from watcher import Watcher, sh  # noqa: E402

CHART, PLAIN = load.ROOT / "deploy/helm/ticketwatch", load.ROOT / "deploy/kustomize"
PARTITIONS, SESSION_MS, BEYOND_MS = 6, 10_000, 2_000
ADDED = "\n  person:\n    by: [user]\n    count: {at_least: 2, within: 1m}\n"
BROKEN = "\n  misspelt: {by: [account], cuont: {at_least: 3, within: 1h}}\n"


class Cluster:
    def __init__(self, options, folder):
        self.options, self.folder, self.name = options, folder, "tw-" + uuid.uuid4().hex[:8]
        self.environment = {"KAFKA_BROKERS": options.kafka, "REDIS_URL": options.redis}
        self.config = folder / "ticketwatch.yaml"
        self.config.write_text(
            'kafka: {brokers: "${KAFKA_BROKERS}", topics: [%s], group: %s, dead_letter: %s.dlq,\n'
            '        properties: {group.instance.id: "${GROUP_INSTANCE_ID:-}", session.timeout.ms: "%d"}}\n'
            'redis: {url: "${REDIS_URL}", prefix: %s}\ntime: {lateness: %dms, idle_after: 5s}\nstatus: {listen: "0.0.0.0:9464"}\n'
            'sinks:\n  ops: {type: webhook, url: "http://%s/ops"}\nrules:\n%s'
            % (self.name, self.name, self.name, SESSION_MS, self.name, load.LATENESS_MS, options.listen, load.RULES), encoding="utf-8")
        self.phases, self.kills = [], []
        self.workload = "%s/tw-ticketwatch" % options.kind.lower()

    def kubectl(self, *command, **more):
        return sh("kubectl", "-n", self.name, *command, **more)

    def helm(self, *command, **more):
        return sh("helm", "-n", self.name, *command, **more)

    def values(self, image=None):
        repository, _, tag = (image or self.options.image).rpartition(":")
        pairs = {"kind": self.options.kind, "image.repository": repository, "image.tag": tag, "image.pullPolicy": self.options.pull,
                 "kafka.brokers": self.options.kafka, "kafka.partitions": PARTITIONS, "redis.url": self.options.redis}
        return [word for pair in pairs.items() for word in ("--set", "%s=%s" % pair)] + ["--set-file", "config=%s" % self.config]

    def upgrade(self, *more, **kind):
        return self.helm("upgrade", "tw", CHART, "--reuse-values", "--wait", "--timeout", "150s", *more, **kind)

    def phase(self, name, step, *arguments):
        began = time.time()
        told = step(*arguments)
        done = time.time()
        time.sleep(8)  # what it did to alerts shows by then
        self.phases.append((name, began * 1000, time.time() * 1000, told))
        print("%-28s %5.1f s  %s" % (name, done - began, told), flush=True)

    def variant(self, more):
        """The configuration with some more, as a value."""
        path = self.folder / ("config-%d.yaml" % len(list(self.folder.glob("config-*"))))
        path.write_text(self.config.read_text(encoding="utf-8") + more, encoding="utf-8")
        return "--set-file", "config=%s" % path

    # ---- what befalls it

    def admit(self):
        """The API server takes everything as it is written, refuses what is misspelt, and what is not restricted."""
        sh("kubectl", "create", "namespace", self.name)
        sh("kubectl", "label", "namespace", self.name, "pod-security.kubernetes.io/enforce=restricted")
        dry = ("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-")
        version = json.loads(sh("kubectl", "version", "-o", "json"))["serverVersion"]["gitVersion"]
        known = sh("kubectl", "get", "crd", "-o", "name")
        custom = [s for k, s in (("keda", "autoscaling.kind=keda"), ("servicemonitors", "monitoring.serviceMonitor.enabled=true"),
                                 ("prometheusrules", "monitoring.prometheusRule.enabled=true")) if k in known]
        taken = 0
        for sets in (["kind=Deployment"], ["kind=StatefulSet"], ["autoscaling.kind=hpa"], custom + ["monitoring.dashboard.enabled=true"]):
            text = sh("helm", "template", "tw", CHART, "-n", self.name, "--kube-version", version, *self.values(), *[w for s in sets for w in ("--set", s)])
            taken += len(self.kubectl(*dry, text=text).splitlines())
        refused = self.kubectl(*dry, text=text.replace("minReadySeconds", "minReadySecond"), ok=False)
        assert "minReadySecond" in refused, refused
        pod = self.kubectl("run", "x", "--image=x", "--dry-run=server", ok=None)
        assert "restricted" in pod, "the namespace does not enforce the restricted level: " + pod
        return "%d objects taken by %s, with %d kinds of custom resources" % (taken, version, len(custom))

    def install(self):
        self.helm("install", "tw", CHART, *self.values(), "--set", "replicas=3", "--wait", "--timeout", "120s")
        self.watcher = Watcher(self.name, self.folder)
        self.watcher.start()
        return self.shares(3)

    def backlog(self):
        """As fast as it goes: what had gathered while nobody read. Nothing of it alerts."""
        began, n = time.monotonic(), self.options.backlog
        load.feed_backlog(self.options.kafka, self.name, PARTITIONS, n)
        fed = time.monotonic() - began
        while sum(self.watcher.figure("ticketwatch_events_total")) < n or sum(self.watcher.figure("ticketwatch_partition_lag_records")):
            assert time.monotonic() - began < 300, "it does not catch up"
            time.sleep(0.2)
        return "%d events, fed in %.1f s, all judged %.1f s later" % (n, fed, time.monotonic() - began - fed)

    def shares(self, pods):
        """Until so many are ready, and each partition has one that reads it."""
        end = time.monotonic() + 60
        while True:
            names, owned = self.watcher.ready(), []
            try:
                owned = sorted(map(int, self.watcher.figure("ticketwatch_partitions_owned")))
            except OSError:
                pass
            if len(names) == pods and len(owned) == pods and sum(owned) == PARTITIONS and owned[-1] - owned[0] <= 1:
                return "%d pods read %s partitions" % (pods, owned)
            assert time.monotonic() < end, "%s own %s" % (names, owned)
            time.sleep(0.5)

    def roll(self):
        before, self.watcher.fewest = set(self.watcher.ready()), None
        self.upgrade("--set", "image.tag=" + self.options.upgrade_to) if self.options.upgrade_to else self.upgrade("--set", "podAnnotations.roll=again")
        told = self.shares(3)
        if self.options.kind == "Deployment":
            assert not before & set(self.watcher.ready()), "some pods were not replaced"
        return "%s; never fewer than %d ready" % (told, self.watcher.fewest)

    def fail(self):
        """A mistake in the configuration is found by the init container; helm takes the upgrade back."""
        before, self.watcher.fewest = self.watcher.ready(), None
        told = threading.Thread(target=self.read_check, daemon=True)
        told.start()
        self.helm("upgrade", "tw", CHART, "--reuse-values", *self.variant(BROKEN), "--atomic", "--timeout", "25s", ok=False)
        told.join(30)
        assert "did you mean 'count'" in self.check_said, "check did not tell the mistake: " + self.check_said
        last = json.loads(self.helm("history", "tw", "-o", "json"))[-1]
        assert "Rollback" in last["description"] and last["status"] == "deployed", last
        self.shares(3)
        if self.options.kind == "Deployment":
            assert self.watcher.ready() == before, "pods were touched"
        return "rolled back, never fewer than %d ready; check: %s" % (self.watcher.fewest, self.check_said.split(": ", 1)[-1][:90])

    def read_check(self):
        self.check_said = ""
        for _ in range(100):
            self.check_said += self.kubectl("logs", "-l", "app.kubernetes.io/instance=tw", "-c", "check", "--tail=-1", ok=None)
            if "did you mean" in self.check_said:
                self.check_said = next(line for line in self.check_said.splitlines() if "did you mean" in line)
                return
            time.sleep(0.3)

    def kill(self):
        pod = self.watcher.ready()[0]
        before = self.watcher.restarts.get(pod, 0)
        how = self.kill_hard(pod)
        self.kills.append(time.time() * 1000)
        time.sleep(3)
        told = self.shares(3)
        if how == "kill -9":
            assert self.watcher.restarts[pod] == before + 1, "the pod was not started again"
        return "%s of %s; then %s" % (how, pod, told)

    def kill_hard(self, pod):
        """SIGKILL where the node's processes are to be seen from here (one machine), else deletion without grace."""
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
                if words[1:2] == [b"run"] and b"POD_NAME=%s" % pod.encode() in (folder / "environ").read_bytes().split(b"\0"):
                    os.kill(int(folder.name), signal.SIGKILL)
                    return "kill -9"
            except OSError:
                pass
        self.kubectl("delete", "pod", pod, "--grace-period=0", "--force")
        return "deletion without grace"

    def scale(self, pods):
        self.upgrade("--set", "replicas=%d" % pods)
        return self.shares(pods)

    def change(self):
        """One rule more. Those that have it carry the load while those that do not stand aside; other rules go on."""
        self.upgrade(*self.variant(ADDED))
        return self.shares(3)

    def reload(self):
        """The ConfigMap changes and nothing else: the same processes take it as the node brings it to them."""
        before, hashes = self.watcher.ready(), self.hashes()
        text = self.config.read_text(encoding="utf-8") + ADDED.replace("within: 1m", "within: 2m")
        self.kubectl("patch", "configmap", "tw-ticketwatch", "--type=merge", "--patch", json.dumps({"data": {"ticketwatch.yaml": text}}))
        end = time.monotonic() + 150
        while len(self.hashes()) != 1 or self.hashes() == hashes:
            assert time.monotonic() < end, "not all took it: %s" % self.hashes()
            time.sleep(1)
        self.shares(3)
        assert self.watcher.ready() == before, "pods were replaced"
        return "three processes took it"

    def hashes(self):
        """Of the configurations that are in force."""
        try:
            return {name for pod in self.watcher.ready() for name, _ in self.watcher.metrics(pod) if name.startswith("ticketwatch_config_info")}
        except OSError:
            return set()

    def drain(self):
        """Evicts our pods of a node that has one. Where no other node can take them the budget must hold the second back."""
        self.watcher.fewest = None
        node = next(node for _, node, ready in self.watcher.pods if ready)
        try:
            said = sh("kubectl", "drain", node, "--pod-selector=app.kubernetes.io/instance=tw", "--ignore-daemonsets", "--delete-emptydir-data",
                      "--timeout=20s", ok=None)
        finally:
            sh("kubectl", "uncordon", node)
        held = "disruption budget" in said
        assert self.watcher.fewest >= 2, "the budget let %d ready pods be" % self.watcher.fewest
        self.shares(3)
        return "never fewer than %d ready%s" % (self.watcher.fewest, "; the budget held an eviction back" if held else "")


    def plain(self):
        """The kustomize base, as an overlay of one's own uses it: three events, and the alert is a line of the pod's log."""
        folder, name = self.folder / "overlay", self.name + "-plain"
        folder.mkdir()
        repository, _, tag = self.options.image.rpartition(":")
        (folder / "kustomization.yaml").write_text(json.dumps({
            "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "namespace": name,
            "resources": [os.path.relpath(PLAIN / "base", folder.resolve())], "replicas": [{"name": "ticketwatch", "count": 1}],
            "images": [{"name": "ticketwatch", "newName": repository, "newTag": tag}],
            "configMapGenerator": [
                {"name": "ticketwatch-env", "behavior": "merge",
                 "literals": ["KAFKA_BROKERS=" + self.options.kafka, "REDIS_URL=" + self.options.redis]},
                {"name": "ticketwatch", "behavior": "replace", "files": ["ticketwatch.yaml"]}]}), encoding="utf-8")
        text = (PLAIN / "base" / "ticketwatch.yaml").read_text(encoding="utf-8").replace("support.tickets", name).replace("ticketwatch.dlq", self.name + ".dlq")
        (folder / "ticketwatch.yaml").write_text(text.replace('url: "${REDIS_URL}"', 'url: "${REDIS_URL}", prefix: "%s"' % name), encoding="utf-8")
        sh(load.TOPIC, self.options.kafka, "create", name, 1)
        sh("kubectl", "create", "namespace", name)
        sh("kubectl", "label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
        sh("kubectl", "apply", "--server-side", "--validate=strict", "-k", folder)
        sh("kubectl", "-n", name, "rollout", "status", "deployment/ticketwatch", "--timeout=60s")
        now = load.logs.time_text(int(time.time() * 1000))
        sh(load.FEED, self.options.kafka, name, text="".join(
            json.dumps({"id": "try-%d" % i, "type": "ticket.created", "time": now, "page": {"url": "/billing/invoices/%d" % i},
                        "error": {"type": "TypeError", "message": "try it"}}) + "\n" for i in range(3)))
        end, said = time.monotonic() + 15, ""
        while '"firing"' not in said:
            assert time.monotonic() < end, "no alert in the pod's log: " + said
            time.sleep(0.2)
            said = sh("kubectl", "-n", name, "logs", "deployment/ticketwatch", "-c", "ticketwatch")
        return "an alert in the pod's log"


def judge(cluster, stream, receiver):
    wanted = load.record(["replay", "--quiet", str(stream.path)], cluster.config, cluster.environment)
    sent = {alert for alert in wanted if alert[0] != "each"}
    end = time.monotonic() + 60
    while time.monotonic() < end and not sent <= {alert for _, alert, _ in receiver.posts}:
        time.sleep(0.5)
    time.sleep(2)
    verdict = load.Verdict(wanted, receiver.posts, cluster.kills, SESSION_MS + BEYOND_MS)
    print("\n%d events, %d incidents, %d alerts wanted, %d requests, %d of them again (in flight at a kill), %d with another id than the record's"
          % (stream.counts["events"], stream.counts["incidents"], len(sent), len(receiver.posts), verdict.again, verdict.other_id))
    for name, begin, finish, _ in cluster.phases:
        print("%-28s %s" % (name, verdict.of(begin, finish)))
    print("%-28s %s" % ("all", verdict.of(0, 1e15)))
    w = cluster.watcher
    print("memory: at most %.1f MB resident in %d pods; killed for memory: %d" % (max(w.memory.values()) / 1e6, len(w.memory), len(w.killed)))
    print("processor: %.1f s of all pods in %.0f s, from the install on" % (sum(w.cpu.values()), (cluster.phases[-1][2] - cluster.phases[2][1]) / 1000))
    if w.fates:
        print("not accepted, as last seen: %s" % w.fates)
    if w.killed:
        verdict.wrong.append("killed for memory: %s" % w.killed)
    if len(sent) < 100:
        verdict.wrong.append("a log that says nothing shows nothing")
    end = time.monotonic() + 30  # the last are confirmed when the partitions are found idle
    while not set(wanted) <= set(told := load.record(["alerts", "ls"], cluster.config, cluster.environment)) and time.monotonic() < end:
        time.sleep(1)
    verdict.wrong += ["the record has %s of %s, replay %s" % (told.get(a), a, said) for a, said in wanted.items() if told.get(a) != said]
    return verdict.wrong + blind(wanted, receiver.posts)


def blind(wanted, posts):
    """The verdict can be other: it sees an alert that is missing, one that comes twice, one too many, and one too late."""
    posts = [p for p in posts if p[1] in wanted]
    at, first, ident = posts[0]
    rest = [p for p in posts if p[1] != first]
    late = load.due(first, wanted[first][0]) + SESSION_MS + BEYOND_MS + 1
    cases = {"a lost one": rest, "a second one": posts + [posts[0]], "an invented one": posts + [(at, ("x", "{}", "firing", "low"), ident)],
             "a late one": rest + [(late, first, ident)]}
    count = lambda p: len(load.Verdict(wanted, p, [], SESSION_MS + BEYOND_MS).wrong)
    return ["the verdict does not see %s" % name for name, p in cases.items() if count(p) <= count(posts)]


def go(options, folder):
    cluster = Cluster(options, folder)
    host, port = options.listen.rsplit(":", 1)
    receiver = load.Receiver(host, int(port))
    for topic, partitions in ((cluster.name, PARTITIONS), (cluster.name + ".dlq", 1)):
        sh(load.TOPIC, options.kafka, "create", topic, partitions)
    stream = load.Stream(options.kafka, cluster.name, PARTITIONS, options.rate, folder / "log.jsonl")
    try:
        cluster.phase("admission", cluster.admit)
        cluster.phase("kustomize base", cluster.plain)
        cluster.phase("install", cluster.install)
        cluster.phase("backlog", cluster.backlog)
        stream.start()
        cluster.phase("steady", lambda: time.sleep(20) or "")
        steps = {"roll": ("rolling upgrade", cluster.roll), "fail": ("failed upgrade", cluster.fail), "kill": ("kill -9", cluster.kill),
                 "change": ("changed rules", cluster.change), "reload": ("changed ConfigMap", cluster.reload), "drain": ("drain", cluster.drain),
                 **{str(n): ("scale to %d" % n, lambda n=n: cluster.scale(n)) for n in range(1, PARTITIONS + 1)}}
        for step in options.steps.split(","):
            cluster.phase(*steps[step])
        stream.finish()
        return judge(cluster, stream, receiver)
    finally:
        (folder / "posts.json").write_text(json.dumps(receiver.posts), encoding="utf-8")
        if not options.keep:
            cluster.helm("uninstall", "tw", ok=None)
            sh("kubectl", "delete", "namespace", cluster.name, cluster.name + "-plain", "--wait=false", ok=None)
        if hasattr(cluster, "watcher"):
            cluster.watcher.proxy.terminate()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", required=True, help="NAME:TAG")
    parser.add_argument("--upgrade-to", metavar="TAG", help="of the same image; without it the same one is rolled out again")
    parser.add_argument("--kafka", required=True, metavar="HOST:PORT")
    parser.add_argument("--redis", required=True, metavar="URL")
    parser.add_argument("--listen", required=True, metavar="HOST:PORT", help="for the receiver")
    parser.add_argument("--kind", default="Deployment", choices=["Deployment", "StatefulSet"])
    parser.add_argument("--pull", default="IfNotPresent", metavar="POLICY")
    parser.add_argument("--rate", type=float, default=200, help="events a second (%(default)s)")
    parser.add_argument("--backlog", type=int, default=500_000, help="events that are there before (%(default)s)")
    parser.add_argument("--steps", default="roll,fail,kill,1,6,3,change,reload,drain", help="a number is so many pods (%(default)s)")
    parser.add_argument("--keep", action="store_true", help="leave the namespace")
    if not os.environ.get("KUBECONFIG"):
        print("skipped: KUBECONFIG names no cluster")
        sys.exit(77)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ticketwatch-cluster-"))
    wrong = go(options, folder)
    for line in wrong[:20]:
        print("WRONG: " + line)
    print("%d mistakes; what was fed and received: %s" % (len(wrong), folder))
    sys.exit(1 if wrong else 0)


main()

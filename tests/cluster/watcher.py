"""Commands, and a look at a namespace's pods every second."""
import json
import subprocess
import threading
import time
import urllib.request


def sh(*command, ok=True, text=None, seconds=300):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=seconds, input=text, check=False)
    if ok is not None and (done.returncode == 0) != ok:
        raise AssertionError("%s: exit %d\n%s%s" % (" ".join(map(str, command)), done.returncode, done.stdout[-3000:], done.stderr[-3000:]))
    return done.stdout + done.stderr


class Watcher(threading.Thread):
    """Looks at the pods every second: how many are ready, how much memory each takes, what restarted."""

    def __init__(self, namespace, folder):
        super().__init__(daemon=True)
        self.namespace, self.pods, self.memory, self.cpu, self.restarts, self.killed = namespace, [], {}, {}, {}, []
        self.folder, self.logs, self.fates = folder, {}, {}
        self.fewest, self.proxy = None, subprocess.Popen(["kubectl", "proxy", "--port=18001"], stdout=subprocess.DEVNULL)

    def get(self, path):
        with urllib.request.urlopen("http://127.0.0.1:18001" + path, timeout=5) as answer:
            return answer.read().decode()

    def metrics(self, pod):
        text = self.get("/api/v1/namespaces/%s/pods/%s:9464/proxy/metrics" % (self.namespace, pod))
        return [line.rsplit(" ", 1) for line in text.splitlines() if line and line[0] != "#"]

    def figure(self, name):
        """Its values, of all ready pods and all labels."""
        return [float(value) for pod in self.ready() for said, value in self.metrics(pod) if said.split("{")[0] == name]

    def look(self):
        items = json.loads(self.get("/api/v1/namespaces/%s/pods" % self.namespace))["items"]
        self.pods = [(p["metadata"]["name"], p["spec"].get("nodeName"), is_ready(p)) for p in items if "deletionTimestamp" not in p["metadata"]]
        ready = sum(r for _, _, r in self.pods)
        self.fewest = ready if self.fewest is None else min(ready, self.fewest)
        for p in items:
            if p["status"].get("phase") == "Running":
                self.keep_log(p)
            for status in p["status"].get("containerStatuses", []):
                self.restarts[p["metadata"]["name"]] = status["restartCount"]
                why = status.get("lastState", {}).get("terminated", {}).get("reason")
                if why == "OOMKilled":
                    self.killed.append(p["metadata"]["name"])

    def keep_log(self, pod):
        """A container's log goes with its pod: written to a file while it is there."""
        name = "%s-%s.log" % (pod["metadata"]["name"], pod["metadata"]["uid"][:4])
        if name not in self.logs or self.logs[name].poll() is not None:
            with open(self.folder / name, "ab") as file:
                self.logs[name] = subprocess.Popen(["kubectl", "-n", self.namespace, "logs", "-f", "--tail=-1", "-c", "ticketwatch", pod["metadata"]["name"]],
                                                   stdout=file, stderr=subprocess.DEVNULL)

    def measure(self, pod):
        figures = dict(self.metrics(pod))
        self.memory[pod] = max(self.memory.get(pod, 0), float(figures["ticketwatch_process_resident_memory_bytes"]))
        self.cpu[pod] = float(figures["ticketwatch_process_cpu_seconds_total"])
        for name, value in figures.items():
            if name.startswith("ticketwatch_events_total") and "accepted" not in name and float(value):
                self.fates[pod, name] = float(value)

    def run(self):
        while True:
            try:
                self.look()
                for pod, _, ready in self.pods:
                    if ready:
                        self.measure(pod)
            except (OSError, KeyError, ValueError):  # a pod that went meanwhile
                pass
            time.sleep(1)

    def ready(self):
        return sorted(name for name, _, ready in self.pods if ready)


def is_ready(pod):
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))

#!/usr/bin/env python3
"""The chart, the base and the rules before the judges that need no cluster: helm lint and unit tests, kubeconform, kube-score,
kustomize, promtool. Each that is not installed is named and passed over; 77 where none is.

TICKETWATCH_TOOLS     a folder whose programs come before those of PATH (.deps/bin is looked at, too)
TICKETWATCH_SCHEMAS   kubeconform's -schema-location, several with blanks between; without it kubeconform is passed over,
                      since it would ask the network. {{.ResourceKind}} and the like as in its manual. Custom resources too.
TICKETWATCH_KUBERNETES   versions for kubeconform, by default 1.31.0"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
CHART, PLAIN = os.path.join(ROOT, "deploy/helm/ticketwatch"), os.path.join(ROOT, "deploy/kustomize")
PATH = os.pathsep.join(filter(None, [os.environ.get("TICKETWATCH_TOOLS"), os.path.join(ROOT, ".deps/bin"), os.environ["PATH"]]))
KUBE = ["--kube-version", "1.31.0"]  # a helm built from source may take itself for an old Kubernetes
VARIANTS = {
    "default": [],
    "statefulset": ["--set", "kind=StatefulSet"],
    "hpa": ["--set", "autoscaling.kind=hpa"],
    "all": ["--set", "autoscaling.kind=keda,monitoring.serviceMonitor.enabled=true,monitoring.prometheusRule.enabled=true,"
            "monitoring.dashboard.enabled=true,secrets.create.slack_url=x,envFromSecrets[0]=more,env.ZONE=UTC"],
}
REFUSED = [  # what the chart must refuse, and in which words
    ({"autoscaling": {"max": 7}}, "more than kafka.partitions"),
    ({"autoscaling": {"min": 5, "max": 4}}, "autoscaling.min is more"),
    ({"status": {"port": 9999}}, "config needs `status"),
    ({"kind": "DaemonSet"}, "kind"),
    ({"replica": 3}, "replica"),
    ({"terminationGracePeriodSeconds": 20}, "terminationGracePeriodSeconds"),
    ({"config": "rules: {"}, "no YAML"),
    ({"kind": "StatefulSet", "config": "status: {listen: ':9464'}"}, "group.instance.id"),
]
failed, done, skipped = [], [], []


def tool(name):
    path = shutil.which(name, path=PATH)
    if not path and name not in skipped:
        skipped.append(name)
    return path


def run(what, command, **more):
    r = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env={**os.environ, "PATH": PATH}, **more)
    if r.returncode:
        failed.append(what)
        shown = re.sub(r"^\[(OK|SKIPPED)\].*\n", "", r.stdout, flags=re.M)  # kube-score's
        print(f"--- {what}: exit {r.returncode}\n{shown[-4000:]}{r.stderr[-4000:]}")
    else:
        done.append(what)
    return r.stdout


def keep(work, name, out):
    path = os.path.join(work, name + ".yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(out)
    return path


def refuses(helm, work):
    for number, (values, words) in enumerate(REFUSED):
        path = keep(work, f"values-{number}", json.dumps(values))
        r = subprocess.run([helm, "template", "tw", CHART, *KUBE, "-f", path], capture_output=True, text=True, timeout=60, check=False)
        if r.returncode == 0 or words not in r.stderr:
            failed.append(f"helm template with {values}")
            print(f"--- {failed[-1]}: not refused with '{words}'\n{r.stderr[-500:]}")
    done.append(f"helm refuses {len(REFUSED)} mistakes")


def with_helm(work):
    helm = tool("helm")
    made = []
    if helm:
        run("helm lint --strict", [helm, "lint", "--strict", CHART])
        for name, values in VARIANTS.items():
            out = run(f"helm template, {name}", [helm, "template", "tw", CHART, "-n", "tw", *KUBE, *values])
            made.append(keep(work, "helm-" + name, out))
        refuses(helm, work)
    unit = tool("helm-unittest")
    if unit:
        run("helm-unittest", [unit, CHART])
    return made


def check_selectors(overlay, out):
    """What selects pods selects ours and only ours, and the peers of the policy are not among them."""
    documents = {re.search(r"^kind: (\w+)", d, re.M).group(1): d for d in out.split("\n---\n")}
    ours = r"atchLabels:\n +app.kubernetes.io/instance: ticketwatch\n +app.kubernetes.io/name: ticketwatch\n"
    workload = "StatefulSet" if overlay == "statefulset" else "Deployment"
    for kind, times in ((workload, 3), ("PodDisruptionBudget", 1), ("NetworkPolicy", 1)):
        if len(re.findall(ours, documents[kind])) != times:
            failed.append(f"kustomize, {overlay}: the selectors of {kind}")
            print(f"--- {failed[-1]}")


def with_kustomize(work):
    made = []
    kustomize, kubectl = shutil.which("kustomize", path=PATH), shutil.which("kubectl", path=PATH)
    if not kustomize and not kubectl:
        skipped.append("kustomize")
        return made
    for overlay in sorted(os.listdir(os.path.join(PLAIN, "overlays"))):
        folder = os.path.join(PLAIN, "overlays", overlay)
        out = run(f"kustomize, {overlay}", [kustomize, "build", folder] if kustomize else [kubectl, "kustomize", folder])
        made.append(keep(work, "kustomize-" + overlay, out))
        check_selectors(overlay, out)
    return made


def judge(made):
    if not made:
        return
    locations = os.environ.get("TICKETWATCH_SCHEMAS", "").split()
    kubeconform = tool("kubeconform")
    if kubeconform and not locations:
        skipped.append("kubeconform (TICKETWATCH_SCHEMAS is not set)")
    elif kubeconform:
        for version in os.environ.get("TICKETWATCH_KUBERNETES", "1.31.0").split():
            schemas = [word for place in locations for word in ("-schema-location", place)]
            run(f"kubeconform -strict, {version}", [kubeconform, "-strict", "-summary", "-kubernetes-version", version, *schemas, *made])
    score = tool("kube-score")
    if score:
        # Passed over: images are named by tag in the values, and pulled as they say; users and groups above 10000 are met;
        # the init container is short; an ephemeral-storage limit bounds nothing on a read-only root; topology spread is what keeps
        # pods apart.
        ignored = ["container-image-pull-policy", "container-ephemeral-storage-request-and-limit", "container-resources", "pod-probes-identical",
                   "deployment-has-host-podantiaffinity", "statefulset-has-host-podantiaffinity"]
        for path in made:  # one by one: variants have the same names
            run("kube-score, " + os.path.basename(path), [score, "score", "-o", "ci", *[w for i in ignored for w in ("--ignore-test", i)], path])


def with_promtool():
    promtool = tool("promtool")
    if promtool:
        folder = os.path.join(ROOT, "deploy/prometheus")
        run("promtool check rules", [promtool, "check", "rules", "alerts.yaml"], cwd=folder)
        run("promtool test rules", [promtool, "test", "rules", "alerts_test.yaml"], cwd=folder)


def main():
    with tempfile.TemporaryDirectory() as work:
        judge(with_helm(work) + with_kustomize(work))
        with_promtool()
    for name in done:
        print(f"fine: {name}")
    if skipped:
        print(f"SKIPPED, not installed: {', '.join(skipped)}")
    sys.exit(1 if failed else 0 if done else 77)


main()

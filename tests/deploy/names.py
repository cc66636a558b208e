#!/usr/bin/env python3
"""What stands in deploy/ must be there: every figure and label of an alert rule or a dashboard's query in docs/metrics.md,
every runbook a chapter of docs/operations.md, every rule a test that fires it and one that is silent, every copy equal to
what it was copied from, and every configuration one that `check` finds fine. Needs no tool. usage: names.py PROGRAM"""
import json
import os
import re
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
OF_PROMETHEUS = {"le", "job", "instance"}
PARTS = ("_bucket", "_sum", "_count")
wrong = []


def text(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def figures():
    """Of docs/metrics.md: name -> (labels, type, the row)."""
    rows = re.findall(r"^\| `(ticketwatch_\w+)(?:\{([^}]*)\})?` \| (\w+) \|.*$", text("docs", "metrics.md"), re.M)
    lines = {line.split("`")[1].split("{")[0]: line for line in text("docs", "metrics.md").splitlines() if line.startswith("| `ticketwatch_")}
    return {name: ({l.strip() for l in labels.split(",") if l.strip()}, kind, lines[name]) for name, labels, kind in rows}


def check_query(where, query, known):
    said = len(wrong)
    for name, selector in re.findall(r"\b(ticketwatch_\w+)(?:\{([^}]*)\})?", query):
        base = next((name[: -len(p)] for p in PARTS if name.endswith(p) and name[: -len(p)] in known), name)
        if base not in known:
            wrong.append(f"{where}: there is no figure {name}")
            continue
        labels, kind, row = known[base]
        if (base != name) != (kind == "histogram"):
            wrong.append(f"{where}: {name} is a {kind}")
        for label, value in re.findall(r'(\w+)\s*=~?\s*"([^"]*)"', selector or ""):
            if label not in labels | OF_PROMETHEUS:
                wrong.append(f"{where}: {name} has no label {label}")
            elif label in labels and not all(re.search(rf"\b{word}\b", row) for word in value.split("|")):
                wrong.append(f"{where}: docs/metrics.md does not tell of {label}={value}")
    every = set().union(OF_PROMETHEUS, *(labels for labels, _, _ in known.values()))
    for group in re.findall(r"\bby \(([^)]*)\)", query):
        for label in group.split(","):
            if label.strip() not in every:
                wrong.append(f"{where}: no figure has a label {label.strip()}")
    return len(wrong) == said


def rules():
    """(name, the expression, the rest) of each alert."""
    parts = re.split(r"^ +- alert: ", text("deploy", "prometheus", "alerts.yaml"), flags=re.M)[1:]
    for part in parts:
        expression = re.search(r"^ +expr: (.*?)^ +(?:for|labels):", part, re.M | re.S)
        yield part.split()[0], expression.group(1), part


def anchors(page):
    heads = re.findall(r"^#+ (.*)$", page, re.M)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


def check_rules(known):
    tests = text("deploy", "prometheus", "alerts_test.yaml")
    pages = anchors(text("docs", "operations.md"))
    count = 0
    for name, expression, part in rules():
        count += 1
        check_query(f"alerts.yaml: {name}", expression, known)
        runbook = re.search(r"runbook_url: docs/operations\.md#(\S+)", part)
        if not runbook or runbook.group(1) not in pages:
            wrong.append(f"alerts.yaml: {name}: its runbook is no chapter of docs/operations.md")
        if not re.search(rf"alertname: {name}\n", tests):
            wrong.append(f"alerts_test.yaml: nothing fires {name}")
        if len(re.findall(rf"alertname: {name}, eval_time: \d+m, exp_alerts: \[\]", tests)) < 3:
            wrong.append(f"alerts_test.yaml: {name} must be silent twice in the healthy hour, and once before it fires")
    return count


def check_dashboard(known):
    count = 0
    for panel in json.loads(text("deploy", "grafana", "dashboard.json"))["panels"]:
        for target in panel.get("targets", []):
            count += 1
            check_query(f"dashboard.json: {panel['title']}", target["expr"], known)
    return count


def check_copies():
    chart, plain = ("deploy", "helm", "ticketwatch", "files"), ("deploy", "kustomize")
    rules_text = text("deploy", "prometheus", "alerts.yaml")
    indented = re.sub(r"^(.)", r"  \1", rules_text, flags=re.M)
    without_head = lambda t: re.sub(r"\A(#.*\n)+", "", t)
    for name, one, other in (
        ("the chart's alerts.yaml", text(*chart, "alerts.yaml"), rules_text),
        ("the chart's dashboard.json", text(*chart, "dashboard.json"), text("deploy", "grafana", "dashboard.json")),
        ("prometheusrule.yaml", text(*plain, "components", "monitoring", "prometheusrule.yaml").split("spec:\n", 1)[1], indented),
        ("the base's ticketwatch.yaml", without_head(text(*plain, "base", "ticketwatch.yaml")), without_head(text(*chart, "ticketwatch.yaml"))),
    ):
        if one != other:
            wrong.append(f"{name} is not what it was copied from")


def check_configurations(program):
    for path in ("deploy/helm/ticketwatch/files/ticketwatch.yaml", "deploy/kustomize/base/ticketwatch.yaml", "deploy/systemd/ticketwatch.yaml"):
        for member in ("", "ticketwatch-0"):
            run = subprocess.run([program, "check", "-c", os.path.join(ROOT, path)], capture_output=True, text=True, timeout=120, check=False,
                                 env={"KAFKA_BROKERS": "kafka:9092", "REDIS_URL": "redis://redis", "GROUP_INSTANCE_ID": member})
            if run.returncode:
                wrong.append(f"{path}: {run.stdout}{run.stderr}")


def check_packages():
    """The image is built with the packages that ./setup installs, and yyjson, which it may borrow."""
    here = set(re.search(r"^build_packages=\(([^)]*)\)", text("setup"), re.M).group(1).split())
    there = re.search(r"--no-install-recommends \\\n(.*?)\nCOPY", text("deploy", "image", "Dockerfile"), re.S).group(1)
    there = set(there.replace("\\", " ").split())
    if here | {"libyyjson-dev"} != there:
        wrong.append(f"deploy/image/Dockerfile and ./setup install other packages: {sorted((here | {'libyyjson-dev'}) ^ there)}")


def check_values():
    """Every value stands in the chart's README."""
    readme = text("deploy", "helm", "ticketwatch", "README.md")
    for name in re.findall(r"^(\w+):", text("deploy", "helm", "ticketwatch", "values.yaml"), re.M):
        if not re.search(rf"`{name}[.`]", readme):
            wrong.append(f"the chart's README does not tell of {name}")


def sees_mistakes(known):
    """The checks above can fail."""
    for query in ("ticketwatch_redy", "ticketwatch_ready{sink=\"a\"}", "sum by (sinks) (ticketwatch_ready)", "ticketwatch_batch_seconds",
                  "ticketwatch_ready_sum", 'ticketwatch_rewinds_total{cause="wipe"}'):
        if check_query("", query, known):
            wrong.append(f"names.py takes {query} for right")
        else:
            wrong.pop()


known = figures()
assert len(known) > 30, "docs/metrics.md cannot be read"
sees_mistakes(known)
alerts, queries = check_rules(known), check_dashboard(known)
check_copies()
check_configurations(sys.argv[1])
check_values()
check_packages()
for line in wrong:
    print(line)
print(f"{alerts} alerts, {queries} queries, {len(known)} figures: {len(wrong)} mistakes")
sys.exit(1 if wrong else 0)

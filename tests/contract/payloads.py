#!/usr/bin/env python3
"""Every request the sinks make, judged by the receivers' own schemas and libraries.

    payloads.py --tool build/tests/sink_request [--cache DIR] [--alerts N] [--seed N] [--sinks NAME,...]

The validators are in ../shared/contracts (or $TICKETWATCH_SHARED/contracts): they are copied into DIR, installed there
once with `npm ci`, and fed the alerts of tests/sinks/golden and N invented ones in all states, full of what breaks
payloads. Exit 77: not here (the folder, node 18 or npm), so nothing was judged.
"""
import argparse
import concurrent.futures
import filecmp
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOW = 1772443200  # 2026-03-02T09:20:00Z
KEY = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="
TICKET_URL = "ticket_url=https://help.example.com/tickets/{id}?a=1&b=2"
SINKS = {
    "slack": ["url=https://hooks.slack.com/services/T/B/x", TICKET_URL],
    "slack bot": ["token=xoxb-1", "channel=C024BE91L", TICKET_URL],
    "linear": ["key=k", "team=9cfb482a-81e3-4154-b5b9-2c805e70a02d", "labels=f3b0c7d2-2b7f-4b8f-9d0c-0b5b1a6b2c3d", TICKET_URL],
    "linear reopening": ["key=k", "team=9cfb482a-81e3-4154-b5b9-2c805e70a02d", "regression=reopen", "--again", "--nothing",
                         "reopened_state=0b6c1e52-3f0a-4d7b-9c1e-2f1a7c1e9b10", "resolved_state=f3b0c7d2-2b7f-4b8f-9d0c-0b5b1a6b2c3d"],
    "hubspot": ["key=k", TICKET_URL],
    "hubspot 2026-09": ["key=k", "api_version=2026-09"],
    "hubspot company": ["key=k", "company_property=account_id", "score_property=s", "reasons_property=r", "signal_property=t"],
    "hubspot again": ["key=k", "api_version=2026-09", "marker_property=alert", "score_property=s", "--again", "--nothing"],
    "webhook": ["url=https://ops.example.com/hook", "secret=" + KEY],
    "pagerduty": ["routing_key=R0123456789abcdefghijklmnopqrstu", TICKET_URL],
    "discord": ["url=https://discord.com/api/webhooks/1/x", TICKET_URL],
    "teams": ["url=https://flow.example.com/invoke?sig=x", TICKET_URL],
}
STORM = 15  # alerts in one message
SINKS.update({name + " digest": [*SINKS[name], "--digest", str(STORM)] for name in ("slack", "slack bot", "discord", "teams")})


def skip(why):
    print("skipped: " + why)
    sys.exit(77)


# ---- the validators ----

def shared_contracts():
    folder = pathlib.Path(os.environ.get("TICKETWATCH_SHARED", ROOT.parent / "shared")) / "contracts"
    if not (folder / "validators" / "package-lock.json").is_file():
        skip("there are no contracts at ../shared/contracts")
    return folder


def node_version():
    try:
        text = subprocess.run(["node", "--version"], stdout=subprocess.PIPE, check=True).stdout.decode()
        return int(text.lstrip("v").split(".")[0])
    except (OSError, subprocess.CalledProcessError, ValueError):
        return 0


def installed(contracts, cache):
    """A copy of the validators with what they need. Installed again only after their lock file changed."""
    copy, source = cache / "validators", contracts / "validators"
    done = copy / "node_modules" / ".installed"
    if done.is_file() and filecmp.cmp(source / "package-lock.json", done, shallow=False):
        for file in source.glob("*.js"):
            shutil.copyfile(file, copy / file.name)
        return copy
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(source, copy, copy_function=shutil.copyfile)
    for folder in [copy, *(f for f in copy.rglob("*") if f.is_dir())]:
        folder.chmod(0o755)
    ran = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=copy, stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if ran.returncode:
        print(ran.stdout.decode(errors="replace")[-2000:])
        skip("npm could not install the validators (no network?)")
    shutil.copyfile(source / "package-lock.json", done)
    return copy


def judge(validators, schemas, calls):
    """calls: lists of a validator's name and its arguments. Returns (exit code, what it said) of each."""
    driver = ROOT / "tests" / "contract" / "validate_many.js"
    ran = subprocess.run(["node", driver, validators], input="".join(json.dumps(c) + "\n" for c in calls).encode(),
                         stdout=subprocess.PIPE, env={**os.environ, "SINK_SCHEMAS": str(schemas)})
    answers = [json.loads(line) for line in ran.stdout.decode().split("\n")[:-1]]
    assert ran.returncode == 0 and len(answers) == len(calls), "%d answers to %d payloads" % (len(answers), len(calls))
    return answers


# ---- alerts ----

NASTY = ["<!channel>", "<!here|x>", "<!subteam^S012>", "<@U024BE7LH>", "<https://evil.example|click>", "&", "&amp;", "<", ">", "`", "```",
         "**", "_x_", "~", "|", "||", "\\", "\"", "'", "\n", "\r\n", "\t", "\0", "\x1b[31m", "\x7f", "\u0085", "\u2028", "\u202e", "\u2066",
         "\ufeff", "\u200d", "\U0001F525", "\U0001F468\u200d\U0001F469\u200d\U0001F467", "e\u0301", "שלום", "مرحبا", "日本語", "ß", "�", "@here",
         "@jane", "[x](http://evil.example)", "![i](x)", "# ", "- ", "1. ", "---", "{id}", "%s%n", "${HOME}", "$(id)", "javascript:alert(1)",
         "<script>", "</code>", "\U0010FFFF", "\uE000", ":fire:", "ENG-123", "a", "Invoice 8841 could not be rendered", "  "]


def text(rnd, most=400):
    """Mostly short, sometimes very long, sometimes nothing but one piece."""
    n = rnd.choice([1, 1, 2, 3, 5, 9, 30])
    made = "".join(rnd.choice(NASTY) for _ in range(n))
    if rnd.random() < 0.06:
        made = (made or "x") * (rnd.randrange(1, 3) * most // max(1, len(made)) + 1)
    if rnd.random() < 0.01:
        made *= 100000 // max(1, len(made))
    if rnd.random() < 0.0005:
        made = (made or "x") * (2 ** 20 // max(1, len(made)))
    return made


def time_text(rnd):
    return rnd.choice(["2026-03-02T09:14:07.120Z", "1969-12-31T23:59:59.999Z", "2026-02-28T23:59:59.999Z", "9999-12-31T23:59:59.999Z"])


def some(rnd, members):
    """Each member or none of it."""
    return {k: v for k, v in members.items() if rnd.random() < 0.6 and v != ""}


def account(rnd):
    return some(rnd, {"id": rnd.choice([text(rnd), "31337"]), "name": text(rnd), "tier": rnd.choice(["enterprise", text(rnd)]),
                      "mrr": rnd.choice([0.0001, 12000, -5, 1e15, 49.5]), "renewal": rnd.choice(["2026-04-01", text(rnd)]),
                      "owner": rnd.choice([text(rnd), "64492917"])})


def evidence(rnd):
    return {**some(rnd, {"event": text(rnd), "ticket": text(rnd), "user": text(rnd), "account": text(rnd)}), "time": time_text(rnd),
            **some(rnd, {"partition": 3, "offset": 10 ** 12})}


def alert(rnd):
    keys = rnd.sample(["page", "error", "subject", "account", "ticket.category", "ticket.product_version"], rnd.randrange(5))
    made = {"id": "%032x" % rnd.getrandbits(128), "rule": rnd.choice(["page-error", "r", text(rnd)]) or "r",
            "kind": rnd.choice(["count", "anomaly", "quiet", "deadline", "new_value", "ratio"]), "state": rnd.choice(["firing", "escalated", "reminder", "resolved", "verified"]),
            "severity": rnd.choice(["low", "medium", "high", "critical"]), "time": time_text(rnd),
            "key": {name: text(rnd) for name in keys}, "count": rnd.choice([1, 3, 10 ** 9]), "users": rnd.choice([0, 1, 2500]),
            "first_seen": time_text(rnd), "last_seen": time_text(rnd)}
    made.update(some(rnd, {"summary": text(rnd), "accounts": [account(rnd) for _ in range(rnd.randrange(11))],
                           "evidence": [evidence(rnd) for _ in range(rnd.randrange(6))],
                           "sample": some(rnd, {m: text(rnd) for m in ("page_url", "action", "error_type", "error_code", "error_message",
                                                                       "subject", "version")})}))
    if rnd.random() < 0.5:
        values = [rnd.choice([0, 1, 7, 10 ** 12, -0.25, 1e-4, None]) for _ in range(rnd.randrange(1, 13))]
        made["trend"] = {"step": rnd.choice(["5m", "1d4h", "month", "83ms"]), "values": values}
    if rnd.random() < 0.2:
        made["hides"] = [{"rule": "churn", "id": "%032x" % rnd.getrandbits(128), **some(rnd, {"about": text(rnd, 40) or "a"})}
                         for _ in range(rnd.choice([1, 10]))]
        made.update({"hides_total": 31} if len(made["hides"]) == 10 else {})
    elif rnd.random() < 0.1:
        made["hidden_by"] = {"inhibit": "why", "rule": "page-error", "id": "%032x" % rnd.getrandbits(128)}
    if rnd.random() < 0.1:
        made["silenced_by"] = {"maintenance": "deploy", "author": text(rnd) or "a", "reason": text(rnd) or "r"}
    if made["state"] not in ("resolved", "verified") and rnd.random() < 0.2:
        made["releases"] = [{"version": text(rnd) or "1", "time": time_text(rnd), **some(rnd, {"service": text(rnd), "url": rnd.choice([
            "https://git.example.com/r/1", text(rnd)])})} for _ in range(rnd.randrange(1, 4))]
    if made["state"] != "resolved" and rnd.random() < 0.2:
        made["known_issue"] = {"id": text(rnd) or "KI-1", **some(rnd, {"title": text(rnd), "workaround": text(rnd), "url": rnd.choice([
            "https://git.example.com/i/1", text(rnd)])}), "status": "open", **rnd.choice([{}, {"muted": True}, {
                "status": "fixed", "fixed": time_text(rnd)}, {"status": "fixed", "fixed": time_text(rnd), "regression": True}])}
    if made["state"] == "reminder":
        made.update(reminder=rnd.choice([1, 2, 30]), opened=time_text(rnd))
    if "accounts" in made and rnd.random() < 0.5:
        made["accounts_total"] = rnd.choice([len(made["accounts"]) + 5, 5000])
    if rnd.random() < 0.1:
        made["count_estimated"] = True
    if made["kind"] == "anomaly":
        made.update(value=3.1234, mean=4.4, stddev=0.3, z=-4.2, direction="down", bucket="1d")
        made.update(some(rnd, {"contributors": [{"field": "ticket.category", "value": text(rnd, 40), "share": 0.62, "usual": 0.14},
                                                {"field": "page", "value": text(rnd, 40), "share": 0.5}]}))
    if made["kind"] == "ratio":
        made.update(value=0.2583, mean=0.2, stddev=0.0365, z=1.6, direction="up", bucket="1d", matched=31, against=rnd.choice(["limit", "history", "overall"]))
    return made


def alerts(count, seed):
    golden = [json.loads(f.read_text(encoding="utf-8")) for f in sorted(ROOT.glob("tests/sinks/golden/*/alert.json"))]
    assert len(golden) >= 8
    rnd = random.Random(seed)
    return golden + [alert(rnd) for _ in range(count)]


# ---- requests ----

def requests(tool, sink, lines):
    """All that the sink sends for each alert, as a list; the receiver says that all is well."""
    ran = subprocess.run([tool, sink.split()[0], "--talk", "--now", str(NOW * 1000), *SINKS[sink]], input=lines, stdout=subprocess.PIPE)
    made = [json.loads(line) for line in ran.stdout.decode().split("\n")[:-1]]
    wanted = -(-lines.count(b"\n") // (STORM if "--digest" in SINKS[sink] else 1))
    assert ran.returncode == 0 and len(made) == wanted, "%s: %d requests" % (sink, len(made))
    return made


def call(sink, request, file):
    """The validator's name and arguments for a request whose body is written to the file."""
    body = request["body"]
    if sink == "webhook":
        body = json.dumps({"headers": request["headers"], "body": body, "secret": KEY})
        arguments = ["standard-webhooks", "--at=%d" % NOW]
    elif sink.startswith("hubspot"):
        arguments = ["hubspot", "--method=" + request["method"], "--path=" + request["url"].replace("https://api.hubapi.com", "", 1)]
    elif sink.startswith("slack bot"):
        arguments = ["slack", "--api"]
    else:
        arguments = [sink.split()[0]]
    file.write_text(body, encoding="utf-8")
    return arguments + [str(file)]


def control(sink, file):
    """A call that must be refused: else the judge is not judging."""
    bad = {"slack": {"text": "<!channel> hi"}, "linear": {"query": "mutation { issueCreate(input: {}) { success } }"},
           "webhook": {"headers": {}, "body": "{}", "secret": KEY}, "pagerduty": {"event_action": "resolve"},
           "discord": {"content": "@everyone"}, "teams": {"type": "message"}}
    file.write_text(json.dumps(bad.get(sink.split()[0], {"properties": {"hs_timestamp": 5}})))
    return call(sink, {"method": "POST", "url": "https://api.hubapi.com/crm/v3/objects/tasks", "headers": {}, "body": file.read_text()}, file)


def check(sink, lines, args, validators, schemas):
    made = [(i, r) for i, sent in enumerate(requests(args.tool, sink, lines)) for r in sent if "/conversations." not in r["url"]]
    with tempfile.TemporaryDirectory() as folder:
        calls = [call(sink, r, pathlib.Path(folder) / ("%d.json" % n)) for n, (_, r) in enumerate(made)]
        calls.append(control(sink, pathlib.Path(folder) / "control.json"))
        answers = judge(validators, schemas, calls)
    faults = ["%s, alert %d: %s" % (sink, i, said[:600]) for (i, _), (code, said) in zip(made, answers) if code != 0]
    if answers[-1][0] != 1:
        faults.append("%s: the validator took what is wrong" % sink)
    return len(made), faults


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True)
    parser.add_argument("--cache", default=None)
    parser.add_argument("--alerts", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sinks", type=lambda names: names.split(","), default=list(SINKS))
    args = parser.parse_args()
    contracts = shared_contracts()
    if node_version() < 18 or not shutil.which("npm"):
        skip("node 18 or newer and npm are needed")
    scratch = None if args.cache else tempfile.TemporaryDirectory()
    cache = pathlib.Path(args.cache or scratch.name)
    cache.mkdir(parents=True, exist_ok=True)
    validators = installed(contracts, cache)
    lines = "".join(json.dumps(a, ensure_ascii=False) + "\n" for a in alerts(args.alerts, args.seed)).encode("utf-8")
    faults = []
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        for sink, (n, wrong) in zip(args.sinks, pool.map(lambda s: check(s, lines, args, validators, contracts / "schemas"), args.sinks)):
            print("%s: %d payloads, %d refused" % (sink, n, len(wrong)), flush=True)
            faults += wrong
    for fault in faults[:20]:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""docs/templates.md is true: its example is what `sink preview` shows, its names are those that templates know, and
mistakes are found where they are.

    templates.py PROGRAM
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
ALERT = ROOT / "tests/sinks/golden/page_error_firing/alert.json"


def run(program, folder, *arguments):
    return subprocess.run([program, *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def preview(program, folder, *more, alert=ALERT):
    return run(program, folder, "sink", "preview", "bugs", "-c", "ticketwatch.yaml", "--alert", str(alert), *more)


def example(program, folder, page):
    config = re.search(r"```yaml\n(.*?)```", page, re.S).group(1)
    (folder / "ticketwatch.yaml").write_text(config)
    for name, text in re.findall(r"`([\w.]+)`:\n\n```mustache\n(.*?)```", page, re.S):
        (folder / name).write_text(text)
    wanted = re.search(r"```text\n(.*?)```", page, re.S).group(1)
    done = preview(program, folder)
    assert done.returncode == 0, done.stdout
    assert done.stdout.rstrip("\n").endswith(wanted.rstrip("\n")), done.stdout
    assert '"title": "[medium] HttpError INV_500 on /billing/invoices/:id' in done.stdout, done.stdout
    assert "lin_api" not in done.stdout and "Authorization" not in done.stdout


def names(program, folder, page):
    """Each name of the table is known, in its section."""
    rows = re.findall(r"^\| (`\w+`.*?) \| ", page[page.index("## Names"):], re.M)
    template, n = "", 0
    for row in rows:
        head, _, inner = row.partition(":")
        listed = re.findall(r"`(\w+)`", inner)
        for name in re.findall(r"`(\w+)`", head):
            template += "{{#%s}}%s{{/%s}}\n" % (name, "".join("{{%s}}" % i for i in listed), name) if listed else "{{%s}}\n" % name
            n += 1 + len(listed)
    (folder / "body.md").write_text(template)
    done = run(program, folder, "check", "-c", "ticketwatch.yaml")
    assert done.returncode == 0, done.stdout
    return n


def mistakes(program, folder):
    (folder / "body.md").write_text("fine\n{{#cases}}\n{{tickt}}{{/cases}}\n")
    done = run(program, folder, "check", "-c", "ticketwatch.yaml")
    assert done.returncode == 1 and "templates.body: body.md:3: no such name: {{tickt}}; did you mean 'ticket'?" in done.stdout, done.stdout
    assert preview(program, folder).returncode == 1
    (folder / "body.md").unlink()
    done = run(program, folder, "check", "-c", "ticketwatch.yaml")
    assert done.returncode == 1 and "body.md cannot be read" in done.stdout, done.stdout


def other_ways(program, folder):
    (folder / "body.md").write_text("{{summary}}")
    done = preview(program, folder, "--format", "json")
    assert json.loads(done.stdout)["url"] == "https://api.linear.app/graphql", done.stdout
    escalated = ROOT / "tests/sinks/golden/page_error_escalated/alert.json"
    assert "TicketwatchUpdate" in preview(program, folder, alert=escalated).stdout
    done = run(program, folder, "sink", "preview", "bug", "-c", "ticketwatch.yaml", "--alert", str(ALERT))
    assert done.returncode == 1 and "did you mean 'bugs'?" in done.stdout, done.stdout
    assert run(program, folder, "sink", "preview", "bugs").returncode == 2
    assert run(program, folder, "sink").returncode == 2
    (folder / "broken.json").write_text("{")
    assert preview(program, folder, alert=folder / "broken.json").returncode == 1


SINKS = {"slack": "url: 'https://hooks.slack.com/services/T/B/x'", "teams": "url: 'https://flow.example.com/x'",
         "linear": "key: k, team: 9cfb482a-81e3-4154-b5b9-2c805e70a02d", "hubspot": "key: k", "discord": "url: 'https://discord.com/api/webhooks/1/x'",
         "email": "url: 'smtps://mail.example.com', from: a@example.com, to: b@example.com", "pagerduty": "routing_key: R0123456789abcdefghijklmnopqrstu"}


def every_text(program, folder, page):
    """Each row of the first table: the sink's own words give way to it, also to one that is too long, and `check` knows its mistakes."""
    rows = re.findall(r"^\| (\w+) \| `templates\.(\w+)` \| ", page, re.M)
    assert {sink for sink, _ in rows} == set(SINKS), rows
    reference = run(program, folder, "check", "--reference").stdout
    assert reference.count("| `templates.") == len(rows), (reference.count("| `templates."), rows)
    for sink, option in rows:
        config = "sinks:\n  bugs: {type: %s, %s, templates: {%s: own.txt}}\n" % (sink, SINKS[sink], option)
        (folder / "ticketwatch.yaml").write_text(config + "rules:\n  r: {on: ticket.created, count: {at_least: 3, within: 1h}, send: bugs}\n")
        alert = ROOT / "tests/sinks/golden" / ("page_error_escalated" if option == "update" else "page_error_firing") / "alert.json"
        for text in ("Own words {{severity}}", "Own words {{severity}} " + 1500 * '"\\\\ \x01 <日本語> \n'):
            (folder / "own.txt").write_text(text, encoding="utf-8")
            done = preview(program, folder, alert=alert)
            severity = "critical" if option == "update" else "medium"
            assert done.returncode == 0 and "Own words " + severity in done.stdout, (sink, option, done.stdout[:3000])
        (folder / "own.txt").write_text("{{severty}}")
        done = run(program, folder, "check", "-c", "ticketwatch.yaml")
        assert done.returncode == 1 and "own.txt:1: no such name: {{severty}}; did you mean 'severity'?" in done.stdout, done.stdout
    return len(rows)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    program = str(pathlib.Path(sys.argv[1]).resolve())
    page = (ROOT / "docs/templates.md").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        example(program, folder, page)
        n = names(program, folder, page)
        mistakes(program, folder)
        other_ways(program, folder)
        texts = every_text(program, folder, page)
    print("docs/templates.md is true: its example, %d names, %d texts" % (n, texts))


if __name__ == "__main__":
    main()

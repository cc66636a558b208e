#!/usr/bin/env python3
"""The README's picture: what `replay` prints of the bundled week, as an SVG of a terminal.

    docs/picture.py build/ticketwatch > docs/replay.svg
"""
import html
import subprocess
import sys

COLUMNS, LINES, CHARACTER, LINE = 140, 24, 7.23, 17
LOG = "examples/week/week.jsonl.gz"
COMMAND = ["replay", "-c", "examples/week/ticketwatch.yaml", "--format", "text", LOG]
COLOURS = {"firing": "#e5c07b", "escalated": "#e06c75", "resolved": "#98c379"}


def row(number, text, colour="#d7dae0"):
    return '<text x="14" y="%d" fill="%s">%s</text>' % (46 + number * LINE, colour, html.escape(text))


def without_accounts(line):
    return line if len(line) <= COLUMNS else line.rsplit("  [", 1)[0]


def narrow(line):
    """Every character one column wide, from left to right: what a picture can line up."""
    return all(ord(c) < 0x250 for c in line)


def cut(text):
    return text if len(text) <= COLUMNS else text[:COLUMNS - 1] + "…"


def main():
    done = subprocess.run([sys.argv[1], *COMMAND], capture_output=True, text=True, check=True)
    shown = [line for line in map(without_accounts, done.stdout.splitlines()) if narrow(line)][:LINES]
    rows = [row(0, "$ ticketwatch %s" % " ".join(COMMAND), "#61afef")]
    for line in shown:
        state = next((s for s in COLOURS if s in line[:32]), "")
        rows.append(row(len(rows), cut(line), COLOURS.get(state, "#d7dae0")))
    rows.append(row(len(rows), "…", "#7f848e"))
    for line in done.stderr.splitlines()[-6:]:
        rows.append(row(len(rows), cut(line), "#7f848e"))
    width, height = int(28 + COLUMNS * CHARACTER), 40 + (len(rows) + 1) * LINE
    print('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d">' % (width, height, width, height))
    print('<rect width="100%" height="100%" rx="8" fill="#21252b"/>')
    for i, colour in enumerate(("#e06c75", "#e5c07b", "#98c379")):
        print('<circle cx="%d" cy="16" r="5" fill="%s"/>' % (18 + 18 * i, colour))
    print('<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="12" xml:space="preserve">')
    print("\n".join(rows))
    print("</g>\n</svg>")


main()

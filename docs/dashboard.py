#!/usr/bin/env python3
"""The dashboard as a picture: every panel of deploy/grafana/dashboard.json with its own queries, asked of a Prometheus.
It is laid out as Grafana lays it out, and drawn here, since no Grafana is needed to show what its queries say.

    docs/dashboard.py http://PROMETHEUS:9090 BEGIN END > docs/dashboard.svg      both in seconds since 1970
"""
import html
import json
import math
import pathlib
import sys
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
CELL, ROW, GAP, POINTS = 50, 30, 6, 160  # pixels of a column and a row of the grid; points of a line
COLOURS = ["#73bf69", "#f2cc0c", "#5794f2", "#ff9830", "#b877d9", "#f2495c", "#8ab8ff", "#c0d8ff", "#96d98d", "#ffb357"]
UNITS = {"s": ("s", 1), "ops": ("/s", 1), "bytes": ("MiB", 1 << 20)}
BACK, PANEL, TEXT, DIM, LINE = "#111217", "#181b1f", "#ccccdc", "#8e8e9b", "#2c3235"


def ask(server, begin, end, query):
    """[(labels, [(time, value)])]"""
    for name, value in (("$job", ".*"), ("$__rate_interval", "20s")):
        query = query.replace(name, value)
    step = max(1, round((end - begin) / POINTS))
    words = urllib.parse.urlencode({"query": query, "start": begin, "end": end, "step": step})
    with urllib.request.urlopen(server + "/api/v1/query_range?" + words, timeout=60) as answer:
        found = json.load(answer)["data"]["result"]
    return [(s["metric"], [(t, float(v)) for t, v in s["values"] if math.isfinite(float(v))]) for s in found]


def name_of(legend, labels):
    for label, value in labels.items():
        legend = legend.replace("{{%s}}" % label, value)
    return legend


def text(x, y, words, size=11, colour=TEXT, anchor="start"):
    return '<text x="%.1f" y="%.1f" font-size="%d" fill="%s" text-anchor="%s">%s</text>' % (x, y, size, colour, anchor, html.escape(words))


def number(value, unit):
    short = UNITS.get(unit, ("", 1))[0]
    shown = "%.0f" % value if value >= 100 or value == int(value) else "%.3g" % value
    return (shown + " " + short).strip()


def series_of(panel, ask_):
    """[(name, points)], in the unit that is shown"""
    by = UNITS.get(panel["fieldConfig"]["defaults"].get("unit"), ("", 1))[1]
    return [(name_of(t.get("legendFormat", ""), labels), [(at, v / by) for at, v in points])
            for t in panel["targets"] for labels, points in ask_(t["expr"]) if points]


def draw_stat(panel, series, box):
    x, y, w, h = box
    unit = panel["fieldConfig"]["defaults"].get("unit")
    said = [("%s %s" % (name, number(points[-1][1], unit))).strip() for name, points in series] or ["none"]
    return [text(x + w / 2, y + h / 2 + 14, ", ".join(said), 22, "#73bf69", "middle")]


def top_of(series):
    most = max((v for _, points in series for _, v in points), default=0) or 1
    size = 10 ** math.floor(math.log10(most))
    return next(size * f for f in (1, 2, 2.5, 5, 10) if size * f >= most)


def draw_axes(box, begin, end, top, unit):
    x, y, w, h = box
    out = []
    for i in range(5):
        at = y + h - h * i / 4
        out += ['<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="%s"/>' % (x, x + w, at, at, LINE),
                text(x - 5, at + 4, number(top * i / 4, unit), 9, DIM, "end")]
    for i in range(4 if w < 300 else 6):
        part = i / (3 if w < 300 else 5)
        out.append(text(x + w * part, y + h + 13, time.strftime("%H:%M", time.gmtime(begin + (end - begin) * part)), 9, DIM, "middle"))
    return out


def draw_lines(panel, series, box, begin, end):
    x, y, w, h = box
    unit, top = panel["fieldConfig"]["defaults"].get("unit"), top_of(series)
    names = list(dict.fromkeys(name for name, _ in series))
    inner = (x + 48, y + 28, w - 62, h - 28 - 34)
    out = draw_axes(inner, begin, end, top, unit)
    for name, points in series:
        colour, step, path, last = COLOURS[names.index(name) % len(COLOURS)], (end - begin) / POINTS, "", None
        for t, v in points:
            at = "%.1f %.1f" % (inner[0] + inner[2] * (t - begin) / (end - begin), inner[1] + inner[3] * (1 - v / top))
            path += ("L" if last and t - last < 3 * step + 2 else "M") + at
            last = t
        out.append('<path d="%s" fill="none" stroke="%s" stroke-width="1.3"/>' % (path, colour))
    at, room = x + 10, w - 20
    for i, name in enumerate(names):
        wide = 22 + 5.6 * len(name)
        if at + wide > x + room:
            out.append(text(at, y + h - 7, "and %d more" % (len(names) - i), 9, DIM))
            break
        out += ['<rect x="%.1f" y="%.1f" width="10" height="3" fill="%s"/>' % (at, y + h - 11, COLOURS[i % len(COLOURS)]), text(at + 13, y + h - 7, name, 9, DIM)]
        at += wide
    return out


def draw(panel, ask_, begin, end):
    p = panel["gridPos"]
    x, y, w, h = GAP / 2 + p["x"] * CELL, GAP / 2 + p["y"] * ROW, p["w"] * CELL - GAP, p["h"] * ROW - GAP
    if panel["type"] == "row":
        return [text(x + 4, y + 18, panel["title"], 14)]
    out = ['<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="3" fill="%s"/>' % (x, y, w, h, PANEL), text(x + 10, y + 18, panel["title"], 12)]
    series = series_of(panel, ask_)
    if panel["type"] == "stat":
        return out + draw_stat(panel, series, (x, y, w, h))
    if not series:
        return out + [text(x + w / 2, y + h / 2, "none", 12, DIM, "middle")]
    return out + draw_lines(panel, series, (x, y, w, h), begin, end)


def main():
    server, begin, end = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    panels = json.loads((ROOT / "deploy/grafana/dashboard.json").read_text(encoding="utf-8"))["panels"]
    width, height = 24 * CELL, max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in panels) * ROW
    print('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="Inter, Helvetica, Arial, sans-serif">'
          % (width, height, width, height))
    print('<rect width="100%%" height="100%%" fill="%s"/>' % BACK)
    for panel in panels:
        print("\n".join(draw(panel, lambda query: ask(server, begin, end, query), begin, end)))
    print("</svg>")


main()

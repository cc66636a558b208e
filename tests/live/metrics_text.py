"""A strict reader of Prometheus' text format 0.0.4, for tests."""
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(r"(%s)(?:\{(.*)\})? (\S+)" % NAME)
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)')
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*(?:e[+-]?\d+)?|Inf)|NaN")
SUFFIXES = {"counter": ("",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


class Family:
    def __init__(self, name, text):
        self.name, self.help, self.type, self.samples = name, text, None, {}

    def value(self, **labels):
        """Of the sample with these labels; None where there is none."""
        return self.samples.get((self.name, tuple(sorted(labels.items()))))


def unescape(text, quotes):
    assert re.fullmatch(r'(?:[^\\]|\\\\|\\n%s)*' % (r'|\\"' if quotes else ""), text), "escaping: %r" % text
    return re.sub(r"\\(.)", lambda m: "\n" if m.group(1) == "n" else m.group(1), text)


def labels_of(text):
    labels, at = {}, 0
    while text and at < len(text):
        m = LABEL.match(text, at)
        assert m, "labels: %r" % text
        assert m.group(1) not in labels, "a label twice: %r" % text
        assert (m.group(3) == ",") == (m.end() < len(text)), "a comma at the end: %r" % text
        labels[m.group(1)] = unescape(m.group(2), True)
        at = m.end()
    return labels


def check_histogram(family):
    """By series: buckets rise with le, +Inf is last and is the count."""
    series = {}
    for (name, labels), value in family.samples.items():
        rest = tuple(x for x in labels if x[0] != "le")
        series.setdefault(rest, {}).setdefault(name, []).append((dict(labels).get("le"), value))
    for rest, parts in series.items():
        buckets = parts[family.name + "_bucket"]
        bounds = [float(le.replace("+Inf", "inf")) for le, _ in buckets]
        assert bounds == sorted(set(bounds)) and bounds[-1] == float("inf"), (family.name, rest, bounds)
        counts = [value for _, value in buckets]
        assert counts == sorted(counts), (family.name, rest, counts)
        assert parts[family.name + "_count"] == [(None, counts[-1])], (family.name, rest)
        assert len(parts[family.name + "_sum"]) == 1, (family.name, rest)


def check_family(family):
    assert family.type, family.name + " has no TYPE"
    assert family.help.strip(), family.name + " has no HELP"
    assert family.name.endswith("_total") == (family.type == "counter"), family.name
    if family.type == "histogram":
        check_histogram(family)
    if family.type == "counter":
        assert all(v >= 0 for v in family.samples.values()), family.name


def add_sample(family, line):
    m = SAMPLE.fullmatch(line)
    assert m, "no sample: %r" % line
    name, labels, number = m.group(1), labels_of(m.group(2)), m.group(3)
    assert family and family.type, "a sample before its TYPE: %r" % line
    assert any(name == family.name + suffix for suffix in SUFFIXES[family.type]), "%r under %s" % (line, family.name)
    assert ("le" in labels) == name.endswith("_bucket"), line
    assert NUMBER.fullmatch(number), "no number: %r" % line
    key = name, tuple(sorted(labels.items()))
    assert key not in family.samples, "a series twice: %r" % line
    family.samples[key] = float(number)


def parse(text):
    """{name: Family}; AssertionError says what is wrong."""
    families, family = {}, None
    assert text.endswith("\n"), "the last line has no end"
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            name, space, words = line[7:].partition(" ")
            assert re.fullmatch(NAME, name) and space, line
            assert name not in families, name + " comes twice"
            family = families[name] = Family(name, unescape(words, False))
        elif line.startswith("# TYPE "):
            name, space, kind = line[7:].partition(" ")
            assert family and family.name == name, "TYPE without its HELP before: %r" % line
            assert family.type is None and not family.samples, "TYPE must come once, before samples: %r" % line
            assert kind in SUFFIXES, line
            family.type = kind
        else:
            add_sample(family, line)
    for family in families.values():
        check_family(family)
    return families

"""Reads the YAML that configurations here are written in: block and flow mappings, flow lists, block lists of
scalars, plain and quoted scalars, comments. Anchors, tags, multi-line scalars are not known and are an error.
Every scalar is a string: what a value means is the reader's business.
"""
import re


class Fault(Exception):
    pass


def load(text):
    rows = []
    for number, line in enumerate(text.split("\n"), 1):
        bare = strip_comment(line).rstrip()
        if bare.strip():
            rows.append((len(bare) - len(bare.lstrip(" ")), bare.strip(), number))
    value, rest = block(join_flow(rows))
    if rest:
        raise Fault("line %d: indented less than what it belongs to" % rest[0][2])
    return value


def strip_comment(line):
    quote = ""
    for i, c in enumerate(line):
        if quote:
            quote = "" if c == quote else quote
        elif c in "\"'":
            quote = c
        elif c == "#" and (i == 0 or line[i - 1] in " \t"):
            return line[:i]
    return line


def join_flow(rows):
    """A flow mapping or list may go on over several lines: until its brackets are closed."""
    out = []
    for indent, text, number in rows:
        if out and depth(out[-1][1]) > 0:
            out[-1] = (out[-1][0], out[-1][1] + " " + text, out[-1][2])
        else:
            out.append((indent, text, number))
    return out


def depth(text):
    without = re.sub(r"\"[^\"]*\"|'[^']*'|\$\{[^}]*\}", "", text)
    return sum(without.count(c) for c in "{[") - sum(without.count(c) for c in "}]")


def block(rows):
    """The value that begins at rows[0], and the rows after it."""
    if not rows:
        return {}, []
    indent = rows[0][0]
    if rows[0][1].startswith("{"):
        return flow_value(rows[0][1], rows[0][2]), rows[1:]
    if rows[0][1].startswith("- "):
        items = []
        while rows and rows[0][0] == indent and rows[0][1].startswith("- "):
            items.append(flow_value(rows[0][1][2:].strip(), rows[0][2]))
            rows = rows[1:]
        return items, rows
    return mapping(rows, indent)


def mapping(rows, indent):
    out = {}
    while rows and rows[0][0] == indent:
        m = re.match(r"(\"[^\"]*\"|'[^']*'|[^\s:{}\[\],\"']+)\s*:(?:\s+(.*))?$", rows[0][1])
        if not m:
            raise Fault("line %d: not `key: value`: %s" % (rows[0][2], rows[0][1]))
        key, rest, number = m.group(1).strip("\"'"), m.group(2), rows[0][2]
        if key in out:
            raise Fault("line %d: %s twice" % (number, key))
        rows = rows[1:]
        if rest:
            out[key] = flow_value(rest, number)
        elif rows and rows[0][0] > indent:
            out[key], rows = block(rows)
        else:
            out[key] = ""
    if rows and rows[0][0] > indent:
        raise Fault("line %d: indented more than what stands before it" % rows[0][2])
    return out, rows


def flow_value(text, number):
    value, rest = flow(text.strip())
    if rest.strip():
        raise Fault("line %d: what is %r doing after the value?" % (number, rest))
    return value


def flow(text):
    """The value text begins with, and the text after it."""
    text = text.lstrip()
    if text.startswith("{"):
        return flow_mapping(text[1:])
    if text.startswith("["):
        return flow_list(text[1:])
    if text[:1] in ("\"", "'"):
        end = text.index(text[0], 1)
        return text[1:end], text[end + 1:]
    return text, ""


def flow_mapping(text):
    out = {}
    text = text.lstrip()
    while not text.startswith("}"):
        m = re.match(r"\"?([^\s:\"]+)\"?\s*:\s*", text)
        if not m:
            raise Fault("not a key: %r" % text)
        out[m.group(1)], text = member(text[m.end():])
    return out, text[1:]


def flow_list(text):
    out = []
    text = text.lstrip()
    while not text.startswith("]"):
        value, text = member(text)
        out.append(value)
    return out, text[1:]


def member(text):
    """A value inside a flow collection, and the text behind its comma."""
    if text[:1] in ("{", "[", "\"", "'"):
        value, text = flow(text)
    else:
        end = re.search(r"[,}\]]", text).start()
        value, text = text[:end].strip(), text[end:]
    text = text.lstrip()
    return value, text[1:].lstrip() if text.startswith(",") else text

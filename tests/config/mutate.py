#!/usr/bin/env python3
"""Every line of the design's example, broken in turn, is refused with the number of that line.

    mutate.py PROGRAM [SEED]

Broken are: every option's name (a letter left out, doubled or swapped), every value (another type in
its place), and every indentation (one to three spaces more or less). What is refused for a wrong
indentation may have two lines that could be meant: then the message must name the other.
"""
import pathlib
import random
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLE = HERE / "valid/design_example.yaml"
# NAME: VALUE, where the value is a text, a list or a mapping without others in it
PAIR = re.compile(r"""(?P<name>[A-Za-z_][\w-]*):[ ]+(?P<value>"[^"]*"|\[[^\]]*\]|\{[^{}]*\}|[^\s,{}\[\]"\#][^,{}\[\]"\#\s]*)""")
NAME = re.compile(r"(?P<name>[A-Za-z_][\w-]*):(?=\s|$)")
OWN_NAMES = re.compile(r"^  [\w-]+:")  # of sinks and rules: any name is right


def example():
    """Without the rule whose kind is not built: it is refused anyway."""
    text = EXAMPLE.read_text(encoding="utf-8")
    return re.sub(r"  churn-quiet:\n(    .*\n)*", "", text).splitlines()


def misspelt(name, rng):
    i = rng.randrange(len(name))
    choices = {name[:i] + name[i + 1:], name[:i] + name[i] + name[i:], name[:i - 1] + name[i] + name[i - 1] + name[i + 1:] if i else name}
    return rng.choice(sorted(choices - {name, ""}))


def code_of(line):
    """The line without its comment."""
    return re.sub(r"(^|\s)#.*", "", line)


def misspellings(line, rng):
    for m in NAME.finditer(code_of(line)):
        if OWN_NAMES.match(line) and m.start() == 2:
            continue
        if in_quotes(line, m.start()):
            continue
        yield line[:m.start("name")] + misspelt(m["name"], rng) + line[m.end("name"):]


def in_quotes(line, at):
    return line[:at].count('"') % 2 == 1


def wrong_types(line, rng):
    for m in PAIR.finditer(code_of(line)):
        if in_quotes(line, m.start()):
            continue
        other = rng.choice(["{wrong: type}", "[[nested]]", "[{a: b}]"])
        yield line[:m.start("value")] + other + line[m.end("value"):]


def indentations(line, rng):
    spaces = len(line) - len(line.lstrip())
    yield " " * rng.randint(1, 3) + line
    if spaces:
        yield line[rng.randint(1, min(3, spaces)):]


class Checker:
    def __init__(self, program):
        self.program, self.tried, self.wrong = program, 0, 0
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name) / "mutated.yaml"

    def said(self, lines):
        self.path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        done = subprocess.run([self.program, "check", "-c", self.path.name], cwd=self.path.parent, env={},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout.decode()

    def must_refuse(self, lines, at, broken, either):
        self.tried += 1
        code, text = self.said(lines[:at] + [broken] + lines[at + 1:])
        errors = re.findall(r"^[\w.]+:(\d+):\d+: error: (.*)$", text, re.M)
        at_line = [e for e in errors if int(e[0]) == at + 1]
        named = [e for e in errors if either and re.search(r"on line %d\b" % (at + 1), e[1])]
        if code != 1 or not (at_line or named):
            self.wrong += 1
            print("line %d broken as\n%s\nis not refused there: exit %d\n%s" % (at + 1, broken, code, text))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    checker, lines = Checker(str(pathlib.Path(sys.argv[1]).resolve())), example()
    code, text = checker.said(lines)
    if code != 0:
        sys.exit("the example itself is refused:\n" + text)
    for at, line in enumerate(lines):
        for broken in misspellings(line, rng):
            checker.must_refuse(lines, at, broken, False)
        for broken in wrong_types(line, rng):
            checker.must_refuse(lines, at, broken, False)
        for broken in indentations(line, rng):
            checker.must_refuse(lines, at, broken, True)
    print("%d of %d broken examples are refused at the right line" % (checker.tried - checker.wrong, checker.tried))
    sys.exit(checker.wrong > 0 or checker.tried < 150)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""docs/failures.md names tests: each exists, and so does each case of it that is named.

    failures.py
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
FAULTS = "".join((TESTS / "faults" / name).read_text(encoding="utf-8") for name in ("world.py", "receiver.py"))
OTHER = {"delivery": "delivery/delivery_test.py", "delivery/digest": "delivery/digest_test.py", "config/check": "config/run.py", "property/shuffle": "property/shuffle.py",
         "contract/payloads": "contract/payloads.py", "faults/short": "faults/run.py"}


def source_of(name):
    """The text of a test, as ctest names it; None: there is none."""
    folder, _, base = name.partition("/")
    files = [TESTS / OTHER[name]] if name in OTHER else [
        TESTS / folder / (base + ".c"), TESTS / folder / ("test_%s.py" % base), TESTS / folder / (base + "_fuzz.c")]
    return next((f.read_text(encoding="utf-8") for f in files if f.exists()), None)


def mistakes_in(number, cell):
    """A cell: `TEST` CASE, CASE, `TEST` ...; the fault suite (FAULT, FAULT)."""
    for faults in re.findall(r"the fault suite \(([^)]*)\)", cell):
        for fault in re.findall(r"[a-z]+(?:_[a-z0-9]+)*", faults.split(", also")[0]):
            if '"%s"' % fault not in FAULTS:
                yield "%d: no fault '%s'" % (number, fault)
    for name, rest in re.findall(r"`([a-z_]+(?:/[a-z_]+)?)`([^`;]*)", cell):
        cases = re.findall(r"\b[a-z]+(?:_[a-z0-9.]*[a-z0-9]|_)+\*?", re.sub(r"\([^)]*\)", "", rest))
        if name == "golden":
            for case in cases:
                if not (TESTS / "golden" / case).is_dir():
                    yield "%d: no golden case '%s'" % (number, case)
            continue
        text = source_of(name)
        if text is None:
            yield "%d: no test '%s'" % (number, name)
        for case in cases if text else ():
            if not re.search(re.escape(case.rstrip("*_")).replace(r"_\.\.\._", r"\w*"), text):
                yield "%d: no case '%s' in %s" % (number, case, name)


def main():
    mistakes, rows, named = [], 0, 0
    for number, line in enumerate((ROOT / "docs/failures.md").read_text(encoding="utf-8").splitlines(), 1):
        cells = [cell.strip() for cell in line.strip()[1:-1].split("|")]
        if not line.startswith("| ") or line.startswith("| what happens"):
            continue
        rows += 1
        named += "`" in cells[-1]
        if len(cells) != 4:
            mistakes.append("%d: %d cells" % (number, len(cells)))
        mistakes += mistakes_in(number, cells[-1])
    for text in mistakes:
        print("docs/failures.md:" + text)
    print("%d rows, %d with a test" % (rows, named))
    return 1 if mistakes or named < 40 else 0


if __name__ == "__main__":
    sys.exit(main())

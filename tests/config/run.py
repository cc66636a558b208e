#!/usr/bin/env python3
"""What `check` says of the configurations beside this file.

    run.py PROGRAM [CASE...]

Each NAME.yaml in valid/ and invalid/ has a NAME.txt: the whole of stdout, in an environment that has
only TEXT=abc. Those in valid/ must exit with 0, those in invalid/ with 1, also with --format json,
which must hold the same mistakes.
"""
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def check(program, path, *more):
    done = subprocess.run([program, "check", "-c", path.name, *more], cwd=path.parent, env={"TEXT": "abc"},
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def as_text(line):
    """A mistake in JSON as it stands in the text."""
    place = ":%(line)d:%(column)d" % line if line["line"] else ""
    return "%s%s: %s: %s\n" % (line["file"], place, line["level"], line["message"])


def faults(program, path):
    wanted_code = 1 if path.parent.name == "invalid" else 0
    wanted = path.with_suffix(".txt").read_text(encoding="utf-8")
    code, out, err = check(program, path)
    if (code, out, err) != (wanted_code, wanted, ""):
        yield "exit %d\n%s%s--- expected: exit %d\n%s" % (code, out, err, wanted_code, wanted)
    code, out, err = check(program, path, "--format", "json")
    *mistakes, summary = [json.loads(line) for line in out.splitlines()]
    if code != wanted_code or err or summary["fine"] != (code == 0) or not wanted.startswith("".join(map(as_text, mistakes))):
        yield "--format json: exit %d\n%s%s" % (code, out, err)
    if summary["errors"] + summary["warnings"] != len(mistakes) and len(mistakes) != 100:
        yield "--format json: %d mistakes, but %s" % (len(mistakes), summary)


def usage_faults(program):
    """Exit codes, and where things are printed."""
    for arguments, wanted_code, on_stdout in [([], 2, False), (["--nonsense"], 2, False), (["-c", "a", "b"], 2, False),
                                              (["-c", "a", "--format", "xml"], 2, False), (["--help"], 0, True),
                                              (["--events", "a"], 2, False), (["-c", "no/such/file", "--events", "a"], 1, False),
                                              (["--reference"], 0, True), (["-c", "no/such/file"], 1, True)]:
        done = subprocess.run([program, "check", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if (done.returncode, bool(done.stdout), bool(done.stderr)) != (wanted_code, on_stdout, not on_stdout):
            yield "check %s: exit %d, stdout %r, stderr %r" % (" ".join(arguments), done.returncode, done.stdout, done.stderr)


def is_the_design(path):
    """The example is the one of the design, where that is at hand."""
    shared = pathlib.Path(os.environ.get("TICKETWATCH_SHARED", HERE.parent.parent.parent / "shared"))
    design = shared / "DESIGN.md"
    return not design.exists() or path.read_text(encoding="utf-8") in design.read_text(encoding="utf-8")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program, names = str(pathlib.Path(sys.argv[1]).resolve()), sys.argv[2:]
    cases = [p for p in sorted(HERE.glob("*valid/*.yaml")) if not names or p.stem in names]
    wrong = 0
    for path in cases:
        found = list(faults(program, path))
        wrong += bool(found)
        for fault in found:
            print("FAIL %s/%s\n%s" % (path.parent.name, path.stem, fault))
    for fault in usage_faults(program):
        print("FAIL " + fault)
        wrong += 1
    if not is_the_design(HERE / "valid/design_example.yaml"):
        print("FAIL valid/design_example.yaml is no longer the example of the design")
        wrong += 1
    print("%d configurations and the usage are tried, %d wrong" % (len(cases), wrong))
    sys.exit(wrong > 0 or not cases)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""docs/configuration.md is what the program says of itself, and what it shows is accepted.

    reference.py PROGRAM
"""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MARK = re.compile(r"<!-- From here on.*?-->\n\n", re.S)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    program = str(pathlib.Path(sys.argv[1]).resolve())
    page = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    mark = MARK.search(page)
    said = subprocess.run([program, "check", "--reference"], stdout=subprocess.PIPE, check=True).stdout.decode()
    if not mark or page[mark.end():] != said:
        sys.exit("docs/configuration.md: what follows the mark is not what `check --reference` prints: put it there")
    example = re.search(r"```yaml\n(.*?)```", page, re.S).group(1)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
        f.write(example)
        f.flush()
        done = subprocess.run([program, "check", "-c", f.name], stdout=subprocess.PIPE)
    if done.returncode:
        sys.exit("the example of docs/configuration.md is refused:\n" + done.stdout.decode())
    print("docs/configuration.md is up to date")


if __name__ == "__main__":
    main()

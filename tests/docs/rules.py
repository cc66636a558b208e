#!/usr/bin/env python3
"""`check` accepts every example of docs/rules.md, and says nothing about it; it accepts config/examples/churn.yaml.

    rules.py PROGRAM
"""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    program = str(pathlib.Path(sys.argv[1]).resolve())
    examples = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/rules.md").read_text(encoding="utf-8"), re.S)
    for example in examples:
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
            f.write(example)
            f.flush()
            done = subprocess.run([program, "check", "-c", f.name], stdout=subprocess.PIPE)
        said = done.stdout.decode()
        if done.returncode or "warning" in said:
            sys.exit("an example of docs/rules.md is refused:\n%s\n%s" % (example, said))
    done = subprocess.run([program, "check", "-c", str(ROOT / "config/examples/churn.yaml")], stdout=subprocess.PIPE)
    if done.returncode:
        sys.exit(done.stdout.decode())
    print("%d examples are accepted" % len(examples))
    sys.exit(not examples)


if __name__ == "__main__":
    main()

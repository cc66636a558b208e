#!/usr/bin/env python3
"""The README's configuration is one that `check` accepts, and every file that it names is there.

    readme.py PROGRAM
"""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def main():
    faults = []
    blocks = re.findall(r"```yaml\n(.*?)```", README, re.S)
    assert blocks, "the README has no configuration to copy"
    for block in blocks:
        with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
            file.write(block)
            file.flush()
            done = subprocess.run([sys.argv[1], "check", "-c", file.name], capture_output=True, text=True)
            if done.returncode:
                faults.append("check: " + done.stdout + done.stderr)
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if not (ROOT / target).exists():
            faults.append("there is no " + target)
    print("\n".join(faults) or "the README holds")
    return bool(faults)


sys.exit(main())

#!/usr/bin/env python3
"""What `cmake --install` puts somewhere runs there, and loads nothing from the folders that it was built in.

    tests/deploy/install.py PROGRAM      as built: its folder is the build's"""
import os
import subprocess
import sys
import tempfile

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
build = os.path.dirname(os.path.realpath(sys.argv[1]))
with tempfile.TemporaryDirectory() as prefix:
    subprocess.run(["cmake", "--install", build, "--prefix", prefix], check=True, timeout=60, stdout=subprocess.DEVNULL)
    program = os.path.join(prefix, "bin", "ticketwatch")
    loaded = subprocess.run(["ldd", program], check=True, timeout=60, capture_output=True, text=True).stdout
    print(subprocess.run([program, "--version"], check=True, timeout=60, capture_output=True, text=True).stdout.strip())
    wrong = [line for line in loaded.splitlines() if "not found" in line or ROOT in line or build in line]
print(f"{len(loaded.splitlines())} libraries: {len(wrong)} of them not found, or where it was built")
print("\n".join(wrong))
sys.exit(1 if wrong else 0)

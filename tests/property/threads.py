#!/usr/bin/env python3
"""`replay` says the same, byte for byte, with one thread and with two: the record, the summary, lines that cannot be read, errors.

    threads.py PROGRAM

On the example week, on a log of three partitions with broken lines in two files of which one is cut off, by a pipe, and on the
forum's log (left out where ../shared/data, or $TICKETWATCH_SHARED/data, is not there). With -DTICKETWATCH_SANITIZE=thread
also a race would fail it.
"""
import gzip
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "examples"))
import forum_log  # noqa: E402

WEEK, CONFIG = ROOT / "examples/week/week.jsonl.gz", ROOT / "examples/week/ticketwatch.yaml"
BROKEN = [b'{"id":"cut', b"[1,2]", b"\xff\xfe", b'{"id":"x","type":"page.error"}', b"", b'"text"', b'{"id":"x","type":"t","time":1}', b"{" * 5000]
PARTITIONS, BREAK_EVERY, WAIT_S = 3, 97, 30


def replay(program, threads, arguments, stdin=None):
    """(exit code, stdout, stderr without its times)"""
    command = [program, "replay", "--threads", threads, *map(str, arguments)]
    with open(stdin or os.devnull, "rb") as log:
        done = subprocess.run(command, stdin=log, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, done.stdout, re.sub(rb" in [\d.]+ s \(\d+ a second\)", b"", done.stderr)


def same(program, what, arguments, stdin=None):
    """What one thread says, after two said the same."""
    one, two = (replay(program, threads, arguments, stdin) for threads in "12")
    for name, a, b in zip(("the exit code", "stdout", "stderr"), one, two):
        if a != b:
            sys.exit("%s: %s differs: with one thread\n%s\nwith two\n%s" % (what, name, str(a)[-2000:], str(b)[-2000:]))
    print("%s: %d lines, exit code %d" % (what, one[1].count(b"\n"), one[0]))
    return one


def partitioned(lines):
    """The lines over three partitions that they name, every so many a broken one before it."""
    for i, line in enumerate(lines):
        if i % BREAK_EVERY == 1:
            yield BROKEN[i // BREAK_EVERY % len(BROKEN)]
        yield line.rstrip()[:-1] + b',"kafka":{"topic":"t","partition":%d,"offset":%d}}' % (i * 7 % 11 % PARTITIONS, i)


def broken_logs(folder):
    """Two files: a whole one, and one in gzip that is cut off."""
    with gzip.open(WEEK) as week:
        lines = list(partitioned(week.read().splitlines()))
    first, second = folder / "first.jsonl", folder / "second.jsonl.gz"
    first.write_bytes(b"\n".join(lines[:9000]))
    second.write_bytes(gzip.compress(b"\n".join(lines[9000:15000]))[:-1000])
    return first, second


def check_broken(program, folder):
    first, second = broken_logs(folder)
    code, record, told = same(program, "broken lines", ["-c", CONFIG, "--settle", "--format", "text", first, first])
    if code or not record or b"only counted" not in told:
        sys.exit("broken lines: expected alerts and lines that were skipped: %s" % told)
    same(program, "broken lines by a pipe", ["-c", CONFIG, "-"], first)
    code, record, told = same(program, "a file that is cut off", ["-c", CONFIG, second, first])
    if code != 3 or b"are cut off at byte" not in told:
        sys.exit("a file that is cut off: exit code %d: %s" % (code, told))
    nothing = folder / "nothing.jsonl"
    nothing.write_bytes(b"\n".join(BROKEN))
    same(program, "no event at all", ["-c", CONFIG, nothing])
    same(program, "no such file", ["-c", CONFIG, first, folder / "missing"])


def check_stop(program, threads):
    """While it waits for a pipe it has as many threads as it was told, and a signal ends it."""
    with subprocess.Popen([program, "replay", "--threads", str(threads), "-c", str(CONFIG), "-"], stdin=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as running:
        running.stdin.write(b'{"id":"1","type":"t","time":"2026-03-02T09:00:00Z"}\n')
        running.stdin.flush()
        until = time.time() + WAIT_S
        while len(os.listdir("/proc/%d/task" % running.pid)) < threads and time.time() < until:
            time.sleep(0.01)
        seen = len(os.listdir("/proc/%d/task" % running.pid))
        running.send_signal(signal.SIGTERM)
        if running.wait(WAIT_S) != -signal.SIGTERM or seen < threads:
            sys.exit("%d threads of %d, exit code %d" % (seen, threads, running.returncode))


def main(args):
    if len(args) != 1:
        sys.exit(__doc__)
    program = str(pathlib.Path(args[0]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        if not same(program, "the week", ["-c", CONFIG, WEEK])[1]:
            sys.exit("the week: no alerts")
        check_broken(program, folder)
        check_stop(program, 1)
        check_stop(program, 2)
        if not forum_log.LOG.exists():
            print("the forum's log: left out, it is not there")
            return
        (folder / "forum.yaml").write_text(forum_log.CONFIG)
        same(program, "the forum's log", ["-c", folder / "forum.yaml", forum_log.LOG])


if __name__ == "__main__":
    main(sys.argv[1:])

"""How many different errors become one key, among messages that none of us wrote: the texts in this machine's programs.

    fingerprint_merges.py PROGRAM [FILE...]      prints the merged ones; exit 1: more than 1 % are; 77: too few programs here

Messages that differ in letter case or white space only are the same error. Most that are merged differ in a number
(socks4 and socks5, utf_16 and utf_32): what no rule of shapes can know.
"""
import collections
import pathlib
import re
import subprocess
import sys

PLACES = ["/usr/bin/git", "/usr/bin/redis-server", "/usr/bin/python3", "/usr/bin/node", "/usr/bin/cmake", "/usr/bin/openssl",
          "/usr/lib/*/libcurl.so.*", "/usr/lib/*/librdkafka.so.*", "/usr/lib/*/libssl.so.*", "/usr/lib/*/libcrypto.so.*"]
MESSAGE = re.compile(rb"[A-Za-z][ -~]{11,200}")
SPEAKS_OF_ERRORS = re.compile(r"fail|error|cannot|could not|invalid|unable|expected|not |missing|denied|unknown|bad |too ", re.I)
CODE = re.compile(r"[|\\{}]")
FEWEST, MOST_MERGED = 1000, 0.01


def messages(paths):
    for path in paths:
        for found in MESSAGE.findall(path.read_bytes()):
            text = found.decode()
            if " " in text and SPEAKS_OF_ERRORS.search(text) and not CODE.search(text):
                yield " ".join(text.lower().split())


def main():
    paths = [pathlib.Path(p) for p in sys.argv[2:]]
    paths = paths or sorted(found for place in PLACES for found in pathlib.Path("/").glob(place[1:]))
    texts = sorted(set(messages(p.resolve() for p in paths)))
    if len(texts) < FEWEST:
        print("SKIPPED: %d messages in the programs of this machine" % len(texts))
        sys.exit(77)
    made = subprocess.run([sys.argv[1], "fingerprint"], input="".join(t + "\n" for t in texts), stdout=subprocess.PIPE,
                          text=True, check=True).stdout.splitlines()
    assert len(made) == len(texts), "one fingerprint a line"
    errors = collections.defaultdict(list)
    for text, key in zip(texts, made):
        errors[key].append(text)
    merged = {key: of for key, of in errors.items() if len(of) > 1}
    for key, of in merged.items():
        print("%s\n    %s" % (key, "\n    ".join(of)))
    lost = sum(len(of) - 1 for of in merged.values())
    print("%d messages, %d keys: %.2f %% are taken for another" % (len(texts), len(errors), 100 * lost / len(texts)))
    sys.exit(lost > MOST_MERGED * len(texts))


main()

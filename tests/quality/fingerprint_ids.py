"""How often a random id falls out of the key that the others of its kind have, by kind of id and by the sentence.

    fingerprint_ids.py PROGRAM      prints a table of percent; exit 1 when an id that must never do so does
"""
import collections
import random
import subprocess
import sys
import uuid

DICE = random.Random(20310704)
HEX, BASE36 = "0123456789abcdef", "0123456789abcdefghijklmnopqrstuvwxyz"
BASE62, CROCKFORD = BASE36 + BASE36[10:].upper(), "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
EACH = 3000


def of(letters, n):
    return lambda: "".join(DICE.choices(letters, k=n))


IDS = {
    "hex 4": of(HEX, 4), "hex 7": of(HEX, 7), "hex 8": of(HEX, 8), "hex 12": of(HEX, 12), "hex 24": of(HEX, 24),
    "hex 32": of(HEX, 32), "uuid": lambda: str(uuid.UUID(int=DICE.getrandbits(128), version=4)),
    "ulid": lambda: "01J" + of(CROCKFORD, 23)(), "base36 8": of(BASE36, 8), "base62 8": of(BASE62, 8),
    "base62 12": of(BASE62, 12), "base62 22": of(BASE62, 22), "cus_ 14": lambda: "cus_" + of(BASE62, 14)(),
    "1..999999": lambda: str(DICE.randint(1, 999999)), "ipv4": lambda: ".".join(str(DICE.randint(0, 255)) for _ in range(4)),
    "time": lambda: "%02d:%02d:%02d" % (DICE.randint(0, 23), DICE.randint(0, 59), DICE.randint(0, 59)),
}
SENTENCES = ["failed (req %s)", "order %s missing", "id=%s", "%s not found", "GET /api/orders/%s/items failed"]
NEVER = ["hex 8", "hex 12", "hex 24", "hex 32", "uuid", "ulid", "ipv4", "time"]


def lost(program, sentence, make):
    texts = "".join(sentence % make() + "\n" for _ in range(EACH))
    keys = subprocess.run([program, "fingerprint"], input=texts, stdout=subprocess.PIPE, text=True, check=True).stdout
    return 100 - 100 * collections.Counter(keys.splitlines()).most_common(1)[0][1] / EACH


def main():
    print("%-10s" % "" + "".join("%34s" % s for s in SENTENCES))
    wrong = []
    for name, make in IDS.items():
        row = [lost(sys.argv[1], s, make) for s in SENTENCES]
        print("%-10s" % name + "".join("%34.1f" % x for x in row))
        wrong += [name] if name in NEVER and max(row) > 0 else []
    sys.exit("an id falls out of its key: " + ", ".join(wrong) if wrong else 0)


main()

"""The invented world behind the example log: Acme Billing, its customers, their languages, their hours.

Everything here is made up. Names of accounts are no real companies; ids, hosts (example.com) and addresses
(documentation ranges) belong to nobody. Chance comes from one seeded generator of which only random() is used:
its numbers are the same in every Python 3, which is not promised for shuffle(), sample() or gauss().
"""
import datetime
import random

HOUR = 3_600_000
DAY = 24 * HOUR
MINUTE = 60_000


class Dice:
    """Chance that repeats: everything is derived from random.Random(seed).random()."""

    def __init__(self, seed):
        self.random = random.Random(seed).random

    def chance(self, probability):
        return self.random() < probability

    def between(self, low, high):
        """A whole number in [low, high]."""
        return low + int(self.random() * (high - low + 1))

    def pick(self, items):
        return items[int(self.random() * len(items))]

    def weighted(self, pairs):
        """pairs: (value, weight) ..."""
        left = self.random() * sum(w for _, w in pairs)
        for value, weight in pairs:
            left -= weight
            if left < 0:
                return value
        return pairs[-1][0]

    def moments(self, start, length, expected):
        """Times in [start, start + length), about `expected` of them, independent of each other."""
        slots = max(20, int(expected * 4) + 1)
        for slot in range(slots):
            if self.random() < expected / slots:
                yield int(start + (slot + self.random()) * length / slots)

    def hex(self, digits):
        return "".join("0123456789abcdef"[int(self.random() * 16)] for _ in range(digits))

    def uuid(self):
        return "-".join(self.hex(n) for n in (8, 4, 4, 4, 12))


def last_sunday(year, month):
    day = datetime.date(year, month, 31)
    return day.day - (day.weekday() + 1) % 7


def berlin_hours(ms):
    """Hours of Europe/Berlin ahead of UTC: 2 from the last Sunday of March to that of October, 01:00 UTC."""
    when = datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc)
    at = (when.month, when.day, when.hour)
    summer = (3, last_sunday(when.year, 3), 1) <= at < (10, last_sunday(when.year, 10), 1)
    return 2 if summer else 1


def local(ms, offset_hours=0):
    """(weekday, hour) in Berlin, or `offset_hours` east of it. Monday is 0."""
    hours = ms // HOUR + berlin_hours(ms) + offset_hours
    return (hours // 24 + 3) % 7, hours % 24  # 1970-01-01 was a Thursday


#         0     1     2     3     4     5    6    7   8    9   10   11   12   13   14   15   16   17
RHYTHM = [.04, .03, .02, .02, .03, .06, .15, .4, .9, 1.3, 1.5, 1.3, .9, 1.2, 1.4, 1.2, 1.0, .6,
          .35, .25, .2, .15, .1, .06]


def rhythm(ms, offset_hours=0):
    """How busy an hour is: about 1 in working hours, next to nothing at night, little at weekends."""
    weekday, hour = local(ms, offset_hours)
    return RHYTHM[hour] * (1.15 if weekday == 0 else 1 if weekday < 5 else 0.16)


def next_shift(ms, dice):
    """When support works: Monday to Friday 8 to 18, weekends 10 to 14, else soon after the next shift begins."""
    moved = False
    while True:
        weekday, hour = local(ms)
        if (8 <= hour < 18) if weekday < 5 else (10 <= hour < 14):
            return ms + (dice.between(1, 70) * MINUTE if moved else 0)
        ms, moved = (ms // HOUR + 1) * HOUR, True


TIERS = {  # tier: (tickets and usage compared with a team account, monthly revenue from, to)
    "free": (0.4, 0, 0), "team": (1, 90, 600), "business": (2.2, 900, 4500), "enterprise": (6, 9000, 32000)}
OWNERS = ["70123456", "70123461", "70123478", "70123502", "70123519"]  # account managers, as HubSpot numbers them
ZONES = {"ja": 8, "ar": 2, "en": 0, "us": -6}  # hours east of Berlin

ACCOUNTS = """
enterprise: birkenhof|Birkenhof Lebensmittel|de veloria|Veloria Mode|fr kestrel-air|Kestrel Air Freight|en
 marisol|Grupo Marisol|es tanaka-kiln|田中窯業|ja oakline|Oakline Insurance|us
business: falkenberg|Falkenberg Maschinenbau|de lindner|Lindner & Töchter|de nordlicht|Nordlicht Optik|de
 papeterie|Papeterie du Canal|fr atelier-nova|Atelier Nova|fr sierra-luz|Sierra Luz Energía|es zielony|Zielony Młyn|pl
 bursztyn|Bursztyn Logistyka|pl hartwell|Hartwell Dental|en quillon|Quillon Press|en brightfen|Brightfen Seeds|en
 hoshino|星野印刷|ja alnoor|النور للتجارة|ar tidewater|Tidewater Kayaks|us
team: apfelbaum|Apfelbaum Kitas|de bergblick|Bergblick Hütten|de dachs|Dachs Dachdecker|de eulenspiegel|Eulenspiegel Theater|de
 funkhaus|Funkhaus Süd|de gruenwerk|Grünwerk Gärten|de hafenbaeckerei|Hafenbäckerei|de igelschutz|Igelschutz e.V.|de
 petit-pont|Petit Pont|fr montclair|Cycles Montclair|fr lavandin|Lavandin Bio|fr olivar|Olivar Hermanos|es
 cometa|Librería Cometa|es jaskolka|Jaskółka Taxi|pl wisla|Wisła Kajaki|pl copperleaf|Copperleaf Tea|en
 dovetail|Dovetail Joinery|en emberly|Emberly Candles|en foxglove|Foxglove Vets|en sakura-do|桜堂|ja
 redwood|Redwood Tutors|us prairie|Prairie Bikes|us
free: kleeblatt|Kleeblatt Verein|de lotse|Lotse Nachhilfe|de muschel|Muschel Café|de nachteule|Nachteule Podcast|de
 ruban|Ruban Couture|fr souris|Souris Verte|fr tejado|Tejado Rojo|es uva|Uva y Pan|es zubr|Żubr Rowery|pl
 harbourlight|Harbourlight Choir|en inkwell|Inkwell Zines|en juniper|Juniper Yoga|en kitebird|Kitebird Kites|en
 larkspur|Larkspur Florist|en mizu|水工房|ja zahra|زهرة|ar pinecone|Pinecone Camp|us saltmarsh|Saltmarsh Radio|us
"""


def read_accounts(dice):
    accounts, tier = [], ""
    for line in ACCOUNTS.strip().split("\n"):
        if not line.startswith(" "):
            tier, line = line.split(":", 1)
        weight, low, high = TIERS[tier]
        for ident, name, tongue in split_cells(line):
            accounts.append({
                "id": ident, "name": name, "tier": tier, "mrr": dice.between(low, high) // 10 * 10,
                "renewal": "2026-%02d-%02d" % (dice.between(4, 12), dice.between(1, 28)),
                "owner": dice.pick(OWNERS), "weight": weight, "tongue": tongue.replace("us", "en"),
                "offset": ZONES.get(tongue, 0), "users": dice.between(2, 5) + int(weight * 5)})
    return accounts


def split_cells(line):
    """'a|Name With Blanks|de b|Other|fr' -> triples: the language's two letters end a cell."""
    words, cell = line.split(), []
    for word in words:
        cell.append(word)
        if "|" in word and word.rsplit("|", 1)[1] in ("de", "fr", "en", "us", "es", "pl", "ja", "ar"):
            yield " ".join(cell).split("|")
            cell = []


def card(account):
    """The account as an event carries it."""
    return {k: account[k] for k in ("id", "name", "tier", "mrr", "renewal", "owner")}


def user_of(account, dice):
    return "u-%s-%d" % (account["id"], dice.between(1, account["users"]))

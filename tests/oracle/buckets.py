"""Buckets of event time, from docs/rules.md: of one width since 1970 UTC, or days, weeks and months in a zone.

A day begins at the first minute at which the clock on the wall shows it or a later one: it is looked for minute by minute.
"""
import datetime
import re
import zoneinfo

UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
DAY = UNITS["d"]
FIRST = datetime.date(1970, 1, 1).toordinal()


def duration(text):
    parts = re.findall(r"(\d+)(ms|s|m|h|d|w)", text)
    assert parts and "".join(a + b for a, b in parts) == text, text
    return sum(int(a) * UNITS[b] for a, b in parts)


def duration_text(ms):
    text = ""
    for unit in ("d", "h", "m", "s", "ms"):
        text += "%d%s" % (ms // UNITS[unit], unit) if ms >= UNITS[unit] else ""
        ms %= UNITS[unit]
    return text


class Buckets:
    def __init__(self, text, zone):
        self.zone, self.known = zoneinfo.ZoneInfo(zone), {}
        self.width = 30 * DAY if text == "month" else duration(text)  # so many of them a history holds
        self.unit = "month" if text == "month" else {DAY: "day", 7 * DAY: "week"}.get(self.width)
        self.text = "month" if self.unit == "month" else duration_text(self.width)
        self.longest = self.width + 2 * DAY

    def date(self, time):
        return datetime.datetime.fromtimestamp(time // 1000, self.zone).date()

    def day_start(self, day):
        if day not in self.known:
            minute = day * DAY - 26 * UNITS["h"]
            while self.date(minute).toordinal() - FIRST < day:
                minute += UNITS["m"]
            self.known[day] = minute
        return self.known[day]

    def start(self, cell):
        if not self.unit:
            return cell * self.width
        if self.unit == "month":
            return self.day_start(datetime.date(1970 + cell // 12, cell % 12 + 1, 1).toordinal() - FIRST)
        return self.day_start(cell if self.unit == "day" else 7 * cell - 3)  # 1970-01-01 was a Thursday

    def cell(self, time):
        if not self.unit:
            return time // self.width
        date = self.date(time)
        day = date.toordinal() - FIRST
        cell = {"day": day, "week": (day + 3) // 7, "month": (date.year - 1970) * 12 + date.month - 1}[self.unit]
        return cell + (self.start(cell + 1) <= time)

    def weekday(self, cell):
        return (cell + 3) % 7

    def hour(self, cell):
        """Weekday and hour at which it begins, on the wall."""
        when = datetime.datetime.fromtimestamp(self.start(cell) // 1000, self.zone)
        return when.weekday(), when.hour

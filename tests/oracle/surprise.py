"""method: surprise of the kind `anomaly`, from docs/rules.md."""
import math
import struct

HALF_HOUR, PERIODS, MEAN_OF, REST = 1_800_000, 14, 48, 100


def kept(value):
    """What a window keeps of a value: the upper half of a float, rounded to even."""
    bits, = struct.unpack("<I", struct.pack("<f", value))
    return struct.unpack("<f", struct.pack("<I", bits + 0x7FFF + (bits >> 16 & 1) & 0xFFFF0000))[0]


def unusual(times, values, period):
    out = [0]
    for i in range(1, len(values)):
        same = [values[j] for j in range(i) for p in range(1, PERIODS + 1) if period and abs(times[j] - (times[i] - p * period)) <= HALF_HOUR]
        same = same or values[max(0, i - MEAN_OF):i]
        out.append(values[i] - math.fsum(same) / len(same))
    return out


def smooth(view):
    return [math.fsum(view[max(0, i + 1 - MEAN_OF):i + 1]) / min(i + 1, MEAN_OF) for i in range(len(view))]


def beyond(seen, x, least):
    low, high = min(seen), max(seen)
    return math.log1p(max(x - high, low - x, 0) / max(high - low, least))


def surprise(times, values, reach, period, least):
    """Of the last value; all are as kept. No range is narrower than `least`."""
    off = unusual(times, values, period)
    steps = [0] + [abs(b - a) for a, b in zip(values, values[1:])]
    views = [values, off, smooth(off), smooth(steps)]
    n = len(values)
    first = max(1, reach // 8, n - 1 - min(REST, reach))
    news = [sum(beyond(view[max(0, i - reach):i], view[i], least) for view in views) for i in range(first, n)]
    return max(0, news[-1] - max([0] + news[:-1])) if news else 0

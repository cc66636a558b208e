/* Numbers that measure something. A size of "512 MB" is "1.5 GB" the next time, so
 * sizes and durations are one placeholder with their unit. Where any other unit, a
 * percent sign or a currency says that a number measures, or where it stands behind =
 * or a colon, its decimal places say nothing: 12 and 12.5 are both <int>. */
#include "core/fingerprint_measure.h"

#include "core/fingerprint_take.h"
#include "core/fingerprint_word.h"

enum unit { UNIT_NONE, UNIT_TIME, UNIT_SIZE, UNIT_OTHER };
static const char *const placeholders[] = {NULL, "<duration>", "<size>", "<int>"};

struct unit_row {
    char word[SCAN_WORD_BYTES];
    enum unit unit;
};

/* Both sorted. */
static const struct unit_row units[] = {
    {"b", UNIT_SIZE},       {"byte", UNIT_SIZE},         {"bytes", UNIT_SIZE},
    {"chf", UNIT_OTHER},    {"day", UNIT_TIME},          {"days", UNIT_TIME},
    {"em", UNIT_OTHER},     {"eur", UNIT_OTHER},         {"gb", UNIT_SIZE},
    {"gbp", UNIT_OTHER},    {"ghz", UNIT_OTHER},         {"gib", UNIT_SIZE},
    {"h", UNIT_TIME},       {"hour", UNIT_TIME},         {"hours", UNIT_TIME},
    {"hr", UNIT_TIME},      {"hrs", UNIT_TIME},          {"hz", UNIT_OTHER},
    {"kb", UNIT_SIZE},      {"kib", UNIT_SIZE},          {"mb", UNIT_SIZE},
    {"mhz", UNIT_OTHER},    {"mib", UNIT_SIZE},          {"microseconds", UNIT_TIME},
    {"millis", UNIT_TIME},  {"milliseconds", UNIT_TIME}, {"min", UNIT_TIME},
    {"mins", UNIT_TIME},    {"minute", UNIT_TIME},       {"minutes", UNIT_TIME},
    {"month", UNIT_TIME},   {"months", UNIT_TIME},       {"ms", UNIT_TIME},
    {"ns", UNIT_TIME},      {"pt", UNIT_OTHER},          {"px", UNIT_OTHER},
    {"s", UNIT_TIME},       {"sec", UNIT_TIME},          {"second", UNIT_TIME},
    {"seconds", UNIT_TIME}, {"secs", UNIT_TIME},         {"tb", UNIT_SIZE},
    {"tib", UNIT_SIZE},     {"us", UNIT_TIME},           {"usd", UNIT_OTHER},
    {"v", UNIT_OTHER},      {"w", UNIT_OTHER},           {"week", UNIT_TIME},
    {"weeks", UNIT_TIME},   {"x", UNIT_OTHER},           {"year", UNIT_TIME},
    {"years", UNIT_TIME}};
/* Only right behind a number: 64K; 5m is minutes. */
static const struct unit_row joined_units[] = {
    {"g", UNIT_SIZE}, {"k", UNIT_SIZE}, {"m", UNIT_TIME}, {"t", UNIT_SIZE}};

enum { UNIT_BYTES_MAX = 13 };

/* A unit of time at p: its length, 0 when there is none. */
static size_t time_unit(const byte *p, const byte *end)
{
    static const char *const names[] = {"hours", "mins", "secs", "min", "sec",
                                        "hrs",   "hr",   "ms",   "us",  "ns",
                                        "s",     "m",    "h"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t n = strlen(names[i]), same = 0;
        while (same < n && p + same < end && fold_ascii(p[same]) == (byte)names[i][same])
            same++;
        if (same == n && (p + n == end || !(scan_classes[p[n]] & CHAR_LETTER)))
            return n;
    }
    return 0;
}

bool measure_is_duration(const byte *p, const byte *end)
{
    while (p < end) {
        const byte *digits = p;
        while (p < end && scan_classes[*p] & CHAR_DIGIT)
            p++;
        size_t unit = p > digits ? time_unit(p, end) : 0;
        if (unit == 0)
            return false;
        p += unit;
    }
    return true;
}

static enum unit unit_named(const byte *p, size_t n, bool joined)
{
    const struct unit_row *row = SCAN_ROW(p, n, units);
    if (!row && joined)
        row = SCAN_ROW(p, n, joined_units);
    return row ? row->unit : UNIT_NONE;
}

bool measure_is_unit(const byte *p, size_t n)
{
    return unit_named(p, n, true) != UNIT_NONE;
}

bool measure_is_micro(const struct scan *s, const byte *p)
{
    return scan_class(s, p) & CHAR_HIGH &&
           (scan_is(s, p, "\xC2\xB5s") || scan_is(s, p, "\xCE\xBCs")) &&
           !(scan_class(s, p + 3) & CHAR_WORD);
}

const byte *measure_fraction(const struct scan *s, const byte *p)
{
    if (!scan_at(s, p, '.') || !(scan_class(s, p + 1) & CHAR_DIGIT))
        return NULL;
    p = scan_run(s, p + 1, CHAR_DIGIT);
    if (!scan_at(s, p, 'e') && !scan_at(s, p, 'E'))
        return p;
    const byte *exponent = p + 1;
    if (scan_at(s, exponent, '-') || scan_at(s, exponent, '+'))
        exponent++;
    const byte *end = scan_run(s, exponent, CHAR_DIGIT);
    return end > exponent && !(scan_class(s, end) & CHAR_WORD) ? end : p;
}

struct number {
    const byte *end;
    bool plain; /* digits only */
};

/* 12, 12.5, 1,204,311.50 */
static struct number read_number(const struct scan *s, const byte *p)
{
    const byte *whole = scan_run(s, p, CHAR_DIGIT), *end = whole;
    for (; whole - p <= 3 && scan_at(s, end, ','); end += 4)
        if (scan_run(s, end + 1, CHAR_DIGIT) - end != 4)
            break;
    const byte *fraction = measure_fraction(s, end);
    return (struct number){fraction ? fraction : end, !fraction && end == whole};
}

/* Behind a currency's sign: $ or one of U+20A0 to U+20BF, pound or yen. */
static bool behind_currency(const struct scan *s, const byte *p)
{
    if (scan_after(s, p, "$"))
        return true;
    if (p - s->begin > 2 && p[-3] == 0xE2 && p[-2] == 0x82)
        return p[-1] >= 0xA0;
    return p - s->begin > 1 && p[-2] == 0xC2 && (p[-1] == 0xA3 || p[-1] == 0xA5);
}

/* Behind = or behind a name and a colon, a sign between or not. */
static bool behind_name(const struct scan *s, const byte *p)
{
    p -= scan_after(s, p, "+-");
    while (scan_before(s, p) & CHAR_SPACE)
        p--;
    if (scan_after(s, p, ":"))
        return scan_before(s, p - 1) & CHAR_LETTER || scan_after(s, p - 1, "\"'");
    return scan_after(s, p, "=");
}

/* The unit of the number that ends at *p, which moves behind the unit. */
static enum unit read_unit(const struct scan *s, const byte **p)
{
    if (!(scan_class(s, *p) & (CHAR_SPACE | CHAR_LETTER | CHAR_HIGH)))
        return UNIT_NONE;
    const byte *unit = scan_run(s, *p, CHAR_SPACE), *after = unit;
    while (scan_class(s, after) & CHAR_LETTER && after - unit < UNIT_BYTES_MAX)
        after++;
    enum unit kind = UNIT_NONE;
    if (measure_is_micro(s, unit)) {
        kind = UNIT_TIME;
        after = unit + 3;
    } else if (after > unit && scan_ends(s, after) &&
               !(scan_class(s, after) & CHAR_HIGH)) {
        kind = unit_named(unit, (size_t)(after - unit), unit == *p);
    }
    *p = kind == UNIT_NONE || kind == UNIT_OTHER ? *p : after;
    return kind;
}

/* "1536 bytes (1.5 KB)": the same again, in another unit. */
static const byte *skip_same(const struct scan *s, const byte *p, enum unit kind)
{
    const byte *again = p + 2;
    if (kind == UNIT_OTHER || !scan_is(s, p, " (") ||
        !(scan_class(s, again) & CHAR_DIGIT))
        return p;
    again = read_number(s, again).end;
    return read_unit(s, &again) == kind && scan_at(s, again, ')') ? again + 1 : p;
}

/* 1234567b may be hexadecimal, and behind "session" 12k is no size. */
static bool may_be_id(struct scan *s)
{
    bool hex = s->word_n >= WORD_HEX_LETTERS_MIN && s->seen & CHAR_AF &&
               !(s->seen & (CHAR_GZ | CHAR_UNDER));
    return hex || context_of(s, s->at, s->word_n) == CONTEXT_ID;
}

/* With its unit, when one follows: how many bytes it was, 0 when none does. */
static size_t take_with_unit(struct scan *s, const byte *end)
{
    enum unit kind = read_unit(s, &end);
    if (kind == UNIT_NONE || may_be_id(s))
        return 0;
    scan_put(s, placeholders[kind]);
    return (size_t)(skip_same(s, end, kind) - s->at);
}

/* "uptime 00:05", "elapsed 2:10:15.5": what passed, told as a clock tells it. */
static size_t take_clock(struct scan *s, const byte *end)
{
    int parts = 0;
    for (; parts < 2 && scan_at(s, end, ':'); parts++, end += 3)
        if (scan_run(s, end + 1, CHAR_DIGIT) - end != 3)
            return 0;
    const byte *fraction = measure_fraction(s, end);
    end = fraction ? fraction : end;
    if (parts == 0 || !scan_ends(s, end) || scan_at(s, end, ':') ||
        context_of(s, s->at, s->word_n) != CONTEXT_SPAN)
        return 0;
    scan_put(s, "<duration>");
    return (size_t)(end - s->at);
}

size_t take_measure(struct scan *s)
{
    const byte *p = s->at;
    if (!scan_begins(s, p) || scan_after(s, p, "."))
        return 0;
    struct number number = read_number(s, p);
    const byte *end = number.end;
    if (scan_at(s, end, '.') && scan_class(s, end + 1) & CHAR_DIGIT)
        return 0;
    size_t n = number.plain ? take_clock(s, end) : 0;
    n = n ? n : take_with_unit(s, end);
    if (n || number.plain)
        return n;
    bool percent = scan_at(s, scan_run(s, end, CHAR_SPACE), '%');
    if (!scan_ends(s, end) || !(percent || behind_currency(s, p) || behind_name(s, p)))
        return 0;
    scan_put(s, "<int>");
    return (size_t)(end - p);
}

/* Dates and times of day. Readers take the position where something should stand and
 * return the one behind it, or NULL. Hours and minutes alone are no time: "10:61" may
 * stand in the same place as "10:20" (a line and a column), and then one key would
 * become two. */
#include "core/fingerprint_take.h"

enum { COMPACT_MIN = 13 };

static const char *const months[] = {"january",   "february", "march",    "april",
                                     "may",       "june",     "july",     "august",
                                     "september", "october",  "november", "december"};
static const char *const weekdays[] = {"monday", "tuesday",  "wednesday", "thursday",
                                       "friday", "saturday", "sunday"};
static const char zones[][SCAN_WORD_BYTES] = {
    "bst", "cdt", "cest", "cet", "cst", "edt", "eest", "eet", "est", "gmt", "ist",
    "jst", "kst", "mdt",  "msk", "mst", "pdt", "pst",  "utc", "wet", "z"};

#define KEY(a, b, c) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16)

static uint32_t key_of(const byte *p)
{
    return KEY(fold_ascii(p[0]), fold_ascii(p[1]), fold_ascii(p[2]));
}

/* Three letters: every word of a text may be asked about. */
static bool starts_month(uint32_t key)
{
    switch (key) {
    case KEY('j', 'a', 'n'):
    case KEY('f', 'e', 'b'):
    case KEY('m', 'a', 'r'):
    case KEY('a', 'p', 'r'):
    case KEY('m', 'a', 'y'):
    case KEY('j', 'u', 'n'):
    case KEY('j', 'u', 'l'):
    case KEY('a', 'u', 'g'):
    case KEY('s', 'e', 'p'):
    case KEY('o', 'c', 't'):
    case KEY('n', 'o', 'v'):
    case KEY('d', 'e', 'c'):
        return true;
    default:
        return false;
    }
}

static bool starts_weekday(uint32_t key)
{
    switch (key) {
    case KEY('m', 'o', 'n'):
    case KEY('t', 'u', 'e'):
    case KEY('w', 'e', 'd'):
    case KEY('t', 'h', 'u'):
    case KEY('f', 'r', 'i'):
    case KEY('s', 'a', 't'):
    case KEY('s', 'u', 'n'):
        return true;
    default:
        return false;
    }
}

/* The whole name or its first three letters (four for "sept"). */
static bool names(const byte *p, size_t n, const char *const *table, size_t rows)
{
    if (n < 3 || n > 9)
        return false;
    for (size_t i = 0; i < rows; i++) {
        size_t same = 0;
        while (same < n && table[i][same] && fold_ascii(p[same]) == (byte)table[i][same])
            same++;
        if (same == n && (n <= 4 || !table[i][n]))
            return n == 3 || !table[i][n] || table[i][0] == 's';
    }
    return false;
}

static bool is_month(const byte *p, size_t n)
{
    return n >= 3 && starts_month(key_of(p)) && names(p, n, months, 12);
}

static bool is_weekday(const byte *p, size_t n)
{
    return n >= 3 && starts_weekday(key_of(p)) && names(p, n, weekdays, 7);
}

bool date_word(const byte *p, size_t n)
{
    if (n < 3 || n > 9)
        return false;
    uint32_t key = key_of(p);
    return (starts_month(key) && is_month(p, n)) ||
           (starts_weekday(key) && is_weekday(p, n));
}

/* A number of min to max digits, within low..high. */
struct span {
    int min, max, low, high;
};
static const struct span year4 = {4, 4, 1900, 2199}, year2 = {2, 2, 0, 99};
static const struct span month = {1, 2, 1, 12}, day = {1, 2, 1, 31};
static const struct span month2 = {2, 2, 1, 12}, day2 = {2, 2, 1, 31};
static const struct span hour = {1, 2, 0, 23}, hour2 = {2, 2, 0, 23},
                         sixty = {2, 2, 0, 60};

static const byte *read_number(const struct scan *s, const byte *p, struct span span)
{
    if (!p)
        return NULL;
    int digits = 0, value = 0;
    for (; digits < span.max && scan_class(s, p) & CHAR_DIGIT; digits++)
        value = value * 10 + (*p++ - '0');
    return digits >= span.min && value >= span.low && value <= span.high ? p : NULL;
}

static const byte *read_char(const struct scan *s, const byte *p, char c)
{
    return p && scan_at(s, p, c) ? p + 1 : NULL;
}

static const byte *skip_char(const struct scan *s, const byte *p, char c)
{
    return scan_at(s, p, c) ? p + 1 : p;
}

static bool ends(const struct scan *s, const byte *p)
{
    return p && !(scan_class(s, p) & CHAR_ALNUM);
}

static const byte *read_name(const struct scan *s, const byte *p,
                             bool (*known)(const byte *, size_t))
{
    if (!p)
        return NULL;
    const byte *end = p;
    while (end - p < 10 && scan_class(s, end) & CHAR_LETTER)
        end++;
    return known(p, (size_t)(end - p)) ? end : NULL;
}

/* Z, UTC, +02:00, GMT+0200, EDT, with or without a space before. */
static const byte *skip_zone(const struct scan *s, const byte *p)
{
    const byte *zone = skip_char(s, p, ' ');
    const byte *end = zone;
    while (end - zone < 5 && scan_class(s, end) & CHAR_LETTER)
        end++;
    if (end > zone && SCAN_WORD_IN(zone, (size_t)(end - zone), zones))
        p = zone = end;
    if (!scan_at(s, zone, '+') && !scan_at(s, zone, '-'))
        return p;
    const byte *offset = read_number(s, zone + 1, hour2);
    if (!offset)
        return p;
    const byte *minutes = read_number(s, skip_char(s, offset, ':'), sixty);
    return ends(s, minutes) ? minutes : ends(s, offset) ? offset : p;
}

static const byte *skip_fraction(const struct scan *s, const byte *p)
{
    if ((scan_at(s, p, '.') || scan_at(s, p, ',')) && scan_class(s, p + 1) & CHAR_DIGIT)
        return scan_run(s, p + 1, CHAR_DIGIT);
    return p;
}

static const byte *read_half(const struct scan *s, const byte *p)
{
    p = skip_char(s, p, ' ');
    if (scan_is(s, p, "am") || scan_is(s, p, "pm"))
        return ends(s, p + 2) ? p + 2 : NULL;
    return NULL;
}

/* 09:10:11.123Z, 9:10 PM; with `minutes_do`, behind a date, also 09:10. */
static const byte *read_time(const struct scan *s, const byte *p, bool minutes_do)
{
    const byte *minutes =
        read_number(s, read_char(s, read_number(s, p, hour), ':'), sixty);
    if (!minutes)
        return NULL;
    const byte *end = read_number(s, read_char(s, minutes, ':'), sixty);
    if (end)
        end = skip_fraction(s, end);
    const byte *half = read_half(s, end ? end : minutes);
    if (half)
        return half;
    if (!end && minutes_do && !scan_at(s, minutes, ':'))
        end = minutes;
    if (!end)
        return NULL;
    end = skip_zone(s, end);
    return ends(s, end) && !scan_at(s, end, ':') ? end : NULL;
}

/* 2031-07-04, 2031/7/4 */
static const byte *read_year_first(const struct scan *s, const byte *p)
{
    p = read_number(s, p, year4);
    if (!p || (!scan_at(s, p, '-') && !scan_at(s, p, '/') && !scan_at(s, p, '.')))
        return NULL;
    char dash = (char)*p;
    p = read_number(s, p + 1, month);
    return read_number(s, read_char(s, p, dash), day);
}

/* 4.7.2031, 07/04/2031, 04-07-2031: whichever of the two the month is */
static const byte *read_year_last(const struct scan *s, const byte *p)
{
    const byte *first = read_number(s, p, day);
    if (!first ||
        (!scan_at(s, first, '-') && !scan_at(s, first, '/') && !scan_at(s, first, '.')))
        return NULL;
    char dash = (char)*first;
    const byte *second = read_number(s, first + 1, month);
    if (!second && read_number(s, p, month) == first)
        second = read_number(s, first + 1, day);
    return read_number(s, read_char(s, second, dash), year4);
}

/* 20310704T091011Z */
static const byte *read_compact(const struct scan *s, const byte *p)
{
    p = read_number(s, read_number(s, read_number(s, p, year4), month2), day2);
    if (!p || (!scan_at(s, p, 'T') && !scan_at(s, p, 't')))
        return NULL;
    p = read_number(s, read_number(s, p + 1, hour2), sixty);
    if (!p)
        return NULL;
    const byte *seconds = read_number(s, p, sixty);
    return skip_zone(s, skip_fraction(s, seconds ? seconds : p));
}

/* " 2031", ", 2031", "-31" */
static const byte *read_year(const struct scan *s, const byte *p, char dash)
{
    p = dash == ' ' ? skip_char(s, p, ',') : p;
    p = read_char(s, p, dash);
    const byte *end = read_number(s, p, year4);
    return ends(s, end) ? end : dash == '-' ? read_number(s, p, year2) : NULL;
}

/* 04 Jul 2031, 4-Jul-31 */
static const byte *read_day_month(const struct scan *s, const byte *p)
{
    p = read_number(s, p, day);
    if (!p || (!scan_at(s, p, ' ') && !scan_at(s, p, '-')))
        return NULL;
    char dash = (char)*p;
    p = read_name(s, p + 1, is_month);
    return p ? read_year(s, p, dash) : NULL;
}

/* Jul 04 2031, July 4, 2031, and before a time also Jul 4 */
static const byte *read_month_day(const struct scan *s, const byte *p)
{
    p = read_name(s, p, is_month);
    p = p ? read_char(s, skip_char(s, p, '.'), ' ') : NULL;
    p = p ? read_number(s, skip_char(s, p, ' '), day) : NULL;
    if (!p)
        return NULL;
    const byte *year = read_year(s, p, ' ');
    if (year)
        return year;
    return scan_at(s, p, ' ') && read_time(s, p + 1, false) ? p : NULL;
}

static const byte *read_named(const struct scan *s, const byte *p)
{
    const byte *end = read_name(s, p, is_weekday);
    if (end) {
        p = read_char(s, skip_char(s, end, ','), ' ');
        if (!p)
            return NULL;
    }
    end = read_day_month(s, p);
    return end ? end : read_month_day(s, p);
}

static const byte *read_day(const struct scan *s, const byte *p)
{
    static const byte *(*const readers[])(const struct scan *, const byte *) = {
        read_year_first, read_year_last, read_named};
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        const byte *end = readers[i](s, p);
        if (ends(s, end) || (end && (scan_at(s, end, 'T') || scan_at(s, end, 't'))))
            return end;
    }
    return NULL;
}

/* A time behind the date, and a year behind that (Sat May 8 09:04:50 EDT 2004). */
static const byte *skip_time(const struct scan *s, const byte *day_end)
{
    const byte *p = skip_char(s, day_end, ',');
    if (scan_at(s, p, ' ') || scan_at(s, p, '_') || scan_at(s, p, 'T') ||
        scan_at(s, p, 't'))
        p = read_time(s, p + 1, true);
    else
        p = NULL;
    if (!p)
        return day_end;
    const byte *year = read_year(s, p, ' ');
    return year ? year : p;
}

/* By the word alone: a name, up to four digits, or 20310704T0910. */
static bool may_start(const struct scan *s)
{
    if (scan_class(s, s->at) & CHAR_LETTER)
        return date_word(s->at, s->word_n);
    return s->seen & ~(unsigned)CHAR_DIGIT ? s->word_n >= COMPACT_MIN : s->word_n <= 4;
}

size_t take_date(struct scan *s)
{
    const byte *p = s->at;
    unsigned before = scan_before(s, p);
    if (!may_start(s) || !scan_begins(s, p))
        return 0;
    const byte *end = read_compact(s, p);
    if (!end) {
        end = read_day(s, p);
        end = end ? skip_time(s, end) : NULL;
    }
    if (!end && !(before && (p[-1] == ':' || p[-1] == '.')))
        end = read_time(s, p, false);
    if (!ends(s, end))
        return 0;
    scan_put(s, "<date>");
    return (size_t)(end - p);
}

/* Civil dates by the days-from-civil algorithm (Howard Hinnant, "chrono-Compatible Low-Level
 * Date Algorithms"): exact for every year, no locale, no time zone database. */
#include "core/timefmt.h"

#include <endian.h>
#include <stdio.h>

enum { MS_PER_S = 1000, MS_PER_DAY = 86400000 };

/* Of a year that is written, so not negative. Years begin in March, and 400 of them earlier, so that none is below 0. */
static int64_t days_from_civil(uint64_t y, uint64_t m, uint64_t d)
{
    y += m > 2 ? 400 : 399;
    uint64_t doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    return (int64_t)(y * 365 + y / 4 - y / 100 + y / 400 + doy) - 719468 - 146097;
}

static void civil_from_days(int64_t z, int64_t *y, int64_t *m, int64_t *d)
{
    z += 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    *d = doy - (153 * mp + 2) / 5 + 1;
    *m = mp < 10 ? mp + 3 : mp - 9;
    *y = yoe + era * 400 + (*m <= 2);
}

static uint64_t days_of_month(uint64_t y, uint64_t m)
{
    static const uint64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    return days[m - 1] + (m == 2 && leap);
}

/* Takes exactly n digits off the front. */
static inline bool digits(struct str *s, size_t n, uint64_t *v)
{
    if (s->n < n)
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(s->p[i] - '0');
    }
    *v = value;
    s->p += n;
    s->n -= n;
    return true;
}

static inline bool literal(struct str *s, const char *any_of)
{
    while (s->n && *any_of && *any_of != s->p[0])
        any_of++;
    if (s->n == 0 || *any_of == '\0')
        return false;
    s->p++;
    s->n--;
    return true;
}

static bool fraction(struct str *s, uint64_t *ms)
{
    uint64_t scale = 100, digit;
    *ms = 0;
    if (!literal(s, ".,"))
        return true;
    if (s->n == 0 || s->p[0] < '0' || s->p[0] > '9')
        return false;
    while (s->n && s->p[0] >= '0' && s->p[0] <= '9') {
        if (!digits(s, 1, &digit))
            return false;
        *ms += digit * scale;
        scale /= 10;
    }
    return true;
}

static bool offset(struct str *s, int64_t *offset_ms)
{
    uint64_t h, m;
    *offset_ms = 0;
    if (literal(s, "Zz"))
        return s->n == 0;
    bool minus = s->n && s->p[0] == '-';
    if (!literal(s, "+-") || !digits(s, 2, &h))
        return false;
    (void)literal(s, ":");
    if (!digits(s, 2, &m) || s->n || h > 23 || m > 59)
        return false;
    *offset_ms = (int64_t)((h * 60 + m) * 60 * MS_PER_S) * (minus ? -1 : 1);
    return true;
}

static bool epoch_parse(struct str s, int64_t *ms)
{
    uint64_t number;
    if (s.n < 9 || s.n > 15 || !digits(&s, s.n, &number))
        return false;
    *ms = (int64_t)number;
    return true;
}

/* A time as it is written. */
struct written {
    uint64_t y, mo, d, h, mi, sec, frac_ms;
    int64_t offset_ms;
};

static bool read_any(struct str s, struct written *w)
{
    return digits(&s, 4, &w->y) && literal(&s, "-") && digits(&s, 2, &w->mo) &&
           literal(&s, "-") && digits(&s, 2, &w->d) && literal(&s, "Tt ") &&
           digits(&s, 2, &w->h) && literal(&s, ":") && digits(&s, 2, &w->mi) &&
           literal(&s, ":") && digits(&s, 2, &w->sec) && fraction(&s, &w->frac_ms) &&
           offset(&s, &w->offset_ms);
}

/* Eight characters: a digit where `form` has a zero, else what it has. `carry` is what makes sixteen of the least value that
 * is wrong there: 6 for digits, 15 for the others. What is read is the numbers that two at a time make, the first in the
 * lowest byte; what is no digit is a 0. */
static inline bool read_8(const char *p, const char *form, const char *carry,
                          uint64_t *pairs)
{
    uint64_t text, right, more, digits;
    memcpy(&text, p, sizeof text);
    memcpy(&right, form, sizeof right);
    memcpy(&more, carry, sizeof more);
    text ^= right;
    digits = le64toh(text);
    *pairs = digits * 10 + (digits >> 8);
    return ((text | (text + more)) & UINT64_C(0xf0f0f0f0f0f0f0f0)) == 0;
}

static inline uint64_t pair(uint64_t pairs, int at)
{
    return pairs >> 8 * at & 0xff;
}

/* "2026-03-02T09:14:07.120Z", which nearly all are: at a third of the cost. */
static bool read_usual(struct str s, struct written *w)
{
    uint64_t a, b, c;
    if (s.n != sizeof "2026-03-02T09:14:07.120Z" - 1 ||
        !read_8(s.p, "0000-00-", "\6\6\6\6\17\6\6\17", &a) ||
        !read_8(s.p + 8, "00T00:00", "\6\6\17\6\6\17\6\6", &b) ||
        !read_8(s.p + 16, ":00.000Z", "\17\6\6\17\6\6\6\17", &c))
        return false;
    *w = (struct written){.y = pair(a, 0) * 100 + pair(a, 2),
                          .mo = pair(a, 5),
                          .d = pair(b, 0),
                          .h = pair(b, 3),
                          .mi = pair(b, 6),
                          .sec = pair(c, 1),
                          .frac_ms = pair(c, 3) * 100 + pair(c, 5)};
    return true;
}

bool time_parse(struct str s, int64_t *ms)
{
    struct written w;
    if (epoch_parse(s, ms))
        return true;
    if (!read_usual(s, &w) && !read_any(s, &w))
        return false;
    if (w.mo < 1 || w.mo > 12 || w.d < 1 || w.h > 23 || w.mi > 59 || w.sec > 60)
        return false;
    if (w.d > 28 && w.d > days_of_month(w.y, w.mo))
        return false;
    *ms = days_from_civil(w.y, w.mo, w.d) * MS_PER_DAY +
          (int64_t)(((w.h * 60 + w.mi) * 60 + w.sec) * MS_PER_S + w.frac_ms) -
          w.offset_ms;
    return true;
}

struct str time_text(int64_t ms, char *out)
{
    int64_t y, mo, d, day = time_cell(ms, MS_PER_DAY), rest = ms - day * MS_PER_DAY;
    civil_from_days(day, &y, &mo, &d);
    int n = snprintf(out, TIME_TEXT_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (int)y,
                     (int)mo, (int)d, (int)(rest / 3600000), (int)(rest / 60000 % 60),
                     (int)(rest / 1000 % 60), (int)(rest % 1000));
    return (struct str){out, (size_t)n};
}

static const struct {
    const char *unit;
    int64_t ms;
} units[] = {{"w", 7LL * MS_PER_DAY},
             {"d", MS_PER_DAY},
             {"h", 3600000},
             {"m", 60000},
             {"s", 1000},
             {"ms", 1}};
enum { UNITS = sizeof units / sizeof units[0] };

static bool unit_take(struct str *s, int64_t *ms)
{
    size_t n = s->n >= 2 && s->p[0] == 'm' && s->p[1] == 's' ? 2 : 1;
    for (int i = 0; i < UNITS && s->n; i++)
        if (str_is((struct str){s->p, n}, units[i].unit)) {
            *ms = units[i].ms;
            s->p += n;
            s->n -= n;
            return true;
        }
    return false;
}

bool duration_parse(struct str s, int64_t *ms)
{
    *ms = 0;
    if (s.n == 0)
        return false;
    while (s.n) {
        int64_t v = 0, unit_ms;
        uint64_t digit;
        size_t before = s.n;
        while (s.n && before - s.n < 9 && digits(&s, 1, &digit))
            v = v * 10 + (int64_t)digit;
        if (before == s.n || !unit_take(&s, &unit_ms))
            return false;
        *ms += v * unit_ms;
        if (*ms > 3650LL * MS_PER_DAY)
            return false; /* ten years: a typo */
    }
    return true;
}

struct str duration_text(int64_t ms, char *out)
{
    int at = 0;
    for (int i = 1; i < UNITS && at < DURATION_TEXT_BYTES; i++) { /* weeks stay days */
        if (ms < units[i].ms)
            continue;
        at += snprintf(out + at, (size_t)(DURATION_TEXT_BYTES - at), "%lld%s",
                       (long long)(ms / units[i].ms), units[i].unit);
        ms %= units[i].ms;
    }
    if (at == 0)
        at = snprintf(out, DURATION_TEXT_BYTES, "0s");
    return (struct str){out, (size_t)at};
}

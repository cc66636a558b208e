#include "consumer/event_check.h"

#include <stdio.h>

#include "core/timefmt.h"

enum { QUOTE_BYTES = 44 };
static const int64_t TIME_MIN_MS = 946684800000,
                     TIME_END_MS = 4102444800000; /* 2000, 2100 */

/* For messages: printable ASCII, not too long. */
static const char *quote(struct str s, char out[QUOTE_BYTES])
{
    size_t n = s.n < QUOTE_BYTES - 4 ? s.n : QUOTE_BYTES - 4;
    for (size_t i = 0; i < n; i++) {
        out[i] = s.p[i];
        if (s.p[i] < ' ' || s.p[i] > '~')
            out[i] = '?';
    }
    snprintf(out + n, QUOTE_BYTES - n, "%s", n < s.n ? "..." : "");
    return out;
}

int event_check_text(const char *member, struct str text, struct err *e)
{
    if (text.n == 0)
        return err_set(e, ERR_INPUT, "%s is empty: fill it in the producer", member);
    if (text.n > EVENT_ID_BYTES_MAX)
        return err_set(e, ERR_INPUT,
                       "%s is %zu bytes, more than %d: shorten it in the producer",
                       member, text.n, (int)EVENT_ID_BYTES_MAX);
    if (memchr(text.p, '\0', text.n))
        return err_set(e, ERR_INPUT,
                       "%s holds a NUL (\\u0000): take it out in the producer", member);
    return 0;
}

static bool is_integer(struct str s)
{
    size_t digits = s.n && s.p[0] == '-';
    while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
        digits++;
    return s.n > 0 && digits == s.n;
}

int event_check_time(struct str text, int64_t *ms, struct err *e)
{
    bool parsed = time_parse(text, ms);
    if (parsed && *ms >= TIME_MIN_MS && *ms < TIME_END_MS)
        return 0;
    char quoted[QUOTE_BYTES];
    if (!parsed && !is_integer(text))
        return err_set(e, ERR_INPUT,
                       "time \"%s\" is neither RFC 3339 nor epoch milliseconds: fix the "
                       "producer",
                       quote(text, quoted));
    return err_set(e, ERR_INPUT,
                   "time \"%s\" is outside 2000..2100: fix the producer's clock or unit",
                   quote(text, quoted));
}

int event_check_future(int64_t time_ms, int64_t timestamp_ms, int64_t max_future_ms,
                       struct err *e)
{
    if (timestamp_ms < 0 || time_ms - max_future_ms <= timestamp_ms)
        return 0;
    char time[TIME_TEXT_BYTES], record[TIME_TEXT_BYTES], limit[DURATION_TEXT_BYTES];
    time_text(time_ms, time);
    time_text(timestamp_ms, record);
    duration_text(max_future_ms, limit);
    return err_set(e, ERR_INPUT,
                   "time %s is ahead of the record's %s by more than time.max_future %s: "
                   "fix the producer's clock",
                   time, record, limit);
}

/* Time is walked in stretches in which nothing changes: to the next edge of a span, the next midnight, or the
 * instant at which the zone's offset changes, whichever comes first. Within a stretch, local time and time
 * go alike. */
#include "core/workweek.h"

#include <stdlib.h>

#include "core/timefmt.h"
#include "core/zone.h"

enum { MINUTE_MS = 60000, HOUR_MS = 3600000, DAY_MS = 86400000, DAYS = 7 };
static const int64_t week_ms = (int64_t)DAYS * DAY_MS;
/* 1970-01-01 was a Thursday. */
static const int64_t first_monday_ms = 4LL * DAY_MS;

/* --- reading --- */

static bool take(struct str *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = (struct str){s->p + 1, s->n - 1};
    return true;
}

static void skip_spaces(struct str *s)
{
    while (take(s, ' '))
        ;
}

static bool take_day(struct str *s, int *day)
{
    static const char names[] = "MonTueWedThuFriSatSun";
    for (*day = 0; *day < DAYS; ++*day)
        if (s->n >= 3 && memcmp(s->p, names + 3 * *day, 3) == 0) {
            *s = (struct str){s->p + 3, s->n - 3};
            return true;
        }
    return false;
}

static bool take_two(struct str *s, int64_t *n)
{
    if (s->n < 2 || s->p[0] < '0' || s->p[0] > '9' || s->p[1] < '0' || s->p[1] > '9')
        return false;
    *n = (s->p[0] - '0') * 10 + s->p[1] - '0';
    *s = (struct str){s->p + 2, s->n - 2};
    return true;
}

/* "09:00" to "24:00". */
static bool take_clock(struct str *s, int64_t *ms)
{
    int64_t hour, minute;
    if (!take_two(s, &hour) || !take(s, ':') || !take_two(s, &minute) || minute > 59)
        return false;
    *ms = hour * HOUR_MS + minute * MINUTE_MS;
    return *ms <= DAY_MS;
}

struct hours {
    int first, last;
    int64_t from_ms, to_ms;
};

static bool take_hours(struct str *s, struct hours *h)
{
    if (!take_day(s, &h->first))
        return false;
    h->last = h->first;
    if (take(s, '-') && !take_day(s, &h->last))
        return false;
    if (!take(s, ' '))
        return false;
    skip_spaces(s);
    return take_clock(s, &h->from_ms) && take(s, '-') && take_clock(s, &h->to_ms);
}

static int by_begin(const void *a, const void *b)
{
    const struct workweek_span *x = a, *y = b;
    return (x->from_ms > y->from_ms) - (x->from_ms < y->from_ms);
}

/* The days from the first to the last, also over the week's end. */
static int add_hours(struct workweek *w, const struct hours *h, struct err *e)
{
    if (h->from_ms >= h->to_ms)
        return err_set(e, ERR_INPUT,
                       "hours must end after they begin; write those over midnight as "
                       "two: Mon 22:00-24:00, Tue 00:00-06:00");
    for (int day = h->first;; day = (day + 1) % DAYS) {
        if (w->n == WORKWEEK_SPANS_MAX)
            return err_set(e, ERR_INPUT, "at most %d stretches of a week are taken",
                           WORKWEEK_SPANS_MAX);
        w->spans[w->n++] = (struct workweek_span){(int64_t)day * DAY_MS + h->from_ms,
                                                  (int64_t)day * DAY_MS + h->to_ms};
        if (day == h->last)
            return 0;
    }
}

int workweek_parse(struct str text, struct workweek *w, struct err *e)
{
    *w = (struct workweek){.n = 0};
    do {
        struct hours h;
        skip_spaces(&text);
        if (!take_hours(&text, &h))
            return err_set(e, ERR_INPUT,
                           "expected days and hours such as Mon-Fri 09:00-17:00, and a "
                           "comma between several");
        if (add_hours(w, &h, e))
            return -1;
        skip_spaces(&text);
    } while (take(&text, ','));
    if (text.n)
        return err_set(e, ERR_INPUT, "what is '%.*s' behind the hours?", STR_ARG(text));
    qsort(w->spans, w->n, sizeof *w->spans, by_begin);
    for (size_t i = 1; i < w->n; i++)
        if (w->spans[i].from_ms < w->spans[i - 1].to_ms)
            return err_set(e, ERR_INPUT, "two of the hours overlap");
    return 0;
}

/* --- walking --- */

static int64_t into_week(int64_t local_ms)
{
    int64_t since = local_ms - first_monday_ms;
    return since - time_cell(since, week_ms) * week_ms;
}

/* Whether the week is open at that moment of it, and the first moment after it at which that may change. */
static bool is_open(const struct workweek *w, int64_t at_ms, int64_t *until_ms)
{
    *until_ms = (at_ms / DAY_MS + 1) * DAY_MS;
    for (size_t i = 0; i < w->n; i++) {
        const struct workweek_span *s = &w->spans[i];
        if (at_ms >= s->from_ms && at_ms < s->to_ms) {
            *until_ms = s->to_ms;
            return true;
        }
        if (s->from_ms > at_ms && s->from_ms < *until_ms)
            *until_ms = s->from_ms;
    }
    return false;
}

bool workweek_open(const struct workweek *w, int64_t time_ms)
{
    int64_t until_ms;
    return is_open(w, into_week(time_ms + zone_offset_ms(time_ms)), &until_ms);
}

int64_t workweek_after(const struct workweek *w, int64_t start_ms, int64_t span_ms)
{
    if (w->n == 0)
        return start_ms + span_ms;
    for (int64_t at = start_ms, left_ms = span_ms;;) {
        int64_t offset_ms = zone_offset_ms(at), begin = into_week(at + offset_ms), edge;
        bool open = is_open(w, begin, &edge);
        int64_t next = at + edge - begin;
        if (zone_offset_ms(next - 1) != offset_ms)
            next = zone_change_ms(at, next - 1);
        if (open && next - at >= left_ms)
            return at + left_ms;
        left_ms -= open ? next - at : 0;
        at = next;
    }
}

/* Whole weeks, two for the broken ones at its ends, and one in twenty for hours that a clock skips. */
int64_t workweek_longest_ms(const struct workweek *w, int64_t span_ms)
{
    int64_t open_ms = 0;
    for (size_t i = 0; i < w->n; i++)
        open_ms += w->spans[i].to_ms - w->spans[i].from_ms;
    if (open_ms == 0)
        return span_ms;
    int64_t weeks = span_ms / open_ms;
    return (weeks + 2 + weeks / 20 + 1) * week_ms;
}

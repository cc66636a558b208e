/* Figures of an alert in people's words. */
#include "sinks/words.h"

#include <math.h>

#include "core/calendar.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60000 };
/* a minute: below that it tells nothing that "3 times in 6 days" does not */
#define LEAST_RATE 0.01

double words_mrr(const struct alert *a)
{
    double sum = 0;
    for (size_t i = 0; i < a->accounts_listed; i++)
        sum += a->accounts[i].mrr;
    return sum;
}

bool words_rate(struct buf *out, const struct alert *a)
{
    int64_t span_ms = a->last_seen_ms - a->first_seen_ms;
    bool counted = !a->anomaly.present && !a->health.present &&
                   !str_is(a->kind, "quiet") && !str_is(a->kind, "deadline");
    if (!counted || a->state == ALERT_VERIFIED || a->count < 2 || span_ms < SECOND_MS)
        return false;
    double rate = (double)a->count * MINUTE_MS / (double)span_ms;
    if (rate < LEAST_RATE)
        return false;
    words_number(out, rate);
    buf_text(out, " a minute");
    return true;
}

/* 0, 1, ... 7 of the range; only the lowest is 0. */
static size_t bar_of(double v, double low, double high)
{
    enum { HIGHEST = 7 };
    /* halves: the whole may be too large for a double */
    double range = high / 2 - low / 2;
    if (range <= 0)
        return HIGHEST / 2;
    double part = (v / 2 - low / 2) / range;
    return part > 0 && part < 1.0 / HIGHEST ? 1 : (size_t)round(HIGHEST * part);
}

bool words_trend(struct buf *out, const struct alert *a)
{
    static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const struct alert_trend *t = &a->trend;
    char step[CALENDAR_TEXT_BYTES];
    double low = a->anomaly.present ? INFINITY : 0, high = 0;
    bool known = false;
    for (size_t i = 0; i < t->n; i++) {
        if (isnan(t->values[i]))
            continue;
        low = fmin(low, t->values[i]);
        high = known ? fmax(high, t->values[i]) : t->values[i];
        known = true;
    }
    if (!known || t->n < 2)
        return false;
    for (size_t i = 0; i < t->n; i++)
        buf_text(out, isnan(t->values[i]) ? "·" : bars[bar_of(t->values[i], low, high)]);
    buf_printf(out, " (%zu × %.*s)", t->n, STR_ARG(calendar_text(t->step_ms, step)));
    return true;
}

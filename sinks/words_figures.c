/* Figures of an alert in people's words. */
#include "sinks/words.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60000 };
#define LEAST_RATE \
    0.01 /* a minute: below that it tells nothing that "3 times in 6 days" does not */

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
    if (!counted || a->count < 2 || span_ms < SECOND_MS)
        return false;
    double rate = (double)a->count * MINUTE_MS / (double)span_ms;
    if (rate < LEAST_RATE)
        return false;
    words_number(out, rate);
    buf_text(out, " a minute");
    return true;
}

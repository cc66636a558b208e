#include "app/lag_age.h"

#include <string.h>

enum { EVERY_MS = 1000 };

static void drop_passed(struct lag_age *a, int64_t next)
{
    size_t passed = 0;
    while (passed < a->n && a->marks[passed].end <= next)
        passed++;
    a->n -= passed;
    memmove(a->marks, a->marks + passed, a->n * sizeof a->marks[0]);
    if (a->n == 0)
        a->every_ms = EVERY_MS;
}

/* The oldest stays: it is the age. */
static void thin_out(struct lag_age *a)
{
    for (size_t i = 0; i < LAG_MARKS / 2; i++)
        a->marks[i] = a->marks[2 * i];
    a->n = LAG_MARKS / 2;
    a->every_ms *= 2;
}

int64_t lag_age_note(struct lag_age *a, int64_t next, int64_t end, int64_t now_ms)
{
    drop_passed(a, next);
    if (end <= next)
        return 0;
    if (a->n == LAG_MARKS)
        thin_out(a);
    if (a->n == 0 ||
        (end > a->marks[a->n - 1].end && now_ms - a->marks[a->n - 1].ms >= a->every_ms)) {
        a->marks[a->n].end = end;
        a->marks[a->n++].ms = now_ms;
    }
    return now_ms - a->marks[0].ms;
}

/* The series is the one of a window (detectors/anomaly.h), only that its buckets begin where the values do, so that rows
 * that are missing or uneven need no buckets. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "detectors/anomaly.h"
#include "detectors/anomaly_score.h"

enum { REST = 100 };

struct anomaly_scorer {
    struct series series;
    struct arena kept, scratch;
    int64_t *starts_ms; /* of the values kept, and of the next */
    double lately[REST];
    size_t n;
};

struct anomaly_scorer *anomaly_scorer_new(const struct rule *rule)
{
    struct anomaly_scorer *s = calloc(1, sizeof *s);
    assert(s);
    const struct anomaly_settings *settings = rule->settings;
    arena_init(&s->kept);
    arena_init(&s->scratch);
    s->series = (struct series){.settings = settings, .arena = &s->scratch};
    s->series.values =
        arena_alloc(&s->kept, (settings->history_n + 1) * sizeof *s->series.values);
    s->starts_ms =
        arena_alloc(&s->kept, (settings->history_n + 1) * sizeof *s->starts_ms);
    s->series.starts_ms = s->starts_ms;
    s->series.started = true;
    return s;
}

void anomaly_scorer_free(struct anomaly_scorer *s)
{
    arena_deinit(&s->kept);
    arena_deinit(&s->scratch);
    free(s);
}

static double strength_of(const struct anomaly_scorer *s, const struct bucket *b)
{
    if (s->series.values_n < (size_t)s->series.settings->min_history)
        return 0;
    struct baseline base = series_baseline(&s->series, b);
    if (base.n < 2)
        return 0;
    return s->series.settings->method == METHOD_ZSCORE ? fabs(base.z) : base.score;
}

/* What the strength exceeds the largest of the last ones by. */
static double rested(struct anomaly_scorer *s, double strength)
{
    double most = 0;
    for (size_t i = 0; i < REST; i++)
        most = fmax(most, s->lately[i]);
    s->lately[s->n++ % REST] = strength;
    return s->series.settings->method == METHOD_SURPRISE ? strength
                                                         : fmax(strength - most, 0);
}

double anomaly_scorer_next(struct anomaly_scorer *s, int64_t time_ms, double value)
{
    struct bucket b = {.cell = s->series.next_cell++, .n = 1};
    b.sum = llround(value * (double)MILLIONTHS);
    s->starts_ms[s->series.values_n] = time_ms;
    double score = rested(s, strength_of(s, &b));
    size_t before = s->series.values_n + 1;
    series_remember(&s->series, anomaly_value(s->series.settings, &b));
    size_t gone = before - s->series.values_n;
    memmove(s->starts_ms, s->starts_ms + gone, s->series.values_n * sizeof *s->starts_ms);
    arena_reset(&s->scratch);
    return score;
}

size_t anomaly_scorer_bytes(struct anomaly_scorer *s)
{
    struct buf b;
    buf_init(&b, 1024 * 1024);
    series_pack(&s->series, &b);
    size_t n = b.n;
    buf_deinit(&b);
    return n;
}

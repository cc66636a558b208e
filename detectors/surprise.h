/* How new the last of a row of values is: method: surprise of the kind `anomaly` (docs/rules.md). Pure, and knows neither
 * buckets nor rules, so that `ticketwatch score` judges any series with it. */
#ifndef DETECTORS_SURPRISE_H
#define DETECTORS_SURPRISE_H

#include <stdint.h>

#include "core/arena.h"

/* All that it looks at: values before the last one, by their number. */
enum {
    SURPRISE_MEAN_OF = 48, /* the slow views */
    SURPRISE_REST = 100,   /* what was as new so lately is no news */
    SURPRISE_PERIODS = 14  /* days, or weeks, whose same time is usual */
};

struct reading {
    int64_t time_ms;
    double value; /* no NAN */
};

struct surprise_settings {
    size_t reach;       /* values that a range is made of */
    int64_t period_ms;  /* what repeats, a day or a week; 0: nothing */
    double least_range; /* more than 0: no range is narrower */
};

/* readings in order of time, n at least 1; the last one is judged by those before it. 0 where nothing is new, or less than
 * an eighth of `reach` before it; 0.1 is some 10 % beyond the range of one view. Memory is the arena's. */
double surprise_of(const struct reading *readings, size_t n,
                   const struct surprise_settings *settings, struct arena *arena);

#endif

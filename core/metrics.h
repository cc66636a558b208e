/* Figures about this process, for Prometheus: counters, gauges and histograms with at most two labels.
 *
 *   static struct metric_family errors = {.name = "ticketwatch_redis_errors_total", .help = "...",
 *                                         .type = METRIC_COUNTER, .labels = {"kind"}};
 *   struct metric *oom = metric_of(&errors, STR("OOM"), STR_NONE);    once; kept by pointer
 *   metric_add(oom, 1);                                                any thread, one atomic addition
 *
 * A family is static and lives as long as the process; so do its series. Their number is bounded: what
 * comes when series_max are there goes to one more, whose labels all say "other". Values are whole
 * steps (ms, us, bytes), which the text divides by `per`, so that names can have Prometheus' base units. */
#ifndef CORE_METRICS_H
#define CORE_METRICS_H

#include <stdint.h>

#include "core/buf.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };
enum { METRIC_LABELS = 2, METRIC_SERIES_MAX = 1000 };

#define METRIC_UNKNOWN INT64_MIN /* a gauge with it is left out of the text */

struct metric;

struct metric_family {
    const char *name; /* of a counter: ends in _total */
    const char *help; /* what it is, and what to do when it rises */
    enum metric_type type;
    /* steps in one of the name's unit: 1000 for ms where it says seconds; 0 is 1 */
    int64_t per;
    const char *labels[METRIC_LABELS]; /* NULL: no more */
    size_t series_max;                 /* 0 is METRIC_SERIES_MAX */
    /* of several values put for one series the largest counts, not the sum */
    bool largest;
    const int64_t *bounds; /* of a histogram: upper ends of buckets in steps, rising */
    size_t bounds_n;
    struct metric *first, *last; /* its series, as they were made; only here */
    size_t series_n;
};

/* The series with these values of its labels (STR_NONE where it has none, UTF-8), made if there is none
 * yet. Any thread; takes a lock, so keep the pointer where it is needed often. */
struct metric *metric_of(struct metric_family *f, struct str first, struct str second);

/* Of a counter. Any thread. */
void metric_add(struct metric *m, int64_t steps);
/* Of a gauge, or of a counter that is counted elsewhere. Any thread. */
void metric_set(struct metric *m, int64_t steps);
/* Of a histogram. Any thread. */
void metric_observe(struct metric *m, int64_t steps);

/* For a family whose values one thread collects from time to time: put each series' value, then flush.
 * Values put for the same series ("other") are summed, or the largest is taken. A gauge for which
 * nothing was put is not known any more; a counter stays. */
void metric_put(struct metric *m, int64_t steps);
void metric_flush(struct metric_family *f);

/* Writes families, up to a NULL, in the text format 0.0.4. Any thread. */
void metrics_write(struct metric_family *const *families, struct buf *out);
#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

#endif

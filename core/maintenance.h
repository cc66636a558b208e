/* A planned time in which alerts that it matches are recorded and told to nobody: what a silence is (core/silence.h), but
 * written in the configuration and judged by an alert's own time, so that `replay` and every pod say the same. */
#ifndef CORE_MAINTENANCE_H
#define CORE_MAINTENANCE_H

#include "core/silence.h"
#include "core/workweek.h"

struct maintenance {
    struct str name;
    struct silence silence; /* its time is event time */
    struct workweek week;   /* within it only these hours, by time.zone; n == 0: all */
};

/* What marks the alert, of n in their order; NULL: none does. An end is never marked: whether it is told depends on whether
 * the beginning was. */
const struct maintenance *maintenance_of(const struct maintenance *all, size_t n,
                                         const struct alert *a);

#endif

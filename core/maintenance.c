#include "core/maintenance.h"

static bool matches(const struct maintenance *m, const struct alert *a)
{
    return silence_matches(&m->silence, a, STR_NONE, a->time_ms) &&
           (m->week.n == 0 || workweek_open(&m->week, a->time_ms));
}

const struct maintenance *maintenance_of(const struct maintenance *all, size_t n,
                                         const struct alert *a)
{
    for (size_t i = 0; i < n && !alert_is_over(a); i++)
        if (matches(&all[i], a))
            return &all[i];
    return NULL;
}

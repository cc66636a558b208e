/* The parts of the deadline kind: its settings, and what is checked and derived of them (deadline_check.c). */
#ifndef DETECTORS_DEADLINE_H
#define DETECTORS_DEADLINE_H

#include "core/workweek.h"
#include "detectors/detector.h"

enum { WARNINGS_MAX = 3 }; /* one for each severity below the highest */

struct deadline_settings {
    uint32_t from, until; /* bits (1 << enum event_type) */
    int64_t within_ms, give_up_after_ms;
    struct str business_hours;
    struct texts warn_at;
    /* derived */
    struct workweek week;
    int64_t percents[WARNINGS_MAX];
    int warnings;
    int64_t longest_ms; /* from a start to its breach */
};

/* See struct detector. */
int deadline_check(struct rule *rule, struct err *e);

/* For so long the events after a `from` event belong to it. */
int64_t deadline_memory_ms(const struct deadline_settings *s);

#endif

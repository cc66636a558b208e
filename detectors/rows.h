/* Rows of options that several kinds have. */
#ifndef DETECTORS_ROWS_H
#define DETECTORS_ROWS_H

#include "core/option.h"

/* As core/calendar.h has buckets: the first word instead of a duration is -1, CALENDAR_MONTH. */
#define BUCKET_ROW(at)                                                                \
    {                                                                                 \
        .name = "bucket", .type = OPTION_DURATION, .offset = (at), .required = true,  \
        .min = 60000, .max = 7 * 86400000.0,                                          \
        .words = (const char *const[]){"month", NULL},                                \
        .help = "Width of a bucket of event time. 1d, 7d and month are those of the " \
                "calendar in time.zone, a week from Monday."                          \
    }

#endif

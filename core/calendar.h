/* Buckets of event time: stretches of one width since 1970 UTC, or the days, weeks (from Monday) and months of
 * the clock on the wall in time.zone. Buckets are numbered by cells; cell n + 1 begins where cell n ends.
 *
 * A day begins at the first instant at which the wall shows it: so it has 23 or 25 hours where the clock is set
 * forward or back, begins at 01:00 where midnight is skipped, and once begun it stays, though the clock be set
 * back over midnight. All times are milliseconds since 1970 UTC. Pure but for the zone (core/zone.h). */
#ifndef CORE_CALENDAR_H
#define CORE_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"
#include "core/timefmt.h"

/* What a bucket is: one width in milliseconds, of which a day is a calendar's day and seven days its week; or this. */
enum { CALENDAR_MONTH = -1 };

enum { CALENDAR_TEXT_BYTES = DURATION_TEXT_BYTES };

/* Whether where it begins depends on time.zone. */
bool calendar_is_local(int64_t bucket_ms);

/* Of any time; those out of the years 1 to 9999 are in the first or the last bucket. */
int64_t calendar_cell(int64_t bucket_ms, int64_t time_ms);
int64_t calendar_start_ms(int64_t bucket_ms, int64_t cell);

/* Its width; of a month 30 days: to reckon how many buckets a time holds. */
int64_t calendar_usual_ms(int64_t bucket_ms);
/* No n buckets in a row take longer. */
int64_t calendar_longest_ms(int64_t bucket_ms, int64_t n);

/* "15m", "1d", "month". The text lies in `out`. */
struct str calendar_text(int64_t bucket_ms, char out[CALENDAR_TEXT_BYTES]);
/* The opposite; false when it is none. */
bool calendar_parse(struct str text, int64_t *bucket_ms);

#endif

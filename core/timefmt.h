/* Times and durations as people write them. All times are milliseconds since 1970 UTC. */
#ifndef CORE_TIMEFMT_H
#define CORE_TIMEFMT_H

#include <stdint.h>

#include "core/str.h"

enum { TIME_TEXT_BYTES = 32, DURATION_TEXT_BYTES = 32 };

/* RFC 3339 ("2026-03-02T09:14:07.120Z", any offset, any number of fraction digits, cut to
 * milliseconds), or a bare integer of epoch milliseconds in a string. False when it is neither. */
bool time_parse(struct str text, int64_t *ms);

/* "2026-03-02T09:14:07.120Z" into out (TIME_TEXT_BYTES); always three fraction digits. */
struct str time_text(int64_t ms, char *out);

/* "90s", "15m", "1h", "14d", "500ms", "2w", and sums such as "1h30m". False when it is none. */
bool duration_parse(struct str text, int64_t *ms);

/* The shortest such text: "1h30m", "14d", "0s". */
struct str duration_text(int64_t ms, char *out);

/* Rounds towards minus infinity: the cell of width_ms that t lies in. */
static inline int64_t time_cell(int64_t t_ms, int64_t width_ms)
{
    int64_t q = t_ms / width_ms;
    return q - (t_ms % width_ms < 0);
}

#endif

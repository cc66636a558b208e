/* What an event's id, type and time must be like, and the words where they are not. */
#ifndef CONSUMER_EVENT_CHECK_H
#define CONSUMER_EVENT_CHECK_H

#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

enum { EVENT_ID_BYTES_MAX = 256 };

/* `id` or `type`: not empty, not too long, no NUL. */
int event_check_text(const char *member, struct str text, struct err *e);

/* RFC 3339 or epoch milliseconds, 2000..2100. */
int event_check_time(struct str text, int64_t *ms, struct err *e);

/* Not further ahead of the record's own time than max_future_ms; timestamp_ms -1: not
 * known. */
int event_check_future(int64_t time_ms, int64_t timestamp_ms, int64_t max_future_ms,
                       struct err *e);

#endif

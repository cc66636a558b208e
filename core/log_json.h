/* A line of the log as JSON. */
#ifndef CORE_LOG_JSON_H
#define CORE_LOG_JSON_H

#include "core/str.h"

/* {"ts":..., "level":..., "event":..., KEY: VALUE, ...} of pairs as log_event() takes them; the last one may be cut off. A value
 * without quotes that is a number of at most 15 digits is one; all else is text. The caller frees it. */
char *log_json(const char *ts, const char *level, const char *event, struct str pairs);

#endif

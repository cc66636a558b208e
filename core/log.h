/* The log: one line an event on stderr, one write a line, stable event names. Any thread. Only app, the Kafka
 * source, delivery and configuration log. Never URLs, bodies or secrets.
 *
 *   log_info("alert_delivered", "sink=%s attempts=%d", name, attempts);
 *   ts=2026-03-02T09:14:07.120Z level=info event=alert_delivered sink=eng attempts=1
 *
 * Pairs are KEY=VALUE with a space between; a text of others is quoted by log_quote(). Until log_use() lines are logfmt, from the
 * level on that TICKETWATCH_LOG=debug|info|warn|error names, or info. Of one event at most some hundred lines
 * in ten seconds are written; `log_left_out` then says how many were not. */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include <stdbool.h>

#include "core/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format {
    LOG_LOGFMT,
    LOG_JSON, /* an object a line */
    LOG_TEXT, /* for people: time, level, event, pairs */
};
extern const char *const log_levels[], *const log_formats[]; /* NULL-terminated */

void log_event(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool log_enabled(enum log_level level);

#define log_debug(event, ...) log_event(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...) log_event(LOG_INFO, event, __VA_ARGS__)
#define log_warn(event, ...) log_event(LOG_WARN, event, __VA_ARGS__)
#define log_error(event, ...) log_event(LOG_ERROR, event, __VA_ARGS__)

/* From now on. */
void log_use(enum log_level least, enum log_format format);
/* What the environment asks for. */
enum log_level log_level_of_environment(void);
/* Everything is logged, until it is called with false. Also from a signal's handler. */
void log_all(bool on);

enum { LOG_VALUE_BYTES = 640 };
/* A value in quotes, with what would break a line escaped, cut to fit: for texts of others. */
const char *log_quote(struct str text, char out[LOG_VALUE_BYTES]);

#endif

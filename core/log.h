/* The log: logfmt on stderr, one write a line, stable event names. Any thread. Only app, the Kafka
 * source, delivery and configuration log. Never URLs, bodies or secrets.
 *
 *   log_info("alert_delivered", "sink=%s attempts=%d", name, attempts);
 *   ts=2026-03-02T09:14:07.120Z level=info event=alert_delivered sink=eng attempts=1
 *
 * TICKETWATCH_LOG=debug|info|warn|error says from which level on; info where it is not set. */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include <stdbool.h>

#include "core/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_event(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool log_enabled(enum log_level level);

#define log_debug(event, ...) log_event(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...) log_event(LOG_INFO, event, __VA_ARGS__)
#define log_warn(event, ...) log_event(LOG_WARN, event, __VA_ARGS__)
#define log_error(event, ...) log_event(LOG_ERROR, event, __VA_ARGS__)

enum { LOG_VALUE_BYTES = 640 };
/* A value in quotes, with what would break a line escaped, cut to fit: for texts of others. */
const char *log_quote(struct str text, char out[LOG_VALUE_BYTES]);

#endif

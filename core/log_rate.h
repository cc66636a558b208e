/* How often an event may be logged. Pure but for the memory given. */
#ifndef CORE_LOG_RATE_H
#define CORE_LOG_RATE_H

#include <stdbool.h>
#include <stdint.h>

enum { LOG_RATE_LINES = 200, LOG_RATE_MS = 10000, LOG_RATE_EVENTS = 128 };

/* Zeroed it is empty. More events than it has room for are not limited. */
struct log_rate {
    struct log_rate_event {
        const char *event;
        int64_t begin_ms;
        unsigned lines, left_out;
    } events[LOG_RATE_EVENTS];
};

/* Whether a line of this event may be written now. `event` lives for ever. */
bool log_rate_pass(struct log_rate *r, const char *event, int64_t now_ms);

/* An event of which lines were left out in a time that is over: how many, which are forgotten. NULL: none. */
const char *log_rate_left_out(struct log_rate *r, int64_t now_ms, unsigned *lines);

#endif

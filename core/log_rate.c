#include "core/log_rate.h"

#include <stddef.h>
#include <string.h>

static struct log_rate_event *find(struct log_rate *r, const char *event)
{
    for (size_t i = 0; i < LOG_RATE_EVENTS; i++) {
        struct log_rate_event *e = &r->events[i];
        if (!e->event)
            e->event = event;
        if (e->event == event || strcmp(e->event, event) == 0)
            return e;
    }
    return NULL;
}

static bool is_over(const struct log_rate_event *e, int64_t now_ms)
{
    return now_ms - e->begin_ms >= LOG_RATE_MS;
}

bool log_rate_pass(struct log_rate *r, const char *event, int64_t now_ms)
{
    struct log_rate_event *e = find(r, event);
    if (!e)
        return true;
    if (e->lines == 0 || (is_over(e, now_ms) && e->left_out == 0)) {
        e->begin_ms = now_ms;
        e->lines = 0;
    }
    if (e->lines < LOG_RATE_LINES) {
        e->lines++;
        return true;
    }
    e->left_out++;
    return false;
}

const char *log_rate_left_out(struct log_rate *r, int64_t now_ms, unsigned *lines)
{
    for (size_t i = 0; i < LOG_RATE_EVENTS && r->events[i].event; i++) {
        struct log_rate_event *e = &r->events[i];
        if (e->left_out == 0 || !is_over(e, now_ms))
            continue;
        *lines = e->left_out;
        e->left_out = 0;
        return e->event;
    }
    return NULL;
}

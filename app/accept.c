#include "app/accept.h"

void accept_events(struct batch *b, size_t from, size_t to, int64_t high_ms,
                   int64_t lateness_ms, struct arena *arena, struct accepted *a)
{
    *a = (struct accepted){.high_ms = high_ms};
    a->events = arena_alloc(arena, (to - from + 1) * sizeof *a->events);
    for (size_t i = from; i < to; i++) {
        struct event *event = &b->events[i];
        if (a->high_ms != STORE_NO_TIME && event->time_ms < a->high_ms - lateness_ms) {
            a->late++;
            continue;
        }
        if (a->high_ms == STORE_NO_TIME || event->time_ms > a->high_ms)
            a->high_ms = event->time_ms;
        a->events[a->n++] = event;
    }
}

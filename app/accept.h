/* Which events of a batch count: those that are not late. */
#ifndef APP_ACCEPT_H
#define APP_ACCEPT_H

#include "consumer/batch.h"
#include "windows/window_store.h"

struct accepted {
    struct event **events;
    size_t n;
    int64_t high_ms; /* the largest event time up to the last event, late or not */
    uint64_t late;
};

/* Of the events [from, to) of the batch. Late is decided from the partition's own prefix, whose largest event time is
 * high_ms, so it is the same on every run. Memory is the arena's. */
void accept_events(struct batch *b, size_t from, size_t to, int64_t high_ms,
                   int64_t lateness_ms, struct arena *arena, struct accepted *out);

#endif

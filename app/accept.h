/* Which events of a batch count: those that are not late, each id once. */
#ifndef APP_ACCEPT_H
#define APP_ACCEPT_H

#include "consumer/batch.h"
#include "windows/window_store.h"

struct accepted {
    struct event **events;
    struct str *ids;
    int64_t *times_ms;
    size_t n;
    int64_t high_ms; /* the largest event time up to the last event, late or not */
    uint64_t late, duplicates; /* as the events alone tell: for all shards the same */
    uint64_t refused_duplicates,
        refused_behind; /* by the store, of events at home in its shard */
};

/* Of the events [from, to) of the batch. Late is decided from the partition's own prefix, whose largest event time is
 * high_ms, so it is the same on every run. Memory is the arena's. */
void accept_events(struct batch *b, size_t from, size_t to, int64_t high_ms,
                   int64_t lateness_ms, struct arena *arena, struct accepted *out);

/* Leaves out what the store of a shard refused: enum refusal for each event. An event may go to several shards;
 * it is counted where its id is at home, which is one of them. */
void accept_leave_out(struct accepted *a, const unsigned char *refused, size_t shards_n,
                      size_t shard);

#endif

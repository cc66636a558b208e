/* The one loop body that live and replay share: a batch in, alerts out.
 *
 * One event's way: source.next -> engine_batch: late events are counted out, each rule turns the others
 * into window changes, store.apply() takes them in one call iff the partition's cursor stands at the
 * batch's start, the windows it hands back are judged, and what became known is committed. engine_tick()
 * judges what is left over and what the watermark's passing made due.
 * One thread owns an engine, its source and its store. */
#ifndef APP_ENGINE_H
#define APP_ENGINE_H

#include "app/changes.h"
#include "app/judge.h"
#include "consumer/source.h"
#include "windows/window_store.h"

struct engine_stats {
    uint64_t events, late, duplicates, behind, rejects, batches, repositions;
    struct rule_stats *rules; /* one each */
};

struct engine_partition {
    struct str name; /* borrowed from the source */
    bool owned;
    bool
        from_start; /* the source reads it from its beginning: the store may begin there */
    bool placed;    /* next and high_ms are what the store says */
    int64_t next;   /* position that the store expects */
    int64_t high_ms;   /* largest event time before it; STORE_NO_TIME: none */
    int64_t active_ms; /* the store's clock when something last came */
    bool at_end;       /* read to its end, and the store knows */
};

struct engine {
    const struct rule *rules;
    size_t rules_n;
    int64_t lateness_ms;
    struct source *source;
    struct window_store *store;
    struct str commit_metadata;
    bool
        from_start; /* the source reads every partition from its beginning: a recorded log */
    bool at_end;    /* of a recorded log: events at the watermark are settled too */
    struct store_clock clock;
    struct engine_partition *partitions; /* by slot */
    size_t partitions_n;
    struct engine_stats stats;
    struct changes changes;
    struct arena scratch; /* of one call */
};

/* Borrows rules, source and store. */
void engine_init(struct engine *g, const struct rule *rules, size_t rules_n,
                 int64_t lateness_ms, struct source *source, struct window_store *store);
void engine_deinit(struct engine *g);

/* The partition's state; made if it is not known yet. */
struct engine_partition *engine_partition(struct engine *g, size_t slot, struct str name);

/* Reads the cursor, so that next and high_ms are the store's. -1: nothing is known. */
int engine_place(struct engine *g, struct engine_partition *p, int64_t start,
                 struct err *e);

/* Applies a batch and judges. 0 also when the batch was not the one the store expects: then the source
 * was told to seek. ERR_UNAVAILABLE: nothing is known; the partition is to be placed again. */
int engine_batch(struct engine *g, struct batch *b, struct err *e);

/* Judges what waits or is due. */
int engine_tick(struct engine *g, struct err *e);

/* The same, but asks the store in any case: what another process left behind is found, and the store's clock
 * is read. */
int engine_look(struct engine *g, struct err *e);

/* Nothing is known any more of any partition: each is placed again before it is used. */
void engine_forget(struct engine *g);

/* Asks the source whether an owned partition is at its end, and tells the store; with `idle` event time
 * moves by the clock. */
int engine_at_end(struct engine *g, size_t slot, bool idle, struct err *e);

#endif

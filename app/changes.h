/* A batch's events turned into window changes: all that a batch adds to one window, together. */
#ifndef APP_CHANGES_H
#define APP_CHANGES_H

#include "core/arena.h"
#include "core/event.h"
#include "core/index.h"
#include "detectors/rule.h"
#include "windows/shard.h"
#include "windows/window_store.h"

/* One shard of so many, and what its store says of the rules (windows/window_store.h); NULL: nothing. */
struct shard_of {
    size_t n, shard;
    const struct str *names;
    const bool *holds;
};

struct change_piece {
    size_t change; /* whose record it is */
    size_t at, n;  /* where it lies in `records` */
};

/* Reused from batch to batch. */
struct changes {
    struct window_change *items;
    size_t n, cap;
    struct index by_id;
    struct buf records;
    struct change_piece *pieces;
    size_t pieces_n, pieces_cap;
};

void changes_init(struct changes *c);
void changes_deinit(struct changes *c);
void changes_clear(struct changes *c);

/* Adds what the event changes in that shard under each rule; counts matches per rule. Texts go to `arena`. False:
 * nothing. */
bool changes_add(struct changes *c, const struct rule *rules, size_t rules_n,
                 struct event *event, struct shard_of shard, struct arena *arena,
                 uint64_t *matches);
/* Joins each window's records. After this c->items may be given to a store. */
void changes_finish(struct changes *c, struct arena *arena);

#endif

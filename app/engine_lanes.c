/* Lanes: what rules that came while the stream ran need to read the past (docs/once.md, "Rules that change"). To the
 * engine a lane is one more shard, with windows of some rules only: it gets the batches that its cursors ask for. */
#include <assert.h>
#include <stdlib.h>

#include "app/engine.h"

struct engine_shard engine_shard_of(struct window_store *store, size_t number)
{
    return (struct engine_shard){.store = store,
                                 .clock = {.watermark_ms = STORE_NO_TIME,
                                           .next_due_ms = STORE_NO_DUE,
                                           .judged_ms = STORE_NO_TIME},
                                 .number = number};
}

static bool same_lanes(const struct engine *g)
{
    size_t at = g->mains_n;
    for (size_t i = 0; i < g->mains_n; i++)
        for (const struct window_store *lane = g->shards[i].store->lane; lane;
             lane = lane->lane, at++)
            if (at >= g->shards_n || g->shards[at].store != lane)
                return false;
    return at == g->shards_n;
}

static void add_lanes(struct engine *g, size_t number)
{
    for (struct window_store *lane = g->shards[number].store->lane; lane;
         lane = lane->lane) {
        g->shards = realloc(g->shards, (g->shards_n + 1) * sizeof *g->shards);
        assert(g->shards);
        g->shards[g->shards_n++] = engine_shard_of(lane, number);
    }
}

void engine_take_lanes(struct engine *g)
{
    if (same_lanes(g))
        return;
    g->shards_n = g->mains_n;
    for (size_t i = 0; i < g->mains_n; i++)
        add_lanes(g, i);
    for (size_t i = 0; i < g->partitions_n; i++) {
        struct engine_partition *p = &g->partitions[i];
        free(p->at);
        p->at = calloc(g->shards_n, sizeof *p->at);
        assert(p->at);
        p->placed = p->at_end = false;
    }
}

void engine_inherit(struct engine *g, const struct engine *before)
{
    for (size_t i = 0; i < before->partitions_n; i++) {
        const struct engine_partition *from = &before->partitions[i];
        if (!from->at)
            continue;
        struct engine_partition *p = engine_partition(g, i, from->name);
        p->owned = from->owned;
        p->incarnation = from->incarnation;
        p->next = from->next;
        p->reads = from->reads;
        p->active_ms = from->active_ms;
        p->marks = from->marks;
    }
}

/* Every shard has its turn, so that all that can join does so before everything is placed again. */
int engine_mend(struct engine *g, struct err *e)
{
    int result = 0;
    for (size_t i = 0; i < g->mains_n; i++) {
        struct window_store *store = g->shards[i].store;
        struct err again = {0};
        if (store->ops->mend && store->ops->mend(store, result ? &again : e))
            result = -1;
    }
    return result;
}

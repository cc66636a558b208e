#include "app/engine.h"

#include <assert.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/fault.h"

void engine_init(struct engine *g, const struct rule *rules, size_t rules_n,
                 int64_t lateness_ms, struct source *source,
                 struct window_store *const *stores, size_t stores_n)
{
    *g = (struct engine){.rules = rules,
                         .rules_n = rules_n,
                         .lateness_ms = lateness_ms,
                         .source = source,
                         .shards_n = stores_n,
                         .mains_n = stores_n,
                         .times = {STORE_NO_TIME, STORE_NO_TIME, STORE_NO_TIME}};
    g->stats.rules = calloc(rules_n + 1, sizeof *g->stats.rules);
    g->shards = calloc(stores_n, sizeof *g->shards);
    assert(g->stats.rules && g->shards);
    for (size_t i = 0; i < stores_n; i++)
        g->shards[i] = engine_shard_of(stores[i], i);
    engine_take_lanes(g);
    changes_init(&g->changes);
    proof_init(&g->proof);
    arena_init(&g->scratch);
}

void engine_deinit(struct engine *g)
{
    for (size_t i = 0; i < g->partitions_n; i++)
        free(g->partitions[i].at);
    free(g->stats.rules);
    free(g->shards);
    free(g->partitions);
    changes_deinit(&g->changes);
    proof_deinit(&g->proof);
    arena_deinit(&g->scratch);
}

int64_t engine_watermark_ms(const struct engine *g)
{
    int64_t low = INT64_MAX;
    for (size_t i = 0; i < g->mains_n; i++)
        if (g->shards[i].clock.watermark_ms < low)
            low = g->shards[i].clock.watermark_ms;
    return low;
}

/* --- apply --- */

/* A part of a batch, up to where the next shard's cursor stands. */
struct piece {
    struct batch *batch;
    size_t from, to; /* of its events */
    int64_t start, next;
    int64_t high_ms; /* before it */
};

static struct changes_of windows_of(const struct engine *g, size_t shard)
{
    const struct engine_shard *s = &g->shards[shard];
    return (struct changes_of){.rules = g->rules,
                               .rules_n = g->rules_n,
                               .lateness_ms = g->lateness_ms,
                               .shards_n = g->mains_n,
                               .shard = s->number,
                               .names = s->store->names,
                               .holds = s->store->holds};
}

static void count(struct engine *g, size_t shard, const struct piece *piece,
                  const struct accepted *a)
{
    const struct changes *c = &g->changes;
    if (g->shards[shard].store->is_lane) /* they were counted when they came first */
        return;
    for (size_t i = 0; i < g->rules_n; i++)
        g->stats.rules[i].matches += c->matches[i];
    g->stats.duplicates += c->duplicates + c->refused_duplicates;
    g->stats.behind += c->refused_behind;
    if (shard > 0) /* the others see the same events */
        return;
    g->stats.batches++;
    g->stats.events += piece->to - piece->from;
    for (size_t i = piece->from; i < piece->to; i++)
        g->stats.types[piece->batch->events[i].type]++;
    g->stats.late += a->late;
}

static struct apply call_of(struct engine *g, const struct engine_partition *p,
                            size_t shard, const struct piece *piece, int64_t high_ms)
{
    const struct batch *b = piece->batch;
    bool whole = piece->next == b->next;
    struct window_limit *limits =
        arena_alloc(&g->scratch, (g->rules_n + 1) * sizeof *limits);
    size_t limits_n = keys_limits(g->rules, g->rules_n, g->mains_n,
                                  g->shards[shard].store->names, limits);
    return (struct apply){.partition = p->name,
                          .incarnation = p->at[shard].incarnation,
                          .start = piece->start,
                          .next = piece->next,
                          .last_offset = whole ? b->last_offset : -1,
                          .last_hash = b->last_hash,
                          .lost = piece->start == b->start ? b->lost : 0,
                          .high_ms = high_ms,
                          .has_events = piece->to > piece->from,
                          .judge_later = g->judge_later,
                          .ids = g->changes.ids,
                          .times_ms = g->changes.times_ms,
                          .events_n = g->changes.events_n,
                          .changes = g->changes.items,
                          .changes_n = g->changes.n,
                          .limits = limits,
                          .limits_n = limits_n};
}

/* The piece, of which `a` counts, into one shard; 1: it stands elsewhere. */
static int apply(struct engine *g, const struct engine_partition *p, size_t shard,
                 const struct piece *piece, const struct accepted *a, struct err *e)
{
    struct window_store *store = g->shards[shard].store;
    struct changes_of of = windows_of(g, shard);
    struct apply_reply reply;
    size_t committed;
    changes_make(&g->changes, &of, a, &g->scratch);
    do {
        struct apply call = call_of(g, p, shard, piece, a->high_ms);
        if (store->ops->apply(store, &call, &g->scratch, &reply, e))
            return -1;
        if (reply.outcome == MISPLACED && FAULT_OFF("exact_cursor")) {
            struct store_place at;
            if (store->ops->cursor(store, p->name, &g->scratch, &at, e))
                return -1;
            call.start = at.cursor;
            if (store->ops->apply(store, &call, &g->scratch, &reply, e))
                return -1;
        }
        g->shards[shard].clock = reply.clock;
        if (reply.outcome == REVISE)
            changes_leave_out(&g->changes, &of, reply.refused, &g->scratch);
    } while (reply.outcome == REVISE);
    if (reply.outcome == MISPLACED) {
        FAULT_POINT("batch.misplaced");
        return 1;
    }
    count(g, shard, piece, a);
    keys_left_out(g->rules, g->rules_n, store->names, g->changes.items, &reply,
                  g->stats.rules);
    g->put_off = g->put_off || g->judge_later;
    return engine_judge(g, &g->shards[shard], reply.windows, reply.windows_n, &committed,
                        e);
}

/* Up to where another shard's cursor stands. */
static struct piece next_piece(const struct engine *g, const struct engine_partition *p,
                               struct batch *b, size_t from)
{
    struct piece piece = {.batch = b,
                          .from = from,
                          .to = b->events_n,
                          .start = p->next,
                          .next = b->next,
                          .high_ms = p->high_ms};
    for (size_t i = 0; i < g->shards_n; i++)
        if (p->at[i].cursor > piece.start && p->at[i].cursor < piece.next)
            piece.next = p->at[i].cursor;
    while (piece.next < b->next && piece.to > from &&
           b->events[piece.to - 1].offset >= piece.next)
        piece.to--;
    return piece;
}

/* The piece into every shard whose cursor stands at its start. *placed: all took it. */
static int apply_piece(struct engine *g, struct engine_partition *p,
                       const struct piece *piece, bool *placed, struct err *e)
{
    struct accepted a;
    int misplaced = 0;
    accept_events(piece->batch, piece->from, piece->to, piece->high_ms, g->lateness_ms,
                  &g->scratch, &a);
    for (size_t i = 0; i < g->shards_n && !misplaced; i++) {
        if (p->at[i].cursor != piece->start)
            continue;
        misplaced = apply(g, p, i, piece, &a, e);
        if (misplaced < 0)
            return -1;
        p->at[i].cursor = piece->next;
        if (piece->next == piece->batch->next && piece->batch->last_offset >= 0) {
            p->at[i].last_offset = piece->batch->last_offset;
            p->at[i].last_hash = piece->batch->last_hash;
        }
    }
    *placed = !misplaced;
    p->next = piece->next;
    p->high_ms = a.high_ms;
    marks_note(&p->marks, p->next, p->high_ms);
    return 0;
}

static int apply_batch(struct engine *g, struct engine_partition *p, struct batch *b,
                       struct err *e)
{
    bool placed = true, more = true;
    p->placed = false; /* until all replies are here nothing is known */
    for (size_t from = 0; placed && more;) {
        struct piece piece = next_piece(g, p, b, from);
        if (apply_piece(g, p, &piece, &placed, e))
            return -1;
        from = piece.to;
        more = piece.next < b->next;
    }
    if (!placed)
        return engine_reposition(g, b->slot, e);
    p->placed = true;
    p->at_end = b->at_end;
    p->active_ms = clock_monotonic_ms();
    g->stats.rejects += b->rejects_n;
    g->stats.lost += (uint64_t)b->lost;
    return g->judge_later ? 0 : engine_tick(g, e);
}

/* A rule of the protocol, switched off: a batch is applied wherever the store stands. */
static void trust_position(struct engine *g, struct engine_partition *p, int64_t start)
{
    p->next = start;
    for (size_t i = 0; i < g->shards_n; i++)
        p->at[i].cursor = start;
}

int engine_batch(struct engine *g, struct batch *b, struct err *e)
{
    struct engine_partition *p = engine_partition(g, b->slot, b->name);
    FAULT_POINT("batch.taken");
    arena_reset(&g->scratch);
    p->reads = b->next;
    if (!p->placed && engine_place(g, p, e))
        return -1;
    if (FAULT_OFF("exact_cursor"))
        trust_position(g, p, b->start);
    if (p->next != b->start)
        return engine_reposition(g, b->slot, e);
    if (b->rejects_n && /* which may take long */
        (engine_judge_left(g, e) || g->source->ops->dead_letter(g->source, b, e)))
        return -1;
    g->judge_later = engine_may_put_off(g, b);
    return apply_batch(g, p, b, e);
}

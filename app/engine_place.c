/* Where partitions stand: in the stores, in the source, and in what outlives the stores. */
#include <assert.h>
#include <stdlib.h>

#include "app/engine.h"
#include "core/clock.h"
#include "core/fault.h"

enum { METADATA_MAX_BYTES = 4096, ENDS_AGAIN_MS = 3000 };

struct engine_partition *engine_partition(struct engine *g, size_t slot, struct str name)
{
    if (slot >= g->partitions_n) {
        g->partitions = realloc(g->partitions, (slot + 1) * sizeof *g->partitions);
        assert(g->partitions);
        for (size_t i = g->partitions_n; i <= slot; i++)
            g->partitions[i] = (struct engine_partition){.reads = -1};
        g->partitions_n = slot + 1;
    }
    struct engine_partition *p = &g->partitions[slot];
    p->name = name;
    if (!p->at) {
        p->at = calloc(g->shards_n, sizeof *p->at);
        assert(p->at);
    }
    return p;
}

int engine_partitions(struct engine *g, const struct str *names, size_t n, struct err *e)
{
    g->known_n = n;
    for (size_t i = 0; i < g->shards_n; i++)
        if (g->shards[i].store->ops->partitions(g->shards[i].store, names, n, e))
            return -1;
    return 0;
}

void engine_forget(struct engine *g)
{
    for (size_t i = 0; i < g->partitions_n; i++)
        g->partitions[i].placed = g->partitions[i].at_end = false;
    g->past_known = false;
    engine_take_lanes(g);
}

/* --- cursors --- */

static int read_place(struct engine *g, struct engine_partition *p, size_t shard,
                      struct err *e)
{
    struct window_store *store = g->shards[shard].store;
    struct store_place *at = &p->at[shard];
    if (store->ops->cursor(store, p->name, &g->scratch, at, e))
        return -1;
    if (at->cursor >= 0 && at->incarnation > p->incarnation) {
        p->incarnation = at->incarnation;
        p->marks.n = 0; /* of the log before */
    }
    if (p->marks.n == 0 && at->marks.n && at->incarnation == p->incarnation)
        (void)marks_read(at->marks, &p->marks);
    at->marks = STR_NONE; /* the arena's */
    return 0;
}

/* Where marks are not kept, in a state made anew: the group's commits have them. */
static int find_marks(struct engine *g, struct engine_partition *p, struct err *e)
{
    if (p->marks.n || !g->past)
        return 0;
    if (!g->past_known && past_read(g->past, g->source, e))
        return -1;
    g->past_known = true;
    const struct marks *marks = past_marks(g->past, p->name);
    if (marks)
        p->marks = *marks;
    return 0;
}

/* The shard knows nothing of the partition. */
static int begin(struct engine *g, struct engine_partition *p, size_t shard,
                 struct err *e)
{
    struct window_store *store = g->shards[shard].store;
    int64_t from_ms = store->past.from_ms;
    const struct mark *mark = NULL;
    if (from_ms != STORE_NO_TIME) {
        if (find_marks(g, p, e))
            return -1;
        mark = marks_before(&p->marks, from_ms);
    }
    if (FAULT_OFF("rewind") && p->marks.n)
        mark = &p->marks.items[p->marks.n - 1];
    struct store_place first = {.incarnation = p->incarnation,
                                .cursor = mark ? mark->offset : 0,
                                .high_ms = mark ? mark->high_ms : STORE_NO_TIME};
    if (store->ops->begin(store, p->name, &first, e))
        return -1;
    return read_place(g, p, shard, e); /* another process may have been first */
}

/* A shard that stands in an earlier log than another, or than this process has seen: it lost writes, or was not
 * reached when the log was found to be made anew. One that lost the partition itself begins elsewhere. */
static int renew(struct engine *g, struct engine_partition *p, size_t shard,
                 struct err *e)
{
    struct window_store *store = g->shards[shard].store;
    while (p->at[shard].cursor >= 0 && p->at[shard].incarnation < p->incarnation) {
        if (store->ops->remade(store, p->name, &p->at[shard], e) ||
            read_place(g, p, shard, e))
            return -1;
        p->marks.n = 0;
    }
    return 0;
}

static int take_place(struct engine *g, struct engine_partition *p, size_t shard,
                      struct err *e)
{
    return p->at[shard].cursor < 0 ? begin(g, p, shard, e) : renew(g, p, shard, e);
}

static void take_least(struct engine *g, struct engine_partition *p)
{
    p->next = p->at[0].cursor;
    p->high_ms = p->at[0].high_ms;
    for (size_t i = 1; i < g->shards_n; i++)
        if (p->at[i].cursor < p->next) {
            p->next = p->at[i].cursor;
            p->high_ms = p->at[i].high_ms;
        }
    if (p->marks.n == 0)
        marks_note(&p->marks, p->next, p->high_ms);
}

int engine_place(struct engine *g, struct engine_partition *p, struct err *e)
{
    p->placed = p->at_end = false;
    p->active_ms = clock_monotonic_ms();
    for (size_t i = 0; i < g->shards_n; i++)
        if (read_place(g, p, i, e))
            return -1;
    for (size_t i = 0; i < g->shards_n; i++)
        if (take_place(g, p, i, e))
            return -1;
    take_least(g, p);
    p->placed = true;
    return 0;
}

int engine_reposition(struct engine *g, size_t slot, struct err *e)
{
    struct engine_partition *p = &g->partitions[slot];
    g->stats.repositions++;
    if (!p->placed && engine_place(g, p, e))
        return -1;
    p->at_end = false;
    if (g->source->ops->seek(g->source, slot, p->next, e))
        return -1;
    p->reads = p->next;
    return 0;
}

int engine_remade(struct engine *g, size_t slot, struct err *e)
{
    struct engine_partition *p = &g->partitions[slot];
    arena_reset(&g->scratch);
    g->stats.remade++;
    p->incarnation++;
    for (size_t i = 0; i < g->shards_n; i++)
        if (renew(g, p, i, e))
            return -1;
    p->marks.n = 0;
    p->placed = false;
    return engine_reposition(g, slot, e);
}

/* --- idleness --- */

static bool idle(const struct engine_partition *p, int64_t idle_after_ms)
{
    return clock_monotonic_ms() - p->active_ms >= idle_after_ms;
}

/* Whether the partition is to be looked at: it is where it should be, and nothing comes of it. */
static int ready(struct engine *g, size_t slot, int64_t idle_after_ms, bool *out,
                 struct err *e)
{
    struct engine_partition *p = &g->partitions[slot];
    *out = false;
    if (!p->owned || (p->at_end && !idle(p, idle_after_ms)))
        return 0;
    if (!p->placed && engine_place(g, p, e))
        return -1;
    if (p->reads != p->next)
        return engine_reposition(g, slot, e);
    *out = true;
    return 0;
}

static void take_end(void *arg, size_t slot, struct str name, int64_t end)
{
    struct engine *g = arg;
    (void)name;
    if (slot < g->partitions_n)
        g->partitions[slot].end = end;
}

/* Nothing stands behind the cursor. With `proven`, event time moves by the clock, by what it told before the
 * brokers were asked. */
static int tell_end(struct engine *g, size_t slot, bool proven, const int64_t *asked_ms,
                    struct err *e)
{
    struct engine_partition *p = &g->partitions[slot];
    bool placed = true;
    for (size_t i = 0; i < g->shards_n; i++) {
        struct engine_shard *s = &g->shards[i];
        struct apply_reply reply;
        if (s->store->ops->idle(s->store, p->name, &p->at[i],
                                proven ? asked_ms[i] : STORE_NO_TIME, &reply, e))
            return -1;
        s->clock = reply.clock;
        placed = placed && reply.outcome == APPLIED;
    }
    p->at_end = placed;
    if (placed)
        return 0;
    p->placed = false;
    return engine_reposition(g, slot, e);
}

/* A partition whose end is not told is not proven to be read to its end, and that is all: what the stores told
 * still holds. Who does not answer is given time. */
static void ask_for_ends(struct engine *g)
{
    struct err away = {0};
    if (clock_monotonic_ms() >= g->ends_ms &&
        g->source->ops->ends(g->source, take_end, g, &away))
        g->ends_ms = clock_monotonic_ms() + ENDS_AGAIN_MS;
}

int engine_look_at_ends(struct engine *g, int64_t idle_after_ms, struct err *e)
{
    bool any = false, wanted;
    arena_reset(&g->scratch);
    int64_t *asked_ms = arena_alloc(&g->scratch, g->shards_n * sizeof *asked_ms);
    for (size_t i = 0; i < g->shards_n; i++)
        asked_ms[i] = g->shards[i].clock.now_ms;
    for (size_t i = 0; i < g->partitions_n; i++) {
        if (ready(g, i, idle_after_ms, &wanted, e))
            return -1;
        g->partitions[i].end = -1;
        any = any || wanted;
    }
    if (!any)
        return 0;
    ask_for_ends(g);
    for (size_t i = 0; i < g->partitions_n; i++) {
        struct engine_partition *p = &g->partitions[i];
        if (p->owned && p->placed && p->end == p->next &&
            tell_end(g, i, idle(p, idle_after_ms), asked_ms, e))
            return -1;
    }
    return engine_tick(g, e);
}

/* --- what outlives the stores --- */

static void least(int64_t *ms, int64_t other_ms)
{
    *ms = other_ms < *ms ? other_ms : *ms;
}

/* All shards together: nothing is claimed that one of them does not know. Each keeps the episodes of the record
 * that all of them have: what the least of them had said the last time. */
static int read_times(struct engine *g, const struct marks_line *lines, size_t n,
                      bool *agree, struct err *e)
{
    struct store_times all = {INT64_MAX, STORE_NO_TIME, INT64_MAX};
    int64_t said_ms = g->shards_n == 1 ? INT64_MAX : g->times.said_ms;
    for (size_t i = 0; i < g->shards_n; i++) {
        struct window_store *store = g->shards[i].store;
        struct store_times t;
        if (store->ops->horizon(store, said_ms, lines, n, &t, e))
            return -1;
        least(&all.said_ms, t.said_ms);
        least(&all.from_ms, t.from_ms);
        if (!store->is_lane) /* whose rules have no record of before it */
            all.record_ms = t.record_ms > all.record_ms ? t.record_ms : all.record_ms;
    }
    *agree = all.record_ms <= all.said_ms;
    if (*agree) /* else a shard lost writes: what was told before stays true */
        g->times = all;
    return 0;
}

static struct str text_of(const struct engine_partition *p, struct buf *b,
                          struct arena *arena)
{
    buf_clear(b);
    marks_write(&p->marks, b);
    return arena_str(arena, buf_str(b));
}

static void commit_owned(struct engine *g, struct str prefix, struct buf *b)
{
    for (size_t i = 0; i < g->partitions_n; i++) {
        struct engine_partition *p = &g->partitions[i];
        if (!p->owned || !p->placed)
            continue;
        if (g->times.from_ms != STORE_NO_TIME)
            marks_forget(&p->marks, g->times.from_ms);
        buf_clear(b);
        past_write(prefix, &g->times, &p->marks, b);
        g->source->ops->commit(g->source, i, p->next, buf_str(b));
    }
}

int engine_horizon(struct engine *g, struct str prefix, struct err *e)
{
    struct buf b;
    size_t n = 0;
    arena_reset(&g->scratch);
    struct marks_line *lines =
        arena_alloc(&g->scratch, (g->partitions_n + 1) * sizeof *lines);
    buf_init(&b, METADATA_MAX_BYTES);
    for (size_t i = 0; i < g->partitions_n; i++) {
        const struct engine_partition *p = &g->partitions[i];
        if (p->owned && p->placed)
            lines[n++] = (struct marks_line){p->name, text_of(p, &b, &g->scratch)};
    }
    bool agree = false;
    int result = read_times(g, lines, n, &agree, e);
    /* Where nothing is known here, what the group's commits say already is not to be overwritten. */
    if (result == 0 && (agree || g->times.said_ms != STORE_NO_TIME))
        commit_owned(g, prefix, &b);
    buf_deinit(&b);
    return result;
}

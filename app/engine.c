#include "app/engine.h"

#include <assert.h>
#include <stdlib.h>

#include "core/fault.h"
#include "core/timefmt.h"

enum { DUE_AT_ONCE = 256 };

/* The events of a batch that are not late, each id once. */
struct accepted {
    struct event **events;
    struct str *ids;
    int64_t *times_ms;
    size_t n;
    int64_t high_ms;
    uint64_t late, duplicates, behind;
};

void engine_init(struct engine *g, const struct rule *rules, size_t rules_n,
                 int64_t lateness_ms, struct source *source, struct window_store *store)
{
    *g = (struct engine){
        .rules = rules,
        .rules_n = rules_n,
        .lateness_ms = lateness_ms,
        .source = source,
        .store = store,
        .clock = {.watermark_ms = STORE_NO_TIME, .next_due_ms = STORE_NO_DUE}};
    g->stats.rules = calloc(rules_n + 1, sizeof *g->stats.rules);
    assert(g->stats.rules);
    changes_init(&g->changes);
    arena_init(&g->scratch);
}

void engine_deinit(struct engine *g)
{
    free(g->stats.rules);
    free(g->partitions);
    changes_deinit(&g->changes);
    arena_deinit(&g->scratch);
}

struct engine_partition *engine_partition(struct engine *g, size_t slot, struct str name)
{
    if (slot >= g->partitions_n) {
        g->partitions = realloc(g->partitions, (slot + 1) * sizeof *g->partitions);
        assert(g->partitions);
        memset(g->partitions + g->partitions_n, 0,
               (slot + 1 - g->partitions_n) * sizeof *g->partitions);
        g->partitions_n = slot + 1;
    }
    g->partitions[slot].name = name;
    g->partitions[slot].from_start = g->partitions[slot].from_start || g->from_start;
    return &g->partitions[slot];
}

int engine_place(struct engine *g, struct engine_partition *p, int64_t start,
                 struct err *e)
{
    p->placed = p->at_end = false;
    p->active_ms = g->clock.now_ms;
    if (g->store->ops->cursor(g->store, p->name, &p->next, &p->high_ms, e))
        return -1;
    if (p->next < 0 && start < 0)
        return 0; /* never read: its beginning, wherever that is */
    if (p->next < 0 &&
        (g->store->ops->begin(g->store, p->name, start, e) ||
         g->store->ops->cursor(g->store, p->name, &p->next, &p->high_ms, e)))
        return -1;
    p->placed = true;
    return 0;
}

/* --- which events count --- */

/* A repetition has the id and, as a repetition should, the time of the first: the same slot of ids, as in
 * the store, so that it does not matter whether both stand in one batch. */
static struct str identity(struct engine *g, const struct event *event)
{
    int64_t cell = time_cell(event->time_ms, id_slot_ms(g->lateness_ms));
    char *key = arena_alloc(&g->scratch, event->id.n + sizeof cell);
    memcpy(key, event->id.p, event->id.n);
    memcpy(key + event->id.n, &cell, sizeof cell);
    return (struct str){key, event->id.n + sizeof cell};
}

/* Late is decided from the partition's own prefix, so it is the same on every run. */
static void accept(struct engine *g, const struct engine_partition *p, struct batch *b,
                   struct accepted *a)
{
    struct index ids;
    index_init(&ids);
    *a = (struct accepted){.high_ms = p->high_ms};
    a->events = arena_alloc(&g->scratch, (b->events_n + 1) * sizeof *a->events);
    a->ids = arena_alloc(&g->scratch, (b->events_n + 1) * sizeof *a->ids);
    a->times_ms = arena_alloc(&g->scratch, (b->events_n + 1) * sizeof *a->times_ms);
    for (size_t i = 0; i < b->events_n; i++) {
        struct event *event = &b->events[i];
        if (a->high_ms != STORE_NO_TIME && event->time_ms < a->high_ms - g->lateness_ms) {
            a->late++;
            continue;
        }
        if (a->high_ms == STORE_NO_TIME || event->time_ms > a->high_ms)
            a->high_ms = event->time_ms;
        if (index_put(&ids, identity(g, event), i) != i) {
            a->duplicates++;
            continue;
        }
        a->events[a->n] = event;
        a->ids[a->n] = event->id;
        a->times_ms[a->n++] = event->time_ms;
    }
    index_deinit(&ids);
}

static void leave_out(struct accepted *a, const unsigned char *refused)
{
    size_t left = 0;
    for (size_t i = 0; i < a->n; i++) {
        a->duplicates += refused[i] == REFUSED_DUPLICATE;
        a->behind += refused[i] == REFUSED_BEHIND;
        if (refused[i] != ACCEPTED)
            continue;
        a->events[left] = a->events[i];
        a->ids[left] = a->ids[i];
        a->times_ms[left++] = a->times_ms[i];
    }
    a->n = left;
}

/* --- apply --- */

static void make_changes(struct engine *g, const struct accepted *a, uint64_t *matches)
{
    memset(matches, 0, (g->rules_n + 1) * sizeof *matches);
    changes_clear(&g->changes);
    for (size_t i = 0; i < a->n; i++)
        changes_add(&g->changes, g->rules, g->rules_n, a->events[i], &g->scratch,
                    matches);
    changes_finish(&g->changes, &g->scratch);
}

static void count(struct engine *g, const struct batch *b, const struct accepted *a,
                  const uint64_t *matches)
{
    g->stats.batches++;
    g->stats.events += b->events_n;
    g->stats.rejects += b->rejects_n;
    g->stats.late += a->late;
    g->stats.duplicates += a->duplicates;
    g->stats.behind += a->behind;
    for (size_t i = 0; i < g->rules_n; i++)
        g->stats.rules[i].matches += matches[i];
}

static int apply(struct engine *g, const struct engine_partition *p, struct batch *b,
                 struct accepted *a, struct apply_reply *reply, struct err *e)
{
    uint64_t *matches = arena_alloc(&g->scratch, (g->rules_n + 1) * sizeof *matches);
    for (;;) {
        make_changes(g, a, matches);
        struct apply call = {.partition = p->name,
                             .start = b->start,
                             .next = b->next,
                             .high_ms = a->high_ms,
                             .has_events = b->events_n > 0,
                             .at_end = b->at_end,
                             .ids = a->ids,
                             .times_ms = a->times_ms,
                             .events_n = a->n,
                             .changes = g->changes.items,
                             .changes_n = g->changes.n};
        if (g->store->ops->apply(g->store, &call, &g->scratch, reply, e))
            return -1;
        g->clock = reply->clock;
        if (reply->outcome == REVISE) {
            leave_out(a, reply->refused);
            continue;
        }
        if (reply->outcome == MISPLACED && reply->cursor >= 0 &&
            FAULT_OFF("exact_cursor")) {
            b->start = reply->cursor;
            continue;
        }
        if (reply->outcome == APPLIED)
            count(g, b, a, matches);
        return 0;
    }
}

/* The store stands elsewhere: go there; where it knows nothing of the partition, to its beginning. */
static int reposition(struct engine *g, size_t slot, struct engine_partition *p,
                      int64_t cursor, int64_t high_ms, struct err *e)
{
    g->stats.repositions++;
    p->placed = cursor >= 0;
    p->at_end = false;
    p->next = cursor;
    p->high_ms = high_ms;
    if (g->source->ops->seek(g->source, slot, cursor >= 0 ? cursor : 0, e))
        return -1;
    p->from_start = p->from_start || cursor < 0;
    return 0;
}

/* Where the store knows nothing of the partition, it may begin only where the partition does: else what
 * came before would be lost without a word. *ready: the batch may go on. */
static int place_for(struct engine *g, struct engine_partition *p, const struct batch *b,
                     bool *ready, struct err *e)
{
    *ready = true;
    if (p->placed)
        return 0;
    bool begins = p->from_start || FAULT_OFF("rewind");
    if (engine_place(g, p, begins ? b->start : -1, e))
        return -1;
    *ready = p->placed;
    return p->placed ? 0 : reposition(g, b->slot, p, -1, STORE_NO_TIME, e);
}

/* --- judge --- */

/* Judges and commits; *committed says how many held. */
static int judge(struct engine *g, const struct window *windows, size_t n,
                 size_t *committed, struct err *e)
{
    struct judge_settings s = {.rules = g->rules,
                               .rules_n = g->rules_n,
                               .watermark_ms = g->clock.watermark_ms,
                               .settled_ms = g->clock.watermark_ms + (g->at_end ? 1 : 0),
                               .all_read = g->clock.all_read};
    struct judged *judged = judge_windows(&s, windows, n, &g->scratch);
    FAULT_POINT("judged");
    *committed = 0;
    if (n == 0)
        return 0;
    if (g->store->ops->commit(g->store, judged, n, &g->clock, e))
        return -1;
    judge_count(&s, judged, n, g->stats.rules);
    for (size_t i = 0; i < n; i++)
        *committed += judged[i].committed;
    return 0;
}

static bool work_waits(const struct engine *g)
{
    return g->clock.waiting_n > 0 || (g->clock.watermark_ms != STORE_NO_TIME &&
                                      g->clock.next_due_ms <= g->clock.watermark_ms);
}

int engine_tick(struct engine *g, struct err *e)
{
    size_t committed = 1;
    while (committed && work_waits(g)) {
        struct window *windows;
        size_t n;
        arena_reset(&g->scratch);
        if (g->store->ops->due(g->store, DUE_AT_ONCE, &g->scratch, &windows, &n,
                               &g->clock, e))
            return -1;
        if (judge(g, windows, n, &committed, e))
            return -1;
    }
    return 0;
}

int engine_look(struct engine *g, struct err *e)
{
    g->clock.waiting_n = 1;
    return engine_tick(g, e);
}

void engine_forget(struct engine *g)
{
    for (size_t i = 0; i < g->partitions_n; i++)
        g->partitions[i].placed = g->partitions[i].at_end = g->partitions[i].from_start =
            false;
}

int engine_batch(struct engine *g, struct batch *b, struct err *e)
{
    struct engine_partition *p = engine_partition(g, b->slot, b->name);
    struct apply_reply reply;
    struct accepted a;
    size_t committed;
    arena_reset(&g->scratch);
    FAULT_POINT("batch.taken");
    bool ready;
    if (place_for(g, p, b, &ready, e) || !ready)
        return ready ? -1 : 0;
    if (p->next != b->start)
        return reposition(g, b->slot, p, p->next, p->high_ms, e);
    if (b->rejects_n && g->source->ops->dead_letter(g->source, b, e))
        return -1;
    accept(g, p, b, &a);
    p->placed = false; /* until the reply is here nothing is known */
    if (apply(g, p, b, &a, &reply, e))
        return -1;
    if (reply.outcome == MISPLACED)
        return reposition(g, b->slot, p, reply.cursor, reply.high_ms, e);
    *p = (struct engine_partition){.name = p->name,
                                   .owned = p->owned,
                                   .from_start = p->from_start,
                                   .placed = true,
                                   .next = b->next,
                                   .high_ms = a.high_ms,
                                   .active_ms = g->clock.now_ms,
                                   .at_end = b->at_end};
    g->source->ops->commit(g->source, b->slot, b->next, g->commit_metadata);
    if (judge(g, reply.windows, reply.windows_n, &committed, e))
        return -1;
    return engine_tick(g, e);
}

int engine_at_end(struct engine *g, size_t slot, bool idle, struct err *e)
{
    struct engine_partition *p = &g->partitions[slot];
    int64_t asked_ms = g->clock.now_ms, end; /* the clock as it was before the request */
    struct apply_reply reply;
    if (!p->placed && engine_place(g, p, -1, e))
        return -1;
    if (!p->placed &&
        !p->from_start) /* the store lost it: begin again, also where nothing comes */
        return reposition(g, slot, p, -1, STORE_NO_TIME, e);
    if (g->source->ops->end(g->source, slot, &end, e))
        return -1;
    if (!p->placed && end == 0 && engine_place(g, p, 0, e))
        return -1;
    if (!p->placed || end != p->next)
        return 0; /* something is on its way */
    int64_t proven_ms = idle ? asked_ms : STORE_NO_TIME;
    if (g->store->ops->idle(g->store, p->name, p->next, proven_ms, &reply, e))
        return -1;
    g->clock = reply.clock;
    if (reply.outcome == MISPLACED)
        return reposition(g, slot, p, reply.cursor, reply.high_ms, e);
    p->at_end = true;
    return engine_tick(g, e);
}

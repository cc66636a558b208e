/* The store in memory: for replay, and for tests, where it stands in for Redis. Partitions, the watermark
 * and the ids seen are here, the windows in memory_windows.c. */
#include <assert.h>
#include <stdlib.h>

#include "windows/memory_windows.h"
#include "windows/seen_ids.h"

struct partition {
    struct str name;
    int64_t cursor, high_ms, idle_ms, incarnation;
};

struct memory_store {
    struct window_store base;
    struct memory_listener listener;
    int64_t lateness_ms, watermark_ms;
    bool ended;         /* the log is at its end: the watermark is set, not computed */
    struct arena names; /* of partitions */
    struct partition *partitions;
    size_t partitions_n;
    struct memory_windows windows;
    struct seen_ids seen;
};

static struct memory_store *self(struct window_store *s)
{
    return (struct memory_store *)s;
}

/* --- partitions and the watermark --- */

static struct partition *partition_named(struct memory_store *m, struct str name)
{
    for (size_t i = 0; i < m->partitions_n; i++)
        if (str_eq(m->partitions[i].name, name))
            return &m->partitions[i];
    return NULL;
}

static struct partition *partition_made(struct memory_store *m, struct str name)
{
    struct partition *p = partition_named(m, name);
    if (p)
        return p;
    m->partitions = realloc(m->partitions, (m->partitions_n + 1) * sizeof *m->partitions);
    assert(m->partitions);
    p = &m->partitions[m->partitions_n++];
    *p = (struct partition){.name = arena_str(&m->names, name),
                            .cursor = -1,
                            .high_ms = STORE_NO_TIME,
                            .idle_ms = STORE_NO_TIME};
    return p;
}

static void move_watermark(struct memory_store *m)
{
    int64_t low = m->partitions_n && !m->ended ? INT64_MAX : STORE_NO_TIME;
    for (size_t i = 0; i < m->partitions_n && !m->ended; i++) {
        const struct partition *p = &m->partitions[i];
        int64_t w =
            p->high_ms == STORE_NO_TIME ? STORE_NO_TIME : p->high_ms - m->lateness_ms;
        w = w > p->idle_ms ? w : p->idle_ms;
        low = w < low ? w : low;
    }
    if (low <= m->watermark_ms)
        return;
    m->watermark_ms = low;
    seen_ids_forget(&m->seen, low);
}

static int memory_partitions(struct window_store *s, const struct str *names, size_t n,
                             struct err *e)
{
    (void)e;
    for (size_t i = 0; i < n; i++)
        partition_made(self(s), names[i]);
    return 0;
}

static int memory_cursor(struct window_store *s, struct str name, struct arena *arena,
                         struct store_place *out, struct err *e)
{
    (void)e, (void)arena;
    const struct partition *p = partition_made(self(s), name);
    *out = (struct store_place){.cursor = p->cursor,
                                .incarnation = p->incarnation,
                                .high_ms = p->high_ms,
                                .last_offset = -1};
    return 0;
}

static int memory_begin(struct window_store *s, struct str name,
                        const struct store_place *place, struct err *e)
{
    (void)e;
    struct partition *p = partition_made(self(s), name);
    if (p->cursor >= 0)
        return 0;
    p->cursor = place->cursor;
    p->incarnation = place->incarnation;
    p->high_ms = place->high_ms;
    return 0;
}

static int memory_remade(struct window_store *s, struct str name,
                         const struct store_place *place, struct err *e)
{
    (void)e;
    struct partition *p = partition_made(self(s), name);
    if (p->cursor < 0 || p->cursor != place->cursor ||
        p->incarnation != place->incarnation)
        return 0;
    p->cursor = 0;
    p->incarnation++;
    p->high_ms = p->idle_ms = STORE_NO_TIME;
    return 0;
}

static struct store_clock read_clock(struct memory_store *m)
{
    return (struct store_clock){.watermark_ms = m->watermark_ms,
                                .next_due_ms = memory_windows_next_due(&m->windows),
                                .waiting_n = (int64_t)m->windows.waiting_n,
                                .judged_ms =
                                    memory_windows_judged(&m->windows, m->watermark_ms)};
}

/* --- apply --- */

static bool refuse(struct memory_store *m, const struct apply *a, struct arena *arena,
                   struct apply_reply *out)
{
    bool any = false;
    out->refused = arena_alloc(arena, a->events_n + 1);
    for (size_t i = 0; i < a->events_n; i++) {
        if (a->times_ms[i] < m->watermark_ms)
            out->refused[i] = REFUSED_BEHIND;
        else if (seen_ids_has(&m->seen, a->ids[i], a->times_ms[i]))
            out->refused[i] = REFUSED_DUPLICATE;
        any = any || out->refused[i];
    }
    return any;
}

static int memory_apply(struct window_store *s, const struct apply *a,
                        struct arena *arena, struct apply_reply *out, struct err *e)
{
    (void)e;
    struct memory_store *m = self(s);
    struct partition *p = partition_made(m, a->partition);
    *out = (struct apply_reply){.outcome = MISPLACED};
    out->clock = read_clock(m);
    if (p->cursor != a->start || p->incarnation != a->incarnation)
        return 0;
    out->outcome = REVISE;
    if (refuse(m, a, arena, out))
        return 0;
    for (size_t i = 0; i < a->events_n; i++)
        seen_ids_add(&m->seen, a->ids[i], a->times_ms[i]);
    out->left_out = arena_alloc(arena, (a->changes_n + 1) * sizeof *out->left_out);
    for (size_t i = 0; i < a->changes_n; i++)
        if (!memory_windows_change(&m->windows, a, &a->changes[i]))
            out->left_out[out->left_out_n++] = i;
    p->cursor = a->next;
    p->high_ms = a->high_ms > p->high_ms ? a->high_ms : p->high_ms;
    move_watermark(m);
    out->outcome = APPLIED;
    /* Where nobody hears, due() hands them out, once for all batches before it. */
    if (m->listener.outbox && !a->judge_later)
        out->windows_n =
            memory_windows_waiting(&m->windows, SIZE_MAX, arena, &out->windows);
    out->clock = read_clock(m);
    return 0;
}

/* A log has no clock: what `run` learns from an idle partition, replay learns at the log's end. */
static int memory_idle(struct window_store *s, struct str name,
                       const struct store_place *at, int64_t proven_ms,
                       struct apply_reply *out, struct err *e)
{
    (void)e;
    struct memory_store *m = self(s);
    struct partition *p = partition_made(m, name);
    *out = (struct apply_reply){.outcome = APPLIED};
    if (p->cursor != at->cursor || p->incarnation != at->incarnation)
        out->outcome = MISPLACED;
    else if (proven_ms != STORE_NO_TIME && p->high_ms == STORE_NO_TIME &&
             proven_ms - m->lateness_ms > p->idle_ms)
        p->idle_ms = proven_ms - m->lateness_ms;
    move_watermark(m);
    out->clock = read_clock(m);
    return 0;
}

/* --- judging --- */

static int memory_due(struct window_store *s, size_t limit, bool unproven,
                      struct arena *arena, struct window **windows, size_t *n,
                      struct store_clock *clock, struct err *e)
{
    (void)e, (void)unproven; /* nobody hears what is said early */
    struct memory_store *m = self(s);
    size_t lapsed_n = memory_windows_wake(&m->windows, m->watermark_ms, limit);
    *n = memory_windows_waiting(&m->windows, limit, arena, windows);
    *clock = read_clock(m);
    clock->lapsed_n = (int64_t)lapsed_n;
    return 0;
}

static int memory_peek(struct window_store *s, const struct window_id *ids, size_t n,
                       struct arena *arena, struct window **windows, size_t *found,
                       struct err *e)
{
    (void)e;
    *found = 0;
    *windows = arena_alloc(arena, (n + 1) * sizeof **windows);
    for (size_t i = 0; i < n; i++)
        *found +=
            memory_windows_peek(&self(s)->windows, &ids[i], arena, &(*windows)[*found]);
    return 0;
}

static void tell(struct memory_store *m, const struct judged *j)
{
    for (size_t i = 0; i < j->record_n && m->listener.record; i++)
        m->listener.record(m->listener.arg, j->record[i]);
    for (size_t i = 0; i < j->outbox_n && m->listener.outbox; i++)
        m->listener.outbox(m->listener.arg, j->outbox[i].sink, j->outbox[i].body);
}

static int memory_commit(struct window_store *s, struct judged *judged, size_t n,
                         struct store_clock *clock, struct err *e)
{
    (void)e;
    struct memory_store *m = self(s);
    for (size_t i = 0; i < n; i++) {
        memory_windows_replace(&m->windows, &judged[i]);
        if (judged[i].committed)
            tell(m, &judged[i]);
    }
    *clock = read_clock(m);
    return 0;
}

static int memory_counts(struct window_store *s, const struct str *names, size_t n,
                         int64_t *counts, struct err *e)
{
    (void)e;
    for (size_t i = 0; i < n; i++)
        counts[i] = window_counts_of(&self(s)->windows.live, names[i]);
    return 0;
}

static int memory_record(struct window_store *s, store_line_fn *fn, void *arg,
                         struct err *e)
{
    (void)s, (void)fn, (void)arg, (void)e; /* lines went to the listener */
    return 0;
}

/* --- life --- */

static void memory_close(struct window_store *s)
{
    struct memory_store *m = self(s);
    memory_windows_deinit(&m->windows);
    free(m->partitions);
    seen_ids_deinit(&m->seen);
    arena_deinit(&m->names);
    free(m);
}

static const struct store_ops memory_ops = {
    .partitions = memory_partitions,
    .cursor = memory_cursor,
    .begin = memory_begin,
    .remade = memory_remade,
    .apply = memory_apply,
    .idle = memory_idle,
    .due = memory_due,
    .peek = memory_peek,
    .commit = memory_commit,
    .windows = memory_counts,
    .record = memory_record,
    .close = memory_close,
};

struct window_store *memory_store_open(int64_t lateness_ms,
                                       struct memory_listener listener)
{
    struct memory_store *m = calloc(1, sizeof *m);
    assert(m);
    m->base.ops = &memory_ops;
    m->base.past = (struct store_times){STORE_NO_TIME, STORE_NO_TIME, STORE_NO_TIME};
    if (!listener.outbox)
        m->base.past.said_ms = STORE_NO_DUE; /* nobody hears: nothing is to be said */
    memory_windows_init(&m->windows, !listener.outbox);
    m->listener = listener;
    m->lateness_ms = lateness_ms;
    m->watermark_ms = STORE_NO_TIME;
    seen_ids_init(&m->seen, id_slot_ms(lateness_ms));
    return &m->base;
}

void memory_store_end(struct window_store *s, bool settle)
{
    struct memory_store *m = self(s);
    int64_t high_ms = STORE_NO_TIME;
    for (size_t i = 0; i < m->partitions_n; i++)
        if (m->partitions[i].high_ms > high_ms)
            high_ms = m->partitions[i].high_ms;
    m->ended = true;
    m->watermark_ms = settle ? STORE_NO_DUE - 2 : high_ms;
    /* Nothing more can come: what waits for the watermark to pass the last events need wait no more. */
    (void)memory_windows_wake(&m->windows, m->watermark_ms + 1, SIZE_MAX);
}

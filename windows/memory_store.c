/* The store in memory: for replay, and for tests, where it stands in for Redis.
 *
 * Windows lie packed as in Redis, found by id. A forgotten window keeps its place until half of all
 * are forgotten; then the places are given to new ones. A heap holds due times, a list the windows
 * that want judging at once. Nobody else writes, so versions only tell whether a window was changed
 * between reading and writing. */
#include <assert.h>
#include <stdlib.h>

#include "core/index.h"
#include "core/timefmt.h"
#include "windows/due_heap.h"
#include "windows/seen_ids.h"
#include "windows/window_store.h"

struct stored {
    struct window_id id;
    struct buf value; /* n == 0: forgotten */
    int64_t due_ms;
    bool waiting;
};

struct partition {
    struct str name;
    int64_t cursor, high_ms, idle_ms;
};

struct memory_store {
    struct window_store base;
    struct memory_listener listener;
    int64_t lateness_ms, watermark_ms;
    bool ended; /* the log is at its end: the watermark is set, not computed */
    uint64_t version;
    struct arena names; /* of partitions */
    struct partition *partitions;
    size_t partitions_n;
    struct index by_id; /* keys borrow from the windows */
    struct stored **windows;
    size_t windows_n, windows_cap, forgotten_n;
    size_t *vacant; /* numbers of windows that new ones may take */
    size_t vacant_n;
    struct due_heap due;
    size_t *waiting;
    size_t waiting_n, waiting_cap;
    struct seen_ids seen;
};

static struct memory_store *self(struct window_store *s)
{
    return (struct memory_store *)s;
}

static void *grown(void *array, size_t n, size_t *cap, size_t item_bytes)
{
    if (n < *cap)
        return array;
    *cap = *cap ? *cap * 2 : 64;
    array = realloc(array, *cap * item_bytes);
    assert(array);
    return array;
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
    *p = (struct partition){arena_str(&m->names, name), -1, STORE_NO_TIME, STORE_NO_TIME};
    return p;
}

static void move_watermark(struct memory_store *m)
{
    int64_t low = m->partitions_n && !m->ended ? INT64_MAX : STORE_NO_TIME;
    for (size_t i = 0; i < m->partitions_n && !m->ended; i++) {
        const struct partition *p = &m->partitions[i];
        int64_t w = p->high_ms == STORE_NO_TIME ? STORE_NO_TIME : p->high_ms - m->lateness_ms;
        w = w > p->idle_ms ? w : p->idle_ms;
        low = w < low ? w : low;
    }
    if (low <= m->watermark_ms)
        return;
    m->watermark_ms = low;
    seen_ids_forget(&m->seen, low);
}

static int memory_partitions(struct window_store *s, const struct str *names, size_t n, struct err *e)
{
    (void)e;
    for (size_t i = 0; i < n; i++)
        partition_made(self(s), names[i]);
    return 0;
}

static int memory_cursor(struct window_store *s, struct str name, int64_t *cursor, int64_t *high_ms,
                         struct err *e)
{
    (void)e;
    const struct partition *p = partition_made(self(s), name);
    *cursor = p->cursor;
    *high_ms = p->high_ms;
    return 0;
}

static int memory_begin(struct window_store *s, struct str name, int64_t start, struct err *e)
{
    (void)e;
    struct partition *p = partition_made(self(s), name);
    if (p->cursor < 0)
        p->cursor = start;
    return 0;
}

/* --- windows --- */

static bool current(const struct memory_store *m, struct due_entry entry)
{
    const struct stored *w = m->windows[entry.window];
    return w->value.n && w->due_ms == entry.due_ms;
}

static struct store_clock read_clock(struct memory_store *m)
{
    struct due_entry next;
    while (due_heap_peek(&m->due, &next) && !current(m, next))
        due_heap_pop(&m->due);
    bool any = due_heap_peek(&m->due, &next);
    return (struct store_clock){m->watermark_ms, 0, any ? next.due_ms : STORE_NO_DUE,
                                (int64_t)m->waiting_n};
}

/* Gives the places of forgotten windows to new ones, once they are half of all. */
static void reclaim(struct memory_store *m)
{
    if (m->forgotten_n < 1024 || m->forgotten_n * 2 < m->windows_n)
        return;
    index_clear(&m->by_id);
    m->vacant = realloc(m->vacant, m->windows_n * sizeof *m->vacant);
    assert(m->vacant);
    m->vacant_n = 0;
    for (size_t i = 0; i < m->windows_n; i++)
        if (m->windows[i]->value.n)
            index_put(&m->by_id, window_id_str(&m->windows[i]->id), i);
        else
            m->vacant[m->vacant_n++] = i;
    m->forgotten_n = 0;
}

static size_t place(struct memory_store *m)
{
    if (m->vacant_n)
        return m->vacant[--m->vacant_n];
    m->windows = grown(m->windows, m->windows_n, &m->windows_cap, sizeof *m->windows);
    struct stored *w = calloc(1, sizeof *w);
    assert(w);
    buf_init(&w->value, WINDOW_MAX_BYTES);
    m->windows[m->windows_n] = w;
    return m->windows_n++;
}

/* The number of the window with that id; made, empty, if there is none. */
static size_t window_number(struct memory_store *m, const struct window_id *id)
{
    size_t at = index_get(&m->by_id, window_id_str(id));
    if (at != INDEX_NONE)
        return at;
    reclaim(m);
    at = place(m);
    m->windows[at]->id = *id;
    index_put(&m->by_id, window_id_str(&m->windows[at]->id), at);
    m->forgotten_n++; /* until it gets a value */
    return at;
}

static void set_due(struct memory_store *m, size_t at, int64_t due_ms)
{
    if (m->windows[at]->due_ms == due_ms)
        return;
    m->windows[at]->due_ms = due_ms;
    if (due_ms != STORE_NO_DUE)
        due_heap_push(&m->due, due_ms, at);
}

static void next_version(struct memory_store *m, char *out)
{
    m->version++;
    memcpy(out, &m->version, WINDOW_VERSION_BYTES);
}

/* Little-endian numbers inside a packed value. */
static uint32_t peek_u32(const struct buf *value, size_t at)
{
    struct reader r = {.in = {value->p + at, 4}};
    return reader_u32(&r);
}

static void poke_u32(struct buf *value, size_t at, uint32_t v)
{
    for (size_t i = 0; i < 4; i++)
        value->p[at + i] = (char)(v >> (8 * i));
}

static bool wants_judging(const struct buf *value, const struct window_change *c)
{
    return peek_u32(value, 8) >= c->judge_at ||
           value->n - peek_u32(value, 12) >= WINDOW_FOLD_BYTES;
}

static void change(struct memory_store *m, const struct window_change *c)
{
    char version[WINDOW_VERSION_BYTES];
    size_t at = window_number(m, &c->id);
    struct stored *w = m->windows[at];
    next_version(m, version);
    if (w->value.n == 0) {
        window_pack(&w->value, version, c->head, STR_NONE, c->records, c->records_n);
        w->due_ms = STORE_NO_DUE;
        m->forgotten_n--;
    } else {
        memcpy(w->value.p, version, sizeof version);
        poke_u32(&w->value, 8, peek_u32(&w->value, 8) + c->records_n);
        buf_put(&w->value, c->records);
    }
    if (c->due_ms < w->due_ms)
        set_due(m, at, c->due_ms);
    if (w->waiting || !wants_judging(&w->value, c))
        return;
    w->waiting = true;
    m->waiting = grown(m->waiting, m->waiting_n, &m->waiting_cap, sizeof *m->waiting);
    m->waiting[m->waiting_n++] = at;
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

static void unpack(struct memory_store *m, size_t at, struct arena *arena, struct window *out)
{
    struct str copy = arena_str(arena, buf_str(&m->windows[at]->value));
    bool ok = window_unpack(copy, arena, out);
    assert(ok);
}

/* Hands out waiting windows; they are waiting until they are committed. */
static size_t hand_out(struct memory_store *m, size_t limit, struct arena *arena, struct window **out)
{
    size_t n = m->waiting_n < limit ? m->waiting_n : limit;
    *out = arena_alloc(arena, (n + 1) * sizeof **out);
    for (size_t i = 0; i < n; i++)
        unpack(m, m->waiting[i], arena, &(*out)[i]);
    return n;
}

static int memory_apply(struct window_store *s, const struct apply *a, struct arena *arena,
                        struct apply_reply *out, struct err *e)
{
    (void)e;
    struct memory_store *m = self(s);
    struct partition *p = partition_made(m, a->partition);
    *out = (struct apply_reply){.outcome = MISPLACED, .cursor = p->cursor, .high_ms = p->high_ms};
    out->clock = read_clock(m);
    if (p->cursor != a->start)
        return 0;
    out->outcome = REVISE;
    if (refuse(m, a, arena, out))
        return 0;
    for (size_t i = 0; i < a->events_n; i++)
        seen_ids_add(&m->seen, a->ids[i], a->times_ms[i]);
    for (size_t i = 0; i < a->changes_n; i++)
        change(m, &a->changes[i]);
    p->cursor = a->next;
    p->high_ms = a->high_ms > p->high_ms ? a->high_ms : p->high_ms;
    move_watermark(m);
    out->outcome = APPLIED;
    out->windows_n = hand_out(m, SIZE_MAX, arena, &out->windows);
    out->clock = read_clock(m);
    return 0;
}

/* A log has no clock: what `run` learns from an idle partition, replay learns at the log's end. */
static int memory_idle(struct window_store *s, struct str name, int64_t cursor, int64_t proven_ms,
                       struct apply_reply *out, struct err *e)
{
    (void)e;
    struct memory_store *m = self(s);
    struct partition *p = partition_made(m, name);
    *out = (struct apply_reply){.outcome = APPLIED, .cursor = p->cursor, .high_ms = p->high_ms};
    if (p->cursor != cursor)
        out->outcome = MISPLACED;
    else if (p->high_ms == STORE_NO_TIME && proven_ms - m->lateness_ms > p->idle_ms)
        p->idle_ms = proven_ms - m->lateness_ms;
    move_watermark(m);
    out->clock = read_clock(m);
    return 0;
}

/* --- judging --- */

static int memory_due(struct window_store *s, size_t limit, struct arena *arena,
                      struct window **windows, size_t *n, struct store_clock *clock, struct err *e)
{
    (void)e;
    struct memory_store *m = self(s);
    while (m->waiting_n < limit && (*clock = read_clock(m)).next_due_ms <= m->watermark_ms) {
        struct due_entry entry;
        due_heap_peek(&m->due, &entry);
        due_heap_pop(&m->due);
        struct stored *w = m->windows[entry.window];
        w->due_ms = STORE_NO_DUE;
        if (w->waiting)
            continue;
        w->waiting = true;
        m->waiting = grown(m->waiting, m->waiting_n, &m->waiting_cap, sizeof *m->waiting);
        m->waiting[m->waiting_n++] = entry.window;
    }
    *n = hand_out(m, limit, arena, windows);
    *clock = read_clock(m);
    return 0;
}

static void tell(struct memory_store *m, const struct judged *j)
{
    for (size_t i = 0; i < j->record_n && m->listener.record; i++)
        m->listener.record(m->listener.arg, j->record[i]);
    for (size_t i = 0; i < j->outbox_n && m->listener.outbox; i++)
        m->listener.outbox(m->listener.arg, j->outbox[i].sink, j->outbox[i].body);
}

static void commit_one(struct memory_store *m, struct judged *j)
{
    size_t at = index_get(&m->by_id, window_id_str(&j->id));
    struct stored *w = at == INDEX_NONE ? NULL : m->windows[at];
    j->committed = w && w->value.n && memcmp(w->value.p, j->version, WINDOW_VERSION_BYTES) == 0;
    if (!j->committed)
        return;
    char version[WINDOW_VERSION_BYTES];
    next_version(m, version);
    buf_clear(&w->value);
    w->waiting = false;
    if (j->state.n || j->kept_n) {
        window_pack(&w->value, version, j->head, j->state, j->kept, j->kept_n);
        set_due(m, at, j->due_ms);
    } else {
        buf_deinit(&w->value);
        w->due_ms = STORE_NO_DUE;
        m->forgotten_n++;
    }
    tell(m, j);
}

static int memory_commit(struct window_store *s, struct judged *judged, size_t n,
                         struct store_clock *clock, struct err *e)
{
    (void)e;
    struct memory_store *m = self(s);
    for (size_t i = 0; i < n; i++)
        commit_one(m, &judged[i]);
    size_t left = 0;
    for (size_t i = 0; i < m->waiting_n; i++)
        if (m->windows[m->waiting[i]]->waiting)
            m->waiting[left++] = m->waiting[i];
    m->waiting_n = left;
    *clock = read_clock(m);
    return 0;
}

static int memory_record(struct window_store *s, store_line_fn *fn, void *arg, struct err *e)
{
    (void)s, (void)fn, (void)arg, (void)e; /* lines went to the listener */
    return 0;
}

/* --- life --- */

static void memory_close(struct window_store *s)
{
    struct memory_store *m = self(s);
    for (size_t i = 0; i < m->windows_n; i++) {
        buf_deinit(&m->windows[i]->value);
        free(m->windows[i]);
    }
    free(m->windows);
    free(m->vacant);
    free(m->waiting);
    free(m->partitions);
    index_deinit(&m->by_id);
    due_heap_deinit(&m->due);
    seen_ids_deinit(&m->seen);
    arena_deinit(&m->names);
    free(m);
}

static const struct store_ops memory_ops = {
    .partitions = memory_partitions,
    .cursor = memory_cursor,
    .begin = memory_begin,
    .apply = memory_apply,
    .idle = memory_idle,
    .due = memory_due,
    .commit = memory_commit,
    .record = memory_record,
    .close = memory_close,
};

struct window_store *memory_store_open(int64_t lateness_ms, struct memory_listener listener)
{
    struct memory_store *m = calloc(1, sizeof *m);
    assert(m);
    m->base.ops = &memory_ops;
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
    m->watermark_ms = settle ? INT64_MAX - 1 : high_ms;
}

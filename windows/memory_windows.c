/* A forgotten window keeps its place until half of all are forgotten; then the places are given to new
 * ones. A due time that changed is pushed again: an entry of the heap counts only while it is its
 * window's current one. Nobody else writes here, so versions only tell whether a window was changed between
 * reading and writing. */
#include "windows/memory_windows.h"

#include <assert.h>
#include <stdlib.h>

enum {
    RECORDS_N_AT = 8, /* in a packed value */
    RECORDS_BYTES_AT = 12,
    PATIENT_FOLD_BYTES = 8 * WINDOW_FOLD_BYTES,
};

struct stored {
    struct window_id id;
    struct buf value; /* n == 0: forgotten */
    int64_t due_ms;
    bool waiting, listed; /* listed: it stands in the list, perhaps no longer waiting */
    bool woken;           /* it waits because it was due */
    bool lapses; /* it was never judged, and need not be for the records that it holds */
    size_t judged_bytes; /* of its records when it was last judged */
    uint32_t calm_n;     /* see struct judged */
    int64_t calm_from_ms;
};

static bool current(const struct memory_windows *m, struct due_entry entry)
{
    const struct stored *w = m->items[entry.window];
    return w->value.n && w->due_ms == entry.due_ms;
}

int64_t memory_windows_next_due(struct memory_windows *m)
{
    struct due_entry next;
    while (due_heap_peek(&m->due, &next) && !current(m, next))
        due_heap_pop(&m->due);
    return due_heap_peek(&m->due, &next) ? next.due_ms : STORE_NO_DUE;
}

/* Gives the places of forgotten windows to new ones, once they are half of all. */
static void reclaim(struct memory_windows *m)
{
    if (m->forgotten_n < 1024 || m->forgotten_n * 2 < m->n)
        return;
    index_clear(&m->by_id);
    m->vacant = realloc(m->vacant, m->n * sizeof *m->vacant);
    assert(m->vacant);
    m->vacant_n = 0;
    for (size_t i = 0; i < m->n; i++)
        if (m->items[i]->value.n)
            index_put(&m->by_id, window_id_str(&m->items[i]->id), i);
        else
            m->vacant[m->vacant_n++] = i;
    m->forgotten_n = 0;
}

static size_t place(struct memory_windows *m)
{
    if (m->vacant_n)
        return m->vacant[--m->vacant_n];
    if (m->n == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 64;
        m->items = realloc(m->items, m->cap * sizeof *m->items);
        assert(m->items);
    }
    struct stored *w = calloc(1, sizeof *w);
    assert(w);
    buf_init(&w->value, WINDOW_MAX_BYTES);
    m->items[m->n] = w;
    return m->n++;
}

/* The number of a new window with that id, empty. */
static size_t new_window(struct memory_windows *m, const struct window_id *id)
{
    reclaim(m);
    size_t at = place(m);
    m->items[at]->id = *id;
    index_put(&m->by_id, window_id_str(&m->items[at]->id), at);
    m->forgotten_n++; /* until it gets a value */
    return at;
}

static void set_due(struct memory_windows *m, size_t at, int64_t due_ms)
{
    if (m->items[at]->due_ms == due_ms)
        return;
    m->items[at]->due_ms = due_ms;
    if (due_ms != STORE_NO_DUE)
        due_heap_push(&m->due, due_ms, (uint32_t)at);
}

static void wait_for_judging(struct memory_windows *m, size_t at)
{
    struct stored *w = m->items[at];
    m->waiting_n += !w->waiting;
    w->waiting = true;
    if (w->listed)
        return;
    w->listed = true;
    if (m->list_n == m->list_cap) {
        m->list_cap = m->list_cap ? m->list_cap * 2 : 64;
        m->list = realloc(m->list, m->list_cap * sizeof *m->list);
        assert(m->list);
    }
    m->list[m->list_n++] = at;
}

/* Windows that wait no more leave the list. */
static void tidy_list(struct memory_windows *m)
{
    size_t left = 0;
    for (size_t i = 0; i < m->list_n; i++) {
        struct stored *w = m->items[m->list[i]];
        w->listed = w->waiting;
        if (w->waiting)
            m->list[left++] = m->list[i];
    }
    m->list_n = left;
}

static void next_version(struct memory_windows *m, char *out)
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

static void add_u32(struct buf *value, size_t at, size_t more)
{
    size_t v = peek_u32(value, at) + more;
    for (size_t i = 0; i < 4; i++)
        value->p[at + i] = (char)(v >> (8 * i));
}

/* At once, or as soon as something may be known of what was added. */
static void ask_for_judging(struct memory_windows *m, size_t at,
                            const struct window_change *c)
{
    const struct stored *w = m->items[at];
    size_t bytes = peek_u32(&w->value, RECORDS_BYTES_AT);
    uint32_t judge_at = w->calm_n > c->judge_at ? w->calm_n : c->judge_at;
    bool many = peek_u32(&w->value, RECORDS_N_AT) >= judge_at;
    bool changes = c->first_ms < w->calm_from_ms || (m->patient && many);
    if (changes && c->first_ms < w->due_ms)
        set_due(m, at, c->first_ms + 1);
    size_t patience = PATIENT_FOLD_BYTES + 2 * w->judged_bytes;
    if (m->patient ? bytes >= patience || bytes >= WINDOW_MAX_BYTES / 4
                   : many || window_is_full(w->judged_bytes, bytes))
        wait_for_judging(m, at);
}

static struct str name_of(struct str head)
{
    struct reader r = {.in = head};
    return reader_str16(&r);
}

static struct str head_of(const struct stored *w)
{
    struct reader r = {.in = str_from(buf_str(&w->value), WINDOW_HEADER_BYTES)};
    return reader_str16(&r);
}

static bool has_room(const struct memory_windows *m, const struct apply *batch,
                     struct str name)
{
    for (size_t i = 0; i < batch->limits_n; i++)
        if (str_eq(batch->limits[i].name, name))
            return window_counts_of(&m->live, name) < batch->limits[i].max;
    return true;
}

bool memory_windows_change(struct memory_windows *m, const struct apply *batch,
                           const struct window_change *c)
{
    char version[WINDOW_VERSION_BYTES];
    size_t at = index_get(&m->by_id, window_id_str(&c->id));
    bool made = at == INDEX_NONE || m->items[at]->value.n == 0;
    if (made && !has_room(m, batch, name_of(c->head)))
        return false;
    if (at == INDEX_NONE)
        at = new_window(m, &c->id);
    struct stored *w = m->items[at];
    next_version(m, version);
    if (made) {
        window_counts_add(&m->live, name_of(c->head), 1);
        window_pack(&w->value, version, c->head, STR_NONE, c->records, c->records_n);
        w->due_ms = STORE_NO_DUE;
        w->lapses = c->lapses && c->records_n < c->judge_at;
        w->judged_bytes = w->calm_n = 0;
        w->calm_from_ms = STORE_NO_TIME;
        m->forgotten_n--;
    } else {
        memcpy(w->value.p, version, sizeof version);
        add_u32(&w->value, RECORDS_N_AT, c->records_n);
        add_u32(&w->value, RECORDS_BYTES_AT, c->records.n);
        buf_put(&w->value, c->records);
        w->lapses =
            w->lapses && c->lapses && peek_u32(&w->value, RECORDS_N_AT) < c->judge_at;
    }
    assert(!w->value.overflowed);
    if (made || (c->due_ms > w->due_ms) == w->lapses) /* see struct window_change */
        set_due(m, at, c->due_ms);
    ask_for_judging(m, at, c);
    return true;
}

static void forget(struct memory_windows *m, struct stored *w, struct str head)
{
    window_counts_add(&m->live, name_of(head), -1);
    buf_deinit(&w->value);
    w->due_ms = STORE_NO_DUE;
    m->forgotten_n++;
}

size_t memory_windows_wake(struct memory_windows *m, int64_t watermark_ms, size_t limit)
{
    struct due_entry entry;
    size_t lapsed_n = 0;
    while (m->waiting_n < limit && memory_windows_next_due(m) <= watermark_ms) {
        due_heap_peek(&m->due, &entry);
        due_heap_pop(&m->due);
        struct stored *w = m->items[entry.window];
        if (w->lapses && !w->waiting) {
            forget(m, w, head_of(w));
            lapsed_n++;
            continue;
        }
        w->due_ms = STORE_NO_DUE;
        m->woken_ms = m->woken_n ? m->woken_ms : entry.due_ms;
        m->woken_n += !w->woken;
        w->woken = true;
        wait_for_judging(m, entry.window);
    }
    return lapsed_n;
}

int64_t memory_windows_judged(struct memory_windows *m, int64_t watermark_ms)
{
    int64_t due_ms = memory_windows_next_due(m);
    if (m->waiting_n > m->woken_n)
        return STORE_NO_TIME;
    if (m->woken_n && m->woken_ms < due_ms)
        due_ms = m->woken_ms;
    return due_ms - 1 < watermark_ms ? due_ms - 1 : watermark_ms;
}

bool memory_windows_peek(const struct memory_windows *m, const struct window_id *id,
                         struct arena *arena, struct window *out)
{
    size_t at = index_get(&m->by_id, window_id_str(id));
    if (at == INDEX_NONE || m->items[at]->value.n == 0)
        return false;
    return window_unpack(arena_str(arena, buf_str(&m->items[at]->value)), arena, out);
}

size_t memory_windows_waiting(struct memory_windows *m, size_t limit, struct arena *arena,
                              struct window **out)
{
    if (m->list_n > 2 * m->waiting_n)
        tidy_list(m);
    size_t n = 0, most = m->waiting_n < limit ? m->waiting_n : limit;
    *out = arena_alloc(arena, (most + 1) * sizeof **out);
    for (size_t i = m->list_n; i-- > 0 && n < most;) {
        if (!m->items[m->list[i]]->waiting)
            continue;
        struct str copy = arena_str(arena, buf_str(&m->items[m->list[i]]->value));
        bool ok = window_unpack(copy, arena, &(*out)[n++]);
        assert(ok);
    }
    return n;
}

void memory_windows_replace(struct memory_windows *m, struct judged *j)
{
    char version[WINDOW_VERSION_BYTES];
    size_t at = index_get(&m->by_id, window_id_str(&j->id));
    struct stored *w = at == INDEX_NONE ? NULL : m->items[at];
    j->committed =
        w && w->value.n && memcmp(w->value.p, j->version, WINDOW_VERSION_BYTES) == 0;
    if (!j->committed)
        return;
    next_version(m, version);
    buf_clear(&w->value);
    m->waiting_n -= w->waiting;
    m->woken_n -= w->woken;
    w->waiting = w->woken = w->lapses = false;
    if (j->state.n || j->kept_n) {
        window_pack(&w->value, version, j->head, j->state, j->kept, j->kept_n);
        w->judged_bytes = j->kept.n;
        w->calm_n = j->calm_n;
        w->calm_from_ms = j->calm_from_ms;
        set_due(m, at, j->due_ms);
        return;
    }
    forget(m, w, j->head);
}

void memory_windows_deinit(struct memory_windows *m)
{
    for (size_t i = 0; i < m->n; i++) {
        buf_deinit(&m->items[i]->value);
        free(m->items[i]);
    }
    free(m->items);
    free(m->vacant);
    free(m->list);
    window_counts_deinit(&m->live);
    index_deinit(&m->by_id);
    due_heap_deinit(&m->due);
}

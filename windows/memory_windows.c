/* A due time that changed is pushed again: an entry of the heap counts only while it is its window's current one. Nobody
 * else writes here, so versions only tell whether a window was changed between reading and writing. A window's value is
 * what a base in Redis has, too: window_body(). */
#include "windows/memory_windows.h"

#include <assert.h>
#include <stdlib.h>

enum { PATIENT_FOLD_BYTES = 8 * WINDOW_FOLD_BYTES };

/* Most windows hold one event and lapse: they are as small as may be. */
struct stored {
    struct window_id id;
    char *value; /* NULL: forgotten, its place is free */
    uint32_t value_n, value_cap;
    uint32_t records_n, records_bytes;
    uint32_t judged_bytes; /* of its records when it was last judged */
    uint32_t calm_n;       /* see struct judged */
    int64_t calm_from_ms, due_ms;
    uint64_t version;
    uint32_t
        listed; /* where it stands in the list, counted from 1, perhaps no longer waiting */
    bool waiting;
    bool woken;  /* it waits because it was due */
    bool lapses; /* it was never judged, and need not be for the records that it holds */
};
static_assert(sizeof(uint64_t) == WINDOW_VERSION_BYTES, "a version is a number here");

static struct stored *at(const struct memory_windows *m, uint32_t number)
{
    return window_table_at(&m->table, number);
}

/* To be changed, and put back with set_value(). */
static struct buf value_of(const struct stored *w)
{
    return (struct buf){w->value, w->value_n, w->value_cap, WINDOW_MAX_BYTES, false};
}

static void set_value(struct stored *w, const struct buf *value)
{
    assert(!value->overflowed);
    w->value = value->p;
    w->value_n = (uint32_t)value->n;
    w->value_cap = (uint32_t)value->cap;
}

void memory_windows_init(struct memory_windows *m, bool patient)
{
    *m = (struct memory_windows){.patient = patient};
    window_table_init(&m->table, sizeof(struct stored));
}

static bool current(const struct memory_windows *m, struct due_entry entry)
{
    const struct stored *w = at(m, entry.window);
    return w->value && w->due_ms == entry.due_ms;
}

int64_t memory_windows_next_due(struct memory_windows *m)
{
    struct due_entry next;
    while (due_heap_peek(&m->due, &next) && !current(m, next))
        due_heap_pop(&m->due);
    return due_heap_peek(&m->due, &next) ? next.due_ms : STORE_NO_DUE;
}

static void set_due(struct memory_windows *m, uint32_t number, int64_t due_ms)
{
    struct stored *w = at(m, number);
    if (w->due_ms == due_ms)
        return;
    w->due_ms = due_ms;
    if (due_ms != STORE_NO_DUE)
        due_heap_push(&m->due, due_ms, number);
}

static void wait_for_judging(struct memory_windows *m, uint32_t number)
{
    struct stored *w = at(m, number);
    m->waiting_n += !w->waiting;
    w->waiting = true;
    if (w->listed)
        return;
    if (m->list_n == m->list_cap) {
        m->list_cap = m->list_cap ? m->list_cap * 2 : 64;
        m->list = realloc(m->list, m->list_cap * sizeof *m->list);
        assert(m->list);
    }
    m->list[m->list_n++] = number;
    w->listed = (uint32_t)m->list_n;
}

/* Windows that wait no more leave the list. */
static void tidy_list(struct memory_windows *m)
{
    size_t left = 0;
    for (size_t i = 0; i < m->list_n; i++) {
        uint32_t number = m->list[i];
        if (!number)
            continue;
        struct stored *w = at(m, number);
        w->listed = 0;
        if (!w->waiting)
            continue;
        m->list[left++] = number;
        w->listed = (uint32_t)left;
    }
    m->list_n = left;
}

/* At once, or as soon as something may be known of what was added. */
static void ask_for_judging(struct memory_windows *m, uint32_t number,
                            const struct window_change *c)
{
    const struct stored *w = at(m, number);
    size_t bytes = w->records_bytes;
    uint32_t judge_at = w->calm_n > c->judge_at ? w->calm_n : c->judge_at;
    bool many = w->records_n >= judge_at;
    bool changes = c->first_ms < w->calm_from_ms || (m->patient && many);
    if (changes && c->first_ms < w->due_ms)
        set_due(m, number, c->first_ms + 1);
    size_t patience = PATIENT_FOLD_BYTES + 2 * (size_t)w->judged_bytes;
    if (m->patient ? bytes >= patience || bytes >= WINDOW_MAX_BYTES / 4
                   : many || window_is_full(w->judged_bytes, bytes))
        wait_for_judging(m, number);
}

static struct str name_of(struct str head)
{
    struct reader r = {.in = head};
    return reader_str16(&r);
}

static struct str head_of(const struct stored *w)
{
    struct reader r = {.in = {w->value, w->value_n}};
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

/* Its first records. */
static uint32_t make(struct memory_windows *m, const struct window_change *c)
{
    uint32_t number = window_table_add(&m->table, &c->id);
    struct stored *w = at(m, number);
    struct buf value = value_of(w);
    window_counts_add(&m->live, name_of(c->head), 1);
    window_body(&value, c->head, STR_NONE, c->records);
    set_value(w, &value);
    w->due_ms = STORE_NO_DUE;
    w->calm_from_ms = STORE_NO_TIME;
    w->lapses = c->lapses && c->records_n < c->judge_at;
    return number;
}

static void append(struct stored *w, const struct window_change *c)
{
    struct buf value = value_of(w);
    buf_put(&value, c->records);
    set_value(w, &value);
    w->lapses = w->lapses && c->lapses && w->records_n + c->records_n < c->judge_at;
}

bool memory_windows_change(struct memory_windows *m, const struct apply *batch,
                           const struct window_change *c)
{
    uint32_t number = window_table_find(&m->table, &c->id);
    bool made = number == 0;
    if (made && !has_room(m, batch, name_of(c->head)))
        return false;
    if (made)
        number = make(m, c);
    else
        append(at(m, number), c);
    struct stored *w = at(m, number);
    w->records_n += c->records_n;
    w->records_bytes += (uint32_t)c->records.n;
    w->version = ++m->version;
    if (made || (c->due_ms > w->due_ms) == w->lapses) /* see struct window_change */
        set_due(m, number, c->due_ms);
    ask_for_judging(m, number, c);
    return true;
}

static void forget(struct memory_windows *m, uint32_t number)
{
    struct stored *w = at(m, number);
    window_counts_add(&m->live, name_of(head_of(w)), -1);
    free(w->value);
    w->value = NULL; /* entries of the heap count no more */
    if (w->listed)
        m->list[w->listed - 1] = 0;
    window_table_remove(&m->table, number);
}

size_t memory_windows_wake(struct memory_windows *m, int64_t watermark_ms, size_t limit)
{
    struct due_entry entry;
    size_t lapsed_n = 0;
    while (m->waiting_n < limit && memory_windows_next_due(m) <= watermark_ms) {
        due_heap_peek(&m->due, &entry);
        due_heap_pop(&m->due);
        struct stored *w = at(m, entry.window);
        if (w->lapses && !w->waiting) {
            forget(m, entry.window);
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

/* A copy of the window. */
static void read(const struct stored *w, struct arena *arena, struct window *out)
{
    struct reader r = {.in = arena_str(arena, (struct str){w->value, w->value_n})};
    out->id = w->id;
    memcpy(out->version, &w->version, sizeof out->version);
    out->head = reader_str16(&r);
    out->state = reader_bytes(&r, reader_u32(&r));
    out->records_n = w->records_n;
    out->records = arena_take(arena, w->records_n * sizeof *out->records);
    for (size_t i = 0; i < w->records_n; i++)
        out->records[i] = reader_str16(&r);
    assert(!r.failed && r.in.n == 0);
}

bool memory_windows_peek(const struct memory_windows *m, const struct window_id *id,
                         struct arena *arena, struct window *out)
{
    uint32_t number = window_table_find(&m->table, id);
    if (number)
        read(at(m, number), arena, out);
    return number != 0;
}

size_t memory_windows_waiting(struct memory_windows *m, size_t limit, struct arena *arena,
                              struct window **out)
{
    if (m->list_n > 2 * m->waiting_n)
        tidy_list(m);
    size_t n = 0, most = m->waiting_n < limit ? m->waiting_n : limit;
    *out = arena_alloc(arena, (most + 1) * sizeof **out);
    for (size_t i = m->list_n; i-- > 0 && n < most;)
        if (m->list[i] && at(m, m->list[i])->waiting)
            read(at(m, m->list[i]), arena, &(*out)[n++]);
    return n;
}

/* What the judge made of it. */
static void replace(struct memory_windows *m, uint32_t number, const struct judged *j)
{
    struct stored *w = at(m, number);
    struct buf value = value_of(w);
    buf_clear(&value);
    window_body(&value, j->head, j->state, j->kept);
    set_value(w, &value);
    w->version = ++m->version;
    w->records_n = j->kept_n;
    w->records_bytes = w->judged_bytes = (uint32_t)j->kept.n;
    w->calm_n = j->calm_n;
    w->calm_from_ms = j->calm_from_ms;
    set_due(m, number, j->due_ms);
}

void memory_windows_replace(struct memory_windows *m, struct judged *j)
{
    uint32_t number = window_table_find(&m->table, &j->id);
    struct stored *w = number ? at(m, number) : NULL;
    j->committed = w && memcmp(&w->version, j->version, sizeof w->version) == 0;
    if (!j->committed)
        return;
    m->waiting_n -= w->waiting;
    m->woken_n -= w->woken;
    w->waiting = w->woken = w->lapses = false;
    if (j->state.n || j->kept_n)
        replace(m, number, j);
    else
        forget(m, number);
}

void memory_windows_deinit(struct memory_windows *m)
{
    for (uint32_t number = 1; number <= m->table.windows.n; number++)
        free(at(m, number)->value);
    free(m->list);
    window_counts_deinit(&m->live);
    window_table_deinit(&m->table);
    due_heap_deinit(&m->due);
}

#include <assert.h>
#include <stdlib.h>

#include "windows/mirror_impl.h"

enum { LIST_LEAST = 64, LAPSE_AT_ONCE = 32 };

/* --- what a domain has to do --- */

static struct mirror_domain *domain_of(const struct mirror *m,
                                       const struct mirror_window *w)
{
    return m->domains[m->names[w->name]->domain];
}

static struct mirror_list *list_of(struct mirror_domain *d, const struct mirror_window *w)
{
    return w->waits ? &d->waiting : w->unproven ? &d->unproven : NULL;
}

/* The last one takes its place. */
static void unlist(struct mirror *m, struct mirror_window *w)
{
    struct mirror_list *l = list_of(domain_of(m, w), w);
    if (!l)
        return;
    struct mirror_listed last = l->items[--l->n];
    l->items[w->listed] = last;
    mirror_at(m, last.window)->listed = w->listed;
}

static void list(struct mirror *m, struct mirror_window *w, int64_t from_ms)
{
    struct mirror_list *l = list_of(domain_of(m, w), w);
    if (!l)
        return;
    if (l->n == l->cap) {
        l->cap = l->cap ? 2 * l->cap : LIST_LEAST;
        l->items = realloc(l->items, l->cap * sizeof *l->items);
        assert(l->items);
    }
    w->listed = l->n;
    l->items[l->n++] = (struct mirror_listed){w->at, from_ms};
}

/* With `anew` it belongs to another heap than before. */
static void set_due(struct mirror *m, struct mirror_window *w, int64_t due_ms, bool anew)
{
    struct mirror_domain *d = domain_of(m, w);
    if (w->queued && !anew && due_ms == w->due_ms)
        return;
    w->due_ms = due_ms;
    w->queued = due_ms != STORE_NO_DUE;
    if (w->queued)
        due_heap_push(w->lapses ? &d->lapsing : &d->due, due_ms, w->at);
}

/* --- pieces --- */

static void drop_pieces(struct mirror *m, struct mirror_window *w)
{
    for (uint32_t at = w->last, next; at; at = next == w->last ? 0 : next) {
        struct mirror_field *f = mirror_piece(m, at)->field;
        next = mirror_piece(m, at)->next;
        f->name->live--;
        if (--f->live == 0)
            mirror_field_done(f);
        pool_give(&m->pieces, at);
    }
    w->last = 0;
    w->records_n = w->bytes = 0;
}

static void add_piece(struct mirror *m, struct mirror_window *w,
                      struct mirror_field *field, const char *from,
                      const struct journal_item *item)
{
    uint32_t at = pool_take(&m->pieces), first = at;
    if (w->last) {
        first = mirror_piece(m, w->last)->next;
        mirror_piece(m, w->last)->next = at;
    }
    *mirror_piece(m, at) =
        (struct mirror_piece){field, (uint32_t)(from - m->folded), first};
    w->last = at;
    field->live++;
    field->name->live++;
    w->records_n += item->n;
    w->bytes += item->bytes;
}

/* What forget() will touch. */
static void prefetch(const struct mirror *m, const struct mirror_window *w)
{
    if (w->last)
        __builtin_prefetch(mirror_piece(m, w->last));
    window_table_prefetch(&m->windows, &w->id);
}

static void forget(struct mirror *m, struct mirror_window *w)
{
    unlist(m, w);
    drop_pieces(m, w);
    mirror_remove(m, w);
}

/* --- items --- */

/* What lapses does so when the last of its records may. */
static int64_t due_with(const struct mirror_window *w, const struct journal_item *item,
                        bool fresh)
{
    bool later = item->due_ms > w->due_ms;
    if (w->lapses)
        return fresh || later ? item->due_ms : w->due_ms;
    if (item->first_ms < w->calm_from_ms && item->first_ms < w->due_ms)
        return item->first_ms + 1;
    return later ? w->due_ms : item->due_ms;
}

static void fold_records(struct mirror *m, struct mirror_window *w,
                         struct mirror_field *field, const char *from,
                         const struct journal_head *head, const struct journal_item *item)
{
    bool fresh = !w->based && !w->last, lapsed = w->lapses;
    add_piece(m, w, field, from, item);
    uint32_t judge_at = w->calm_n > item->judge_at ? w->calm_n : item->judge_at;
    bool wants = w->base_n + w->records_n >= judge_at ||
                 window_is_full(w->base_bytes, (size_t)w->base_bytes + w->bytes);
    w->lapses = (fresh || lapsed) && item->lapses && !wants;
    int64_t due_ms = due_with(w, item, fresh);
    if (due_ms != w->due_ms || lapsed != w->lapses)
        set_due(m, w, due_ms, lapsed != w->lapses);
    if (!wants || w->waits)
        return;
    unlist(m, w);
    w->waits = true;
    list(m, w, head->waits_from_ms < w->due_ms ? head->waits_from_ms : w->due_ms - 1);
}

static void fold_commit(struct mirror *m, struct mirror_window *w, int64_t number,
                        const struct journal_item *item)
{
    if (item->gone) {
        forget(m, w);
        return;
    }
    bool lapsed = w->lapses;
    unlist(m, w);
    w->waits = w->lapses = false;
    w->unproven = item->unproven;
    if (!item->as_it_was) { /* else what was known of it when its base was written holds still */
        w->calm_n = item->judge_at;
        w->calm_from_ms = item->first_ms;
        w->is_long = false;
        drop_pieces(m, w);
        w->based = true;
        w->base_number = number;
        w->base_n = item->n;
        w->base_bytes = item->bytes;
    }
    list(m, w, STORE_NO_TIME);
    set_due(m, w, item->due_ms, lapsed);
}

static bool fold_windows(struct mirror *m, struct mirror_field *field, size_t name,
                         const struct journal_head *head, struct reader *r)
{
    struct journal_item item;
    struct buf scratch;
    bool fine = true;
    buf_init(&scratch, WINDOW_MAX_BYTES);
    for (const char *at = r->in.p; r->in.n && (fine = journal_read_item(r, &item));
         at = r->in.p) {
        field->items_n++;
        field->name->items_n++;
        struct window_id id = mirror_id(m->names[name], item.key, &scratch);
        struct mirror_window *w = mirror_find(m, &id);
        if (!w && (item.gone || item.as_it_was))
            continue;
        if (!w)
            w = mirror_add(m, &id, name);
        w->touched = field->number;
        if (item.committed)
            fold_commit(m, w, field->number, &item);
        else
            fold_records(m, w, field, at, head, &item);
    }
    buf_deinit(&scratch);
    return fine;
}

/* --- fields --- */

/* The next that are due, some; they are on their way into the cache. */
static size_t take_lapsing(struct mirror *m, struct mirror_domain *d,
                           struct due_entry out[LAPSE_AT_ONCE])
{
    size_t n = 0;
    while (n < LAPSE_AT_ONCE && due_heap_peek(&d->lapsing, &out[n]) &&
           out[n].due_ms <= d->watermark_ms) {
        __builtin_prefetch(mirror_at(m, out[n].window));
        due_heap_pop(&d->lapsing);
        n++;
    }
    return n;
}

/* Windows that lapse were not touched for long: they, their pieces and their places in the table are fetched some at a time. */
static void lapse(struct mirror *m, struct mirror_domain *d)
{
    struct due_entry some[LAPSE_AT_ONCE];
    for (size_t n; (n = take_lapsing(m, d, some));) {
        for (size_t i = 0; i < n; i++)
            prefetch(m, mirror_at(m, some[i].window));
        for (size_t i = 0; i < n; i++) {
            struct mirror_window *w = mirror_at(m, some[i].window);
            if (w->there && w->lapses && w->due_ms == some[i].due_ms &&
                domain_of(m, w) == d)
                forget(m, w);
        }
    }
}

static void pass(struct mirror *m, struct mirror_domain *d, int64_t watermark_ms)
{
    if (watermark_ms <= d->watermark_ms)
        return;
    d->watermark_ms = watermark_ms;
    seen_ids_forget(&d->seen, watermark_ms);
    lapse(m, d);
}

static bool fold_ids(struct mirror *m, struct mirror_domain *d, struct mirror_field *f,
                     struct reader *r)
{
    struct journal_id id = {0};
    bool fine = true;
    f->ends_ms = STORE_NO_TIME;
    while (r->in.n && (fine = journal_read_id(r, &id, id.time_ms))) {
        seen_ids_add(&d->seen, (struct str){id.hash, sizeof id.hash}, id.time_ms);
        int64_t ends_ms = id.time_ms + m->id_slot_ms;
        f->ends_ms = ends_ms > f->ends_ms ? ends_ms : f->ends_ms;
    }
    mirror_field_add(&d->ids, f);
    return fine;
}

static void move_due(struct due_heap *from, struct due_heap *to)
{
    for (size_t i = 0; i < from->n; i++)
        due_heap_push(to, from->entries[i].due_ms, from->entries[i].window);
    due_heap_deinit(from);
}

/* Windows of that domain become the shard's: what they wait for is listed there. */
static void move_windows(struct mirror *m, size_t domain)
{
    struct mirror_domain *from = m->domains[domain];
    struct mirror_list *const lists[] = {&from->waiting, &from->unproven};
    for (size_t i = 0; i < m->names_n; i++)
        if (m->names[i]->domain == domain)
            m->names[i]->domain = 0;
    for (size_t k = 0; k < sizeof lists / sizeof lists[0]; k++)
        for (; lists[k]->n; lists[k]->n--) {
            const struct mirror_listed *last = &lists[k]->items[lists[k]->n - 1];
            list(m, mirror_at(m, last->window), last->from_ms);
        }
    move_due(&from->due, &m->domains[0]->due);
    move_due(&from->lapsing, &m->domains[0]->lapsing);
}

/* The lane's windows are the shard's from now on, and its ids. */
static void fold_join(struct mirror *m, struct str lane)
{
    struct mirror_domain *from = mirror_domain(m, lane), *to = m->domains[0];
    size_t domain = 0;
    while (m->domains[domain] != from)
        domain++;
    if (domain == 0)
        return;
    move_windows(m, domain);
    seen_ids_take(&to->seen, &from->seen);
    seen_ids_deinit(&from->seen);
    while (from->ids.first) {
        struct mirror_field *f = from->ids.first;
        from->ids.first = f->next;
        mirror_field_add(&to->ids, f);
    }
}

static struct mirror_field *field_new(struct mirror *m, int64_t number, struct str packed)
{
    struct mirror_field *f = calloc(1, sizeof *f);
    char *copy = malloc(packed.n + 1);
    assert(f && copy);
    f->number = number;
    f->arrived_ms = m->now_ms;
    if (packed.n)
        memcpy(copy, packed.p, packed.n);
    f->packed = (struct str){copy, packed.n};
    f->kept_bytes = packed.n;
    return f;
}

/* What its head says is behind it already. */
static bool fold_field(struct mirror *m, struct mirror_field *f, enum journal_kind kind,
                       struct str name, const struct journal_head *head, struct reader *r)
{
    struct mirror_domain *d = mirror_domain(m, head->lane);
    pass(m, d, head->watermark_ms);
    if (kind == JOURNAL_IDS)
        return fold_ids(m, d, f, r);
    size_t at = mirror_name(m, name, head->lane);
    f->name = m->names[at];
    f->name->held = f->name->held ? f->name->held : f;
    f->name->held_bytes += f->kept_bytes;
    mirror_field_add(&f->name->fields, f);
    return fold_windows(m, f, at, head, r);
}

bool mirror_fold(struct mirror *m, int64_t number, struct str field, struct str bytes)
{
    return mirror_fold_own(m, number, field, bytes, STR_NONE);
}

bool mirror_fold_own(struct mirror *m, int64_t number, struct str field,
                     struct str packed, struct str plain)
{
    int64_t said;
    struct str name;
    struct journal_head head;
    enum journal_kind kind = journal_kind_of(field, &said, &name);
    if (kind == JOURNAL_JOIN)
        fold_join(m, packed);
    if (kind != JOURNAL_IDS && kind != JOURNAL_WINDOWS)
        return kind != JOURNAL_NONE;
    struct mirror_field *f = field_new(m, number, packed);
    struct str whole = plain;
    bool fine = plain.n || mirror_field_read(m, f, &whole);
    struct reader r = {.in = whole};
    if (!fine || !journal_read_head(&r, &head)) {
        mirror_field_free(f);
        return false;
    }
    m->folded = whole.p;
    f->plain_n = whole.n;
    if (kind == JOURNAL_WINDOWS)
        f->recent_place = recent_put(&m->recent, whole);
    f->live++; /* until it is folded */
    fine = fold_field(m, f, kind, name, &head, &r);
    if (--f->live == 0)
        mirror_field_done(f);
    return fine;
}

void mirror_base(struct mirror *m, int64_t number, struct str lane, struct str name,
                 const struct window_id *id, const struct journal_item *item)
{
    size_t at = mirror_name(m, name, lane);
    struct mirror_window *w = mirror_find(m, id);
    if (!w)
        w = mirror_add(m, id, at);
    w->touched = number;
    fold_commit(m, w, number, item);
}

#include <assert.h>
#include <stdlib.h>

#include "windows/mirror_impl.h"

/* --- what a domain has to do --- */

static struct mirror_domain *domain_of(const struct mirror *m,
                                       const struct mirror_window *w)
{
    return m->domains[m->names[w->name]->domain];
}

static struct mirror_window **list_of(struct mirror_domain *d,
                                      const struct mirror_window *w)
{
    return w->waits ? &d->waiting : w->unproven ? &d->unproven : NULL;
}

static void unlist(struct mirror *m, struct mirror_window *w)
{
    struct mirror_domain *d = domain_of(m, w);
    struct mirror_window **list = list_of(d, w);
    if (!list)
        return;
    *(w->before ? &w->before->after : list) = w->after;
    if (w->after)
        w->after->before = w->before;
    w->before = w->after = NULL;
    d->waiting_n -= w->waits;
    d->unproven_n -= w->unproven;
}

static void list(struct mirror *m, struct mirror_window *w)
{
    struct mirror_domain *d = domain_of(m, w);
    struct mirror_window **list = list_of(d, w);
    if (!list)
        return;
    w->after = *list;
    if (w->after)
        w->after->before = w;
    *list = w;
    d->waiting_n += w->waits;
    d->unproven_n += w->unproven;
}

static void set_due(struct mirror *m, struct mirror_window *w, int64_t due_ms)
{
    struct mirror_domain *d = domain_of(m, w);
    w->due_ms = due_ms;
    if (due_ms != STORE_NO_DUE)
        due_heap_push(w->lapses ? &d->lapsing : &d->due, due_ms, w->at);
}

/* --- pieces --- */

static void drop_pieces(struct mirror *m, struct mirror_window *w)
{
    for (struct mirror_piece *p = w->pieces, *next; p; p = next) {
        next = p->next;
        if (--p->field->live == 0)
            mirror_field_done(m, p->field);
        free(p->copy);
        p->next = m->spare;
        m->spare = p;
    }
    w->pieces = w->last = NULL;
    w->records_n = w->bytes = 0;
}

/* A window that has several pieces is looked at often, one that has one mostly never. */
static void copy_piece(struct mirror *m, struct mirror_piece *p)
{
    if (p->copy)
        return;
    p->copy = malloc(p->n);
    assert(p->copy);
    memcpy(p->copy, mirror_field_read(m, p->field).p + p->at, p->n);
}

static void add_piece(struct mirror *m, struct mirror_window *w,
                      struct mirror_field *field, struct str bytes,
                      const struct journal_item *item)
{
    struct mirror_piece *p = m->spare ? m->spare : arena_take(&m->pieces, sizeof *p);
    m->spare = m->spare ? m->spare->next : NULL;
    *p = (struct mirror_piece){
        .field = field, .at = (uint32_t)(bytes.p - field->bytes), .n = (uint32_t)bytes.n};
    if (w->pieces) {
        copy_piece(m, p);
        copy_piece(m, w->pieces);
    }
    *(w->last ? &w->last->next : &w->pieces) = p;
    w->last = p;
    field->live++;
    w->records_n += item->n;
    w->bytes += item->bytes;
}

static void forget(struct mirror *m, struct mirror_window *w)
{
    unlist(m, w);
    drop_pieces(m, w);
    mirror_remove(m, w);
}

/* --- items --- */

static void fold_records(struct mirror *m, struct mirror_window *w,
                         struct mirror_field *field, struct str bytes,
                         const struct journal_head *head, const struct journal_item *item)
{
    bool fresh = !w->based && !w->pieces, lapsed = w->lapses;
    int64_t due_ms = item->due_ms < w->due_ms ? item->due_ms : w->due_ms;
    if (item->first_ms < w->calm_from_ms && item->first_ms < due_ms)
        due_ms = item->first_ms + 1;
    add_piece(m, w, field, bytes, item);
    w->lapses = fresh && item->lapses;
    if (due_ms != w->due_ms || lapsed)
        set_due(m, w, due_ms);
    uint32_t judge_at = w->calm_n > item->judge_at ? w->calm_n : item->judge_at;
    bool wants = w->base_n + w->records_n >= judge_at ||
                 window_is_full(w->base_bytes, (size_t)w->base_bytes + w->bytes);
    if (!wants || w->waits)
        return;
    unlist(m, w);
    w->waits = true;
    w->waits_from_ms =
        head->waits_from_ms < w->due_ms ? head->waits_from_ms : w->due_ms - 1;
    list(m, w);
}

static void fold_commit(struct mirror *m, struct mirror_window *w, int64_t number,
                        const struct journal_item *item)
{
    if (item->gone) {
        forget(m, w);
        return;
    }
    unlist(m, w);
    w->waits = w->lapses = false;
    w->unproven = item->unproven;
    w->calm_n = item->judge_at;
    w->calm_from_ms = item->first_ms;
    if (!item->as_it_was) {
        w->is_long = false;
        drop_pieces(m, w);
        w->based = true;
        w->base_number = number;
        w->base_n = item->n;
        w->base_bytes = item->bytes;
    }
    list(m, w);
    set_due(m, w, item->due_ms);
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
            fold_records(m, w, field, (struct str){at, (size_t)(r->in.p - at)}, head,
                         &item);
    }
    buf_deinit(&scratch);
    return fine;
}

/* --- fields --- */

static void lapse(struct mirror *m, struct mirror_domain *d)
{
    struct due_entry next;
    while (due_heap_peek(&d->lapsing, &next) && next.due_ms <= d->watermark_ms) {
        struct mirror_window *w = m->items[next.window];
        due_heap_pop(&d->lapsing);
        if (w->lapses && w->due_ms == next.due_ms && domain_of(m, w) == d)
            forget(m, w);
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
    struct journal_id id;
    bool fine = true;
    f->ends_ms = STORE_NO_TIME;
    while (r->in.n && (fine = journal_read_id(r, &id))) {
        seen_ids_add(&d->seen, (struct str){id.hash, sizeof id.hash}, id.time_ms);
        int64_t ends_ms = id.time_ms + m->id_slot_ms;
        f->ends_ms = ends_ms > f->ends_ms ? ends_ms : f->ends_ms;
    }
    mirror_field_add(&d->ids, f);
    return fine;
}

static bool is_there(const struct mirror *m, const struct mirror_window *w)
{
    return mirror_find(m, &w->id) == w;
}

/* Windows of that domain become the shard's: what they wait for is listed there. */
static void move_windows(struct mirror *m, size_t domain)
{
    struct mirror_window **moved =
        malloc((m->windows_n + 1) * sizeof(struct mirror_window *));
    size_t n = 0;
    assert(moved);
    for (size_t i = 0; i < m->items_n; i++)
        if (is_there(m, m->items[i]) && m->names[m->items[i]->name]->domain == domain)
            moved[n++] = m->items[i];
    for (size_t i = 0; i < n; i++)
        unlist(m, moved[i]);
    for (size_t i = 0; i < m->names_n; i++)
        if (m->names[i]->domain == domain)
            m->names[i]->domain = 0;
    for (size_t i = 0; i < n; i++) {
        list(m, moved[i]);
        set_due(m, moved[i], moved[i]->due_ms);
    }
    free(moved);
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
    due_heap_deinit(&from->due);
    due_heap_deinit(&from->lapsing);
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
    if (plain.n)
        mirror_field_know(m, f, plain);
    struct reader r = {.in = mirror_field_read(m, f)};
    if (!journal_read_head(&r, &head)) {
        mirror_field_free(m, f);
        return false;
    }
    f->live++; /* until it is folded */
    m->folded = f;
    bool fine = fold_field(m, f, kind, name, &head, &r);
    m->folded = NULL;
    if (--f->live == 0)
        mirror_field_done(m, f);
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

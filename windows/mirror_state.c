#include "windows/mirror.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/fault.h"
#include "windows/mirror_impl.h"

enum { KEPT_MS = 30000, JOURNAL_LONG_BYTES = 256 << 20, DUE_SPARE = 1024 };

void mirror_init(struct mirror *m, int64_t id_slot_ms)
{
    *m = (struct mirror){.next = 1,
                         .id_slot_ms = id_slot_ms,
                         .long_bytes = JOURNAL_LONG_BYTES,
                         .kept_ms = KEPT_MS};
    if (FAULT_NUMBER("journal_long_bytes"))
        m->long_bytes = (size_t)FAULT_NUMBER("journal_long_bytes");
    if (FAULT_NUMBER("journal_kept_ms"))
        m->kept_ms = FAULT_NUMBER("journal_kept_ms");
    window_table_init(&m->windows, sizeof(struct mirror_window));
    pool_init(&m->pieces, sizeof(struct mirror_piece));
    (void)mirror_domain(m, STR_NONE);
}

/* --- fields --- */

static void free_fields(struct mirror_fields *fields)
{
    for (struct mirror_field *f = fields->first, *next; f; f = next) {
        next = f->next;
        mirror_field_free(f);
    }
}

/* --- domains and names: few --- */

struct mirror_domain *mirror_domain(struct mirror *m, struct str lane)
{
    for (size_t i = 0; i < m->domains_n; i++)
        if (str_is(lane, m->domains[i]->lane))
            return m->domains[i];
    m->domains = realloc(m->domains, (m->domains_n + 1) * sizeof *m->domains);
    struct mirror_domain *d = calloc(1, sizeof *d);
    assert(m->domains && d);
    d->lane = strndup(lane.n ? lane.p : "", lane.n);
    assert(d->lane);
    d->watermark_ms = STORE_NO_TIME;
    seen_ids_init(&d->seen, m->id_slot_ms);
    m->domains[m->domains_n++] = d;
    return d;
}

static size_t domain_number(struct mirror *m, struct str lane)
{
    const struct mirror_domain *d = mirror_domain(m, lane);
    size_t i = 0;
    while (m->domains[i] != d)
        i++;
    return i;
}

static struct str text_of(const struct mirror_name *n)
{
    return (struct str){n->text, n->bytes};
}

size_t mirror_name(struct mirror *m, struct str name, struct str lane)
{
    size_t i = 0;
    while (i < m->names_n && !str_eq(text_of(m->names[i]), name))
        i++;
    if (i < m->names_n)
        return i;
    m->names = realloc(m->names, (m->names_n + 1) * sizeof *m->names);
    struct mirror_name *n = calloc(1, sizeof *n);
    assert(m->names && n);
    *n = (struct mirror_name){
        .text = malloc(name.n + 1), .bytes = name.n, .domain = domain_number(m, lane)};
    assert(n->text);
    memcpy(n->text, name.p, name.n);
    m->names[m->names_n++] = n;
    return i;
}

int64_t mirror_count(const struct mirror *m, struct str name)
{
    for (size_t i = 0; i < m->names_n; i++)
        if (str_eq(text_of(m->names[i]), name))
            return m->names[i]->windows_n;
    return 0;
}

bool mirror_seen(struct mirror *m, struct str lane, const struct journal_id *id)
{
    return seen_ids_has(&mirror_domain(m, lane)->seen,
                        (struct str){id->hash, sizeof id->hash}, id->time_ms);
}

/* --- what is to be judged --- */

/* Windows of all domains share numbers. */
static bool current(const struct mirror *m, const struct mirror_domain *d,
                    struct due_entry entry)
{
    const struct mirror_window *w = mirror_at(m, entry.window);
    return w->there && w->due_ms == entry.due_ms && !w->lapses &&
           m->domains[m->names[w->name]->domain] == d;
}

/* Entries that are no longer current stay behind. Where most are, the heap is made anew. */
static void tidy_due(struct mirror *m, struct mirror_domain *d)
{
    if (d->due.n < 2 * m->windows.n + DUE_SPARE)
        return;
    d->due.n = 0;
    for (uint32_t i = 1; i <= m->windows.windows.n; i++) {
        struct mirror_window *w = mirror_at(m, i);
        struct due_entry entry = {w->due_ms, i};
        if (!w->there || !current(m, d, entry))
            continue;
        w->queued = w->due_ms != STORE_NO_DUE && !w->waits;
        if (w->queued)
            due_heap_push(&d->due, w->due_ms, i);
    }
}

/* Without the one that is current. */
static struct mirror_window *take_due(struct mirror *m, struct mirror_domain *d)
{
    struct due_entry next;
    due_heap_peek(&d->due, &next);
    due_heap_pop(&d->due);
    struct mirror_window *w = mirror_at(m, next.window);
    w->queued = false;
    return w;
}

int64_t mirror_next_due(struct mirror *m, struct mirror_domain *d)
{
    struct due_entry next;
    tidy_due(m, d);
    while (due_heap_peek(&d->due, &next) && !current(m, d, next))
        due_heap_pop(&d->due);
    return due_heap_peek(&d->due, &next) ? next.due_ms : STORE_NO_DUE;
}

int64_t mirror_waits_from(const struct mirror_domain *d)
{
    int64_t from_ms = STORE_NO_DUE;
    for (uint32_t i = 0; i < d->waiting.n; i++)
        if (d->waiting.items[i].from_ms < from_ms)
            from_ms = d->waiting.items[i].from_ms;
    return from_ms;
}

/* A window stands in the heap once for each of its due times that were current. */
static bool listed(struct mirror_window *const *out, size_t n,
                   const struct mirror_window *w)
{
    for (size_t i = 0; i < n; i++)
        if (out[i] == w)
            return true;
    return false;
}

/* They stay due until they are committed. One that waits is listed as such, and is due anew when it is committed. */
static size_t list_due(struct mirror *m, struct mirror_domain *d, int64_t watermark_ms,
                       size_t limit, struct mirror_window **out)
{
    size_t n = 0;
    while (n < limit && mirror_next_due(m, d) <= watermark_ms) {
        struct mirror_window *w = take_due(m, d);
        if (!w->waits && !listed(out, n, w))
            out[n++] = w;
    }
    for (size_t i = 0; i < n; i++) {
        due_heap_push(&d->due, out[i]->due_ms, out[i]->at);
        out[i]->queued = true;
    }
    return n;
}

/* The newest first. */
static size_t list_all(const struct mirror *m, const struct mirror_list *l, size_t limit,
                       struct mirror_window **out)
{
    size_t n = 0;
    for (uint32_t i = l->n; i && n < limit; i--)
        out[n++] = mirror_at(m, l->items[i - 1].window);
    return n;
}

size_t mirror_wanting(const struct mirror *m, const struct mirror_domain *d,
                      int64_t number, size_t limit, struct mirror_window **out)
{
    size_t n = 0;
    for (uint32_t i = d->waiting.n; i && n < limit; i--) {
        struct mirror_window *w = mirror_at(m, d->waiting.items[i - 1].window);
        if (w->touched == number)
            out[n++] = w;
    }
    return n;
}

size_t mirror_judge(struct mirror *m, struct mirror_domain *d, int64_t watermark_ms,
                    bool unproven, size_t limit, struct mirror_window **out)
{
    size_t n = list_all(m, &d->waiting, limit, out);
    if (unproven)
        n += list_all(m, &d->unproven, limit - n, out + n);
    size_t before = n, due = list_due(m, d, watermark_ms, limit - n, out + n);
    for (size_t i = before; i < before + due; i++)
        if (!unproven || !out[i]->unproven)
            out[n++] = out[i];
    return n;
}

/* Mirrors that are a little behind must find every field. This clock says when something may go, never what it means. */
static bool is_old(const struct mirror *m, const struct mirror_field *f)
{
    return f->arrived_ms + m->kept_ms < m->now_ms;
}

/* Those before it may go. */
static struct mirror_field *first_held(struct mirror_name *name)
{
    for (; name->held && !name->held->live; name->held = name->held->next) {
        name->held_bytes -= name->held->kept_bytes;
        name->items_n -= name->held->items_n;
    }
    return name->held;
}

/* What it has, and three times more what of it is kept only since it lies beside what is needed. */
static size_t burden(const struct mirror_name *n)
{
    double wasted = n->items_n ? 1 - (double)n->live / (double)n->items_n : 0;
    return n->held_bytes + (size_t)(3 * wasted * (double)n->held_bytes);
}

/* The name of that domain that is the largest burden, if its oldest field that is needed is old. */
static struct mirror_name *longest(const struct mirror *m, const struct mirror_domain *d)
{
    struct mirror_name *most = NULL;
    for (size_t i = 0; i < m->names_n; i++) {
        const struct mirror_field *f = first_held(m->names[i]);
        if (f && is_old(m, f) && m->domains[m->names[i]->domain] == d &&
            (!most || burden(m->names[i]) > burden(most)))
            most = m->names[i];
    }
    return most;
}

/* Of its oldest records. */
static const struct mirror_field *first_field(const struct mirror *m,
                                              const struct mirror_window *w)
{
    return w->last ? mirror_piece(m, mirror_piece(m, w->last)->next)->field : NULL;
}

/* Ids do not count: they go with the watermark. */
size_t mirror_is_long(const struct mirror *m, const struct mirror_domain *d)
{
    const struct mirror_name *name = longest(m, d);
    size_t bytes = 0;
    for (size_t i = 0; i < m->names_n; i++)
        bytes += burden(m->names[i]);
    return name ? bytes / m->long_bytes : 0;
}

size_t mirror_long(struct mirror *m, const struct mirror_domain *d, size_t limit,
                   struct mirror_window **out, size_t n)
{
    struct journal_head head;
    struct journal_item item;
    if (n == limit || !mirror_is_long(m, d))
        return n;
    const struct mirror_name *name = longest(m, d);
    struct mirror_field *f = name->held;
    struct reader r = {.in = STR_NONE};
    struct buf scratch;
    buf_init(&scratch, WINDOW_MAX_BYTES);
    bool fine = mirror_field_read(m, f, &r.in) && journal_read_head(&r, &head);
    while (fine && n < limit && r.in.n && journal_read_item(&r, &item)) {
        struct window_id id = mirror_id(name, item.key, &scratch);
        struct mirror_window *w = mirror_find(m, &id);
        if (item.committed || !w || first_field(m, w) != f)
            continue;
        w->is_long = true;
        if (!listed(out, n, w))
            out[n++] = w;
    }
    buf_deinit(&scratch);
    return n;
}

/* --- what is no longer needed --- */

static void name_field(struct arena *arena, int64_t number, const char *kind,
                       struct str name, struct str *out)
{
    char *text = arena_take(arena, name.n + 32);
    int n = snprintf(text, name.n + 32, "%lld %s", (long long)number, kind);
    memcpy(text + n, name.n ? name.p : "", name.n);
    *out = (struct str){text, (size_t)n + name.n};
}

size_t mirror_dead(struct mirror *m, size_t max, struct arena *arena, struct str *out)
{
    size_t n = 0;
    for (size_t i = 0; i < m->domains_n; i++) {
        const struct mirror_domain *d = m->domains[i];
        for (const struct mirror_field *f = d->ids.first;
             f && n < max && f->ends_ms <= d->watermark_ms && is_old(m, f); f = f->next)
            name_field(arena, f->number, "i", STR_NONE, &out[n++]);
    }
    for (size_t i = 0; i < m->names_n; i++)
        for (const struct mirror_field *f = m->names[i]->fields.first;
             f && n < max && f->live == 0 && is_old(m, f); f = f->next)
            name_field(arena, f->number, "w ", text_of(m->names[i]), &out[n++]);
    return n;
}

static bool drop_first(struct mirror_fields *fields, int64_t number)
{
    struct mirror_field *f = fields->first;
    if (!f || f->number != number)
        return true;
    if (f->live)
        return false;
    if (f->name)
        (void)first_held(f->name);
    fields->first = f->next;
    mirror_field_free(f);
    return true;
}

bool mirror_trim(struct mirror *m, const struct str *fields, size_t n)
{
    bool fine = true;
    for (size_t i = 0; i < n; i++) {
        int64_t number;
        struct str name;
        enum journal_kind kind = journal_kind_of(fields[i], &number, &name);
        for (size_t d = 0; kind == JOURNAL_IDS && d < m->domains_n; d++)
            fine = drop_first(&m->domains[d]->ids, number) && fine;
        for (size_t k = 0; kind == JOURNAL_WINDOWS && k < m->names_n; k++)
            if (str_eq(text_of(m->names[k]), name))
                fine = drop_first(&m->names[k]->fields, number) && fine;
    }
    return fine;
}

/* --- its end --- */

static void free_domain(struct mirror_domain *d)
{
    seen_ids_deinit(&d->seen);
    free_fields(&d->ids);
    due_heap_deinit(&d->due);
    due_heap_deinit(&d->lapsing);
    free(d->waiting.items);
    free(d->unproven.items);
    free(d->lane);
    free(d);
}

void mirror_deinit(struct mirror *m)
{
    window_table_deinit(&m->windows);
    pool_deinit(&m->pieces);
    for (size_t i = 0; i < MIRROR_FRAMES; i++)
        buf_deinit(&m->frames[i].bytes);
    recent_deinit(&m->recent);
    buf_deinit(&m->whole);
    journal_codec_deinit(&m->codec);
    for (size_t i = 0; i < m->domains_n; i++)
        free_domain(m->domains[i]);
    for (size_t i = 0; i < m->names_n; i++) {
        free_fields(&m->names[i]->fields);
        free(m->names[i]->text);
        free(m->names[i]);
    }
    free(m->domains);
    free(m->names);
}

#include "app/changes.h"

#include <assert.h>
#include <stdlib.h>

#include "core/timefmt.h"
#include "detectors/detector.h"
#include "detectors/match.h"

enum { RECORDS_MAX_BYTES = 256 * 1024 * 1024 };

void changes_init(struct changes *c)
{
    *c = (struct changes){0};
    index_init(&c->by_head);
    index_init(&c->seen);
    c->known = fingerprint_cache_new();
    buf_init(&c->records, RECORDS_MAX_BYTES);
    buf_init(&c->member, RECORDS_MAX_BYTES);
}

void changes_deinit(struct changes *c)
{
    free(c->items);
    free(c->pieces);
    index_deinit(&c->by_head);
    index_deinit(&c->seen);
    fingerprint_cache_free(c->known);
    buf_deinit(&c->records);
    buf_deinit(&c->member);
}

static void *room(void *array, size_t n, size_t *cap, size_t item_bytes)
{
    if (n < *cap)
        return array;
    *cap = *cap ? *cap * 2 : 256;
    array = realloc(array, *cap * item_bytes);
    assert(array);
    return array;
}

/* --- which windows --- */

/* The head of rule i's window for the key, if it lies in the shard. Where it lies does not depend on what the shard
 * names it. */
static bool window_here(const struct changes_of *of, size_t i, const struct str *key,
                        struct arena *arena, struct str *head)
{
    const struct rule *rule = &of->rules[i];
    size_t keys_n = rule_window_keys(rule);
    *head = window_head_made(rule->window_name, key, keys_n, arena);
    if (!rule->everywhere && shard_of_bytes(*head, of->shards_n) != of->shard)
        return false;
    if (of->names && !str_eq(of->names[i], rule->window_name))
        *head = window_head_made(of->names[i], key, keys_n, arena);
    return true;
}

/* Most types concern few rules, or none, and an event without a field has no key. */
static void list_takers(struct changes *c, const struct changes_of *of,
                        struct arena *arena)
{
    size_t n = 0;
    c->takers =
        arena_take(arena, (EVENT_TYPE_COUNT * of->rules_n + 1) * sizeof *c->takers);
    for (int type = 0; type < EVENT_TYPE_COUNT; type++) {
        c->takers_from[type] = n;
        c->asks_field[type] = true;
        for (size_t i = 0; i < of->rules_n; i++) {
            if (!rule_takes(&of->rules[i], (enum event_type)type) ||
                (of->holds && !of->holds[i]))
                continue;
            c->takers[n++] = i;
            c->asks_field[type] = c->asks_field[type] && of->rules[i].by_n > 0;
        }
    }
    c->takers_from[EVENT_TYPE_COUNT] = n;
}

/* The windows of the shard that the event concerns: c->found. True: some window, here or in another shard. */
static bool find(struct changes *c, const struct changes_of *of, struct event *event,
                 struct arena *arena)
{
    bool any = false;
    c->found_n = 0;
    if (c->asks_field[event->type] && event->values_n == 0)
        return false;
    for (size_t t = c->takers_from[event->type]; t < c->takers_from[event->type + 1];
         t++) {
        struct change_match *m = &c->found[c->found_n];
        m->rule = c->takers[t];
        if (!rule_match(&of->rules[m->rule], event, c->known, arena, m->key))
            continue;
        any = true;
        c->found_n += window_here(of, m->rule, m->key, arena, &m->head);
    }
    return any;
}

/* --- what they get --- */

/* The number of the window's change; made if this is the first. */
static size_t change_of(struct changes *c, struct str head)
{
    size_t at = index_put(&c->by_head, head, c->n);
    if (at < c->n)
        return at;
    c->items = room(c->items, c->n, &c->cap, sizeof *c->items);
    c->items[c->n++] = (struct window_change){.id = window_id_of(head),
                                              .head = head,
                                              .first_ms = INT64_MAX,
                                              .judge_at = UINT32_MAX,
                                              .due_ms = STORE_NO_DUE};
    return at;
}

/* False: the event does not count for the rule. */
static bool add(struct changes *c, const struct rule *rule, const struct event *event,
                const struct change_match *m)
{
    struct update u = {.key = m->key,
                       .record = &c->records,
                       .member = &c->member,
                       .judge_at = UINT32_MAX,
                       .due_ms = NEVER_MS};
    size_t begin = c->records.n, record = buf_str16_begin(&c->records);
    if (!rule->kind->update(rule, event, &u)) {
        c->records.n = begin;
        return false;
    }
    buf_str16_end(&c->records, record);
    assert(!c->records.overflowed);
    size_t at = change_of(c, m->head);
    struct window_change *w = &c->items[at];
    w->records_n++;
    w->first_ms = event->time_ms < w->first_ms ? event->time_ms : w->first_ms;
    bool first = w->records_n == 1, later = u.due_ms > w->due_ms;
    w->lapses = u.lapses && (first || w->lapses);
    w->judge_at = u.judge_at < w->judge_at ? u.judge_at : w->judge_at;
    if (first ||
        later == w->lapses) /* what lapses does so when the last of its records may */
        w->due_ms = u.due_ms;
    c->pieces = room(c->pieces, c->pieces_n, &c->pieces_cap, sizeof *c->pieces);
    c->pieces[c->pieces_n++] = (struct change_piece){at, begin, c->records.n - begin};
    return true;
}

static bool add_all(struct changes *c, const struct changes_of *of,
                    const struct event *event)
{
    bool any = false;
    buf_clear(&c->member);
    for (size_t i = 0; i < c->found_n; i++) {
        const struct change_match *m = &c->found[i];
        c->matches[m->rule]++;
        any = add(c, &of->rules[m->rule], event, m) || any;
    }
    return any;
}

/* Joins each window's records; a single one stays where it is. */
static void join_records(struct changes *c, struct arena *arena)
{
    char **ends = arena_take(arena, (c->n + 1) * sizeof *ends);
    for (size_t i = 0; i < c->pieces_n; i++)
        c->items[c->pieces[i].change].records.n += c->pieces[i].n;
    for (size_t i = 0; i < c->n; i++)
        if (c->items[i].records_n > 1)
            c->items[i].records.p = ends[i] = arena_take(arena, c->items[i].records.n);
    for (size_t i = 0; i < c->pieces_n; i++) {
        const struct change_piece *p = &c->pieces[i];
        if (c->items[p->change].records_n == 1) {
            c->items[p->change].records.p = c->records.p + p->at;
            continue;
        }
        memcpy(ends[p->change], c->records.p + p->at, p->n);
        ends[p->change] += p->n;
    }
}

/* --- a batch --- */

/* A repetition has the id and, as a repetition should, the time of the first: the same slot of ids, as in
 * the store, so that it does not matter whether both stand in one batch. */
static bool comes_again(struct changes *c, const struct changes_of *of,
                        const struct event *event, struct arena *arena)
{
    int64_t cell = time_cell(event->time_ms, id_slot_ms(of->lateness_ms));
    size_t n = event->id.n + sizeof cell, known = c->seen.n;
    char *key = arena_take(arena, n);
    memcpy(key, event->id.p, event->id.n);
    memcpy(key + event->id.n, &cell, sizeof cell);
    (void)index_put(&c->seen, (struct str){key, n}, 1);
    return c->seen.n == known;
}

static void keep(struct changes *c, struct event *event)
{
    c->events[c->events_n] = event;
    c->ids[c->events_n] = event->id;
    c->times_ms[c->events_n++] = event->time_ms;
}

/* `events` may be c->events: what is kept never overtakes what is read. */
static void fill(struct changes *c, const struct changes_of *of,
                 struct event *const *events, size_t n, struct arena *arena)
{
    c->n = c->pieces_n = c->events_n = 0;
    index_clear(&c->by_head);
    index_clear(&c->seen);
    buf_clear(&c->records);
    c->matches = arena_alloc(arena, (of->rules_n + 1) * sizeof *c->matches);
    c->found = arena_take(arena, (of->rules_n + 1) * sizeof *c->found);
    list_takers(c, of, arena);
    for (size_t i = 0; i < n; i++) {
        struct event *event = events[i];
        if (!find(c, of, event, arena))
            continue;
        bool home = shard_of_bytes(event->id, of->shards_n) == of->shard;
        if (!home && c->found_n == 0)
            continue;
        if (comes_again(c, of, event, arena))
            c->duplicates += home;
        else if (add_all(c, of, event) || home)
            keep(c, event);
    }
    join_records(c, arena);
}

void changes_make(struct changes *c, const struct changes_of *of,
                  const struct accepted *a, struct arena *arena)
{
    c->duplicates = c->refused_duplicates = c->refused_behind = 0;
    c->events = arena_take(arena, (a->n + 1) * sizeof *c->events);
    c->ids = arena_take(arena, (a->n + 1) * sizeof *c->ids);
    c->times_ms = arena_take(arena, (a->n + 1) * sizeof *c->times_ms);
    fill(c, of, a->events, a->n, arena);
}

void changes_leave_out(struct changes *c, const struct changes_of *of,
                       const unsigned char *refused, struct arena *arena)
{
    size_t left = 0;
    for (size_t i = 0; i < c->events_n; i++) {
        bool home = shard_of_bytes(c->ids[i], of->shards_n) == of->shard;
        c->refused_duplicates += home && refused[i] == REFUSED_DUPLICATE;
        c->refused_behind += home && refused[i] == REFUSED_BEHIND;
        if (refused[i] == ACCEPTED)
            c->events[left++] = c->events[i];
    }
    fill(c, of, c->events, left, arena);
}

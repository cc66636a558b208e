#include "app/changes.h"

#include <assert.h>
#include <stdlib.h>

#include "detectors/detector.h"
#include "detectors/match.h"

enum { RECORDS_MAX_BYTES = 256 * 1024 * 1024, HEAD_MAX_BYTES = 4096 };

void changes_init(struct changes *c)
{
    *c = (struct changes){0};
    index_init(&c->by_id);
    buf_init(&c->records, RECORDS_MAX_BYTES);
}

void changes_deinit(struct changes *c)
{
    free(c->items);
    free(c->pieces);
    index_deinit(&c->by_id);
    buf_deinit(&c->records);
}

void changes_clear(struct changes *c)
{
    c->n = c->pieces_n = 0;
    index_clear(&c->by_id);
    buf_clear(&c->records);
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

static struct str head_of(const struct rule *rule, struct str name, const struct str *key,
                          struct arena *arena)
{
    struct buf head;
    buf_init(&head, HEAD_MAX_BYTES);
    window_head(&head, name, key, rule_window_keys(rule));
    struct str kept = arena_str(arena, buf_str(&head));
    buf_deinit(&head);
    return kept;
}

/* The head of rule i's window for the key, if it lies in the shard. Where it lies does not depend on what the shard
 * names it. */
static bool window_here(const struct rule *rule, size_t i, const struct str *key,
                        const struct shard_of *shard, struct arena *arena,
                        struct str *head)
{
    if (shard->holds && !shard->holds[i])
        return false;
    *head = head_of(rule, rule->window_name, key, arena);
    if (!rule->everywhere && shard_of_bytes(*head, shard->n) != shard->shard)
        return false;
    if (shard->names && !str_eq(shard->names[i], rule->window_name))
        *head = head_of(rule, shard->names[i], key, arena);
    return true;
}

/* The number of the window's change; made if this is the first. */
static size_t change_of(struct changes *c, struct str head)
{
    size_t at = index_put(&c->by_id, head, c->n);
    if (at < c->n)
        return at;
    c->items = room(c->items, c->n, &c->cap, sizeof *c->items);
    c->items[c->n++] = (struct window_change){.id = window_id_of(head),
                                              .head = head,
                                              .judge_at = UINT32_MAX,
                                              .due_ms = STORE_NO_DUE};
    return at;
}

/* False: the event does not count for the rule. */
static bool add(struct changes *c, const struct rule *rule, const struct event *event,
                const struct str *key, struct str head)
{
    struct update u = {
        .key = key, .record = &c->records, .judge_at = UINT32_MAX, .due_ms = NEVER_MS};
    size_t begin = c->records.n, record = buf_str16_begin(&c->records);
    if (!rule->kind->update(rule, event, &u)) {
        c->records.n = begin;
        return false;
    }
    buf_str16_end(&c->records, record);
    assert(!c->records.overflowed);
    size_t at = change_of(c, head);
    struct window_change *w = &c->items[at];
    w->records_n++;
    w->judge_at = u.judge_at < w->judge_at ? u.judge_at : w->judge_at;
    w->due_ms = u.due_ms < w->due_ms ? u.due_ms : w->due_ms;
    c->pieces = room(c->pieces, c->pieces_n, &c->pieces_cap, sizeof *c->pieces);
    c->pieces[c->pieces_n++] = (struct change_piece){at, begin, c->records.n - begin};
    return true;
}

bool changes_add(struct changes *c, const struct rule *rules, size_t rules_n,
                 struct event *event, struct shard_of shard, struct arena *arena,
                 uint64_t *matches)
{
    struct str key[ALERT_KEYS_MAX], head;
    bool any = false;
    for (size_t i = 0; i < rules_n; i++) {
        if (!rule_match(&rules[i], event, arena, key) ||
            !window_here(&rules[i], i, key, &shard, arena, &head))
            continue;
        matches[i]++;
        any = add(c, &rules[i], event, key, head) || any;
    }
    return any;
}

void changes_finish(struct changes *c, struct arena *arena)
{
    char **ends = arena_alloc(arena, (c->n + 1) * sizeof *ends);
    for (size_t i = 0; i < c->pieces_n; i++)
        c->items[c->pieces[i].change].records.n += c->pieces[i].n;
    for (size_t i = 0; i < c->n; i++)
        c->items[i].records.p = ends[i] = arena_alloc(arena, c->items[i].records.n);
    for (size_t i = 0; i < c->pieces_n; i++) {
        const struct change_piece *p = &c->pieces[i];
        memcpy(ends[p->change], c->records.p + p->at, p->n);
        ends[p->change] += p->n;
    }
}

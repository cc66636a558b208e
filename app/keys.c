/* The bound holds where windows are made, in the store, per shard: a shard gets its part of it, rounded up. */
#include "app/keys.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/utf8.h"

size_t keys_limits(const struct rule *rules, size_t n, size_t shards_n,
                   const struct str *names, struct window_limit *out)
{
    size_t limits_n = 0, parts;
    for (size_t i = 0; i < n; i++) {
        parts = rules[i].everywhere ? 1 : shards_n;
        if (rules[i].max_keys)
            out[limits_n++] = (struct window_limit){
                names ? names[i] : rules[i].window_name,
                (rules[i].max_keys + (int64_t)parts - 1) / (int64_t)parts};
    }
    return limits_n;
}

/* "billing, acme": the values of a window's key. */
static void write_key(struct str head, char *out, size_t out_bytes)
{
    struct reader r = {.in = head};
    struct buf b;
    buf_init(&b, out_bytes - 1);
    (void)reader_str16(&r);
    for (size_t i = 0; r.in.n && !r.failed; i++) {
        buf_text(&b, i ? ", " : "");
        buf_put(&b, reader_str16(&r));
    }
    struct str text = utf8_cut(buf_str(&b), b.n);
    snprintf(out, out_bytes, "%.*s", STR_ARG(text));
    buf_deinit(&b);
}

static size_t rule_of(const struct rule *rules, size_t n, const struct str *names,
                      struct str head)
{
    struct reader r = {.in = head};
    struct str name = reader_str16(&r);
    size_t i = 0;
    while (i < n && !str_eq(names ? names[i] : rules[i].window_name, name))
        i++;
    return i;
}

void keys_left_out(const struct rule *rules, size_t n, const struct str *names,
                   const struct window_change *changes, const struct apply_reply *reply,
                   struct rule_stats *stats)
{
    for (size_t i = 0; i < reply->left_out_n; i++) {
        const struct window_change *c = &changes[reply->left_out[i]];
        size_t rule = rule_of(rules, n, names, c->head);
        if (rule == n)
            continue;
        stats[rule].left_out += c->records_n;
        write_key(c->head, stats[rule].left_out_key, sizeof stats[rule].left_out_key);
    }
}

int keys_count(const struct rule *rules, size_t n, struct window_store *const *stores,
               size_t stores_n, int64_t *counts, struct err *e)
{
    struct arena arena;
    int result = 0;
    arena_init(&arena);
    struct str *names = arena_alloc(&arena, (n + 1) * sizeof *names);
    int64_t *some = arena_alloc(&arena, (n + 1) * sizeof *some);
    memset(counts, 0, n * sizeof *counts);
    for (size_t i = 0; i < n; i++)
        names[i] = rules[i].window_name;
    for (size_t s = 0; s < stores_n && result == 0; s++) {
        const struct str *own = stores[s]->names;
        result = stores[s]->ops->windows(stores[s], own ? own : names, n, some, e);
        for (size_t i = 0; i < n && result == 0; i++)
            counts[i] = rules[i].everywhere ? some[i] : counts[i] + some[i];
    }
    arena_deinit(&arena);
    return result;
}

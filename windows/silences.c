#include "windows/silences.h"

#include <stdlib.h>

#include "windows/redis_link.h"

enum { KEY_MAX_BYTES = 4096, LINE_MAX_BYTES = 64 * 1024 };

static struct str key(struct str stem, struct buf *out)
{
    buf_init(out, KEY_MAX_BYTES);
    buf_put(out, stem);
    buf_text(out, "silences");
    return buf_str(out);
}

static int by_begin(const void *a, const void *b)
{
    const struct silence *x = a, *y = b;
    if (x->from_ms != y->from_ms)
        return x->from_ms < y->from_ms ? -1 : 1;
    return strcmp(x->id, y->id);
}

int silences_read(struct redis_link *link, struct str stem, struct arena *arena,
                  struct silences *out, struct err *e)
{
    struct buf b;
    struct redisReply *r = REDIS_COMMAND(link, e, STR("HVALS"), key(stem, &b));
    buf_deinit(&b);
    if (!r)
        return -1;
    size_t n = redis_reply_n(r);
    *out = (struct silences){.items = arena_alloc(arena, (n + 1) * sizeof *out->items)};
    for (size_t i = 0; i < n; i++) {
        struct err no = {0};
        if (silence_parse(redis_reply_str(redis_reply_at(r, i)), arena,
                          &out->items[out->n], &no) == 0)
            out->n++;
    }
    redis_reply_free(r);
    qsort(out->items, out->n, sizeof *out->items, by_begin);
    return 0;
}

static int command(struct redis_link *link, size_t n, const struct str *words,
                   struct err *e)
{
    struct redisReply *r = redis_command(link, e, n, words);
    redis_reply_free(r);
    return r ? 0 : -1;
}

static int forget_old(struct redis_link *link, struct str stem, int64_t now_ms,
                      struct err *e)
{
    struct arena arena;
    struct silences all;
    struct buf b;
    struct str name = key(stem, &b);
    arena_init(&arena);
    int result = silences_read(link, stem, &arena, &all, e);
    for (size_t i = 0; result == 0 && i < all.n; i++) {
        struct str words[] = {STR("HDEL"), name, str_of(all.items[i].id)};
        if (all.items[i].until_ms + SILENCES_KEPT_MS < now_ms)
            result = command(link, 3, words, e);
    }
    arena_deinit(&arena);
    buf_deinit(&b);
    return result;
}

int silences_put(struct redis_link *link, struct str stem, const struct silence *s,
                 int64_t now_ms, struct err *e)
{
    struct buf b, json;
    buf_init(&json, LINE_MAX_BYTES);
    silence_json(s, &json);
    struct str words[] = {STR("HSET"), key(stem, &b), str_of(s->id), buf_str(&json)};
    int result = command(link, 4, words, e);
    buf_deinit(&b);
    buf_deinit(&json);
    return result ? -1 : forget_old(link, stem, now_ms, e);
}

const struct silence *silences_match(const struct silences *all, const struct alert *a,
                                     struct str sink, int64_t now_ms)
{
    for (size_t i = 0; i < all->n; i++)
        if (silence_matches(&all->items[i], a, sink, now_ms))
            return &all->items[i];
    return NULL;
}

#include "windows/silences.h"

#include <stdlib.h>

#include "windows/redis_link.h"

enum { KEY_MAX_BYTES = 4096, LINE_MAX_BYTES = 64 * 1024 };

static struct str key_named(struct str stem, const char *name, struct buf *out)
{
    buf_init(out, KEY_MAX_BYTES);
    buf_put(out, stem);
    buf_text(out, name);
    return buf_str(out);
}

static struct str key(struct str stem, struct buf *out)
{
    return key_named(stem, "silences", out);
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

/* [id, [name, value, ...]] */
static bool read_muted(const struct redisReply *entry, struct arena *arena,
                       struct muted *out)
{
    struct err no = {0};
    struct str silence = STR_NONE;
    const struct redisReply *fields = redis_reply_at(entry, 1);
    *out = (struct muted){0};
    for (size_t i = 0; i + 1 < redis_reply_n(fields); i += 2) {
        struct str name = redis_reply_str(redis_reply_at(fields, i));
        struct str value = redis_reply_str(redis_reply_at(fields, i + 1));
        if (str_is(name, "sink"))
            out->sink = value;
        else if (str_is(name, "alert"))
            out->alert = value;
        else if (str_is(name, "state"))
            out->state = value;
        else if (str_is(name, "silence"))
            silence = value;
    }
    return silence_parse(silence, arena, &out->silence, &no) == 0;
}

int silences_muted(struct redis_link *link, struct str stem, const char *alert,
                   muted_fn *take, void *arg, struct err *e)
{
    struct buf b;
    struct arena arena;
    struct redisReply *r = REDIS_COMMAND(
        link, e, STR("XRANGE"), key_named(stem, "muted", &b), STR("-"), STR("+"));
    buf_deinit(&b);
    if (!r)
        return -1;
    arena_init(&arena);
    for (size_t i = 0; i < redis_reply_n(r); i++) {
        struct muted m;
        if (read_muted(redis_reply_at(r, i), &arena, &m) &&
            str_starts(m.alert, str_of(alert)))
            take(arg, &m);
        arena_reset(&arena);
    }
    arena_deinit(&arena);
    redis_reply_free(r);
    return 0;
}

const struct silence *silences_match(const struct silences *all, const struct alert *a,
                                     struct str sink, int64_t now_ms)
{
    for (size_t i = 0; i < all->n; i++)
        if (silence_matches(&all->items[i], a, sink, now_ms))
            return &all->items[i];
    return NULL;
}

#include "windows/silences.h"

#include <stdlib.h>

#include "windows/redis_link.h"
#include "windows/shard.h"

enum { LINE_MAX_BYTES = 64 * 1024 };

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
    struct shard_key room;
    struct redisReply *r = REDIS_COMMAND(link, e, STR("HVALS"),
                                         shard_key(stem, "silences", STR_NONE, &room));
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

static int forget_old(struct redis_link *link, struct str stem, int64_t now_ms,
                      struct err *e)
{
    struct arena arena;
    struct silences all;
    struct shard_key room;
    struct str name = shard_key(stem, "silences", STR_NONE, &room);
    arena_init(&arena);
    int result = silences_read(link, stem, &arena, &all, e);
    for (size_t i = 0; result == 0 && i < all.n; i++) {
        if (all.items[i].until_ms + SILENCES_KEPT_MS < now_ms)
            result = REDIS_TELL(link, e, STR("HDEL"), name, str_of(all.items[i].id));
    }
    arena_deinit(&arena);
    return result;
}

int silences_put(struct redis_link *link, struct str stem, const struct silence *s,
                 int64_t now_ms, struct err *e)
{
    struct buf json;
    struct shard_key room;
    buf_init(&json, LINE_MAX_BYTES);
    silence_json(s, &json);
    int result =
        REDIS_TELL(link, e, STR("HSET"), shard_key(stem, "silences", STR_NONE, &room),
                   str_of(s->id), buf_str(&json));
    buf_deinit(&json);
    return result ? -1 : forget_old(link, stem, now_ms, e);
}

static bool read_muted(const struct redisReply *entry, struct arena *arena,
                       struct muted *out)
{
    struct err no = {0};
    *out = (struct muted){.sink = redis_reply_str(redis_reply_field(entry, "sink")),
                          .alert = redis_reply_str(redis_reply_field(entry, "alert")),
                          .state = redis_reply_str(redis_reply_field(entry, "state"))};
    return silence_parse(redis_reply_str(redis_reply_field(entry, "silence")), arena,
                         &out->silence, &no) == 0;
}

int silences_muted(struct redis_link *link, struct str stem, const char *alert,
                   muted_fn *take, void *arg, struct err *e)
{
    struct arena arena;
    struct shard_key room;
    struct redisReply *r =
        REDIS_COMMAND(link, e, STR("XRANGE"), shard_key(stem, "muted", STR_NONE, &room),
                      STR("-"), STR("+"));
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

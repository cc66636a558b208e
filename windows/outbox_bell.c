/* XREAD BLOCK from the last id heard of each stream, so that nothing rings twice and
 * nothing added between two questions is missed; the first question asks for what comes
 * after it. */
#include "windows/outbox_bell.h"

#include <assert.h>
#include <stdlib.h>

#include "core/arena.h"
#include "windows/outbox.h"
#include "windows/redis_link.h"

#define BLOCK_MS "10000"
enum { WORDS = 6, ID_BYTES = 42 };

struct outbox_bell {
    struct redis_link *link;
    struct arena names;
    struct str *args; /* XREAD COUNT 1 BLOCK ms STREAMS, then the keys, then the ids */
    struct str *keys, *ids;
    char (*id_texts)[ID_BYTES];
    size_t n;
    bool asked;
};

static void ask_from(struct outbox_bell *b, size_t i, struct str id)
{
    if (id.n >= ID_BYTES)
        return;
    memcpy(b->id_texts[i], id.p, id.n);
    b->ids[i] = (struct str){b->id_texts[i], id.n};
}

struct outbox_bell *outbox_bell_open(const struct redis_target *target, struct str stem,
                                     const struct str *sinks, size_t sinks_n)
{
    static const char *const words[WORDS] = {"XREAD", "COUNT",  "1",
                                             "BLOCK", BLOCK_MS, "STREAMS"};
    struct outbox_bell *b = calloc(1, sizeof *b);
    assert(b && sinks_n);
    b->link = redis_link_new(target);
    arena_init(&b->names);
    b->n = sinks_n;
    b->args = arena_alloc(&b->names, (WORDS + 2 * sinks_n) * sizeof *b->args);
    b->keys = b->args + WORDS;
    b->ids = b->keys + sinks_n;
    b->id_texts = arena_alloc(&b->names, sinks_n * sizeof *b->id_texts);
    for (size_t i = 0; i < WORDS; i++)
        b->args[i] = str_of(words[i]);
    for (size_t i = 0; i < sinks_n; i++) {
        struct shard_key room;
        b->keys[i] = arena_str(&b->names, outbox_key(stem, sinks[i], &room));
        ask_from(b, i, STR("$"));
    }
    return b;
}

void outbox_bell_close(struct outbox_bell *b)
{
    if (!b)
        return;
    redis_link_free(b->link);
    arena_deinit(&b->names);
    free(b);
}

void outbox_bell_drop(struct outbox_bell *b)
{
    redis_link_drop(b->link);
    b->asked = false;
}

int outbox_bell_fd(struct outbox_bell *b, struct err *e)
{
    if (!b->asked && redis_send(b->link, e, WORDS + 2 * b->n, b->args) < 0)
        return -1;
    b->asked = true;
    return redis_fd(b->link);
}

/* [key, [[id, fields]]] */
static void heard(struct outbox_bell *b, const struct redisReply *stream)
{
    const struct redisReply *entries = redis_reply_at(stream, 1);
    struct str id = redis_reply_str(redis_reply_at(redis_reply_at(entries, 0), 0));
    for (size_t i = 0; i < b->n; i++)
        if (id.n && str_eq(redis_reply_str(redis_reply_at(stream, 0)), b->keys[i]))
            ask_from(b, i, id);
}

int outbox_bell_heard(struct outbox_bell *b, struct err *e)
{
    b->asked = false;
    struct redisReply *r = redis_receive(b->link, e);
    if (!r)
        return -1;
    for (size_t i = 0; i < redis_reply_n(r); i++)
        heard(b, redis_reply_at(r, i));
    int rang = redis_reply_n(r) > 0;
    redis_reply_free(r);
    return rang;
}

#include "windows/notices.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/arena.h"
#include "windows/outbox.h"
#include "windows/redis_link.h"
#include "windows/scripts.h"

struct notices {
    struct redis_link *link;
    struct arena names;
    struct str stem;
    struct redis_script say;
};

struct notices *notices_open(const struct redis_target *target, struct str stem)
{
    struct notices *n = calloc(1, sizeof *n);
    assert(n);
    n->link = redis_link_new(target);
    arena_init(&n->names);
    n->stem = arena_str(&n->names, stem);
    n->say = (struct redis_script){.name = "notice", .text = script_notice};
    return n;
}

void notices_close(struct notices *n)
{
    if (!n)
        return;
    redis_link_free(n->link);
    arena_deinit(&n->names);
    free(n);
}

static void copy(const struct redisReply *r, size_t i, char *out, size_t n)
{
    snprintf(out, n, "%.*s", STR_ARG(redis_reply_str(redis_reply_at(r, i))));
}

int notices_last(struct notices *n, struct str name, struct notice_said *out,
                 struct err *e)
{
    struct shard_key room;
    struct redisReply *r =
        REDIS_COMMAND(n->link, e, STR("HMGET"),
                      shard_key(n->stem, "notice:", name, &room), STR("what"), STR("id"));
    if (!r)
        return -1;
    copy(r, 0, out->what, sizeof out->what);
    copy(r, 1, out->id, sizeof out->id);
    redis_reply_free(r);
    return 0;
}

int notices_say(struct notices *n, const struct notice *notice, int64_t *wait_ms,
                struct err *e)
{
    char every[24], time[24];
    struct shard_key key, outbox;
    snprintf(every, sizeof every, "%" PRId64, notice->every_ms);
    snprintf(time, sizeof time, "%" PRId64, notice->time_ms);
    const struct str args[] = {outbox_key(n->stem, notice->sink, &outbox),
                               shard_key(n->stem, "notice:", notice->name, &key),
                               str_of(notice->what),
                               str_of(notice->after ? notice->after : "*"),
                               str_of(every),
                               str_of(notice->id),
                               notice->alert,
                               str_of(time)};
    struct redisReply *r =
        redis_run(n->link, &n->say, 2, sizeof args / sizeof args[0], args, e);
    if (!r)
        return -1;
    int said = redis_reply_int(redis_reply_at(r, 0)) == 1;
    *wait_ms = redis_reply_int(redis_reply_at(r, 1));
    redis_reply_free(r);
    return said;
}

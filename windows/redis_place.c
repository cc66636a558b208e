/* The store in Redis: where partitions stand, and what a state made anew would have to know. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "windows/redis_store_impl.h"

enum { LAST_BYTES = 48 };

void redis_put_last(struct redis_args *args, int64_t offset, uint64_t hash)
{
    char text[LAST_BYTES];
    int n = offset < 0
                ? 0
                : snprintf(text, sizeof text, "%" PRId64 ":%016" PRIx64, offset, hash);
    args_str(args, arena_str(args->arena, (struct str){text, (size_t)n}));
}

void redis_put_cursor(struct redis_args *args, int64_t incarnation, int64_t offset)
{
    char text[LAST_BYTES];
    int n = snprintf(text, sizeof text, "%" PRId64 ":%" PRId64, incarnation, offset);
    args_str(args, arena_str(args->arena, (struct str){text, (size_t)n}));
}

/* Two numbers with a colon between them, the second to `base`. False: it is none. */
static bool read_pair(struct str text, int base, int64_t *first, uint64_t *second)
{
    char copy[LAST_BYTES], *end;
    if (text.n == 0 || text.n >= sizeof copy)
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    *first = strtoll(copy, &end, 10);
    if (*end != ':')
        return false;
    *second = strtoull(end + 1, NULL, base);
    return true;
}

static void read_place(const struct redisReply *r, struct arena *arena,
                       struct store_place *out)
{
    uint64_t offset;
    *out = (struct store_place){.cursor = -1, .last_offset = -1};
    if (read_pair(redis_reply_str(redis_reply_at(r, REPLY_HEAD)), 10, &out->incarnation,
                  &offset))
        out->cursor = (int64_t)offset;
    out->high_ms = redis_int_or(r, REPLY_HEAD + 1, STORE_NO_TIME);
    if (!read_pair(redis_reply_str(redis_reply_at(r, REPLY_HEAD + 2)), 16,
                   &out->last_offset, &out->last_hash))
        out->last_offset = -1;
    out->marks = arena_str(arena, redis_reply_str(redis_reply_at(r, REPLY_HEAD + 3)));
}

static size_t begin_call(struct redis_store *s, struct redis_args *args,
                         struct str partition)
{
    size_t keys_n = redis_call_plain(s, args);
    args_str(args, partition);
    return keys_n;
}

int redis_store_cursor(struct window_store *base, struct str partition,
                       struct arena *arena, struct store_place *out, struct err *e)
{
    struct redis_store *s = redis_store_of(base);
    struct redis_args args;
    size_t keys_n = begin_call(s, &args, partition);
    struct redisReply *r = redis_call(s, SCRIPT_PLACE, &args, keys_n, e);
    if (!r)
        return -1;
    read_place(r, arena, out);
    redis_reply_free(r);
    return 0;
}

static int run(struct redis_store *s, enum script_number script,
               const struct redis_args *args, size_t keys_n, struct err *e)
{
    struct redisReply *r = redis_call(s, script, args, keys_n, e);
    redis_reply_free(r);
    return r ? 0 : -1;
}

int redis_store_begin(struct window_store *base, struct str partition,
                      const struct store_place *place, struct err *e)
{
    struct redis_store *s = redis_store_of(base);
    struct redis_args args;
    size_t keys_n = begin_call(s, &args, partition);
    redis_put_cursor(&args, place->incarnation, place->cursor);
    args_int_or(&args, place->high_ms, STORE_NO_TIME);
    return run(s, SCRIPT_BEGIN, &args, keys_n, e);
}

int redis_store_remade(struct window_store *base, struct str partition,
                       const struct store_place *place, struct err *e)
{
    struct redis_store *s = redis_store_of(base);
    struct redis_args args;
    size_t keys_n = begin_call(s, &args, partition);
    redis_put_cursor(&args, place->incarnation, place->cursor);
    redis_put_cursor(&args, place->incarnation + 1, 0);
    return run(s, SCRIPT_REMADE, &args, keys_n, e);
}

/* 1: others wrote meanwhile. */
static int ask_horizon(struct redis_store *s, int64_t said_ms,
                       const struct marks_line *marks, size_t n, struct store_times *out,
                       struct err *e)
{
    struct redis_args args;
    struct store_clock now = s->clock;
    size_t keys_n = redis_call_plain(s, &args);
    int64_t waits_from_ms = mirror_waits_from(redis_domain(s));
    args_int(&args, s->record_for_ms);
    args_int(&args, s->lookback_ms);
    if (said_ms == INT64_MAX)
        args_str(&args, STR("own"));
    else
        args_int_or(&args, said_ms, STORE_NO_TIME);
    args_int_or(&args, mirror_next_due(&redis_home(s)->mirror, redis_domain(s)),
                STORE_NO_DUE);
    if (waits_from_ms == STORE_NO_TIME)
        args_str(&args, STR("-inf"));
    else
        args_int_or(&args, waits_from_ms, STORE_NO_DUE);
    args_str(&args, redis_turn(s));
    for (size_t i = 0; i < n; i++) {
        args_str(&args, marks[i].partition);
        args_str(&args, marks[i].marks);
    }
    struct redisReply *r = redis_call(s, SCRIPT_HORIZON, &args, keys_n, e);
    bool stale = false;
    int result = r ? redis_stale(s, r, &stale, &now, e) : -1;
    if (result == 0 && !stale) {
        redis_held(s);
        *out = redis_times_of(r, REPLY_HEAD);
        s->waits_from_ms = redis_int_or(r, REPLY_HEAD + 3, STORE_NO_TIME);
    }
    redis_reply_free(r);
    return result ? result : stale;
}

int redis_store_horizon(struct window_store *base, int64_t said_ms,
                        const struct marks_line *marks, size_t n, struct store_times *out,
                        struct err *e)
{
    struct redis_store *s = redis_store_of(base);
    struct store_clock now;
    int result = redis_sync(s, &now, e) ? -1 : 1;
    while (result == 1)
        result = ask_horizon(s, said_ms, marks, n, out, e);
    return result;
}

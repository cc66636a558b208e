/* The store in Redis: windows that are due go out, what became of them goes in. */
#include "windows/redis_store_impl.h"

enum { FORGET_AT_ONCE = 500, INLINE_BYTES = 256 };

/* The slots whose ids nobody needs any more. The script looks again, at its own watermark: this process may
 * have been stopped since, and Redis may have lost writes. */
static int forget_slots(struct redis_store *s, const struct redisReply *slots,
                        struct err *e)
{
    struct redis_args args;
    size_t n = redis_reply_n(slots);
    redis_call_keys(s, &args, &s->scratch);
    for (size_t i = 0; i < n; i++)
        args_str(&args, redis_ids_key(s, redis_reply_str(redis_reply_at(slots, i)),
                                      &s->scratch));
    size_t keys_n = redis_call_args(s, &args);
    for (size_t i = 0; i < n; i++)
        args_str(&args, redis_reply_str(redis_reply_at(slots, i)));
    struct redisReply *r = redis_call(s, SCRIPT_FORGET, &args, keys_n, e);
    redis_reply_free(r);
    return r ? 0 : -1;
}

static int forget_ids(struct redis_store *s, int64_t watermark_ms, struct err *e)
{
    if (watermark_ms == STORE_NO_TIME ||
        watermark_ms < s->forgotten_ms + id_slot_ms(s->lateness_ms))
        return 0;
    struct redis_args number;
    args_init(&number, &s->scratch);
    args_int(&number, watermark_ms);
    args_int(&number, FORGET_AT_ONCE);
    struct redisReply *r = REDIS_COMMAND(
        s->link, e, STR("ZRANGEBYSCORE"), s->keys[KEY_ID_SLOTS], STR("-inf"),
        number.items[0], STR("LIMIT"), STR("0"), number.items[1]);
    if (!r)
        return -1;
    size_t n = redis_reply_n(r);
    int result = n ? forget_slots(s, r, e) : 0;
    redis_reply_free(r);
    if (result == 0 && n < FORGET_AT_ONCE)
        s->forgotten_ms = watermark_ms;
    return result;
}

int redis_store_due(struct window_store *base, size_t limit, bool unproven,
                    struct arena *arena, struct window **windows, size_t *n,
                    struct store_clock *clock, struct err *e)
{
    struct redis_store *s = redis_store_of(base);
    struct redis_args args;
    size_t keys_n = redis_call_plain(s, &args);
    args_int(&args, (int64_t)limit);
    args_int(&args, unproven);
    struct redisReply *r = redis_call(s, SCRIPT_DUE, &args, keys_n, e);
    if (!r)
        return -1;
    *clock = redis_clock_of(r);
    clock->lapsed_n = redis_reply_int(redis_reply_at(r, REPLY_HEAD));
    int result = redis_read_windows(r, REPLY_HEAD + 1, arena, windows, n, e);
    redis_reply_free(r);
    return result ? result : forget_ids(s, clock->watermark_ms, e);
}

int redis_store_peek(struct window_store *base, const struct window_id *ids, size_t n,
                     struct arena *arena, struct window **windows, size_t *found,
                     struct err *e)
{
    struct redis_store *s = redis_store_of(base);
    struct redis_args args;
    size_t keys_n = redis_call_plain(s, &args);
    for (size_t i = 0; i < n; i++)
        args_str(&args, window_id_str(&ids[i]));
    struct redisReply *r = redis_call(s, SCRIPT_PEEK, &args, keys_n, e);
    if (!r)
        return -1;
    int result = redis_read_windows(r, REPLY_HEAD, arena, windows, found, e);
    redis_reply_free(r);
    return result;
}

/* The sinks of this call, each once: name, how many entries its outbox may hold. Returns its number. */
static size_t sink_number(struct redis_args *sinks, const struct outbox_line *line)
{
    for (size_t i = 0; i < sinks->n; i += 2)
        if (str_eq(sinks->items[i], line->sink))
            return i / 2 + 1;
    args_str(sinks, line->sink);
    args_int(sinks, line->max);
    return sinks->n / 2;
}

/* The header with what follows it, or that as a piece of its own where it is long. To forget: the name of the rule's
 * windows, which are counted. */
static void put_value(const struct judged *j, struct str version, struct redis_args *args)
{
    struct buf header, body;
    if (j->state.n == 0 && j->kept_n == 0) {
        struct reader head = {.in = j->head};
        args_str(args, STR(""));
        args_str(args, reader_str16(&head));
        return;
    }
    buf_init(&header, WINDOW_MAX_BYTES);
    buf_init(&body, WINDOW_MAX_BYTES);
    window_body(&body, j->head, j->state, j->kept);
    bool apart = body.n > INLINE_BYTES;
    window_header(&header, version.p, j->kept_n, j->kept.n, apart);
    if (!apart)
        buf_put(&header, buf_str(&body));
    args_str(args, arena_str(args->arena, buf_str(&header)));
    args_str(args, apart ? arena_str(args->arena, buf_str(&body)) : STR(""));
    buf_deinit(&header);
    buf_deinit(&body);
}

static void put_judged(const struct judged *j, struct str version,
                       struct redis_args *sinks, struct redis_args *args)
{
    args_str(args, window_id_str(&j->id));
    args_str(args, (struct str){j->version, WINDOW_VERSION_BYTES});
    put_value(j, version, args);
    args_int_or(args, j->due_ms, STORE_NO_DUE);
    args_int(args, j->unproven);
    args_int(args, (int64_t)j->record_n);
    for (size_t i = 0; i < j->record_n; i++)
        args_str(args, j->record[i]);
    args_int(args, (int64_t)j->outbox_n);
    for (size_t i = 0; i < j->outbox_n; i++) {
        args_int(args, (int64_t)sink_number(sinks, &j->outbox[i]));
        args_int(args, j->outbox[i].time_ms);
        args_str(args, j->outbox[i].body);
    }
    args_int(args, (int64_t)j->episodes_n);
    for (size_t i = 0; i < j->episodes_n; i++) {
        args_str(args, j->episodes[i].id);
        args_int(args, j->episodes[i].ended);
        args_int(args, j->episodes[i].ms);
    }
}

int redis_store_commit(struct window_store *base, struct judged *judged, size_t n,
                       struct store_clock *clock, struct err *e)
{
    struct redis_store *s = redis_store_of(base);
    struct redis_args args, sinks, windows;
    arena_reset(&s->scratch);
    args_init(&sinks, &s->scratch);
    args_init(&windows, &s->scratch);
    struct str version = redis_new_version(&s->scratch);
    for (size_t i = 0; i < n; i++)
        put_judged(&judged[i], version, &sinks, &windows);
    redis_call_keys(s, &args, &s->scratch);
    args_str(&args, s->keys[KEY_RECORD]);
    for (size_t i = 0; i < sinks.n; i += 2) {
        args_str(&args, redis_key_named(s, "outbox:", sinks.items[i], &s->scratch));
        args_str(&args, redis_key_named(s, "dead:", sinks.items[i], &s->scratch));
    }
    size_t keys_n = redis_call_args(s, &args);
    args_int_or(&args,
                clock->now_ms > s->record_for_ms ? clock->now_ms - s->record_for_ms : 0,
                0);
    args_int(&args, (int64_t)n);
    args_int(&args, (int64_t)sinks.n / 2);
    for (size_t i = 0; i < sinks.n; i++)
        args_str(&args, sinks.items[i]);
    for (size_t i = 0; i < windows.n; i++)
        args_str(&args, windows.items[i]);
    struct redisReply *r = redis_call(s, SCRIPT_COMMIT, &args, keys_n, e);
    if (!r)
        return -1;
    *clock = redis_clock_of(r);
    base->full += (uint64_t)redis_reply_int(redis_reply_at(r, REPLY_HEAD));
    for (size_t i = 0; i < n; i++)
        judged[i].committed = redis_reply_int(redis_reply_at(r, REPLY_HEAD + 1 + i)) == 1;
    redis_reply_free(r);
    return 0;
}

int redis_store_proves(struct window_store *base, const struct partition_end *ends,
                       size_t n, bool *all_read, struct err *e)
{
    struct redis_store *s = redis_store_of(base);
    struct redis_args args;
    size_t keys_n = redis_call_plain(s, &args);
    for (size_t i = 0; i < n; i++) {
        args_str(&args, ends[i].partition);
        args_int(&args, ends[i].end);
    }
    struct redisReply *r = redis_call(s, SCRIPT_PROVES, &args, keys_n, e);
    if (!r)
        return -1;
    *all_read = redis_reply_int(redis_reply_at(r, REPLY_HEAD)) == 1;
    redis_reply_free(r);
    return 0;
}

int redis_store_windows(struct window_store *base, const struct str *names, size_t n,
                        int64_t *counts, struct err *e)
{
    struct redis_store *s = redis_store_of(base);
    struct redis_args args;
    if (n == 0)
        return 0;
    arena_reset(&s->scratch);
    args_init(&args, &s->scratch);
    args_str(&args, STR("HMGET"));
    args_str(&args, s->keys[KEY_STATE]);
    for (size_t i = 0; i < n; i++) {
        struct buf field;
        buf_init(&field, 1024);
        buf_text(&field, "keys ");
        buf_put(&field, names[i]);
        args_str(&args, arena_str(&s->scratch, buf_str(&field)));
        buf_deinit(&field);
    }
    struct redisReply *r = redis_command(s->link, e, args.n, args.items);
    for (size_t i = 0; i < n; i++)
        counts[i] = redis_reply_int(redis_reply_at(r, i));
    redis_reply_free(r);
    return r ? 0 : -1;
}

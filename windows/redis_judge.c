/* The store in Redis: windows that are due go out, what became of them goes in. */
#include <stdlib.h>

#include "core/fault.h"
#include "windows/redis_store_impl.h"

int redis_store_due(struct window_store *base, size_t limit, bool unproven,
                    struct arena *arena, struct window **windows, size_t *n,
                    struct store_clock *clock, struct err *e)
{
    struct redis_store *s = redis_store_of(base);
    if (redis_sync(s, clock, e))
        return -1;
    struct mirror_window **some = arena_alloc(arena, (limit + 1) * sizeof(void *));
    size_t some_n = mirror_judge(&redis_home(s)->mirror, redis_domain(s),
                                 clock->watermark_ms, unproven, limit, some);
    size_t judge_n = some_n;
    some_n = mirror_long(&redis_home(s)->mirror, redis_domain(s), limit, some, some_n);
    if (some_n > judge_n)
        FAULT_POINT("journal.long");
    return redis_whole_windows(s, some, some_n, arena, windows, n, e);
}

/* What others are judging is there as well: it is read until it is whole. */
int redis_store_peek(struct window_store *base, const struct window_id *ids, size_t n,
                     struct arena *arena, struct window **windows, size_t *found,
                     struct err *e)
{
    struct redis_store *s = redis_store_of(base);
    struct mirror_window **some = arena_alloc(arena, (n + 1) * sizeof(void *));
    struct store_clock clock;
    size_t some_n;
    do {
        if (redis_sync(s, &clock, e))
            return -1;
        some_n = 0;
        for (size_t i = 0; i < n; i++) {
            some[some_n] = mirror_find(&redis_home(s)->mirror, &ids[i]);
            some_n += some[some_n] != NULL;
        }
        if (redis_whole_windows(s, some, some_n, arena, windows, found, e))
            return -1;
    } while (*found < some_n);
    return 0;
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

/* --- committing --- */

/* What a call writes: of those windows that nobody has touched since they were read. */
struct commit {
    struct redis_store *s;
    struct redis_fields fields;
    struct redis_args sinks, bases, gone, record, outbox, episodes;
    int64_t number; /* of the entry */
    size_t held_n;
};

/* The entry's number, head, state, records. */
static struct str base_of(const struct judged *j, int64_t number, struct arena *arena)
{
    struct buf b;
    buf_init(&b, WINDOW_MAX_BYTES);
    (void)buf_reserve(&b, j->head.n + j->state.n + j->kept.n + 32);
    buf_i64(&b, number);
    window_body(&b, j->head, j->state, j->kept);
    struct str base = arena_str(arena, buf_str(&b));
    buf_deinit(&b);
    return base;
}

static void put_window(struct commit *c, const struct mirror_window *w,
                       const struct judged *j)
{
    struct arena *arena = c->bases.arena;
    struct str name, key;
    struct buf *b = redis_fields_for(&c->fields, j->head, &name, &key);
    struct journal_item item = {.key = key,
                                .committed = true,
                                .gone = j->state.n == 0 && j->kept_n == 0,
                                .unproven = j->unproven,
                                .as_it_was = j->no_news && !w->is_long && !w->waits,
                                .n = j->kept_n,
                                .bytes = (uint32_t)j->kept.n,
                                .judge_at = j->calm_n,
                                .first_ms = j->calm_from_ms,
                                .due_ms = j->due_ms};
    item.as_it_was = item.as_it_was && !item.gone;
    journal_put_item(b, &item);
    if (item.as_it_was)
        return;
    if (item.gone) {
        args_str(&c->gone, window_id_str(&j->id));
        return;
    }
    args_str(&c->bases, window_id_str(&j->id));
    args_str(&c->bases, base_of(j, c->number, arena));
    args_str(&c->bases, redis_base_info(c->s, c->number, name, &item, arena));
}

static void put_lines(struct commit *c, const struct judged *j)
{
    for (size_t i = 0; i < j->record_n; i++)
        args_str(&c->record, j->record[i]);
    for (size_t i = 0; i < j->outbox_n; i++) {
        args_int(&c->outbox, (int64_t)sink_number(&c->sinks, &j->outbox[i]));
        args_int(&c->outbox, j->outbox[i].time_ms);
        args_str(&c->outbox, j->outbox[i].body);
    }
    for (size_t i = 0; i < j->episodes_n; i++) {
        args_str(&c->episodes, j->episodes[i].id);
        args_int(&c->episodes, j->episodes[i].ended);
        args_int(&c->episodes, j->episodes[i].ms);
    }
}

static void put_judged(struct commit *c, struct judged *j)
{
    const struct mirror_window *w = mirror_find(&redis_home(c->s)->mirror, &j->id);
    uint64_t version = w ? redis_version_of(c->s, w) : 0;
    j->committed = w && memcmp(&version, j->version, sizeof j->version) == 0;
    c->held_n += j->committed;
    if (!j->committed)
        return;
    put_window(c, w, j);
    put_lines(c, j);
}

static void args_all(struct redis_args *args, const struct redis_args *more)
{
    for (size_t i = 0; i < more->n; i++)
        args_str(args, more->items[i]);
}

static size_t put_call(struct commit *c, struct str version, struct redis_args *args)
{
    struct redis_store *s = c->s;
    redis_call_keys(s, args, &s->scratch);
    args_str(args, s->keys[KEY_RECORD]);
    for (size_t i = 0; i < c->sinks.n; i += 2) {
        args_str(args, redis_key_named(s, "outbox:", c->sinks.items[i], &s->scratch));
        args_str(args, redis_key_named(s, "dead:", c->sinks.items[i], &s->scratch));
    }
    size_t keys_n = redis_call_args(s, args);
    int64_t now_ms = s->clock.now_ms;
    args_int_or(args, now_ms > s->record_for_ms ? now_ms - s->record_for_ms : 0, 0);
    args_str(args, version);
    args_int(args, (int64_t)c->fields.n);
    args_int(args, (int64_t)c->sinks.n / 2);
    args_int(args, (int64_t)c->bases.n / 3);
    args_int(args, (int64_t)c->gone.n);
    args_int(args, (int64_t)c->record.n);
    args_int(args, (int64_t)c->outbox.n / 3);
    args_int(args, (int64_t)c->episodes.n / 3);
    args_str(args, redis_turn(s));
    redis_fields_put(&c->fields, args);
    args_all(args, &c->sinks);
    args_all(args, &c->bases);
    args_all(args, &c->gone);
    args_all(args, &c->record);
    args_all(args, &c->outbox);
    args_all(args, &c->episodes);
    return keys_n;
}

/* 1: others wrote meanwhile. */
static int send(struct commit *c, struct store_clock *clock, struct err *e)
{
    struct redis_store *s = c->s;
    struct redis_args args;
    struct str version = redis_new_version(&s->scratch);
    if (redis_fields_pack(&c->fields, e))
        return -1;
    size_t keys_n = put_call(c, version, &args);
    struct redisReply *r = redis_call(s, SCRIPT_COMMIT, &args, keys_n, e);
    if (!r)
        return -1;
    bool stale;
    int result = redis_stale(s, r, &stale, clock, e);
    if (result == 0 && stale) {
        result = 1;
    } else if (result == 0) {
        redis_held(s);
        redis_written(s, version, &c->fields);
        s->base.full += (uint64_t)redis_reply_int(redis_reply_at(r, REPLY_HEAD));
        *clock = redis_clock_of(s, r);
    }
    redis_reply_free(r);
    return result;
}

static int commit_once(struct redis_store *s, struct judged *judged, size_t n,
                       struct store_clock *clock, struct err *e)
{
    struct commit c = {.s = s, .number = redis_home(s)->mirror.next};
    struct redis_args *const lists[] = {&c.sinks,  &c.bases,  &c.gone,
                                        &c.record, &c.outbox, &c.episodes};
    arena_reset(&s->scratch);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        args_init(lists[i], &s->scratch);
    redis_fields_init(&c.fields, s);
    for (size_t i = 0; i < n; i++)
        put_judged(&c, &judged[i]);
    int result = c.held_n ? send(&c, clock, e) : 0;
    redis_fields_deinit(&c.fields);
    return result;
}

int redis_store_commit(struct window_store *base, struct judged *judged, size_t n,
                       struct store_clock *clock, struct err *e)
{
    struct redis_store *s = redis_store_of(base);
    int result = 1;
    if (!redis_home(s)->mirrored)
        return err_set(e, ERR_UNAVAILABLE, "what was judged is of a state that is gone");
    while (result == 1)
        result = commit_once(s, judged, n, clock, e);
    return result;
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
    struct store_clock clock;
    if (redis_sync(s, &clock, e))
        return -1;
    for (size_t i = 0; i < n; i++)
        counts[i] = mirror_count(&redis_home(s)->mirror, names[i]);
    return 0;
}

/* The store in Redis: which rules it has, and lanes: what rules that came while the stream ran need to read what
 * is past (docs/once.md, "Rules that change"). A lane is a store whose windows, record, outboxes and episodes are those of
 * its shard, and whose cursors, watermark, ids and due times are its own. */
#include <assert.h>
#include <stdlib.h>

#include "core/fault.h"
#include "windows/redis_store_impl.h"

enum {
    FORSAKEN_AFTER_MS = 60000, /* longer than a process takes to be started again */
};

/* What belongs to a position. */
static const enum redis_key own_keys[] = {KEY_META, KEY_CURSORS, KEY_HIGHS, KEY_IDLES,
                                          KEY_ATS,  KEY_LASTS,   KEY_SEEN};
enum { OWN_KEYS = sizeof own_keys / sizeof own_keys[0] };

struct str redis_lane_key(const struct redis_store *s, struct str lane,
                          enum redis_key key, struct arena *arena)
{
    struct buf b;
    buf_init(&b, 4096);
    buf_text(&b, "lane:");
    buf_put(&b, lane);
    buf_text(&b, ":");
    buf_text(&b, redis_key_name(key));
    struct str name = redis_key_named(s, "", buf_str(&b), arena);
    buf_deinit(&b);
    return name;
}

void redis_rules_put(const struct redis_store *s, const char *fresh,
                     struct redis_args *args)
{
    const struct redis_rules *rules = &s->rules;
    args_str(args, rules->n == 0    ? STR("")
                   : rules->imposed ? STR("keep")
                                    : STR("impose"));
    args_str(args, arena_str(args->arena, str_of(fresh)));
    args_int(args, rules->generation);
    args_int(args, FORSAKEN_AFTER_MS);
    args_int(args, (int64_t)rules->n);
    for (size_t i = 0; i < rules->n; i++) {
        args_str(args, rules->items[i].name);
        args_int(args, rules->items[i].lookback_ms);
    }
}

/* --- lanes --- */

static struct redis_store *lane_new(struct redis_store *shard, struct str name)
{
    struct redis_store *s = calloc(1, sizeof *s);
    assert(s);
    *s = *shard;
    s->memory = s->scratch = (struct arena){0};
    arena_init(&s->memory);
    arena_init(&s->scratch);
    s->base.lane = NULL;
    s->base.is_lane = true;
    s->base.full = 0;
    s->shard = shard;
    s->gone = NULL;
    s->partitions = NULL;
    s->partitions_n = 0;
    s->rules = (struct redis_rules){0};
    s->mirror = (struct mirror){0};
    s->waits_from_ms = s->clock.watermark_ms = STORE_NO_TIME;
    s->lane = arena_str(&s->memory, name);
    for (size_t i = 0; i < OWN_KEYS; i++)
        s->keys[own_keys[i]] = redis_lane_key(shard, name, own_keys[i], &s->memory);
    redis_keep_names(s, shard->partitions, shard->partitions_n);
    return s;
}

static void lane_free(struct redis_store *s)
{
    arena_deinit(&s->memory);
    arena_deinit(&s->scratch);
    free(s->partitions);
    free(s);
}

static void free_chain(struct window_store *lane)
{
    for (struct window_store *next; lane; lane = next) {
        next = lane->lane;
        lane_free(redis_store_of(lane));
    }
}

void redis_lanes_free(struct redis_store *s)
{
    free_chain(s->base.lane);
    free_chain(s->gone ? &s->gone->base : NULL);
    s->base.lane = NULL;
    s->gone = NULL;
}

/* Taken out of the chain; NULL: it is not there. */
static struct window_store *take_lane(struct window_store **chain, struct str name)
{
    for (; *chain; chain = &(*chain)->lane) {
        struct window_store *found = *chain;
        if (!str_eq(redis_store_of(found)->lane, name))
            continue;
        *chain = found->lane;
        return found;
    }
    return NULL;
}

/* Lanes that are none any more keep the epoch in which they were: whoever still calls them is refused. */
static void retire(struct redis_store *s, struct window_store *old)
{
    for (struct window_store *next; old; old = next) {
        next = old->lane;
        old->lane = s->gone ? &s->gone->base : NULL;
        s->gone = redis_store_of(old);
    }
}

static int take_lanes(struct redis_store *s, const struct redisReply *r, size_t at,
                      size_t n, struct err *e)
{
    struct window_store *old = s->base.lane, **end = &s->base.lane;
    int result = 0;
    *end = NULL;
    for (size_t i = 0; i < n && result == 0; i++) {
        struct str name = redis_reply_str(redis_reply_at(r, at + i));
        struct window_store *lane = take_lane(&old, name);
        if (!lane)
            lane = &lane_new(s, name)->base;
        lane->lane = NULL;
        *end = lane;
        end = &lane->lane;
        result = redis_lane_open(redis_store_of(lane), e);
    }
    retire(s, old);
    return result;
}

/* --- rules --- */

static struct str filled_name(struct redis_store *s, struct str name, struct str lane)
{
    struct buf b;
    if (lane.n == 0)
        return name;
    buf_init(&b, 4096);
    buf_put(&b, name);
    buf_text(&b, " ");
    buf_put(&b, lane);
    struct str filled = arena_str(&s->memory, buf_str(&b));
    buf_deinit(&b);
    return filled;
}

/* The names hold for shard and lanes alike; each rule is held by the one that it is filled by. What was there before may
 * still be looked at by whoever has not noticed, so it lives as long as the store. */
static void name_rules(struct redis_store *s, const struct redisReply *r, size_t at)
{
    size_t n = s->rules.n;
    struct str *names = arena_alloc(&s->memory, (n + 1) * sizeof *names);
    bool *rest = arena_alloc(&s->memory, (n + 1) * sizeof *rest);
    for (size_t i = 0; i < n; i++) {
        names[i] = filled_name(s, s->rules.items[i].name,
                               redis_reply_str(redis_reply_at(r, at + i)));
        rest[i] = true;
    }
    for (struct window_store *lane = s->base.lane; lane; lane = lane->lane) {
        bool *holds = arena_alloc(&s->memory, (n + 1) * sizeof *holds);
        for (size_t i = 0; i < n; i++) {
            holds[i] = str_eq(redis_reply_str(redis_reply_at(r, at + i)),
                              redis_store_of(lane)->lane);
            rest[i] = rest[i] && !holds[i];
        }
        lane->names = names;
        lane->holds = holds;
        lane->rules_n = n;
    }
    s->base.names = names;
    s->base.holds = rest;
}

int redis_rules_take(struct redis_store *s, const struct redisReply *r, size_t at,
                     struct err *e)
{
    if (s->rules.n == 0)
        return 0;
    int64_t lanes_n = redis_reply_int(redis_reply_at(r, at + 2));
    s->base.replaced = redis_reply_int(redis_reply_at(r, at + 1)) == 0;
    if (s->base.replaced)
        return err_set(e, ERR_UNAVAILABLE,
                       "other rules were put in place: processes with another "
                       "configuration have taken over");
    if (take_lanes(s, r, at + 3, (size_t)lanes_n, e))
        return -1;
    name_rules(s, r, at + 3 + (size_t)lanes_n);
    s->rules.imposed = true;
    s->rules.generation = redis_reply_int(redis_reply_at(r, at));
    return 0;
}

/* --- mending --- */

/* Where others wrote meanwhile it is tried again later. */
static int join(struct redis_store *s, struct redis_store *lane, struct err *e)
{
    char fresh[EPOCH_BYTES + 1];
    struct redis_args args;
    struct store_clock now;
    if (redis_sync(lane, &now, e))
        return -1;
    arena_reset(&s->scratch);
    redis_call_keys(s, &args, &s->scratch);
    args_str(&args, lane->keys[KEY_META]);
    args_str(&args, lane->keys[KEY_CURSORS]);
    args_str(&args, lane->keys[KEY_HIGHS]);
    args_str(&args, lane->keys[KEY_IDLES]);
    size_t keys_n = redis_call_args(s, &args);
    args_str(&args, lane->lane);
    redis_draw_epoch(fresh);
    args_str(&args, str_of(fresh));
    struct str version = redis_new_version(&s->scratch);
    args_str(&args, version);
    args_int_or(&args, now.next_due_ms, STORE_NO_DUE);
    args_int(&args, (int64_t)redis_domain(lane)->waiting.n);
    args_str(&args, redis_turn(s));
    struct redisReply *r = redis_call(s, SCRIPT_JOIN, &args, keys_n, e);
    if (!r)
        return -1;
    bool joined = redis_outcome_is(r, "JOINED"), stale;
    int result = redis_stale(s, r, &stale, &now, e);
    redis_reply_free(r);
    if (result || !joined)
        return result;
    FAULT_POINT("journal.joined");
    return redis_open_again(s, e);
}

static int rake(struct redis_store *s, struct str name, struct err *e)
{
    struct redis_args args;
    arena_reset(&s->scratch);
    struct str lane = arena_str(&s->scratch, name);
    redis_call_keys(s, &args, &s->scratch);
    for (size_t i = 0; i < OWN_KEYS; i++)
        args_str(&args, redis_lane_key(s, lane, own_keys[i], &s->scratch));
    size_t keys_n = redis_call_args(s, &args);
    args_str(&args, lane);
    struct redisReply *r = redis_call(s, SCRIPT_RAKE, &args, keys_n, e);
    redis_reply_free(r);
    return r ? 0 : -1;
}

/* The lanes to be raked up stand in the state. */
static int rake_all(struct redis_store *s, struct err *e)
{
    struct redisReply *fields =
        REDIS_COMMAND(s->link, e, STR("HKEYS"), s->keys[KEY_STATE]);
    int result = fields ? 0 : -1;
    for (size_t i = 0; i < redis_reply_n(fields) && result == 0; i++) {
        struct str field = redis_reply_str(redis_reply_at(fields, i));
        if (str_starts(field, STR("rake:")))
            result = rake(s, str_from(field, 5), e);
    }
    redis_reply_free(fields);
    return result;
}

int redis_store_mend(struct window_store *base, struct err *e)
{
    struct redis_store *s = redis_store_of(base);
    for (struct window_store *lane = base->lane; lane; lane = lane->lane)
        if (join(s, redis_store_of(lane), e))
            return -1;
    return s->rules.n ? rake_all(s, e) : 0;
}

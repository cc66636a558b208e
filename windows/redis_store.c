/* The store in Redis: one Lua script a batch, so that windows, ids, cursor and watermark move together
 * or not at all (DESIGN 4). The scripts are windows/NAME.lua, each behind common.lua; this file puts their
 * arguments together and reads their replies.
 *
 * A store is one shard: its keys share a hash tag. A change of epoch means that Redis lost everything: the
 * state is made anew, and the partitions are read again from where that needs (docs/once.md). */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "core/fault.h"
#include "windows/redis_check.h"
#include "windows/redis_store_impl.h"
#include "windows/scripts.h"
#include "windows/shard.h"

enum {
    PAGE_LINES = 500,
};

static const char *const key_names[REDIS_KEYS] = {
    "meta",  "cursors", "highs", "idles",  "ats",      "windows", "bases", "journal",
    "lasts", "marks",   "seen",  "unsent", "episodes", "ended",   "meta",  "record"};

void redis_random(char *out, size_t n)
{
    for (size_t got = 0; got < n;) {
        ssize_t r = getrandom(out + got, n - got, 0);
        assert(r > 0 || errno == EINTR);
        got += r > 0 ? (size_t)r : 0;
    }
}

struct str redis_new_version(struct arena *arena)
{
    char bytes[WINDOW_VERSION_BYTES];
    redis_random(bytes, sizeof bytes);
    return arena_str(arena, (struct str){bytes, sizeof bytes});
}

/* --- calling scripts --- */

void redis_call_keys(struct redis_store *s, struct redis_args *a, struct arena *arena)
{
    args_init(a, arena);
    for (size_t i = 0; i < KEYS_OF_EVERY_CALL; i++)
        args_str(a, s->keys[i]);
}

size_t redis_call_args(struct redis_store *s, struct redis_args *a)
{
    size_t keys_n = a->n;
    args_str(a, str_of(s->epoch));
    args_str(a, s->lateness);
    const struct mirror *m = &redis_home(s)->mirror;
    args_int(a, m->next - 1);
    args_str(a, m->next > 1 ? (struct str){m->tail, sizeof m->tail} : STR(""));
    args_int_or(a, s->clock.watermark_ms, STORE_NO_TIME);
    return keys_n;
}

size_t redis_call_plain(struct redis_store *s, struct redis_args *a)
{
    arena_reset(&s->scratch);
    redis_call_keys(s, a, &s->scratch);
    return redis_call_args(s, a);
}

int64_t redis_int_or(const struct redisReply *r, size_t i, int64_t none)
{
    const struct redisReply *at = redis_reply_at(r, i);
    return redis_reply_str(at).n ? redis_reply_int(at) : none;
}

struct store_clock redis_clock_of(struct redis_store *s, const struct redisReply *r)
{
    struct mirror_domain *d = redis_domain(s);
    struct store_clock c = {.watermark_ms = redis_int_or(r, 1, STORE_NO_TIME),
                            .now_ms = redis_reply_int(redis_reply_at(r, 2)),
                            .next_due_ms = mirror_next_due(&redis_home(s)->mirror, d),
                            .waiting_n = d->waiting.n,
                            .unproven_n = d->unproven.n};
    /* A window is due, and waits, until it is committed. */
    c.judged_ms = c.waiting_n                          ? STORE_NO_TIME
                  : c.next_due_ms - 1 < c.watermark_ms ? c.next_due_ms - 1
                                                       : c.watermark_ms;
    size_t too_long = mirror_is_long(&redis_home(s)->mirror, d);
    if (c.waiting_n == 0 && too_long)
        c.waiting_n = 1; /* windows are to go into bases */
    c.pressed = too_long > 1;
    s->clock = c;
    return c;
}

struct store_times redis_times_of(const struct redisReply *r, size_t i)
{
    return (struct store_times){.said_ms = redis_int_or(r, i, STORE_NO_TIME),
                                .record_ms = redis_int_or(r, i + 1, STORE_NO_TIME),
                                .from_ms = redis_int_or(r, i + 2, STORE_NO_TIME)};
}

bool redis_outcome_is(const struct redisReply *r, const char *name)
{
    return str_is(redis_reply_str(redis_reply_at(r, 0)), name);
}

struct redisReply *redis_call(struct redis_store *s, enum script_number script,
                              const struct redis_args *a, size_t keys_n, struct err *e)
{
    struct redisReply *r =
        redis_run(s->link, &s->scripts[script], keys_n, a->n, a->items, e);
    if (!r || !redis_outcome_is(r, "EPOCH"))
        return r;
    redis_reply_free(r);
    redis_reopen(s->shard ? s->shard : s, e);
    return NULL;
}

/* --- partitions --- */

void redis_keep_names(struct redis_store *s, const struct str *names, size_t n)
{
    s->partitions = realloc(s->partitions, (n + 1) * sizeof *s->partitions);
    assert(s->partitions);
    for (size_t i = s->partitions_n; i < n; i++)
        s->partitions[i] = STR_NONE;
    for (size_t i = 0; i < n; i++)
        if (!str_eq(s->partitions[i], names[i]))
            s->partitions[i] = arena_str(&s->memory, names[i]);
    s->partitions_n = n;
}

static int redis_store_partitions(struct window_store *base, const struct str *names,
                                  size_t n, struct err *e)
{
    struct redis_store *s = redis_store_of(base);
    redis_keep_names(s, names, n);
    return s->shard ? redis_lane_open(s, e) : redis_open_again(s, e);
}

/* --- the record --- */

static struct str alert_of(const struct redisReply *entry)
{
    const struct redisReply *fields = redis_reply_at(entry, 1);
    for (size_t i = 0; i + 1 < redis_reply_n(fields); i += 2)
        if (str_is(redis_reply_str(redis_reply_at(fields, i)), "alert"))
            return redis_reply_str(redis_reply_at(fields, i + 1));
    return STR_NONE;
}

static int redis_store_record(struct window_store *base, store_line_fn *fn, void *arg,
                              struct err *e)
{
    struct redis_store *s = redis_store_of(base);
    char from[64] = "-";
    for (int stop = 0; !stop;) {
        struct redisReply *r =
            REDIS_COMMAND(s->link, e, STR("XRANGE"), s->keys[KEY_RECORD], str_of(from),
                          STR("+"), STR("COUNT"), STR("500"));
        if (!r)
            return -1;
        size_t n = redis_reply_n(r);
        for (size_t i = 0; i < n && !stop; i++) {
            const struct redisReply *entry = redis_reply_at(r, i);
            struct str line = alert_of(entry),
                       id = redis_reply_str(redis_reply_at(entry, 0));
            snprintf(from, sizeof from, "(%.*s", STR_ARG(id));
            if (line.n)
                stop = fn(arg, line);
        }
        stop = stop || n < PAGE_LINES;
        redis_reply_free(r);
    }
    return 0;
}

/* --- life --- */

static void redis_store_close(struct window_store *base)
{
    struct redis_store *s = redis_store_of(base);
    redis_lanes_free(s);
    redis_link_free(s->link);
    mirror_deinit(&s->mirror);
    arena_deinit(&s->memory);
    arena_deinit(&s->scratch);
    free(s->partitions);
    free(s);
}

static const struct store_ops redis_store_ops = {
    .partitions = redis_store_partitions,
    .cursor = redis_store_cursor,
    .begin = redis_store_begin,
    .remade = redis_store_remade,
    .apply = redis_store_apply,
    .idle = redis_store_idle,
    .due = redis_store_due,
    .peek = redis_store_peek,
    .commit = redis_store_commit,
    .horizon = redis_store_horizon,
    .proves = redis_store_proves,
    .mend = redis_store_mend,
    .windows = redis_store_windows,
    .record = redis_store_record,
    .close = redis_store_close,
};

static struct redis_script script(struct redis_store *s, const char *name,
                                  const char *text)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_text(&b, script_common);
    buf_text(&b, text);
    struct str whole = arena_str(&s->memory, buf_str(&b));
    buf_deinit(&b);
    return (struct redis_script){.name = name, .text = whole.p};
}

const char *redis_key_name(enum redis_key key)
{
    return key_names[key];
}

struct str redis_key_named(const struct redis_store *s, const char *kind, struct str name,
                           struct arena *arena)
{
    struct buf b;
    buf_init(&b, 4096);
    buf_put(&b, s->stem);
    buf_text(&b, kind);
    buf_put(&b, name);
    struct str key = arena_str(arena, buf_str(&b));
    buf_deinit(&b);
    return key;
}

static void name_keys(struct redis_store *s)
{
    struct redis_args number;
    args_init(&number, &s->memory);
    args_int(&number, s->lateness_ms);
    s->lateness = number.items[0];
    for (size_t i = 0; i < REDIS_KEYS; i++)
        s->keys[i] = redis_key_named(s, key_names[i], STR_NONE, &s->memory);
}

struct window_store *redis_store_open(const struct redis_store_settings *settings,
                                      struct err *e)
{
    struct redis_store *s = calloc(1, sizeof *s);
    assert(s);
    s->base.ops = &redis_store_ops;
    s->link = redis_link_new(settings->target);
    s->lateness_ms = settings->lateness_ms;
    s->waits_from_ms = STORE_NO_TIME;
    s->clock.watermark_ms = STORE_NO_TIME;
    s->recent_bytes = FAULT_NUMBER("recent_bytes") ? (size_t)FAULT_NUMBER("recent_bytes")
                                                   : settings->recent_bytes;
    redis_new_mirror(s);
    s->look_only = settings->look_only;
    s->record_for_ms = settings->record_for_ms;
    s->lookback_ms = settings->lookback_ms;
    s->rules = (struct redis_rules){.items = settings->rules, .n = settings->rules_n};
    s->base.rules_n = settings->rules_n;
    s->read_past = settings->past;
    s->past_arg = settings->past_arg;
    s->stem =
        shard_stem(settings->prefix, settings->shards_n, settings->shard, &s->memory);
    redis_keep_names(s, settings->partitions, settings->partitions_n);
    name_keys(s);
    s->scripts[SCRIPT_OPEN] = script(s, "open", script_open);
    s->scripts[SCRIPT_JOIN] = script(s, "join", script_join);
    s->scripts[SCRIPT_RAKE] = script(s, "rake", script_rake);
    s->scripts[SCRIPT_APPLY] = script(s, "apply", script_apply);
    s->scripts[SCRIPT_COMMIT] = script(s, "commit", script_commit);
    s->scripts[SCRIPT_SYNC] = script(s, "sync", script_sync);
    s->scripts[SCRIPT_LOAD] = script(s, "load", script_load);
    s->scripts[SCRIPT_IDLE] = script(s, "idle", script_idle);
    s->scripts[SCRIPT_PLACE] = script(s, "place", script_place);
    s->scripts[SCRIPT_BEGIN] = script(s, "begin", script_begin);
    s->scripts[SCRIPT_REMADE] = script(s, "remade", script_remade);
    s->scripts[SCRIPT_HORIZON] = script(s, "horizon", script_horizon);
    s->scripts[SCRIPT_PROVES] = script(s, "proves", script_proves);
    if (redis_open_state(s, e)) {
        redis_store_close(&s->base);
        return NULL;
    }
    return &s->base;
}

int redis_store_check(struct window_store *base, const char **warning, struct err *e)
{
    return redis_check(redis_store_of(base)->link, warning, e);
}

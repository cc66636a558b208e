/* The store in Redis: one Lua script a batch, so that windows, ids, cursor and watermark move together
 * or not at all (DESIGN 4). The scripts are windows/NAME.lua, each behind common.lua; this file puts their
 * arguments together and reads their replies.
 *
 * All state is one shard: its keys share the hash tag {0}. A change of epoch means that Redis lost
 * everything: the state is made anew, and the partitions are read again from their beginning. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "core/timefmt.h"
#include "windows/redis_args.h"
#include "windows/redis_link.h"
#include "windows/scripts.h"
#include "windows/window_store.h"

enum { EPOCH_BYTES = 32, PAGE_LINES = 500, REPLY_HEAD = 5 };
static const struct str STATE_FORMAT = {"1", 1};

/* The keys of common.lua, in its order, and the record. */
static const char *const key_names[] = {"meta",    "cursors", "highs",   "idles",    "ats",
                                        "windows", "due",     "waiting", "id_slots", "record"};
enum { KEY_WINDOWS_N = 9, KEY_ID_SLOTS = 8, KEY_RECORD = 9, KEY_NAMES = 10 };

enum script_number { SCRIPT_OPEN, SCRIPT_APPLY, SCRIPT_COMMIT, SCRIPT_DUE, SCRIPT_IDLE, SCRIPTS };

struct redis_store {
    struct window_store base;
    struct redis_link *link;
    struct arena memory;  /* keys, scripts, the prefix */
    struct arena scratch; /* of one call without an arena of its own */
    struct str prefix, lateness, keys[KEY_NAMES];
    int64_t lateness_ms, record_for_ms, forgotten_ms; /* ids before it are gone */
    char epoch[EPOCH_BYTES + 1];
    struct str *partitions; /* to be made known again after a loss */
    size_t partitions_n;
    struct redis_script scripts[SCRIPTS];
};

static struct redis_store *self(struct window_store *s)
{
    return (struct redis_store *)s;
}

static void random_bytes(char *out, size_t n)
{
    for (size_t got = 0; got < n;) {
        ssize_t r = getrandom(out + got, n - got, 0);
        assert(r > 0 || errno == EINTR);
        got += r > 0 ? (size_t)r : 0;
    }
}

static struct str new_version(struct arena *arena)
{
    char bytes[WINDOW_VERSION_BYTES];
    random_bytes(bytes, sizeof bytes);
    return arena_str(arena, (struct str){bytes, sizeof bytes});
}

/* --- calling scripts --- */

/* KEYS of every call; more may follow before begin_args. */
static void begin_keys(struct redis_store *s, struct redis_args *a, struct arena *arena)
{
    args_init(a, arena);
    for (size_t i = 0; i < KEY_WINDOWS_N; i++)
        args_str(a, s->keys[i]);
}

static size_t begin_args(struct redis_store *s, struct redis_args *a)
{
    size_t keys_n = a->n;
    args_str(a, str_of(s->epoch));
    args_str(a, s->lateness);
    return keys_n;
}

static int64_t int_or(const struct redisReply *r, size_t i, int64_t none)
{
    const struct redisReply *at = redis_reply_at(r, i);
    return redis_reply_str(at).n ? redis_reply_int(at) : none;
}

static struct store_clock clock_of(const struct redisReply *r)
{
    return (struct store_clock){.watermark_ms = int_or(r, 1, STORE_NO_TIME),
                                .now_ms = redis_reply_int(redis_reply_at(r, 2)),
                                .next_due_ms = int_or(r, 3, STORE_NO_DUE),
                                .waiting_n = redis_reply_int(redis_reply_at(r, 4))};
}

static bool outcome_is(const struct redisReply *r, const char *name)
{
    return str_is(redis_reply_str(redis_reply_at(r, 0)), name);
}

static int open_state(struct redis_store *s, struct err *e);

/* Runs a script. The state being another than ours: made anew or taken over, and nothing is known. */
static struct redisReply *call(struct redis_store *s, enum script_number script,
                               const struct redis_args *a, size_t keys_n, struct err *e)
{
    struct redisReply *r = redis_run(s->link, &s->scripts[script], keys_n, a->n, a->items, e);
    if (!r || !outcome_is(r, "EPOCH"))
        return r;
    redis_reply_free(r);
    if (open_state(s, e) == 0)
        err_set(e, ERR_UNAVAILABLE, "the state in Redis is another than before: it was flushed or "
                                    "lost; reading the topics again from their beginning");
    return NULL;
}

static int open_state(struct redis_store *s, struct err *e)
{
    struct redis_args a;
    char bytes[EPOCH_BYTES / 2], fresh[EPOCH_BYTES + 1];
    random_bytes(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(fresh + 2 * i, 3, "%02x", (unsigned char)bytes[i]);
    arena_reset(&s->scratch);
    begin_keys(s, &a, &s->scratch);
    args_str(&a, str_of(fresh));
    args_str(&a, s->lateness);
    args_str(&a, STATE_FORMAT);
    for (size_t i = 0; i < s->partitions_n; i++)
        args_str(&a, s->partitions[i]);
    struct redisReply *r =
        redis_run(s->link, &s->scripts[SCRIPT_OPEN], KEY_WINDOWS_N, a.n, a.items, e);
    if (!r)
        return -1;
    struct str epoch = redis_reply_str(redis_reply_at(r, 5));
    struct str format = redis_reply_str(redis_reply_at(r, 6));
    int result = 0;
    if (outcome_is(r, "FORMAT"))
        result = err_set(e, ERR_REFUSED,
                         "the state under redis.prefix '%.*s' has format %.*s, this version reads %.*s: "
                         "run the version that made it, or choose another redis.prefix",
                         STR_ARG(s->prefix), STR_ARG(format), STR_ARG(STATE_FORMAT));
    else
        snprintf(s->epoch, sizeof s->epoch, "%.*s", STR_ARG(epoch));
    redis_reply_free(r);
    return result;
}

/* --- partitions and cursors --- */

static int redis_store_partitions(struct window_store *base, const struct str *names, size_t n,
                                  struct err *e)
{
    struct redis_store *s = self(base);
    s->partitions = realloc(s->partitions, (n + 1) * sizeof *s->partitions);
    assert(s->partitions);
    for (size_t i = s->partitions_n; i < n; i++)
        s->partitions[i] = STR_NONE;
    for (size_t i = 0; i < n; i++)
        if (!str_eq(s->partitions[i], names[i]))
            s->partitions[i] = arena_str(&s->memory, names[i]);
    s->partitions_n = n;
    return open_state(s, e);
}

static int read_hash(struct redis_store *s, size_t key, struct str field, int64_t none, int64_t *out,
                     struct err *e)
{
    struct redisReply *r = REDIS_COMMAND(s->link, e, STR("HGET"), s->keys[key], field);
    if (!r)
        return -1;
    *out = redis_reply_str(r).n ? redis_reply_int(r) : none;
    redis_reply_free(r);
    return 0;
}

/* Two reads: a batch between them makes the next apply misplaced, which tells both at once. */
static int redis_store_cursor(struct window_store *base, struct str partition, int64_t *cursor,
                              int64_t *high_ms, struct err *e)
{
    return read_hash(self(base), 1, partition, -1, cursor, e) ||
                   read_hash(self(base), 2, partition, STORE_NO_TIME, high_ms, e)
               ? -1
               : 0;
}

static int redis_store_begin(struct window_store *base, struct str partition, int64_t start,
                             struct err *e)
{
    struct redis_store *s = self(base);
    struct redis_args number;
    arena_reset(&s->scratch);
    args_init(&number, &s->scratch);
    args_int(&number, start);
    struct redisReply *r =
        REDIS_COMMAND(s->link, e, STR("HSETNX"), s->keys[1], partition, number.items[0]);
    if (!r)
        return -1;
    redis_reply_free(r);
    return 0;
}

/* --- apply --- */

/* The batch's ids by slot of event time: order[] lists the events slot by slot. */
struct slots {
    size_t *order;
    int64_t *cells; /* of the slots */
    size_t *sizes;
    size_t n;
};

static void group_ids(struct redis_store *s, const struct apply *a, struct arena *arena,
                      struct slots *out)
{
    int64_t width_ms = id_slot_ms(s->lateness_ms);
    size_t at = 0;
    *out = (struct slots){.order = arena_alloc(arena, (a->events_n + 1) * sizeof *out->order),
                          .cells = arena_alloc(arena, (a->events_n + 1) * sizeof *out->cells),
                          .sizes = arena_alloc(arena, (a->events_n + 1) * sizeof *out->sizes)};
    for (size_t i = 0; i < a->events_n; i++) {
        int64_t cell = time_cell(a->times_ms[i], width_ms);
        size_t slot = 0;
        while (slot < out->n && out->cells[slot] != cell)
            slot++;
        out->cells[slot] = cell;
        out->n = slot == out->n ? out->n + 1 : out->n;
        out->sizes[slot]++;
    }
    for (size_t slot = 0; slot < out->n; slot++)
        for (size_t i = 0; i < a->events_n; i++)
            if (time_cell(a->times_ms[i], width_ms) == out->cells[slot])
                out->order[at++] = i;
}

static struct str id_slot_key(struct redis_store *s, int64_t cell, struct arena *arena)
{
    struct buf b;
    buf_init(&b, 512);
    buf_put(&b, s->prefix);
    buf_printf(&b, ":{0}:ids:%lld", (long long)cell);
    struct str key = arena_str(arena, buf_str(&b));
    buf_deinit(&b);
    return key;
}

static int64_t earliest(const struct apply *a)
{
    int64_t ms = STORE_NO_DUE;
    for (size_t i = 0; i < a->events_n; i++)
        ms = a->times_ms[i] < ms ? a->times_ms[i] : ms;
    return ms;
}

static void put_changes(const struct apply *a, struct redis_args *args)
{
    for (size_t i = 0; i < a->changes_n; i++) {
        const struct window_change *c = &a->changes[i];
        args_str(args, window_id_str(&c->id));
        args_str(args, c->head);
        args_str(args, c->records);
        args_int(args, c->records_n);
        args_int(args, c->judge_at);
        args_int(args, c->due_ms);
    }
}

static void put_batch(const struct apply *a, const struct slots *slots, struct redis_args *args)
{
    args_str(args, a->partition);
    args_int(args, a->start);
    args_int(args, a->next);
    args_int_or(args, a->high_ms, STORE_NO_TIME);
    args_int(args, a->has_events);
    args_str(args, new_version(args->arena));
    args_int_or(args, earliest(a), STORE_NO_DUE);
    args_int(args, WINDOW_FOLD_BYTES);
    args_int(args, (int64_t)slots->n);
    args_int(args, (int64_t)a->changes_n);
    size_t at = 0;
    for (size_t slot = 0; slot < slots->n; slot++) {
        args_int(args, slots->cells[slot]);
        args_int(args, (int64_t)slots->sizes[slot]);
        for (size_t i = 0; i < slots->sizes[slot]; i++)
            args_str(args, a->ids[slots->order[at++]]);
    }
    put_changes(a, args);
}

static void read_refused(const struct redisReply *r, const struct apply *a, const struct slots *slots,
                         struct arena *arena, struct apply_reply *out)
{
    out->outcome = REVISE;
    out->refused = arena_alloc(arena, a->events_n + 1);
    for (size_t i = REPLY_HEAD; i < redis_reply_n(r); i++) {
        int64_t position = redis_reply_int(redis_reply_at(r, i));
        assert(position >= 1 && (size_t)position <= a->events_n);
        out->refused[slots->order[position - 1]] = REFUSED_DUPLICATE;
    }
    for (size_t i = 0; i < a->events_n; i++)
        if (a->times_ms[i] < out->clock.watermark_ms)
            out->refused[i] = REFUSED_BEHIND;
}

static int read_windows(const struct redisReply *r, struct arena *arena, struct window **windows,
                        size_t *n, struct err *e)
{
    *n = 0;
    *windows = arena_alloc(arena, (redis_reply_n(r) + 1) * sizeof **windows);
    for (size_t i = REPLY_HEAD; i < redis_reply_n(r); i++) {
        struct str value = arena_str(arena, redis_reply_str(redis_reply_at(r, i)));
        if (!window_unpack(value, arena, &(*windows)[(*n)++]))
            return err_set(e, ERR_REFUSED, "a window in Redis is damaged: another program wrote under "
                                           "redis.prefix; use a prefix of its own");
    }
    return 0;
}

static void read_misplaced(const struct redisReply *r, struct apply_reply *out)
{
    out->outcome = MISPLACED;
    out->cursor = int_or(r, 5, -1);
    out->high_ms = int_or(r, 6, STORE_NO_TIME);
}

static int redis_store_apply(struct window_store *base, const struct apply *a, struct arena *arena,
                             struct apply_reply *out, struct err *e)
{
    struct redis_store *s = self(base);
    struct redis_args args;
    struct slots slots;
    group_ids(s, a, arena, &slots);
    begin_keys(s, &args, arena);
    for (size_t i = 0; i < slots.n; i++)
        args_str(&args, id_slot_key(s, slots.cells[i], arena));
    size_t keys_n = begin_args(s, &args);
    put_batch(a, &slots, &args);
    struct redisReply *r = call(s, SCRIPT_APPLY, &args, keys_n, e);
    if (!r)
        return -1;
    int result = 0;
    *out = (struct apply_reply){.outcome = APPLIED, .clock = clock_of(r)};
    if (outcome_is(r, "MISPLACED"))
        read_misplaced(r, out);
    else if (outcome_is(r, "APPLIED"))
        result = read_windows(r, arena, &out->windows, &out->windows_n, e);
    else
        read_refused(r, a, &slots, arena, out);
    redis_reply_free(r);
    return result;
}

static int redis_store_idle(struct window_store *base, struct str partition, int64_t cursor,
                            int64_t proven_ms, struct apply_reply *out, struct err *e)
{
    struct redis_store *s = self(base);
    struct redis_args args;
    arena_reset(&s->scratch);
    begin_keys(s, &args, &s->scratch);
    size_t keys_n = begin_args(s, &args);
    args_str(&args, partition);
    args_int(&args, cursor);
    args_int(&args, proven_ms);
    struct redisReply *r = call(s, SCRIPT_IDLE, &args, keys_n, e);
    if (!r)
        return -1;
    *out = (struct apply_reply){.outcome = APPLIED, .clock = clock_of(r)};
    if (outcome_is(r, "MISPLACED"))
        read_misplaced(r, out);
    redis_reply_free(r);
    return 0;
}

/* --- judging --- */

/* Drops the ids of slots that the watermark has passed: no event of that time can be accepted. */
static int forget_ids(struct redis_store *s, int64_t watermark_ms, struct err *e)
{
    int64_t width_ms = id_slot_ms(s->lateness_ms), open_cell = time_cell(watermark_ms, width_ms);
    if (watermark_ms == STORE_NO_TIME || open_cell * width_ms <= s->forgotten_ms)
        return 0;
    struct redis_args unlink, limit;
    args_init(&limit, &s->scratch);
    args_int(&limit, open_cell - 1);
    struct redisReply *r = REDIS_COMMAND(s->link, e, STR("ZRANGEBYSCORE"), s->keys[KEY_ID_SLOTS],
                                         STR("-inf"), limit.items[0]);
    if (!r)
        return -1;
    args_init(&unlink, &s->scratch);
    args_str(&unlink, STR("UNLINK"));
    for (size_t i = 0; i < redis_reply_n(r); i++)
        args_str(&unlink, id_slot_key(s, redis_reply_int(redis_reply_at(r, i)), &s->scratch));
    redis_reply_free(r);
    if (unlink.n > 1) {
        if (!(r = redis_command(s->link, e, unlink.n, unlink.items)))
            return -1;
        redis_reply_free(r);
        if (!(r = REDIS_COMMAND(s->link, e, STR("ZREMRANGEBYSCORE"), s->keys[KEY_ID_SLOTS],
                                STR("-inf"), limit.items[0])))
            return -1;
        redis_reply_free(r);
    }
    s->forgotten_ms = open_cell * width_ms;
    return 0;
}

static int redis_store_due(struct window_store *base, size_t limit, struct arena *arena,
                           struct window **windows, size_t *n, struct store_clock *clock,
                           struct err *e)
{
    struct redis_store *s = self(base);
    struct redis_args args;
    arena_reset(&s->scratch);
    begin_keys(s, &args, &s->scratch);
    size_t keys_n = begin_args(s, &args);
    args_int(&args, (int64_t)limit);
    struct redisReply *r = call(s, SCRIPT_DUE, &args, keys_n, e);
    if (!r)
        return -1;
    *clock = clock_of(r);
    int result = read_windows(r, arena, windows, n, e);
    redis_reply_free(r);
    return result ? result : forget_ids(s, clock->watermark_ms, e);
}

/* The outbox streams of this call: each sink's name stands once. */
static size_t outbox_number(struct redis_args *sinks, struct str sink)
{
    for (size_t i = 0; i < sinks->n; i++)
        if (str_eq(sinks->items[i], sink))
            return i + 1;
    args_str(sinks, sink);
    return sinks->n;
}

static struct str outbox_key(struct redis_store *s, struct str sink)
{
    struct buf b;
    buf_init(&b, 1024);
    buf_put(&b, s->prefix);
    buf_text(&b, ":{0}:outbox:");
    buf_put(&b, sink);
    struct str key = arena_str(&s->scratch, buf_str(&b));
    buf_deinit(&b);
    return key;
}

/* The packed value without its version, which the script draws. */
static struct str value_of(struct redis_store *s, const struct judged *j)
{
    static const char no_version[WINDOW_VERSION_BYTES];
    if (j->state.n == 0 && j->kept_n == 0)
        return STR("");
    struct buf b;
    buf_init(&b, WINDOW_MAX_BYTES);
    window_pack(&b, no_version, j->head, j->state, j->kept, j->kept_n);
    struct str value = arena_str(
        &s->scratch, (struct str){b.p + WINDOW_VERSION_BYTES, b.n - WINDOW_VERSION_BYTES});
    buf_deinit(&b);
    return value;
}

static void put_judged(struct redis_store *s, const struct judged *j, struct redis_args *sinks,
                       struct redis_args *args)
{
    args_str(args, window_id_str(&j->id));
    args_str(args, (struct str){j->version, WINDOW_VERSION_BYTES});
    args_str(args, value_of(s, j));
    args_int_or(args, j->due_ms, STORE_NO_DUE);
    args_int(args, (int64_t)j->record_n);
    for (size_t i = 0; i < j->record_n; i++)
        args_str(args, j->record[i]);
    args_int(args, (int64_t)j->outbox_n);
    for (size_t i = 0; i < j->outbox_n; i++) {
        args_int(args, (int64_t)outbox_number(sinks, j->outbox[i].sink));
        args_str(args, j->outbox[i].body);
    }
}

static int redis_store_commit(struct window_store *base, struct judged *judged, size_t n,
                              struct store_clock *clock, struct err *e)
{
    struct redis_store *s = self(base);
    struct redis_args args, sinks, windows;
    arena_reset(&s->scratch);
    args_init(&sinks, &s->scratch);
    args_init(&windows, &s->scratch);
    for (size_t i = 0; i < n; i++)
        put_judged(s, &judged[i], &sinks, &windows);
    begin_keys(s, &args, &s->scratch);
    args_str(&args, s->keys[KEY_RECORD]);
    for (size_t i = 0; i < sinks.n; i++)
        args_str(&args, outbox_key(s, sinks.items[i]));
    size_t keys_n = begin_args(s, &args);
    args_str(&args, new_version(&s->scratch));
    args_int_or(&args, clock->now_ms > s->record_for_ms ? clock->now_ms - s->record_for_ms : 0, 0);
    args_int(&args, (int64_t)n);
    for (size_t i = 0; i < windows.n; i++)
        args_str(&args, windows.items[i]);
    struct redisReply *r = call(s, SCRIPT_COMMIT, &args, keys_n, e);
    if (!r)
        return -1;
    *clock = clock_of(r);
    for (size_t i = 0; i < n; i++)
        judged[i].committed = redis_reply_int(redis_reply_at(r, REPLY_HEAD + i)) == 1;
    redis_reply_free(r);
    return 0;
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

static int redis_store_record(struct window_store *base, store_line_fn *fn, void *arg, struct err *e)
{
    struct redis_store *s = self(base);
    char from[64] = "-";
    for (int stop = 0; !stop;) {
        struct redisReply *r = REDIS_COMMAND(s->link, e, STR("XRANGE"), s->keys[KEY_RECORD],
                                             str_of(from), STR("+"), STR("COUNT"), STR("500"));
        if (!r)
            return -1;
        size_t n = redis_reply_n(r);
        for (size_t i = 0; i < n && !stop; i++) {
            const struct redisReply *entry = redis_reply_at(r, i);
            struct str line = alert_of(entry), id = redis_reply_str(redis_reply_at(entry, 0));
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
    struct redis_store *s = self(base);
    redis_link_free(s->link);
    arena_deinit(&s->memory);
    arena_deinit(&s->scratch);
    free(s->partitions);
    free(s);
}

static const struct store_ops redis_store_ops = {
    .partitions = redis_store_partitions,
    .cursor = redis_store_cursor,
    .begin = redis_store_begin,
    .apply = redis_store_apply,
    .idle = redis_store_idle,
    .due = redis_store_due,
    .commit = redis_store_commit,
    .record = redis_store_record,
    .close = redis_store_close,
};

static struct redis_script script(struct redis_store *s, const char *name, const char *text)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_text(&b, script_common);
    buf_text(&b, text);
    struct str whole = arena_str(&s->memory, buf_str(&b));
    buf_deinit(&b);
    return (struct redis_script){.name = name, .text = whole.p};
}

static void name_keys(struct redis_store *s)
{
    struct buf b;
    buf_init(&b, 1024);
    for (size_t i = 0; i < KEY_NAMES; i++) {
        buf_clear(&b);
        buf_put(&b, s->prefix);
        buf_printf(&b, ":{0}:%s", key_names[i]);
        s->keys[i] = arena_str(&s->memory, buf_str(&b));
    }
    buf_clear(&b);
    buf_printf(&b, "%lld", (long long)s->lateness_ms);
    s->lateness = arena_str(&s->memory, buf_str(&b));
    buf_deinit(&b);
}

struct window_store *redis_store_open(const struct redis_store_settings *settings, struct err *e)
{
    struct redis_store *s = calloc(1, sizeof *s);
    assert(s);
    s->base.ops = &redis_store_ops;
    s->link = redis_link_new(settings->target);
    s->lateness_ms = settings->lateness_ms;
    s->record_for_ms = settings->record_for_ms;
    s->forgotten_ms = STORE_NO_TIME;
    s->prefix = arena_str(&s->memory, settings->prefix);
    name_keys(s);
    s->scripts[SCRIPT_OPEN] = script(s, "open", script_open);
    s->scripts[SCRIPT_APPLY] = script(s, "apply", script_apply);
    s->scripts[SCRIPT_COMMIT] = script(s, "commit", script_commit);
    s->scripts[SCRIPT_DUE] = script(s, "due", script_due);
    s->scripts[SCRIPT_IDLE] = script(s, "idle", script_idle);
    if (open_state(s, e)) {
        redis_store_close(&s->base);
        return NULL;
    }
    return &s->base;
}

struct str redis_store_epoch(const struct window_store *base)
{
    const struct redis_store *s = (const struct redis_store *)base;
    return str_of(s->epoch);
}

/* The store in Redis: a batch goes in, an idle partition's time moves on. */
#include <assert.h>

#include "core/clock.h"
#include "core/fault.h"
#include "windows/redis_store_impl.h"

enum { TRIM_AT_ONCE = 1024, TRY_AGAIN = 1 };

/* --- what is refused, what has no room --- */

static int64_t earliest(const struct apply *a)
{
    int64_t ms = STORE_NO_DUE;
    for (size_t i = 0; i < a->events_n; i++)
        ms = a->times_ms[i] < ms ? a->times_ms[i] : ms;
    return ms;
}

static void refuse_behind(const struct apply *a, int64_t watermark_ms,
                          unsigned char *refused)
{
    for (size_t i = 0; i < a->events_n; i++)
        if (a->times_ms[i] < watermark_ms)
            refused[i] = REFUSED_BEHIND;
}

static struct journal_id *hash_ids(const struct apply *a, struct arena *arena)
{
    struct journal_id *ids = arena_take(arena, (a->events_n + 1) * sizeof *ids);
    for (size_t i = 0; i < a->events_n; i++) {
        journal_hash(a->ids[i], &ids[i]);
        ids[i].time_ms = a->times_ms[i];
    }
    return ids;
}

static bool refuse_seen(struct redis_store *s, const struct apply *a,
                        const struct journal_id *ids, unsigned char *refused)
{
    bool any = false;
    for (size_t i = 0; i < a->events_n; i++)
        if (mirror_seen(&redis_home(s)->mirror, s->lane, &ids[i])) {
            refused[i] = REFUSED_DUPLICATE;
            any = true;
        }
    return any;
}

static int64_t room(struct redis_store *s, const struct apply *a, size_t limit)
{
    return a->limits[limit].max -
           mirror_count(&redis_home(s)->mirror, a->limits[limit].name);
}

/* Which changes would make a window beyond its rule's limit. */
static void find_left_out(struct redis_store *s, const struct apply *a,
                          struct arena *arena, struct apply_reply *out)
{
    int64_t *rooms = arena_alloc(arena, (a->limits_n + 1) * sizeof *rooms);
    out->left_out_n = 0;
    out->left_out = arena_alloc(arena, (a->changes_n + 1) * sizeof *out->left_out);
    bool tight = false;
    for (size_t i = 0; i < a->limits_n; i++) {
        rooms[i] = room(s, a, i);
        tight = tight || rooms[i] < (int64_t)a->changes_n;
    }
    for (size_t c = 0; c < a->changes_n && tight; c++) {
        struct reader head = {.in = a->changes[c].head};
        struct str name = reader_str16(&head);
        size_t i = 0;
        while (i < a->limits_n && !str_eq(a->limits[i].name, name))
            i++;
        if (i < a->limits_n && !mirror_find(&redis_home(s)->mirror, &a->changes[c].id) &&
            rooms[i]-- <= 0)
            out->left_out[out->left_out_n++] = c;
    }
}

/* --- the entry --- */

static void put_ids(const struct apply *a, const struct journal_id *ids,
                    struct redis_fields *fields)
{
    struct buf *out = redis_fields_ids(fields);
    for (size_t i = 0; i < a->events_n; i++)
        journal_put_id(out, &ids[i], i ? ids[i - 1].time_ms : 0);
}

static void put_change(const struct window_change *c, struct redis_fields *fields)
{
    struct str name, key;
    struct buf *b = redis_fields_for(fields, c->head, &name, &key);
    struct journal_item item = {.key = key,
                                .lapses = c->lapses,
                                .n = c->records_n,
                                .bytes = (uint32_t)c->records.n,
                                .judge_at = c->judge_at,
                                .first_ms = c->first_ms,
                                .due_ms = c->due_ms,
                                .records = c->records};
    journal_put_item(b, &item);
}

static void put_changes(const struct apply *a, const struct apply_reply *r,
                        struct redis_fields *fields)
{
    size_t left_out = 0;
    for (size_t c = 0; c < a->changes_n; c++)
        if (left_out < r->left_out_n && r->left_out[left_out] == c)
            left_out++;
        else
            put_change(&a->changes[c], fields);
}

/* --- a call --- */

struct call {
    struct redis_fields fields;
    struct str version, dead[TRIM_AT_ONCE];
    size_t dead_n;
};

static void put_call(struct redis_store *s, const struct apply *a, const struct call *c,
                     struct redis_args *args)
{
    args_str(args, a->partition);
    redis_put_cursor(args, a->incarnation, a->start);
    redis_put_cursor(args, a->incarnation, a->next);
    args_int_or(args, a->high_ms, STORE_NO_TIME);
    args_int(args, a->has_events);
    args_int_or(args, earliest(a), STORE_NO_DUE);
    redis_put_last(args, a->last_offset, a->last_hash);
    args_int(args, a->lost);
    args_str(args, c->version);
    args_str(args, redis_turn(s));
    args_int(args, (int64_t)c->fields.n);
    redis_fields_put(&c->fields, args);
    for (size_t i = 0; i < c->dead_n; i++)
        args_str(args, c->dead[i]);
}

/* What the entry just written added to, and wants judging. */
static int read_judge(struct redis_store *s, const struct apply *a, struct arena *arena,
                      struct apply_reply *out, struct err *e)
{
    struct mirror_window **some = arena_alloc(arena, (a->changes_n + 1) * sizeof(void *));
    const struct mirror *m = &redis_home(s)->mirror;
    size_t n = mirror_wanting(m, redis_domain(s), m->next - 1, a->changes_n, some);
    return redis_whole_windows(s, some, n, arena, &out->windows, &out->windows_n, e);
}

static int take_reply(struct redis_store *s, const struct apply *a, const struct call *c,
                      const struct redisReply *r, struct arena *arena,
                      struct apply_reply *out, struct err *e)
{
    bool stale;
    if (redis_stale(s, r, &stale, &out->clock, e))
        return -1;
    if (stale)
        return TRY_AGAIN;
    if (redis_outcome_is(r, "APPLIED")) {
        redis_held(s);
        if (c->fields.n)
            redis_written(s, c->version, &c->fields);
        (void)mirror_trim(&redis_home(s)->mirror, c->dead, c->dead_n);
        if (c->dead_n)
            FAULT_POINT("journal.trimmed");
        out->outcome = APPLIED;
    } else if (redis_outcome_is(r, "MISPLACED")) {
        out->outcome = MISPLACED;
    } else {
        out->outcome = REVISE;
    }
    out->clock = redis_clock_of(s, r);
    if (out->outcome == REVISE)
        refuse_behind(a, out->clock.watermark_ms, out->refused);
    bool judged_now = out->outcome == APPLIED && c->fields.n && !a->judge_later;
    return judged_now ? read_judge(s, a, arena, out, e) : 0;
}

/* What is dropped is lost with the entry, should Redis lose it. Commits drop nothing: without batches little is added. */
static void find_dead(struct redis_store *s, struct call *c)
{
    struct mirror *m = &redis_home(s)->mirror;
    m->now_ms = clock_monotonic_ms();
    c->dead_n = mirror_dead(m, TRIM_AT_ONCE, &s->scratch, c->dead);
}

static int write(struct redis_store *s, const struct apply *a,
                 const struct journal_id *ids, struct arena *arena,
                 struct apply_reply *out, struct err *e)
{
    struct redis_args args;
    size_t keys_n = redis_call_plain(s, &args);
    struct call c = {.version = redis_new_version(&s->scratch)};
    struct redisReply *r = NULL;
    redis_fields_init(&c.fields, s);
    if (a->events_n)
        put_ids(a, ids, &c.fields);
    put_changes(a, out, &c.fields);
    if (redis_fields_pack(&c.fields, e) == 0) {
        if (c.fields.n)
            find_dead(s, &c);
        put_call(s, a, &c, &args);
        r = redis_call(s, SCRIPT_APPLY, &args, keys_n, e);
    }
    int result = r ? take_reply(s, a, &c, r, arena, out, e) : -1;
    redis_reply_free(r);
    redis_fields_deinit(&c.fields);
    return result;
}

/* What was seen is told only by a mirror that is current: one of a future that Redis lost knows of events that are to be
 * applied again. 1: they are to be left out. */
static int look_for_seen(struct redis_store *s, const struct apply *a,
                         const struct journal_id *ids, struct apply_reply *out,
                         struct err *e)
{
    if (!refuse_seen(s, a, ids, out->refused))
        return 0;
    if (redis_sync(s, &out->clock, e))
        return -1;
    memset(out->refused, ACCEPTED, a->events_n);
    if (!refuse_seen(s, a, ids, out->refused))
        return 0;
    refuse_behind(a, out->clock.watermark_ms, out->refused);
    return 1;
}

/* What was to be left out was told by a mirror that is gone: nothing of it is known. The cursor is to be read again. */
static bool is_of_other(struct redis_store *s, uint64_t revised_at)
{
    return revised_at && revised_at != redis_home(s)->loads + 1;
}

static int apply_once(struct redis_store *s, const struct apply *a,
                      const struct journal_id *ids, uint64_t revised_at,
                      struct arena *arena, struct apply_reply *out, struct err *e)
{
    int seen = look_for_seen(s, a, ids, out, e);
    if (seen < 0)
        return -1;
    if (is_of_other(s, revised_at)) {
        out->outcome = MISPLACED;
        return 0;
    }
    if (seen) {
        out->outcome = REVISE;
        return 0;
    }
    find_left_out(s, a, arena, out);
    return write(s, a, ids, arena, out, e);
}

int redis_store_apply(struct window_store *base, const struct apply *a,
                      struct arena *arena, struct apply_reply *out, struct err *e)
{
    struct redis_store *s = redis_store_of(base);
    struct journal_id *ids = hash_ids(a, arena);
    uint64_t revised_at = s->revised_at;
    int result = TRY_AGAIN;
    *out = (struct apply_reply){.refused = arena_alloc(arena, a->events_n + 1)};
    s->revised_at = 0;
    if (!redis_home(s)->mirrored && redis_sync(s, &out->clock, e))
        return -1;
    while (result == TRY_AGAIN)
        result = apply_once(s, a, ids, revised_at, arena, out, e);
    if (result == 0 && out->outcome == REVISE)
        s->revised_at = redis_home(s)->loads + 1;
    return result;
}

int redis_store_idle(struct window_store *base, struct str partition,
                     const struct store_place *at, int64_t proven_ms,
                     struct apply_reply *out, struct err *e)
{
    struct redis_store *s = redis_store_of(base);
    struct redis_args args;
    size_t keys_n = redis_call_plain(s, &args);
    args_str(&args, partition);
    redis_put_cursor(&args, at->incarnation, at->cursor);
    args_int_or(&args, proven_ms, STORE_NO_TIME);
    struct redisReply *r = redis_call(s, SCRIPT_IDLE, &args, keys_n, e);
    if (!r)
        return -1;
    *out = (struct apply_reply){.outcome = APPLIED, .clock = redis_clock_of(s, r)};
    if (redis_outcome_is(r, "MISPLACED"))
        out->outcome = MISPLACED;
    redis_reply_free(r);
    return 0;
}

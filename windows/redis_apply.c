/* The store in Redis: a batch goes in, an idle partition's time moves on. */
#include <assert.h>

#include "core/timefmt.h"
#include "windows/redis_store_impl.h"

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
    *out = (struct slots){
        .order = arena_alloc(arena, (a->events_n + 1) * sizeof *out->order),
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
        args_int(args, c->lapses ? 0 : c->records_n);
        args_int(args, c->judge_at);
        args_int(args, c->due_ms);
    }
}

static void put_batch(const struct redis_store *s, const struct apply *a,
                      const struct slots *slots, struct redis_args *args)
{
    args_str(args, a->partition);
    redis_put_cursor(args, a->incarnation, a->start);
    redis_put_cursor(args, a->incarnation, a->next);
    args_int_or(args, a->high_ms, STORE_NO_TIME);
    args_int(args, a->has_events);
    args_str(args, redis_new_version(args->arena));
    args_int_or(args, earliest(a), STORE_NO_DUE);
    args_int(args, WINDOW_FOLD_BYTES);
    args_int(args, (int64_t)slots->n);
    args_int(args, (int64_t)a->changes_n);

    redis_put_last(args, a->last_offset, a->last_hash);
    args_int(args, a->lost);
    args_int(args, (int64_t)a->limits_n);
    for (size_t i = 0; i < a->limits_n; i++) {
        args_str(args, a->limits[i].name);
        args_int(args, a->limits[i].max);
    }
    size_t at = 0;
    for (size_t slot = 0; slot < slots->n; slot++) {
        args_str(args, redis_slot_name(s, slots->cells[slot], args->arena));
        args_int(args, (slots->cells[slot] + 1) * id_slot_ms(s->lateness_ms));
        args_int(args, (int64_t)slots->sizes[slot]);
        for (size_t i = 0; i < slots->sizes[slot]; i++)
            args_str(args, a->ids[slots->order[at++]]);
    }
    put_changes(a, args);
}

static void read_refused(const struct redisReply *r, const struct apply *a,
                         const struct slots *slots, struct arena *arena,
                         struct apply_reply *out)
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

/* What was left out, then the windows. */
static int read_applied(const struct redisReply *r, const struct apply *a,
                        struct arena *arena, struct apply_reply *out, struct err *e)
{
    int64_t n = redis_reply_int(redis_reply_at(r, REPLY_HEAD));
    assert(n >= 0 && (size_t)n <= a->changes_n);
    out->left_out = arena_alloc(arena, ((size_t)n + 1) * sizeof *out->left_out);
    for (; out->left_out_n < (size_t)n; out->left_out_n++) {
        int64_t position =
            redis_reply_int(redis_reply_at(r, REPLY_HEAD + 1 + out->left_out_n));
        assert(position >= 1 && (size_t)position <= a->changes_n);
        out->left_out[out->left_out_n] = (size_t)position - 1;
    }
    return redis_read_windows(r, REPLY_HEAD + 1 + (size_t)n, arena, &out->windows,
                              &out->windows_n, e);
}

int redis_store_apply(struct window_store *base, const struct apply *a,
                      struct arena *arena, struct apply_reply *out, struct err *e)
{
    struct redis_store *s = redis_store_of(base);
    struct redis_args args;
    struct slots slots;
    group_ids(s, a, arena, &slots);
    redis_call_keys(s, &args, arena);
    for (size_t i = 0; i < slots.n; i++)
        args_str(&args,
                 redis_ids_key(s, redis_slot_name(s, slots.cells[i], arena), arena));
    size_t keys_n = redis_call_args(s, &args);
    put_batch(s, a, &slots, &args);
    struct redisReply *r = redis_call(s, SCRIPT_APPLY, &args, keys_n, e);
    if (!r)
        return -1;
    int result = 0;
    *out = (struct apply_reply){.outcome = APPLIED, .clock = redis_clock_of(r)};
    if (redis_outcome_is(r, "MISPLACED"))
        out->outcome = MISPLACED;
    else if (redis_outcome_is(r, "APPLIED"))
        result = read_applied(r, a, arena, out, e);
    else
        read_refused(r, a, &slots, arena, out);
    redis_reply_free(r);
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
    *out = (struct apply_reply){.outcome = APPLIED, .clock = redis_clock_of(r)};
    if (redis_outcome_is(r, "MISPLACED"))
        out->outcome = MISPLACED;
    redis_reply_free(r);
    return 0;
}

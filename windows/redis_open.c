/* The store in Redis: the state is made where there is none, read where there is one, and read again when a script
 * answers that it is another one: Redis lost everything, or its rules changed. */
#include <stdio.h>

#include "windows/redis_store_impl.h"

enum { RETIRE_AFTER_MS = 600000 };

void redis_draw_epoch(char out[EPOCH_BYTES + 1])
{
    char bytes[EPOCH_BYTES / 2];
    redis_random(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(out + 2 * i, 3, "%02x", (unsigned char)bytes[i]);
}

static void put_call(struct redis_store *s, const char *fresh,
                     const struct store_times *past, struct redis_args *a)
{
    char imposed[EPOCH_BYTES + 1];
    redis_draw_epoch(imposed);
    struct str lane = arena_str(&s->scratch, (struct str){imposed, LANE_BYTES});
    redis_call_keys(s, a, &s->scratch);
    args_str(a, redis_lane_key(s, lane, KEY_META, &s->scratch));
    args_str(a, redis_lane_key(s, lane, KEY_HIGHS, &s->scratch));
    args_str(a, str_of(fresh));
    args_str(a, s->lateness);
    args_int_or(a, past->said_ms, STORE_NO_TIME);
    args_int_or(a, past->record_ms, STORE_NO_TIME);
    args_int_or(a, past->from_ms, STORE_NO_TIME);
    args_int(a, RETIRE_AFTER_MS);
    redis_rules_put(s, imposed, a);
    for (size_t i = 0; i < s->partitions_n; i++)
        args_str(a, s->partitions[i]);
}

static void take_epoch(struct redis_store *s, const struct redisReply *r)
{
    struct str epoch = redis_reply_str(redis_reply_at(r, REPLY_HEAD));
    snprintf(s->epoch, sizeof s->epoch, "%.*s", STR_ARG(epoch));
    if (!str_eq(redis_reply_str(redis_reply_at(r, REPLY_HEAD + 4)), str_of(s->made)))
        redis_home(s)->mirrored = false;
    snprintf(s->made, sizeof s->made, "%.*s",
             STR_ARG(redis_reply_str(redis_reply_at(r, REPLY_HEAD + 4))));
    s->base.past = redis_times_of(r, REPLY_HEAD + 1);
}

/* One call of open.lua. *made: there is a state now. */
static int open_once(struct redis_store *s, const char *fresh,
                     const struct store_times *past, bool *made, struct err *e)
{
    struct redis_args a;
    arena_reset(&s->scratch);
    put_call(s, fresh, past, &a);
    struct redisReply *r = redis_run(s->link, &s->scripts[SCRIPT_OPEN],
                                     KEYS_OF_EVERY_CALL + 2, a.n, a.items, e);
    if (!r)
        return -1;
    take_epoch(s, r);
    *made = s->epoch[0] != '\0';
    int result = *made && !s->shard ? redis_rules_take(s, r, REPLY_HEAD + 5, e) : 0;
    if (result)
        s->epoch[0] = '\0'; /* nothing can be done with it */
    redis_reply_free(r);
    return result;
}

/* Windows of these rules need what they look back, though the state before may have been one of rules that look back
 * less. */
static void look_back(const struct redis_store *s, struct store_times *past)
{
    if (past->record_ms != STORE_NO_TIME && past->from_ms != STORE_NO_TIME &&
        past->record_ms - s->lookback_ms < past->from_ms)
        past->from_ms = past->record_ms - s->lookback_ms;
}

int redis_open_state(struct redis_store *s, struct err *e)
{
    char fresh[EPOCH_BYTES + 1];
    struct store_times past = {STORE_NO_TIME, STORE_NO_TIME, STORE_NO_TIME};
    bool made;
    if (open_once(s, "", &past, &made, e))
        return -1;
    if (made || s->look_only)
        return 0;
    if (s->read_past && s->read_past(s->past_arg, &past, e))
        return -1;
    look_back(s, &past);
    redis_draw_epoch(fresh);
    return open_once(s, fresh, &past, &made, e);
}

int redis_open_again(struct redis_store *s, struct err *e)
{
    char epoch[EPOCH_BYTES + 1], made[EPOCH_BYTES + 1];
    snprintf(epoch, sizeof epoch, "%s", s->epoch);
    snprintf(made, sizeof made, "%s", s->made);
    if (redis_open_state(s, e))
        return -1;
    if (str_eq(str_of(epoch), str_of(s->epoch)))
        return 0;
    if (str_eq(str_of(made), str_of(s->made)))
        return err_set(e, ERR_UNAVAILABLE,
                       "the state in Redis has other rules than before; where partitions "
                       "stand is read again");
    return err_set(e, ERR_UNAVAILABLE,
                   "the state in Redis is another than before: it was flushed or lost; "
                   "it is made anew from Kafka");
}

void redis_reopen(struct redis_store *s, struct err *e)
{
    s->epoch[0] = '\0';
    redis_open_again(s, e);
}

int redis_lane_open(struct redis_store *lane, struct err *e)
{
    const struct store_times none = {STORE_NO_TIME, STORE_NO_TIME, STORE_NO_TIME};
    bool made;
    if (open_once(lane, "", &none, &made, e))
        return -1;
    bool same = str_eq(str_of(lane->epoch), str_of(lane->shard->epoch));
    snprintf(lane->epoch, sizeof lane->epoch, "%s", lane->shard->epoch);
    return same ? 0
                : err_set(e, ERR_UNAVAILABLE,
                          "the state in Redis is another than a moment ago");
}

/* Who makes the state where there is none must be able to ask what was before. */
int redis_store_look(struct window_store *base, struct err *e)
{
    struct redis_store *s = redis_store_of(base);
    bool look_only = s->look_only;
    s->look_only = true;
    int result = redis_open_state(s, e);
    s->look_only = look_only;
    base->replaced = base->replaced && (result || s->epoch[0]);
    return result;
}

/* The store in Redis: the journal, and the mirror of it that every process has (docs/once.md, "The journal"). Who writes
 * names the last entry that it knows; where others wrote meanwhile nothing is written, and it reads on from there. */
#include <assert.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/fault.h"
#include "windows/redis_store_impl.h"

enum { NAME_MAX_BYTES = 4096 };

struct redis_store *redis_home(struct redis_store *s)
{
    return s->shard ? s->shard : s;
}

struct mirror_domain *redis_domain(struct redis_store *s)
{
    return mirror_domain(&redis_home(s)->mirror, s->lane);
}

int redis_damaged(struct err *e)
{
    return err_set(
        e, ERR_REFUSED,
        "the journal in Redis is damaged: another program wrote under redis.prefix; "
        "use a prefix of its own");
}

void redis_stand_at(struct redis_store *home, int64_t number, struct str version)
{
    struct mirror *m = &home->mirror;
    m->next = number + 1;
    memcpy(m->tail, version.p, version.n < sizeof m->tail ? version.n : sizeof m->tail);
}

void redis_new_mirror(struct redis_store *home)
{
    mirror_init(&home->mirror, id_slot_ms(home->lateness_ms));
    home->mirror.recent.room = home->recent_bytes;
}

void redis_make_empty(struct redis_store *home)
{
    mirror_deinit(&home->mirror);
    redis_new_mirror(home);
    home->mirror.now_ms = clock_monotonic_ms();
}

/* --- what is new --- */

/* REDIS_LOAD_AGAIN: another process dropped what is needed here. */
static int fold_new(struct redis_store *s, const struct redisReply *r, struct err *e)
{
    s->mirror.now_ms = clock_monotonic_ms();
    for (size_t i = REPLY_HEAD + 4; i + 1 < redis_reply_n(r); i += 2) {
        struct str field = redis_reply_str(redis_reply_at(r, i)), name;
        int64_t number;
        if (FAULT_OFF("follow"))
            continue;
        if (field.n && field.p[0] == '-') {
            struct str gone = str_from(field, 1);
            if (!mirror_trim(&s->mirror, &gone, 1))
                return REDIS_LOAD_AGAIN;
            continue;
        }
        (void)journal_kind_of(field, &number, &name);
        if (!mirror_fold(&s->mirror, number, field,
                         redis_reply_str(redis_reply_at(r, i + 1))))
            return redis_damaged(e);
    }
    int64_t told = redis_reply_int(redis_reply_at(r, REPLY_HEAD + 2));
    if (told > 0)
        redis_stand_at(s, told, redis_reply_str(redis_reply_at(r, REPLY_HEAD + 3)));
    return 0;
}

/* What a reply tells that says what was written since; *done: everything is known. */
static int take_new(struct redis_store *s, const struct redisReply *r, bool *done,
                    struct store_clock *clock, struct err *e)
{
    struct redis_store *home = redis_home(s);
    int64_t last = redis_reply_int(redis_reply_at(r, REPLY_HEAD));
    int result;
    if (redis_outcome_is(r, "RELOAD"))
        result =
            redis_load(home, last, redis_reply_str(redis_reply_at(r, REPLY_HEAD + 1)), e);
    else
        result = fold_new(home, r, e);
    if (result == REDIS_LOAD_AGAIN) { /* it asks as one that knows nothing */
        redis_make_empty(home);
        result = 0;
    }
    *done =
        result == 0 && home->mirror.next == last + 1 && !redis_outcome_is(r, "RELOAD");
    if (result == 0)
        *clock = redis_clock_of(s, r);
    else
        home->mirrored = false; /* it may be half folded */
    return result;
}

/* A load saw `seen` at its end. Had Redis lost that before the journal was followed from its beginning, what was read would be
 * of two histories. */
static int check_load(struct redis_store *s, bool *fine, struct err *e)
{
    struct redis_store *home = redis_home(s);
    struct redis_args args;
    int64_t last = home->mirror.next - 1;
    char tail[WINDOW_VERSION_BYTES];
    memcpy(tail, home->mirror.tail, sizeof tail);
    *fine = true;
    if (!home->seen_next)
        return 0;
    redis_stand_at(home, home->seen_next - 1,
                   (struct str){home->seen_tail, sizeof home->seen_tail});
    size_t keys_n = redis_call_plain(s, &args);
    struct redisReply *r = redis_call(s, SCRIPT_SYNC, &args, keys_n, e);
    redis_stand_at(home, last, (struct str){tail, sizeof tail});
    *fine = redis_outcome_is(r, "SYNC");
    if (r)
        home->seen_next = 0;
    redis_reply_free(r);
    return r ? 0 : -1;
}

static int sync_once(struct redis_store *s, bool *done, struct store_clock *clock,
                     struct err *e)
{
    struct redis_args args;
    size_t keys_n = redis_call_plain(s, &args);
    struct redisReply *r = redis_call(s, SCRIPT_SYNC, &args, keys_n, e);
    int result = r ? take_new(s, r, done, clock, e) : -1;
    redis_reply_free(r);
    if (result == 0 && *done) {
        result = check_load(s, done, e);
        redis_home(s)->mirrored = result == 0 && *done;
    }
    return result;
}

static void begin_mirror(struct redis_store *home)
{
    redis_make_empty(home);
    home->mirrored = true;
    home->loads++;
}

int redis_sync(struct redis_store *s, struct store_clock *clock, struct err *e)
{
    for (bool done = false; !done;) {
        if (!redis_home(s)->mirrored)
            begin_mirror(redis_home(s));
        if (sync_once(s, &done, clock, e)) {
            redis_home(s)->mirrored = false;
            return -1;
        }
    }
    return 0;
}

int redis_stale(struct redis_store *s, const struct redisReply *r, bool *stale,
                struct store_clock *clock, struct err *e)
{
    bool done = false;
    int64_t last = redis_reply_int(redis_reply_at(r, REPLY_HEAD));
    *stale = redis_outcome_is(r, "STALE") || redis_outcome_is(r, "RELOAD");
    if (!*stale)
        return 0;
    redis_refused(s, last != redis_home(s)->mirror.next - 1);
    if (redis_outcome_is(r, "STALE") && take_new(s, r, &done, clock, e))
        return -1;
    if (!done && redis_sync(s, clock, e))
        return -1;
    FAULT_POINT("journal.stale");
    return 0;
}

void redis_written(struct redis_store *s, struct str version,
                   const struct redis_fields *fields)
{
    struct mirror *m = &redis_home(s)->mirror;
    int64_t number = m->next;
    struct buf name;
    m->now_ms = clock_monotonic_ms();
    buf_init(&name, NAME_MAX_BYTES);
    for (size_t i = 0; i < fields->n; i++) {
        const struct redis_field *f = &fields->items[i];
        buf_clear(&name);
        buf_printf(&name, "%lld ", (long long)number);
        buf_put(&name, f->name);
        bool fine =
            mirror_fold_own(m, number, buf_str(&name), f->packed, buf_str(&f->bytes));
        assert(fine);
    }
    buf_deinit(&name);
    redis_stand_at(redis_home(s), number, version);
}

/* The watermark never falls along the journal. Of a state that Redis has lost what was told last may be too late. */
void redis_put_head(struct redis_store *s, struct buf *out)
{
    int64_t known_ms = s->clock.watermark_ms;
    int64_t folded_ms = redis_domain(s)->watermark_ms;
    int64_t ms = known_ms > folded_ms ? known_ms : folded_ms;
    struct journal_head head = {.lane = s->lane,
                                .watermark_ms = ms,
                                .waits_from_ms =
                                    s->waits_from_ms < ms ? s->waits_from_ms : ms};
    journal_put_head(out, &head);
}

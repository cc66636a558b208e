/* The store in Redis: the journal, and the mirror of it that every process has (docs/once.md, "The journal"). Who writes
 * names the last entry that it knows; where others wrote meanwhile nothing is written, and it reads on from there. */
#include <assert.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/fault.h"
#include "windows/redis_store_impl.h"

enum { INFO_MAX_BYTES = 4096 };

struct redis_store *redis_home(struct redis_store *s)
{
    return s->shard ? s->shard : s;
}

struct mirror_domain *redis_domain(struct redis_store *s)
{
    return mirror_domain(&redis_home(s)->mirror, s->lane);
}

static int damaged(struct err *e)
{
    return err_set(
        e, ERR_REFUSED,
        "the journal in Redis is damaged: another program wrote under redis.prefix; "
        "use a prefix of its own");
}

/* --- all of it --- */

enum { STALE = 1 }; /* Redis lost what was written, while it was read */

static void stand_at(struct mirror *m, int64_t number, struct str version)
{
    m->next = number + 1;
    memcpy(m->tail, version.p, version.n < sizeof m->tail ? version.n : sizeof m->tail);
}

/* A mirror of a journal of which nothing is known. */
static void make_empty(struct redis_store *home)
{
    mirror_deinit(&home->mirror);
    mirror_init(&home->mirror, id_slot_ms(home->lateness_ms));
    home->mirror.now_ms = clock_monotonic_ms();
}

/* One part; *cursor is "0" behind the last. */
static int scan_part(struct redis_store *s, const char *what, struct str *cursor,
                     struct arena *arena, struct redis_args *out, struct err *e)
{
    struct redis_args args;
    size_t keys_n = redis_call_plain(s, &args);
    args_str(&args, str_of(what));
    args_str(&args, *cursor);
    struct redisReply *r = redis_call(s, SCRIPT_LOAD, &args, keys_n, e);
    if (!r)
        return -1;
    int result = redis_outcome_is(r, "LOAD") ? 0 : STALE;
    if (result == 0) {
        const struct redisReply *some = redis_reply_at(r, REPLY_HEAD + 3);
        stand_at(&s->mirror, redis_reply_int(redis_reply_at(r, REPLY_HEAD)),
                 redis_reply_str(redis_reply_at(r, REPLY_HEAD + 1)));
        *cursor = arena_str(arena, redis_reply_str(redis_reply_at(r, REPLY_HEAD + 2)));
        for (size_t i = 0; i < redis_reply_n(some); i++)
            args_str(out, arena_str(arena, redis_reply_str(redis_reply_at(some, i))));
    }
    redis_reply_free(r);
    return result;
}

/* All that load.lua tells of it. */
static int scan(struct redis_store *s, const char *what, struct arena *arena,
                struct redis_args *out, struct err *e)
{
    struct str cursor = STR("0");
    int result;
    args_init(out, arena);
    do
        result = scan_part(s, what, &cursor, arena, out, e);
    while (result == 0 && !str_is(cursor, "0"));
    return result;
}

static bool read_info(struct str info, int64_t *number, struct str *lane,
                      struct str *name, struct journal_item *item)
{
    struct reader r = {.in = info};
    *number = reader_i64(&r);
    *lane = reader_str16(&r);
    *name = reader_str16(&r);
    return journal_read_item(&r, item) && item->committed && r.in.n == 0;
}

struct str redis_base_info(struct redis_store *s, int64_t number, struct str name,
                           const struct journal_item *item, struct arena *arena)
{
    struct buf b;
    struct journal_item bare = *item;
    bare.key = STR_NONE; /* the base has it */
    buf_init(&b, INFO_MAX_BYTES);
    buf_i64(&b, number);
    buf_str16(&b, s->lane);
    buf_str16(&b, name);
    journal_put_item(&b, &bare);
    struct str info = arena_str(arena, buf_str(&b));
    buf_deinit(&b);
    return info;
}

/* Lanes that are none any more. */
static void find_joined(const struct redis_args *fields, struct redis_args *out,
                        struct arena *arena)
{
    int64_t number;
    struct str rest;
    args_init(out, arena);
    for (size_t i = 0; i + 1 < fields->n; i += 2)
        if (journal_kind_of(fields->items[i], &number, &rest) == JOURNAL_JOIN)
            args_str(out, fields->items[i + 1]);
}

/* Where windows of that name begin: in the lane of which the name tells, also one that has joined since, for the
 * journal that is folded then may hold fields of before. */
static struct str lane_then(const struct redis_args *joined, struct str name,
                            struct str lane)
{
    for (size_t i = 0; i < joined->n; i++)
        if (str_ends(name, joined->items[i]))
            return joined->items[i];
    return lane;
}

static int load_bases(struct redis_store *s, const struct redis_args *bases,
                      const struct redis_args *joined, struct err *e)
{
    for (size_t i = 0; i + 1 < bases->n; i += 2) {
        struct str lane, name;
        struct journal_item item;
        struct window_id id;
        int64_t number;
        if (bases->items[i].n != sizeof id.bytes ||
            !read_info(bases->items[i + 1], &number, &lane, &name, &item))
            return damaged(e);
        memcpy(id.bytes, bases->items[i].p, sizeof id.bytes);
        mirror_base(&s->mirror, number, lane_then(joined, name, lane), name, &id, &item);
    }
    return 0;
}

struct field {
    int64_t number;
    struct str name, value;
};

static int by_number(const void *a, const void *b)
{
    const struct field *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

/* Those of the fields whose names still stood there at the end, in order. Fields go when nothing of them is needed, the oldest
 * of a name first; what stands there at one time is whole. */
static size_t still_there(const struct redis_args *all, const struct redis_args *names,
                          int64_t last, struct arena *arena, struct field **out)
{
    struct index values;
    struct str rest;
    size_t n = 0;
    index_init(&values);
    for (size_t i = 0; i + 1 < all->n; i += 2)
        index_put(&values, all->items[i], i + 1);
    *out = arena_alloc(arena, (names->n + 1) * sizeof **out);
    for (size_t i = 0; i < names->n; i++) {
        size_t at = index_get(&values, names->items[i]);
        struct field f = {.name = names->items[i]};
        if (at == INDEX_NONE ||
            journal_kind_of(f.name, &f.number, &rest) <= JOURNAL_VERSION ||
            f.number > last)
            continue;
        f.value = all->items[at];
        (*out)[n++] = f;
    }
    index_deinit(&values);
    qsort(*out, n, sizeof **out, by_number);
    return n;
}

static int load_fields(struct redis_store *s, const struct redis_args *all,
                       const struct redis_args *names, int64_t last, struct arena *arena,
                       struct err *e)
{
    struct field *fields;
    size_t n = still_there(all, names, last, arena, &fields);
    for (size_t i = 0; i < n; i++)
        if (!mirror_fold(&s->mirror, fields[i].number, fields[i].name, fields[i].value))
            return damaged(e);
    return 0;
}

/* What a load reads, part by part. */
struct parts {
    struct redis_args bases, fields; /* names and values in turn */
    struct redis_args names, joined;
};

/* The names at last: what they tell holds iff Redis still has what that part saw. */
static int read_parts(struct redis_store *s, struct arena *arena, struct parts *p,
                      struct err *e)
{
    int result = scan(s, "bases", arena, &p->bases, e);
    if (result == 0)
        result = scan(s, "journal", arena, &p->fields, e);
    if (result == 0)
        result = scan(s, "names", arena, &p->names, e);
    s->seen_next = s->mirror.next;
    memcpy(s->seen_tail, s->mirror.tail, sizeof s->seen_tail);
    return result;
}

static int fold_parts(struct redis_store *s, struct parts *p, int64_t last,
                      struct arena *arena, struct err *e)
{
    find_joined(&p->fields, &p->joined, arena);
    return load_bases(s, &p->bases, &p->joined, e) ||
                   load_fields(s, &p->fields, &p->names, last, arena, e)
               ? -1
               : 0;
}

/* Everything up to the entry that was the last one when it began; what was written since is told by sync. */
static int load(struct redis_store *s, int64_t last, struct str version, struct err *e)
{
    struct arena arena;
    struct parts parts;
    if (s->mirror.next > 1 && FAULT_OFF("reload")) {
        stand_at(&s->mirror, last, version);
        return 0;
    }
    make_empty(s);
    arena_init(&arena);
    version = arena_str(&arena, version);
    stand_at(&s->mirror, last, version);
    s->loads++;
    int result = read_parts(s, &arena, &parts, e);
    FAULT_POINT("journal.load");
    if (result == 0)
        result = fold_parts(s, &parts, last, &arena, e);
    if (result == 0)
        stand_at(&s->mirror, last, version);
    arena_deinit(&arena);
    return result;
}

/* --- what is new --- */

/* STALE: another process dropped what is needed here. */
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
                return STALE;
            continue;
        }
        (void)journal_kind_of(field, &number, &name);
        if (!mirror_fold(&s->mirror, number, field,
                         redis_reply_str(redis_reply_at(r, i + 1))))
            return damaged(e);
    }
    int64_t told = redis_reply_int(redis_reply_at(r, REPLY_HEAD + 2));
    if (told > 0)
        stand_at(&s->mirror, told, redis_reply_str(redis_reply_at(r, REPLY_HEAD + 3)));
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
        result = load(home, last, redis_reply_str(redis_reply_at(r, REPLY_HEAD + 1)), e);
    else
        result = fold_new(home, r, e);
    if (result == STALE) { /* from its beginning, as one that knows nothing */
        make_empty(home);
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
    struct mirror now = home->mirror;
    *fine = true;
    if (!home->seen_next)
        return 0;
    home->mirror.next = home->seen_next;
    memcpy(home->mirror.tail, home->seen_tail, sizeof home->seen_tail);
    size_t keys_n = redis_call_plain(s, &args);
    struct redisReply *r = redis_call(s, SCRIPT_SYNC, &args, keys_n, e);
    home->mirror.next = now.next;
    memcpy(home->mirror.tail, now.tail, sizeof now.tail);
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
    make_empty(home);
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
                   const struct redis_args *fields)
{
    struct mirror *m = &redis_home(s)->mirror;
    int64_t number = m->next;
    struct buf name;
    m->now_ms = clock_monotonic_ms();
    buf_init(&name, INFO_MAX_BYTES);
    for (size_t i = 0; i + 1 < fields->n; i += 2) {
        buf_clear(&name);
        buf_printf(&name, "%lld ", (long long)number);
        buf_put(&name, fields->items[i]);
        bool fine = mirror_fold(m, number, buf_str(&name), fields->items[i + 1]);
        assert(fine);
    }
    buf_deinit(&name);
    stand_at(m, number, version);
}

void redis_put_head(struct redis_store *s, struct buf *out)
{
    int64_t known_ms = s->clock.watermark_ms;
    int64_t folded_ms =
        redis_domain(s)->watermark_ms; /* it never falls along the journal */
    struct journal_head head = {.lane = s->lane,
                                .watermark_ms =
                                    known_ms > folded_ms ? known_ms : folded_ms,
                                .said_ms = s->said_ms};
    journal_put_head(out, &head);
}

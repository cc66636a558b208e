/* The store in Redis: a mirror is made from what is there. Part by part, so that no call takes long, while others write on: each
 * part names the last entry that the one before saw, and must find it, else Redis lost what was read. */
#include <stdlib.h>

#include "core/fault.h"
#include "core/index.h"
#include "windows/redis_store_impl.h"

enum { INFO_MAX_BYTES = 4096 };

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
    int result = redis_outcome_is(r, "LOAD") ? 0 : REDIS_LOAD_AGAIN;
    if (result == 0) {
        const struct redisReply *some = redis_reply_at(r, REPLY_HEAD + 3);
        redis_stand_at(s, redis_reply_int(redis_reply_at(r, REPLY_HEAD)),
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
            return redis_damaged(e);
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
            return redis_damaged(e);
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

int redis_load(struct redis_store *s, int64_t last, struct str version, struct err *e)
{
    struct arena arena;
    struct parts parts;
    if (s->mirror.next > 1 && FAULT_OFF("reload")) {
        redis_stand_at(s, last, version);
        return 0;
    }
    redis_make_empty(s);
    arena_init(&arena);
    version = arena_str(&arena, version);
    redis_stand_at(s, last, version);
    s->loads++;
    int result = read_parts(s, &arena, &parts, e);
    FAULT_POINT("journal.load");
    if (result == 0)
        result = fold_parts(s, &parts, last, &arena, e);
    if (result == 0)
        redis_stand_at(s, last, version);
    arena_deinit(&arena);
    return result;
}

/* The store in Redis: windows whole, bases with what came behind them, and the fields of an entry that is written. */
#include <assert.h>
#include <stdlib.h>

#include "windows/redis_store_impl.h"

#define NUMBERS_MAX ((int64_t)1 << 48)
enum {
    FIELD_MAX_BYTES = 256 << 20,
    ANEW_AFTER = 3, /* times in a row that bases are others, while the journal stands */
    DAMAGED_AFTER = 6
};

/* --- fields to be written --- */

void redis_fields_init(struct redis_fields *f, struct redis_store *s)
{
    *f = (struct redis_fields){.s = s};
}

void redis_fields_deinit(struct redis_fields *f)
{
    for (size_t i = 0; i < f->n; i++)
        buf_deinit(&f->items[i].bytes);
    free(f->items);
}

static struct buf *add_field(struct redis_fields *f, struct str windows)
{
    f->items = realloc(f->items, (f->n + 1) * sizeof *f->items);
    assert(f->items);
    struct redis_field *field = &f->items[f->n++];
    *field = (struct redis_field){.windows = windows};
    buf_init(&field->bytes, FIELD_MAX_BYTES);
    redis_put_head(f->s, &field->bytes);
    return &field->bytes;
}

struct buf *redis_fields_ids(struct redis_fields *f)
{
    return add_field(f, STR_NONE);
}

struct buf *redis_fields_for(struct redis_fields *f, struct str head, struct str *name,
                             struct str *key)
{
    struct reader r = {.in = head};
    *name = reader_str16(&r);
    *key = r.in;
    for (size_t i = 0; i < f->n; i++)
        if (f->items[i].windows.p && str_eq(f->items[i].windows, *name))
            return &f->items[i].bytes;
    return add_field(f, *name);
}

int redis_fields_pack(struct redis_fields *f, struct err *e)
{
    struct buf b;
    buf_init(&b, FIELD_MAX_BYTES + 1);
    bool fine = true;
    for (size_t i = 0; i < f->n && fine; i++) {
        struct redis_field *field = &f->items[i];
        bool ids = !field->windows.p;
        buf_clear(&b);
        buf_text(&b, ids ? "i" : "w ");
        buf_put(&b, field->windows);
        field->name = arena_str(&f->s->scratch, buf_str(&b));
        journal_pack(ids ? NULL : &redis_home(f->s)->mirror.codec, buf_str(&field->bytes),
                     &b);
        field->packed = arena_str(&f->s->scratch, buf_str(&b));
        fine = !field->bytes.overflowed; /* else nobody could read it */
    }
    buf_deinit(&b);
    return fine ? 0
                : err_set(
                      e, ERR_REFUSED,
                      "a batch has more than 256 MB for the windows of one rule; lower "
                      "fetch.message.max.bytes in kafka.properties");
}

void redis_fields_put(const struct redis_fields *f, struct redis_args *out)
{
    for (size_t i = 0; i < f->n; i++) {
        args_str(out, f->items[i].name);
        args_str(out, f->items[i].packed);
    }
}

/* --- windows --- */

/* Numbers come again after Redis lost entries: then the mirror was made anew since. */
uint64_t redis_version_of(struct redis_store *s, const struct mirror_window *w)
{
    return (uint64_t)w->touched | redis_home(s)->loads << 48;
}

/* A base as it is kept: the entry that wrote it, head, state, records; behind it what came since. */
static bool whole(struct redis_store *s, const struct mirror_window *w, struct str base,
                  struct arena *arena, struct window *out)
{
    struct mirror *m = &redis_home(s)->mirror;
    struct reader r = {.in = str_from(base, sizeof(int64_t))};
    *out = (struct window){.id = w->id};
    if (w->base_n > base.n / sizeof(uint16_t)) /* each has its length before it */
        return false;
    uint64_t version = redis_version_of(s, w);
    memcpy(out->version, &version, sizeof out->version);
    if (w->based) {
        out->head = reader_str16(&r);
        out->state = reader_bytes(&r, reader_u32(&r));
    }
    out->records =
        arena_alloc(arena, (w->base_n + w->records_n + 1) * sizeof *out->records);
    for (; r.in.n && !r.failed && out->records_n < w->base_n; out->records_n++)
        out->records[out->records_n] = reader_str16(&r);
    bool fine = !r.failed && r.in.n == 0;
    struct journal_item item;
    for (uint32_t at = 0; mirror_next_piece(m, w, &at, arena, &item);) {
        struct reader piece = {.in = item.records};
        for (uint32_t i = 0; i < item.n; i++)
            out->records[out->records_n++] = reader_str16(&piece);
        if (out->head.n == 0)
            out->head = mirror_head(m, w, item.key, arena);
        fine = fine && !piece.failed && piece.in.n == 0;
    }
    return fine;
}

static struct redisReply *read_bases(struct redis_store *s,
                                     struct mirror_window *const *some, size_t n,
                                     struct err *e)
{
    struct redis_args args;
    struct arena scratch;
    arena_init(&scratch);
    args_init(&args, &scratch);
    args_str(&args, STR("HMGET"));
    args_str(&args, s->keys[KEY_WINDOWS]);
    for (size_t i = 0; i < n; i++)
        if (some[i]->based)
            args_str(&args, window_id_str(&some[i]->id));
    struct redisReply *r = redis_command(s->link, e, args.n, args.items);
    arena_deinit(&scratch);
    return r;
}

static int damaged(struct err *e)
{
    return err_set(e, ERR_REFUSED,
                   "a window in Redis is damaged: another program wrote under "
                   "redis.prefix; use a prefix of its own");
}

/* Others judged it since, or Redis lost what was written: then the journal says so, the next time it is asked. */
static bool is_other(const struct mirror_window *w, struct str base)
{
    struct reader r = {.in = base};
    int64_t number = base.n ? reader_i64(&r) : 0;
    return number != w->base_number && number >= 0 && number < NUMBERS_MAX && !r.failed;
}

/* A base is another than the journal said. Once: the journal has more to say by now. Where it has not, what is known is made
 * anew; where that says the same, somebody else wrote there. */
static int meet_other(struct redis_store *home, struct err *e)
{
    home->others_n = home->other_next == home->mirror.next ? home->others_n + 1 : 1;
    home->other_next = home->mirror.next;
    if (home->others_n == ANEW_AFTER)
        home->mirrored = false;
    return home->others_n > DAMAGED_AFTER ? damaged(e) : 0;
}

int redis_whole_windows(struct redis_store *s, struct mirror_window *const *some,
                        size_t n, struct arena *arena, struct window **windows,
                        size_t *found, struct err *e)
{
    struct redisReply *bases = NULL;
    bool any = false;
    int result = 0;
    size_t at = 0;
    *found = 0;
    *windows = arena_alloc(arena, (n + 1) * sizeof **windows);
    for (size_t i = 0; i < n; i++)
        any = any || some[i]->based;
    if (any && !(bases = read_bases(s, some, n, e)))
        return -1;
    for (size_t i = 0; i < n && result == 0; i++) {
        struct str base = STR_NONE;
        if (some[i]->based)
            base = arena_str(arena, redis_reply_str(redis_reply_at(bases, at++)));
        if (some[i]->based && is_other(some[i], base))
            continue;
        if (!whole(s, some[i], base, arena, &(*windows)[(*found)++]))
            result = damaged(e);
    }
    redis_reply_free(bases);
    return result == 0 && *found < n ? meet_other(redis_home(s), e) : result;
}

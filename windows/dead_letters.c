/* Dead streams, read a page at a time: they are never trimmed, so one may be long. */
#include "windows/dead_letters.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "windows/outbox.h"
#include "windows/redis_link.h"
#include "windows/scripts.h"

#define PAGE "200"
enum { ID_BYTES = 64 };

struct dead_letters {
    struct redis_link *link;
    struct arena names;
    struct str stem;
    struct redis_script redrive;
};

struct dead_letters *dead_letters_open(const struct redis_target *target, struct str stem)
{
    struct dead_letters *d = calloc(1, sizeof *d);
    assert(d);
    d->link = redis_link_new(target);
    arena_init(&d->names);
    d->stem = arena_str(&d->names, stem);
    d->redrive =
        (struct redis_script){.name = "outbox_redrive", .text = script_outbox_redrive};
    return d;
}

void dead_letters_close(struct dead_letters *d)
{
    redis_link_free(d->link);
    arena_deinit(&d->names);
    free(d);
}

static struct dead_letter read_letter(const struct redisReply *entry)
{
    struct dead_letter letter = {
        .id = redis_reply_str(redis_reply_at(entry, 0)),
        .alert = redis_reply_str(redis_reply_field(entry, "alert")),
        .reason = redis_reply_str(redis_reply_field(entry, "reason")),
        .attempts = redis_reply_int(redis_reply_field(entry, "attempts"))};
    for (size_t i = 0; i < letter.id.n && letter.id.p[i] != '-'; i++)
        letter.dead_ms = letter.dead_ms * 10 + (letter.id.p[i] - '0');
    return letter;
}

/* Entries from `from` on, a page at most. How many; -1. `last` is the last one's id; `more`: take wants more. */
static int page(struct dead_letters *d, struct str key_name, const char *from,
                const char *to, dead_letter_fn *take, void *arg, char *last, bool *more,
                struct err *e)
{
    struct redisReply *r =
        REDIS_COMMAND(d->link, e, STR("XRANGE"), key_name, str_of(from), str_of(to),
                      STR("COUNT"), STR(PAGE));
    if (!r)
        return -1;
    size_t n = redis_reply_n(r);
    for (size_t i = 0; i < n && *more; i++) {
        struct dead_letter letter = read_letter(redis_reply_at(r, i));
        snprintf(last, ID_BYTES, "(%.*s", STR_ARG(letter.id));
        *more = take(arg, &letter);
    }
    redis_reply_free(r);
    return (int)n;
}

/* The last entry's id, so that one that dies again while they are read is not read again. "": there is none. */
static int last_id(struct dead_letters *d, struct str key_name, char *out, struct err *e)
{
    struct redisReply *r = REDIS_COMMAND(d->link, e, STR("XREVRANGE"), key_name, STR("+"),
                                         STR("-"), STR("COUNT"), STR("1"));
    if (!r)
        return -1;
    struct str id = redis_reply_str(redis_reply_at(redis_reply_at(r, 0), 0));
    snprintf(out, ID_BYTES, "%.*s", STR_ARG(id));
    redis_reply_free(r);
    return 0;
}

int dead_letters_each(struct dead_letters *d, struct str sink, dead_letter_fn *take,
                      void *arg, struct err *e)
{
    struct shard_key room;
    struct str name = shard_key(d->stem, "dead:", sink, &room);
    char last[ID_BYTES] = "-", from[ID_BYTES], to[ID_BYTES] = "";
    bool more = true;
    int n = last_id(d, name, to, e);
    if (n == 0 && to[0])
        do {
            memcpy(from, last, sizeof from);
            n = page(d, name, from, to, take, arg, last, &more, e);
        } while (n > 0 && more);
    return n < 0 ? -1 : 0;
}

/* Redis refuses what is no id with an error of its own words, which nobody wants to read. */
static bool is_id(struct str id)
{
    size_t dashes = 0;
    for (size_t i = 0; i < id.n; i++) {
        if (id.p[i] == '-' && i > 0 && i + 1 < id.n)
            dashes++;
        else if (id.p[i] < '0' || id.p[i] > '9')
            return false;
    }
    return dashes == 1 && id.n < ID_BYTES - 2;
}

int dead_letters_find(struct dead_letters *d, struct str sink, struct str id,
                      dead_letter_fn *take, void *arg, struct err *e)
{
    struct shard_key room;
    char text[ID_BYTES], last[ID_BYTES];
    bool more = true;
    if (!is_id(id))
        return 0;
    snprintf(text, sizeof text, "%.*s", STR_ARG(id));
    return page(d, shard_key(d->stem, "dead:", sink, &room), text, text, take, arg, last,
                &more, e);
}

int dead_letters_redrive(struct dead_letters *d, struct str sink, struct str id,
                         struct err *e)
{
    struct shard_key dead, outbox, unsent, meta;
    if (!is_id(id))
        return 0;
    struct str args[] = {shard_key(d->stem, "dead:", sink, &dead),
                         outbox_key(d->stem, sink, &outbox),
                         shard_key(d->stem, "unsent", STR_NONE, &unsent),
                         shard_key(d->stem, "meta", STR_NONE, &meta),
                         id,
                         sink};
    struct redisReply *r = redis_run(d->link, &d->redrive, 4, 6, args, e);
    int moved = r ? redis_reply_int(r) > 0 : -1;
    redis_reply_free(r);
    return moved;
}

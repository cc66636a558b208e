#include "windows/hiders.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/inhibit.h"
#include "core/utf8.h"
#include "windows/redis_link.h"
#include "windows/shard.h"

enum { KEY_MAX_BYTES = 600, LINE_MAX_BYTES = 2 << 20, ABOUT_MAX_BYTES = 200 };
enum { ID_BYTES = 32 };

/* ---- reading ---- */

/* The number that the text begins with, and the space behind it. */
static int64_t take_number(struct str *text)
{
    char digits[24];
    const char *space = memchr(text->p ? text->p : "", ' ', text->n);
    snprintf(digits, sizeof digits, "%.*s", STR_ARG(*text));
    *text = str_from(*text, space ? (size_t)(space + 1 - text->p) : text->n);
    return strtoll(digits, NULL, 10);
}

/* What stands in the hash hiders. */
struct kept {
    int64_t opened_ms, over_ms, when_ms; /* INT64_MAX: not over */
    struct str step;
};

static struct kept kept_of(struct str value)
{
    struct kept k;
    k.opened_ms = take_number(&value);
    k.over_ms = take_number(&value);
    k.when_ms = take_number(&value);
    k.step = value;
    return k;
}

static void take_hiding(struct str value, struct arena *arena, struct hiders *out)
{
    struct err no = {0};
    struct kept k = kept_of(value);
    struct hiding *one = &out->hiding[out->hiding_n];
    one->opened_ms = k.opened_ms;
    one->over_ms = k.over_ms;
    if (alert_parse(k.step, arena, &one->step, &no) == 0)
        out->hiding_n++;
}

/* "WHEN RULE ABOUT" of "HIDER HIDDEN". */
static void take_hidden(struct str name, struct str value, struct arena *arena,
                        struct hiders *out)
{
    const char *rule = memchr(value.p, ' ', value.n);
    struct str rest = rule ? str_from(value, (size_t)(rule + 1 - value.p)) : STR_NONE;
    const char *about = rest.n ? memchr(rest.p, ' ', rest.n) : NULL;
    if (!about || name.n != 2 * ID_BYTES + 1)
        return;
    out->hidden[out->hidden_n++] = (struct hidden_one){
        arena_str(arena, (struct str){name.p, ID_BYTES}),
        {arena_str(arena, (struct str){rest.p, (size_t)(about - rest.p)}),
         arena_str(arena, str_from(name, ID_BYTES + 1)),
         arena_str(arena, str_from(rest, (size_t)(about + 1 - rest.p)))}};
}

static int by_ids(const void *a, const void *b)
{
    const struct hidden_one *x = a, *y = b;
    int c = str_cmp(x->hider, y->hider);
    return c ? c : str_cmp(x->what.id, y->what.id);
}

static int64_t when_over(struct str value)
{
    return kept_of(value).when_ms;
}

static int64_t when_hidden(struct str value)
{
    return take_number(&value);
}

static void take_all_hiding(const struct redisReply *all, struct arena *arena,
                            struct hiders *out)
{
    size_t n = redis_reply_n(all);
    out->hiding = arena_alloc(arena, (n / 2 + 1) * sizeof *out->hiding);
    for (size_t i = 0; i + 1 < n; i += 2)
        take_hiding(redis_reply_str(redis_reply_at(all, i + 1)), arena, out);
}

static void take_all_hidden(const struct redisReply *all, struct arena *arena,
                            struct hiders *out)
{
    size_t n = redis_reply_n(all);
    out->hidden = arena_alloc(arena, (n / 2 + 1) * sizeof *out->hidden);
    for (size_t i = 0; i + 1 < n; i += 2)
        take_hidden(redis_reply_str(redis_reply_at(all, i)),
                    redis_reply_str(redis_reply_at(all, i + 1)), arena, out);
    qsort(out->hidden, out->hidden_n, sizeof *out->hidden, by_ids);
}

/* The two hashes, in the order of struct hiders. */
static const struct hash {
    const char *name;
    int64_t (*when_ms)(struct str value);
    void (*take)(const struct redisReply *all, struct arena *arena, struct hiders *out);
} hashes[] = {{"hiders", when_over, take_all_hiding},
              {"hidden", when_hidden, take_all_hidden}};

/* What was over long ago goes. */
static int forget(struct redis_link *link, struct str key, const struct hash *h,
                  const struct redisReply *all, int64_t now_ms, struct err *e)
{
    for (size_t i = 0; i + 1 < redis_reply_n(all); i += 2) {
        struct str name = redis_reply_str(redis_reply_at(all, i));
        if (h->when_ms(redis_reply_str(redis_reply_at(all, i + 1))) <
                now_ms - HIDERS_KEPT_MS &&
            REDIS_TELL(link, e, STR("HDEL"), key, name))
            return -1;
    }
    return 0;
}

int hiders_read(struct redis_link *link, struct str stem, int64_t now_ms,
                struct arena *arena, struct hiders *out, struct err *e)
{
    int rc = 0;
    *out = (struct hiders){0};
    for (size_t i = 0; rc == 0 && i < sizeof hashes / sizeof hashes[0]; i++) {
        struct shard_key room;
        struct str key = shard_key(stem, hashes[i].name, STR_NONE, &room);
        struct redisReply *all = REDIS_COMMAND(link, e, STR("HGETALL"), key);
        rc = all ? forget(link, key, &hashes[i], all, now_ms, e) : -1;
        if (rc == 0)
            hashes[i].take(all, arena, out);
        redis_reply_free(all);
    }
    return rc;
}

/* ---- writing ---- */

/* What is to be kept now; false: nothing new. */
static bool renew(struct str before, const struct alert *a, int64_t now_ms,
                  struct buf *out)
{
    bool over = a->state == ALERT_RESOLVED;
    struct kept k = {a->time_ms, INT64_MAX, INT64_MAX, STR_NONE};
    if (before.n)
        k = kept_of(before);
    if (k.over_ms != INT64_MAX)
        return false;
    k.over_ms = over ? a->time_ms : INT64_MAX;
    k.when_ms = over ? now_ms : INT64_MAX;
    buf_printf(out, "%lld %lld %lld ", (long long)k.opened_ms, (long long)k.over_ms,
               (long long)k.when_ms);
    if (over)
        buf_put(out, k.step);
    else
        alert_json(a, false, out);
    return true;
}

int hiders_told(struct redis_link *link, struct str stem, const struct alert *a,
                int64_t now_ms, struct err *e)
{
    struct buf value;
    struct shard_key room;
    struct str key = shard_key(stem, "hiders", STR_NONE, &room);
    struct redisReply *r = REDIS_COMMAND(link, e, STR("HGET"), key, str_of(a->id));
    int rc = r ? 0 : -1;
    buf_init(&value, LINE_MAX_BYTES);
    if (r && renew(redis_reply_str(r), a, now_ms, &value))
        rc = REDIS_TELL(link, e, STR("HSET"), key, str_of(a->id), buf_str(&value));
    redis_reply_free(r);
    buf_deinit(&value);
    return rc;
}

int hiders_hid(struct redis_link *link, struct str stem, const struct alert *a,
               int64_t now_ms, struct err *e)
{
    struct buf name, value, about;
    struct shard_key room;
    buf_init(&name, KEY_MAX_BYTES);
    buf_init(&value, KEY_MAX_BYTES);
    buf_init(&about, ABOUT_MAX_BYTES);
    buf_printf(&name, "%.*s %s", STR_ARG(a->hidden_by.id), a->id);
    inhibit_about(a, &about);
    buf_printf(&value, "%lld %.*s %.*s", (long long)now_ms, STR_ARG(a->rule),
               STR_ARG(utf8_cut(buf_str(&about), ABOUT_MAX_BYTES - 4)));
    int rc = REDIS_TELL(link, e, STR("HSET"), shard_key(stem, "hidden", STR_NONE, &room),
                        buf_str(&name), buf_str(&value));
    buf_deinit(&name);
    buf_deinit(&value);
    buf_deinit(&about);
    return rc;
}

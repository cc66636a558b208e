#include "windows/hiders.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/inhibit.h"
#include "core/utf8.h"
#include "windows/redis_link.h"

enum { KEY_MAX_BYTES = 600, LINE_MAX_BYTES = 2 << 20, ABOUT_MAX_BYTES = 200 };
enum { ID_BYTES = 32 };

static const struct str over = STR("over ");

static struct str key_of(struct buf *b, struct str stem, const char *name)
{
    buf_init(b, KEY_MAX_BYTES);
    buf_put(b, stem);
    buf_text(b, name);
    return buf_str(b);
}

static int command(struct redis_link *link, size_t n, const struct str *words,
                   struct err *e)
{
    struct redisReply *r = redis_command(link, e, n, words);
    redis_reply_free(r);
    return r ? 0 : -1;
}

/* ---- reading ---- */

/* The time that the text begins with is long past. */
static bool is_old(struct str text, int64_t now_ms)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%.*s", STR_ARG(text));
    return strtoll(digits, NULL, 10) < now_ms - HIDERS_KEPT_MS;
}

static bool forgotten(struct str value, int64_t now_ms)
{
    return str_starts(value, over) ? is_old(str_from(value, over.n), now_ms)
                                   : is_old(value, now_ms);
}

static void take_firing(struct str value, struct arena *arena, struct hiders *out)
{
    struct err no = {0};
    if (alert_parse(value, arena, &out->firing[out->firing_n], &no) == 0)
        out->firing_n++;
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

static int read_hash(struct redis_link *link, struct str key, int64_t now_ms,
                     struct redisReply **out, struct err *e)
{
    *out = REDIS_COMMAND(link, e, STR("HGETALL"), key);
    for (size_t i = 0; *out && i + 1 < redis_reply_n(*out); i += 2) {
        struct str value = redis_reply_str(redis_reply_at(*out, i + 1));
        struct str words[] = {STR("HDEL"), key, redis_reply_str(redis_reply_at(*out, i))};
        if (value.n && value.p[0] != '{' && forgotten(value, now_ms) &&
            command(link, 3, words, e))
            return -1;
    }
    return *out ? 0 : -1;
}

static int read_firing(struct redis_link *link, struct str stem, int64_t now_ms,
                       struct arena *arena, struct hiders *out, struct err *e)
{
    struct buf b;
    struct redisReply *r;
    int rc = read_hash(link, key_of(&b, stem, "hiders"), now_ms, &r, e);
    size_t n = rc == 0 ? redis_reply_n(r) : 0;
    out->firing = arena_alloc(arena, (n / 2 + 1) * sizeof *out->firing);
    for (size_t i = 0; i + 1 < n; i += 2)
        take_firing(redis_reply_str(redis_reply_at(r, i + 1)), arena, out);
    redis_reply_free(r);
    buf_deinit(&b);
    return rc;
}

static int read_hidden(struct redis_link *link, struct str stem, int64_t now_ms,
                       struct arena *arena, struct hiders *out, struct err *e)
{
    struct buf b;
    struct redisReply *r;
    int rc = read_hash(link, key_of(&b, stem, "hidden"), now_ms, &r, e);
    size_t n = rc == 0 ? redis_reply_n(r) : 0;
    out->hidden = arena_alloc(arena, (n / 2 + 1) * sizeof *out->hidden);
    for (size_t i = 0; i + 1 < n; i += 2)
        take_hidden(redis_reply_str(redis_reply_at(r, i)),
                    redis_reply_str(redis_reply_at(r, i + 1)), arena, out);
    qsort(out->hidden, out->hidden_n, sizeof *out->hidden, by_ids);
    redis_reply_free(r);
    buf_deinit(&b);
    return rc;
}

int hiders_read(struct redis_link *link, struct str stem, int64_t now_ms,
                struct arena *arena, struct hiders *out, struct err *e)
{
    *out = (struct hiders){0};
    if (read_firing(link, stem, now_ms, arena, out, e))
        return -1;
    return read_hidden(link, stem, now_ms, arena, out, e);
}

/* ---- writing ---- */

/* Whether the alert may still be said to fire: 1; 0; -1. */
static int may_fire(struct redis_link *link, struct str key, const struct alert *a,
                    struct err *e)
{
    struct redisReply *r = REDIS_COMMAND(link, e, STR("HGET"), key, str_of(a->id));
    int may = !r ? -1 : !str_starts(redis_reply_str(r), over);
    redis_reply_free(r);
    return may;
}

int hiders_told(struct redis_link *link, struct str stem, const struct alert *a,
                int64_t now_ms, struct err *e)
{
    struct buf b, line;
    struct str key = key_of(&b, stem, "hiders");
    int may = 1;
    buf_init(&line, LINE_MAX_BYTES);
    if (a->state == ALERT_RESOLVED) {
        buf_put(&line, over);
        buf_printf(&line, "%lld", (long long)now_ms);
    } else {
        may = may_fire(link, key, a, e);
        alert_json(a, false, &line);
    }
    struct str words[] = {STR("HSET"), key, str_of(a->id), buf_str(&line)};
    int rc = may < 0 ? -1 : may ? command(link, 4, words, e) : 0;
    buf_deinit(&b);
    buf_deinit(&line);
    return rc;
}

int hiders_hid(struct redis_link *link, struct str stem, const struct alert *a,
               int64_t now_ms, struct err *e)
{
    struct buf b, name, value, about;
    buf_init(&name, KEY_MAX_BYTES);
    buf_init(&value, KEY_MAX_BYTES);
    buf_init(&about, ABOUT_MAX_BYTES);
    buf_printf(&name, "%.*s %s", STR_ARG(a->hidden_by.id), a->id);
    inhibit_about(a, &about);
    buf_printf(&value, "%lld %.*s %.*s", (long long)now_ms, STR_ARG(a->rule),
               STR_ARG(utf8_cut(buf_str(&about), ABOUT_MAX_BYTES - 4)));
    struct str words[] = {STR("HSET"), key_of(&b, stem, "hidden"), buf_str(&name),
                          buf_str(&value)};
    int rc = command(link, 4, words, e);
    buf_deinit(&b);
    buf_deinit(&name);
    buf_deinit(&value);
    buf_deinit(&about);
    return rc;
}

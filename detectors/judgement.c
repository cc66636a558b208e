#include "detectors/judgement.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <xxhash.h>

#include "core/utf8.h"

struct alert alert_begin(const struct judge_input *in, enum alert_state state,
                         enum severity severity, int64_t time_ms)
{
    struct alert a = {.rule = in->rule->name,
                      .kind = str_of(in->rule->kind->name),
                      .state = state,
                      .severity = severity,
                      .time_ms = time_ms,
                      .keys_n = in->rule->by_n};
    for (size_t i = 0; i < a.keys_n; i++) {
        a.key_names[i] = in->rule->by[i].name;
        a.key_values[i] = in->key[i];
    }
    return a;
}

void alert_name(struct alert *a, int64_t opened_cell)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_str16(&b, a->rule);
    for (size_t i = 0; i < a->keys_n; i++)
        buf_str16(&b, a->key_values[i]);
    buf_i64(&b, opened_cell);
    XXH128_canonical_t c;
    XXH128_canonicalFromHash(&c, XXH3_128bits(b.p, b.n));
    for (size_t i = 0; i < sizeof c.digest; i++)
        snprintf(a->id + 2 * i, 3, "%02x", c.digest[i]);
    buf_deinit(&b);
}

static struct alert *grown(struct judgement *j, struct alert *alerts, size_t n,
                           size_t *cap)
{
    if (n < *cap)
        return alerts;
    *cap = *cap ? *cap * 2 : 4;
    struct alert *more = arena_alloc(j->arena, *cap * sizeof *more);
    if (n)
        memcpy(more, alerts, n * sizeof *more);
    return more;
}

void judgement_announce(struct judgement *j, const struct alert *a)
{
    j->announced = grown(j, j->announced, j->announced_n, &j->announced_cap);
    j->announced[j->announced_n++] = *a;
}

void judgement_announce_among(struct judgement *j, const struct alert *a)
{
    judgement_announce(j, a);
    for (size_t i = j->announced_n - 1; i > 0 && j->announced[i - 1].time_ms > a->time_ms;
         i--) {
        j->announced[i] = j->announced[i - 1];
        j->announced[i - 1] = *a;
    }
}

void judgement_confirm(struct judgement *j, const struct alert *a)
{
    j->confirmed = grown(j, j->confirmed, j->confirmed_n, &j->confirmed_cap);
    j->confirmed[j->confirmed_n++] = *a;
}

void judgement_tell(struct judgement *j, const struct alert *a)
{
    judgement_confirm(j, a);
    judgement_announce(j, a);
}

void judgement_keep(struct judgement *j, const struct member *m)
{
    size_t begin = buf_str16_begin(j->kept);
    member_pack(m, j->kept);
    buf_str16_end(j->kept, begin);
    j->kept_n++;
}

void key_text(const struct judge_input *in, struct buf *out)
{
    for (size_t i = 0; i < in->rule->by_n; i++) {
        if (i)
            buf_text(out, ", ");
        buf_put(out, in->rule->by[i].name);
        buf_char(out, ' ');
        buf_put(out, in->key[i]);
    }
    /* at the ceiling a character may be cut in two */
    out->n = utf8_cut(buf_str(out), out->n).n;
}

void key_prefix(const struct judge_input *in, struct buf *out)
{
    key_text(in, out);
    buf_text(out, in->rule->by_n ? ": " : "");
}

struct str judgement_text(struct judgement *j, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    assert(n >= 0);
    size_t length = (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    return arena_str(j->arena, utf8_cut((struct str){text, length}, length));
}

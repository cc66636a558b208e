/* A condition, and where in it the fault is. */
#include "config/sections.h"
#include "core/utf8.h"

enum { BEFORE_MAX = 50, AFTER_MAX = 30 }; /* characters shown of a long line */

static struct str part(const char *from, const char *to)
{
    return (struct str){from, (size_t)(to - from)};
}

static size_t characters(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return n;
}

static struct str without_first(struct str s)
{
    do
        s = (struct str){s.p + 1, s.n - 1};
    while (s.n && ((unsigned char)s.p[0] & 0xC0) == 0x80);
    return s;
}

/* The line with the fault, and a caret under it. */
static struct str pointed(struct reading *r, struct str text, size_t at)
{
    const char *fault = text.p + at, *from = fault,
               *end = memchr(fault, '\n', text.n - at);
    while (from > text.p && from[-1] != '\n')
        from--;
    struct str before = part(from, fault),
               after = part(fault, end ? end : text.p + text.n);
    struct str after_shown = utf8_cut_units(after, AFTER_MAX);
    while (characters(before) > BEFORE_MAX)
        before = without_first(before);
    bool cut = before.p != from;
    struct buf b;
    buf_init(&b, 2048);
    buf_printf(&b, "\n    %s%.*s%.*s%s", cut ? "…" : "", STR_ARG(before),
               STR_ARG(after_shown), after_shown.n < after.n ? "…" : "");
    buf_printf(&b, "\n    %*s^", (int)(characters(before) + cut), "");
    struct str kept = arena_str(r->arena, buf_str(&b));
    buf_deinit(&b);
    return kept;
}

struct where *where_read(struct reading *r, const struct node *n, struct str path)
{
    struct str text;
    struct err e = {0};
    size_t at;
    if (!node_text(r, n, path, "a condition such as \"ticket.csat < 3\"", &text))
        return NULL;
    struct where *w = where_compile(r->arena, text, &at, &e);
    if (w)
        return w;
    if (str_eq(text, n->written))
        complain(r, n->at, path, "%s%s", e.text, text.n ? pointed(r, text, at).p : "");
    else
        complain(r, n->at, path,
                 "is no condition once its environment variables are put in (they are "
                 "not shown)");
    return NULL;
}

void rule_where(struct reading *r, const struct entry *m, struct str path,
                struct rule *rule)
{
    rule->where = where_read(r, m->value, path);
}

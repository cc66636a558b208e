/* The names are one table: it gives values and checks templates. Mustache's own check is of its grammar; names
 * it does not know it takes for empty, so they are looked for here. */
#include "sinks/template.h"

#include <stdlib.h>

#include "core/suggest.h"
#include "sinks/mustache.h"
#include "sinks/template_names.h"

enum { DEPTH_MAX = 8, TEXT_MAX_BYTES = 60000 };

struct scan {
    struct str rest;
    size_t line;
    struct str open[DEPTH_MAX]; /* sections */
    size_t depth;
};

static int wrong(struct err *e, const char *what, struct str name)
{
    return err_set(e, ERR_INPUT, "%s: {{%.*s}}", what, (int)(name.n < 60 ? name.n : 60),
                   name.n ? name.p : "");
}

static struct str trim(struct str s)
{
    while (s.n && (unsigned char)s.p[0] <= ' ')
        s.p++, s.n--;
    while (s.n && (unsigned char)s.p[s.n - 1] <= ' ')
        s.n--;
    return s;
}

/* The tag's inside; false: there are no more. */
static bool next_tag(struct scan *s, struct str *tag)
{
    const char *open = s->rest.n ? memmem(s->rest.p, s->rest.n, "{{", 2) : NULL;
    size_t before = open ? (size_t)(open - s->rest.p) : s->rest.n;
    for (size_t i = 0; i < before; i++)
        s->line += s->rest.p[i] == '\n';
    if (!open)
        return false;
    s->rest.p += before + 2;
    s->rest.n -= before + 2;
    const char *close = s->rest.n ? memmem(s->rest.p, s->rest.n, "}}", 2) : NULL;
    *tag = (struct str){s->rest.p, close ? (size_t)(close - s->rest.p) : s->rest.n};
    size_t taken = close ? tag->n + 2 : s->rest.n;
    s->rest.p += taken;
    s->rest.n -= taken;
    return true;
}

/* In the innermost section that has it, or in none. */
static int check_name(const struct scan *s, struct str name, struct err *e)
{
    char meant[SUGGESTION_BYTES];
    struct suggestion near = suggestion_for(name);
    if (template_name_known(STR_NONE, name))
        return 0;
    for (size_t i = s->depth; i-- > 0;) {
        if (template_name_known(s->open[i], name))
            return 0;
        template_names_offer(s->open[i], &near);
    }
    template_names_offer(STR_NONE, &near);
    return err_set(e, ERR_INPUT, "no such name: {{%.*s}}%s",
                   (int)(name.n < 60 ? name.n : 60), name.p,
                   suggestion_text(&near, meant));
}

static int open_section(struct scan *s, struct str name, struct err *e)
{
    if (s->depth == DEPTH_MAX)
        return wrong(e, "too deep", name);
    if (check_name(s, name, e))
        return -1;
    s->open[s->depth++] = name;
    return 0;
}

static int check_tag(struct scan *s, struct str tag, struct err *e)
{
    char sign = tag.n ? tag.p[0] : '\0';
    bool signs = sign && strchr("#^/!&>={", sign);
    struct str name = trim(signs ? (struct str){tag.p + 1, tag.n - 1} : tag);
    if (sign == '!')
        return 0;
    if (sign == '>' || sign == '=')
        return wrong(e,
                     sign == '>' ? "other files cannot be included"
                                 : "the signs of a tag cannot be changed",
                     tag);
    if (sign == '&' || sign == '{')
        return wrong(e, "every value is escaped for its reader: write it as {{name}}",
                     tag);
    if (!name.n)
        return wrong(e, "a tag without a name", tag);
    if (sign == '#' || sign == '^')
        return open_section(s, name, e);
    if (sign != '/')
        return check_name(s, name, e);
    if (s->depth == 0 || !str_eq(s->open[s->depth - 1], name))
        return wrong(e, "ends a section that is not open here", tag);
    s->depth--;
    return 0;
}

int template_check(struct str text, size_t *line, struct err *e)
{
    struct scan s = {.rest = text, .line = 1};
    struct str tag;
    while (next_tag(&s, &tag)) {
        *line = s.line;
        if (check_tag(&s, tag, e))
            return -1;
        for (size_t i = 0; i < tag.n; i++)
            s.line += tag.p[i] == '\n';
    }
    *line = s.line;
    if (s.depth)
        return wrong(e, "this section is never closed", s.open[s.depth - 1]);
    size_t n = 0;
    char *said = NULL;
    json_t *nothing = json_object();
    char *filled = mustache_fill(text.n ? text.p : "", text.n, nothing, &n, &said);
    json_decref(nothing);
    int rc = filled ? 0 : err_set(e, ERR_INPUT, "%s", said);
    free(filled);
    free(said);
    return rc;
}

int template_fill(struct str text, const struct alert *a, enum dialect d,
                  struct str ticket_url, struct buf *out, struct err *e)
{
    size_t n = 0;
    char *said = NULL;
    json_t *names = template_values(a, d, ticket_url);
    char *filled = mustache_fill(text.n ? text.p : "", text.n, names, &n, &said);
    json_decref(names);
    if (filled)
        buf_mem(out, filled, n);
    int rc = filled ? 0 : err_set(e, ERR_INPUT, "%s", said);
    free(filled);
    free(said);
    return rc;
}

bool template_text(const struct template_file *t, const struct alert *a, enum dialect d,
                   struct str ticket_url, struct buf *out)
{
    struct err e = {0};
    struct buf b;
    bool good = false;
    buf_init(&b, TEXT_MAX_BYTES);
    if (t->path.n && !template_fill(t->text, a, d, ticket_url, &b, &e) && !b.overflowed) {
        struct str said = trim(buf_str(&b));
        good = said.n > 0;
        buf_put(out, said);
    }
    buf_deinit(&b);
    return good;
}

bool template_line(const struct template_file *t, const struct alert *a, struct buf *out,
                   size_t max_units)
{
    struct buf whole;
    size_t start = out->n;
    buf_init(&whole, 1 << 20);
    if (template_text(t, a, DIALECT_PLAIN, STR_NONE, &whole))
        words_text(out, DIALECT_PLAIN, buf_str(&whole), max_units);
    buf_deinit(&whole);
    return out->n > start;
}

size_t template_piece(struct str text, size_t max_bytes)
{
    size_t line = 0, word = 0, point = 0;
    int open = 0;
    if (text.n <= max_bytes)
        return text.n;
    for (size_t i = 0; i < max_bytes; i++) {
        open += (text.p[i] == '<') - (text.p[i] == '>');
        if (text.p[i] == '\n')
            line = i + 1;
        if (text.p[i] == ' ' && open == 0)
            word = i + 1;
        if (((unsigned char)text.p[i] & 0xC0) != 0x80)
            point = i;
    }
    return line ? line : word ? word : point;
}

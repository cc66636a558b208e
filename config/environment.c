/* ${NAME} and ${NAME:-default} in any value, as the shell reads them: an empty variable takes the
 * default too. What comes from the environment is a text, never YAML, and never shown. */
#include <stdlib.h>

#include "config/node.h"

enum { EXPANDED_BYTES_MAX = 256 * 1024, NAME_BYTES_MAX = 200 };
static const char usage[] =
    "${NAME} or ${NAME:-default} is an environment variable, $${ stands for ${";

static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return s.n > 0 && s.n <= NAME_BYTES_MAX;
}

static struct str part(const char *from, const char *to)
{
    return (struct str){from, (size_t)(to - from)};
}

/* Puts in the value of what stands between ${ and }. */
static void put_variable(struct reading *r, struct node *n, struct str inside,
                         struct buf *out)
{
    const char *dash = memmem(inside.p, inside.n, ":-", 2), *end = inside.p + inside.n;
    struct str name = dash ? part(inside.p, dash) : inside;
    if (!is_name(name)) {
        complain(r, n->at, STR_NONE, "'%s' is no name of an environment variable; %s",
                 shown(r, name).p, usage);
        n->bad = true;
        return;
    }
    struct str terminated = arena_str(r->arena, name);
    const char *value = getenv(terminated.p);
    if (dash && (!value || !*value))
        buf_put(out, part(dash + 2, end));
    else if (value)
        buf_text(out, value);
    else if (!n->unset.n)
        n->unset = terminated;
}

static void expand(struct reading *r, struct node *n, struct buf *out)
{
    struct str rest = n->written;
    const char *at, *close;
    while (!n->bad && rest.n && (at = memmem(rest.p, rest.n, "${", 2))) {
        bool escaped = at > rest.p && at[-1] == '$';
        buf_put(out, part(rest.p, escaped ? at - 1 : at));
        rest = part(at + 2, rest.p + rest.n);
        if (escaped) {
            buf_text(out, "${");
            continue;
        }
        close = rest.n ? memchr(rest.p, '}', rest.n) : NULL;
        if (!close) {
            complain(r, n->at, STR_NONE, "a '${' has no '}'; %s", usage);
            n->bad = true;
            return;
        }
        put_variable(r, n, part(rest.p, close), out);
        rest = part(close + 1, rest.p + rest.n);
    }
    buf_put(out, rest);
}

void environment_expand(struct reading *r, struct node *n)
{
    struct buf out;
    if (n->kind != NODE_TEXT || n->bad || !memmem(n->text.p, n->text.n, "${", 2))
        return;
    buf_init(&out, EXPANDED_BYTES_MAX);
    expand(r, n, &out);
    if (out.overflowed) {
        complain(r, n->at, STR_NONE, "the environment makes this longer than %d bytes",
                 EXPANDED_BYTES_MAX);
        n->bad = true;
    }
    n->text = arena_str(r->arena, buf_str(&out));
    buf_deinit(&out);
}

/* Reading a template: it is checked where the configuration is, so that no alert is the first to find its mistake. */
#include <errno.h>
#include <stdio.h>

#include "config/node.h"
#include "config/options.h"
#include "sinks/template.h"

enum { TEMPLATE_MAX_BYTES = 64 * 1024 };

static bool load(const char *name, struct buf *out)
{
    char part[4096];
    size_t n;
    FILE *f = fopen(name, "rb");
    if (!f)
        return false;
    while ((n = fread(part, 1, sizeof part, f)) > 0)
        buf_mem(out, part, n);
    bool good = !ferror(f);
    fclose(f);
    return good;
}

static bool is_good(struct reading *r, const struct node *n, struct str path,
                    const struct template_file *t)
{
    struct err e = {0};
    size_t line = 1;
    if (template_check(t->text, &line, &e) == 0)
        return true;
    complain(r, n->at, path, "%.*s:%zu: %s", STR_ARG(shown(r, t->path)), line, e.text);
    return false;
}

bool template_file_read(struct reading *r, const struct node *n, struct str path,
                        struct template_file *out)
{
    struct buf b;
    if (!node_text(r, n, path, "the path of a template", &out->path))
        return false;
    buf_init(&b, TEMPLATE_MAX_BYTES);
    bool loaded = out->path.n && load(arena_str(r->arena, out->path).p, &b);
    if (!loaded)
        complain(r, n->at, path, "%.*s cannot be read", STR_ARG(shown(r, out->path)));
    else if (b.overflowed)
        complain(r, n->at, path, "%.*s is longer than %d KB",
                 STR_ARG(shown(r, out->path)), TEMPLATE_MAX_BYTES / 1024);
    out->text = arena_str(r->arena, buf_str(&b));
    loaded = loaded && !b.overflowed;
    buf_deinit(&b);
    return loaded && is_good(r, n, path, out);
}

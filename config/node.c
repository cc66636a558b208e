#include "config/node.h"

struct entry *node_entry(const struct node *map, const char *name)
{
    for (size_t i = 0; map->kind == NODE_MAP && i < map->n; i++)
        if (str_is(map->entries[i].name, name))
            return &map->entries[i];
    return NULL;
}

bool node_is_known(const struct node *n)
{
    return n->kind == NODE_TEXT && !n->bad && !n->nothing && !n->unset.n;
}

const char *node_found(struct reading *r, const struct node *n)
{
    static const char *const kinds[] = {
        [NODE_TEXT] = "a text", [NODE_LIST] = "a list", [NODE_MAP] = "a mapping"};
    struct buf b;
    if (n->kind != NODE_TEXT)
        return kinds[n->kind];
    if (n->nothing)
        return "nothing";
    buf_init(&b, 256);
    buf_printf(&b, "'%s'", shown(r, n->written).p);
    struct str kept = arena_str(r->arena, buf_str(&b));
    buf_deinit(&b);
    return kept.p;
}

const struct node *node_item(const struct node *n, size_t i)
{
    if (n->kind == NODE_LIST)
        return i < n->n ? n->items[i] : NULL;
    return i == 0 ? n : NULL;
}

static void say_expected(struct reading *r, const struct node *n, struct str path,
                         const char *wanted)
{
    complain(r, n->at, path, "expected %s, found %s", wanted, node_found(r, n));
}

bool node_text(struct reading *r, const struct node *n, struct str path,
               const char *wanted, struct str *out)
{
    if (n->bad)
        return false;
    if (n->unset.n) {
        complain_if_needed(
            r, n->at, path,
            "the environment variable %s is not set (${%s:-...} gives a default)%s",
            n->unset.p, n->unset.p, needed_words(r));
        return false;
    }
    if (n->kind != NODE_TEXT || n->nothing) {
        say_expected(r, n, path, wanted);
        return false;
    }
    *out = n->text;
    return true;
}

bool node_is_map(struct reading *r, const struct node *n, struct str path,
                 const char *wanted)
{
    if (n->bad || n->kind == NODE_MAP)
        return !n->bad;
    say_expected(r, n, path, wanted);
    return false;
}

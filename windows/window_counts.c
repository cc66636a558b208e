/* Names are few, as rules are: they are looked for one by one. */
#include "windows/window_counts.h"

#include <assert.h>
#include <stdlib.h>

struct window_count {
    char *name;
    size_t name_n;
    int64_t n;
};

static struct window_count *find(const struct window_counts *c, struct str name)
{
    for (size_t i = 0; i < c->n; i++)
        if (str_eq(name, (struct str){c->items[i].name, c->items[i].name_n}))
            return &c->items[i];
    return NULL;
}

int64_t window_counts_of(const struct window_counts *c, struct str name)
{
    const struct window_count *count = find(c, name);
    return count ? count->n : 0;
}

void window_counts_add(struct window_counts *c, struct str name, int64_t more)
{
    struct window_count *count = find(c, name);
    if (!count) {
        c->items = realloc(c->items, (c->n + 1) * sizeof *c->items);
        assert(c->items);
        count = &c->items[c->n++];
        *count = (struct window_count){strndup(name.p, name.n), name.n, 0};
        assert(count->name);
    }
    count->n += more;
}

void window_counts_deinit(struct window_counts *c)
{
    for (size_t i = 0; i < c->n; i++)
        free(c->items[i].name);
    free(c->items);
}

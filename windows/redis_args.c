#include "windows/redis_args.h"

#include <inttypes.h>
#include <stdio.h>

void args_init(struct redis_args *a, struct arena *arena)
{
    *a = (struct redis_args){.arena = arena};
}

void args_str(struct redis_args *a, struct str s)
{
    if (a->n == a->cap) {
        size_t cap = a->cap ? a->cap * 2 : 64;
        struct str *items = arena_alloc(a->arena, cap * sizeof *items);
        if (a->n)
            memcpy(items, a->items, a->n * sizeof *items);
        a->items = items;
        a->cap = cap;
    }
    a->items[a->n++] = s.p ? s : STR("");
}

void args_int(struct redis_args *a, int64_t v)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%" PRId64, v);
    args_str(a, arena_str(a->arena, (struct str){text, (size_t)n}));
}

void args_int_or(struct redis_args *a, int64_t v, int64_t none)
{
    if (v == none)
        args_str(a, STR(""));
    else
        args_int(a, v);
}

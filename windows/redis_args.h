/* The arguments of a call to Redis, put together. Texts are borrowed, numbers live in the arena. */
#ifndef WINDOWS_REDIS_ARGS_H
#define WINDOWS_REDIS_ARGS_H

#include <stdint.h>

#include "core/arena.h"

struct redis_args {
    struct arena *arena;
    struct str *items;
    size_t n, cap;
};

void args_init(struct redis_args *a, struct arena *arena);
void args_str(struct redis_args *a, struct str s);
void args_int(struct redis_args *a, int64_t v);
/* The number, or an empty text where it is `none`. */
void args_int_or(struct redis_args *a, int64_t v, int64_t none);

#endif

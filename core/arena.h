/* Memory that lives as long as a batch: taken piece by piece, given back all at once.
 * Pieces are never NULL; lack of memory aborts. One owner, one thread. */
#ifndef CORE_ARENA_H
#define CORE_ARENA_H

#include "core/str.h"

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    struct arena_block *spare;  /* used again; a few megabytes at most */
    size_t used_bytes;          /* over all blocks since the last reset */
};

void arena_init(struct arena *a);
void arena_deinit(struct arena *a);
/* Forgets every piece; keeps blocks to start over with. */
void arena_reset(struct arena *a);

/* n bytes, zeroed, aligned for any object. */
void *arena_alloc(struct arena *a, size_t n);
/* The same, but not zeroed. */
void *arena_take(struct arena *a, size_t n);
/* A copy of s with a NUL after it. */
struct str arena_str(struct arena *a, struct str s);

#endif

/* Objects of one size, by number: taken one by one and given back, in blocks that never move. Numbers begin with 1, so that 0
 * can say "none"; those given back are used again. Lack of memory aborts. One owner, one thread. */
#ifndef CORE_POOL_H
#define CORE_POOL_H

#include <stddef.h>
#include <stdint.h>

enum { POOL_BLOCK = 1024 }; /* objects in a block */

struct pool {
    char **blocks;
    size_t blocks_n, object_bytes;
    uint32_t n;     /* the largest number so far */
    uint32_t spare; /* given back last; each of them begins with the one before it */
};

/* object_bytes: a multiple of what it is aligned to, 4 at least. */
void pool_init(struct pool *p, size_t object_bytes);
void pool_deinit(struct pool *p);
/* Its number; all zero. */
uint32_t pool_take(struct pool *p);
/* Its first four bytes are the pool's from now on. */
void pool_give(struct pool *p, uint32_t number);

static inline void *pool_at(const struct pool *p, uint32_t number)
{
    size_t i = number - 1;
    return p->blocks[i / POOL_BLOCK] + i % POOL_BLOCK * p->object_bytes;
}

#endif

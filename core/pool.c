#include "core/pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void pool_init(struct pool *p, size_t object_bytes)
{
    *p = (struct pool){.object_bytes = object_bytes};
}

void pool_deinit(struct pool *p)
{
    for (size_t i = 0; i < p->blocks_n; i++)
        free(p->blocks[i]);
    free(p->blocks);
    pool_init(p, p->object_bytes);
}

static uint32_t take_new(struct pool *p)
{
    if (p->n == p->blocks_n * POOL_BLOCK) {
        p->blocks = realloc(p->blocks, (p->blocks_n + 1) * sizeof *p->blocks);
        char *block = malloc(POOL_BLOCK * p->object_bytes);
        assert(p->blocks && block && p->n < UINT32_MAX - POOL_BLOCK);
        p->blocks[p->blocks_n++] = block;
    }
    return ++p->n;
}

uint32_t pool_take(struct pool *p)
{
    uint32_t number = p->spare;
    if (number)
        memcpy(&p->spare, pool_at(p, number), sizeof p->spare);
    else
        number = take_new(p);
    memset(pool_at(p, number), 0, p->object_bytes);
    return number;
}

void pool_give(struct pool *p, uint32_t number)
{
    memcpy(pool_at(p, number), &p->spare, sizeof p->spare);
    p->spare = number;
}

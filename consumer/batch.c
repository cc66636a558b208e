#include "consumer/batch.h"

void batch_init(struct batch *b)
{
    *b = (struct batch){.last_offset = -1};
    arena_init(&b->arena);
}

void batch_deinit(struct batch *b)
{
    arena_deinit(&b->arena);
}

void batch_reset(struct batch *b)
{
    struct arena arena = b->arena;
    arena_reset(&arena);
    *b = (struct batch){.arena = arena, .last_offset = -1};
}

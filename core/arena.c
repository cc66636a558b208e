/* Blocks of at least 64 KiB in a list; a piece larger than a block gets a block of its own. */
#include "core/arena.h"

#include <assert.h>
#include <stdlib.h>

enum { BLOCK_BYTES = 64 * 1024, SPARE_BYTES = 4 << 20, ALIGN = sizeof(max_align_t) };

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    max_align_t data[];
};

void arena_init(struct arena *a)
{
    *a = (struct arena){0};
}

static void free_blocks(struct arena_block *b)
{
    while (b) {
        struct arena_block *next = b->next;
        free(b);
        b = next;
    }
}

void arena_deinit(struct arena *a)
{
    free_blocks(a->blocks);
    free_blocks(a->spare);
    *a = (struct arena){0};
}

void arena_reset(struct arena *a)
{
    size_t kept = 0;
    struct arena_block *blocks = a->blocks, *old = a->spare;
    a->blocks = a->spare = NULL;
    a->used_bytes = 0;
    free_blocks(old); /* not needed since the last reset */
    for (struct arena_block *next; blocks; blocks = next) {
        next = blocks->next;
        kept += blocks->size;
        if (kept > SPARE_BYTES && a->spare) {
            free(blocks);
            continue;
        }
        *blocks = (struct arena_block){.next = a->spare, .size = blocks->size};
        a->spare = blocks;
    }
}

static struct arena_block *take_spare(struct arena *a, size_t n)
{
    for (struct arena_block **at = &a->spare; *at; at = &(*at)->next) {
        struct arena_block *b = *at;
        if (b->size < n)
            continue;
        *at = b->next;
        return b;
    }
    return NULL;
}

static struct arena_block *add_block(struct arena *a, size_t n)
{
    size_t size = n > BLOCK_BYTES ? n : BLOCK_BYTES;
    struct arena_block *b = take_spare(a, size);
    if (b)
        size = b->size;
    else
        b = malloc(sizeof *b + size);
    assert(b);
    *b = (struct arena_block){.next = a->blocks, .size = size};
    a->blocks = b;
    return b;
}

void *arena_take(struct arena *a, size_t n)
{
    size_t need = (n + ALIGN - 1) / ALIGN * ALIGN;
    struct arena_block *b = a->blocks;
    if (!b || b->size - b->used < need)
        b = add_block(a, need);
    void *p = (char *)b->data + b->used;
    b->used += need;
    a->used_bytes += need;
    return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
    return memset(arena_take(a, n), 0, n);
}

struct str arena_str(struct arena *a, struct str s)
{
    char *p = arena_take(a, s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return (struct str){p, s.n};
}

/* Blocks of at least 64 KiB in a list; a piece larger than a block gets a block of its own. */
#include "core/arena.h"

#include <assert.h>
#include <stdlib.h>

enum {
    BLOCK_BYTES = 64 * 1024,
    SPARE_BYTES = 4 << 20,
    UNUSED_BYTES = 1 << 20, /* of them, that were not needed since the last reset */
    ALIGN = sizeof(max_align_t),
};

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

/* Blocks become spare up to so many bytes; with `one` the first may be larger. */
static void spare_blocks(struct arena *a, struct arena_block *blocks, size_t most,
                         bool one)
{
    size_t kept = 0;
    for (struct arena_block *next; blocks; blocks = next) {
        next = blocks->next;
        kept += blocks->size;
        if (kept > most && !(one && kept == blocks->size)) {
            free(blocks);
            continue;
        }
        *blocks = (struct arena_block){.next = a->spare, .size = blocks->size};
        a->spare = blocks;
    }
}

/* Small and large use may take turns: what was not needed this time is mostly kept, too. */
void arena_reset(struct arena *a)
{
    struct arena_block *blocks = a->blocks, *unused = a->spare;
    a->blocks = a->spare = NULL;
    a->used_bytes = 0;
    spare_blocks(a, unused, UNUSED_BYTES, false);
    spare_blocks(a, blocks, SPARE_BYTES - UNUSED_BYTES, true);
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

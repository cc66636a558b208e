#include "detectors/people.h"

#include <math.h>

/* The first kept hash that is not smaller. */
static size_t place_of(const struct people *p, uint64_t hash)
{
    size_t low = 0, high = p->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p->hashes[middle] < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void grow(struct people *p, struct arena *arena)
{
    p->cap = p->cap ? 2 * p->cap : 16;
    uint64_t *more = arena_alloc(arena, p->cap * sizeof *more);
    if (p->n)
        memcpy(more, p->hashes, p->n * sizeof *more);
    p->hashes = more;
}

void people_add(struct people *p, uint64_t person, struct arena *arena)
{
    size_t at = place_of(p, person);
    if (at == PEOPLE_KEPT || (at < p->n && p->hashes[at] == person))
        return;
    if (p->n == p->cap && p->n < PEOPLE_KEPT)
        grow(p, arena);
    if (p->n < PEOPLE_KEPT)
        p->n++;
    memmove(&p->hashes[at + 1], &p->hashes[at], (p->n - 1 - at) * sizeof *p->hashes);
    p->hashes[at] = person;
}

void people_merge(struct people *p, struct str packed, struct arena *arena)
{
    struct reader r = {.in = packed};
    while (r.in.n >= sizeof(uint64_t))
        people_add(p, (uint64_t)reader_i64(&r), arena);
}

void people_pack(const struct people *p, struct buf *out)
{
    for (size_t i = 0; i < p->n; i++)
        buf_i64(out, (int64_t)p->hashes[i]);
}

int64_t people_count(const struct people *p)
{
    if (!people_estimated(p))
        return (int64_t)p->n;
    double share = ((double)p->hashes[PEOPLE_KEPT - 1] + 1) / 0x1p64;
    return llround((PEOPLE_KEPT - 1) / share);
}

#include "detectors/points.h"

#include <assert.h>

int64_t points_middle(int64_t value)
{
    enum { BITS = 7, WORD = 64 }; /* the leading one and six more tell the cell */
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    int shift = size ? WORD - __builtin_clzll(size) - BITS : 0;
    if (shift <= 0)
        return value;
    uint64_t middle = (size >> shift << shift) + ((uint64_t)1 << (shift - 1));
    return value < 0 ? -(int64_t)middle : (int64_t)middle;
}

/* Where the value stands, or would. */
static size_t place(const struct points *p, int64_t value)
{
    size_t from = 0, to = p->n;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (p->items[middle].value < value)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static void make_room(struct points *p, struct arena *arena)
{
    if (p->n < p->cap)
        return;
    p->cap = p->cap ? 2 * p->cap : 16;
    struct point *items = arena_alloc(arena, p->cap * sizeof *items);
    if (p->n)
        memcpy(items, p->items, p->n * sizeof *items);
    p->items = items;
}

static void add(struct points *p, int64_t value, int64_t n, struct arena *arena)
{
    size_t at = place(p, value);
    if (at == p->n || p->items[at].value != value) {
        make_room(p, arena);
        memmove(&p->items[at + 1], &p->items[at], (p->n - at) * sizeof *p->items);
        p->items[at] = (struct point){value, 0};
        p->n++;
    }
    p->items[at].n += n;
}

/* Each value goes to the middle of its cell; the order of values is that of their middles. */
static void coarsen(struct points *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++) {
        struct point one = {points_middle(p->items[i].value), p->items[i].n};
        if (n && p->items[n - 1].value == one.value)
            p->items[n - 1].n += one.n;
        else
            p->items[n++] = one;
    }
    p->n = n;
    p->coarse = true;
}

void points_add(struct points *p, int64_t value, struct arena *arena)
{
    add(p, p->coarse ? points_middle(value) : value, 1, arena);
    if (!p->coarse && p->n > POINTS_EXACT)
        coarsen(p);
}

int64_t points_quantile(const struct points *p, int percent)
{
    int64_t n = 0, before = 0;
    for (size_t i = 0; i < p->n; i++)
        n += p->items[i].n;
    assert(n > 0);
    int64_t rank = (n * percent + 99) / 100;
    for (size_t i = 0; i < p->n; i++) {
        before += p->items[i].n;
        if (before >= rank)
            return p->items[i].value;
    }
    return p->items[p->n - 1].value;
}

void points_pack(const struct points *p, struct buf *out)
{
    buf_u8(out, p->coarse);
    buf_u32(out, (uint32_t)p->n);
    for (size_t i = 0; i < p->n; i++) {
        buf_i64(out, p->items[i].value);
        buf_u32(out, (uint32_t)p->items[i].n);
    }
}

void points_unpack(struct reader *r, struct arena *arena, struct points *out)
{
    *out = (struct points){.coarse = reader_u8(r)};
    size_t n = reader_u32(r);
    if (r->failed || n > r->in.n)
        return;
    out->cap = n + 16;
    out->items = arena_alloc(arena, out->cap * sizeof *out->items);
    for (; out->n < n; out->n++) {
        out->items[out->n].value = reader_i64(r);
        out->items[out->n].n = reader_u32(r);
    }
}

#include "windows/seen_ids.h"

#include <assert.h>
#include <stdlib.h>
#include <xxhash.h>

#include "core/timefmt.h"

enum { IDS_LEAST = 64 };

/* Open addressing with linear probing; all zero is free. */
struct seen_slot {
    int64_t cell;
    XXH128_hash_t *ids;
    size_t n, capacity; /* a power of two */
};

static XXH128_hash_t hash_of(struct str id)
{
    XXH128_hash_t h = XXH3_128bits(id.p, id.n);
    h.low64 += h.low64 == 0;
    return h;
}

/* Where it stands, or would. */
static XXH128_hash_t *find(const struct seen_slot *slot, XXH128_hash_t h)
{
    size_t i = h.low64 & (slot->capacity - 1);
    while (slot->ids[i].low64 && !XXH128_isEqual(slot->ids[i], h))
        i = (i + 1) & (slot->capacity - 1);
    return &slot->ids[i];
}

static void grow(struct seen_slot *slot)
{
    struct seen_slot old = *slot;
    slot->capacity = old.capacity ? old.capacity * 2 : IDS_LEAST;
    slot->ids = calloc(slot->capacity, sizeof *slot->ids);
    assert(slot->ids);
    for (size_t i = 0; i < old.capacity; i++)
        if (old.ids[i].low64)
            *find(slot, old.ids[i]) = old.ids[i];
    free(old.ids);
}

static void put(struct seen_slot *slot, XXH128_hash_t h)
{
    if (4 * (slot->n + 1) > 3 * slot->capacity)
        grow(slot);
    XXH128_hash_t *at = find(slot, h);
    slot->n += at->low64 == 0;
    *at = h;
}

void seen_ids_init(struct seen_ids *s, int64_t slot_ms)
{
    *s = (struct seen_ids){.slot_ms = slot_ms};
}

void seen_ids_deinit(struct seen_ids *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->slots[i].ids);
    free(s->slots);
    if (s->spare)
        free(s->spare->ids);
    free(s->spare);
    *s = (struct seen_ids){.slot_ms = s->slot_ms};
}

/* What is forgotten last is kept: the next slot will be about as large. */
static void put_by(struct seen_ids *s, const struct seen_slot *slot)
{
    if (!s->spare)
        s->spare = calloc(1, sizeof *s->spare);
    assert(s->spare);
    free(s->spare->ids);
    *s->spare = *slot;
}

/* The first slot whose cell is not below `cell`; new events are nearly always in the last one. */
static size_t lower_bound(const struct seen_ids *s, int64_t cell)
{
    size_t i = s->n;
    while (i && s->slots[i - 1].cell >= cell)
        i--;
    return i;
}

/* An empty slot, out of the spare one if there is. */
static struct seen_slot slot_of(struct seen_ids *s, int64_t cell)
{
    struct seen_slot slot = {0};
    if (s->spare) {
        slot = *s->spare;
        *s->spare = (struct seen_slot){0};
    }
    if (slot.capacity)
        memset(slot.ids, 0, slot.capacity * sizeof *slot.ids);
    slot.n = 0;
    slot.cell = cell;
    return slot;
}

bool seen_ids_has(const struct seen_ids *s, struct str id, int64_t time_ms)
{
    int64_t cell = time_cell(time_ms, s->slot_ms);
    size_t i = lower_bound(s, cell);
    return i < s->n && s->slots[i].cell == cell && find(&s->slots[i], hash_of(id))->low64;
}

static struct seen_slot *slot_at(struct seen_ids *s, int64_t cell)
{
    size_t i = lower_bound(s, cell);
    if (i == s->n || s->slots[i].cell != cell) {
        s->slots = realloc(s->slots, (s->n + 1) * sizeof *s->slots);
        assert(s->slots);
        memmove(&s->slots[i + 1], &s->slots[i], (s->n - i) * sizeof *s->slots);
        s->slots[i] = slot_of(s, cell);
        s->n++;
    }
    return &s->slots[i];
}

void seen_ids_add(struct seen_ids *s, struct str id, int64_t time_ms)
{
    put(slot_at(s, time_cell(time_ms, s->slot_ms)), hash_of(id));
}

void seen_ids_take(struct seen_ids *s, const struct seen_ids *from)
{
    for (size_t n = 0; n < from->n; n++) {
        const struct seen_slot *of = &from->slots[n];
        for (size_t i = 0; i < of->capacity; i++)
            if (of->ids[i].low64)
                put(slot_at(s, of->cell), of->ids[i]);
    }
}

void seen_ids_forget(struct seen_ids *s, int64_t watermark_ms)
{
    int64_t open_cell = time_cell(watermark_ms, s->slot_ms);
    size_t gone = lower_bound(s, open_cell);
    for (size_t i = 0; i < gone; i++)
        put_by(s, &s->slots[i]);
    s->n -= gone;
    if (gone)
        memmove(s->slots, s->slots + gone, s->n * sizeof *s->slots);
}

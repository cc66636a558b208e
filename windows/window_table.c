/* Open addressing with linear probing; who leaves lets those behind move up. A slot has a window's number in its upper half, 0
 * where it is free, and 32 bits of the id in its lower one: they say where it belongs, and mostly whether it is another's,
 * so that only the object that is looked for is read. */
#include "windows/window_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_LEAST = 64 };

static uint64_t slot_of(uint32_t number, const struct window_id *id)
{
    uint32_t hash; /* ids are hashes already */
    memcpy(&hash, id->bytes, sizeof hash);
    return (uint64_t)number << 32 | hash;
}

static uint32_t number_in(uint64_t slot)
{
    return (uint32_t)(slot >> 32);
}

static size_t home(const struct window_table *t, uint64_t slot)
{
    return slot & (t->capacity - 1);
}

static size_t after(const struct window_table *t, size_t at)
{
    return (at + 1) & (t->capacity - 1);
}

static bool holds(const struct window_table *t, uint64_t slot, uint64_t wanted,
                  const struct window_id *id)
{
    return (uint32_t)slot == (uint32_t)wanted &&
           memcmp(window_table_at(t, number_in(slot)), id, sizeof *id) == 0;
}

/* The slot that holds the id, or the free one where it would go. */
static size_t place_of(const struct window_table *t, const struct window_id *id)
{
    uint64_t wanted = slot_of(0, id);
    size_t at = home(t, wanted);
    while (t->slots[at] && !holds(t, t->slots[at], wanted, id))
        at = after(t, at);
    return at;
}

static void grow(struct window_table *t)
{
    struct window_table old = *t;
    t->capacity = old.capacity ? 2 * old.capacity : TABLE_LEAST;
    t->slots = calloc(t->capacity, sizeof *t->slots);
    assert(t->slots);
    for (size_t i = 0; i < old.capacity; i++) {
        size_t at = home(t, old.slots[i]);
        while (old.slots[i] && t->slots[at])
            at = after(t, at);
        if (old.slots[i])
            t->slots[at] = old.slots[i];
    }
    free(old.slots);
}

void window_table_init(struct window_table *t, size_t object_bytes)
{
    *t = (struct window_table){0};
    pool_init(&t->windows, object_bytes);
}

void window_table_deinit(struct window_table *t)
{
    pool_deinit(&t->windows);
    free(t->slots);
    *t = (struct window_table){0};
}

uint32_t window_table_find(const struct window_table *t, const struct window_id *id)
{
    return t->n ? number_in(t->slots[place_of(t, id)]) : 0;
}

void window_table_prefetch(const struct window_table *t, const struct window_id *id)
{
    __builtin_prefetch(&t->slots[home(t, slot_of(0, id))]);
}

uint32_t window_table_add(struct window_table *t, const struct window_id *id)
{
    if (4 * (t->n + 1) > 3 * t->capacity)
        grow(t);
    uint32_t number = pool_take(&t->windows);
    memcpy(window_table_at(t, number), id, sizeof *id);
    t->slots[place_of(t, id)] = slot_of(number, id);
    t->n++;
    return number;
}

void window_table_remove(struct window_table *t, uint32_t number)
{
    size_t hole = place_of(t, window_table_at(t, number));
    t->slots[hole] = 0;
    for (size_t at = after(t, hole); t->slots[at]; at = after(t, at)) {
        size_t from = home(t, t->slots[at]);
        bool moves = hole <= at ? from <= hole || from > at : from <= hole && from > at;
        if (!moves)
            continue;
        t->slots[hole] = t->slots[at];
        t->slots[at] = 0;
        hole = at;
    }
    t->n--;
    pool_give(&t->windows, number);
}

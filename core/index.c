#include "core/index.h"

#include <assert.h>
#include <stdlib.h>
#include <xxhash.h>

void index_init(struct index *x)
{
    *x = (struct index){0};
}

void index_deinit(struct index *x)
{
    free(x->slots);
    *x = (struct index){0};
}

void index_clear(struct index *x)
{
    if (x->n)
        memset(x->slots, 0, x->capacity * sizeof *x->slots);
    x->n = 0;
}

/* The slot that holds key, or the free one where it would go. */
static struct index_slot *find(const struct index *x, struct str key, uint64_t hash)
{
    size_t i = hash & (x->capacity - 1);
    while (x->slots[i].key.p &&
           (x->slots[i].hash != hash || !str_eq(x->slots[i].key, key)))
        i = (i + 1) & (x->capacity - 1);
    return &x->slots[i];
}

static void grow(struct index *x)
{
    struct index old = *x;
    x->capacity = old.capacity ? old.capacity * 2 : 64;
    x->slots = calloc(x->capacity, sizeof *x->slots);
    assert(x->slots);
    for (size_t i = 0; i < old.capacity; i++)
        if (old.slots[i].key.p)
            *find(x, old.slots[i].key, old.slots[i].hash) = old.slots[i];
    free(old.slots);
}

size_t index_get(const struct index *x, struct str key)
{
    if (x->n == 0)
        return INDEX_NONE;
    const struct index_slot *s = find(x, key, XXH3_64bits(key.p, key.n));
    return s->key.p ? s->value : INDEX_NONE;
}

/* The key's slot; a new one is counted and holds INDEX_NONE. */
static struct index_slot *take(struct index *x, struct str key)
{
    assert(key.p);
    if (x->n * 2 >= x->capacity)
        grow(x);
    uint64_t hash = XXH3_64bits(key.p, key.n);
    struct index_slot *s = find(x, key, hash);
    if (!s->key.p) {
        *s = (struct index_slot){key, hash, INDEX_NONE};
        x->n++;
    }
    return s;
}

size_t index_put(struct index *x, struct str key, size_t value)
{
    struct index_slot *s = take(x, key);
    if (s->value == INDEX_NONE)
        s->value = value;
    return s->value;
}

size_t index_replace(struct index *x, struct str key, size_t value)
{
    struct index_slot *s = take(x, key);
    size_t before = s->value;
    s->value = value;
    return before;
}

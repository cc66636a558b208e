#include "core/index.h"

#include <assert.h>
#include <stdlib.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

static uint32_t hash_of(struct str key)
{
    return (uint32_t)XXH3_64bits(key.p, key.n);
}

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
    x->n = 0;
    if (++x->round < UINT32_MAX)
        return;
    x->round = 0;
    if (x->capacity)
        memset(x->slots, 0, x->capacity * sizeof *x->slots);
}

static bool is_taken(const struct index *x, const struct index_slot *s)
{
    return s->round == x->round + 1;
}

/* The slot that holds key, or the free one where it would go. */
static struct index_slot *find(const struct index *x, struct str key, uint32_t hash)
{
    size_t i = hash & (x->capacity - 1);
    while (is_taken(x, &x->slots[i]) &&
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
        if (is_taken(x, &old.slots[i]))
            *find(x, old.slots[i].key, old.slots[i].hash) = old.slots[i];
    free(old.slots);
}

size_t index_get(const struct index *x, struct str key)
{
    if (x->n == 0)
        return INDEX_NONE;
    const struct index_slot *s = find(x, key, hash_of(key));
    return is_taken(x, s) ? s->value : INDEX_NONE;
}

/* The key's slot; a new one is counted and holds INDEX_NONE. */
static struct index_slot *take(struct index *x, struct str key)
{
    assert(key.p);
    if (x->n * 2 >= x->capacity)
        grow(x);
    uint32_t hash = hash_of(key);
    struct index_slot *s = find(x, key, hash);
    if (!is_taken(x, s)) {
        *s = (struct index_slot){key, hash, x->round + 1, INDEX_NONE};
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

struct str index_next(const struct index *x, size_t *at)
{
    while (*at < x->capacity) {
        const struct index_slot *s = &x->slots[(*at)++];
        if (is_taken(x, s))
            return s->key;
    }
    return STR_NONE;
}

/* A hash index from byte strings to numbers: open addressing, linear probing, no deletion. Keys are
 * borrowed and must outlive it. Hashing by XXH3. One owner, one thread. */
#ifndef CORE_INDEX_H
#define CORE_INDEX_H

#include <stdint.h>

#include "core/str.h"

#define INDEX_NONE SIZE_MAX

struct index_slot {
    struct str key;
    uint32_t hash;
    uint32_t round; /* one more than the index had when it was taken, else it is free */
    size_t value;
};

struct index {
    struct index_slot *slots; /* capacity a power of two */
    size_t n, capacity;
    uint32_t round; /* forgetting all begins another one */
};

void index_init(struct index *x);
void index_deinit(struct index *x);
/* Forgets all keys, keeps the memory. */
void index_clear(struct index *x);

/* Its keys one after the other, in no order: *at begins with 0. STR_NONE behind the last. */
struct str index_next(const struct index *x, size_t *at);

/* The value stored for key, or INDEX_NONE. */
size_t index_get(const struct index *x, struct str key);
/* The value stored for key; stores `value` first if there was none. key.p must not be NULL. */
size_t index_put(struct index *x, struct str key, size_t value);
/* Stores `value` for key, and answers what stood there before, or INDEX_NONE. */
size_t index_replace(struct index *x, struct str key, size_t value);

#endif

/* A small table of short names, each with the scope it is a member of and a number: "id"
 * in scope 3 is 14. Made once, then read only; a look-up takes some three nanoseconds,
 * because a name of up to 16 bytes is compared whole, as two words. */
#ifndef CONSUMER_NAMES_H
#define CONSUMER_NAMES_H

#include <stdint.h>

#include "core/str.h"

enum {
    NAMES_SIZE = 256, /* about a fifth of it used: almost no collisions */
    NAMES_MAX = NAMES_SIZE / 2,
    NAME_BYTES_MAX = 16,
};

struct name {
    uint64_t low, high;
    uint16_t n, scope;
    int32_t value; /* -1: free */
};

struct names {
    struct name slots[NAMES_SIZE];
    uint64_t masks[NAME_BYTES_MAX + 1][2]; /* keep the first n bytes of two words */
    size_t used;
};

void names_init(struct names *names);
/* Adds the name and returns the value, or returns the one that the name has already. */
int names_add(struct names *names, size_t scope, const char *name, int value);

/* A key of n <= NAME_BYTES_MAX bytes; NAME_BYTES_MAX bytes can be read at p, whatever n
 * is. */
static inline struct name names_key(const struct names *names, size_t scope,
                                    const char *p, size_t n)
{
    struct name key = {.n = (uint16_t)n, .scope = (uint16_t)scope, .value = -1};
    memcpy(&key.low, p, 8);
    memcpy(&key.high, p + 8, 8);
    key.low &= names->masks[n][0];
    key.high &= names->masks[n][1];
    return key;
}

/* The slot that holds the key, or the free one where it would go. */
static inline size_t names_slot(const struct names *names, const struct name *key)
{
    uint64_t mixed =
        (key->low ^ key->high << 7 ^ key->scope) * UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = (size_t)(mixed >> 56);; i = (i + 1) % NAMES_SIZE) {
        const struct name *at = &names->slots[i];
        bool same = at->low == key->low && at->high == key->high && at->n == key->n;
        if ((same && at->scope == key->scope) || at->value < 0)
            return i;
    }
}

/* The name's value, or -1. At p, NAME_BYTES_MAX bytes can be read, whatever n is. */
static inline int names_find(const struct names *names, size_t scope, const char *p,
                             size_t n)
{
    if (n > NAME_BYTES_MAX)
        return -1;
    struct name key = names_key(names, scope, p, n);
    return names->slots[names_slot(names, &key)].value;
}

#endif

/* A small table of short names, each with the scope it is a member of and a number: "id"
 * in scope 3 is 14. Made once, then read only; a look-up takes some three nanoseconds,
 * because a name is compared by its length and its first 16 bytes, as two words. */
#ifndef CONSUMER_NAMES_H
#define CONSUMER_NAMES_H

#include <stdint.h>

#include "core/str.h"

enum {
    NAMES_SIZE = 256, /* about a quarter of it used: few collisions */
    NAMES_MAX = NAMES_SIZE / 2,
    NAME_BYTES = 16, /* of a longer name the first */
};

struct name {
    uint64_t low, high, scope_and_n;
    int64_t value; /* -1: free */
};

struct names {
    struct name slots[NAMES_SIZE];
    uint64_t masks[NAME_BYTES + 1][2]; /* keep the first n bytes of two words */
    size_t used;
};

void names_init(struct names *names);
/* Adds the name and returns the value, or returns the one that the name has already. */
int names_add(struct names *names, size_t scope, const char *name, int value);

static inline uint64_t names_word(const char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

/* The slot that holds the name, or the free one where it would go. At p, NAME_BYTES bytes can be read, whatever
 * n is. */
static inline size_t names_slot(const struct names *names, size_t scope, const char *p,
                                size_t n)
{
    const uint64_t *masks = names->masks[n < NAME_BYTES ? n : NAME_BYTES];
    uint64_t low = names_word(p) & masks[0], scope_and_n = scope << 32 ^ n;
    size_t i = (low ^ scope_and_n) * UINT64_C(0x9e3779b97f4a7c15) >> 56;
    for (;; i = (i + 1) % NAMES_SIZE) {
        const struct name *at = &names->slots[i];
        if (at->value < 0 || (at->low == low && at->scope_and_n == scope_and_n &&
                              at->high == (names_word(p + 8) & masks[1])))
            return i;
    }
}

/* The value of the name with this length and these first bytes, or -1. Reads as names_slot. */
static inline int names_find(const struct names *names, size_t scope, const char *p,
                             size_t n)
{
    return (int)names->slots[names_slot(names, scope, p, n)].value;
}

#endif

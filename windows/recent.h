/* The bytes that were put in last, each piece in one, until others need the room: a ring. What is gone is known to be gone. */
#ifndef WINDOWS_RECENT_H
#define WINDOWS_RECENT_H

#include <stdint.h>

#include "core/str.h"

/* All zero keeps nothing. */
struct recent {
    size_t room; /* bytes; set before the first piece */
    char *bytes; /* allocated with the first piece, touched as it fills */
    uint64_t end;
};

void recent_deinit(struct recent *r);
/* Where the piece lies, for recent_at(); 0: it is not kept, being more than a quarter of the room. Copied. */
uint64_t recent_put(struct recent *r, struct str piece);
/* The piece of n bytes that was put there, valid until the next is put; STR_NONE: it is gone, or was not kept. */
struct str recent_at(const struct recent *r, uint64_t place, size_t n);

#endif

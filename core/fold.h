/* Case folding of UTF-8 text, the same on every machine and locale. Source: the simple
 * (one to one) lower-case mappings of Unicode for Latin, Greek, Cyrillic, Armenian and
 * full-width letters. Not folded: letters whose lower case is ASCII (Kelvin sign,
 * dotted capital I), so that folding never makes a number or an id appear. */
#ifndef CORE_FOLD_H
#define CORE_FOLD_H

#include <stdint.h>

#include "core/str.h"

enum { FOLD_BYTES_MAX = 4 };

/* Reads one character at the start of text (n >= 1). Returns its length in bytes;
 * *code is its code point, or UINT32_MAX for a byte that is no UTF-8 (length 1). Pure. */
size_t fold_decode(struct str text, uint32_t *code);

/* The lower-case form of a code point; itself when it has none. Pure. */
uint32_t fold_lower(uint32_t code);

/* Writes a code point as UTF-8 into to (FOLD_BYTES_MAX) and returns the length. */
size_t fold_encode(uint32_t code, unsigned char *to);

static inline unsigned char fold_ascii(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

#endif

/* What a run of letters and digits looks like: a number, an id, or a word somebody
 * would say. Pure. Private to core/fingerprint*.c. */
#ifndef CORE_FINGERPRINT_WORD_H
#define CORE_FINGERPRINT_WORD_H

#include "core/fingerprint_context.h"

enum {
    WORD_LONG_MIN = 8, /* digits that are an id rather than a number; letters a to f */
    WORD_GIT_MIN = 7,  /* digits of an abbreviated git hash */
    WORD_HEX_LETTERS_MIN = 4, /* fewer letters a to f are never taken for digits */
    WORD_MD5_DIGITS = 32,
    WORD_SHA1_DIGITS = 40,
};

struct word {
    const byte *p;
    size_t n, digits, letters;
    size_t changes;  /* from a digit to a letter or back */
    size_t unlikely; /* pairs of letters that words hardly ever have */
    bool hex;        /* nothing but hexadecimal digits */
    bool pair;       /* two decimal digits in a row somewhere */
};

/* n bytes of letters and digits. */
struct word word_of(const byte *p, size_t n);

/* Hexadecimal digits that are an id, by length and by context. */
bool word_is_hex(const struct word *w, enum context context);
/* Letters and digits in an order that only chance makes, as in base-36 and base-62
 * ids. */
bool word_is_opaque(const struct word *w, enum context context);
/* Words that digits belong to: "utf8", "sha256". */
bool word_is_technical(const byte *p, size_t n);
/* False for most words, quickly: letters that could be opaque. */
bool word_may_be_opaque(const byte *p, size_t n);

/* The placeholder for n hexadecimal digits. */
const char *word_hex_name(size_t n, enum context context);

/* False where neither of the two below can be true, by the classes in the word. */
bool word_may_vary(unsigned seen, size_t n);
/* True for a path's segment that stands for one thing among many. */
bool word_is_id(const byte *p, size_t n);
/* The same, or letters with a digit behind ("subdir5"). */
bool word_varies(const byte *p, size_t n);

#endif

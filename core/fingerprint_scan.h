/* What the recognisers of a fingerprint share: where we are in the text, classes of
 * bytes, and how to write. Private to core/fingerprint*.c. */
#ifndef CORE_FINGERPRINT_SCAN_H
#define CORE_FINGERPRINT_SCAN_H

#include "core/buf.h"
#include "core/fold.h"
#include "core/str.h"

enum {
    CHAR_DIGIT = 1 << 0,
    CHAR_AF = 1 << 1, /* letters a to f: hexadecimal digits */
    CHAR_GZ = 1 << 2, /* the other ASCII letters */
    CHAR_UNDER = 1 << 3,
    CHAR_SPACE = 1 << 4,
    CHAR_HIGH = 1 << 5, /* bytes of characters beyond ASCII */
    CHAR_LIST = 1 << 6, /* , and ; */
    CHAR_BRACKET = 1 << 7,
    CHAR_JOIN = 1 << 8,  /* . @ : / - + % behind a word may make it an address */
    CHAR_START = 1 << 9, /* < = / : - and quotes: a recogniser may start there */
    CHAR_STOP = 1 << 10, /* ends a path in a text */
    CHAR_SLASH = 1 << 11,
    CHAR_QUERY = 1 << 12,     /* ? and #: end the path of a URL */
    CHAR_SEMICOLON = 1 << 13, /* ends what counts of it, too */
    CHAR_PLAIN = 1 << 14,     /* with CHAR_HIGH: begins no quote and no digit */
    CHAR_ANY = 1 << 15,       /* every byte and the end; in no table */
    CHAR_HEX = CHAR_DIGIT | CHAR_AF,
    CHAR_LETTER = CHAR_AF | CHAR_GZ,
    CHAR_ALNUM = CHAR_DIGIT | CHAR_LETTER,
    CHAR_WORD = CHAR_ALNUM | CHAR_UNDER,
};

typedef unsigned char byte;
extern const uint16_t scan_classes[256];

struct scan {
    const byte *begin, *at, *end;
    size_t word_n;        /* the run of word characters at `at` */
    unsigned seen;        /* the classes in it */
    const byte *replaced; /* end of what the last placeholder stands for */
    const byte *http_end; /* end of the last "HTTP/1.1" */
    const byte *id_end;   /* end of the last id that a noun announced */
    bool quotes;          /* replace quoted values everywhere, not only after = */
    const struct recogniser *table;
    struct buf *out;
    /* Lists: offsets in out of the item being written and of the one before it. */
    size_t first, item, last, last_end;
    bool has_placeholder; /* in the item being written */
    bool in_list;         /* only , ; and space since the last item */
};

static inline struct scan scan_of(struct str text, struct buf *out)
{
    const byte *p = (const byte *)(text.p ? text.p : "");
    return (struct scan){.begin = p,
                         .at = p,
                         .end = p + text.n,
                         .out = out,
                         .first = out->n,
                         .item = out->n,
                         .last = out->n,
                         .last_end = out->n};
}

/* The class of the byte at p, 0 at the end. */
static inline unsigned scan_class(const struct scan *s, const byte *p)
{
    return p < s->end ? scan_classes[*p] : 0u;
}

/* The class of the byte before p, 0 at the beginning. */
static inline unsigned scan_before(const struct scan *s, const byte *p)
{
    return p > s->begin ? scan_classes[p[-1]] : 0u;
}

static inline bool scan_at(const struct scan *s, const byte *p, char c)
{
    return p < s->end && *p == (byte)c;
}

/* True when the byte at p, or the one before it, is one of the set. */
static inline bool scan_among(const struct scan *s, const byte *p, const char *set)
{
    return p < s->end && *p && strchr(set, *p);
}

static inline bool scan_after(const struct scan *s, const byte *p, const char *set)
{
    return p > s->begin && scan_among(s, p - 1, set);
}

/* The length of the placeholder that starts at p; 0: there is none. */
size_t scan_placeholder(const struct scan *s, const byte *p);
/* True when one ends before p, a path's * included. */
bool scan_placeholder_before(const struct scan *s, const byte *p);

/* True when no word goes on before p, or at p. A placeholder that touches it counts as
 * part of the word, because what it once replaced was. */
static inline bool scan_begins(const struct scan *s, const byte *p)
{
    if (p == s->begin)
        return true;
    if (p[-1] == '>' || p[-1] == '*')
        return p != s->replaced && !scan_placeholder_before(s, p);
    return !(scan_classes[p[-1]] & CHAR_ALNUM) && p != s->replaced;
}

static inline bool scan_ends(const struct scan *s, const byte *p)
{
    return !(scan_class(s, p) & CHAR_WORD) &&
           !(scan_at(s, p, '<') && scan_placeholder(s, p));
}

/* The end of the run of bytes of these classes that starts at p. */
static inline const byte *scan_run(const struct scan *s, const byte *p, unsigned classes)
{
    while (scan_class(s, p) & classes)
        p++;
    return p;
}

/* True when text (lower case) stands at p, in any case. */
bool scan_is(const struct scan *s, const byte *p, const char *text);

/* Writes n bytes of the input, folded (ASCII only; other characters unchanged). */
void scan_copy(struct scan *s, const byte *p, size_t n);
/* Writes one character that may be beyond ASCII, folded; returns how many bytes it
 * took. */
size_t scan_copy_character(struct scan *s, const byte *p);
/* Writes a placeholder: whole or not at all. */
void scan_put(struct scan *s, const char *placeholder);

/* The item being written says no more than the one before it: it is the same, or the
 * next line of a stack, whose first says where the error was. */
bool scan_repeats(const struct scan *s);

/* Ends the item being written, if there is one. A list of equal items becomes one item. */
static inline void scan_finish(struct scan *s)
{
    if (s->out->n == s->item)
        return;
    if (s->in_list && s->has_placeholder && scan_repeats(s)) {
        s->out->n = s->last_end;
    } else {
        s->last = s->item;
        s->last_end = s->out->n;
    }
    s->in_list = true;
    s->has_placeholder = false;
}

/* Writes a separator that ends the item before it. */
static inline void scan_separate(struct scan *s, byte c)
{
    scan_finish(s);
    buf_char(s->out, (char)c);
    s->item = s->out->n;
    if (scan_classes[c] & CHAR_BRACKET)
        s->in_list = false;
}

enum { SCAN_WORD_BYTES = 16 };
/* The row with the word at p, compared without case, or NULL. Each row of the table begins
 * with a char[SCAN_WORD_BYTES], and they are sorted by it. */
const void *scan_row(const byte *p, size_t n, const void *table, size_t rows,
                     size_t row_bytes);
#define SCAN_ROW(p, n, table) \
    scan_row(p, n, table, sizeof(table) / sizeof *(table), sizeof *(table))
#define SCAN_WORD_IN(p, n, table) (SCAN_ROW(p, n, table) != NULL)

#endif

/* Cutting text that is UTF-8 already, never inside a code point. Pure. */
#ifndef CORE_UTF8_H
#define CORE_UTF8_H

#include "core/str.h"

/* The longest beginning of s with at most max_bytes bytes and no code point cut in two; a
 * last one that somebody else cut in two is left out as well. */
struct str utf8_cut_slowly(struct str s, size_t max_bytes);
static inline struct str utf8_cut(struct str s, size_t max_bytes)
{
    bool whole = s.n <= max_bytes && s.n > 0 && (unsigned char)s.p[s.n - 1] < 0x80;
    return whole ? s : utf8_cut_slowly(s, max_bytes);
}

/* Length in UTF-16 code units: code points, those beyond U+FFFF counted twice. Receivers
 * say "characters" and mean code points or these; who keeps to these is right for both.
 */
size_t utf8_units(struct str s);

/* The longest beginning of s with at most max_units of them. */
struct str utf8_cut_units(struct str s, size_t max_units);

#endif

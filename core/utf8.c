/* RFC 3629: a byte 10xxxxxx goes on with a code point, every other begins one, and the
 * first byte says how many follow. Input was validated where it came in, so nothing more
 * is looked at. */
#include "core/utf8.h"

static bool goes_on(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

static size_t bytes_of(char first)
{
    unsigned char c = (unsigned char)first;
    return c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

struct str utf8_cut_slowly(struct str s, size_t max_bytes)
{
    size_t n = s.n < max_bytes ? s.n : max_bytes;
    if (n == 0)
        return (struct str){s.p, 0};
    size_t last = n - 1; /* where the last code point begins */
    while (last > 0 && goes_on(s.p[last]))
        last--;
    return (struct str){s.p, last + bytes_of(s.p[last]) <= n ? n : last};
}

size_t utf8_units(struct str s)
{
    size_t units = 0;
    for (size_t i = 0; i < s.n; i++)
        units += (size_t)!goes_on(s.p[i]) + ((unsigned char)s.p[i] >= 0xF0);
    return units;
}

struct str utf8_cut_units(struct str s, size_t max_units)
{
    size_t at = 0, units = 0;
    while (at < s.n) {
        size_t bytes = bytes_of(s.p[at]);
        units += bytes == 4 ? 2 : 1;
        if (units > max_units || at + bytes > s.n)
            break;
        at += bytes;
    }
    return (struct str){s.p, at};
}

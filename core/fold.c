/* One row per stretch of capitals: either every letter moves by the same distance, or
 * capitals and small letters alternate and each capital is followed by its small letter.
 * libc's towlower answers by locale and libc version; a key must not. */
#include "core/fold.h"

struct stretch {
    uint32_t first, last;
    int32_t distance;
    uint32_t step; /* 2: only every second code point from first on is a capital */
};

static const struct stretch stretches[] = {
    {0x00C0, 0x00D6, 32, 1},    {0x00D8, 0x00DE, 32, 1}, {0x0100, 0x012E, 1, 2},
    {0x0132, 0x0136, 1, 2},     {0x0139, 0x0147, 1, 2},  {0x014A, 0x0176, 1, 2},
    {0x0178, 0x0178, -121, 1},  {0x0179, 0x017D, 1, 2},  {0x0386, 0x0386, 38, 1},
    {0x0388, 0x038A, 37, 1},    {0x038C, 0x038C, 64, 1}, {0x038E, 0x038F, 63, 1},
    {0x0391, 0x03A1, 32, 1},    {0x03A3, 0x03AB, 32, 1}, {0x03C2, 0x03C2, 1, 1},
    {0x0400, 0x040F, 80, 1},    {0x0410, 0x042F, 32, 1}, {0x0460, 0x0480, 1, 2},
    {0x048A, 0x04BE, 1, 2},     {0x04C0, 0x04C0, 15, 1}, {0x04C1, 0x04CD, 1, 2},
    {0x04D0, 0x052E, 1, 2},     {0x0531, 0x0556, 48, 1}, {0x1E00, 0x1E94, 1, 2},
    {0x1E9E, 0x1E9E, -7615, 1}, {0x1EA0, 0x1EFE, 1, 2},  {0xFF21, 0xFF3A, 32, 1},
};

uint32_t fold_lower(uint32_t code)
{
    if (code < 0x80)
        return fold_ascii((unsigned char)code);
    if ((code > 0x0556 && code < 0x1E00) || (code > 0x1EFE && code < 0xFF21))
        return code; /* most scripts have no capitals */
    for (size_t i = 0; i < sizeof stretches / sizeof *stretches; i++) {
        const struct stretch *t = &stretches[i];
        if (code < t->first)
            break;
        if (code <= t->last)
            return (code - t->first) % t->step ? code
                                               : (uint32_t)((int32_t)code + t->distance);
    }
    return code;
}

/* Length promised by a first byte, 0 when it cannot start a character. */
static size_t promised(unsigned char c)
{
    if (c < 0x80)
        return 1;
    if (c < 0xC2 || c > 0xF4)
        return 0;
    return c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

size_t fold_decode(struct str text, uint32_t *code)
{
    static const unsigned char lead_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)text.p[0];
    size_t n = promised(first);
    *code = UINT32_MAX;
    if (n == 0 || n > text.n)
        return 1;
    uint32_t c = first & lead_bits[n];
    for (size_t i = 1; i < n; i++) {
        unsigned char next = (unsigned char)text.p[i];
        if ((next & 0xC0) != 0x80)
            return 1;
        c = c << 6 | (next & 0x3Fu);
    }
    if (c < least[n] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return 1;
    *code = c;
    return n;
}

size_t fold_encode(uint32_t code, unsigned char *to)
{
    if (code < 0x80) {
        to[0] = (unsigned char)code;
        return 1;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = n - 1; i > 0; i--) {
        to[i] = (unsigned char)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    to[0] = (unsigned char)(lead[n] | code);
    return n;
}

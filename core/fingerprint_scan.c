/* Reading and writing for the recognisers. Writing folds, stops at the buffer's
 * ceiling, and remembers where the current item of a list began: when an item equals
 * the one before it and holds a placeholder ("blk_<hex> blk_<hex>"), only one of them
 * is kept, because how many ids a message lists says nothing about which message it
 * is. */
#include "core/fingerprint_scan.h"

#include <endian.h>
#include <string.h>

enum { AF = CHAR_AF, GZ = CHAR_GZ };

const uint16_t scan_classes[256] = {
    ['\t'] = CHAR_SPACE,
    ['\n'] = CHAR_SPACE,
    ['\v'] = CHAR_SPACE,
    ['\f'] = CHAR_SPACE,
    ['\r'] = CHAR_SPACE,
    [' '] = CHAR_SPACE,
    ['0' ... '9'] = CHAR_DIGIT,
    ['A' ... 'F'] = AF,
    ['G' ... 'Z'] = GZ,
    ['a' ... 'f'] = AF,
    ['g' ... 'z'] = GZ,
    ['_'] = CHAR_UNDER,
    [','] = CHAR_LIST | CHAR_STOP,
    [';'] = CHAR_LIST | CHAR_STOP | CHAR_SEMICOLON,
    ['('] = CHAR_BRACKET | CHAR_STOP,
    [')'] = CHAR_BRACKET | CHAR_STOP,
    ['['] = CHAR_BRACKET | CHAR_STOP,
    [']'] = CHAR_BRACKET | CHAR_STOP,
    ['{'] = CHAR_BRACKET | CHAR_STOP,
    ['}'] = CHAR_BRACKET | CHAR_STOP,
    ['.'] = CHAR_JOIN,
    ['@'] = CHAR_JOIN,
    ['+'] = CHAR_JOIN,
    ['%'] = CHAR_JOIN,
    [':'] = CHAR_JOIN | CHAR_START | CHAR_STOP,
    ['/'] = CHAR_JOIN | CHAR_START | CHAR_SLASH,
    ['-'] = CHAR_JOIN | CHAR_START,
    ['<'] = CHAR_START | CHAR_STOP,
    ['='] = CHAR_START | CHAR_STOP,
    ['"'] = CHAR_START | CHAR_STOP,
    ['\''] = CHAR_START | CHAR_STOP,
    ['`'] = CHAR_START | CHAR_STOP,
    ['>'] = CHAR_STOP,
    ['?'] = CHAR_STOP | CHAR_QUERY,
    ['&'] = CHAR_STOP,
    ['#'] = CHAR_STOP | CHAR_QUERY,
    ['|'] = CHAR_STOP,
    ['!'] = CHAR_STOP,
    /* « is C2 AB, “ and „ are E2 80 9C and E2 80 9E; other scripts' digits begin with D9, DB, E0 and EF */
    [0x80 ... 0xC2] = CHAR_HIGH,
    [0xC3 ... 0xD8] = CHAR_HIGH | CHAR_PLAIN,
    [0xD9 ... 0xDB] = CHAR_HIGH,
    [0xDC ... 0xDF] = CHAR_HIGH | CHAR_PLAIN,
    [0xE0 ... 0xE2] = CHAR_HIGH,
    [0xE3 ... 0xEE] = CHAR_HIGH | CHAR_PLAIN,
    [0xEF ... 0xFF] = CHAR_HIGH,
};

bool scan_is(const struct scan *s, const byte *p, const char *text)
{
    for (; *text; text++, p++)
        if (p >= s->end || fold_ascii(*p) != (byte)*text)
            return false;
    return true;
}

/* Sorted. */
static const char placeholders[][SCAN_WORD_BYTES] = {
    "bool",       "date",     "duration", "email",       "float", "git_sha",
    "hex",        "hostname", "int",      "ip",          "md5",   "name",
    "quoted_str", "sha1",     "size",     "traceparent", "url",   "uuid"};
enum { PLACEHOLDER_BYTES_MAX = sizeof "<traceparent>" - 1 };

size_t scan_placeholder(const struct scan *s, const byte *p)
{
    if (!scan_at(s, p, '<'))
        return 0;
    const byte *end = p + 1;
    while (end - p < PLACEHOLDER_BYTES_MAX && scan_class(s, end) & CHAR_WORD)
        end++;
    bool known =
        scan_at(s, end, '>') && SCAN_WORD_IN(p + 1, (size_t)(end - p - 1), placeholders);
    return known ? (size_t)(end + 1 - p) : 0;
}

bool scan_placeholder_before(const struct scan *s, const byte *p)
{
    if (p - s->begin > 1 && p[-1] == '*')
        return p[-2] == '/' || p[-2] == '\\';
    if (p == s->begin || p[-1] != '>')
        return false;
    const byte *start = p;
    while (start > s->begin && p - start < PLACEHOLDER_BYTES_MAX && *start != '<')
        start--;
    return scan_placeholder(s, start) == (size_t)(p - start);
}

void scan_copy(struct scan *s, const byte *p, size_t n)
{
    struct buf *out = s->out;
    char *to = buf_reserve(out, n);
    if (!to) { /* marked as left out; as much as fits */
        n = out->max_bytes - out->n;
        to = buf_reserve(out, n);
    }
    for (size_t i = 0; i < n; i++)
        to[i] = (char)fold_ascii(p[i]);
    out->n += n;
}

size_t scan_copy_character(struct scan *s, const byte *p)
{
    uint32_t code;
    byte bytes[FOLD_BYTES_MAX];
    size_t n = fold_decode((struct str){(const char *)p, (size_t)(s->end - p)}, &code);
    size_t written = 1;
    if (code == UINT32_MAX)
        bytes[0] = *p;
    else
        written = fold_encode(fold_lower(code), bytes);
    char *to = buf_reserve(s->out, written);
    if (to) {
        memcpy(to, bytes, written);
        s->out->n += written;
    }
    return n;
}

void scan_put(struct scan *s, const char *placeholder)
{
    struct str text = str_of(placeholder);
    char *to = buf_reserve(s->out, text.n);
    if (!to)
        return;
    memcpy(to, text.p, text.n);
    s->out->n += text.n;
    s->has_placeholder = true;
}

/* com.example.Cart.add:<int>: a line of code, in a class of some package. */
static bool is_frame(const char *p, size_t n)
{
    static const char line[] = ":<int>";
    const size_t line_n = sizeof line - 1;
    if (n < line_n || memcmp(p + n - line_n, line, line_n) != 0)
        return false;
    const char *dot = memchr(p, '.', n);
    return dot && memchr(dot + 1, '.', n - (size_t)(dot + 1 - p));
}

bool scan_repeats(const struct scan *s)
{
    const char *item = s->out->p + s->item, *last = s->out->p + s->last;
    size_t n = s->out->n - s->item, last_n = s->last_end - s->last;
    return (n == last_n && memcmp(last, item, n) == 0) ||
           (is_frame(item, n) && is_frame(last, last_n));
}

/* Up to eight bytes as a number, folded, the first the most: numbers are in the order of
 * their words. */
static uint64_t part_of(const byte *p, size_t n)
{
    uint64_t part = 0;
    n = n < sizeof part ? n : sizeof part;
    for (size_t i = 0; i < n; i++)
        part = part << 8 | fold_ascii(p[i]);
    return part << 8 * (sizeof part - n);
}

static uint64_t part_at(const byte *row, size_t at)
{
    uint64_t part;
    memcpy(&part, row + at, sizeof part);
    return be64toh(part);
}

const void *scan_row(const byte *p, size_t n, const void *table, size_t rows,
                     size_t row_bytes)
{
    if (n == 0 || n > SCAN_WORD_BYTES || !p[n - 1])
        return NULL;
    const size_t half = sizeof(uint64_t);
    uint64_t first = part_of(p, n), rest = n > half ? part_of(p + half, n - half) : 0;
    const byte *low = table;
    while (rows > 0) {
        const byte *middle = low + rows / 2 * row_bytes;
        uint64_t there = part_at(middle, 0), key = first;
        if (there == first) {
            there = part_at(middle, half);
            key = rest;
        }
        if (there == key)
            return middle;
        if (there < key) {
            low = middle + row_bytes;
            rows--;
        }
        rows /= 2;
    }
    return NULL;
}

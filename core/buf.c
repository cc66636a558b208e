/* Bytes grow by doubling up to the ceiling; out of memory is a crash, since a restart is a
 * tested path. Packed integers are little-endian, so files and Redis values do not
 * depend on the machine. */
#include "core/buf.h"

#include <assert.h>
#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { LEAST_BYTES = 64 };

void buf_init(struct buf *b, size_t max_bytes)
{
    *b = (struct buf){.max_bytes = max_bytes};
}

void buf_deinit(struct buf *b)
{
    free(b->p);
    *b = (struct buf){.max_bytes = b->max_bytes};
}

char *buf_grow(struct buf *b, size_t n)
{
    if (n > b->max_bytes - b->n) {
        b->overflowed = true;
        return NULL;
    }
    size_t need = b->n + n + 1; /* room for printf's NUL */
    if (need > b->cap) {
        size_t cap = b->cap ? b->cap * 2 : LEAST_BYTES;
        cap = cap > need ? cap : need; /* what is written once is as large as it is */
        b->p = realloc(b->p, cap);
        assert(b->p);
        b->cap = cap;
    }
    return b->p + b->n;
}

void buf_mem(struct buf *b, const void *p, size_t n)
{
    size_t room = b->max_bytes - b->n;
    if (n > room) {
        b->overflowed = true;
        n = room;
    }
    if (n == 0)
        return;
    memcpy(buf_reserve(b, n), p, n);
    b->n += n;
}

void buf_put(struct buf *b, struct str s)
{
    buf_mem(b, s.p, s.n);
}

void buf_text(struct buf *b, const char *text)
{
    buf_mem(b, text, strlen(text));
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(n >= 0);
    char *to = buf_reserve(b, (size_t)n);
    if (!to)
        return;
    va_start(args, format);
    vsnprintf(to, (size_t)n + 1, format, args);
    va_end(args);
    b->n += (size_t)n;
}

static inline void put_le(struct buf *b, uint64_t v, size_t bytes)
{
    uint64_t le = htole64(v);
    char *to = buf_reserve(b, bytes);
    if (!to)
        return;
    memcpy(to, &le, bytes);
    b->n += bytes;
}

void buf_u8(struct buf *b, uint8_t v)
{
    put_le(b, v, 1);
}

void buf_u16(struct buf *b, uint16_t v)
{
    put_le(b, v, 2);
}

void buf_u32(struct buf *b, uint32_t v)
{
    put_le(b, v, 4);
}

void buf_i64(struct buf *b, int64_t v)
{
    put_le(b, (uint64_t)v, 8);
}

void buf_f64(struct buf *b, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    put_le(b, bits, 8);
}

void buf_number(struct buf *b, uint64_t v)
{
    char bytes[BUF_NUMBER_MAX];
    size_t n = (size_t)(buf_number_at(bytes, v) - bytes);
    char *to = buf_reserve(b, n);
    if (!to)
        return;
    memcpy(to, bytes, n);
    b->n += n;
}

void buf_str16(struct buf *b, struct str s)
{
    uint16_t n = s.n > UINT16_MAX ? UINT16_MAX : (uint16_t)s.n, le = htole16(n);
    char *to = buf_reserve(b, sizeof le + n);
    if (!to)
        return;
    memcpy(to, &le, sizeof le);
    if (n)
        memcpy(to + sizeof le, s.p, n);
    b->n += sizeof le + n;
}

size_t buf_str16_begin(struct buf *b)
{
    buf_u16(b, 0);
    return b->n;
}

void buf_str16_end(struct buf *b, size_t begin)
{
    size_t n = b->n - begin;
    assert(n <= UINT16_MAX);
    if (b->overflowed)
        return;
    b->p[begin - 2] = (char)(n & 0xff);
    b->p[begin - 1] = (char)(n >> 8);
}

static inline uint64_t get_le(struct reader *r, size_t bytes)
{
    struct str s = reader_bytes(r, bytes);
    uint64_t le = 0;
    if (s.p)
        memcpy(&le, s.p, bytes);
    return le64toh(le);
}

uint8_t reader_u8(struct reader *r)
{
    return (uint8_t)get_le(r, 1);
}

uint16_t reader_u16(struct reader *r)
{
    return (uint16_t)get_le(r, 2);
}

uint32_t reader_u32(struct reader *r)
{
    return (uint32_t)get_le(r, 4);
}

int64_t reader_i64(struct reader *r)
{
    return (int64_t)get_le(r, 8);
}

double reader_f64(struct reader *r)
{
    uint64_t bits = get_le(r, 8);
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

uint64_t reader_long_number(struct reader *r)
{
    uint64_t v = 0;
    size_t most = r->in.n < BUF_NUMBER_MAX ? r->in.n : BUF_NUMBER_MAX;
    for (size_t i = 0; i < most && !r->failed; i++) {
        unsigned char byte = (unsigned char)r->in.p[i];
        v |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (byte < 0x80) {
            r->in = str_from(r->in, i + 1);
            return v;
        }
    }
    r->failed = true;
    return 0;
}

struct str reader_str16(struct reader *r)
{
    return reader_bytes(r, reader_u16(r));
}

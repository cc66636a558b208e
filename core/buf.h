/* A growing byte buffer with a hard ceiling. What does not fit is dropped and `overflowed`
 * says so; appending never fails otherwise (out of memory aborts). One owner, one thread. */
#ifndef CORE_BUF_H
#define CORE_BUF_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"

struct buf {
    char *p;
    size_t n;         /* bytes used */
    size_t cap;       /* bytes allocated */
    size_t max_bytes; /* ceiling of n */
    bool overflowed;
};

/* An empty buffer that never holds more than max_bytes. Free with buf_deinit. */
void buf_init(struct buf *b, size_t max_bytes);
void buf_deinit(struct buf *b);

static inline void buf_clear(struct buf *b)
{
    b->n = 0;
    b->overflowed = false;
}

static inline struct str buf_str(const struct buf *b)
{
    return (struct str){b->p, b->n};
}

/* Append; past the ceiling as much as fits is kept (buf_str, buf_mem) or nothing (the others). */
void buf_mem(struct buf *b, const void *p, size_t n);
void buf_put(struct buf *b, struct str s);
void buf_text(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* buf_reserve() where the buffer is too small. */
char *buf_grow(struct buf *b, size_t n);

/* Makes room for n more bytes and returns where they go, or NULL past the ceiling; the caller
 * writes up to n bytes there and adds what it wrote to b->n. */
static inline char *buf_reserve(struct buf *b, size_t n)
{
    bool has_room = n < b->cap - b->n && n <= b->max_bytes - b->n;
    return has_room ? b->p + b->n : buf_grow(b, n);
}

/* Appends one; nothing past the ceiling. */
static inline void buf_char(struct buf *b, char c)
{
    char *to = buf_reserve(b, 1);
    if (!to)
        return;
    *to = c;
    b->n++;
}

/* Little-endian integers, for packed records. */
void buf_u8(struct buf *b, uint8_t v);
void buf_u16(struct buf *b, uint16_t v);
void buf_u32(struct buf *b, uint32_t v);
void buf_i64(struct buf *b, int64_t v);
/* Its bits, as an integer's. */
void buf_f64(struct buf *b, double v);
/* Seven bits a byte, the lowest first: most numbers are small. */
void buf_number(struct buf *b, uint64_t v);

/* The same where there is room for BUF_NUMBER_MAX bytes; returns their end. */
enum { BUF_NUMBER_MAX = 10 };
static inline char *buf_number_at(char *to, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        *to++ = (char)(v | 0x80);
    *to++ = (char)v;
    return to;
}

/* A length (u16) and that many bytes; longer text is cut at 65,535. */
void buf_str16(struct buf *b, struct str s);
/* The same around what is appended between the two calls, at most 65,535 bytes (assert). */
size_t buf_str16_begin(struct buf *b);
void buf_str16_end(struct buf *b, size_t begin);

/* Reading the same back: a cursor over bytes that remembers that it ran out. */
struct reader {
    struct str in;
    bool failed;
};
uint8_t reader_u8(struct reader *r);
uint16_t reader_u16(struct reader *r);
uint32_t reader_u32(struct reader *r);
int64_t reader_i64(struct reader *r);
double reader_f64(struct reader *r);
struct str reader_str16(struct reader *r);
/* reader_number() of more than one byte. */
uint64_t reader_long_number(struct reader *r);

static inline uint64_t reader_number(struct reader *r)
{
    if (r->failed || r->in.n == 0 || (unsigned char)*r->in.p >= 0x80)
        return reader_long_number(r);
    r->in.n--;
    return (unsigned char)*r->in.p++;
}

/* The next n bytes, borrowed; STR_NONE and failed when there are fewer. */
static inline struct str reader_bytes(struct reader *r, size_t n)
{
    if (r->failed || n > r->in.n) {
        r->failed = true;
        return STR_NONE;
    }
    struct str s = {r->in.p, n};
    r->in.p += n;
    r->in.n -= n;
    return s;
}

#endif

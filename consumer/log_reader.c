/* Bytes are read to the end of one buffer, lines are taken from its front. The buffer grows to the
 * longest line there is, up to the limit; of a longer line the head stays at the front and the
 * rest is read over it and counted. */
#include "consumer/log_reader.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_BYTES = 256 * 1024 };

struct log_reader {
    struct log_bytes *bytes;
    char *buffer;
    size_t capacity;
    size_t start, scanned,
        end;        /* the line so far; no newline before scanned; bytes read */
    size_t dropped; /* bytes of the line that were read over */
    int64_t number;
};

struct log_reader *log_reader_open(const char *path, struct err *e)
{
    struct log_bytes *bytes = log_bytes_open(path, e);
    if (!bytes)
        return NULL;
    struct log_reader *r = calloc(1, sizeof *r);
    assert(r);
    r->bytes = bytes;
    r->capacity = BUFFER_BYTES;
    r->buffer = malloc(r->capacity);
    assert(r->buffer);
    return r;
}

struct log_reader *log_reader_open_at(const char *path, int64_t at, struct err *e)
{
    struct log_reader *r = log_reader_open(path, e);
    if (!r || at <= 0 || log_bytes_begin_at(r->bytes, at - 1, e) == 0)
        return r;
    log_reader_close(r);
    return NULL;
}

void log_reader_close(struct log_reader *r)
{
    if (!r)
        return;
    log_bytes_close(r->bytes);
    free(r->buffer);
    free(r);
}

int64_t log_reader_at(const struct log_reader *r)
{
    return log_bytes_at(r->bytes) - (int64_t)(r->end - r->start);
}

const struct log_bytes *log_reader_bytes(const struct log_reader *r)
{
    return r->bytes;
}

static bool blank(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != ' ' && s.p[i] != '\t')
            return false;
    return true;
}

/* The line up to `end`, which goes on at `next`. False: it is empty. */
static bool take(struct log_reader *r, size_t end, size_t next, struct log_line *out)
{
    struct str text = {r->buffer + r->start, end - r->start};
    size_t dropped = r->dropped;
    r->start = r->scanned = next;
    r->dropped = 0;
    r->number++;
    if (text.n && text.p[text.n - 1] == '\r')
        text.n--;
    if (r->number == 1 && str_starts(text, STR("\xef\xbb\xbf"))) {
        text.p += 3; /* a byte order mark */
        text.n -= 3;
    }
    *out = (struct log_line){text, text.n + dropped, r->number};
    if (dropped)
        out->text.n = text.n < LOG_LINE_HEAD_BYTES ? text.n : LOG_LINE_HEAD_BYTES;
    return dropped > 0 || !blank(text);
}

static bool take_next(struct log_reader *r, struct log_line *out)
{
    while (r->scanned < r->end) {
        char *from = r->buffer + r->scanned,
             *newline = memchr(from, '\n', r->end - r->scanned);
        if (!newline) {
            r->scanned = r->end;
            return false;
        }
        size_t at = (size_t)(newline - r->buffer);
        if (take(r, at, at + 1, out))
            return true;
    }
    return false;
}

/* Of a line that is too long the head stays, and what follows is overwritten. */
static void drop_tail(struct log_reader *r)
{
    size_t line_n = r->end - r->start;
    if (line_n <= LOG_LINE_BYTES_MAX && !(r->dropped && line_n > LOG_LINE_HEAD_BYTES))
        return;
    r->dropped += line_n - LOG_LINE_HEAD_BYTES;
    r->end = r->scanned = r->start + LOG_LINE_HEAD_BYTES;
}

static void make_room(struct log_reader *r)
{
    drop_tail(r);
    memmove(r->buffer, r->buffer + r->start, r->end - r->start);
    r->end -= r->start;
    r->scanned -= r->start;
    r->start = 0;
    if (r->end < r->capacity)
        return;
    r->capacity *= 2;
    r->buffer = realloc(r->buffer, r->capacity);
    assert(r->buffer);
}

enum read_result log_reader_next(struct log_reader *r, int wait_ms, struct log_line *out,
                                 struct err *e)
{
    while (!take_next(r, out)) {
        size_t got;
        make_room(r);
        enum read_result result = log_bytes_read(r->bytes, r->buffer + r->end,
                                                 r->capacity - r->end, wait_ms, &got, e);
        r->end += got;
        if (result == READ_END && r->end > r->start && take(r, r->end, r->end, out))
            return READ_GOT;
        if (result == READ_ERROR)
            r->end = r->scanned = r->start;
        if (result != READ_GOT)
            return result;
    }
    return READ_GOT;
}

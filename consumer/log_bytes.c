/* One buffer of compressed bytes and one codec of three behind it. A codec turns input into output
 * as far as both reach and says whether the file may end where it stands: between two gzip members
 * or zstd frames, and anywhere in plain text. */
#include "consumer/log_bytes.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { IN_BYTES = 128 * 1024, MAGIC_BYTES = 4 };

struct codec;

struct log_bytes {
    char *path;
    int fd;
    bool regular, at_eof, may_end, failed;
    int64_t total_bytes, read_bytes;
    const struct codec *codec; /* NULL until the first bytes are seen */
    const char *fault;         /* met, and told once what was read before it is given */
    z_stream gzip;
    ZSTD_DStream *zstd;
    size_t in_at, in_n;
    char in[IN_BYTES];
};

struct codec {
    const char *name;
    void (*begin)(struct log_bytes *b);
    void (*end)(struct log_bytes *b);
    /* Answers how many bytes it wrote; *fault where the input is damaged. */
    size_t (*step)(struct log_bytes *b, char *out, size_t n, const char **fault);
};

/* --- plain --- */

static void plain_begin(struct log_bytes *b)
{
    b->may_end = true;
}

static void plain_end(struct log_bytes *b)
{
    (void)b;
}

static size_t plain_step(struct log_bytes *b, char *out, size_t n, const char **fault)
{
    size_t left = b->in_n - b->in_at, got = n < left ? n : left;
    (void)fault;
    memcpy(out, b->in + b->in_at, got);
    b->in_at += got;
    return got;
}

/* --- gzip --- */

static void gzip_begin(struct log_bytes *b)
{
    enum { GZIP_ONLY = 16 };
    int rc = inflateInit2(&b->gzip, MAX_WBITS + GZIP_ONLY);
    assert(rc == Z_OK);
}

static void gzip_end(struct log_bytes *b)
{
    inflateEnd(&b->gzip);
}

/* Between members: the next one begins, or tape padding of zeros ends the file. */
static bool gzip_next_member(struct log_bytes *b, const char **fault)
{
    while (b->in_at < b->in_n && b->in[b->in_at] == '\0')
        b->in_at++;
    if (b->in_at == b->in_n)
        return false;
    if ((unsigned char)b->in[b->in_at] != 0x1f)
        *fault = "something else follows the end of the compressed data";
    b->may_end = false;
    return !*fault && inflateReset(&b->gzip) == Z_OK;
}

static size_t gzip_step(struct log_bytes *b, char *out, size_t n, const char **fault)
{
    z_stream *z = &b->gzip;
    if (b->may_end && !gzip_next_member(b, fault))
        return 0;
    z->next_in = (unsigned char *)b->in + b->in_at;
    z->avail_in = (unsigned)(b->in_n - b->in_at);
    z->next_out = (unsigned char *)out;
    z->avail_out = (unsigned)n;
    int rc = inflate(z, Z_NO_FLUSH);
    b->in_at = b->in_n - z->avail_in;
    b->may_end = rc == Z_STREAM_END;
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
        *fault = z->msg ? z->msg : "damaged";
    return n - z->avail_out;
}

/* --- zstd --- */

static void zstd_begin(struct log_bytes *b)
{
    b->zstd = ZSTD_createDStream();
    assert(b->zstd);
}

static void zstd_end(struct log_bytes *b)
{
    ZSTD_freeDStream(b->zstd);
}

static size_t zstd_step(struct log_bytes *b, char *out, size_t n, const char **fault)
{
    ZSTD_inBuffer in = {b->in, b->in_n, b->in_at};
    ZSTD_outBuffer to = {out, n, 0};
    if (b->may_end && in.pos == in.size)
        return 0;
    size_t rc = ZSTD_decompressStream(b->zstd, &to, &in);
    b->in_at = in.pos;
    b->may_end = rc == 0;
    if (ZSTD_isError(rc))
        *fault = ZSTD_getErrorName(rc);
    return to.pos;
}

/* --- which --- */

static const struct codec plain = {"text", plain_begin, plain_end, plain_step};
static const struct codec gzip = {"gzip", gzip_begin, gzip_end, gzip_step};
static const struct codec zstd = {"zstd", zstd_begin, zstd_end, zstd_step};

/* RFC 1952 2.3.1; RFC 8878 3.1.1 and, for skippable frames, 3.1.2. */
static const struct codec *codec_of(const char *in, size_t n)
{
    const unsigned char *p = (const unsigned char *)in;
    if (n >= 2 && p[0] == 0x1f && p[1] == 0x8b)
        return &gzip;
    if (n >= 4 && memcmp(p, "\x28\xb5\x2f\xfd", 4) == 0)
        return &zstd;
    if (n >= 4 && (p[0] & 0xf0) == 0x50 && memcmp(p + 1, "\x2a\x4d\x18", 3) == 0)
        return &zstd;
    return &plain;
}

/* --- the file --- */

struct log_bytes *log_bytes_open(const char *path, struct err *e)
{
    bool is_stdin = strcmp(path, "-") == 0;
    struct stat st;
    int fd = is_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st)) {
        err_set(e, ERR_INPUT, "cannot read %s: %s", path, strerror(errno));
    } else if (S_ISDIR(st.st_mode)) {
        err_set(e, ERR_INPUT, "cannot read %s: it is a directory; name its files", path);
    } else {
        struct log_bytes *b = calloc(1, sizeof *b);
        assert(b);
        b->path = strdup(is_stdin ? "stdin" : path);
        assert(b->path);
        b->fd = fd;
        b->regular = S_ISREG(st.st_mode) && !is_stdin;
        b->total_bytes = S_ISREG(st.st_mode) ? st.st_size : 0;
        return b;
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

void log_bytes_close(struct log_bytes *b)
{
    if (!b)
        return;
    if (b->codec)
        b->codec->end(b);
    close(b->fd);
    free(b->path);
    free(b);
}

static enum read_result read_once(struct log_bytes *b, char *to, size_t room, size_t *got,
                                  int wait_ms, struct err *e)
{
    struct pollfd ready = {.fd = b->fd, .events = POLLIN};
    if (!b->regular && poll(&ready, 1, wait_ms) <= 0)
        return READ_WAIT;
    ssize_t n = read(b->fd, to, room);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return READ_WAIT;
    if (n < 0) {
        b->failed = true;
        return (enum read_result)err_set(e, ERR_INPUT, "cannot read %s at byte %lld: %s",
                                         b->path, (long long)b->read_bytes,
                                         strerror(errno));
    }
    b->at_eof = n == 0;
    b->read_bytes += n;
    *got = (size_t)n;
    return READ_GOT;
}

/* Makes room and reads once. */
static enum read_result fill(struct log_bytes *b, int wait_ms, struct err *e)
{
    size_t got = 0;
    memmove(b->in, b->in + b->in_at, b->in_n - b->in_at);
    b->in_n -= b->in_at;
    b->in_at = 0;
    enum read_result result =
        read_once(b, b->in + b->in_n, IN_BYTES - b->in_n, &got, wait_ms, e);
    b->in_n += got;
    return result;
}

static enum read_result begin(struct log_bytes *b, int wait_ms, struct err *e)
{
    while (b->in_n < MAGIC_BYTES && !b->at_eof) {
        enum read_result filled = fill(b, wait_ms, e);
        if (filled != READ_GOT)
            return filled;
    }
    b->codec = codec_of(b->in, b->in_n);
    b->codec->begin(b);
    return READ_GOT;
}

static enum read_result broken(struct log_bytes *b, struct err *e)
{
    long long at = (long long)(b->read_bytes - (int64_t)(b->in_n - b->in_at));
    assert(b->codec);
    b->failed = true;
    if (b->fault)
        err_set(e, ERR_INPUT, "%s: damaged %s at byte %lld: %s; get the file again",
                b->path, b->codec->name, at, b->fault);
    else
        err_set(
            e, ERR_INPUT,
            "%s: the %s data are cut off at byte %lld; get the whole file, or wait until "
            "it is written",
            b->path, b->codec->name, at);
    return READ_ERROR;
}

enum read_result log_bytes_read(struct log_bytes *b, char *out, size_t n, int wait_ms,
                                size_t *got, struct err *e)
{
    enum read_result filled = READ_GOT;
    *got = 0;
    if (b->failed)
        return READ_END;
    if (!b->codec)
        filled = begin(b, wait_ms, e);
    if (filled == READ_GOT && b->codec == &plain && b->in_at == b->in_n && !b->at_eof) {
        filled = read_once(b, out, n, got, wait_ms, e); /* nothing to decode */
        return b->at_eof ? READ_END : filled;
    }
    while (filled == READ_GOT && !b->fault) {
        size_t before = b->in_at;
        *got = b->codec->step(b, out, n, &b->fault);
        if (*got)
            return READ_GOT;
        if (b->in_at != before)
            continue;
        if (b->at_eof)
            return b->may_end ? READ_END : broken(b, e);
        filled = fill(b, wait_ms, e);
    }
    return b->fault ? broken(b, e) : filled;
}

int log_bytes_begin_at(struct log_bytes *b, int64_t at, struct err *e)
{
    if (lseek(b->fd, at, SEEK_SET) != at)
        return err_set(e, ERR_INPUT, "cannot read %s: %s", b->path, strerror(errno));
    b->codec = &plain;
    b->codec->begin(b);
    b->read_bytes = at;
    return 0;
}

int64_t log_bytes_at(const struct log_bytes *b)
{
    return b->codec == &plain ? b->read_bytes - (int64_t)(b->in_n - b->in_at) : -1;
}

void log_bytes_progress(const struct log_bytes *b, int64_t *read_bytes,
                        int64_t *total_bytes)
{
    *read_bytes = b->read_bytes;
    *total_bytes = b->total_bytes;
}

bool log_bytes_regular(const struct log_bytes *b)
{
    return b->regular;
}

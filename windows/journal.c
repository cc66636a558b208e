#include "windows/journal.h"

#include <assert.h>
#include <stdlib.h>
#include <xxhash.h>
#include <zstd.h>

/* Times of events are years of four digits (consumer/event_check.c). */
#define TIME_MAX_MS (INT64_C(1) << 60)
#define NUMBER_MAX (INT64_MAX / 100) /* before its last digit */
enum { COMMITTED = 1, LAPSES = 2, GONE = 4, UNPROVEN = 8, AS_IT_WAS = 16 };

static uint64_t zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

static int64_t unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

void journal_put_head(struct buf *out, const struct journal_head *h)
{
    buf_str16(out, h->lane);
    buf_i64(out, h->watermark_ms);
    buf_i64(out, h->waits_from_ms);
}

bool journal_read_head(struct reader *r, struct journal_head *out)
{
    out->lane = reader_str16(r);
    out->watermark_ms = reader_i64(r);
    out->waits_from_ms = reader_i64(r);
    return !r->failed && out->watermark_ms <= TIME_MAX_MS;
}

void journal_hash(struct str id, struct journal_id *out)
{
    XXH128_canonical_t c;
    XXH128_canonicalFromHash(&c, XXH3_128bits(id.p, id.n));
    memcpy(out->hash, c.digest, sizeof out->hash);
}

void journal_put_id(struct buf *out, const struct journal_id *id, int64_t before_ms)
{
    buf_number(out, zigzag(id->time_ms - before_ms));
    buf_mem(out, id->hash, sizeof id->hash);
}

bool journal_read_id(struct reader *r, struct journal_id *out, int64_t before_ms)
{
    int64_t since_ms = unzigzag(reader_number(r));
    struct str hash = reader_bytes(r, sizeof out->hash);
    if (r->failed || since_ms > TIME_MAX_MS || since_ms < -TIME_MAX_MS)
        return false;
    out->time_ms = before_ms + since_ms;
    if (out->time_ms > TIME_MAX_MS || out->time_ms < -TIME_MAX_MS)
        return false;
    memcpy(out->hash, hash.p, sizeof out->hash);
    return true;
}

void journal_put_item(struct buf *out, const struct journal_item *item)
{
    int flags = (item->committed ? COMMITTED : 0) | (item->lapses ? LAPSES : 0) |
                (item->gone ? GONE : 0) | (item->unproven ? UNPROVEN : 0) |
                (item->as_it_was ? AS_IT_WAS : 0);
    buf_u8(out, (uint8_t)flags);
    buf_number(out, item->key.n);
    buf_put(out, item->key);
    buf_number(out, item->n);
    buf_number(out, item->bytes);
    buf_number(out, zigzag(item->due_ms));
    buf_number(out, zigzag(item->first_ms));
    buf_number(out, item->judge_at);
    if (!item->committed)
        buf_put(out, item->records);
}

bool journal_read_item(struct reader *r, struct journal_item *out)
{
    unsigned flags = reader_u8(r);
    *out = (struct journal_item){.committed = flags & COMMITTED,
                                 .lapses = flags & LAPSES,
                                 .gone = flags & GONE,
                                 .unproven = flags & UNPROVEN,
                                 .as_it_was = flags & AS_IT_WAS};
    out->key = reader_bytes(r, reader_number(r));
    out->n = (uint32_t)reader_number(r);
    out->bytes = (uint32_t)reader_number(r);
    out->due_ms = unzigzag(reader_number(r));
    out->first_ms = unzigzag(reader_number(r));
    out->judge_at = (uint32_t)reader_number(r);
    if (!out->committed)
        out->records = reader_bytes(r, out->bytes);
    return !r->failed && out->n <= out->bytes / sizeof(uint16_t); /* each is a str16 */
}

enum { PLAIN = 0, COMPRESSED = 2, COMPRESS_FROM_BYTES = 512, COMPRESSION = 1 };

void journal_codec_deinit(struct journal_codec *c)
{
    ZSTD_freeCCtx(c->packs);
    ZSTD_freeDCtx(c->unpacks);
    *c = (struct journal_codec){0};
}

static struct str head_of(struct str s, size_t most)
{
    return (struct str){s.p, s.n < most ? s.n : most};
}

static bool compress_frame(struct journal_codec *c, struct str frame, struct buf *out)
{
    size_t most = ZSTD_compressBound(frame.n);
    char *to = buf_reserve(out, most);
    size_t packed = to ? ZSTD_compress2(c->packs, to, most, frame.p, frame.n) : 0;
    if (!to || ZSTD_isError(packed))
        return false;
    out->n += packed;
    return true;
}

static bool compress(struct journal_codec *c, struct str field, struct buf *out)
{
    if (!c->packs) {
        c->packs = ZSTD_createCCtx();
        assert(c->packs);
        ZSTD_CCtx_setParameter(c->packs, ZSTD_c_compressionLevel, COMPRESSION);
    }
    bool fine = true;
    for (; field.n && fine; field = str_from(field, JOURNAL_FRAME_BYTES))
        fine = compress_frame(c, head_of(field, JOURNAL_FRAME_BYTES), out);
    return fine;
}

void journal_pack(struct journal_codec *c, struct str field, struct buf *out)
{
    buf_clear(out);
    buf_u8(out, COMPRESSED);
    if (c && field.n >= COMPRESS_FROM_BYTES && compress(c, field, out) &&
        out->n <= field.n)
        return;
    buf_clear(out);
    buf_u8(out, PLAIN);
    buf_put(out, field);
}

struct str journal_plain(struct str packed)
{
    return packed.n && packed.p[0] == PLAIN ? str_from(packed, 1) : STR_NONE;
}

/* Cuts the next frame off; STR_NONE: there is none, or it is damaged. */
static struct str take_frame(struct str *in)
{
    size_t n = in->n ? ZSTD_findFrameCompressedSize(in->p, in->n) : 0;
    if (n == 0 || ZSTD_isError(n))
        return STR_NONE;
    struct str frame = {in->p, n};
    *in = str_from(*in, n);
    return frame;
}

struct str journal_frame(struct str packed, size_t frame)
{
    struct str in = str_from(packed, 1), one = take_frame(&in);
    for (; one.n && frame; frame--)
        one = take_frame(&in);
    return one;
}

bool journal_frame_unpack(struct journal_codec *c, struct str frame, struct buf *out)
{
    unsigned long long bytes = ZSTD_getFrameContentSize(frame.p, frame.n);
    bool fits = bytes && bytes <= JOURNAL_FRAME_BYTES; /* none that is written is empty */
    char *to = fits ? buf_reserve(out, (size_t)bytes) : NULL;
    if (!c->unpacks)
        c->unpacks = ZSTD_createDCtx();
    assert(c->unpacks);
    if (!to ||
        ZSTD_decompressDCtx(c->unpacks, to, (size_t)bytes, frame.p, frame.n) != bytes)
        return false;
    out->n += (size_t)bytes;
    return true;
}

static bool unpack_frames(struct journal_codec *c, struct str in, struct buf *out)
{
    size_t begin = out->n;
    while (in.n) {
        struct str frame = take_frame(&in);
        bool whole =
            (out->n - begin) % JOURNAL_FRAME_BYTES == 0; /* only the last is not */
        if (!frame.n || !whole || !journal_frame_unpack(c, frame, out))
            return false;
    }
    return true;
}

bool journal_unpack(struct journal_codec *c, struct str packed, struct buf *out)
{
    struct str in = str_from(packed, 1);
    if (packed.n && packed.p[0] == COMPRESSED)
        return unpack_frames(c, in, out);
    buf_put(out, in);
    return packed.n && packed.p[0] == PLAIN && !out->overflowed;
}

enum journal_kind journal_kind_of(struct str field, int64_t *number, struct str *name)
{
    size_t i = 0;
    *name = STR_NONE;
    for (*number = 0; i < field.n && field.p[i] >= '0' && field.p[i] <= '9'; i++) {
        if (*number > NUMBER_MAX)
            return JOURNAL_NONE;
        *number = *number * 10 + (field.p[i] - '0');
    }
    if (i == field.n)
        return JOURNAL_VERSION;
    if (field.p[i] != ' ' || i + 1 == field.n)
        return JOURNAL_NONE;
    *name = str_from(field, i + 3);
    switch (field.p[i + 1]) {
    case 'i':
        return JOURNAL_IDS;
    case 'w':
        return JOURNAL_WINDOWS;
    case 'j':
        return JOURNAL_JOIN;
    default:
        return JOURNAL_NONE;
    }
}

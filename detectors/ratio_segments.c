/* Which segments a bucket keeps must not depend on the order in which events came: it keeps those whose keys have
 * the smallest hashes. One that is among the smallest at the end was so from its first event on, hence was never
 * left out and its tally is whole. What is left out stays in the bucket's own tally. */
#include "detectors/ratio_segments.h"

#include <assert.h>
#include <xxhash.h>

void *segments_room(struct arena *arena, void *items, size_t n, size_t *cap,
                    size_t item_bytes)
{
    if (n < *cap)
        return items;
    *cap = *cap ? *cap * 2 : 8;
    void *more = arena_alloc(arena, *cap * item_bytes);
    if (n)
        memcpy(more, items, n * item_bytes);
    return more;
}

/* --- adding --- */

static struct segment_bucket *bucket_of(struct segment_window *w, int64_t cell)
{
    size_t i = w->n;
    while (i && w->buckets[i - 1].tally.cell >= cell)
        i--;
    if (i < w->n && w->buckets[i].tally.cell == cell)
        return &w->buckets[i];
    w->buckets =
        segments_room(w->out->arena, w->buckets, w->n, &w->cap, sizeof *w->buckets);
    memmove(&w->buckets[i + 1], &w->buckets[i], (w->n++ - i) * sizeof *w->buckets);
    w->buckets[i] = (struct segment_bucket){.tally.cell = cell};
    return &w->buckets[i];
}

static int by_hash(const struct segment *s, uint64_t hash, struct str key)
{
    return s->hash != hash ? (s->hash < hash ? -1 : 1) : str_cmp(s->key, key);
}

/* The first segment that is not before the key. */
static size_t place_of(const struct segment_bucket *b, uint64_t hash, struct str key)
{
    size_t low = 0, high = b->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_hash(&b->segments[middle], hash, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The key's segment; NULL: there are too many before it. */
static struct segment *segment_of(struct segment_window *w, struct segment_bucket *b,
                                  struct str key)
{
    uint64_t hash = XXH3_64bits(key.p, key.n);
    size_t at = place_of(b, hash, key), most = (size_t)w->settings->max_segments;
    if (at < b->n && by_hash(&b->segments[at], hash, key) == 0)
        return &b->segments[at];
    if (at == most)
        return NULL;
    if (b->n == most)
        b->n--; /* the last one is left out from now on, and had no right to be in */
    b->segments =
        segments_room(w->out->arena, b->segments, b->n, &b->cap, sizeof *b->segments);
    memmove(&b->segments[at + 1], &b->segments[at], (b->n++ - at) * sizeof *b->segments);
    b->segments[at] = (struct segment){.hash = hash, .key = key};
    return &b->segments[at];
}

static bool is_before(const struct shown *a, const struct shown *b)
{
    return a->time_ms != b->time_ms ? a->time_ms < b->time_ms : str_cmp(a->id, b->id) < 0;
}

/* The earliest of each side stay, of one that an alert can be about. */
static void show(const struct segment_window *w, struct segment *s, bool matching,
                 const struct shown *event)
{
    if (w->settings->direction == (matching ? RATIO_DOWN : RATIO_UP))
        return;
    struct shown *list = s->shown[matching];
    size_t at = s->shown_n[matching];
    while (at && is_before(event, &list[at - 1]))
        at--;
    if (at == SEGMENT_EVIDENCE)
        return;
    if (s->shown_n[matching] < SEGMENT_EVIDENCE)
        s->shown_n[matching]++;
    memmove(&list[at + 1], &list[at], (s->shown_n[matching] - 1 - at) * sizeof *list);
    list[at] = *event;
}

static void add_record(struct segment_window *w, struct str record)
{
    struct reader r = {.in = record};
    struct str key = reader_str16(&r);
    struct member m;
    if (r.failed || !member_unpack(r.in, &m))
        return;
    struct segment_bucket *b = bucket_of(w, ratio_cell_of(w->settings, m.time_ms));
    struct segment *s = segment_of(w, b, key);
    b->tally.n++;
    b->tally.matched += m.value;
    if (!s)
        return;
    s->n++;
    s->matched += m.value;
    show(w, s, m.value == 1, &(struct shown){m.time_ms, m.evidence.event, r.in});
}

/* --- the packed window --- */

static void unpack_segment(struct segment *s, struct reader *r)
{
    s->key = reader_str16(r);
    s->hash = XXH3_64bits(s->key.p, s->key.n);
    s->n = reader_i64(r);
    s->matched = reader_i64(r);
    for (int side = 0; side < 2; side++) {
        s->shown_n[side] = reader_u8(r);
        assert(s->shown_n[side] <= SEGMENT_EVIDENCE);
        for (size_t i = 0; i < s->shown_n[side]; i++) {
            struct member m;
            struct str packed = reader_str16(r);
            bool ok = member_unpack(packed, &m);
            assert(ok);
            s->shown[side][i] = (struct shown){m.time_ms, m.evidence.event, packed};
        }
    }
}

static void pack_segment(const struct segment *s, struct buf *out)
{
    buf_str16(out, s->key);
    buf_i64(out, s->n);
    buf_i64(out, s->matched);
    for (int side = 0; side < 2; side++) {
        buf_u8(out, s->shown_n[side]);
        for (size_t i = 0; i < s->shown_n[side]; i++)
            buf_str16(out, s->shown[side][i].packed);
    }
}

static void unpack_bucket(struct segment_window *w, struct reader *r)
{
    struct segment_bucket *b = bucket_of(w, reader_i64(r));
    b->tally.n = reader_i64(r);
    b->tally.matched = reader_i64(r);
    b->n = reader_u32(r);
    assert(b->n <= (size_t)w->settings->max_segments);
    b->cap = b->n + 8;
    b->segments = arena_alloc(w->out->arena, b->cap * sizeof *b->segments);
    for (size_t i = 0; i < b->n; i++)
        unpack_segment(&b->segments[i], r);
}

static void pack_bucket(const struct segment_bucket *b, struct buf *out)
{
    buf_i64(out, b->tally.cell);
    buf_i64(out, b->tally.n);
    buf_i64(out, b->tally.matched);
    buf_u32(out, (uint32_t)b->n);
    for (size_t i = 0; i < b->n; i++)
        pack_segment(&b->segments[i], out);
}

static void unpack(struct segment_window *w)
{
    struct reader r = {.in = w->in->state};
    if (r.in.n == 0)
        return;
    w->episodes_n = w->episodes_cap = reader_u32(&r);
    w->episodes = arena_alloc(w->out->arena, (w->episodes_n + 1) * sizeof *w->episodes);
    for (size_t i = 0; i < w->episodes_n; i++) {
        struct segment_episode *e = &w->episodes[i];
        e->key = reader_str16(&r);
        e->up = reader_u8(&r);
        e->opened_cell = reader_i64(&r);
        e->last_cell = reader_i64(&r);
    }
    for (size_t n = reader_u32(&r); n && !r.failed; n--)
        unpack_bucket(w, &r);
    assert(!r.failed && r.in.n == 0);
}

static void pack(const struct segment_window *w)
{
    struct buf *out = w->out->state;
    buf_u32(out, (uint32_t)w->episodes_n);
    for (size_t i = 0; i < w->episodes_n; i++) {
        buf_str16(out, w->episodes[i].key);
        buf_u8(out, w->episodes[i].up);
        buf_i64(out, w->episodes[i].opened_cell);
        buf_i64(out, w->episodes[i].last_cell);
    }
    buf_u32(out, (uint32_t)(w->n - w->closed_n));
    for (size_t i = w->closed_n; i < w->n; i++)
        pack_bucket(&w->buckets[i], out);
}

void segments_load(struct segment_window *w)
{
    unpack(w);
    for (size_t i = 0; i < w->in->records_n; i++)
        add_record(w, w->in->records[i]);
}

void segments_keep(struct segment_window *w)
{
    const struct ratio_settings *s = w->settings;
    int64_t next = INT64_MAX; /* the cell at whose end something becomes known */
    if (w->closed_n < w->n)
        next = w->buckets[w->closed_n].tally.cell;
    for (size_t i = 0; i < w->episodes_n; i++)
        if (w->episodes[i].last_cell + s->silent_n < next)
            next = w->episodes[i].last_cell + s->silent_n;
    if (next == INT64_MAX)
        return;
    w->out->due_ms = ratio_start_of(s, next + 1);
    pack(w);
}

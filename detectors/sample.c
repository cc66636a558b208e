#include "detectors/sample.h"

#include <endian.h>
#include <xxhash.h>

enum { WRITTEN_MAX_BYTES = 16 << 20 };

uint64_t sample_hash(struct str id, int64_t time_ms)
{
    return XXH3_64bits_withSeed(id.p, id.n, (uint64_t)time_ms);
}

/* By hash; events of one hash by what they have, so that their order is no matter either. */
static int compare(const struct sample_entry *a, const struct sample_entry *b)
{
    int c = (a->hash > b->hash) - (a->hash < b->hash);
    for (size_t i = 0; c == 0 && i < SAMPLE_PARTS_MAX; i++)
        c = str_cmp(a->parts[i], b->parts[i]);
    return c;
}

void sample_add(struct sample *s, size_t most, const struct sample_entry *e,
                struct arena *arena)
{
    if (s->n == most && compare(e, &s->entries[most - 1]) >= 0)
        return;
    if (!s->entries)
        s->entries = arena_take(arena, SAMPLE_MOST * sizeof *s->entries);
    s->n -= s->n == most;
    size_t at = s->n;
    while (at && compare(e, &s->entries[at - 1]) < 0)
        at--;
    memmove(&s->entries[at + 1], &s->entries[at], (s->n - at) * sizeof *s->entries);
    s->entries[at] = *e;
    s->n++;
}

/* --- writing --- */

void sample_writer_begin(struct sample_writer *w, size_t parts_n)
{
    *w = (struct sample_writer){.parts_n = parts_n};
    index_init(&w->texts);
    buf_init(&w->first, WRITTEN_MAX_BYTES);
    buf_init(&w->then, WRITTEN_MAX_BYTES);
}

static size_t number_of(struct sample_writer *w, struct str text)
{
    size_t known = w->texts.n, number = index_put(&w->texts, text, known + 1);
    if (w->texts.n > known)
        buf_str16(&w->first, text);
    return number;
}

/* 0: no text. All lie where they are until the writer ends. */
static size_t number_at(struct sample_writer *w, struct str text)
{
    struct sample_text *last = &w->last[(uintptr_t)text.p % SAMPLE_LAST];
    if (text.n == 0)
        return 0;
    if (last->text.p != text.p || last->text.n != text.n)
        *last = (struct sample_text){text, number_of(w, text)};
    return last->number;
}

void sample_put(struct sample_writer *w, const struct sample *s)
{
    size_t most = 1 + s->n * (sizeof(uint64_t) + w->parts_n * BUF_NUMBER_MAX);
    char *to = buf_reserve(&w->then, most), *begin = to;
    if (!to)
        return;
    *to++ = (char)s->n;
    for (size_t i = 0; i < s->n; i++) {
        uint64_t hash = htole64(s->entries[i].hash);
        memcpy(to, &hash, sizeof hash);
        to += sizeof hash;
        for (size_t p = 0; p < w->parts_n; p++)
            to = buf_number_at(to, number_at(w, s->entries[i].parts[p]));
    }
    w->then.n += (size_t)(to - begin);
}

void sample_writer_end(struct sample_writer *w, struct buf *out)
{
    buf_u32(out, (uint32_t)w->texts.n);
    buf_put(out, buf_str(&w->first));
    buf_put(out, buf_str(&w->then));
    index_deinit(&w->texts);
    buf_deinit(&w->first);
    buf_deinit(&w->then);
}

/* --- reading --- */

void sample_reader_begin(struct sample_reader *r)
{
    size_t n = reader_u32(r->in);
    if (n > r->in->in.n)
        r->in->failed = true;
    if (r->in->failed)
        return;
    r->texts = arena_alloc(r->arena, (n + 1) * sizeof *r->texts);
    for (r->texts_n = 1; r->texts_n <= n; r->texts_n++)
        r->texts[r->texts_n] = reader_str16(r->in);
}

void sample_take(struct sample_reader *r, struct sample *out)
{
    size_t n = reader_u8(r->in);
    if (n > SAMPLE_MOST)
        r->in->failed = true;
    *out = (struct sample){0};
    if (n == 0 || r->in->failed)
        return;
    out->entries = arena_take(r->arena, SAMPLE_MOST * sizeof *out->entries);
    for (; out->n < n; out->n++) {
        struct sample_entry *e = &out->entries[out->n];
        *e = (struct sample_entry){.hash = (uint64_t)reader_i64(r->in)};
        for (size_t p = 0; p < r->parts_n; p++) {
            uint64_t number = reader_number(r->in);
            e->parts[p] = number < r->texts_n ? r->texts[number] : STR_NONE;
        }
    }
}

/* Fields lie compressed; the last ones also as they are (recent.h), which is where most records are read. Else a field is read
 * frame by frame; frames that were read of late are kept. */
#include <assert.h>
#include <stdlib.h>

#include "windows/mirror_impl.h"

enum { FIELD_MAX_BYTES = (256 << 20) + JOURNAL_FRAME_BYTES, KEPT_BYTES = 4 << 20 };

bool mirror_field_read(struct mirror *m, const struct mirror_field *f, struct str *out)
{
    if (m->whole.cap > KEPT_BYTES)
        buf_deinit(&m->whole);
    m->whole.max_bytes = FIELD_MAX_BYTES;
    buf_clear(&m->whole);
    bool fine = journal_unpack(&m->codec, f->packed, &m->whole);
    *out = buf_str(&m->whole);
    return fine;
}

/* STR_NONE: it has no such frame. */
static struct str frame_of(struct mirror *m, const struct mirror_field *f, size_t frame)
{
    uint64_t place = ((uintptr_t)f >> 6) + (uint64_t)f->number * 31 + frame;
    struct mirror_frame *kept = &m->frames[place % MIRROR_FRAMES];
    if (kept->field == f && kept->number == f->number && kept->frame == frame)
        return buf_str(&kept->bytes);
    struct str packed = journal_frame(f->packed, frame);
    if (!packed.n)
        return STR_NONE;
    kept->bytes.max_bytes = JOURNAL_FRAME_BYTES;
    buf_clear(&kept->bytes);
    kept->field = f;
    kept->number = f->number;
    kept->frame = frame;
    bool fine = journal_frame_unpack(&m->codec, packed, &kept->bytes);
    assert(fine); /* it was read before */
    return buf_str(&kept->bytes);
}

static bool read_item(struct str bytes, struct arena *arena, struct journal_item *out)
{
    struct reader r = {.in = bytes};
    if (!journal_read_item(&r, out))
        return false;
    out->key = arena_str(arena, out->key);
    out->records = arena_str(arena, out->records);
    return true;
}

/* One that goes on in the next frames. */
static void read_long_item(struct mirror *m, const struct mirror_field *f, size_t at,
                           struct arena *arena, struct journal_item *out)
{
    size_t i = at / JOURNAL_FRAME_BYTES, behind = at % JOURNAL_FRAME_BYTES;
    struct buf some;
    buf_init(&some, FIELD_MAX_BYTES);
    do {
        struct str frame = frame_of(m, f, i++);
        assert(frame.n); /* it was read before */
        buf_put(&some, frame);
    } while (!read_item(str_from(buf_str(&some), behind), arena, out));
    buf_deinit(&some);
}

void mirror_field_item(struct mirror *m, const struct mirror_field *f, size_t at,
                       struct arena *arena, struct journal_item *out)
{
    struct str plain = recent_at(&m->recent, f->recent_place, f->plain_n);
    size_t behind = at % JOURNAL_FRAME_BYTES;
    if (!plain.p)
        plain = journal_plain(f->packed);
    struct str in = plain.p ? str_from(plain, at)
                            : str_from(frame_of(m, f, at / JOURNAL_FRAME_BYTES), behind);
    if (!read_item(in, arena, out))
        read_long_item(m, f, at, arena, out);
}

bool mirror_next_piece(struct mirror *m, const struct mirror_window *w, uint32_t *at,
                       struct arena *arena, struct journal_item *out)
{
    if (!w->last || *at == w->last)
        return false;
    *at = mirror_piece(m, *at ? *at : w->last)->next;
    const struct mirror_piece *p = mirror_piece(m, *at);
    mirror_field_item(m, p->field, p->at, arena, out);
    return true;
}

struct str mirror_head(const struct mirror *m, const struct mirror_window *w,
                       struct str key, struct arena *arena)
{
    const struct mirror_name *of = m->names[w->name];
    struct str name = {of->text, of->bytes};
    char *head = arena_take(arena, 2 + name.n + key.n);
    head[0] = (char)(name.n & 0xff);
    head[1] = (char)(name.n >> 8);
    memcpy(head + 2, name.p, name.n);
    if (key.n)
        memcpy(head + 2 + name.n, key.p, key.n);
    return (struct str){head, 2 + name.n + key.n};
}

void mirror_field_done(struct mirror_field *f)
{
    free((void *)(uintptr_t)f->packed.p);
    f->packed = STR_NONE;
}

void mirror_field_free(struct mirror_field *f)
{
    mirror_field_done(f);
    free(f);
}

struct window_id mirror_id(const struct mirror_name *name, struct str key,
                           struct buf *scratch)
{
    buf_clear(scratch);
    buf_str16(scratch, (struct str){name->text, name->bytes});
    buf_put(scratch, key);
    return window_id_of(buf_str(scratch));
}

void mirror_field_add(struct mirror_fields *fields, struct mirror_field *f)
{
    f->next = NULL;
    *(fields->first ? &fields->last->next : &fields->first) = f;
    fields->last = f;
}

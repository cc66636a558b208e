/* Fields lie compressed. One is read as a whole to be folded, and frame by frame for its records; frames that were read of late
 * are kept. */
#include <assert.h>
#include <stdlib.h>

#include "windows/mirror_impl.h"

enum { FIELD_MAX_BYTES = 256 << 20, KEPT_BYTES = 4 << 20 };

bool mirror_field_read(struct mirror *m, const struct mirror_field *f, struct str *out)
{
    if (m->whole.cap > KEPT_BYTES)
        buf_deinit(&m->whole);
    m->whole.max_bytes = FIELD_MAX_BYTES;
    buf_clear(&m->whole);
    bool fine = journal_unpack(&m->codec, f->packed, 0, SIZE_MAX, &m->whole);
    *out = buf_str(&m->whole);
    return fine;
}

static struct str frame_of(struct mirror *m, const struct mirror_field *f, size_t frame)
{
    uint64_t place = (uint64_t)f->number * 31 + frame;
    struct mirror_frame *kept = &m->frames[place % MIRROR_FRAMES];
    if (kept->field != f || kept->number != f->number || kept->frame != frame) {
        kept->bytes.max_bytes = JOURNAL_FRAME_BYTES;
        buf_clear(&kept->bytes);
        kept->field = f;
        kept->number = f->number;
        kept->frame = frame;
        bool fine = journal_unpack(&m->codec, f->packed, frame, 1, &kept->bytes);
        assert(fine); /* it was read before */
    }
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

/* Most lie in one frame. */
void mirror_field_item(struct mirror *m, const struct mirror_field *f, size_t at,
                       struct arena *arena, struct journal_item *out)
{
    struct str plain = journal_plain(f->packed);
    size_t first = at / JOURNAL_FRAME_BYTES, behind = at % JOURNAL_FRAME_BYTES;
    if (read_item(plain.p ? str_from(plain, at) : str_from(frame_of(m, f, first), behind),
                  arena, out))
        return;
    struct buf more;
    buf_init(&more, FIELD_MAX_BYTES);
    bool fine = journal_unpack(&m->codec, f->packed, first, SIZE_MAX, &more) &&
                read_item(str_from(buf_str(&more), behind), arena, out);
    assert(fine); /* it was read before */
    buf_deinit(&more);
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

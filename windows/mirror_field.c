/* Fields lie compressed; those used of late, some megabytes of them, also as they are read. */
#include <assert.h>
#include <stdlib.h>

#include "windows/mirror_impl.h"

enum { READ_MAX_BYTES = 16 << 20 };

static void take_out(struct mirror *m, struct mirror_field *f)
{
    *(f->earlier ? &f->earlier->later : &m->oldest) = f->later;
    *(f->later ? &f->later->earlier : &m->newest) = f->earlier;
    f->earlier = f->later = NULL;
}

static void put_in(struct mirror *m, struct mirror_field *f)
{
    f->earlier = m->newest;
    *(m->newest ? &m->newest->later : &m->oldest) = f;
    m->newest = f;
}

static void close_field(struct mirror *m, struct mirror_field *f)
{
    if (!f->bytes)
        return;
    take_out(m, f);
    m->read_bytes -= f->bytes_n;
    free(f->bytes);
    f->bytes = NULL;
}

/* Others are closed for it. */
static void open_field(struct mirror *m, struct mirror_field *f, char *bytes, size_t n)
{
    f->bytes = bytes;
    f->bytes_n = n;
    put_in(m, f);
    m->read_bytes += n;
    while (m->read_bytes > READ_MAX_BYTES && m->oldest != f && m->oldest != m->folded)
        close_field(m, m->oldest);
}

void mirror_field_know(struct mirror *m, struct mirror_field *f, struct str bytes)
{
    char *copy = malloc(bytes.n + 1);
    assert(copy);
    memcpy(copy, bytes.p, bytes.n);
    open_field(m, f, copy, bytes.n);
}

struct str mirror_field_read(struct mirror *m, struct mirror_field *f)
{
    size_t n;
    if (f->bytes) {
        take_out(m, f);
        put_in(m, f);
        return (struct str){f->bytes, f->bytes_n};
    }
    char *bytes = journal_unpack(f->packed, &n);
    if (!bytes)
        return STR_NONE;
    open_field(m, f, bytes, n);
    return (struct str){f->bytes, f->bytes_n};
}

void mirror_field_done(struct mirror *m, struct mirror_field *f)
{
    close_field(m, f);
    free((void *)(uintptr_t)f->packed.p);
    f->packed = STR_NONE;
}

void mirror_field_free(struct mirror *m, struct mirror_field *f)
{
    mirror_field_done(m, f);
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

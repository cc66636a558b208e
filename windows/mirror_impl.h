/* Within the mirror: windows by id. */
#ifndef WINDOWS_MIRROR_IMPL_H
#define WINDOWS_MIRROR_IMPL_H

#include "windows/mirror.h"

static inline struct mirror_window *mirror_at(const struct mirror *m, uint32_t number)
{
    return window_table_at(&m->windows, number);
}

static inline struct mirror_piece *mirror_piece(const struct mirror *m, uint32_t number)
{
    return pool_at(&m->pieces, number);
}

/* A new, empty window of that id, which must not be there. */
struct mirror_window *mirror_add(struct mirror *m, const struct window_id *id,
                                 size_t name);
/* It is no more; its pieces must be gone, and it in no list. */
void mirror_remove(struct mirror *m, struct mirror_window *w);

size_t mirror_name(struct mirror *m, struct str name, struct str lane);
void mirror_field_add(struct mirror_fields *fields, struct mirror_field *f);
void mirror_field_free(struct mirror_field *f);
/* The window's id is the hash of its head. */
struct window_id mirror_id(const struct mirror_name *name, struct str key,
                           struct buf *scratch);
/* All that it holds, until another is read. False: it is damaged. */
bool mirror_field_read(struct mirror *m, const struct mirror_field *f, struct str *out);
/* An item that lies at `at`, copied into the arena. */
void mirror_field_item(struct mirror *m, const struct mirror_field *f, size_t at,
                       struct arena *arena, struct journal_item *out);
/* Nothing of it is needed any more. */
void mirror_field_done(struct mirror_field *f);

#endif

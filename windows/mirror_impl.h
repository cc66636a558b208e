/* Within the mirror: windows by id. */
#ifndef WINDOWS_MIRROR_IMPL_H
#define WINDOWS_MIRROR_IMPL_H

#include "windows/mirror.h"

/* A new, empty window of that id, which must not be there. */
struct mirror_window *mirror_add(struct mirror *m, const struct window_id *id,
                                 size_t name);
/* It is no more; its pieces must be gone, and it in no list. */
void mirror_remove(struct mirror *m, struct mirror_window *w);

size_t mirror_name(struct mirror *m, struct str name, struct str lane);
void mirror_field_add(struct mirror_fields *fields, struct mirror_field *f);
void mirror_field_free(struct mirror *m, struct mirror_field *f);
/* The window's id is the hash of its head. */
struct window_id mirror_id(const struct mirror_name *name, struct str key,
                           struct buf *scratch);
/* Its bytes; kept until others were used. */
struct str mirror_field_read(struct mirror *m, struct mirror_field *f);
/* The same where they are known; copied. */
void mirror_field_know(struct mirror *m, struct mirror_field *f, struct str bytes);
/* Nothing of it is needed any more. */
void mirror_field_done(struct mirror *m, struct mirror_field *f);

#endif

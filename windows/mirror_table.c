/* The mirror's windows: in a table by id, and counted by name. */
#include <assert.h>

#include "windows/mirror_impl.h"

struct mirror_window *mirror_find(const struct mirror *m, const struct window_id *id)
{
    uint32_t at = window_table_find(&m->windows, id);
    return at ? mirror_at(m, at) : NULL;
}

struct mirror_window *mirror_add(struct mirror *m, const struct window_id *id,
                                 size_t name)
{
    uint32_t at = window_table_add(&m->windows, id);
    struct mirror_window *w = mirror_at(m, at);
    assert(name <= UINT16_MAX);
    *w = (struct mirror_window){.id = *id,
                                .name = (uint16_t)name,
                                .calm_from_ms = STORE_NO_TIME,
                                .due_ms = STORE_NO_DUE,
                                .at = at,
                                .there = true};
    m->names[name]->windows_n++;
    return w;
}

void mirror_remove(struct mirror *m, struct mirror_window *w)
{
    m->names[w->name]->windows_n--;
    w->there = false; /* entries of heaps that name it count no more */
    w->due_ms = STORE_NO_DUE;
    window_table_remove(&m->windows, w->at);
}

/* Open addressing with linear probing; ids are hashes already. Who leaves lets those behind move up. */
#include <assert.h>
#include <stdlib.h>

#include "windows/mirror_impl.h"

enum { TABLE_LEAST = 1024 };

static size_t home(const struct mirror *m, const struct window_id *id)
{
    uint64_t h;
    memcpy(&h, id->bytes, sizeof h);
    return (size_t)h & (m->table_n - 1);
}

static size_t after(const struct mirror *m, size_t at)
{
    return (at + 1) & (m->table_n - 1);
}

static struct mirror_window *in(const struct mirror *m, size_t at)
{
    return m->table[at] ? m->items[m->table[at] - 1] : NULL;
}

static size_t place_of(const struct mirror *m, const struct window_id *id)
{
    size_t at = home(m, id);
    for (struct mirror_window *w; (w = in(m, at)); at = after(m, at))
        if (memcmp(w->id.bytes, id->bytes, sizeof id->bytes) == 0)
            break;
    return at;
}

struct mirror_window *mirror_find(const struct mirror *m, const struct window_id *id)
{
    return m->table_n ? in(m, place_of(m, id)) : NULL;
}

static void grow(struct mirror *m)
{
    size_t *old = m->table, old_n = m->table_n;
    m->table_n = old_n ? 2 * old_n : TABLE_LEAST;
    m->table = calloc(m->table_n, sizeof *m->table);
    assert(m->table);
    for (size_t i = 0; i < old_n; i++)
        if (old[i])
            m->table[place_of(m, &m->items[old[i] - 1]->id)] = old[i];
    free(old);
}

static size_t number(struct mirror *m)
{
    if (m->vacant_n)
        return m->vacant[--m->vacant_n];
    if (m->items_n == m->items_cap) {
        m->items_cap = m->items_cap ? 2 * m->items_cap : TABLE_LEAST;
        m->items = realloc(m->items, m->items_cap * sizeof *m->items);
        m->vacant = realloc(m->vacant, m->items_cap * sizeof *m->vacant);
        assert(m->items && m->vacant);
    }
    m->items[m->items_n] = calloc(1, sizeof **m->items);
    assert(m->items[m->items_n]);
    return m->items_n++;
}

struct mirror_window *mirror_add(struct mirror *m, const struct window_id *id,
                                 size_t name)
{
    if (4 * (m->windows_n + 1) > 3 * m->table_n)
        grow(m);
    size_t at = number(m);
    struct mirror_window *w = m->items[at];
    *w = (struct mirror_window){.id = *id,
                                .name = name,
                                .calm_from_ms = STORE_NO_TIME,
                                .due_ms = STORE_NO_DUE,
                                .at = at};
    m->table[place_of(m, id)] = at + 1;
    m->windows_n++;
    m->names[name]->windows_n++;
    return w;
}

void mirror_remove(struct mirror *m, struct mirror_window *w)
{
    size_t hole = place_of(m, &w->id);
    m->table[hole] = 0;
    for (size_t at = after(m, hole); m->table[at]; at = after(m, at)) {
        size_t from = home(m, &in(m, at)->id);
        bool moves = hole <= at ? from <= hole || from > at : from <= hole && from > at;
        if (!moves)
            continue;
        m->table[hole] = m->table[at];
        m->table[at] = 0;
        hole = at;
    }
    m->names[w->name]->windows_n--;
    m->windows_n--;
    w->due_ms = STORE_NO_DUE; /* entries of heaps that name it count no more */
    m->vacant[m->vacant_n++] = w->at;
}

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
    return m->table[at] ? mirror_at(m, m->table[at]) : NULL;
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
    uint32_t *old = m->table;
    size_t old_n = m->table_n;
    m->table_n = old_n ? 2 * old_n : TABLE_LEAST;
    m->table = calloc(m->table_n, sizeof *m->table);
    assert(m->table);
    for (size_t i = 0; i < old_n; i++)
        if (old[i])
            m->table[place_of(m, &mirror_at(m, old[i])->id)] = old[i];
    free(old);
}

struct mirror_window *mirror_add(struct mirror *m, const struct window_id *id,
                                 size_t name)
{
    if (4 * (m->windows_n + 1) > 3 * m->table_n)
        grow(m);
    uint32_t at = pool_take(&m->windows);
    struct mirror_window *w = mirror_at(m, at);
    assert(name <= UINT16_MAX);
    *w = (struct mirror_window){.id = *id,
                                .name = (uint16_t)name,
                                .calm_from_ms = STORE_NO_TIME,
                                .due_ms = STORE_NO_DUE,
                                .at = at,
                                .there = true};
    m->table[place_of(m, id)] = at;
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
    w->there = false; /* entries of heaps that name it count no more */
    w->due_ms = STORE_NO_DUE;
    pool_give(&m->windows, w->at);
}

/* Windows in memory by their id: objects that begin with a struct window_id, in a pool, and a hash table of their numbers.
 * Objects never move. One owner, one thread. */
#ifndef WINDOWS_WINDOW_TABLE_H
#define WINDOWS_WINDOW_TABLE_H

#include "core/pool.h"
#include "windows/window.h"

struct window_table {
    struct pool windows;
    uint64_t *slots; /* capacity a power of two */
    size_t n, capacity;
};

/* object_bytes: as pool_init() wants it. */
void window_table_init(struct window_table *t, size_t object_bytes);
void window_table_deinit(struct window_table *t);

static inline void *window_table_at(const struct window_table *t, uint32_t number)
{
    return pool_at(&t->windows, number);
}

/* The number of the window with that id; 0: there is none. */
uint32_t window_table_find(const struct window_table *t, const struct window_id *id);
/* The id's place in the table will be asked for soon. The table has been used. */
void window_table_prefetch(const struct window_table *t, const struct window_id *id);
/* The number of a new one, all zero but for its id, which is not there yet. */
uint32_t window_table_add(struct window_table *t, const struct window_id *id);
/* The number is given to a new one; until then the object stays as it is, but for its id. */
void window_table_remove(struct window_table *t, uint32_t number);

#endif

/* A binary heap of (due time, window number), smallest time first. Entries are never moved: a window
 * whose due time changed is pushed again, and the reader drops entries that are not current. */
#ifndef WINDOWS_DUE_HEAP_H
#define WINDOWS_DUE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct due_entry {
    int64_t due_ms;
    uint32_t window;
};

/* All zero is an empty one. */
struct due_heap {
    struct due_entry *entries;
    size_t n, cap;
};

void due_heap_deinit(struct due_heap *h);
void due_heap_push(struct due_heap *h, int64_t due_ms, uint32_t window);
/* The smallest, without taking it; false when there is none. */
bool due_heap_peek(const struct due_heap *h, struct due_entry *out);
void due_heap_pop(struct due_heap *h);

#endif

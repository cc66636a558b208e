#include "windows/due_heap.h"

#include <assert.h>
#include <stdlib.h>

void due_heap_deinit(struct due_heap *h)
{
    free(h->entries);
    *h = (struct due_heap){0};
}

void due_heap_push(struct due_heap *h, int64_t due_ms, uint32_t window)
{
    if (h->n == h->cap) {
        h->cap = h->cap ? h->cap * 2 : 64;
        h->entries = realloc(h->entries, h->cap * sizeof *h->entries);
        assert(h->entries);
    }
    size_t i = h->n++;
    while (i && h->entries[(i - 1) / 2].due_ms > due_ms) {
        h->entries[i] = h->entries[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    h->entries[i] = (struct due_entry){due_ms, window};
}

bool due_heap_peek(const struct due_heap *h, struct due_entry *out)
{
    if (h->n == 0)
        return false;
    *out = h->entries[0];
    return true;
}

void due_heap_pop(struct due_heap *h)
{
    assert(h->n);
    struct due_entry last = h->entries[--h->n];
    size_t i = 0;
    for (size_t child = 1; child < h->n; child = 2 * i + 1) {
        if (child + 1 < h->n && h->entries[child + 1].due_ms < h->entries[child].due_ms)
            child++;
        if (h->entries[child].due_ms >= last.due_ms)
            break;
        h->entries[i] = h->entries[child];
        i = child;
    }
    h->entries[i] = last;
}

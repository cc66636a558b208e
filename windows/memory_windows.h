/* The windows of the store in memory: packed values found by id, a heap of due times, a list of those that
 * want judging at once. */
#ifndef WINDOWS_MEMORY_WINDOWS_H
#define WINDOWS_MEMORY_WINDOWS_H

#include "windows/due_heap.h"
#include "windows/window_counts.h"
#include "windows/window_store.h"
#include "windows/window_table.h"

struct memory_windows {
    struct window_table table;
    struct due_heap due;
    uint32_t *
        list; /* numbers of windows that wait, and of some that wait no more; 0: it is gone */
    size_t list_n, list_cap, waiting_n;
    size_t woken_n;   /* of those that wait: they were due */
    int64_t woken_ms; /* the earliest due time of those woken since there were none */
    uint64_t version;
    /* Nobody hears what is said early: what wants judging at once is judged when the watermark has passed what was
     * added, or when it has become twice as large. */
    bool patient;
    struct window_counts live;
};

void memory_windows_init(struct memory_windows *m, bool patient);
void memory_windows_deinit(struct memory_windows *m);
/* Adds a change of the batch to its window, which waits when it wants judging. False: it would be a new one,
 * and there are as many of its name as may be. */
bool memory_windows_change(struct memory_windows *m, const struct apply *batch,
                           const struct window_change *c);
/* The earliest due time, STORE_NO_DUE: none. */
int64_t memory_windows_next_due(struct memory_windows *m);
/* Makes windows that are due at the watermark wait, until `limit` wait. Returns how many lapsed instead. */
size_t memory_windows_wake(struct memory_windows *m, int64_t watermark_ms, size_t limit);
/* See struct store_clock judged_ms. */
int64_t memory_windows_judged(struct memory_windows *m, int64_t watermark_ms);
/* A copy of the window; false: there is none. */
bool memory_windows_peek(const struct memory_windows *m, const struct window_id *id,
                         struct arena *arena, struct window *out);
/* Copies of at most `limit` waiting windows; they wait until they are replaced. */
size_t memory_windows_waiting(struct memory_windows *m, size_t limit, struct arena *arena,
                              struct window **out);
/* Puts what became of a judged window, unless it was changed since: sets j->committed. */
void memory_windows_replace(struct memory_windows *m, struct judged *j);

#endif

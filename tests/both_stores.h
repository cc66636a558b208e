/* Tests of what a store promises, run on each kind of store: in memory, and in a Redis of the test's own. */
#ifndef TESTS_BOTH_STORES_H
#define TESTS_BOTH_STORES_H

#include "windows/window_store.h"

/* Calls run with each of 0 to n-1 on an empty store, and once more on one in Redis. Stores are closed here. Ends the
 * program as skipped where there is no Redis. */
void both_stores(int64_t lateness_ms, struct memory_listener listener,
                 void (*run)(struct window_store *store, size_t test), size_t n);

#endif

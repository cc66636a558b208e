/* One event told to a store, for tests of what a store does with it. */
#ifndef TESTS_STORE_EVENT_H
#define TESTS_STORE_EVENT_H

#include "windows/window_store.h"

/* Which event: `name` is its id; with `window` it waits there, in the window of rule "rule" and that one-part key, until
 * due_ms or until it is judged; judge_at is that of struct window_change, 1 where it is 0. */
struct store_event {
    struct str partition, name;
    int64_t offset, time_ms;
    struct str window; /* p NULL: none */
    uint32_t judge_at;
    int64_t due_ms;
    bool lapses; /* ... or is forgotten unheard then */
};

/* The window of that key. */
struct window_id store_event_window(const char *key);

/* Applies it as a batch of one, and checks that it was applied. The reply's texts are the arena's. */
void store_event_apply(struct window_store *store, const struct store_event *event,
                       struct arena *arena, struct apply_reply *reply);

#endif

/* Which alerts explain which, as delivery knows it: what is told to somebody hides from then on what `inhibit` says and has a
 * time between its opening and its end, in this process at once and in others two seconds later. The shards' threads share it, since what hides and what is hidden may
 * lie in different shards; each reads its own part from its own Redis, and waits for no other. Best effort: the record is exact
 * (app/hide.h). */
#ifndef SINKS_EXPLAIN_H
#define SINKS_EXPLAIN_H

#include "core/inhibit.h"

struct explain;
struct outbox;

/* The inhibits are borrowed. NULL where there are none; then none of the others is to be called but explain_free. */
struct explain *explain_new(const struct inhibit *all, size_t n, size_t shards_n);
void explain_free(struct explain *x);

/* Reads what the shard knows, on its thread. 0; -1 as outbox.h has it. */
int explain_look(struct explain *x, size_t shard, struct outbox *o, struct err *e);

/* Says in the alert who hides it; texts in the arena. False: nobody does, or it ends. */
bool explain_hides(struct explain *x, struct alert *a, struct arena *arena);
/* It is not told because of that: written down. 0; -1. */
int explain_hidden(struct outbox *o, const struct alert *a, struct err *e);

/* Before a step is told: of an alert that hides others, what it has hidden so far stands in it, and from now on it hides, or
 * no more. 0; -1. */
int explain_tell(struct explain *x, size_t shard, struct outbox *o, struct alert *a,
                 struct arena *arena, struct err *e);

#endif

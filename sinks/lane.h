/* One sink's way through a shard's delivery: idle -> taken -> in flight -> answered, or waiting to try again.
 * Used by the shard's thread only. Time is an input, but for the question whether a lease is still fresh. */
#ifndef SINKS_LANE_H
#define SINKS_LANE_H

#include "sinks/lane_gate.h"
#include "sinks/lane_state.h"

/* Of the gate's sink. Both are lent. */
void lane_init(struct lane *l, struct lane_world *world, struct gate *gate, size_t slot);
void lane_deinit(struct lane *l);

/* Does what is due. 1: Redis answered, 0: it was not asked, -1: it fails, call again later. */
int lane_step(struct lane *l, struct err *e);
/* Redis refused what the step asked, as when it is full: this lane rests, the others need not. */
void lane_rest(struct lane *l, const struct err *e);
/* When the next step is due. */
int64_t lane_due_ms(const struct lane *l);
/* Something may be in the outbox. */
void lane_look_now(struct lane *l);
/* Time is up: breaks the request off and gives the entry back. Answers like lane_step. */
int lane_abandon(struct lane *l, struct err *e);

#endif

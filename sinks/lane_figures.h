/* What a sink's lanes count, and what its outbox holds. */
#ifndef SINKS_LANE_FIGURES_H
#define SINKS_LANE_FIGURES_H

#include "sinks/lane_state.h"

/* Looks up the outbox's figures when that is due. Answers like lane_step. */
int lane_take_figures(struct lane *l, struct err *e);
/* When that is; INT64_MAX: another lane does it. */
int64_t lane_figures_due_ms(const struct lane *l);

/* Adds the lane's figures. Any thread. */
void lane_add_stats(const struct lane *l, struct delivery_stats *sum);

#endif

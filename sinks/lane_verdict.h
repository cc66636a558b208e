/* What becomes of a try: delivered or dead, which Redis is told next, or another try later. */
#ifndef SINKS_LANE_VERDICT_H
#define SINKS_LANE_VERDICT_H

#include "core/log.h"
#include "sinks/lane_state.h"

/* Its request finished. */
void lane_answer(struct lane *l, const struct http_answer *answer);

void lane_conclude(struct lane *l, const struct outcome *outcome);
/* No request came about: ERR_INPUT is the alert's own fault, anything else may pass. */
void lane_conclude_error(struct lane *l, const struct err *e);

/* Another pod holds its entry, or it is gone. Logs. */
void lane_lost(struct lane *l);
/* It holds none any more. */
void lane_idle(struct lane *l);

/* Redis knows what became of the entry: counts and logs it. */
void lane_settled(struct lane *l);

/* One line about the entry; wait_ms 0: without it. */
void lane_log(const struct lane *l, enum log_level level, const char *event,
              int64_t wait_ms);

#endif

/* A lane's side of a conversation (sinks/sink.h): recalls what the sink remembers, lets it hear answers, and
 * remembers what it learnt. For sinks without one these do nothing. Redis's failures answer -1, as lane_step. */
#ifndef SINKS_LANE_TALK_H
#define SINKS_LANE_TALK_H

#include "sinks/lane_state.h"

/* A new entry, its alert read; or it has become a digest. */
void lane_talk_begin(struct lane *l);
/* Recalls, once. 1: Redis was asked, 0: there was no need. */
int lane_talk_recall(struct lane *l, struct err *e);
/* What format() and hear() are given. */
struct sink_input lane_talk_input(const struct lane *l);
/* The sink's judgement of an answer. */
struct outcome lane_talk_hear(struct lane *l, const struct response *response);
/* Remembers, if there is something new. 1, also when there is not; 0: another pod holds the entry. */
int lane_talk_remember(struct lane *l, struct err *e);
/* Before the next request of the same entry. */
void lane_talk_turn(struct lane *l);

#endif

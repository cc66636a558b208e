/* Storms. Where more than the sink's digest_above alerts would be told within a minute, what waits goes in one message
 * (sinks/digest.h), and more of them a minute after that. Which ones is written down in Redis before it is sent, and never
 * changes: who takes over its first entry sends just the same, and all are acknowledged in one step. Only what was never
 * sent alone becomes part of one, so nothing is told twice that would not have been. */
#ifndef SINKS_LANE_DIGEST_H
#define SINKS_LANE_DIGEST_H

#include "sinks/lane_state.h"

/* The alerts of a new entry that is a digest: the lane's alert, which was read, becomes its face. */
void lane_digest_begin(struct lane *l);

enum storm {
    STORM_FAILED = -1, /* as lane_step */
    STORM_NONE,        /* Redis need not be asked */
    STORM_GO,          /* it goes, alone or by now as a digest */
    STORM_WAIT,        /* it waits until due_ms, with what comes behind it */
    STORM_LOST,        /* another pod holds the entry */
};
/* About the lane's entry, which is to be told now. */
enum storm lane_digest(struct lane *l, struct err *e);

/* The receiver never takes it: its entries go one by one. 1; 0: another pod holds it; -1 as lane_step. */
int lane_digest_apart(struct lane *l, struct err *e);

#endif

/* What goes unsent.
 *
 * An escalation that a later step of the same alert waits behind is not told any more: the later one says all that a
 * reader still needs. What opens and what ends an episode is always told, but for silences (core/silence.h): what
 * begins or grows worse while one matches is not told, and neither is the end of what nobody was told of. So a silence
 * never leaves a message open that somebody reads. What another alert explains (sinks/explain.h) is kept back likewise. */
#ifndef SINKS_LANE_MUTE_H
#define SINKS_LANE_MUTE_H

#include "sinks/lane_state.h"

enum mute {
    MUTE_FAILED = -1, /* as lane_step */
    MUTE_TELL,        /* the alert is to be told */
    MUTE_DONE,        /* a silence keeps it back; the entry is gone */
    MUTE_LOST,        /* the same, but another pod holds the entry */
    MUTE_STALE,       /* a later step waits: to be acknowledged */
    MUTE_UNTOLD,      /* the end of what nobody was told of: to be acknowledged */
};
/* About the lane's entry, which is held and is to be sent next. */
enum mute lane_mute(struct lane *l, struct err *e);
/* The same, and does what follows of it. 1: it is not to be told; 0; -1 as lane_step. */
int lane_keep_back(struct lane *l, struct err *e);
/* The same for an entry that goes unsent, and is the lane's for that alone. 1; -1 as lane_step. */
int lane_go_unsent(struct lane *l, enum mute how, struct err *e);

/* Reads the shard's silences, every two seconds. 1: Redis was asked, 0: there was no need; -1 as lane_step. */
int lane_mute_look(struct lane_world *w, struct err *e);

#endif

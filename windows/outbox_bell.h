/* Tells at once that an alert was put into an outbox: a blocking read of all the
 * sinks' streams of a shard on a connection of its own. What it tells is a hint: who hears it looks for
 * himself (outbox_take), and looks from time to time without it. One thread. */
#ifndef WINDOWS_OUTBOX_BELL_H
#define WINDOWS_OUTBOX_BELL_H

#include "core/err.h"
#include "core/str.h"

struct outbox_bell;
struct redis_target;

/* Copies what it is given; connects lazily. sinks_n > 0. */
struct outbox_bell *outbox_bell_open(const struct redis_target *target, struct str stem,
                                     const struct str *sinks, size_t sinks_n);
void outbox_bell_close(struct outbox_bell *b);

/* A descriptor to poll for reading; asks Redis first, if no question is open. -1:
 * ERR_UNAVAILABLE. */
int outbox_bell_fd(struct outbox_bell *b, struct err *e);
/* Once it is readable. 1: look into the outboxes, 0: nothing, -1: ERR_UNAVAILABLE. */
int outbox_bell_heard(struct outbox_bell *b, struct err *e);
/* Redis is not well: forget the question. */
void outbox_bell_drop(struct outbox_bell *b);

#endif

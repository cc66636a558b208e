/* The outbox: a Redis stream per sink, read by a consumer group of all pods. An entry is taken with a
 * lease, acknowledged after the answer, and claimed by others when its pod is gone. Never trimmed by
 * length. A connection of its own: used by the delivery thread only. */
#ifndef WINDOWS_OUTBOX_H
#define WINDOWS_OUTBOX_H

#include <stdint.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/str.h"

struct outbox;
struct redis_target; /* windows/redis_link.h: where Redis is, and how long to wait */

struct outbox_entry {
    char id[40];         /* the stream's entry id */
    struct str body;     /* the alert's JSON */
    int64_t attempts;    /* how often it was taken, this time included; 1 at first */
};

/* `consumer` names this pod uniquely. Connects lazily. */
struct outbox *outbox_open(const struct redis_target *target, struct str prefix, struct str consumer);
void outbox_close(struct outbox *o);

/* The next entry for the sink: one that nobody took, else one whose lease of lease_ms ran out. 1: taken,
 * 0: none, -1: ERR_UNAVAILABLE (nothing is known). Texts live in `arena`. */
int outbox_take(struct outbox *o, struct str sink, int64_t lease_ms, struct arena *arena,
                struct outbox_entry *out, struct err *e);
/* Delivered: removes it. */
int outbox_ack(struct outbox *o, struct str sink, const char *id, struct err *e);
/* Cannot be delivered: moves it to the sink's dead stream with the reason, atomically. */
int outbox_dead(struct outbox *o, struct str sink, const struct outbox_entry *entry, struct str reason,
                struct err *e);
/* Gives entries taken by this pod and not answered back to all, at once (drain). */
int outbox_release(struct outbox *o, struct str sink, const char *id, struct err *e);
/* Entries waiting and taken. */
int outbox_length(struct outbox *o, struct str sink, int64_t *n, struct err *e);

#endif

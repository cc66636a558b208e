/* One shard's part of delivery: its outbox, its bell, and a lane for each sink. Shards may lie on different
 * servers, so each has connections of its own: while one's Redis fails, its lanes rest and their requests
 * go on, and the other shards work. Used by the delivery thread only. */
#ifndef SINKS_DELIVERY_SHARD_H
#define SINKS_DELIVERY_SHARD_H

#include "sinks/lane.h"

struct outbox_bell;

struct delivery_shard {
    struct lane_world *world;
    size_t number;
    struct outbox *outbox;
    struct outbox_bell *bell;            /* NULL: no sinks */
    struct lane *lanes;                  /* one a sink */
    int64_t redis_due_ms, redis_rest_ms; /* rest 0: it answers */
    int64_t bell_due_ms;
};

/* Reads the sinks' secrets; connects lazily. delivery_shard_deinit in either case. */
int delivery_shard_init(struct delivery_shard *s, struct lane_world *world, size_t number,
                        struct err *e);
void delivery_shard_deinit(struct delivery_shard *s);

/* One round over the lanes; Redis's silence ends it. */
void delivery_shard_step(struct delivery_shard *s);
/* When the next step is due. */
int64_t delivery_shard_due_ms(const struct delivery_shard *s);
/* A descriptor to poll for reading; -1: none now. */
int delivery_shard_bell(struct delivery_shard *s);
/* Once it is readable. */
void delivery_shard_hear(struct delivery_shard *s);
/* Whether a lane holds an entry. */
bool delivery_shard_busy(const struct delivery_shard *s);
/* Gives back what is held. Without Redis it stays leased, and others take it when the lease has run out. */
void delivery_shard_leave(struct delivery_shard *s);

#endif

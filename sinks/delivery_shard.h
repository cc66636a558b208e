/* One shard's part of delivery: a thread with its outbox, its bell, its requests, and a lane for each sink.
 * Shards may lie on different servers; they share no connection, so one whose Redis hangs delays no other. */
#ifndef SINKS_DELIVERY_SHARD_H
#define SINKS_DELIVERY_SHARD_H

#include "sinks/delivery_settings.h"

struct delivery_shard;

/* Reads the sinks' secrets; connects lazily. The settings are borrowed, no time in them is 0. NULL:
 * ERR_REFUSED. */
struct delivery_shard *delivery_shard_new(const struct delivery_settings *settings,
                                          size_t number, struct err *e);
/* Not after a start without a stop; NULL is nothing. */
void delivery_shard_free(struct delivery_shard *s);

int delivery_shard_start(struct delivery_shard *s, struct err *e);
/* Asks the thread to end: requests under way may take until then (monotonic). */
void delivery_shard_stop(struct delivery_shard *s, int64_t drain_until_ms);
/* Waits for its end. */
void delivery_shard_join(struct delivery_shard *s);

/* Adds the figures of the i-th sink. Any thread. */
void delivery_shard_add_stats(const struct delivery_shard *s, size_t i,
                              struct delivery_stats *sum);

#endif

/* Delivery: a thread a shard takes alerts from its outboxes and posts them, one request in flight a sink,
 * in order; a sink that is dead or slow delays no other. A refused or unanswered request is repeated with
 * the same id and body after a random wait that doubles (full jitter), or after the receiver's
 * Retry-After; a lease is renewed meanwhile. What can never be delivered moves to the dead stream. Logs. */
#ifndef SINKS_DELIVERY_H
#define SINKS_DELIVERY_H

#include "sinks/delivery_settings.h"

struct delivery;

/* NULL: ERR_REFUSED when a sink's secrets cannot be read, ERR_INPUT when the times do not fit each
 * other. Redis need not be there yet. sinks_n may be 0. */
struct delivery *delivery_start(const struct delivery_settings *settings, struct err *e);

/* Of the i-th sink, now. Any thread. */
struct delivery_stats delivery_stats(const struct delivery *d, size_t i);

/* Takes nothing new, gives requests in flight drain_ms to be answered, gives the rest back to other
 * pods, and ends the threads. Returns a little later than drain_ms at most, unless Redis hangs: then by
 * one of its time-outs. */
void delivery_stop(struct delivery *d, int64_t drain_ms);

#endif

/* Delivery: one thread takes alerts from the outbox and posts them, one request in flight a sink, in
 * order; a sink that is dead or slow delays no other. A refused or unanswered request is repeated with
 * the same id and body after a random wait that doubles (full jitter), or after the receiver's
 * Retry-After; a lease is renewed meanwhile. What can never be delivered moves to the dead stream. Logs. */
#ifndef SINKS_DELIVERY_H
#define SINKS_DELIVERY_H

#include <stdatomic.h>

#include "sinks/sink.h"

struct redis_target;

struct delivery_sink {
    struct str name; /* as in the outbox */
    const struct sink *type;
    const void *settings;
    /* Reads the sink's secrets as they are now, into `arena`. Called by delivery_start, then on the
     * delivery thread: after a failed request and when they are older than a minute. */
    int (*secrets)(void *arg, struct arena *arena, struct sink_secrets *out,
                   struct err *e);
    void *secrets_arg;
};

/* Everything is borrowed until delivery_stop. A time of 0 means the default. */
struct delivery_settings {
    const struct redis_target *redis;
    struct str prefix;
    struct str consumer; /* see outbox_open: no two living processes share one */
    const struct delivery_sink *sinks;
    size_t sinks_n;
    int64_t connect_timeout_ms; /* 5 s */
    int64_t request_timeout_ms; /* 10 s, from connecting to the answer's last byte */
    int64_t lease_ms;           /* 30 s; at least twice request_timeout_ms */
    int64_t retry_min_ms;       /* 1 s */
    int64_t retry_max_ms;       /* 5 min */
    int64_t retry_after_max_ms; /* 1 h: longer wishes of a receiver are cut */
    int64_t give_up_ms; /* 3 d: a failure of an alert older than that is its last */
};

/* Written by the delivery thread, read by any. */
struct delivery_stats {
    _Atomic int64_t delivered; /* answered as delivered and gone from the outbox */
    _Atomic int64_t retried;   /* failed attempts that will be repeated */
    _Atomic int64_t dead;
    _Atomic int64_t queued; /* in the outbox, by all pods; looked up once a second */
};

struct delivery;

/* NULL: ERR_REFUSED when a sink's secrets cannot be read, ERR_INPUT when the times do not fit each
 * other. Redis need not be there yet. sinks_n may be 0. */
struct delivery *delivery_start(const struct delivery_settings *settings, struct err *e);

/* Of the i-th sink; lives until delivery_stop. */
const struct delivery_stats *delivery_stats(const struct delivery *d, size_t i);

/* Takes nothing new, gives requests in flight drain_ms to be answered, gives the rest back to other
 * pods, and ends the thread. Returns a little later than drain_ms at most, unless Redis hangs: then by
 * one of its time-outs. */
void delivery_stop(struct delivery *d, int64_t drain_ms);

#endif

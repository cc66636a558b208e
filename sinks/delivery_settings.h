/* What delivery is given, and what it counts. */
#ifndef SINKS_DELIVERY_SETTINGS_H
#define SINKS_DELIVERY_SETTINGS_H

#include <stdatomic.h>

#include "sinks/network.h"
#include "sinks/sink.h"

struct redis_target;

struct delivery_sink {
    struct str name; /* as in the outbox */
    const struct sink *type;
    const void *settings;
    /* Reads the sink's secrets as they are now, into `arena`. Called by delivery_start, then on any
     * delivery thread: after a failed request and when they are older than a minute. */
    int (*secrets)(void *arg, struct arena *arena, struct sink_secrets *out,
                   struct err *e);
    void *secrets_arg;
    struct network network;
    int64_t gap_ms;     /* from one request to the next, over all shards; 0: any */
    bool every_step;    /* also an escalation that a later step waits behind */
    size_t concurrency; /* requests under way at a time, in each shard; 0 is 1 */
    int64_t
        digest_above; /* more alerts than that within a minute are told together; 0: never */
};

/* Everything is borrowed until delivery_stop. A time of 0 means the default. */
struct delivery_settings {
    const struct redis_target *redis;
    struct str prefix;
    size_t shards_n;     /* as the state was made with; 0 is 1 */
    struct str consumer; /* see outbox_open: no two living processes share one */
    const struct delivery_sink *sinks;
    size_t sinks_n;
    const struct inhibit *inhibits; /* what hides what */
    size_t inhibits_n;
    struct explain *explain;    /* made of them by delivery_start */
    int64_t connect_timeout_ms; /* 5 s */
    int64_t request_timeout_ms; /* 10 s, from connecting to the answer's last byte */
    int64_t lease_ms; /* 6 s: so long a killed pod holds up a sink; renewed by thirds */
    int64_t retry_min_ms;       /* 1 s */
    int64_t retry_max_ms;       /* 5 min */
    int64_t retry_after_max_ms; /* 1 h: longer wishes of a receiver are cut */
    int64_t paused_min_ms;      /* 30 s: between tries of an endpoint that refuses us */
    int64_t paused_max_ms;      /* 10 min */
    int64_t digest_within_ms;   /* 1 min: of digest_above */
    int64_t give_up_ms; /* 3 d: a failure of an alert older than that is its last */
};

/* Of a sink, all shards together. */
struct delivery_stats {
    /* by this process: answered as delivered and gone from the outbox */
    int64_t delivered;
    int64_t digested;   /* the same of alerts that were told together */
    int64_t superseded; /* by this process: gone unsent, since a later step waits */
    int64_t silenced;   /* by this process: gone unsent, since a silence matched */
    int64_t retried;    /* by this process: failed attempts that will be repeated */
    int64_t dead;       /* by this process */
    bool open;          /* its circuit, in this process: it fails again and again */
    bool paused;        /* in this process: it refuses us */
    /* By all pods, looked up once a second: */
    int64_t queued;     /* in the outbox */
    int64_t fullest;    /* of them, in the shard that has most */
    int64_t oldest_ms;  /* how long the oldest of them has been there */
    int64_t dead_total; /* in the dead stream */
};

#endif

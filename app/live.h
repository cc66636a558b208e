/* The live loop: Kafka in, Redis between, sinks out. The calling thread consumes and detects; delivery has
 * a thread a shard. */
#ifndef APP_LIVE_H
#define APP_LIVE_H

#include <stdatomic.h>

#include "app/redis_where.h"

/* What others want of it, from any thread or a signal's handler. */
struct live_orders {
    atomic_bool stop;   /* drain, and end */
    atomic_bool reload; /* read the configuration again */
    const int *log_level,
        *log_format; /* of the command line; NULL: as the configuration says */
};

/* Runs until it is to stop, then drains: commits, leaves the group, lets requests under way finish. The configuration
 * is borrowed; it was read from the file `path`, which is watched (NULL: it stays as it is). -1: it could not start, or
 * cannot go on; the text says what to do. */
int live_run(const struct config *config, const char *path, struct live_orders *orders,
             struct err *e);

#endif

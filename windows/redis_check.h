/* What Redis must be before anything is kept in it, and must stay. */
#ifndef WINDOWS_REDIS_CHECK_H
#define WINDOWS_REDIS_CHECK_H

#include "core/err.h"
#include "windows/redis_link.h"

/* At the start, and every half minute or so (0.3 ms): the policy can be changed, and a failover brings another
 * server. Version 6.2 or newer, no eviction: else ERR_REFUSED with what mends it. A cluster that cannot serve now
 * (cluster_state:fail) is ERR_UNAVAILABLE. `warning` is a text for the log that lives for ever (log it when it is
 * another than before), or NULL: keys were evicted since the server was started; nothing is kept on disk.
 * Looks at the server that the link is connected to: for the one that has a shard, after a command with a
 * key of it. */
int redis_check(struct redis_link *l, const char **warning, struct err *e);

#endif

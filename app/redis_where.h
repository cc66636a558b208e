/* Where the state is, as the configuration says. */
#ifndef APP_REDIS_WHERE_H
#define APP_REDIS_WHERE_H

#include "config/config.h"
#include "windows/redis_link.h"

/* Where Redis is, from the configuration; texts live in `arena`. */
int live_redis_target(const struct config *config, struct arena *arena,
                      struct redis_target *out, struct err *e);

/* How many shards the state has. */
size_t live_shards(const struct config *config);

#endif

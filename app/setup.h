/* What one configuration makes of Kafka and Redis. Another configuration makes another, beside the first, and the loop goes
 * on with that. */
#ifndef APP_SETUP_H
#define APP_SETUP_H

#include "app/past.h"
#include "config/config.h"
#include "sinks/delivery.h"
#include "windows/redis_link.h"
#include "windows/shard.h"

struct setup {
    const struct config *config;
    struct arena arena; /* what lives as long as it */
    struct redis_target redis;
    const char *redis_warning; /* the last one logged */
    struct source *source;
    uint64_t kafka_files; /* as they were when it was opened */
    struct window_store *stores[SHARDS_MAX];
    size_t stores_n;
    struct delivery *delivery;
    struct past past; /* of the group's commits */
    char consumer[96];
};

/* Opens all of it; the stores last, since they put the rules in place. `source` is taken where it is given, else one is
 * opened, for the listener, until *stop. Borrows the configuration. NULL: nothing is open, and `source` is still the
 * caller's. ERR_UNAVAILABLE: Kafka or Redis is away; ERR_REFUSED: they will have none of it, or a secret cannot be read. */
struct setup *setup_open(const struct config *config, struct source *source,
                         const struct source_listener *listener, const atomic_bool *stop,
                         struct err *e);
/* Leaves the group, gives requests under way so long, frees. NULL is fine. */
void setup_close(struct setup *s, int64_t drain_ms);

/* The source alone, where there is none. */
int setup_open_source(struct setup *s, const struct source_listener *listener,
                      const atomic_bool *stop, struct err *e);
/* Whether Redis may still be trusted with state: its policy can be changed, another server can take over. */
int setup_check_stores(struct setup *s, struct err *e);

#endif

/* Delivery as the configuration wants it: its sinks, and where their secrets are. */
#ifndef APP_LIVE_DELIVERY_H
#define APP_LIVE_DELIVERY_H

#include "config/config.h"
#include "sinks/delivery.h"

/* Everything given is borrowed until delivery_stop; what is made on the way lives in `arena`. */
struct delivery *live_delivery_start(const struct config *config,
                                     const struct redis_target *redis,
                                     struct str consumer, struct arena *arena,
                                     struct err *e);

/* The sink's secrets as they are now, into `arena`. ERR_REFUSED where one cannot be read. */
int live_sink_secrets(const struct sink_config *sink, struct arena *arena,
                      struct sink_secrets *out, struct err *e);

#endif

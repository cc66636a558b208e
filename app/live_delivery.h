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

#endif

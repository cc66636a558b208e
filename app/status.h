/* The status server, where the configuration has `status`:
 *   /healthz   200 while the loop ticks, else 503: restart the process
 *   /readyz    200 or 503, and why as JSON: {"ready":false,"reasons":["..."],"checks":{"redis":false,...}}
 *   /metrics   core/metric_families.h, in Prometheus' text format
 * It runs in one thread of libmicrohttpd, which reads atomics and a copy of what the loop told last: it
 * never touches the engine. */
#ifndef APP_STATUS_H
#define APP_STATUS_H

#include "config/config.h"

struct status;

/* What the loop knows. */
struct status_facts {
    bool redis_answers;     /* when it was last asked by the loop */
    bool group_joined;      /* and an assignment was seen, also an empty one */
    const bool *sinks_full; /* by sink: its outbox takes no more; NULL: none */
    bool rules_replaced;    /* other processes have put other rules in place */
};

/* Starts listening. Without `status` in the configuration there is no server, and the rest does nothing
 * that is seen. Borrows the configuration until status_stop. NULL: ERR_REFUSED, the address cannot be
 * listened on. */
struct status *status_start(const struct config *config, struct err *e);
/* NULL is fine. */
void status_stop(struct status *s);

/* The loop came round, or did a part of something long. One atomic store. */
void status_tick(struct status *s);
/* What holds from now on; what it points to is copied. Once a second, by the loop. Until the first call
 * nothing is ready. */
void status_tell(struct status *s, const struct status_facts *facts);

/* Another configuration is in force. Borrowed as at the start. */
void status_use(struct status *s, const struct config *config);
/* Why the configuration's file, as it is now, is not in force; "": it is. That is told, and no reason not to be ready. */
void status_config(struct status *s, const char *why);
/* Nothing is done yet, for this reason; until the next status_tell. */
void status_wait(struct status *s, const char *reason);

/* The process ends: it is not ready any more, and the loop need not come round. */
void status_drain(struct status *s);

#endif

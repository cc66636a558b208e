/* What the engine and delivery count, shown at /metrics: copied once a second by the loop, so that counting
 * costs the engine nothing. What others count (Redis, Kafka) is counted where it happens. One thread. */
#ifndef APP_LIVE_METRICS_H
#define APP_LIVE_METRICS_H

#include "app/engine.h"
#include "config/config.h"
#include "sinks/delivery.h"

struct live_metrics {
    const struct config *config;
    struct rule_series *rules;           /* by rule */
    struct sink_series *sinks;           /* by sink */
    bool *sinks_full;                    /* by sink: an outbox of it takes no more */
    struct partition_series *partitions; /* by slot */
    size_t partitions_n;
    int64_t accepted; /* the most that was ever told: what the engine's counts give */
};

/* Borrows the configuration. */
void live_metrics_init(struct live_metrics *m, const struct config *config);
/* Another configuration is in force. */
void live_metrics_use(struct live_metrics *m, const struct config *config);
void live_metrics_deinit(struct live_metrics *m);

/* What holds now. `paused`: nothing is read, because an outbox is full. */
void live_metrics_tell(struct live_metrics *m, const struct engine *g,
                       const struct delivery *d, bool paused);
/* How many keys each rule has. */
void live_metrics_keys(const struct live_metrics *m, const int64_t *counts);
/* A batch was applied, judged and committed within so long. */
void live_metrics_batch(int64_t us);

#endif

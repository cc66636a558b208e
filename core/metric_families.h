/* Every family of figures that `run` shows at /metrics; docs/metrics.md has the same list. Here, below all
 * floors, because each floor counts its own and one reader wants to see all. */
#ifndef CORE_METRIC_FAMILIES_H
#define CORE_METRIC_FAMILIES_H

#include "core/metrics.h"

/* What comes in. */
extern struct metric_family metric_events, metric_events_by_type, metric_batches,
    metric_batch_seconds, metric_repositions, metric_records_lost, metric_logs_remade,
    metric_rewinds;
/* Kafka. */
extern struct metric_family metric_partitions, metric_partitions_owned,
    metric_partition_lag, metric_partition_lag_age, metric_reading_paused,
    metric_rebalances, metric_kafka_errors;
/* Event time and windows. */
extern struct metric_family metric_watermark, metric_watermark_lag, metric_next_due,
    metric_windows_waiting;
/* What goes out. */
extern struct metric_family metric_rule_matches, metric_keys, metric_keys_refused,
    metric_alerts, metric_announced, metric_windows_judged, metric_notices,
    metric_outbox_entries, metric_outbox_full, metric_outbox_oldest,
    metric_outbox_overflows, metric_dead_letters, metric_sink_circuit_open,
    metric_sink_paused, metric_deliveries;
/* Redis. */
extern struct metric_family metric_redis_errors, metric_redis_refused,
    metric_script_seconds;
/* The process. */
extern struct metric_family metric_ready, metric_tick_age, metric_build, metric_config,
    metric_reload_success, metric_reload_time, metric_memory, metric_memory_limit,
    metric_cpu, metric_start_time;

/* All of them, in the order of the text; NULL-terminated. */
extern struct metric_family *const metric_families[];

#endif

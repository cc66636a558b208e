#include "app/live_metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/lag_age.h"
#include "core/clock.h"
#include "core/metric_families.h"

struct rule_series {
    struct metric *matches, *judged, *announced, *confirmed[ALERT_STATES], *keys,
        *refused;
};

struct sink_series {
    struct metric *entries, *full, *oldest, *dead, *open, *paused;
    struct metric *delivered, *digested, *superseded, *silenced, *retried, *buried;
};

struct partition_series {
    struct metric *lag, *age; /* NULL: never owned */
    struct lag_age seen;
};

static void set(struct metric_family *f, int64_t steps)
{
    metric_set(metric_of(f, STR_NONE, STR_NONE), steps);
}

/* --- names --- */

static struct rule_series rule_series(struct str name)
{
    struct rule_series s = {.matches = metric_of(&metric_rule_matches, name, STR_NONE),
                            .judged = metric_of(&metric_windows_judged, name, STR_NONE),
                            .announced = metric_of(&metric_announced, name, STR_NONE),
                            .keys = metric_of(&metric_keys, name, STR_NONE),
                            .refused = metric_of(&metric_keys_refused, name, STR_NONE)};
    for (enum alert_state state = 0; state < ALERT_STATES; state++)
        s.confirmed[state] =
            metric_of(&metric_alerts, name, str_of(alert_state_name(state)));
    return s;
}

static struct sink_series sink_series(struct str name)
{
    return (struct sink_series){
        .entries = metric_of(&metric_outbox_entries, name, STR_NONE),
        .full = metric_of(&metric_outbox_full, name, STR_NONE),
        .oldest = metric_of(&metric_outbox_oldest, name, STR_NONE),
        .dead = metric_of(&metric_dead_letters, name, STR_NONE),
        .open = metric_of(&metric_sink_circuit_open, name, STR_NONE),
        .paused = metric_of(&metric_sink_paused, name, STR_NONE),
        .delivered = metric_of(&metric_deliveries, name, STR("delivered")),
        .digested = metric_of(&metric_deliveries, name, STR("digested")),
        .superseded = metric_of(&metric_deliveries, name, STR("superseded")),
        .silenced = metric_of(&metric_deliveries, name, STR("silenced")),
        .retried = metric_of(&metric_deliveries, name, STR("retried")),
        .buried = metric_of(&metric_deliveries, name, STR("dead"))};
}

static void name_config(const struct config *config)
{
    char hash[17];
    snprintf(hash, sizeof hash, "%016" PRIx64, config->hash);
    metric_put(metric_of(&metric_config, str_of(hash), STR_NONE), 1);
    metric_flush(&metric_config);
}

void live_metrics_use(struct live_metrics *m, const struct config *config)
{
    free(m->rules);
    free(m->sinks);
    free(m->sinks_full);
    m->config = config;
    m->rules = calloc(config->rules_n + 1, sizeof *m->rules);
    m->sinks = calloc(config->sinks_n + 1, sizeof *m->sinks);
    m->sinks_full = calloc(config->sinks_n + 1, sizeof *m->sinks_full);
    assert(m->rules && m->sinks && m->sinks_full);
    for (size_t i = 0; i < config->rules_n; i++)
        m->rules[i] = rule_series(config->rules[i].name);
    for (size_t i = 0; i < config->sinks_n; i++)
        m->sinks[i] = sink_series(config->sinks[i].name);
    name_config(config);
}

void live_metrics_init(struct live_metrics *m, const struct config *config)
{
    *m = (struct live_metrics){0};
    live_metrics_use(m, config);
    set(&metric_partitions_owned, 0);
    metric_of(&metric_rewinds, STR("wiped"), STR_NONE); /* a rate needs the 0 before */
}

void live_metrics_deinit(struct live_metrics *m)
{
    free(m->rules);
    free(m->sinks);
    free(m->sinks_full);
    free(m->partitions);
}

/* --- values --- */

static void tell_events(struct live_metrics *m, const struct engine_stats *s)
{
    static const char *const fates[] = {"accepted", "late", "duplicate", "behind",
                                        "rejected"};
    int64_t left = (int64_t)(s->events - s->late - s->duplicates - s->behind);
    m->accepted = left > m->accepted ? left : m->accepted; /* a counter never falls */
    const int64_t values[] = {m->accepted, (int64_t)s->late, (int64_t)s->duplicates,
                              (int64_t)s->behind, (int64_t)s->rejects};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        metric_set(metric_of(&metric_events, str_of(fates[i]), STR_NONE), values[i]);
    for (int i = 0; i < EVENT_TYPE_COUNT; i++)
        metric_set(metric_of(&metric_events_by_type,
                             str_of(event_type_name((enum event_type)i)), STR_NONE),
                   (int64_t)s->types[i]);
    set(&metric_batches, (int64_t)s->batches);
    set(&metric_repositions, (int64_t)s->repositions);
    set(&metric_records_lost, (int64_t)s->lost);
    set(&metric_logs_remade, (int64_t)s->remade);
}

static void tell_rules(const struct live_metrics *m, const struct engine_stats *s)
{
    for (size_t i = 0; i < m->config->rules_n; i++) {
        metric_put(m->rules[i].matches, (int64_t)s->rules[i].matches);
        metric_put(m->rules[i].judged, (int64_t)s->rules[i].judged);
        metric_put(m->rules[i].announced, (int64_t)s->rules[i].announced);
        for (size_t state = 0; state < ALERT_STATES; state++)
            metric_put(m->rules[i].confirmed[state],
                       (int64_t)s->rules[i].confirmed[state]);
        metric_put(m->rules[i].refused, (int64_t)s->rules[i].left_out);
    }
    metric_flush(&metric_rule_matches);
    metric_flush(&metric_windows_judged);
    metric_flush(&metric_keys_refused);
    metric_flush(&metric_announced);
    metric_flush(&metric_alerts);
}

void live_metrics_keys(const struct live_metrics *m, const int64_t *counts)
{
    for (size_t i = 0; i < m->config->rules_n; i++)
        metric_put(m->rules[i].keys, counts[i]);
    metric_flush(&metric_keys);
}

static void tell_time(const struct engine *g)
{
    int64_t watermark_ms = engine_watermark_ms(g), due_ms = STORE_NO_DUE, waiting = 0;
    uint64_t full = 0;
    bool known = watermark_ms != STORE_NO_TIME;
    for (size_t i = 0; i < g->shards_n; i++) {
        const struct store_clock *c = &g->shards[i].clock;
        due_ms = c->next_due_ms < due_ms ? c->next_due_ms : due_ms;
        waiting += c->waiting_n;
        full += g->shards[i].store->full;
    }
    set(&metric_watermark, known ? watermark_ms : METRIC_UNKNOWN);
    set(&metric_watermark_lag, known ? clock_wall_ms() - watermark_ms : METRIC_UNKNOWN);
    set(&metric_next_due, due_ms == STORE_NO_DUE ? METRIC_UNKNOWN : due_ms);
    set(&metric_windows_waiting, waiting);
    set(&metric_outbox_overflows, (int64_t)full);
}

static struct partition_series *partition_series(struct live_metrics *m, size_t slot,
                                                 struct str name)
{
    if (slot >= m->partitions_n) {
        m->partitions = realloc(m->partitions, (slot + 1) * sizeof *m->partitions);
        assert(m->partitions);
        for (; m->partitions_n <= slot; m->partitions_n++)
            m->partitions[m->partitions_n] = (struct partition_series){0};
    }
    struct partition_series *p = &m->partitions[slot];
    if (!p->lag) {
        p->lag = metric_of(&metric_partition_lag, name, STR_NONE);
        p->age = metric_of(&metric_partition_lag_age, name, STR_NONE);
    }
    return p;
}

static void tell_partition(struct live_metrics *m, const struct engine *g, size_t slot)
{
    const struct engine_partition *p = &g->partitions[slot];
    struct partition_series *series = partition_series(m, slot, p->name);
    int64_t end = g->source->ops->known_end(g->source, slot);
    if (end < 0)
        return;
    int64_t lag = end > p->next ? end - p->next : 0;
    metric_put(series->lag, lag);
    metric_put(series->age,
               lag_age_note(&series->seen, p->next, end, clock_monotonic_ms()));
}

/* While Redis is away nothing is placed: then where it stood when it was last asked. */
static void tell_partitions(struct live_metrics *m, const struct engine *g)
{
    int64_t owned = 0;
    for (size_t i = 0; i < g->partitions_n; i++) {
        const struct engine_partition *p = &g->partitions[i];
        owned += p->owned;
        if (p->owned && (p->placed || p->next > 0))
            tell_partition(m, g, i);
        else if (i < m->partitions_n)
            m->partitions[i].seen = (struct lag_age){0};
    }
    set(&metric_partitions_owned, owned);
    set(&metric_partitions, (int64_t)g->known_n);
    metric_flush(&metric_partition_lag);
    metric_flush(&metric_partition_lag_age);
}

static void tell_sinks(const struct live_metrics *m, const struct delivery *d)
{
    for (size_t i = 0; i < m->config->sinks_n; i++) {
        struct delivery_stats s = delivery_stats(d, i);
        m->sinks_full[i] = s.fullest >= m->config->sinks[i].outbox_max;
        metric_put(m->sinks[i].entries, s.queued);
        metric_put(m->sinks[i].full, m->sinks_full[i]);
        metric_put(m->sinks[i].oldest, s.oldest_ms);
        metric_put(m->sinks[i].dead, s.dead_total);
        metric_put(m->sinks[i].open, s.open);
        metric_put(m->sinks[i].paused, s.paused);
        metric_put(m->sinks[i].delivered, s.delivered);
        metric_put(m->sinks[i].digested, s.digested);
        metric_put(m->sinks[i].superseded, s.superseded);
        metric_put(m->sinks[i].silenced, s.silenced);
        metric_put(m->sinks[i].retried, s.retried);
        metric_put(m->sinks[i].buried, s.dead);
    }
    metric_flush(&metric_outbox_entries);
    metric_flush(&metric_outbox_full);
    metric_flush(&metric_outbox_oldest);
    metric_flush(&metric_dead_letters);
    metric_flush(&metric_sink_circuit_open);
    metric_flush(&metric_sink_paused);
    metric_flush(&metric_deliveries);
}

void live_metrics_tell(struct live_metrics *m, const struct engine *g,
                       const struct delivery *d, bool paused)
{
    set(&metric_reading_paused, paused);
    tell_events(m, &g->stats);
    tell_rules(m, &g->stats);
    tell_time(g);
    tell_partitions(m, g);
    tell_sinks(m, d);
}

void live_metrics_batch(int64_t us)
{
    static struct metric *seconds;
    if (!seconds)
        seconds = metric_of(&metric_batch_seconds, STR_NONE, STR_NONE);
    metric_observe(seconds, us);
}

/* What a process opens before its first turn, and closes behind its last one. Kafka comes first: where Redis
 * has no state, the group's commits say how to make one. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "app/live_delivery.h"
#include "app/live_state.h"
#include "core/clock.h"
#include "core/fault.h"
#include "core/log.h"
#include "core/metric_families.h"
#include "core/zone.h"
#include "windows/redis_check.h"

enum { DRAIN_MS = 20000, TICK_MS = 500 };

int live_redis_target(const struct config *config, struct arena *arena,
                      struct redis_target *out, struct err *e)
{
    if (!config->has_redis)
        return err_set(e, ERR_REFUSED,
                       "the configuration has no `redis` section, for example redis: "
                       "{url: \"redis://127.0.0.1:6379\"}");
    if (redis_target_parse(arena_str(arena, config->redis.url), out, e))
        return -1;
    if (config->redis.password.value.n)
        out->password = config->redis.password.value;
    out->password_file = config->redis.password.file;
    out->timeout_ms = (int)config->redis.timeout_ms;
    return 0;
}

size_t live_shards(const struct config *config)
{
    return (size_t)config->redis.shards;
}

/* --- Redis --- */

static void tell_warning(struct live *l, const char *warning)
{
    char quoted[LOG_VALUE_BYTES];
    if (warning && warning != l->redis_warning)
        log_warn("redis", "reason=%s", log_quote(str_of(warning), quoted));
    l->redis_warning = warning;
}

static int check_redis(struct live *l, struct err *e)
{
    const char *warning = NULL;
    struct redis_link *link = redis_link_new(&l->redis);
    int result = redis_check(link, &warning, e);
    redis_link_free(link);
    tell_warning(l, warning);
    return result;
}

int live_check_stores(struct live *l, struct err *e)
{
    for (size_t i = 0; i < l->stores_n; i++) {
        const char *warning = NULL;
        if (redis_store_check(l->stores[i], &warning, e))
            return -1;
        tell_warning(l, warning);
    }
    return 0;
}

/* There is no state in Redis: it was lost, or this is the first start. */
static int read_past(void *arg, struct store_times *out, struct err *e)
{
    struct live *l = arg;
    if (past_read(&l->past, l->source, e))
        return -1;
    *out = l->past.times;
    bool first = out->said_ms == STORE_NO_TIME;
    metric_add(metric_of(&metric_rewinds, first ? STR("first") : STR("wiped"), STR_NONE),
               1);
    if (first)
        log_info("state_made", "from=beginning");
    else
        log_warn(
            "state_remade",
            "from_ms=%" PRId64 " record_ms=%" PRId64 " said_ms=%" PRId64
            " reason=\"Redis had no state; what windows need is read again from Kafka\"",
            out->from_ms, out->record_ms, out->said_ms);
    return 0;
}

static int64_t longest_lookback_ms(const struct rule *rules, size_t n)
{
    int64_t longest_ms = 0;
    for (size_t i = 0; i < n; i++)
        if (rules[i].lookback_ms > longest_ms)
            longest_ms = rules[i].lookback_ms;
    return longest_ms;
}

static struct store_rule *rules_of(const struct config *c, struct arena *arena)
{
    struct store_rule *rules = arena_alloc(arena, (c->judged_n + 1) * sizeof *rules);
    for (size_t i = 0; i < c->judged_n; i++)
        rules[i] = (struct store_rule){c->rules[i].window_name, c->rules[i].lookback_ms};
    return rules;
}

static int open_stores(struct live *l, struct err *e)
{
    const struct config *c = l->config;
    struct redis_store_settings s = {.target = &l->redis,
                                     .prefix = c->redis.prefix,
                                     .shards_n = live_shards(c),
                                     .lateness_ms = c->time.lateness_ms,
                                     .record_for_ms = c->record.record_for_ms,
                                     .lookback_ms =
                                         longest_lookback_ms(c->rules, c->judged_n),
                                     .past = read_past,
                                     .past_arg = l,
                                     .rules = rules_of(c, &l->arena),
                                     .rules_n = c->judged_n};
    if (l->source->ops->partitions(l->source, &s.partitions, &s.partitions_n, e))
        return -1;
    if (FAULT_OFF("all_partitions"))
        s.partitions_n = 0;
    for (s.shard = 0; s.shard < s.shards_n; s.shard++) {
        l->stores[s.shard] = redis_store_open(&s, e);
        if (!l->stores[s.shard])
            return -1;
        l->stores_n++;
    }
    return 0;
}

int live_partitions(struct live *l, struct err *e)
{
    const struct str *names;
    size_t n;
    if (FAULT_OFF("all_partitions"))
        return 0;
    if (l->source->ops->partitions(l->source, &names, &n, e))
        return -1;
    return engine_partitions(&l->engine, names, n, e);
}

/* --- Kafka --- */

int live_open_source(struct live *l, struct err *e)
{
    const struct kafka_settings *k = &l->config->kafka;
    if (!l->config->has_kafka)
        return err_set(e, ERR_REFUSED,
                       "the configuration has no `kafka` section, for example kafka: "
                       "{brokers: \"127.0.0.1:9092\", topics: [support.tickets]}");
    struct kafka_source_settings s = {
        .brokers = k->brokers,
        .group = k->group,
        .dead_letter = k->dead_letter,
        .topics = k->topics.items,
        .topics_n = k->topics.n,
        .property_names = k->properties.names,
        .property_values = k->properties.values,
        .properties_n = k->properties.n,
        .max_future_ms = l->config->time.max_future_ms,
        .maps = &l->config->maps,
        .lookback_ms = longest_lookback_ms(l->config->rules, l->config->rules_n)};
    struct source_listener listener = {l, live_assigned, live_revoked};
    l->source = kafka_source_open(&s, &listener, e);
    return l->source ? 0 : -1;
}

/* --- all of it --- */

static void name_consumer(struct live *l)
{
    char host[64] = "pod";
    (void)gethostname(host, sizeof host - 1);
    snprintf(l->consumer, sizeof l->consumer, "%s-%ld-%08x", host, (long)getpid(),
             (unsigned)time(NULL));
}

/* With `pause` an outbox may grow a little beyond its size: reading stops, nothing is put aside. */
static void set_caps(struct live *l)
{
    const struct config *c = l->config;
    struct outbox_cap *caps = arena_alloc(&l->arena, (c->sinks_n + 1) * sizeof *caps);
    for (size_t i = 0; i < c->sinks_n; i++)
        caps[i] = (struct outbox_cap){
            c->sinks[i].name,
            c->sinks[i].when_full == WHEN_FULL_DEAD_LETTER ? c->sinks[i].outbox_max : 0};
    l->engine.caps = caps;
    l->engine.caps_n = c->sinks_n;
}

void live_start_engine(struct live *l)
{
    engine_init(&l->engine, l->config->rules, l->config->judged_n,
                l->config->time.lateness_ms, l->source, l->stores, l->stores_n);
    l->engine.past = &l->past;
    l->engine.tick_ms = TICK_MS;
    set_caps(l);
}

int live_start(struct live *l, struct err *e)
{
    name_consumer(l);
    past_init(&l->past, l->config->redis.prefix);
    if (!zone_use(l->config->time.zone))
        return err_set(e, ERR_REFUSED, "time.zone: the system has no zone '%.*s'",
                       STR_ARG(l->config->time.zone));
    l->status = status_start(l->config, e);
    if (!l->status)
        return -1;
    live_metrics_init(&l->metrics, l->config);
    if (live_redis_target(l->config, &l->arena, &l->redis, e) || check_redis(l, e) ||
        live_open_source(l, e) || open_stores(l, e))
        return -1;
    live_start_engine(l);
    l->delivery =
        live_delivery_start(l->config, &l->redis, str_of(l->consumer), &l->arena, e);
    if (!l->delivery ||
        engine_look(&l->engine, e)) /* the stores' clocks, before partitions come */
        return -1;
    log_info("started", "version=%s consumer=%s rules=%zu sinks=%zu shards=%zu",
             TICKETWATCH_VERSION, l->consumer, l->config->rules_n, l->config->sinks_n,
             l->stores_n);
    return 0;
}

void live_finish(struct live *l)
{
    if (l->status)
        status_drain(l->status);
    if (l->source)
        l->source->ops->close(l->source);
    if (l->delivery)
        delivery_stop(l->delivery, DRAIN_MS);
    if (l->engine.stats.rules) {
        live_log_figures(l);
        engine_deinit(&l->engine);
    }
    for (size_t i = 0; i < l->stores_n; i++)
        l->stores[i]->ops->close(l->stores[i]);
    status_stop(l->status);
    live_metrics_deinit(&l->metrics);
    past_deinit(&l->past);
    batch_deinit(&l->batch);
    arena_deinit(&l->arena);
}

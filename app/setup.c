/* Kafka comes before the stores: where Redis has no state, the group's commits say how to make one. Redis is asked first
 * of all, since its answer is the quickest. */
#include "app/setup.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "app/live_delivery.h"
#include "app/memory_limit.h"
#include "app/redis_where.h"
#include "core/fault.h"
#include "core/log.h"
#include "core/metric_families.h"
#include "windows/redis_check.h"

/* --- Redis --- */

static void tell_warning(struct setup *s, const char *warning)
{
    char quoted[LOG_VALUE_BYTES];
    if (warning && warning != s->redis_warning)
        log_warn("redis", "reason=%s", log_quote(str_of(warning), quoted));
    s->redis_warning = warning;
}

static int check_redis(struct setup *s, struct err *e)
{
    const char *warning = NULL;
    struct redis_link *link = redis_link_new(&s->redis);
    int result = redis_check(link, &warning, e);
    redis_link_free(link);
    tell_warning(s, warning);
    return result;
}

int setup_check_stores(struct setup *s, struct err *e)
{
    for (size_t i = 0; i < s->stores_n; i++) {
        const char *warning = NULL;
        if (redis_store_check(s->stores[i], &warning, e))
            return -1;
        tell_warning(s, warning);
    }
    return 0;
}

/* There is no state in Redis: it was lost, or this is the first start. */
static int read_past(void *arg, struct store_times *out, struct err *e)
{
    struct setup *s = arg;
    if (past_read(&s->past, s->source, e))
        return -1;
    *out = s->past.times;
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

/* What is read again and again lies there ready: of all shards together a part of what the process may use. */
static size_t recent_bytes(void)
{
    enum { PART = 16, MOST = 32 << 20 };
    int64_t limit_bytes = memory_limit_bytes();
    return limit_bytes && limit_bytes / PART < MOST ? (size_t)(limit_bytes / PART) : MOST;
}

static int open_stores(struct setup *s, struct err *e)
{
    const struct config *c = s->config;
    struct redis_store_settings to = {.target = &s->redis,
                                      .prefix = c->redis.prefix,
                                      .shards_n = live_shards(c),
                                      .lateness_ms = c->time.lateness_ms,
                                      .record_for_ms = c->record.record_for_ms,
                                      .lookback_ms =
                                          longest_lookback_ms(c->rules, c->judged_n),
                                      .past = read_past,
                                      .past_arg = s,
                                      .rules = rules_of(c, &s->arena),
                                      .rules_n = c->judged_n};
    to.recent_bytes = recent_bytes() / to.shards_n;
    if (s->source->ops->partitions(s->source, &to.partitions, &to.partitions_n, e))
        return -1;
    if (FAULT_OFF("all_partitions"))
        to.partitions_n = 0;
    for (to.shard = 0; to.shard < to.shards_n; to.shard++) {
        s->stores[to.shard] = redis_store_open(&to, e);
        if (!s->stores[to.shard])
            return -1;
        s->stores_n++;
    }
    return 0;
}

/* --- Kafka --- */

int setup_open_source(struct setup *s, const struct source_listener *listener,
                      const atomic_bool *stop, struct err *e)
{
    const struct config *c = s->config;
    const struct kafka_settings *k = &c->kafka;
    if (!c->has_kafka)
        return err_set(e, ERR_REFUSED,
                       "the configuration has no `kafka` section, for example kafka: "
                       "{brokers: \"127.0.0.1:9092\", topics: [support.tickets]}");
    struct kafka_source_settings settings = {
        .brokers = k->brokers,
        .group = k->group,
        .dead_letter = k->dead_letter,
        .topics = k->topics.items,
        .topics_n = k->topics.n,
        .property_names = k->properties.names,
        .property_values = k->properties.values,
        .properties_n = k->properties.n,
        .max_future_ms = c->time.max_future_ms,
        .maps = &c->maps,
        .memory_bytes = memory_limit_bytes(),
        .stop = stop,
        .lookback_ms = longest_lookback_ms(c->rules, c->rules_n)};
    s->kafka_files = kafka_files_hash(&k->properties);
    s->source = kafka_source_open(&settings, listener, e);
    return s->source ? 0 : -1;
}

/* --- all of it --- */

/* Two of one process are two to Redis, which remembers who holds what. */
static void name_consumer(struct setup *s)
{
    static unsigned made;
    char host[64] = "pod";
    (void)gethostname(host, sizeof host - 1);
    snprintf(s->consumer, sizeof s->consumer, "%s-%ld-%08x.%u", host, (long)getpid(),
             (unsigned)time(NULL), made++);
}

static int open_all(struct setup *s, const struct source_listener *listener,
                    const atomic_bool *stop, struct err *e)
{
    if (live_redis_target(s->config, &s->arena, &s->redis, e) || check_redis(s, e))
        return -1;
    if (!s->source && setup_open_source(s, listener, stop, e))
        return -1;
    s->delivery =
        live_delivery_start(s->config, &s->redis, str_of(s->consumer), &s->arena, e);
    return s->delivery ? open_stores(s, e) : -1;
}

struct setup *setup_open(const struct config *config, struct source *source,
                         const struct source_listener *listener, const atomic_bool *stop,
                         struct err *e)
{
    struct setup *s = calloc(1, sizeof *s);
    assert(s);
    s->config = config;
    s->source = source;
    s->kafka_files = kafka_files_hash(&config->kafka.properties);
    arena_init(&s->arena);
    past_init(&s->past, config->redis.prefix);
    name_consumer(s);
    if (open_all(s, listener, stop, e) == 0)
        return s;
    if (source)
        s->source = NULL; /* the caller's */
    setup_close(s, 0);
    return NULL;
}

void setup_close(struct setup *s, int64_t drain_ms)
{
    if (!s)
        return;
    if (s->source)
        s->source->ops->close(s->source);
    delivery_stop(s->delivery, drain_ms);
    for (size_t i = 0; i < s->stores_n; i++)
        s->stores[i]->ops->close(s->stores[i]);
    past_deinit(&s->past);
    arena_deinit(&s->arena);
    free(s);
}

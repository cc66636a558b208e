/* One turn of the loop: a batch from Kafka through the engine, or nothing; and every second what time
 * brings: windows left by others, proof of idleness, new partitions, figures. While Redis is away the loop
 * goes on polling Kafka, so that the group keeps us, and gives back what it gets: seek, wait, again. */
#include "app/live.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "app/engine.h"
#include "app/live_delivery.h"
#include "core/clock.h"
#include "core/fault.h"
#include "core/log.h"
#include "core/zone.h"
#include "windows/redis_check.h"
#include "windows/redis_link.h"

enum {
    WAIT_MS = 100,
    EVERY_MS = 1000,
    TOPOLOGY_EVERY_MS = 30000,
    FIGURES_EVERY_MS = 60000,
    BACKOFF_MIN_MS = 50,
    BACKOFF_MAX_MS = 2000,
    DRAIN_MS = 20000,
};

struct live {
    const struct config *config;
    const atomic_bool *stop;
    struct arena arena; /* what lives as long as the loop */
    struct redis_target redis;
    struct window_store *store;
    struct source *source;
    struct delivery *delivery;
    struct engine engine;
    struct batch batch;
    int64_t backoff_ms; /* 0: all is well */
    int64_t next_ms, topology_ms, figures_ms;
    char consumer[96];
};

/* --- what the source tells --- */

static struct source_place on_assigned(void *arg, size_t slot, struct str name)
{
    struct live *l = arg;
    struct err e = {0};
    char quoted[LOG_VALUE_BYTES];
    struct engine_partition *p = engine_partition(&l->engine, slot, name);
    p->owned = true;
    if (engine_place(&l->engine, p, -1, &e))
        log_warn("cursor_unknown", "partition=%s reason=%s", log_quote(name, quoted),
                 e.text);
    if (p->placed)
        log_info("partition_assigned", "partition=%s offset=%" PRId64,
                 log_quote(name, quoted), p->next);
    else
        log_info("partition_assigned", "partition=%s offset=beginning",
                 log_quote(name, quoted));
    p->from_start = !p->placed;
    return (struct source_place){p->placed ? p->next : -1, -1, 0};
}

static void on_revoked(void *arg, size_t slot, struct str name)
{
    struct live *l = arg;
    char quoted[LOG_VALUE_BYTES];
    struct engine_partition *p = engine_partition(&l->engine, slot, name);
    p->owned = p->placed = p->from_start = false;
    log_info("partition_revoked", "partition=%s", log_quote(name, quoted));
}

/* --- the loop --- */

static void sleep_ms(int64_t ms)
{
    struct timespec t = {ms / 1000, (ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}

/* Nothing is known: what was in hand is read again, later. Longer each time, with jitter. */
static int back_off(struct live *l, bool batch_in_hand, struct err *e)
{
    char quoted[LOG_VALUE_BYTES];
    if (e->kind != ERR_UNAVAILABLE)
        return -1;
    log_warn("unavailable", "reason=%s", log_quote(str_of(e->text), quoted));
    err_clear(e);
    engine_forget(&l->engine);
    l->backoff_ms = l->backoff_ms ? l->backoff_ms * 2 : BACKOFF_MIN_MS;
    if (l->backoff_ms > BACKOFF_MAX_MS)
        l->backoff_ms = BACKOFF_MAX_MS;
    sleep_ms(l->backoff_ms / 2 + rand() % (l->backoff_ms / 2 + 1));
    return batch_in_hand
               ? l->source->ops->seek(l->source, l->batch.slot, l->batch.start, e)
               : 0;
}

static void log_rejects(const struct batch *b)
{
    char quoted[LOG_VALUE_BYTES], name[LOG_VALUE_BYTES];
    for (size_t i = 0; i < b->rejects_n && i < 3; i++)
        log_warn("dead_letter", "partition=%s offset=%" PRId64 " bytes=%zu reason=%s",
                 log_quote(b->name, name), b->rejects[i].offset, b->rejects[i].bytes_n,
                 log_quote(str_of(b->rejects[i].reason), quoted));
    if (b->rejects_n > 3)
        log_warn("dead_letters", "partition=%s more=%zu", log_quote(b->name, name),
                 b->rejects_n - 3);
}

static int take_batch(struct live *l, struct err *e)
{
    log_rejects(&l->batch);
    if (engine_batch(&l->engine, &l->batch, e))
        return back_off(l, true, e);
    if (l->backoff_ms)
        log_info("available_again", "repositions=%" PRIu64, l->engine.stats.repositions);
    l->backoff_ms = 0;
    return 0;
}

static int refresh_partitions(struct live *l, struct err *e)
{
    const struct str *names;
    size_t n;
    if (FAULT_OFF("all_partitions"))
        return 0;
    if (l->source->ops->partitions(l->source, &names, &n, e))
        return -1;
    return l->store->ops->partitions(l->store, names, n, e);
}

static void log_figures(const struct live *l)
{
    const struct engine_stats *s = &l->engine.stats;
    uint64_t announced = 0, confirmed = 0;
    for (size_t i = 0; i < l->config->rules_n; i++) {
        announced += s->rules[i].announced;
        confirmed += s->rules[i].confirmed;
    }
    log_info("figures",
             "events=%" PRIu64 " late=%" PRIu64 " duplicates=%" PRIu64 " behind=%" PRIu64
             " dead_letters=%" PRIu64 " batches=%" PRIu64 " repositions=%" PRIu64
             " announced=%" PRIu64 " confirmed=%" PRIu64,
             s->events, s->late, s->duplicates, s->behind, s->rejects, s->batches,
             s->repositions, announced, confirmed);
}

/* Partitions from which nothing comes: are they at their end, and for how long. */
static int look_at_ends(struct live *l, struct err *e)
{
    for (size_t i = 0; i < l->engine.partitions_n; i++) {
        const struct engine_partition *p = &l->engine.partitions[i];
        bool idle =
            l->engine.clock.now_ms - p->active_ms >= l->config->time.idle_after_ms;
        if (p->owned && (idle || !p->at_end) && engine_at_end(&l->engine, i, idle, e))
            return -1;
    }
    return 0;
}

/* What time brings, once a second. */
static int every_second(struct live *l, struct err *e)
{
    int64_t now = clock_monotonic_ms();
    if (now < l->next_ms)
        return 0;
    l->next_ms = now + EVERY_MS;
    if (now >= l->topology_ms) {
        l->topology_ms = now + TOPOLOGY_EVERY_MS;
        if (refresh_partitions(l, e))
            return back_off(l, false, e);
    }
    if (now >= l->figures_ms) {
        l->figures_ms = now + FIGURES_EVERY_MS;
        log_figures(l);
    }
    if (engine_look(&l->engine, e) || look_at_ends(l, e))
        return back_off(l, false, e);
    return 0;
}

static int loop(struct live *l, struct err *e)
{
    while (!atomic_load(l->stop)) {
        batch_reset(&l->batch);
        enum source_result got = l->source->ops->next(l->source, &l->batch, WAIT_MS, e);
        if (got == SOURCE_ERROR && back_off(l, false, e))
            return -1;
        if (got == SOURCE_BATCH && take_batch(l, e))
            return -1;
        if (every_second(l, e))
            return -1;
    }
    return 0;
}

/* --- start and stop --- */

int live_redis_target(const struct config *config, struct arena *arena,
                      struct redis_target *out, struct err *e)
{
    struct str password = STR_NONE;
    if (!config->has_redis)
        return err_set(e, ERR_REFUSED,
                       "the configuration has no `redis` section, for example redis: "
                       "{url: \"redis://127.0.0.1:6379\"}");
    if (redis_target_parse(arena_str(arena, config->redis.url), out, e))
        return -1;
    if ((config->redis.password.value.n || config->redis.password.file.n) &&
        secret_read(&config->redis.password, arena, &password, e))
        return -1;
    if (password.n)
        out->password = password;
    out->timeout_ms = (int)config->redis.timeout_ms;
    return 0;
}

static int check_redis(struct live *l, struct err *e)
{
    const char *warning = NULL;
    char quoted[LOG_VALUE_BYTES];
    struct redis_link *link = redis_link_new(&l->redis);
    int result = redis_check(link, &warning, e);
    redis_link_free(link);
    if (warning)
        log_warn("redis", "reason=%s", log_quote(str_of(warning), quoted));
    return result;
}

static int open_store(struct live *l, struct err *e)
{
    if (live_redis_target(l->config, &l->arena, &l->redis, e) || check_redis(l, e))
        return -1;
    struct redis_store_settings s = {.target = &l->redis,
                                     .prefix = l->config->redis.prefix,
                                     .lateness_ms = l->config->time.lateness_ms,
                                     .record_for_ms = l->config->record.record_for_ms};
    l->store = redis_store_open(&s, e);
    return l->store ? 0 : -1;
}

static int open_source(struct live *l, struct err *e)
{
    const struct kafka_settings *k = &l->config->kafka;
    if (!l->config->has_kafka)
        return err_set(e, ERR_REFUSED,
                       "the configuration has no `kafka` section, for example kafka: "
                       "{brokers: \"127.0.0.1:9092\", topics: [support.tickets]}");
    struct kafka_source_settings s = {.brokers = k->brokers,
                                      .group = k->group,
                                      .dead_letter = k->dead_letter,
                                      .topics = k->topics.items,
                                      .topics_n = k->topics.n,
                                      .property_names = k->properties.names,
                                      .property_values = k->properties.values,
                                      .properties_n = k->properties.n,
                                      .max_future_ms = l->config->time.max_future_ms};
    struct source_listener listener = {l, on_assigned, on_revoked};
    l->source = kafka_source_open(&s, &listener, e);
    l->engine.source = l->source;
    return l->source ? 0 : -1;
}

static int start(struct live *l, struct err *e)
{
    char host[64] = "pod";
    (void)gethostname(host, sizeof host - 1);
    snprintf(l->consumer, sizeof l->consumer, "%s-%ld-%08x", host, (long)getpid(),
             (unsigned)time(NULL));
    if (!zone_use(l->config->time.zone))
        return err_set(e, ERR_REFUSED, "time.zone: the system has no zone '%.*s'",
                       STR_ARG(l->config->time.zone));
    if (open_store(l, e))
        return -1;
    engine_init(&l->engine, l->config->rules, l->config->rules_n,
                l->config->time.lateness_ms, NULL, l->store);
    l->engine.commit_metadata = redis_store_epoch(l->store);
    l->delivery =
        live_delivery_start(l->config, &l->redis, str_of(l->consumer), &l->arena, e);
    if (!l->delivery ||
        engine_look(&l->engine, e)) /* the store's clock, before partitions come */
        return -1;
    if (open_source(l, e) || refresh_partitions(l, e))
        return -1;
    l->topology_ms = clock_monotonic_ms() + TOPOLOGY_EVERY_MS;
    l->figures_ms = clock_monotonic_ms() + FIGURES_EVERY_MS;
    log_info("started", "version=%s consumer=%s rules=%zu sinks=%zu", TICKETWATCH_VERSION,
             l->consumer, l->config->rules_n, l->config->sinks_n);
    return 0;
}

static void finish(struct live *l)
{
    if (l->source)
        l->source->ops->close(l->source);
    if (l->delivery)
        delivery_stop(l->delivery, DRAIN_MS);
    if (l->store) {
        log_figures(l);
        engine_deinit(&l->engine);
        l->store->ops->close(l->store);
    }
    batch_deinit(&l->batch);
    arena_deinit(&l->arena);
}

int live_run(const struct config *config, const atomic_bool *stop, struct err *e)
{
    struct live l = {.config = config, .stop = stop};
    batch_init(&l.batch);
    arena_init(&l.arena);
    srand((unsigned)time(NULL) ^ (unsigned)getpid());
    int result = start(&l, e) ? -1 : loop(&l, e);
    log_info("stopping", "consumer=%s", l.consumer);
    finish(&l);
    log_info("stopped", "failed=%d", result != 0);
    return result;
}

/* One turn of the loop: a batch from Kafka through the engine, or nothing; and every second what time
 * brings: windows left by others, proof of idleness, new partitions, commits, figures. While Redis is away
 * the loop goes on polling Kafka, so that the group keeps us, and gives back what it gets: seek, wait, again. */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "app/live.h"
#include "app/live_state.h"
#include "core/clock.h"
#include "core/log.h"

enum {
    WAIT_MS = 100,
    EVERY_MS = 1000,
    OVERDUE_MS = 5000,
    TOPOLOGY_EVERY_MS = 30000,
    FIGURES_EVERY_MS = 60000,
    BACKOFF_MIN_MS = 50,
    BACKOFF_MAX_MS = 2000,
    UNKNOWN_FOR_MS = 1000,
};

/* --- what the source tells --- */

/* The last record applied, as the shard knows it that is read first: one further on has seen more. */
static struct source_place place_of(const struct engine *g,
                                    const struct engine_partition *p)
{
    size_t shard = 0;
    while (shard + 1 < g->shards_n && p->at[shard].cursor != p->next)
        shard++;
    return (struct source_place){p->next, p->at[shard].last_offset,
                                 p->at[shard].last_hash};
}

/* Until the stores tell where it stands it is not ours: whoever sought it before would take its log for the one
 * that was applied. */
struct source_place live_assigned(void *arg, size_t slot, struct str name)
{
    struct live *l = arg;
    struct err e = {0};
    char quoted[LOG_VALUE_BYTES], reason[LOG_VALUE_BYTES];
    if (l->engine.shards_n == 0) /* a start that failed, on its way out of the group */
        return (struct source_place){-1, -1, 0};
    struct engine_partition *p = engine_partition(&l->engine, slot, name);
    p->owned = false;
    p->marks.n = 0;                                 /* others may have gone on with it */
    if (clock_monotonic_ms() < l->unknown_until_ms) /* not a time-out for each of many */
        return (struct source_place){SOURCE_ASK_AGAIN, -1, 0};
    if (engine_place(&l->engine, p, &e)) {
        log_warn("cursor_unknown", "partition=%s reason=%s", log_quote(name, quoted),
                 log_quote(str_of(e.text), reason));
        l->unknown_until_ms = clock_monotonic_ms() + UNKNOWN_FOR_MS;
        engine_forget(&l->engine); /* the state may be another */
        return (struct source_place){SOURCE_ASK_AGAIN, -1, 0};
    }
    p->owned = true;
    p->reads = p->next;
    log_info("partition_assigned", "partition=%s offset=%" PRId64,
             log_quote(name, quoted), p->next);
    return place_of(&l->engine, p);
}

void live_revoked(void *arg, size_t slot, struct str name)
{
    struct live *l = arg;
    char quoted[LOG_VALUE_BYTES];
    if (l->engine.shards_n == 0)
        return;
    struct engine_partition *p = engine_partition(&l->engine, slot, name);
    p->owned = p->placed = false;
    log_info("partition_revoked", "partition=%s", log_quote(name, quoted));
}

/* --- trouble --- */

static void sleep_ms(int64_t ms)
{
    struct timespec t = {ms / 1000, (ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}

/* The batch comes again. */
static int give_back(struct live *l, struct err *e)
{
    l->engine.partitions[l->batch.slot].reads = l->batch.start;
    struct source *source = l->setup->source;
    return source->ops->seek(source, l->batch.slot, l->batch.start, e);
}

/* Shards that answer need not wait for one that does not. Once: then engine_look() finds what is left. */
static void judge_elsewhere(struct live *l)
{
    struct err ignored = {0};
    (void)engine_judge_left(&l->engine, &ignored);
    l->engine.put_off = false;
}

/* Nothing is known: what was in hand is read again, later. Longer each time, with jitter. */
static int back_off(struct live *l, bool batch_in_hand, struct err *e)
{
    char quoted[LOG_VALUE_BYTES];
    if (e->kind != ERR_UNAVAILABLE)
        return -1;
    log_warn("unavailable", "reason=%s", log_quote(str_of(e->text), quoted));
    err_clear(e);
    l->failures++;
    judge_elsewhere(l);
    engine_forget(&l->engine);
    l->backoff_ms = l->backoff_ms ? l->backoff_ms * 2 : BACKOFF_MIN_MS;
    if (l->backoff_ms > BACKOFF_MAX_MS)
        l->backoff_ms = BACKOFF_MAX_MS;
    sleep_ms(l->backoff_ms / 2 + rand() % (l->backoff_ms / 2 + 1));
    return batch_in_hand ? give_back(l, e) : 0;
}

static void well_again(struct live *l)
{
    if (l->backoff_ms)
        log_info("available_again", "repositions=%" PRIu64, l->engine.stats.repositions);
    l->backoff_ms = 0;
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

/* --- one turn --- */

static int take_batch(struct live *l, struct err *e)
{
    int64_t begin_us = clock_monotonic_us();
    log_rejects(&l->batch);
    if (engine_batch(&l->engine, &l->batch, e))
        return back_off(l, true, e);
    live_metrics_batch(clock_monotonic_us() - begin_us);
    well_again(l);
    return 0;
}

static int take_remade(struct live *l, struct err *e)
{
    char quoted[LOG_VALUE_BYTES];
    (void)engine_partition(&l->engine, l->batch.slot, l->batch.name);
    log_error(
        "log_remade",
        "partition=%s reason=\"the topic was made anew or cut back: it is read from "
        "its beginning\"",
        log_quote(l->batch.name, quoted));
    return engine_remade(&l->engine, l->batch.slot, e) ? back_off(l, false, e) : 0;
}

void live_log_figures(const struct live *l)
{
    const struct engine_stats *s = &l->engine.stats;
    uint64_t announced = 0, confirmed = 0;
    for (size_t i = 0; i < l->config->rules_n; i++) {
        announced += s->rules[i].announced;
        confirmed += judge_confirmed(&s->rules[i]);
    }
    log_info("figures",
             "events=%" PRIu64 " late=%" PRIu64 " duplicates=%" PRIu64 " behind=%" PRIu64
             " dead_letters=%" PRIu64 " lost=%" PRIu64 " remade=%" PRIu64
             " batches=%" PRIu64 " repositions=%" PRIu64 " announced=%" PRIu64
             " confirmed=%" PRIu64,
             s->events, s->late, s->duplicates, s->behind, s->rejects, s->lost, s->remade,
             s->batches, s->repositions, announced, confirmed);
}

/* Asks nobody, so it is done however things are. */
static void tell_every_second(struct live *l)
{
    int64_t now = clock_monotonic_ms();
    if (now < l->tell_ms)
        return;
    l->tell_ms = now + EVERY_MS;
    live_look_at_outboxes(l);
    live_look_at_keys(l);
    live_metrics_tell(&l->metrics, &l->engine, l->setup->delivery, l->paused);
    const struct source *source = l->setup->source;
    status_tell(l->status,
                &(struct status_facts){.redis_answers = l->redis_answers,
                                       .sinks_full = l->metrics.sinks_full,
                                       .group_joined = source->ops->joined(source)});
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
        if (engine_judge_left(&l->engine, e) || live_partitions(l, e) ||
            setup_check_stores(l->setup, e))
            return back_off(l, false, e);
    }
    if (now >= l->figures_ms) {
        l->figures_ms = now + FIGURES_EVERY_MS;
        live_log_figures(l);
    }
    l->redis_answers =
        engine_look(&l->engine, e) == 0 &&
        engine_look_at_ends(&l->engine, l->config->time.idle_after_ms, e) == 0 &&
        engine_horizon(&l->engine, l->config->redis.prefix, e) == 0 &&
        engine_mend(&l->engine, e) == 0 && live_count_keys(l, e) == 0 &&
        live_notices(l, e) == 0;
    live_log_lanes(l);
    if (!l->redis_answers)
        return back_off(l, false, e);
    well_again(l);
    return 0;
}

/* While every batch fails, the second's work comes to its turn instead of one of them: else nobody would see
 * that Redis is away, or do what other partitions bring. */
static bool is_overdue(const struct live *l)
{
    return l->backoff_ms && clock_monotonic_ms() >= l->next_ms + OVERDUE_MS;
}

static int turn(struct live *l, struct err *e)
{
    struct source *source = l->setup->source;
    status_tick(l->status);
    batch_reset(&l->batch);
    switch (source->ops->next(source, &l->batch, WAIT_MS, e)) {
    case SOURCE_ERROR:
        return back_off(l, false, e);
    case SOURCE_BATCH:
        return is_overdue(l) ? give_back(l, e) : take_batch(l, e);
    case SOURCE_REMADE:
        return take_remade(l, e);
    case SOURCE_NOTHING:
    case SOURCE_END:
        break;
    }
    /* what was to be judged with the next batch, which was taken from us */
    return engine_judge_left(&l->engine, e) ? back_off(l, false, e) : 0;
}

static int loop(struct live *l, struct err *e)
{
    l->topology_ms = clock_monotonic_ms() + TOPOLOGY_EVERY_MS;
    l->figures_ms = clock_monotonic_ms() + FIGURES_EVERY_MS;
    while (!atomic_load(&l->orders->stop)) {
        uint64_t failures = l->failures;
        if (turn(l, e))
            return -1;
        tell_every_second(l);
        if (l->failures == failures && every_second(l, e))
            return -1; /* else: one time-out from poll to poll is enough */
        if (live_reload(l, e) || (live_replaced(l) && live_stand_aside(l, e)))
            return -1;
    }
    return 0;
}

int live_run(const struct config *config, const char *path, struct live_orders *orders,
             struct err *e)
{
    struct live l = {.config = config, .orders = orders};
    live_use_log(&l);
    batch_init(&l.batch);
    l.watch = path ? config_watch_open(path, config->hash) : NULL;
    srand((unsigned)time(NULL) ^ (unsigned)getpid());
    int result = live_start(&l, e) ? -1 : loop(&l, e);
    judge_elsewhere(&l);
    log_info("stopping", "consumer=%s", l.setup ? l.setup->consumer : "none");
    live_finish(&l);
    live_forget_keys(&l);
    config_watch_close(l.watch);
    log_info("stopped", "failed=%d", result != 0);
    return result;
}

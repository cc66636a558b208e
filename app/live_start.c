/* What a process opens before its first turn, and closes behind its last one. What is away is waited for: the pages are
 * served meanwhile, and say why nothing is done yet. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/live.h"
#include "app/live_state.h"
#include "core/clock.h"
#include "core/fault.h"
#include "core/log.h"
#include "core/zone.h"

enum {
    TICK_MS = 500,
    NAP_MS = 50,
    WAIT_MIN_MS = 500,
    WAIT_MAX_MS = 5000,
    LOG_EVERY_MS = 30000,
};

int live_partitions(struct live *l, struct err *e)
{
    const struct str *names;
    size_t n;
    struct source *source = l->setup->source;
    if (FAULT_OFF("all_partitions"))
        return 0;
    if (source->ops->partitions(source, &names, &n, e))
        return -1;
    return engine_partitions(&l->engine, names, n, e);
}

/* With `pause` an outbox may grow a little beyond its size: reading stops, nothing is put aside. */
static void set_caps(struct live *l)
{
    const struct config *c = l->config;
    struct outbox_cap *caps =
        arena_alloc(&l->setup->arena, (c->sinks_n + 1) * sizeof *caps);
    for (size_t i = 0; i < c->sinks_n; i++)
        caps[i] = (struct outbox_cap){
            c->sinks[i].name,
            c->sinks[i].when_full == WHEN_FULL_DEAD_LETTER ? c->sinks[i].outbox_max : 0};
    l->engine.caps = caps;
    l->engine.caps_n = c->sinks_n;
}

/* As it was told a moment ago. */
static size_t known_partitions(struct source *source)
{
    const struct str *names;
    struct err ignored = {0};
    size_t n = 0;
    (void)source->ops->partitions(source, &names, &n, &ignored);
    return n;
}

void live_start_engine(struct live *l)
{
    struct setup *s = l->setup;
    engine_init(&l->engine, l->config->rules, l->config->judged_n,
                l->config->time.lateness_ms, s->source, s->stores, s->stores_n);
    l->engine.past = &s->past;
    l->engine.tick_ms = TICK_MS;
    l->engine.known_n = known_partitions(s->source);
    set_caps(l);
}

struct source_listener live_listener(struct live *l)
{
    return (struct source_listener){l, live_assigned, live_revoked};
}

void live_nap(struct live *l, int64_t ms)
{
    int64_t until_ms = clock_monotonic_ms() + ms;
    while (!atomic_load(&l->orders->stop) && clock_monotonic_ms() < until_ms) {
        status_tick(l->status);
        nanosleep(&(struct timespec){.tv_nsec = NAP_MS * 1000000L}, NULL);
    }
}

/* --- waiting --- */

struct waiting {
    char said[sizeof((struct err *)0)->text]; /* logged last */
    int64_t next_log_ms, pause_ms;
};

static void tell_waiting(struct live *l, struct waiting *w, const char *why)
{
    char quoted[LOG_VALUE_BYTES];
    int64_t now_ms = clock_monotonic_ms();
    status_wait(l->status, why);
    if (strcmp(w->said, why) == 0 && now_ms < w->next_log_ms)
        return;
    log_warn("waiting", "reason=%s", log_quote(str_of(why), quoted));
    memcpy(w->said, why, sizeof w->said);
    w->next_log_ms = now_ms + LOG_EVERY_MS;
}

/* Kafka and Redis may come after us. 0 also when it was told to end before they did: then there is no setup. */
static int wait_for_setup(struct live *l, struct err *e)
{
    struct source_listener listener = live_listener(l);
    struct waiting w = {.pause_ms = WAIT_MIN_MS};
    while (!atomic_load(&l->orders->stop)) {
        l->setup = setup_open(l->config, NULL, &listener, &l->orders->stop, e);
        if (l->setup || e->kind != ERR_UNAVAILABLE)
            return l->setup ? 0 : -1;
        tell_waiting(l, &w, e->text);
        err_clear(e);
        live_nap(l, w.pause_ms);
        w.pause_ms = w.pause_ms * 2 < WAIT_MAX_MS ? w.pause_ms * 2 : WAIT_MAX_MS;
        live_reload_before_start(l);
    }
    return 0;
}

int live_first_look(struct live *l, struct err *e)
{
    if (engine_look(&l->engine, e) == 0)
        return 0;
    if (e->kind != ERR_UNAVAILABLE)
        return -1;
    err_clear(e);
    engine_forget(&l->engine);
    return 0;
}

int live_start(struct live *l, struct err *e)
{
    if (!zone_use(l->config->time.zone))
        return err_set(e, ERR_REFUSED, "time.zone: the system has no zone '%.*s'",
                       STR_ARG(l->config->time.zone));
    l->status = status_start(l->config, e);
    if (!l->status)
        return -1;
    live_metrics_init(&l->metrics, l->config);
    if (wait_for_setup(l, e))
        return -1;
    if (!l->setup)
        return 0;
    live_start_engine(l);
    if (live_first_look(l, e))
        return -1;
    live_tell_reload(true);
    log_info("started", "version=%s consumer=%s rules=%zu sinks=%zu shards=%zu",
             TICKETWATCH_VERSION, l->setup->consumer, l->config->rules_n,
             l->config->sinks_n, l->setup->stores_n);
    return 0;
}

/* The source first: it tells the engine what is taken from us. */
void live_finish(struct live *l)
{
    if (l->status)
        status_drain(l->status);
    live_retire_wait(l);
    live_forget_notices(l);
    setup_close(l->setup, LIVE_DRAIN_MS);
    if (l->engine.stats.rules) {
        live_log_figures(l);
        engine_deinit(&l->engine);
    }
    status_stop(l->status);
    live_metrics_deinit(&l->metrics);
    batch_deinit(&l->batch);
    if (l->loaded)
        config_deinit(l->loaded);
    free(l->loaded);
}

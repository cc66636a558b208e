/* Rules that change while the stream runs, as a process sees it: its own read the past, or those of another configuration
 * have taken their place (docs/once.md, "Rules that change"). */
#include <inttypes.h>
#include <stdlib.h>

#include "app/live.h"
#include "app/live_state.h"
#include "core/log.h"

enum { LOOK_EVERY_MS = 1000 };

static void log_lane(const struct live *l, const struct window_store *lane)
{
    for (size_t i = 0; i < lane->rules_n; i++)
        if (lane->holds[i])
            log_info("rule_reads_past",
                     "rule=%.*s from_ms=%" PRId64 " speaks_from_ms=%" PRId64,
                     STR_ARG(l->config->rules[i].name), lane->past.from_ms,
                     lane->past.said_ms);
}

void live_log_lanes(struct live *l)
{
    size_t lanes_n = l->engine.shards_n - l->engine.mains_n;
    if (lanes_n == l->lanes_n)
        return;
    if (lanes_n > l->lanes_n)
        for (size_t i = l->engine.mains_n; i < l->engine.shards_n; i++)
            log_lane(l, l->engine.shards[i].store);
    else
        log_info("rules_caught_up", "lanes_left=%zu", lanes_n);
    l->lanes_n = lanes_n;
}

bool live_replaced(const struct live *l)
{
    for (size_t i = 0; i < l->setup->stores_n; i++)
        if (l->setup->stores[i]->replaced)
            return true;
    return false;
}

/* Waits a second, and answers those that ask how the process is. */
static void wait(struct live *l)
{
    status_tell(l->status, &(struct status_facts){.redis_answers = true,
                                                  .rules_replaced = true,
                                                  .sinks_full = l->metrics.sinks_full});
    live_nap(l, LOOK_EVERY_MS);
}

static bool ours_again(struct live *l)
{
    struct err e = {0};
    for (size_t i = 0; i < l->setup->stores_n; i++)
        if (redis_store_look(l->setup->stores[i], &e))
            return false;
    return true;
}

/* What was counted stays. */
static void leave(struct live *l)
{
    struct engine_stats stats = l->engine.stats;
    l->setup->source->ops->close(l->setup->source);
    l->setup->source = NULL;
    l->engine.stats.rules = NULL;
    engine_deinit(&l->engine);
    l->engine = (struct engine){.stats = stats};
}

static void come_back(struct live *l)
{
    struct engine_stats stats = l->engine.stats;
    live_start_engine(l);
    free(l->engine.stats.rules);
    l->engine.stats = stats;
}

/* ERR_UNAVAILABLE: the others' rules are still in place, or Kafka is away. */
static int take_back(struct live *l, struct err *e)
{
    struct source_listener listener = live_listener(l);
    if (!ours_again(l))
        return err_set(e, ERR_UNAVAILABLE, "other rules are in place");
    if (setup_open_source(l->setup, &listener, &l->orders->stop, e))
        return -1;
    come_back(l);
    return 0;
}

int live_stand_aside(struct live *l, struct err *e)
{
    log_warn(
        "rules_replaced",
        "reason=\"processes with another configuration have put their rules in place: "
        "this one leaves the group until it is replaced, reads that configuration, or "
        "they are gone\"");
    leave(l);
    while (!l->setup->source) {
        err_clear(e);
        wait(l);
        if (atomic_load(&l->orders->stop))
            return 0;
        if (live_reload(l, e))
            return -1;
        if (!l->setup->source && take_back(l, e) && e->kind != ERR_UNAVAILABLE)
            return -1;
    }
    err_clear(e);
    log_info("rules_in_place", "consumer=%s", l->setup->consumer);
    return 0;
}

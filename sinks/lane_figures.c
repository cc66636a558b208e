/* Redis is asked once a second, by the first lane of a sink: the outbox is the sink's. */
#include "sinks/lane_figures.h"

#include "core/log.h"
#include "sinks/lane_gate.h"

enum { COUNT_MS = 1000, DEAD_MANY = 10000, DEAD_SAID_EVERY_MS = 3600 * 1000 };

static void say_many_dead(struct lane *l, int64_t dead)
{
    if (dead <= DEAD_MANY || l->world->now_ms < l->dead_said_ms)
        return;
    l->dead_said_ms = l->world->now_ms + DEAD_SAID_EVERY_MS;
    log_error("dead_stream_grows", "sink=%.*s entries=%lld", STR_ARG(l->sink->name),
              (long long)dead);
}

int64_t lane_figures_due_ms(const struct lane *l)
{
    return l == l->gate->lanes ? l->count_ms : INT64_MAX;
}

int lane_take_figures(struct lane *l, struct err *e)
{
    struct outbox_figures now;
    if (l->world->stopping || l->world->now_ms < lane_figures_due_ms(l))
        return 0;
    if (outbox_figures(l->world->outbox, l->sink->name, &now, e) < 0)
        return -1;
    atomic_store_explicit(&l->counts.queued, now.queued, memory_order_relaxed);
    atomic_store_explicit(&l->counts.dead_total, now.dead, memory_order_relaxed);
    atomic_store_explicit(&l->counts.oldest_ms, now.oldest_ms, memory_order_relaxed);
    l->count_ms = l->world->now_ms + COUNT_MS;
    say_many_dead(l, now.dead);
    return 1;
}

static int64_t read_count(const _Atomic int64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void lane_add_stats(const struct lane *l, struct delivery_stats *sum)
{
    int64_t oldest_ms = read_count(&l->counts.oldest_ms);
    int64_t queued = read_count(&l->counts.queued);
    sum->delivered += read_count(&l->counts.delivered);
    sum->digested += read_count(&l->counts.digested);
    sum->superseded += read_count(&l->counts.superseded);
    sum->silenced += read_count(&l->counts.silenced);
    sum->retried += read_count(&l->counts.retried);
    sum->dead += read_count(&l->counts.dead);
    sum->queued += queued;
    sum->fullest = sum->fullest > queued ? sum->fullest : queued;
    sum->dead_total += read_count(&l->counts.dead_total);
    sum->oldest_ms = sum->oldest_ms > oldest_ms ? sum->oldest_ms : oldest_ms;
}

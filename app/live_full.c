/* Outboxes that are full: what was put aside is told, and with `when_full: pause` reading stops until there is
 * room again. The group keeps us meanwhile, since the loop goes on asking. */
#include <inttypes.h>

#include "app/live_state.h"
#include "core/log.h"

enum { RESUME_PERCENT = 90 };

/* The first sink with `pause` that has no room; NULL: there is none. What is paused goes on a little below. */
static const struct sink_config *full_sink(const struct live *l)
{
    for (size_t i = 0; i < l->config->sinks_n; i++) {
        const struct sink_config *c = &l->config->sinks[i];
        struct delivery_stats stats = delivery_stats(l->setup->delivery, i);
        int64_t room = l->paused ? c->outbox_max * RESUME_PERCENT / 100 : c->outbox_max;
        if (c->when_full == WHEN_FULL_PAUSE && stats.fullest >= room)
            return c;
    }
    return NULL;
}

static uint64_t put_aside(const struct live *l)
{
    uint64_t n = 0;
    for (size_t i = 0; i < l->setup->stores_n; i++)
        n += l->setup->stores[i]->full;
    return n;
}

void live_look_at_outboxes(struct live *l)
{
    const struct sink_config *full = full_sink(l);
    uint64_t aside = put_aside(l);
    if (aside > l->full)
        log_error("outbox_full",
                  "dead_letters=%" PRIu64 " reason=\"a sink is down for so long that its "
                  "outbox is full: what comes now is put into its dead letters\"",
                  aside - l->full);
    l->full = aside;
    if ((full != NULL) == l->paused)
        return;
    l->paused = full != NULL;
    l->setup->source->ops->pause(l->setup->source, l->paused);
    if (full)
        log_error(
            "outbox_full",
            "sink=%.*s entries=%" PRId64
            " reason=\"reading is paused until the sink takes its alerts (when_full: "
            "pause)\"",
            STR_ARG(full->name), full->outbox_max);
    else
        log_info("outbox_has_room", "reason=\"reading goes on\"");
}

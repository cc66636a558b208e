/* What the watcher says of itself: that it is alive, and that a sink fails. Both go the way of every alert, through Redis and
 * delivery, so that a heartbeat which arrives proves all of it. One process says it for all. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/live_state.h"
#include "app/own_alert.h"
#include "app/redis_where.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/metric_families.h"
#include "windows/notices.h"
#include "windows/shard.h"

enum { LOOK_AGAIN_MS = 30000, TEXT_BYTES = 512 };

struct sink_health {
    bool fails;
    int64_t look_ms; /* what others said of it is looked up again */
};

static void count(const char *what)
{
    metric_add(metric_of(&metric_notices, str_of(what), STR_NONE), 1);
}

static int say(struct live *l, struct notice *n, const struct alert *a, int64_t *wait_ms,
               struct err *e)
{
    struct buf line;
    buf_init(&line, 64 * 1024);
    alert_json(a, true, &line);
    n->alert = buf_str(&line);
    n->id = a->id;
    n->time_ms = a->time_ms;
    int said = notices_say(l->notices, n, wait_ms, e);
    buf_deinit(&line);
    return said;
}

/* --- alive --- */

static int beat(struct live *l, struct err *e)
{
    const struct heartbeat_settings *h = &l->config->heartbeat;
    char text[TEXT_BYTES];
    struct alert a;
    int64_t now_ms = clock_monotonic_ms(), wait_ms = 0;
    if (h->sink.n == 0 || now_ms < l->beat_ms ||
        !l->setup->source->ops->joined(l->setup->source))
        return 0;
    snprintf(text, sizeof text,
             "ticketwatch is at work. This comes every %lld s; when it does not, look at "
             "ticketwatch.",
             (long long)h->every_ms / 1000);
    own_alert(&a, STR("ticketwatch-heartbeat"), STR("group"), l->config->kafka.group,
              str_of(text));
    struct notice n = {.name = STR("heartbeat"),
                       .sink = h->sink,
                       .what = "beat",
                       .every_ms = h->every_ms};
    int said = say(l, &n, &a, &wait_ms, e);
    if (said < 0)
        return -1;
    if (said)
        count("heartbeat");
    l->beat_ms = now_ms + wait_ms;
    return 0;
}

/* --- a sink that fails --- */

/* What the sink's own people cannot be told. */
static int tell(struct live *l, const struct sink_config *sink, bool fails,
                const struct notice_said *before, struct err *e)
{
    char text[TEXT_BYTES];
    struct alert a;
    int64_t wait_ms;
    snprintf(text, sizeof text,
             fails ? "The sink %.*s of ticketwatch fails: its alerts wait. See the log's "
                     "circuit_open or sink_paused."
                   : "The sink %.*s of ticketwatch works again.",
             STR_ARG(sink->name));
    own_alert(&a, STR("ticketwatch-sink"), STR("sink"), sink->name, str_of(text));
    a.severity = SEVERITY_HIGH;
    if (!fails) {
        a.state = ALERT_RESOLVED;
        snprintf(a.id, sizeof a.id, "%s", before->id);
    }
    char name[TEXT_BYTES];
    snprintf(name, sizeof name, "sink:%.*s", STR_ARG(sink->name));
    struct notice n = {.name = str_of(name),
                       .sink = sink->when_failing,
                       .what = fails ? "fails" : "works",
                       .after = before->what};
    int said = say(l, &n, &a, &wait_ms, e);
    if (said > 0) {
        count(fails ? "sink_fails" : "sink_works");
        log_event(fails ? LOG_ERROR : LOG_INFO, fails ? "sink_fails" : "sink_works",
                  "sink=%.*s told=%.*s", STR_ARG(sink->name), STR_ARG(n.sink));
    }
    return said < 0 ? -1 : 0;
}

/* It works again when nothing of it waits: another process may be the one that it fails. */
static int look_at(struct live *l, size_t i, struct sink_health *h, struct err *e)
{
    const struct sink_config *sink = &l->config->sinks[i];
    struct delivery_stats s = delivery_stats(l->setup->delivery, i);
    struct notice_said before;
    char name[TEXT_BYTES];
    bool fails = s.open || s.paused;
    int64_t now_ms = clock_monotonic_ms();
    if (sink->when_failing.n == 0 || (fails == h->fails && now_ms < h->look_ms) ||
        (!fails && s.queued > 0))
        return 0;
    snprintf(name, sizeof name, "sink:%.*s", STR_ARG(sink->name));
    if (notices_last(l->notices, str_of(name), &before, e))
        return -1;
    bool said = str_is(str_of(before.what), "fails");
    if (said != fails && tell(l, sink, fails, &before, e))
        return -1;
    h->fails = fails;
    h->look_ms = now_ms + LOOK_AGAIN_MS;
    return 0;
}

void live_forget_notices(struct live *l)
{
    notices_close(l->notices);
    free(l->healths);
    l->notices = NULL;
    l->healths = NULL;
    l->beat_ms = 0;
}

int live_notices(struct live *l, struct err *e)
{
    const struct config *c = l->config;
    if (!l->notices) {
        struct str stem =
            shard_stem(c->redis.prefix, live_shards(c), 0, &l->setup->arena);
        l->notices = notices_open(&l->setup->redis, stem);
        l->healths = calloc(c->sinks_n + 1, sizeof *l->healths);
        assert(l->healths);
    }
    for (size_t i = 0; i < c->sinks_n; i++)
        if (look_at(l, i, &l->healths[i], e))
            return -1;
    return beat(l, e);
}

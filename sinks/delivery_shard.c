/* The bell is a hint: without it the lanes look once a second, and find out themselves what ails Redis.
 * Where Redis only refuses what one lane asks, the other lanes go on: what they acknowledge makes room. */
#include "sinks/delivery_shard.h"

#include <assert.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/log.h"
#include "windows/outbox_bell.h"
#include "windows/shard.h"

enum { REDIS_REST_MIN_MS = 100, REDIS_REST_MAX_MS = 5000, BELL_REST_MS = 500 };

static size_t lanes_n(const struct delivery_shard *s)
{
    return s->world->settings->sinks_n;
}

static bool redis_rests(const struct delivery_shard *s)
{
    return s->redis_rest_ms && s->world->now_ms < s->redis_due_ms;
}

static void redis_fails(struct delivery_shard *s, const struct err *e)
{
    char quoted[LOG_VALUE_BYTES];
    if (!s->redis_rest_ms)
        log_error("outbox_unavailable", "shard=%zu reason=%s", s->number,
                  log_quote(str_of(e->text), quoted));
    int64_t rest = s->redis_rest_ms ? s->redis_rest_ms * 2 : REDIS_REST_MIN_MS;
    s->redis_rest_ms = rest < REDIS_REST_MAX_MS ? rest : REDIS_REST_MAX_MS;
    s->redis_due_ms = clock_monotonic_ms() + s->redis_rest_ms;
    outbox_bell_drop(s->bell);
}

static void redis_works(struct delivery_shard *s)
{
    if (s->redis_rest_ms)
        log_info("outbox_back", "shard=%zu", s->number);
    s->redis_rest_ms = 0;
}

static int step_lane(struct delivery_shard *s, struct lane *l)
{
    struct err e = {0};
    int rc = lane_step(l, &e);
    if (rc >= 0)
        return rc;
    if (!outbox_answered(s->outbox)) {
        redis_fails(s, &e);
        return -1;
    }
    lane_rest(l, &e);
    return 1;
}

void delivery_shard_step(struct delivery_shard *s)
{
    int asked = 0;
    if (redis_rests(s))
        return;
    for (size_t i = 0; i < lanes_n(s); i++) {
        int rc = step_lane(s, &s->lanes[i]);
        if (rc < 0)
            return;
        asked |= rc;
    }
    if (asked)
        redis_works(s);
}

int64_t delivery_shard_due_ms(const struct delivery_shard *s)
{
    int64_t due = INT64_MAX;
    for (size_t i = 0; i < lanes_n(s); i++)
        if (lane_due_ms(&s->lanes[i]) < due)
            due = lane_due_ms(&s->lanes[i]);
    return s->redis_rest_ms && due < s->redis_due_ms ? s->redis_due_ms : due;
}

static void bell_fails(struct delivery_shard *s)
{
    outbox_bell_drop(s->bell);
    s->bell_due_ms = s->world->now_ms + BELL_REST_MS;
}

int delivery_shard_bell(struct delivery_shard *s)
{
    struct err e = {0};
    if (!s->bell || s->world->stopping || s->redis_rest_ms ||
        s->world->now_ms < s->bell_due_ms)
        return -1;
    int fd = outbox_bell_fd(s->bell, &e);
    if (fd < 0)
        bell_fails(s);
    return fd;
}

void delivery_shard_hear(struct delivery_shard *s)
{
    struct err e = {0};
    int rang = outbox_bell_heard(s->bell, &e);
    if (rang < 0)
        bell_fails(s);
    for (size_t i = 0; rang != 0 && i < lanes_n(s); i++)
        lane_look_now(&s->lanes[i]);
}

bool delivery_shard_busy(const struct delivery_shard *s)
{
    bool busy = false;
    for (size_t i = 0; i < lanes_n(s); i++)
        busy |= s->lanes[i].state != LANE_IDLE;
    return busy;
}

void delivery_shard_leave(struct delivery_shard *s)
{
    struct err e = {0};
    int rc = 0;
    for (size_t i = 0; i < lanes_n(s) && rc >= 0; i++)
        rc = lane_abandon(&s->lanes[i], &e);
    for (size_t i = 0; i < lanes_n(s) && rc >= 0 && !s->redis_rest_ms; i++)
        rc = outbox_tidy(s->outbox, s->world->settings->sinks[i].name, &e);
    if (rc < 0)
        redis_fails(s, &e);
}

static struct outbox_bell *open_bell(const struct delivery_settings *s, struct str stem)
{
    if (s->sinks_n == 0)
        return NULL;
    struct str *names = calloc(s->sinks_n, sizeof *names);
    assert(names);
    for (size_t i = 0; i < s->sinks_n; i++)
        names[i] = s->sinks[i].name;
    struct outbox_bell *bell = outbox_bell_open(s->redis, stem, names, s->sinks_n);
    free(names);
    return bell;
}

int delivery_shard_init(struct delivery_shard *s, struct lane_world *world, size_t number,
                        struct err *e)
{
    const struct delivery_settings *settings = world->settings;
    struct arena arena;
    int rc = 0;
    arena_init(&arena);
    struct str stem = shard_stem(settings->prefix, settings->shards_n, number, &arena);
    *s = (struct delivery_shard){.world = world, .number = number};
    s->outbox = outbox_open(settings->redis, stem, settings->consumer);
    s->bell = open_bell(settings, stem);
    s->lanes = calloc(settings->sinks_n + 1, sizeof *s->lanes);
    assert(s->lanes);
    for (size_t i = 0; i < settings->sinks_n; i++)
        if (lane_init(&s->lanes[i], world, s->outbox, number * settings->sinks_n + i, e))
            rc = -1;
    arena_deinit(&arena);
    return rc;
}

void delivery_shard_deinit(struct delivery_shard *s)
{
    for (size_t i = 0; i < lanes_n(s); i++)
        lane_deinit(&s->lanes[i]);
    outbox_bell_close(s->bell);
    outbox_close(s->outbox);
    free(s->lanes);
}

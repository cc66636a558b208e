/* The settings' times, and a thread a shard (delivery_shard.c). */
#include "sinks/delivery.h"

#include <assert.h>
#include <stdlib.h>

#include "core/clock.h"
#include "sinks/delivery_shard.h"
#include "sinks/explain.h"
#include "windows/redis_link.h"

enum { LEASE_MIN_MS = 500, REDIS_WAITS = 4 };
#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)

struct delivery {
    struct delivery_settings settings;
    struct redis_target redis;
    struct delivery_shard **shards;
    size_t started;
};

static void fall_back(int64_t *value, int64_t fallback)
{
    if (*value == 0)
        *value = fallback;
}

static int check_times(struct delivery_settings *s, struct err *e)
{
    fall_back(&s->connect_timeout_ms, 5000);
    fall_back(&s->request_timeout_ms, 10000);
    fall_back(&s->lease_ms, 6000);
    fall_back(&s->retry_min_ms, 1000);
    fall_back(&s->retry_max_ms, 300000);
    fall_back(&s->retry_after_max_ms, HOUR_MS);
    fall_back(&s->paused_min_ms, 30000);
    fall_back(&s->paused_max_ms, 600000);
    fall_back(&s->digest_within_ms, 60000);
    fall_back(&s->give_up_ms, 3 * DAY_MS);
    if (s->lease_ms < LEASE_MIN_MS)
        return err_set(e, ERR_INPUT,
                       "delivery: a lease below %d ms cannot be renewed in time",
                       LEASE_MIN_MS);
    if (s->retry_max_ms < s->retry_min_ms || s->paused_max_ms < s->paused_min_ms)
        return err_set(e, ERR_INPUT, "delivery: the longest wait is below the shortest");
    return 0;
}

/* No wait for Redis may cost a thread the leases it holds for its other sinks. */
static void bound_redis(struct delivery *d)
{
    d->redis = *d->settings.redis;
    if (d->redis.timeout_ms > d->settings.lease_ms / REDIS_WAITS)
        d->redis.timeout_ms = (int)(d->settings.lease_ms / REDIS_WAITS);
    d->settings.redis = &d->redis;
}

/* All are made before the first thread starts: http.h wants it. */
static int start(struct delivery *d, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; i < d->settings.shards_n && rc == 0; i++)
        if (!(d->shards[i] = delivery_shard_new(&d->settings, i, e)))
            rc = -1;
    while (rc == 0 && d->started < d->settings.shards_n)
        if ((rc = delivery_shard_start(d->shards[d->started], e)) == 0)
            d->started++;
    return rc;
}

struct delivery *delivery_start(const struct delivery_settings *settings, struct err *e)
{
    struct delivery_settings s = *settings;
    s.shards_n = s.shards_n ? s.shards_n : 1;
    if (check_times(&s, e) < 0)
        return NULL;
    struct delivery *d = calloc(1, sizeof *d);
    assert(d);
    d->settings = s;
    d->shards = calloc(s.shards_n, sizeof(struct delivery_shard *));
    assert(d->shards);
    bound_redis(d);
    d->settings.explain = explain_new(s.inhibits, s.inhibits_n, s.shards_n);
    if (start(d, e) == 0)
        return d;
    delivery_stop(d, 0);
    return NULL;
}

struct delivery_stats delivery_stats(const struct delivery *d, size_t i)
{
    struct delivery_stats sum = {0};
    for (size_t k = 0; k < d->settings.shards_n; k++)
        delivery_shard_add_stats(d->shards[k], i, &sum);
    return sum;
}

void delivery_stop(struct delivery *d, int64_t drain_ms)
{
    if (!d)
        return;
    int64_t until = clock_monotonic_ms() + drain_ms;
    for (size_t i = 0; i < d->started; i++)
        delivery_shard_stop(d->shards[i], until);
    for (size_t i = 0; i < d->started; i++)
        delivery_shard_join(d->shards[i]);
    for (size_t i = 0; i < d->settings.shards_n; i++)
        delivery_shard_free(d->shards[i]);
    explain_free(d->settings.explain);
    free(d->shards);
    free(d);
}

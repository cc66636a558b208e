/* The delivery thread. It owns three things to wait for and waits for all of them at once: sockets of
 * requests, the shards' bells, and its owner's wish to stop. Time is read once a round. */
#include "sinks/delivery.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "core/clock.h"
#include "sinks/delivery_shard.h"
#include "windows/shard.h"

enum { ROUND_MAX_MS = 60000 };
#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)

struct delivery {
    struct delivery_settings settings;
    struct lane_world world;
    struct delivery_shard *shards;
    struct http_watch *bells; /* one a shard */
    pthread_t thread;
    atomic_bool stop;
    _Atomic int64_t drain_until_ms; /* before stop is set */
};

static void tell_time(struct delivery *d)
{
    d->world.now_ms = clock_monotonic_ms();
    d->world.wall_ms = clock_wall_ms();
    d->world.stopping = atomic_load(&d->stop);
}

static int64_t wait_ms(const struct delivery *d)
{
    int64_t due = d->world.now_ms + ROUND_MAX_MS;
    for (size_t i = 0; i < d->settings.shards_n; i++)
        if (delivery_shard_due_ms(&d->shards[i]) < due)
            due = delivery_shard_due_ms(&d->shards[i]);
    int64_t drain_until = atomic_load(&d->drain_until_ms);
    if (d->world.stopping && due > drain_until)
        due = drain_until;
    return due - d->world.now_ms;
}

static void wait_and_hear(struct delivery *d)
{
    for (size_t i = 0; i < d->settings.shards_n; i++)
        d->bells[i] = (struct http_watch){.fd = delivery_shard_bell(&d->shards[i])};
    http_wait(d->world.http, d->bells, d->settings.shards_n, wait_ms(d));
    for (size_t i = 0; i < d->settings.shards_n; i++)
        if (d->bells[i].readable)
            delivery_shard_hear(&d->shards[i]);
}

static void take_answers(struct delivery *d)
{
    struct http_answer answer;
    size_t sinks_n = d->settings.sinks_n;
    while (http_finished(d->world.http, &answer)) {
        struct delivery_shard *shard = &d->shards[answer.slot / sinks_n];
        lane_answer(&shard->lanes[answer.slot % sinks_n], &answer);
    }
}

static bool done(const struct delivery *d)
{
    if (!d->world.stopping)
        return false;
    bool busy = false;
    for (size_t i = 0; i < d->settings.shards_n; i++)
        busy |= delivery_shard_busy(&d->shards[i]);
    return !busy || d->world.now_ms >= atomic_load(&d->drain_until_ms);
}

static void *work(void *arg)
{
    struct delivery *d = arg;
    for (;;) {
        tell_time(d);
        take_answers(d);
        for (size_t i = 0; i < d->settings.shards_n; i++)
            delivery_shard_step(&d->shards[i]);
        if (done(d))
            break;
        wait_and_hear(d);
    }
    for (size_t i = 0; i < d->settings.shards_n; i++)
        delivery_shard_leave(&d->shards[i]);
    return NULL;
}

/* ---- starting and stopping ---- */

static void fall_back(int64_t *value, int64_t fallback)
{
    if (*value == 0)
        *value = fallback;
}

static int check_times(struct delivery_settings *s, struct err *e)
{
    fall_back(&s->connect_timeout_ms, 5000);
    fall_back(&s->request_timeout_ms, 10000);
    fall_back(&s->lease_ms, 30000);
    fall_back(&s->retry_min_ms, 1000);
    fall_back(&s->retry_max_ms, 300000);
    fall_back(&s->retry_after_max_ms, HOUR_MS);
    fall_back(&s->give_up_ms, 3 * DAY_MS);
    if (s->lease_ms < 2 * s->request_timeout_ms)
        return err_set(
            e, ERR_INPUT,
            "delivery: the lease must be at least twice the request's time-out, "
            "else two pods send the same alert");
    if (s->retry_max_ms < s->retry_min_ms)
        return err_set(e, ERR_INPUT, "delivery: the longest wait is below the shortest");
    return 0;
}

static void dispose(struct delivery *d)
{
    for (size_t i = 0; i < d->settings.shards_n; i++)
        delivery_shard_deinit(&d->shards[i]);
    http_close(d->world.http);
    free(d->shards);
    free(d->bells);
    free(d);
}

static struct delivery *create(const struct delivery_settings *settings)
{
    struct delivery *d = calloc(1, sizeof *d);
    assert(d);
    d->settings = *settings;
    d->shards = calloc(settings->shards_n, sizeof *d->shards);
    d->bells = calloc(settings->shards_n, sizeof *d->bells);
    assert(d->shards && d->bells);
    d->world.settings = &d->settings;
    d->world.http = http_open(
        &(struct http_settings){.slots = settings->shards_n * settings->sinks_n + 1,
                                .connect_timeout_ms = settings->connect_timeout_ms,
                                .timeout_ms = settings->request_timeout_ms});
    tell_time(d);
    return d;
}

/* Signals are for the threads of the caller. */
static int start_thread(struct delivery *d, struct err *e)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&d->thread, NULL, work, d);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc ? err_set(e, ERR_UNAVAILABLE, "delivery: no thread can be started") : 0;
}

struct delivery *delivery_start(const struct delivery_settings *settings, struct err *e)
{
    struct delivery_settings s = *settings;
    s.shards_n = s.shards_n ? s.shards_n : 1;
    if (check_times(&s, e) < 0)
        return NULL;
    struct delivery *d = create(&s);
    int rc = 0;
    for (size_t i = 0; i < s.shards_n; i++)
        if (delivery_shard_init(&d->shards[i], &d->world, i, e) < 0)
            rc = -1;
    if (rc == 0 && start_thread(d, e) == 0)
        return d;
    dispose(d);
    return NULL;
}

struct delivery_stats delivery_stats(const struct delivery *d, size_t i)
{
    struct delivery_stats sum = {0};
    for (size_t k = 0; k < d->settings.shards_n; k++)
        lane_add_stats(&d->shards[k].lanes[i], &sum);
    return sum;
}

void delivery_stop(struct delivery *d, int64_t drain_ms)
{
    if (!d)
        return;
    atomic_store(&d->drain_until_ms, clock_monotonic_ms() + drain_ms);
    atomic_store(&d->stop, true);
    http_wake(d->world.http);
    pthread_join(d->thread, NULL);
    dispose(d);
}

/* The delivery thread. It owns three things to wait for and waits for all of them at once: sockets of
 * requests, the outbox's bell, and its owner's wish to stop. While Redis fails, its lanes rest and
 * their requests go on. Time is read once a round. */
#include "sinks/delivery.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/clock.h"
#include "core/log.h"
#include "sinks/lane.h"
#include "windows/outbox_bell.h"

enum { REDIS_REST_MIN_MS = 100, REDIS_REST_MAX_MS = 5000 };
enum { BELL_REST_MS = 500, ROUND_MAX_MS = 60000 };
#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)

struct delivery {
    struct delivery_settings settings;
    struct lane_world world;
    struct outbox_bell *bell; /* NULL: no sinks */
    struct lane *lanes;
    pthread_t thread;
    atomic_bool stop;
    _Atomic int64_t drain_until_ms;      /* before stop is set */
    int64_t redis_due_ms, redis_rest_ms; /* rest 0: it answers */
    int64_t bell_due_ms;
};

static void tell_time(struct delivery *d)
{
    d->world.now_ms = clock_monotonic_ms();
    d->world.wall_ms = clock_wall_ms();
    d->world.stopping = atomic_load(&d->stop);
}

static bool redis_rests(const struct delivery *d)
{
    return d->redis_rest_ms && d->world.now_ms < d->redis_due_ms;
}

static void redis_fails(struct delivery *d, const struct err *e)
{
    char quoted[LOG_VALUE_BYTES];
    if (!d->redis_rest_ms)
        log_error("outbox_unavailable", "reason=%s", log_quote(str_of(e->text), quoted));
    int64_t rest = d->redis_rest_ms ? d->redis_rest_ms * 2 : REDIS_REST_MIN_MS;
    d->redis_rest_ms = rest < REDIS_REST_MAX_MS ? rest : REDIS_REST_MAX_MS;
    d->redis_due_ms = clock_monotonic_ms() + d->redis_rest_ms;
    outbox_bell_drop(d->bell);
}

static void redis_works(struct delivery *d)
{
    if (d->redis_rest_ms)
        log_info("outbox_back", "%s", "");
    d->redis_rest_ms = 0;
}

/* Where Redis only refuses what one lane asks, the others go on: what they acknowledge makes room. */
static int step_lane(struct delivery *d, struct lane *l)
{
    struct err e = {0};
    int rc = lane_step(l, &e);
    if (rc >= 0)
        return rc;
    if (!outbox_answered(d->world.outbox)) {
        redis_fails(d, &e);
        return -1;
    }
    lane_rest(l, &e);
    return 1;
}

/* One round over the lanes; Redis's silence ends it. */
static void step(struct delivery *d)
{
    int asked = 0;
    if (redis_rests(d))
        return;
    for (size_t i = 0; i < d->settings.sinks_n; i++) {
        int rc = step_lane(d, &d->lanes[i]);
        if (rc < 0)
            return;
        asked |= rc;
    }
    if (asked)
        redis_works(d);
}

static int64_t wait_ms(const struct delivery *d)
{
    int64_t due = d->world.now_ms + ROUND_MAX_MS;
    for (size_t i = 0; i < d->settings.sinks_n; i++)
        if (lane_due_ms(&d->lanes[i]) < due)
            due = lane_due_ms(&d->lanes[i]);
    if (d->redis_rest_ms && due < d->redis_due_ms)
        due = d->redis_due_ms;
    int64_t drain_until = atomic_load(&d->drain_until_ms);
    if (d->world.stopping && due > drain_until)
        due = drain_until;
    return due - d->world.now_ms;
}

/* Without it the lanes look once a second, and find out themselves what ails Redis. */
static void bell_fails(struct delivery *d)
{
    outbox_bell_drop(d->bell);
    d->bell_due_ms = d->world.now_ms + BELL_REST_MS;
}

static int bell_fd(struct delivery *d)
{
    struct err e = {0};
    if (!d->bell || d->world.stopping || d->redis_rest_ms ||
        d->world.now_ms < d->bell_due_ms)
        return -1;
    int fd = outbox_bell_fd(d->bell, &e);
    if (fd < 0)
        bell_fails(d);
    return fd;
}

static void hear(struct delivery *d)
{
    struct err e = {0};
    int rang = outbox_bell_heard(d->bell, &e);
    if (rang < 0)
        bell_fails(d);
    for (size_t i = 0; rang != 0 && i < d->settings.sinks_n; i++)
        lane_look_now(&d->lanes[i]);
}

static void take_answers(struct delivery *d)
{
    struct http_answer answer;
    while (http_finished(d->world.http, &answer))
        lane_answer(&d->lanes[answer.slot], &answer);
}

static bool done(const struct delivery *d)
{
    if (!d->world.stopping)
        return false;
    bool busy = false;
    for (size_t i = 0; i < d->settings.sinks_n; i++)
        busy |= d->lanes[i].state != LANE_IDLE;
    return !busy || d->world.now_ms >= atomic_load(&d->drain_until_ms);
}

/* Without Redis what is held stays leased, and others take it when the lease has run out. */
static void leave(struct delivery *d)
{
    struct err e = {0};
    int rc = 0;
    for (size_t i = 0; i < d->settings.sinks_n && rc >= 0; i++)
        rc = lane_abandon(&d->lanes[i], &e);
    for (size_t i = 0; i < d->settings.sinks_n && rc >= 0 && !d->redis_rest_ms; i++)
        rc = outbox_tidy(d->world.outbox, d->settings.sinks[i].name, &e);
    if (rc < 0)
        redis_fails(d, &e);
}

static void *work(void *arg)
{
    struct delivery *d = arg;
    for (;;) {
        tell_time(d);
        take_answers(d);
        step(d);
        if (done(d))
            break;
        int fd = bell_fd(d);
        if (http_wait(d->world.http, fd, wait_ms(d)))
            hear(d);
    }
    leave(d);
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
    for (size_t i = 0; i < d->settings.sinks_n; i++)
        lane_deinit(&d->lanes[i]);
    outbox_bell_close(d->bell);
    outbox_close(d->world.outbox);
    http_close(d->world.http);
    free(d->lanes);
    free(d);
}

static struct outbox_bell *open_bell(const struct delivery_settings *s)
{
    if (s->sinks_n == 0)
        return NULL;
    struct str *names = calloc(s->sinks_n, sizeof *names);
    assert(names);
    for (size_t i = 0; i < s->sinks_n; i++)
        names[i] = s->sinks[i].name;
    struct outbox_bell *bell = outbox_bell_open(s->redis, s->prefix, names, s->sinks_n);
    free(names);
    return bell;
}

static struct delivery *create(const struct delivery_settings *settings)
{
    struct delivery *d = calloc(1, sizeof *d);
    assert(d);
    d->settings = *settings;
    d->lanes = calloc(settings->sinks_n + 1, sizeof *d->lanes);
    assert(d->lanes);
    d->bell = open_bell(settings);
    d->world.settings = &d->settings;
    d->world.outbox = outbox_open(settings->redis, settings->prefix, settings->consumer);
    d->world.http = http_open(
        &(struct http_settings){.slots = settings->sinks_n + 1,
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
    if (check_times(&s, e) < 0)
        return NULL;
    struct delivery *d = create(&s);
    int rc = 0;
    for (size_t i = 0; i < s.sinks_n; i++)
        if (lane_init(&d->lanes[i], &d->world, i, e) < 0)
            rc = -1;
    if (rc == 0 && start_thread(d, e) == 0)
        return d;
    dispose(d);
    return NULL;
}

const struct delivery_stats *delivery_stats(const struct delivery *d, size_t i)
{
    return &d->lanes[i].stats;
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

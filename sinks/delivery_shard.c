/* The thread owns three things to wait for and waits for all of them at once: sockets of requests, the
 * outbox's bell, and its owner's wish to stop. Time is read once a round. While Redis is silent the lanes
 * rest and their requests go on. Who comes back from a silence spares what others hold for one lease: they
 * were away as well, and may have an answer to tell. */
#include "sinks/delivery_shard.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/log.h"
#include "sinks/lane.h"
#include "sinks/lane_figures.h"
#include "sinks/lane_mute.h"
#include "sinks/lane_verdict.h"
#include "windows/outbox_bell.h"
#include "windows/shard.h"

enum { REDIS_REST_MIN_MS = 100, REDIS_REST_MAX_MS = 1000 };
enum { BELL_REST_MS = 500, ROUND_MAX_MS = 60000 };

struct delivery_shard {
    const struct delivery_settings *settings;
    size_t number;
    struct lane_world world;
    struct outbox_bell *bell; /* NULL: no sinks */
    struct gate *gates;       /* one a sink */
    struct lane *lanes;       /* of all sinks, one after another */
    size_t lanes_n;
    pthread_t thread;
    atomic_bool stop;
    _Atomic int64_t drain_until_ms;      /* before stop is set */
    int64_t redis_due_ms, redis_rest_ms; /* rest 0: it answers */
    int64_t bell_due_ms;
};

static void tell_time(struct delivery_shard *s)
{
    s->world.now_ms = clock_monotonic_ms();
    s->world.wall_ms = clock_wall_ms();
    s->world.stopping = atomic_load(&s->stop);
}

static bool redis_rests(const struct delivery_shard *s)
{
    return s->redis_rest_ms && s->world.now_ms < s->redis_due_ms;
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
    s->world.spare_until_ms = s->redis_due_ms + s->settings->lease_ms;
    outbox_bell_drop(s->bell);
}

static void redis_works(struct delivery_shard *s)
{
    if (s->redis_rest_ms)
        log_info("outbox_back", "shard=%zu", s->number);
    s->redis_rest_ms = 0;
}

/* Where Redis only refuses what one lane asks, the others go on: what they acknowledge makes room. */
static int step_lane(struct delivery_shard *s, struct lane *l)
{
    struct err e = {0};
    int rc = lane_step(l, &e);
    if (rc >= 0)
        return rc;
    if (!outbox_answered(s->world.outbox)) {
        redis_fails(s, &e);
        return -1;
    }
    lane_rest(l, &e);
    return 1;
}

/* Before the first entry is taken, and then as often as they are to be known. */
static int look_at_silences(struct delivery_shard *s)
{
    struct err e = {0};
    if (lane_mute_look(&s->world, &e) >= 0)
        return 0;
    if (outbox_answered(s->world.outbox))
        return 0; /* somebody's key in its place: it is asked again */
    redis_fails(s, &e);
    return -1;
}

/* One round over the lanes; Redis's silence ends it. Where Redis is slow and the sinks are many a round takes
 * its time, so requests move on meanwhile. */
static void step(struct delivery_shard *s)
{
    int asked = 0;
    if (s->lanes_n == 0 || redis_rests(s) || look_at_silences(s) < 0)
        return;
    for (size_t i = 0; i < s->lanes_n; i++) {
        int rc = step_lane(s, &s->lanes[i]);
        if (rc < 0)
            return;
        if (rc > 0)
            http_push(s->world.http);
        asked |= rc;
    }
    if (asked)
        redis_works(s);
}

static int64_t wait_ms(const struct delivery_shard *s)
{
    int64_t due = s->world.now_ms + ROUND_MAX_MS;
    for (size_t i = 0; i < s->lanes_n; i++)
        if (lane_due_ms(&s->lanes[i]) < due)
            due = lane_due_ms(&s->lanes[i]);
    if (s->redis_rest_ms && due < s->redis_due_ms)
        due = s->redis_due_ms;
    int64_t drain_until = atomic_load(&s->drain_until_ms);
    if (s->world.stopping && due > drain_until)
        due = drain_until;
    return due - s->world.now_ms;
}

/* Without it the lanes look once a second, and find out themselves what ails Redis. */
static void bell_fails(struct delivery_shard *s)
{
    outbox_bell_drop(s->bell);
    s->bell_due_ms = s->world.now_ms + BELL_REST_MS;
}

static int bell_fd(struct delivery_shard *s)
{
    struct err e = {0};
    if (!s->bell || s->world.stopping || s->redis_rest_ms ||
        s->world.now_ms < s->bell_due_ms)
        return -1;
    int fd = outbox_bell_fd(s->bell, &e);
    if (fd < 0)
        bell_fails(s);
    return fd;
}

static void hear(struct delivery_shard *s)
{
    struct err e = {0};
    int rang = outbox_bell_heard(s->bell, &e);
    if (rang < 0)
        bell_fails(s);
    for (size_t i = 0; rang != 0 && i < s->lanes_n; i++)
        lane_look_now(&s->lanes[i]);
}

static void take_answers(struct delivery_shard *s)
{
    struct http_answer answer;
    while (http_finished(s->world.http, &answer))
        lane_answer(&s->lanes[answer.slot], &answer);
}

static bool done(const struct delivery_shard *s)
{
    if (!s->world.stopping)
        return false;
    bool busy = false;
    for (size_t i = 0; i < s->lanes_n; i++)
        busy |= s->lanes[i].state != LANE_IDLE;
    return !busy || s->world.now_ms >= atomic_load(&s->drain_until_ms);
}

/* Without Redis what is held stays leased, and others take it when the lease has run out. */
static void leave(struct delivery_shard *s)
{
    struct err e = {0};
    int rc = 0;
    for (size_t i = 0; i < s->lanes_n && rc >= 0; i++)
        rc = lane_abandon(&s->lanes[i], &e);
    for (size_t i = 0; i < s->settings->sinks_n && rc >= 0 && !s->redis_rest_ms; i++)
        rc = outbox_tidy(s->world.outbox, s->settings->sinks[i].name, &e);
    if (rc < 0)
        redis_fails(s, &e);
}

static void *work(void *arg)
{
    struct delivery_shard *s = arg;
    tell_time(s);
    (void)bell_fd(s); /* before the first look: what comes between the two rings */
    for (;;) {
        tell_time(s);
        take_answers(s);
        step(s);
        if (done(s))
            break;
        int fd = bell_fd(s);
        if (http_wait(s->world.http, fd, wait_ms(s)))
            hear(s);
    }
    leave(s);
    return NULL;
}

/* ---- life ---- */

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

static void open_all(struct delivery_shard *s)
{
    const struct delivery_settings *settings = s->settings;
    struct arena arena;
    arena_init(&arena);
    struct str stem = shard_stem(settings->prefix, settings->shards_n, s->number, &arena);
    s->bell = open_bell(settings, stem);
    s->world.settings = settings;
    s->world.shard = s->number;
    s->world.outbox = outbox_open(settings->redis, stem, settings->consumer);
    s->world.http = http_open(
        &(struct http_settings){.slots = s->lanes_n + 1,
                                .connect_timeout_ms = settings->connect_timeout_ms,
                                .timeout_ms = settings->request_timeout_ms});
    arena_deinit(&arena);
}

static int open_sink(struct delivery_shard *s, size_t sink, size_t lane, struct err *e)
{
    struct gate *g = &s->gates[sink];
    int rc = gate_init(g, s->settings, sink, s->world.now_ms, e);
    g->lanes = &s->lanes[lane];
    g->lanes_n = gate_lanes_n(g->sink);
    for (size_t i = 0; i < g->lanes_n; i++)
        lane_init(&g->lanes[i], &s->world, g, lane + i);
    return rc;
}

static void make_room(struct delivery_shard *s)
{
    for (size_t i = 0; i < s->settings->sinks_n; i++)
        s->lanes_n += gate_lanes_n(&s->settings->sinks[i]);
    s->lanes = calloc(s->lanes_n + 1, sizeof *s->lanes);
    s->gates = calloc(s->settings->sinks_n + 1, sizeof *s->gates);
    assert(s->lanes && s->gates);
}

struct delivery_shard *delivery_shard_new(const struct delivery_settings *settings,
                                          size_t number, struct err *e)
{
    struct delivery_shard *s = calloc(1, sizeof *s);
    assert(s);
    s->settings = settings;
    s->number = number;
    arena_init(&s->world.silences_arena);
    make_room(s);
    open_all(s);
    tell_time(s);
    int rc = 0;
    size_t lane = 0;
    for (size_t i = 0; i < settings->sinks_n; i++) {
        if (open_sink(s, i, lane, e) < 0)
            rc = -1;
        lane += s->gates[i].lanes_n;
    }
    if (rc == 0)
        return s;
    delivery_shard_free(s);
    return NULL;
}

void delivery_shard_free(struct delivery_shard *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->lanes_n; i++)
        lane_deinit(&s->lanes[i]);
    for (size_t i = 0; i < s->settings->sinks_n; i++)
        gate_deinit(&s->gates[i]);
    outbox_bell_close(s->bell);
    outbox_close(s->world.outbox);
    http_close(s->world.http);
    arena_deinit(&s->world.silences_arena);
    free(s->lanes);
    free(s->gates);
    free(s);
}

/* Signals are for the threads of the caller. */
int delivery_shard_start(struct delivery_shard *s, struct err *e)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&s->thread, NULL, work, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc ? err_set(e, ERR_UNAVAILABLE, "delivery: no thread can be started") : 0;
}

void delivery_shard_stop(struct delivery_shard *s, int64_t drain_until_ms)
{
    atomic_store(&s->drain_until_ms, drain_until_ms);
    atomic_store(&s->stop, true);
    http_wake(s->world.http);
}

void delivery_shard_join(struct delivery_shard *s)
{
    pthread_join(s->thread, NULL);
}

void delivery_shard_add_stats(const struct delivery_shard *s, size_t i,
                              struct delivery_stats *sum)
{
    const struct gate *g = &s->gates[i];
    for (size_t k = 0; k < g->lanes_n; k++)
        lane_add_stats(&g->lanes[k], sum);
    sum->open |= gate_state(g) == GATE_OPEN;
    sum->paused |= gate_state(g) == GATE_PAUSED;
}

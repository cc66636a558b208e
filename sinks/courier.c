/* The thread sleeps until a request is given, carries it and says so. A request that is cancelled before the
 * thread has taken it never happened; one that is under way is asked to end, and its outcome is dropped. Signals
 * are for other threads. */
#include "sinks/courier.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"

enum courier_state { RESTING, GIVEN, UNDER_WAY, DONE };

struct courier {
    void (*wake)(void *arg);
    void *wake_arg;
    pthread_t thread;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t given;
    bool running, ending, cancelled;
    enum courier_state state;
    int64_t began_ms, took_ms;
    struct arena arena;
    struct request request; /* in the arena */
    struct carriage carriage;
    struct carried carried;
    void *self; /* the carrier's; the thread's own */
};

int carrier_wait_ms(const struct carriage *c)
{
    int64_t left = atomic_load(&c->until_ms) - clock_monotonic_ms();
    return left <= 0 ? 0 : left < CARRIER_SLICE_MS ? (int)left : CARRIER_SLICE_MS;
}

struct courier *courier_new(void (*wake)(void *arg), void *arg)
{
    struct courier *c = calloc(1, sizeof *c);
    assert(c);
    c->wake = wake;
    c->wake_arg = arg;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->given, NULL);
    arena_init(&c->arena);
    return c;
}

/* ---- its thread ---- */

static void carry(struct courier *c, struct carried *out)
{
    const struct carrier *by = c->request.carrier;
    struct err e = {0};
    if (by->open && !c->self && !(c->self = by->open(&c->request, &e))) {
        snprintf(out->why, sizeof out->why, "%.199s", e.text);
        out->status = e.kind == ERR_REFUSED ? CARRIED_REFUSED : CARRIED_NOT;
        return;
    }
    if (by->send(c->self, &c->carriage, out))
        c->self = NULL;
}

/* With the lock, which is given up meanwhile. */
static void take(struct courier *c)
{
    struct carried carried = {0};
    if (clock_monotonic_ms() >= atomic_load(&c->carriage.send_before_ms)) {
        snprintf(carried.why, sizeof carried.why, "it was too late to send it");
    } else {
        c->state = UNDER_WAY;
        pthread_mutex_unlock(&c->lock);
        carry(c, &carried);
        pthread_mutex_lock(&c->lock);
    }
    c->carried = carried;
    c->took_ms = clock_monotonic_ms() - c->began_ms;
    c->state = c->cancelled ? RESTING : DONE;
    if (!c->cancelled)
        c->wake(c->wake_arg);
}

static void *work(void *arg)
{
    struct courier *c = arg;
    pthread_mutex_lock(&c->lock);
    while (!c->ending)
        if (c->state == GIVEN)
            take(c);
        else
            pthread_cond_wait(&c->given, &c->lock);
    pthread_mutex_unlock(&c->lock);
    if (c->self)
        c->request.carrier->close(c->self);
    return NULL;
}

/* ---- its owner's ---- */

static int run(struct courier *c, struct err *e)
{
    sigset_t all, before;
    if (c->running)
        return 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    c->running = pthread_create(&c->thread, NULL, work, c) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return c->running ? 0 : err_set(e, ERR_UNAVAILABLE, "no thread can be started");
}

static const struct mail *keep_mail(struct arena *arena, const struct mail *m)
{
    struct mail *kept = arena_alloc(arena, sizeof *kept);
    *kept = *m;
    kept->from = arena_str(arena, m->from);
    kept->user = arena_str(arena, m->user);
    kept->password = arena_str(arena, m->password);
    kept->to.items = arena_alloc(arena, (m->to.n + 1) * sizeof(struct str));
    for (size_t i = 0; i < m->to.n; i++)
        kept->to.items[i] = arena_str(arena, m->to.items[i]);
    return kept;
}

static void keep(struct courier *c, const struct request *r)
{
    arena_reset(&c->arena);
    c->request = *r;
    c->request.method = arena_str(&c->arena, r->method);
    c->request.url = arena_str(&c->arena, r->url);
    c->request.body = arena_str(&c->arena, r->body);
    c->request.key = arena_str(&c->arena, r->key);
    if (r->mail)
        c->request.mail = keep_mail(&c->arena, r->mail);
    for (size_t i = 0; i < r->headers_n; i++)
        c->request.headers[i] = arena_str(&c->arena, r->headers[i]);
}

static void set_out(struct courier *c, const struct courier_way *way)
{
    c->cancelled = false;
    c->began_ms = clock_monotonic_ms();
    c->carriage.request = &c->request;
    c->carriage.network = way->network;
    c->carriage.proxy = arena_str(&c->arena, way->proxy);
    c->carriage.connect_timeout_ms = way->connect_timeout_ms;
    c->carriage.timeout_ms = way->timeout_ms;
    atomic_store(&c->carriage.until_ms, c->began_ms + way->timeout_ms);
    atomic_store(&c->carriage.send_before_ms, INT64_MAX);
    c->state = GIVEN;
}

int courier_start(struct courier *c, const struct request *r,
                  const struct courier_way *way, struct err *e)
{
    int rc = run(c, e);
    pthread_mutex_lock(&c->lock);
    if (rc == 0 && c->state != RESTING)
        rc = err_set(e, ERR_UNAVAILABLE, "the one before is still under way");
    if (rc == 0) {
        keep(c, r);
        set_out(c, way);
        pthread_cond_signal(&c->given);
    }
    pthread_mutex_unlock(&c->lock);
    return rc;
}

void courier_send_before(struct courier *c, int64_t monotonic_ms)
{
    atomic_store(&c->carriage.send_before_ms, monotonic_ms);
}

void courier_cancel(struct courier *c)
{
    pthread_mutex_lock(&c->lock);
    c->cancelled = true;
    atomic_store(&c->carriage.until_ms, 0);
    if (c->state != UNDER_WAY)
        c->state = RESTING;
    pthread_mutex_unlock(&c->lock);
}

bool courier_finished(struct courier *c, const struct carried **out, int64_t *took_ms)
{
    pthread_mutex_lock(&c->lock);
    bool done = c->state == DONE;
    if (done) {
        c->state = RESTING;
        *out = &c->carried;
        *took_ms = c->took_ms;
    }
    pthread_mutex_unlock(&c->lock);
    return done;
}

void courier_free(struct courier *c)
{
    if (!c)
        return;
    courier_cancel(c);
    pthread_mutex_lock(&c->lock);
    c->ending = true;
    pthread_cond_signal(&c->given);
    pthread_mutex_unlock(&c->lock);
    if (c->running)
        pthread_join(c->thread, NULL);
    pthread_cond_destroy(&c->given);
    pthread_mutex_destroy(&c->lock);
    arena_deinit(&c->arena);
    free(c);
}

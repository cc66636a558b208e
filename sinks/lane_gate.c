/* Who waits for the gate is held by its lane, with its lease; the gate only knows times. A paused sink
 * looks at its secrets every few seconds: the person who mends one need not wait for the next probe. */
#include "sinks/lane_gate.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/random.h>

#include "core/log.h"
#include "sinks/lane_state.h"

enum { DOUBLINGS_MAX = 30 };
enum { SECRETS_PAUSED_MS = 5000, PAUSED_SAID_EVERY_MS = 3600 * 1000 };

int gate_init(struct gate *g, const struct delivery_settings *settings, size_t sink,
              int64_t now_ms, struct err *e)
{
    *g = (struct gate){.settings = settings, .sink = &settings->sinks[sink]};
    return lane_secrets_init(&g->secrets, g->sink, now_ms, e);
}

void gate_deinit(struct gate *g)
{
    lane_secrets_deinit(&g->secrets);
}

enum gate_state gate_state(const struct gate *g)
{
    return (enum gate_state)atomic_load_explicit(&g->state, memory_order_relaxed);
}

static void become(struct gate *g, enum gate_state state)
{
    atomic_store_explicit(&g->state, state, memory_order_relaxed);
}

static size_t concurrency(const struct delivery_sink *sink)
{
    return sink->concurrency ? sink->concurrency : 1;
}

size_t gate_lanes_n(const struct delivery_sink *sink)
{
    return concurrency(sink) + GATE_ASIDE;
}

static bool is_aside(const struct lane *l)
{
    return l->state == LANE_WAITING && (l->refused || l->tries >= GATE_FAILURES);
}

/* What its lanes do. */
struct counts {
    size_t held, aside, flying, due;
};

static struct counts count(const struct gate *g, int64_t now_ms)
{
    struct counts n = {0};
    for (size_t i = 0; i < g->lanes_n; i++) {
        const struct lane *l = &g->lanes[i];
        n.held += l->state != LANE_IDLE;
        n.aside += is_aside(l);
        n.flying += l->state == LANE_FLYING;
        n.due += l->state == LANE_WAITING && l->due_ms <= now_ms;
    }
    return n;
}

/* ---- taking ---- */

/* The lanes that are idle look one after another, the first one first. NULL: none is. */
static const struct lane *first_idle(const struct gate *g)
{
    for (size_t i = 0; i < g->lanes_n; i++)
        if (g->lanes[i].state == LANE_IDLE)
            return &g->lanes[i];
    return NULL;
}

bool gate_full(const struct gate *g)
{
    return !first_idle(g);
}

int64_t gate_take_ms(const struct gate *g, const struct lane *l, int64_t now_ms)
{
    struct counts n = count(g, now_ms);
    if (l != first_idle(g))
        return INT64_MAX;
    if (gate_state(g) == GATE_CLOSED) {
        bool room = n.held - n.aside < concurrency(g->sink) &&
                    n.flying < concurrency(g->sink) && n.due == 0;
        if (!room)
            return INT64_MAX;
        if (now_ms < g->gather_ms)
            return g->gather_ms;
    } else if (n.flying) {
        return INT64_MAX;
    }
    return l->due_ms > g->try_ms ? l->due_ms : g->try_ms;
}

int64_t gate_most(const struct gate *g)
{
    if (gate_state(g) != GATE_CLOSED)
        return (int64_t)g->lanes_n;
    return (int64_t)(concurrency(g->sink) + count(g, 0).aside);
}

void gate_known(const struct gate *g, struct buf *out)
{
    for (size_t i = 0; i < g->lanes_n; i++)
        if (g->lanes[i].state != LANE_IDLE)
            buf_printf(out, " %s ", g->lanes[i].entry.id);
}

/* ---- sending ---- */

/* An entry's id is its time and a number. */
static bool is_older(const char *a, const char *b)
{
    char *a_end, *b_end;
    long long a_ms = strtoll(a, &a_end, 10), b_ms = strtoll(b, &b_end, 10);
    if (a_ms != b_ms)
        return a_ms < b_ms;
    return *a_end && *b_end &&
           strtoll(a_end + 1, NULL, 10) < strtoll(b_end + 1, NULL, 10);
}

/* Closed: of those that are due, the oldest. Not closed: an alert that was not tried yet, if there is one, else the
 * one whose last try is longest ago: the one that was tried last may be at fault itself. */
static bool is_next(const struct gate *g, const struct lane *l, int64_t now_ms)
{
    bool closed = gate_state(g) == GATE_CLOSED;
    const struct lane *idle = first_idle(g);
    if (!closed && idle && idle->due_ms <= now_ms && idle->rest_until_ms <= now_ms)
        return false;
    for (size_t i = 0; i < g->lanes_n; i++) {
        const struct lane *one = &g->lanes[i];
        if (one == l || one->state != LANE_WAITING || one->lost)
            continue;
        if (closed ? one->due_ms <= now_ms && is_older(one->entry.id, l->entry.id)
                   : one->tried_ms < l->tried_ms)
            return false;
    }
    return true;
}

/* Not closed, the gate's wait is everybody's; closed, each alert has its own. */
static int64_t send_ms(const struct gate *g, const struct lane *l, int64_t now_ms)
{
    bool closed = gate_state(g) == GATE_CLOSED;
    size_t most = closed ? concurrency(g->sink) : 1;
    int64_t due = closed && l->due_ms > g->try_ms ? l->due_ms : g->try_ms;
    if (count(g, now_ms).flying >= most)
        return INT64_MAX;
    return due <= now_ms && !is_next(g, l, now_ms) ? INT64_MAX : due;
}

void gate_look(struct gate *g, int64_t now_ms)
{
    if (gate_state(g) != GATE_PAUSED ||
        !lane_secrets_refresh(&g->secrets, now_ms, SECRETS_PAUSED_MS))
        return;
    log_info("sink_secret_changed", "sink=%.*s", STR_ARG(g->sink->name));
    g->try_ms = now_ms;
}

bool gate_lets(const struct gate *g, const struct lane *l, int64_t now_ms)
{
    return now_ms >= send_ms(g, l, now_ms);
}

int64_t gate_due_ms(const struct gate *g, const struct lane *l, int64_t now_ms)
{
    int64_t look_ms = g->secrets.read_ms + SECRETS_PAUSED_MS, due = send_ms(g, l, now_ms);
    return gate_state(g) == GATE_PAUSED && look_ms < due ? look_ms : due;
}

void gate_hold(struct gate *g, int64_t until_ms)
{
    if (until_ms > g->try_ms)
        g->try_ms = until_ms;
}

void gate_gather(struct gate *g, int64_t until_ms)
{
    g->gather_ms = until_ms;
}

static void wake_all(struct gate *g, int64_t now_ms)
{
    for (size_t i = 0; i < g->lanes_n; i++)
        if (g->lanes[i].state == LANE_WAITING)
            g->lanes[i].due_ms = now_ms;
}

void gate_works(struct gate *g, int64_t now_ms)
{
    bool paused = gate_state(g) == GATE_PAUSED;
    if (gate_state(g) != GATE_CLOSED) {
        wake_all(g, now_ms);
        log_info(paused ? "sink_goes_on" : "circuit_closed", "sink=%.*s after_ms=%lld",
                 STR_ARG(g->sink->name), (long long)(now_ms - g->since_ms));
    }
    become(g, GATE_CLOSED);
    g->failures = 0;
    g->try_ms = 0;
    g->accepted++;
}

static int64_t random_below(int64_t n)
{
    uint64_t v = 0;
    ssize_t got = getrandom(&v, sizeof v, 0);
    assert(got == sizeof v);
    (void)got;
    return (int64_t)(v % (uint64_t)n);
}

/* Exponential with full jitter above the least wait:
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ */
static int64_t backoff_ms(int64_t least_ms, int64_t longest_ms, int64_t failures)
{
    int64_t most = least_ms;
    for (int64_t i = 0; i < failures && i < DOUBLINGS_MAX && most < longest_ms; i++)
        most *= 2;
    if (most > longest_ms)
        most = longest_ms;
    return least_ms + random_below(most - least_ms + 1);
}

static void say(const struct gate *g, enum log_level level, const char *event,
                const struct outcome *o)
{
    char quoted[LOG_VALUE_BYTES];
    log_event(level, event, "sink=%.*s failures=%u reason=%s", STR_ARG(g->sink->name),
              g->failures, log_quote(str_of(o->reason), quoted));
}

static void pause_sink(struct gate *g, const struct outcome *o, int64_t now_ms)
{
    bool again = gate_state(g) == GATE_PAUSED;
    if (gate_state(g) == GATE_CLOSED)
        g->since_ms = now_ms;
    become(g, GATE_PAUSED);
    if (again && now_ms - g->said_ms < PAUSED_SAID_EVERY_MS)
        return;
    g->said_ms = now_ms;
    say(g, LOG_ERROR, "sink_paused", o);
}

static void open_circuit(struct gate *g, const struct outcome *o, int64_t now_ms)
{
    if (gate_state(g) != GATE_CLOSED || g->failures < GATE_FAILURES)
        return;
    become(g, GATE_OPEN);
    g->since_ms = now_ms;
    say(g, LOG_WARN, "circuit_open", o);
}

/* The receiver's wish holds for all of the sink: it knows no lanes. */
static int64_t wish_ms(const struct gate *g, const struct outcome *o)
{
    int64_t most = g->settings->retry_after_max_ms, wish = o->retry_after_ms;
    return wish < 0 ? 0 : wish > most ? most : wish;
}

int64_t gate_fails(struct gate *g, const struct outcome *o, int64_t tries, int64_t now_ms)
{
    const struct delivery_settings *s = g->settings;
    int64_t wish = wish_ms(g, o), wait_ms;
    g->failures++;
    g->secrets.stale = true;
    if (o->verdict == REFUSED)
        pause_sink(g, o, now_ms);
    else
        open_circuit(g, o, now_ms);
    if (gate_state(g) == GATE_PAUSED)
        wait_ms = backoff_ms(s->paused_min_ms, s->paused_max_ms, g->failures);
    else
        wait_ms = backoff_ms(s->retry_min_ms, s->retry_max_ms,
                             tries > g->failures ? tries : g->failures);
    if (wish > wait_ms)
        wait_ms = wish;
    if (gate_state(g) != GATE_CLOSED)
        g->try_ms = now_ms + wait_ms;
    else if (wish && now_ms + wish > g->try_ms)
        g->try_ms = now_ms + wish;
    return wait_ms;
}

/* Who waits for the gate is held by its lane, with its lease; the gate only knows times. A paused sink
 * looks at its secrets every few seconds: the person who mends one need not wait for the next probe. */
#include "sinks/lane_gate.h"

#include <assert.h>
#include <sys/random.h>

#include "core/log.h"
#include "sinks/lane.h"

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

static size_t flying(const struct gate *g)
{
    size_t n = 0;
    for (size_t i = 0; i < g->lanes_n; i++)
        n += g->lanes[i].state == LANE_FLYING;
    return n;
}

/* Not closed, the gate's wait is everybody's; closed, each alert has its own. */
static int64_t send_ms(const struct gate *g, const struct lane *l)
{
    if (flying(g) > 0)
        return INT64_MAX;
    if (gate_state(g) == GATE_CLOSED && l->due_ms > g->try_ms)
        return l->due_ms;
    return g->try_ms;
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
    return now_ms >= send_ms(g, l);
}

int64_t gate_due_ms(const struct gate *g, const struct lane *l)
{
    int64_t look_ms = g->secrets.read_ms + SECRETS_PAUSED_MS, due = send_ms(g, l);
    return gate_state(g) == GATE_PAUSED && look_ms < due ? look_ms : due;
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

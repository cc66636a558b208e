/* An entry that waits for its next try is kept, not given back: what comes after it must not overtake
 * it, on this pod or another. Before each further try the lease is renewed; if another pod took the
 * entry meanwhile, it is dropped here. An answer that Redis could not be told of is told again until
 * it can, without another request. */
#include "sinks/lane.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/fault.h"
#include "core/log.h"
#include "core/timefmt.h"
#include "sinks/request.h"

enum { LOOK_MS = 1000, COUNT_MS = 1000, SECRETS_MS = 60000, DOUBLINGS_MAX = 30 };
enum { REST_MIN_MS = 100, REST_MAX_MS = 5000 };
enum { LEASE_PARTS = 3 }; /* renewed when a third has passed */

static int read_secrets(struct lane *l, struct err *e)
{
    struct sink_secrets fresh = {0};
    arena_reset(&l->secret_arenas[1]);
    if (l->sink->secrets(l->sink->secrets_arg, &l->secret_arenas[1], &fresh, e) < 0)
        return -1;
    struct arena older = l->secret_arenas[0];
    l->secret_arenas[0] = l->secret_arenas[1];
    l->secret_arenas[1] = older;
    l->secrets = fresh;
    l->secrets_ms = l->world->now_ms;
    l->secrets_stale = false;
    return 0;
}

int lane_init(struct lane *l, struct lane_world *world, struct outbox *outbox,
              size_t slot, struct err *e)
{
    const struct delivery_settings *s = world->settings;
    *l = (struct lane){.world = world,
                       .sink = &s->sinks[slot % s->sinks_n],
                       .outbox = outbox,
                       .slot = slot};
    arena_init(&l->entry_arena);
    arena_init(&l->request_arena);
    arena_init(&l->secret_arenas[0]);
    arena_init(&l->secret_arenas[1]);
    return read_secrets(l, e);
}

void lane_deinit(struct lane *l)
{
    arena_deinit(&l->entry_arena);
    arena_deinit(&l->request_arena);
    arena_deinit(&l->secret_arenas[0]);
    arena_deinit(&l->secret_arenas[1]);
}

/* Old ones still serve while new ones cannot be read. */
static void refresh_secrets(struct lane *l)
{
    char quoted[LOG_VALUE_BYTES];
    struct err e = {0};
    if (!l->secrets_stale && l->world->now_ms - l->secrets_ms < SECRETS_MS)
        return;
    if (read_secrets(l, &e) < 0)
        log_warn("secret_unreadable", "sink=%.*s reason=%s", STR_ARG(l->sink->name),
                 log_quote(str_of(e.text), quoted));
}

static void count(_Atomic int64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static void log_alert(const struct lane *l, enum log_level level, const char *event,
                      int64_t wait_ms)
{
    char quoted[LOG_VALUE_BYTES], wait[48] = "";
    bool known = l->alert.id[0];
    if (wait_ms)
        snprintf(wait, sizeof wait, " wait_ms=%lld", (long long)wait_ms);
    log_event(level, event,
              "sink=%.*s alert=%s state=%s attempts=%lld ms=%lld%s reason=%s",
              STR_ARG(l->sink->name), known ? l->alert.id : "-",
              known ? alert_state_name(l->alert.state) : "-", (long long)l->tries,
              (long long)l->took_ms, wait, log_quote(str_of(l->outcome.reason), quoted));
}

/* ---- what becomes of a try ---- */

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
static int64_t backoff_ms(const struct delivery_settings *s, unsigned failures)
{
    int64_t most = s->retry_min_ms;
    for (unsigned i = 0; i < failures && i < DOUBLINGS_MAX && most < s->retry_max_ms; i++)
        most *= 2;
    if (most > s->retry_max_ms)
        most = s->retry_max_ms;
    return s->retry_min_ms + random_below(most - s->retry_min_ms + 1);
}

static void try_again_later(struct lane *l)
{
    const struct delivery_settings *s = l->world->settings;
    int64_t wish = l->outcome.retry_after_ms;
    l->failures++;
    l->secrets_stale = true;
    int64_t wait_ms = backoff_ms(s, l->failures);
    if (wish > s->retry_after_max_ms)
        wish = s->retry_after_max_ms;
    if (wish > wait_ms)
        wait_ms = wish;
    l->state = LANE_WAITING;
    l->due_ms = l->world->now_ms + wait_ms;
    count(&l->counts.retried);
    log_alert(l, LOG_WARN, "alert_retry", wait_ms);
}

/* An entry's id begins with the time it was made. */
static bool is_too_old(const struct lane *l)
{
    return l->world->wall_ms - strtoll(l->entry.id, NULL, 10) >
           l->world->settings->give_up_ms;
}

static void give_up(struct lane *l)
{
    struct outcome dead = {.verdict = DEAD};
    snprintf(dead.reason, sizeof dead.reason, "gave up: %.180s", l->outcome.reason);
    l->outcome = dead;
}

static void conclude(struct lane *l, const struct outcome *outcome)
{
    l->outcome = *outcome;
    if (l->outcome.verdict == RETRY && is_too_old(l))
        give_up(l);
    if (l->outcome.verdict == RETRY)
        try_again_later(l);
    else
        l->state = LANE_ANSWERED;
}

static void conclude_error(struct lane *l, const struct err *e)
{
    /* What a person can mend without touching the alert is no reason to lose it. */
    struct outcome o = {.verdict = e->kind == ERR_INPUT ? DEAD : RETRY};
    snprintf(o.reason, sizeof o.reason, "%.199s", e->text);
    conclude(l, &o);
}

void lane_answer(struct lane *l, const struct http_answer *answer)
{
    int status = answer->response.status;
    FAULT_POINT("post.after");
    struct outcome o = l->sink->type->outcome(l->sink->settings, &answer->response);
    if (status == 0 && o.verdict != DELIVERED)
        snprintf(o.reason, sizeof o.reason, "no answer: %s", answer->failure);
    /* A key that is refused is being changed, or a person will change it. */
    if ((status == 401 || status == 403) && o.verdict == DEAD)
        o.verdict = RETRY;
    l->took_ms = answer->took_ms;
    conclude(l, &o);
}

/* ---- trying ---- */

/* In the fault suite's builds a request says which entry it is and which process sent it: a receiver
 * sees ids of alerts, of which one may be two entries. */
static void name_entry(struct lane *l, struct request *r)
{
#ifdef TICKETWATCH_FAULTS
    char name[200];
    snprintf(name, sizeof name, "%s %ld %s %s %s %lld", l->entry.id, (long)getpid(),
             l->alert.id, alert_state_name(l->alert.state),
             severity_name(l->alert.severity), (long long)l->alert.time_ms);
    request_header(r, &l->request_arena, "X-Fault-Entry", str_of(name));
#else
    (void)l, (void)r;
#endif
}

/* A rule of the protocol, switched off: acknowledged before anybody has answered. */
static void acknowledge_early(struct lane *l)
{
    struct err e = {0};
    if (FAULT_OFF("ack_after"))
        (void)outbox_ack(l->outbox, l->sink->name, l->entry.id, &e);
}

static void try_now(struct lane *l)
{
    const struct sink *type = l->sink->type;
    struct request request = {0};
    struct err e = {0};
    refresh_secrets(l);
    arena_reset(&l->request_arena);
    struct sink_input in = {.settings = l->sink->settings,
                            .secrets = &l->secrets,
                            .alert = &l->alert,
                            .alert_json = l->entry.body,
                            .now_ms = l->world->wall_ms};
    l->tries++;
    l->took_ms = 0;
    int rc = type->format(&in, &l->request_arena, &request, &e);
    if (rc > 0)
        name_entry(l, &request);
    acknowledge_early(l);
    FAULT_POINT("post.before");
    if (rc == 0)
        conclude(l, &(struct outcome){.verdict = DELIVERED, .reason = "nothing to say"});
    else if (rc < 0 || http_start(l->world->http, l->slot, &request, &e) < 0)
        conclude_error(l, &e);
    else
        l->state = LANE_FLYING;
}

static void lease_begins(struct lane *l)
{
    l->renew_ms = l->world->now_ms + l->world->settings->lease_ms / LEASE_PARTS;
}

static void go_idle(struct lane *l)
{
    l->state = LANE_IDLE;
    l->due_ms = l->world->now_ms;
}

/* Another pod took it over. */
static void lose_lease(struct lane *l)
{
    log_warn("lease_lost", "sink=%.*s alert=%s", STR_ARG(l->sink->name), l->alert.id);
    go_idle(l);
}

static void begin(struct lane *l)
{
    struct err e = {0};
    l->tries = l->took_ms = 0;
    l->alert = (struct alert){0};
    lease_begins(l);
    if (alert_parse(l->entry.body, &l->entry_arena, &l->alert, &e) < 0)
        conclude_error(l, &e);
    else
        try_now(l);
}

static int count_queue(struct lane *l, struct err *e)
{
    int64_t n;
    if (l->world->now_ms < l->count_ms)
        return 0;
    if (outbox_length(l->outbox, l->sink->name, &n, e) < 0)
        return -1;
    atomic_store_explicit(&l->counts.queued, n, memory_order_relaxed);
    l->count_ms = l->world->now_ms + COUNT_MS;
    return 0;
}

static int look(struct lane *l, struct err *e)
{
    if (l->world->stopping || l->world->now_ms < l->due_ms)
        return 0;
    arena_reset(&l->entry_arena);
    int rc = outbox_take(l->outbox, l->sink->name, l->world->settings->lease_ms,
                         &l->entry_arena, &l->entry, e);
    if (rc < 0)
        return -1;
    l->due_ms = l->world->now_ms + LOOK_MS;
    if (rc > 0)
        begin(l);
    return count_queue(l, e) < 0 ? -1 : 1;
}

static int give_back(struct lane *l, struct err *e)
{
    if (outbox_release(l->outbox, l->sink->name, l->entry.id, e) < 0)
        return -1;
    log_info("alert_released", "sink=%.*s alert=%s attempts=%lld", STR_ARG(l->sink->name),
             l->alert.id, (long long)l->tries);
    go_idle(l);
    return 1;
}

static int wait_on(struct lane *l, struct err *e)
{
    bool due = l->world->now_ms >= l->due_ms;
    if (l->world->stopping)
        return give_back(l, e);
    if (!due && l->world->now_ms < l->renew_ms)
        return 0;
    int held = outbox_renew(l->outbox, l->sink->name, l->entry.id, e);
    if (held < 0)
        return -1;
    lease_begins(l);
    if (!held) {
        lose_lease(l);
    } else if (due) {
        try_now(l);
    }
    return count_queue(l, e) < 0 ? -1 : 1;
}

/* Tells Redis. The sink is well: it answered, and what it refused was this alert. */
static int settle(struct lane *l, struct err *e)
{
    struct outbox_entry *entry = &l->entry;
    bool dead = l->outcome.verdict == DEAD;
    struct outbox_entry told = *entry;
    told.attempts += l->tries ? l->tries - 1 : 0;
    int rc =
        dead ? outbox_dead(l->outbox, l->sink->name, &told, str_of(l->outcome.reason), e)
             : outbox_ack(l->outbox, l->sink->name, entry->id, e);
    if (rc < 0)
        return -1;
    if (dead && rc == 0) {
        lose_lease(l);
        return 1;
    }
    count(dead ? &l->counts.dead : &l->counts.delivered);
    log_alert(l, dead ? LOG_ERROR : LOG_INFO, dead ? "alert_dead" : "alert_delivered", 0);
    l->failures = 0;
    go_idle(l);
    return 1;
}

static int act(struct lane *l, struct err *e)
{
    switch (l->state) {
    case LANE_IDLE:
        return look(l, e);
    case LANE_WAITING:
        return wait_on(l, e);
    case LANE_ANSWERED:
        return settle(l, e);
    case LANE_FLYING:
        break;
    }
    return 0;
}

int lane_step(struct lane *l, struct err *e)
{
    if (l->world->now_ms < l->rest_until_ms)
        return 0;
    int rc = act(l, e);
    if (rc > 0)
        l->rest_ms = l->rest_until_ms = 0;
    return rc;
}

void lane_rest(struct lane *l, const struct err *e)
{
    char quoted[LOG_VALUE_BYTES];
    if (!l->rest_ms)
        log_error("outbox_refuses", "sink=%.*s reason=%s", STR_ARG(l->sink->name),
                  log_quote(str_of(e->text), quoted));
    int64_t rest = l->rest_ms ? l->rest_ms * 2 : REST_MIN_MS;
    l->rest_ms = rest < REST_MAX_MS ? rest : REST_MAX_MS;
    l->rest_until_ms = l->world->now_ms + l->rest_ms;
}

static int64_t due_ms(const struct lane *l)
{
    if (l->state == LANE_FLYING || (l->state == LANE_IDLE && l->world->stopping))
        return INT64_MAX;
    if (l->state == LANE_ANSWERED || l->world->stopping)
        return l->world->now_ms;
    if (l->state == LANE_WAITING && l->renew_ms < l->due_ms)
        return l->renew_ms;
    return l->due_ms;
}

int64_t lane_due_ms(const struct lane *l)
{
    int64_t due = due_ms(l);
    return due < l->rest_until_ms ? l->rest_until_ms : due;
}

void lane_look_now(struct lane *l)
{
    if (l->state == LANE_IDLE)
        l->due_ms = l->world->now_ms;
}

int lane_abandon(struct lane *l, struct err *e)
{
    http_cancel(l->world->http, l->slot);
    if (l->state == LANE_ANSWERED)
        return settle(l, e);
    return l->state == LANE_IDLE ? 0 : give_back(l, e);
}

void lane_add_stats(const struct lane *l, struct delivery_stats *sum)
{
    sum->delivered += atomic_load_explicit(&l->counts.delivered, memory_order_relaxed);
    sum->retried += atomic_load_explicit(&l->counts.retried, memory_order_relaxed);
    sum->dead += atomic_load_explicit(&l->counts.dead, memory_order_relaxed);
    sum->queued += atomic_load_explicit(&l->counts.queued, memory_order_relaxed);
}

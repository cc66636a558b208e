/* An entry that waits for its next try is kept, not given back: what comes after it must not overtake
 * it, on this pod or another. Its lease is renewed for as long as it is held, and nothing is sent but in the
 * first half of a lease: this thread may have been stopped, or Redis away, and another pod may have taken the
 * entry and be further on. Then it is dropped here, unless the receiver says it was delivered. An answer that
 * Redis could not be told of is told again until it can, without another request. */
#include "sinks/lane.h"

#include <stdio.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/fault.h"
#include "core/log.h"
#include "sinks/lane_digest.h"
#include "sinks/lane_figures.h"
#include "sinks/lane_mute.h"
#include "sinks/lane_talk.h"
#include "sinks/lane_verdict.h"
#include "sinks/request.h"

enum { LOOK_MS = 1000, SECRETS_MS = 60000 };
enum { REST_MIN_MS = 100, KNOWN_BYTES = 4096 };
enum { LEASE_PARTS = 3 }; /* renewed when a third has passed; no rest is longer */
#define SPARE_ALL_MS INT64_C(1000000000) /* a lease that never runs out */

void lane_init(struct lane *l, struct lane_world *world, struct gate *gate, size_t slot)
{
    *l = (struct lane){.world = world, .sink = gate->sink, .gate = gate, .slot = slot};
    arena_init(&l->entry_arena);
    arena_init(&l->request_arena);
}

void lane_deinit(struct lane *l)
{
    arena_deinit(&l->entry_arena);
    arena_deinit(&l->request_arena);
}

/* ---- trying ---- */

/* In the fault suite's builds a request says which process sent it, and which entries it tells: a receiver
 * sees ids of alerts, of which one may be two entries. */
#ifdef TICKETWATCH_FAULTS
static void name_entry(const char *entry, const struct alert *a, struct buf *out)
{
    buf_printf(out, ",%s %s %s %s %lld", entry, a->id, alert_state_name(a->state),
               severity_name(a->severity), (long long)a->time_ms);
}

static void name_entries(struct lane *l, struct request *r)
{
    struct buf names;
    request_buf(&names);
    buf_printf(&names, "%ld", (long)getpid());
    name_entry(l->entry.id, l->digest.n ? &l->digest.alerts[0] : &l->alert, &names);
    for (size_t i = 1; i < l->digest.n; i++)
        name_entry(l->entry.more[i - 1].id, &l->digest.alerts[i], &names);
    request_header(r, &l->request_arena, "X-Fault-Entries", buf_str(&names));
    buf_deinit(&names);
}
#else
#define name_entries(lane, request) ((void)0)
#endif

/* A rule of the protocol, switched off: acknowledged before anybody has answered. */
static void acknowledge_early(struct lane *l)
{
    struct err e = {0};
    if (FAULT_OFF("ack_after"))
        (void)outbox_ack(l->world->outbox, l->sink->name, &l->entry, &e);
}

/* Asked when the lease began, not when Redis answered: the earlier of the two. */
static void lease_begins(struct lane *l, int64_t asked_ms)
{
    int64_t lease_ms = l->world->settings->lease_ms;
    l->renew_ms = asked_ms + lease_ms / LEASE_PARTS;
    l->send_before_ms = asked_ms + lease_ms / 2;
    http_send_before(l->world->http, l->slot, l->send_before_ms);
}

static void fly(struct lane *l, const struct request *request)
{
    struct err e = {0};
    l->tries++;
    l->tried_ms = l->world->now_ms;
    l->took_ms = 0;
    acknowledge_early(l);
    FAULT_POINT("post.before");
    struct http_way way = {&l->sink->network, l->gate->secrets.values.proxy};
    if (http_start(l->world->http, l->slot, request, &way, &e) < 0) {
        lane_conclude_error(l, &e);
        return;
    }
    http_send_before(l->world->http, l->slot, l->send_before_ms);
    l->state = LANE_FLYING;
}

/* A shard has its part of the sink's rate. 1: leave was given, or is not needed; 0: later. */
static int takes_leave(const struct lane *l, struct err *e)
{
    int64_t shards_n = (int64_t)l->world->settings->shards_n;
    if (!l->sink->gap_ms)
        return 1;
    int64_t wait_ms =
        outbox_pace(l->world->outbox, l->sink->name, l->sink->gap_ms * shards_n, e);
    if (wait_ms > 0)
        gate_hold(l->gate, l->world->now_ms + wait_ms);
    return wait_ms < 0 ? -1 : wait_ms == 0;
}

/* 1: it is not sent now; 0; -1. `asked`: Redis was. */
static int keep_back(struct lane *l, int *asked, struct err *e)
{
    int kept = l->digest.n ? 0 : lane_keep_back(l, e);
    if (kept)
        return kept;
    enum storm storm = lane_digest(l, e);
    *asked |= storm != STORM_NONE;
    if (storm == STORM_LOST)
        lane_lost(l);
    return storm == STORM_FAILED ? -1 : storm == STORM_WAIT || storm == STORM_LOST;
}

static int send_now(struct lane *l, struct request *request, struct err *fails)
{
    int leave = takes_leave(l, fails);
    if (leave <= 0)
        return leave;
    if (l->digest.n && !request->carrier)
        request_header(request, &l->request_arena, "Idempotency-Key",
                       str_of(l->alert.id));
    name_entries(l, request);
    fly(l, request);
    return 0;
}

/* 1: Redis was asked, 0: it was not, -1. */
static int try_now(struct lane *l, struct err *fails)
{
    const struct sink *type = l->sink->type;
    struct request request = {0};
    struct err e = {0};
    (void)lane_secrets_refresh(&l->gate->secrets, l->world->now_ms, SECRETS_MS);
    arena_reset(&l->request_arena);
    l->state = LANE_WAITING;
    l->due_ms = l->world->now_ms;
    int asked = lane_talk_recall(l, fails);
    int kept = asked < 0 ? -1 : keep_back(l, &asked, fails);
    if (kept)
        return kept;
    struct sink_input in = lane_talk_input(l);
    if (clock_monotonic_ms() >= l->send_before_ms) {
        l->renew_ms = l->world->now_ms;
        return asked;
    }
    int rc = type->format(&in, &l->request_arena, &request, &e);
    if (rc == 0)
        lane_conclude(
            l, &(struct outcome){.verdict = DELIVERED, .reason = "nothing to say"});
    else if (rc < 0)
        lane_conclude_error(l, &e);
    else
        return send_now(l, &request, fails) < 0 ? -1 : asked | (l->sink->gap_ms > 0);
    return asked;
}

static int begin(struct lane *l, int64_t asked_ms, struct err *fails)
{
    struct err e = {0};
    l->tries = l->tried_ms = l->took_ms = 0;
    l->lost = l->refused = l->superseded = l->silenced = l->counted = false;
    l->digest.n = 0;
    l->accepted_seen = l->gate->accepted;
    l->passed_by = 0;
    l->outcome = (struct outcome){0};
    l->alert = (struct alert){0};
    lease_begins(l, asked_ms);
    if (alert_parse(l->entry.body, &l->entry_arena, &l->alert, &e) < 0)
        lane_conclude_error(l, &e);
    else {
        lane_talk_begin(l);
        lane_digest_begin(l);
        return try_now(l, fails);
    }
    return 0;
}

/* ---- steps ---- */

static int take(struct lane *l, struct err *e)
{
    const struct lane_world *w = l->world;
    struct buf known;
    buf_init(&known, KNOWN_BYTES);
    gate_known(l->gate, &known);
    struct outbox_want want = {.most = gate_most(l->gate), .known = buf_str(&known)};
    want.lease_ms = w->now_ms < w->spare_until_ms ? SPARE_ALL_MS : w->settings->lease_ms;
    arena_reset(&l->entry_arena);
    int rc = outbox_take(w->outbox, l->sink->name, &want, &l->entry_arena, &l->entry, e);
    buf_deinit(&known);
    return rc;
}

static int look(struct lane *l, struct err *e)
{
    const struct lane_world *w = l->world;
    if (w->stopping || w->now_ms < gate_take_ms(l->gate, l, w->now_ms))
        return 0;
    int64_t asked_ms = clock_monotonic_ms();
    int rc = take(l, e);
    if (rc < 0)
        return -1;
    int64_t held_ms = l->entry.held_ms;
    l->due_ms = w->now_ms + (held_ms > 0 && held_ms < LOOK_MS ? held_ms : LOOK_MS);
    return rc > 0 && begin(l, asked_ms, e) < 0 ? -1 : 1;
}

static int keep_lease(struct lane *l, struct err *e)
{
    if (l->lost || l->world->now_ms < l->renew_ms)
        return 0;
    int64_t asked_ms = clock_monotonic_ms();
    int held = outbox_renew(l->world->outbox, l->sink->name, l->entry.id, e);
    if (held < 0)
        return -1;
    if (held)
        lease_begins(l, asked_ms);
    else
        lane_lost(l);
    return 1;
}

static int give_back(struct lane *l, struct err *e)
{
    if (outbox_release(l->world->outbox, l->sink->name, l->entry.id, e) < 0)
        return -1;
    log_info("alert_released", "sink=%.*s alert=%s attempts=%lld", STR_ARG(l->sink->name),
             l->alert.id, (long long)l->tries);
    lane_idle(l);
    return 1;
}

static int wait_on(struct lane *l, struct err *e)
{
    int64_t now_ms = l->world->now_ms;
    if (l->lost) {
        lane_idle(l);
        return 0;
    }
    if (l->world->stopping)
        return give_back(l, e);
    gate_look(l->gate, now_ms);
    return gate_lets(l->gate, l, now_ms) ? try_now(l, e) : 0;
}

/* Another request about the same alert, which this pod still holds. */
static int go_on(struct lane *l, int held)
{
    l->state = LANE_WAITING;
    l->due_ms = l->world->now_ms;
    lane_talk_turn(l);
    if (!held)
        lane_lost(l);
    return 1;
}

static int take_apart(struct lane *l, struct err *e)
{
    int rc = lane_digest_apart(l, e);
    if (rc < 0)
        return -1;
    if (rc == 0) {
        lane_idle(l);
        lane_lost(l);
    }
    return 1;
}

/* Tells Redis. */
static int settle(struct lane *l, struct err *e)
{
    struct str sink = l->sink->name;
    struct outbox *outbox = l->world->outbox;
    bool dead = l->outcome.verdict == DEAD;
    struct outbox_entry told = l->entry;
    told.attempts += l->tries ? l->tries - 1 : 0;
    int known = lane_talk_remember(l, e);
    if (known < 0 || l->outcome.verdict == MORE)
        return known < 0 ? -1 : go_on(l, known);
    if (dead && l->digest.n)
        return take_apart(l, e);
    int rc = dead ? outbox_dead(outbox, sink, &told, str_of(l->outcome.reason), e)
                  : outbox_ack(outbox, sink, &l->entry, e);
    if (rc < 0)
        return -1;
    lane_idle(l);
    if (dead && rc == 0) {
        lane_lost(l);
        return 1;
    }
    lane_settled(l);
    return 1;
}

static int act(struct lane *l, struct err *e)
{
    int asked = l->state == LANE_IDLE ? 0 : keep_lease(l, e), rc = 0;
    if (asked < 0)
        return -1;
    switch (l->state) {
    case LANE_IDLE:
        rc = look(l, e);
        break;
    case LANE_WAITING:
        rc = wait_on(l, e);
        break;
    case LANE_ANSWERED:
        rc = settle(l, e);
        break;
    case LANE_FLYING:
        break;
    }
    return rc < 0 ? -1 : asked | rc;
}

int lane_step(struct lane *l, struct err *e)
{
    if (l->world->now_ms < l->rest_until_ms)
        return 0;
    int rc = act(l, e);
    int counted = rc < 0 ? -1 : lane_take_figures(l, e);
    if (counted < 0)
        return -1;
    if (rc > 0)
        l->rest_ms = l->rest_until_ms = 0;
    return rc | counted;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void lane_rest(struct lane *l, const struct err *e)
{
    char quoted[LOG_VALUE_BYTES];
    if (!l->rest_ms)
        log_error("outbox_refuses", "sink=%.*s reason=%s", STR_ARG(l->sink->name),
                  log_quote(str_of(e->text), quoted));
    int64_t rest = l->rest_ms ? l->rest_ms * 2 : REST_MIN_MS;
    l->rest_ms = earlier(rest, l->world->settings->lease_ms / LEASE_PARTS);
    l->rest_until_ms = l->world->now_ms + l->rest_ms;
}

static int64_t due_ms(const struct lane *l)
{
    int64_t renew = l->lost ? INT64_MAX : l->renew_ms;
    if (l->state == LANE_IDLE)
        return l->world->stopping ? INT64_MAX
                                  : gate_take_ms(l->gate, l, l->world->now_ms);
    if (l->state == LANE_FLYING)
        return renew;
    if (l->state == LANE_ANSWERED || l->lost || l->world->stopping)
        return l->world->now_ms;
    return earlier(gate_due_ms(l->gate, l, l->world->now_ms), renew);
}

int64_t lane_due_ms(const struct lane *l)
{
    int64_t due = due_ms(l);
    if (!l->world->stopping)
        due = earlier(due, lane_figures_due_ms(l));
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

/* A failed try is repeated after the gate's wait; an alert that has grown too old by then is given up, but not
 * while the endpoint refuses us: that is no fault of the alert's, and a person will mend it. */
#include "sinks/lane_verdict.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/fault.h"
#include "core/log.h"
#include "sinks/lane_gate.h"
#include "sinks/lane_talk.h"

static void add(_Atomic int64_t *counter, int64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static void count(_Atomic int64_t *counter)
{
    add(counter, 1);
}

void lane_log(const struct lane *l, enum log_level level, const char *event,
              int64_t wait_ms)
{
    char quoted[LOG_VALUE_BYTES], wait[48] = "", what[48];
    bool known = l->alert.id[0], many = l->digest.n > 0;
    if (wait_ms)
        snprintf(wait, sizeof wait, " wait_ms=%lld", (long long)wait_ms);
    if (many)
        snprintf(what, sizeof what, "alerts=%zu", l->digest.n);
    else
        snprintf(what, sizeof what, "state=%s",
                 known ? alert_state_name(l->alert.state) : "-");
    log_event(level, event, "sink=%.*s %s=%s %s attempts=%lld ms=%lld%s reason=%s",
              STR_ARG(l->sink->name), many ? "digest" : "alert",
              known ? l->alert.id : "-", what, (long long)l->tries, (long long)l->took_ms,
              wait, log_quote(str_of(l->outcome.reason), quoted));
}

void lane_lost(struct lane *l)
{
    l->lost = true;
    http_send_before(l->world->http, l->slot, 0);
    log_warn("lease_lost", "sink=%.*s alert=%s", STR_ARG(l->sink->name), l->alert.id);
}

void lane_idle(struct lane *l)
{
    l->state = LANE_IDLE;
    l->due_ms = l->world->now_ms;
}

void lane_settled(struct lane *l)
{
    if (l->outcome.verdict == DEAD) {
        count(&l->counts.dead);
        lane_log(l, LOG_ERROR, "alert_dead", 0);
    } else if (l->silenced) {
        count(&l->counts.silenced);
        lane_log(l, LOG_INFO, "alert_silenced", 0);
    } else if (l->superseded) {
        count(&l->counts.superseded);
        lane_log(l, LOG_INFO, "alert_superseded", 0);
    } else if (l->digest.n) {
        add(&l->counts.digested, (int64_t)l->digest.n);
        lane_log(l, LOG_INFO, "digest_delivered", 0);
    } else {
        count(&l->counts.delivered);
        lane_log(l, LOG_INFO, "alert_delivered", 0);
    }
}

static const char *failed_event(const struct lane *l)
{
    bool refused = l->outcome.verdict == REFUSED;
    if (l->digest.n)
        return refused ? "digest_refused" : "digest_retry";
    return refused ? "alert_refused" : "alert_retry";
}

static void try_again_later(struct lane *l)
{
    int64_t now_ms = l->world->now_ms;
    int64_t wait_ms = gate_fails(l->gate, &l->outcome, l->tries, now_ms);
    l->state = LANE_WAITING;
    l->due_ms = now_ms + wait_ms;
    count(&l->counts.retried);
    lane_log(l, LOG_WARN, failed_event(l), wait_ms);
}

/* An entry's id begins with the time it was made. */
static bool is_too_old(const struct lane *l)
{
    return l->world->wall_ms - strtoll(l->entry.id, NULL, 10) >
           l->world->settings->give_up_ms;
}

/* It fails again and again while others are taken, and there is no room to wait beside them. */
static bool is_in_the_way(struct lane *l)
{
    int64_t accepted = l->gate->accepted;
    l->passed_by += accepted > l->accepted_seen;
    l->accepted_seen = accepted;
    return gate_full(l->gate) && l->passed_by >= GATE_FAILURES;
}

static void give_up(struct lane *l, const char *why)
{
    struct outcome dead = {.verdict = DEAD};
    snprintf(dead.reason, sizeof dead.reason, "%s: %.150s", why, l->outcome.reason);
    l->outcome = dead;
}

/* A refusal is of the endpoint's; but where it took another alert since, it is of this one. */
static void judge_refusal(struct lane *l)
{
    if (!l->refused)
        l->accepted_before = l->gate->accepted;
    else if (l->gate->accepted > l->accepted_before)
        l->outcome.verdict = DEAD;
    l->refused = true;
}

void lane_conclude(struct lane *l, const struct outcome *outcome)
{
    l->outcome = *outcome;
    if (l->outcome.verdict == REFUSED)
        judge_refusal(l);
    else if (l->outcome.verdict == RETRY && is_in_the_way(l))
        give_up(l, "gave up, as others wait");
    else if (l->outcome.verdict == RETRY && is_too_old(l) &&
             gate_state(l->gate) != GATE_PAUSED)
        give_up(l, "gave up");
    if (l->outcome.verdict == RETRY || l->outcome.verdict == REFUSED)
        try_again_later(l);
    else
        l->state = LANE_ANSWERED;
}

void lane_conclude_error(struct lane *l, const struct err *e)
{
    /* What a person can mend without touching the alert is no reason to lose it. */
    struct outcome o = {.verdict = e->kind == ERR_INPUT         ? DEAD
                                   : e->kind == ERR_UNAVAILABLE ? RETRY
                                                                : REFUSED};
    snprintf(o.reason, sizeof o.reason, "%.199s", e->text);
    lane_conclude(l, &o);
}

void lane_answer(struct lane *l, const struct http_answer *answer)
{
    int status = answer->response.status;
    FAULT_POINT("post.after");
    struct outcome o = lane_talk_hear(l, &answer->response);
    if (status == 0 && o.verdict != DELIVERED)
        snprintf(o.reason, sizeof o.reason, "no answer: %s", answer->failure);
    if (answer->refused)
        o.verdict = REFUSED;
    l->took_ms = answer->took_ms;
    lane_conclude(l, &o);
    if (l->state == LANE_ANSWERED && o.verdict != RETRY)
        gate_works(l->gate, l->world->now_ms);
}

/* A refused or unanswered try is repeated after a random wait that doubles, or after the receiver's wish;
 * an alert that has grown too old by then is given up. */
#include "sinks/lane_verdict.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "core/fault.h"

enum { DOUBLINGS_MAX = 30 };

void lane_count(_Atomic int64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

void lane_log(const struct lane *l, enum log_level level, const char *event,
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
    lane_count(&l->counts.retried);
    lane_log(l, LOG_WARN, "alert_retry", wait_ms);
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

void lane_conclude(struct lane *l, const struct outcome *outcome)
{
    l->outcome = *outcome;
    if (l->outcome.verdict == RETRY && is_too_old(l))
        give_up(l);
    if (l->outcome.verdict == RETRY)
        try_again_later(l);
    else
        l->state = LANE_ANSWERED;
}

void lane_conclude_error(struct lane *l, const struct err *e)
{
    /* What a person can mend without touching the alert is no reason to lose it. */
    struct outcome o = {.verdict = e->kind == ERR_INPUT ? DEAD : RETRY};
    snprintf(o.reason, sizeof o.reason, "%.199s", e->text);
    lane_conclude(l, &o);
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
    lane_conclude(l, &o);
}

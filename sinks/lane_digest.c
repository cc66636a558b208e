/* What a silence, a maintenance, another alert or a later step keeps from being told goes before a digest is composed, as
 * it would alone: each entry in its turn is the lane's. A digest that is refused for good is taken apart, so that one
 * alert that a receiver does not like costs no other its message. While the sink fails, single alerts find out whether
 * it is back. */
#include "sinks/lane_digest.h"

#include <stdio.h>

#include "core/clock.h"
#include "core/fault.h"
#include "sinks/lane_gate.h"
#include "sinks/lane_mute.h"
#include "sinks/lane_talk.h"
#include "sinks/lane_verdict.h"

/* Of a lease: other lanes' are renewed by the same thread. */
enum { SIFT_PARTS = 12 };

/* What is to be told: the alerts, and the entries of all but the first. */
struct sifted {
    struct alert *alerts;
    struct outbox_entry *more;
    size_t n;
};

static void become(struct lane *l, const struct alert *alerts, size_t n)
{
    digest_make(&l->digest, alerts, n);
    l->alert = l->digest.face;
    lane_talk_begin(l);
}

void lane_digest_begin(struct lane *l)
{
    size_t n = 1;
    struct err e = {0};
    if (!l->sink->type->digests) /* any more: they go one by one */
        l->entry.last[0] = '\0';
    if (!l->entry.last[0] || !l->entry.more_n)
        return;
    struct alert *alerts =
        arena_alloc(&l->entry_arena, (l->entry.more_n + 1) * sizeof *alerts);
    alerts[0] = l->alert;
    for (size_t i = 0; i < l->entry.more_n; i++)
        if (alert_parse(l->entry.more[i].body, &l->entry_arena, &alerts[n], &e) == 0)
            n++; /* all are: else it would not be one of them */
    become(l, alerts, n);
}

/* ---- what is told ---- */

/* Where Redis refuses one call, as when it is full, the others need not wait for it: 0; -1 where it is away. */
static int without(const struct lane *l, const struct err *why, struct err *e)
{
    if (outbox_answered(l->world->outbox))
        return 0;
    *e = *why;
    return -1;
}

/* The entry is the lane's. 1; 0: it is not for this digest, nor what is behind it; -1. */
static int sift_one(struct lane *l, struct sifted *out, struct err *e)
{
    struct err wrong = {0};
    l->alert = (struct alert){0};
    if (alert_parse(l->entry.body, &l->entry_arena, &l->alert, &wrong) < 0)
        return 0; /* alone it goes to the dead letters */
    enum mute how = lane_mute(l, &wrong);
    if (how == MUTE_LOST)
        return 0;
    if (how == MUTE_FAILED || (how != MUTE_TELL && lane_go_unsent(l, how, &wrong) < 0))
        return without(l, &wrong, e);
    if (how != MUTE_TELL)
        return 1;
    out->more[out->n - 1] = l->entry;
    out->alerts[out->n++] = l->alert;
    return 1;
}

/* Only for so long; what is left then is told next. */
static int sift(struct lane *l, struct outbox_storm *s, struct sifted *out, struct err *e)
{
    const struct outbox_entry own = l->entry;
    int64_t until_ms = clock_monotonic_ms() + l->world->settings->lease_ms / SIFT_PARTS;
    int rc = 1;
    out->alerts = arena_alloc(&l->entry_arena, (s->behind_n + 1) * sizeof *out->alerts);
    out->alerts[0] = l->alert;
    out->more = arena_alloc(&l->entry_arena, (s->behind_n + 1) * sizeof *out->more);
    out->n = 1;
    bool late = false;
    for (size_t i = 0; i < s->behind_n && rc > 0 && !late; i++) {
        l->entry = s->behind[i];
        rc = sift_one(l, out, e);
        late = clock_monotonic_ms() >= until_ms && i + 1 < s->behind_n;
    }
    if (late)
        s->all = false;
    l->entry = own;
    l->alert = out->alerts[0];
    return rc < 0 ? -1 : 0;
}

/* Which entries it has. */
static enum outbox_composed write_down(struct lane *l, const char *last, size_t n,
                                       const struct outbox_storm *s, struct err *e)
{
    if (FAULT_OFF("digest_kept"))
        return COMPOSED;
    return outbox_compose(l->world->outbox, l->sink->name, l->entry.id, last, n, s, e);
}

static enum storm compose(struct lane *l, struct outbox_storm *s, struct err *e)
{
    struct err wrong = {0};
    struct sifted told = {0};
    if (sift(l, s, &told, e) < 0)
        return STORM_FAILED;
    const char *last = told.n > 1 ? told.more[told.n - 2].id : l->entry.id;
    switch (write_down(l, last, told.n, s, &wrong)) {
    case COMPOSED_FAILED:
        if (without(l, &wrong, e) < 0)
            return STORM_FAILED;
        break;
    case COMPOSED_LOST:
        return STORM_LOST;
    case COMPOSED:
        if (told.n == 1)
            break;
        snprintf(l->entry.last, sizeof l->entry.last, "%s", last);
        l->entry.more = told.more;
        l->entry.more_n = told.n - 1;
        become(l, told.alerts, told.n);
        break;
    case COMPOSED_NOT:
        break;
    }
    l->counted = true;
    return STORM_GO;
}

/* What may have been sent alone stays alone. */
static bool may_be_one_of_many(const struct lane *l)
{
    return l->sink->digest_above > 0 && !l->digest.n && !l->counted &&
           l->entry.attempts == 1 && l->tries == 0 && gate_state(l->gate) == GATE_CLOSED;
}

enum storm lane_digest(struct lane *l, struct err *e)
{
    const struct lane_world *w = l->world;
    struct outbox_storm s = {.above = l->sink->digest_above,
                             .within_ms = w->settings->digest_within_ms};
    if (!may_be_one_of_many(l))
        return STORM_NONE;
    int rc = outbox_storm(w->outbox, l->sink->name, l->entry.id, &s, &l->entry_arena, e);
    if (rc < 0)
        return STORM_FAILED;
    if (rc > 0)
        return compose(l, &s, e);
    l->counted = s.wait_ms == 0;
    if (l->counted)
        return STORM_GO;
    l->due_ms = w->now_ms + s.wait_ms;
    gate_gather(l->gate, l->due_ms);
    return STORM_WAIT;
}

int lane_digest_apart(struct lane *l, struct err *e)
{
    struct err wrong = {0};
    int held = outbox_apart(l->world->outbox, l->sink->name, l->entry.id, e);
    if (held <= 0)
        return held;
    lane_log(l, LOG_WARN, "digest_apart", 0);
    l->digest.n = 0;
    l->entry.last[0] = '\0';
    l->tries = 0;
    l->passed_by = 0;
    l->accepted_seen = l->gate->accepted;
    l->refused = false;
    l->outcome = (struct outcome){0};
    l->alert = (struct alert){0};
    (void)alert_parse(l->entry.body, &l->entry_arena, &l->alert,
                      &wrong); /* it was read before */
    lane_talk_begin(l);
    l->state = LANE_WAITING;
    l->due_ms = l->world->now_ms;
    return 1;
}

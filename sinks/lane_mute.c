#include "sinks/lane_mute.h"

#include <stdio.h>

#include "core/utf8.h"
#include "sinks/explain.h"
#include "sinks/lane_verdict.h"

enum { LOOK_MS = 2000 };
#define STALE "a later step of the alert waits"
#define UNTOLD "its beginning was silenced"

static int is_stale(const struct lane *l, struct err *e)
{
    bool passes = l->alert.state == ALERT_ESCALATED || l->alert.state == ALERT_REMINDER;
    if (!passes || l->sink->every_step)
        return 0;
    return outbox_later(l->world->outbox, l->sink->name, l->entry.id, str_of(l->alert.id),
                        e);
}

static enum mute keep_back(struct lane *l, const struct silence *s, struct err *e)
{
    int rc = outbox_mute(l->world->outbox, l->sink->name, l->entry.id, &l->alert, s, e);
    snprintf(l->outcome.reason, sizeof l->outcome.reason, "silenced by %.*s: %.*s",
             STR_ARG(utf8_cut(s->author, 60)), STR_ARG(utf8_cut(s->reason, 100)));
    return rc < 0 ? MUTE_FAILED : rc ? MUTE_DONE : MUTE_LOST;
}

/* Planned in the configuration, or of a known issue that is muted; the record itself says so, and the muted stream gets
 * a silence without an id. */
static bool is_planned(const struct alert *a, struct silence *out)
{
    bool muted = a->known_issue.muted && !a->silenced.maintenance.n;
    *out = (struct silence){.author = muted ? a->known_issue.id : a->silenced.author,
                            .reason = muted ? STR("a known issue") : a->silenced.reason,
                            .from_ms = a->time_ms,
                            .until_ms = a->time_ms};
    return muted || a->silenced.maintenance.n > 0;
}

/* What begins or grows worse, and was not asked to be told yet. */
static bool is_explained(struct lane *l)
{
    struct explain *x = l->world->settings->explain;
    return x && l->tries == 0 && explain_hides(x, &l->alert, &l->entry_arena);
}

static enum mute hide(struct lane *l, struct err *e)
{
    char reason[200];
    struct alert *a = &l->alert;
    struct silence s = {
        .author = a->hidden_by.inhibit, .from_ms = a->time_ms, .until_ms = a->time_ms};
    snprintf(s.id, sizeof s.id, "%.*s", (int)sizeof s.id - 1, a->hidden_by.id.p);
    snprintf(reason, sizeof reason, "%.*s %.8s explains it",
             STR_ARG(utf8_cut(a->hidden_by.rule, 100)), a->hidden_by.id.p);
    s.reason = str_of(reason);
    if (explain_hidden(l->world->outbox, a, e))
        return MUTE_FAILED;
    return keep_back(l, &s, e);
}

/* The alert is about to be told, or is over. */
static int explain(struct lane *l, struct err *e)
{
    const struct lane_world *w = l->world;
    return w->settings->explain ? explain_tell(w->settings->explain, w->shard, w->outbox,
                                               &l->alert, &l->entry_arena, e)
                                : 0;
}

static enum mute tell(struct lane *l, struct err *e)
{
    if (explain(l, e))
        return MUTE_FAILED;
    if (l->alert.state == ALERT_FIRING)
        return MUTE_TELL;
    int was = outbox_unmute(l->world->outbox, l->sink->name, l->alert.id, e);
    if (was < 0)
        return MUTE_FAILED;
    return was && l->alert.state == ALERT_RESOLVED ? MUTE_UNTOLD : MUTE_TELL;
}

enum mute lane_mute(struct lane *l, struct err *e)
{
    const struct lane_world *w = l->world;
    struct silence planned;
    const struct silence *s =
        is_planned(&l->alert, &planned)
            ? &planned
            : silences_match(&w->silences, &l->alert, l->sink->name, w->wall_ms);
    int stale = is_stale(l, e);
    if (stale)
        return stale < 0 ? MUTE_FAILED : MUTE_STALE;
    if (s && l->alert.state != ALERT_RESOLVED)
        return keep_back(l, s, e);
    return is_explained(l) ? hide(l, e) : tell(l, e);
}

int lane_keep_back(struct lane *l, struct err *e)
{
    switch (lane_mute(l, e)) {
    case MUTE_FAILED:
        return -1;
    case MUTE_TELL:
        return 0;
    case MUTE_LOST:
        lane_lost(l);
        break;
    case MUTE_DONE:
        l->silenced = true;
        lane_settled(l);
        lane_idle(l);
        break;
    case MUTE_STALE:
        l->superseded = true;
        lane_conclude(l, &(struct outcome){.verdict = DELIVERED, .reason = STALE});
        break;
    case MUTE_UNTOLD:
        l->silenced = true;
        lane_conclude(l, &(struct outcome){.verdict = DELIVERED, .reason = UNTOLD});
        break;
    }
    return 1;
}

int lane_go_unsent(struct lane *l, enum mute how, struct err *e)
{
    bool stale = how == MUTE_STALE;
    if (how != MUTE_DONE) {
        l->outcome = outcome_of(DELIVERED, stale ? STALE : UNTOLD);
        if (outbox_ack(l->world->outbox, l->sink->name, &l->entry, e) < 0)
            return -1;
    }
    l->superseded = stale;
    l->silenced = !stale;
    lane_settled(l);
    l->superseded = l->silenced = false;
    l->outcome = (struct outcome){0};
    return 1;
}

int lane_mute_look(struct lane_world *w, struct err *e)
{
    if (w->now_ms < w->silences_ms)
        return 0;
    w->silences = (struct silences){0};
    arena_reset(&w->silences_arena);
    if (outbox_silences(w->outbox, &w->silences_arena, &w->silences, e))
        return -1;
    if (w->settings->explain &&
        explain_look(w->settings->explain, w->shard, w->outbox, e))
        return -1;
    w->silences_ms = w->now_ms + LOOK_MS;
    return 1;
}

/* The kind `new_value`: a key not seen for long is seen again, and not only once (docs/rules.md).
 *
 * A key's events fall into lives: in one, each event is less than unseen_for behind the one before it. A
 * life has one episode at most. It opens with the life's at_least-th event, if that is less than `within`
 * behind the first, and ends with the life. All is said when the watermark has passed it: an event still on
 * its way could join two lives, and then nothing was new. A life's first at_least - 1 events are kept
 * until its fate is known; of those behind, only gaps matter. */
#include <assert.h>
#include <stdlib.h>

#include "core/timefmt.h"
#include "detectors/detector.h"
#include "detectors/judgement.h"
#include "detectors/member.h"

struct new_value_settings {
    int64_t unseen_for_ms, at_least, within_ms;
    struct str learn_until;
    int64_t learn_until_ms; /* derived */
};

/* The present life as far as it was walked. */
struct life {
    bool alive;
    bool decided; /* it has its episode, or will have none */
    bool firing;
    int64_t first_ms, last_ms, opened_ms, events;
};

/* A window while it is judged. */
struct walk {
    const struct judge_input *in;
    const struct new_value_settings *settings;
    struct judgement *out;
    bool confirm; /* settled events: tell; else only find out when to be asked again */
    int64_t settled_ms; /* events before it are in the life already */
    struct life life;
    struct member *members; /* in order */
    size_t n;
    size_t from; /* the first member of a life that is not decided */
};

static struct life life_unpack(struct str state, int64_t *settled_ms)
{
    struct reader r = {.in = state};
    struct life l = {0};
    *settled_ms = ALWAYS_MS;
    if (state.n == 0)
        return l;
    l.alive = true;
    l.decided = reader_u8(&r);
    l.firing = reader_u8(&r);
    l.first_ms = reader_i64(&r);
    l.last_ms = reader_i64(&r);
    l.opened_ms = reader_i64(&r);
    l.events = reader_i64(&r);
    *settled_ms = reader_i64(&r);
    assert(!r.failed);
    return l;
}

static void life_pack(const struct life *l, int64_t settled_ms, struct buf *out)
{
    buf_u8(out, l->decided);
    buf_u8(out, l->firing);
    buf_i64(out, l->first_ms);
    buf_i64(out, l->last_ms);
    buf_i64(out, l->opened_ms);
    buf_i64(out, l->events);
    buf_i64(out, settled_ms);
}

static void ask_again(struct walk *k, int64_t ms)
{
    if (ms < k->out->due_ms)
        k->out->due_ms = ms;
}

static int64_t ends_ms(const struct walk *k)
{
    return k->life.last_ms + k->settings->unseen_for_ms;
}

static int64_t too_slow_ms(const struct walk *k)
{
    return k->life.first_ms + k->settings->within_ms;
}

/* "3 events within 24h, none in the 30d before: error httperror inv_500 ..." */
static void summarise(const struct walk *k, struct alert *a)
{
    char within[DURATION_TEXT_BYTES], before[DURATION_TEXT_BYTES], last[TIME_TEXT_BYTES];
    const char *what = a->count == 1 ? "event" : "events";
    struct buf key;
    buf_init(&key, 600);
    key_text(k->in, &key);
    duration_text(k->settings->within_ms, within);
    duration_text(k->settings->unseen_for_ms, before);
    time_text(a->last_seen_ms, last);
    if (a->state == ALERT_RESOLVED)
        a->summary =
            judgement_text(k->out, "%.*s: quiet since %s after %lld %s",
                           STR_ARG(buf_str(&key)), last, (long long)a->count, what);
    else
        a->summary = judgement_text(
            k->out, "%lld %s within %s, none in the %s before: %.*s", (long long)a->count,
            what, within, before, STR_ARG(buf_str(&key)));
    buf_deinit(&key);
}

static void tell(const struct walk *k, struct alert *a)
{
    summarise(k, a);
    alert_name(a, time_cell(k->life.opened_ms, k->settings->unseen_for_ms));
    judgement_tell(k->out, a);
}

/* The member is the one that makes the life an alert. */
static void open_episode(struct walk *k, size_t at)
{
    int64_t now_ms = k->members[at].time_ms;
    bool may =
        k->life.first_ms >= k->settings->learn_until_ms && now_ms >= k->in->judge_from_ms;
    if (!may)
        return;
    if (!k->confirm) {
        ask_again(k, now_ms + 1);
        return;
    }
    k->life.firing = true;
    k->life.opened_ms = now_ms;
    struct alert a =
        alert_begin(k->in, ALERT_FIRING, k->in->rule->steps[0].severity, now_ms);
    size_t n = at + 1 - k->from;
    a.count = (int64_t)n;
    a.users = members_users(k->members + k->from, n);
    a.last_seen_ms = now_ms;
    members_describe(k->members + k->from, NULL, n, &a);
    tell(k, &a);
}

static void end_life(struct walk *k)
{
    if (!k->confirm)
        ask_again(k, ends_ms(k));
    else if (k->life.firing) {
        struct alert a = alert_begin(k->in, ALERT_RESOLVED,
                                     k->in->rule->steps[0].severity, ends_ms(k));
        a.count = k->life.events;
        a.first_seen_ms = k->life.first_ms;
        a.last_seen_ms = k->life.last_ms;
        tell(k, &a);
    }
    k->life = (struct life){0};
}

/* One event of the definition. */
static void step(struct walk *k, size_t at)
{
    const struct member *m = &k->members[at];
    if (k->life.alive && m->time_ms >= ends_ms(k))
        end_life(k);
    if (!k->life.alive) {
        k->life = (struct life){.alive = true, .first_ms = m->time_ms};
        k->from = at;
    }
    k->life.last_ms = m->time_ms;
    k->life.events += m->weight;
    if (k->life.decided)
        return;
    bool last_chance = (int64_t)(at + 1 - k->from) == k->settings->at_least;
    bool slow = m->time_ms >= too_slow_ms(k);
    if (last_chance && !slow)
        open_episode(k, at);
    k->life.decided = last_chance || slow;
}

/* Walks over what the watermark has passed, behind what it had passed before. Returns the first member that
 * is not settled. */
static size_t settle(struct walk *k)
{
    size_t at = 0;
    while (at < k->n && k->members[at].time_ms < k->settled_ms)
        at++;
    k->confirm = true;
    for (; at < k->n && k->members[at].time_ms < k->in->settled_ms; at++)
        step(k, at);
    if (k->life.alive && ends_ms(k) <= k->in->watermark_ms)
        end_life(k);
    if (k->life.alive && too_slow_ms(k) <= k->in->watermark_ms)
        k->life.decided = true;
    if (k->in->settled_ms > k->settled_ms)
        k->settled_ms = k->in->settled_ms;
    return at;
}

/* When to be asked again, if nothing else comes. */
static void look_ahead(struct walk k, size_t at)
{
    k.confirm = false;
    if (k.life.alive && !k.life.decided)
        ask_again(&k, too_slow_ms(&k)); /* its members can go then */
    for (; at < k.n; at++)
        step(&k, at);
    if (k.life.alive)
        ask_again(&k, ends_ms(&k));
}

/* Whether member `at`, behind its life's first at_least, stands between two that are less than unseen_for
 * apart: then no event still to come makes it the first, a counted or the last one of a life. */
static bool needless(const struct walk *k, size_t before, size_t at)
{
    return before != SIZE_MAX && at + 1 < k->n &&
           k->members[at + 1].time_ms - k->members[before].time_ms <
               k->settings->unseen_for_ms;
}

/* Which of the members from `at` on need no place; the one kept before it stands for it too. */
static void find_needless(struct walk *k, size_t at, bool *drop)
{
    struct life l = k->life;
    int64_t least = k->settings->at_least;
    int64_t rank = !l.alive ? 0 : l.decided ? least : (int64_t)(at - k->from);
    size_t before = SIZE_MAX; /* the last one kept of the same life */
    for (; at < k->n; at++) {
        const struct member *m = &k->members[at];
        if (!l.alive || m->time_ms - l.last_ms >= k->settings->unseen_for_ms) {
            rank = 0;
            before = SIZE_MAX;
        }
        l.alive = true;
        l.last_ms = m->time_ms;
        rank++;
        drop[at] = rank > least && needless(k, before, at);
        if (drop[at])
            k->members[before].weight += m->weight;
        else
            before = at;
    }
}

/* Keeps what is not settled, and the settled ones that an alert may have to show. */
static void keep(struct walk *k, size_t unsettled)
{
    bool *drop = calloc(k->n + 1, sizeof *drop);
    assert(drop);
    find_needless(k, unsettled, drop);
    for (size_t i = k->life.alive && !k->life.decided ? k->from : unsettled; i < k->n;
         i++)
        if (!drop[i])
            judgement_keep(k->out, &k->members[i]);
    free(drop);
}

static void load(struct walk *k)
{
    const struct judge_input *in = k->in;
    k->life = life_unpack(in->state, &k->settled_ms);
    k->members = members_load(in->records, in->records_n, k->out->arena, &k->n);
}

static void new_value_judge(const struct judge_input *in, struct judgement *out)
{
    struct walk k = {.in = in, .settings = in->rule->settings, .out = out};
    load(&k);
    size_t unsettled = settle(&k);
    look_ahead(k, unsettled);
    keep(&k, unsettled);
    if (k.life.alive)
        life_pack(&k.life, k.settled_ms, out->state);
    /* what comes makes it longer, or begins another when it is over */
    if (k.life.alive && k.life.decided)
        out->calm_n = UINT32_MAX;
}

static bool new_value_update(const struct rule *rule, const struct event *event,
                             struct update *out)
{
    const struct new_value_settings *s = rule->settings;
    member_pack_event(event, out->member, out->record);
    out->judge_at = (uint32_t)s->at_least;
    out->due_ms = event->time_ms + s->within_ms;
    return true;
}

static int new_value_check(struct rule *rule, struct err *e)
{
    struct new_value_settings *s = rule->settings;
    s->learn_until_ms = ALWAYS_MS;
    if (rule->by_n == 0)
        return err_set(
            e, ERR_INPUT,
            "needs `by`, the value that may be new, for example by: [ticket.category]");
    if (s->learn_until.n && !time_parse(s->learn_until, &s->learn_until_ms))
        return err_set(e, ERR_INPUT,
                       "learn_until: expected a time such as 2026-04-01T00:00:00Z");
    if (rule_one_severity(rule, "a new value is one word", SEVERITY_LOW, e))
        return -1;
    rule->lookback_ms = s->unseen_for_ms + s->within_ms;
    const int64_t layout[] = {s->unseen_for_ms, s->at_least, s->within_ms};
    rule->layout = rule_layout("new_value", layout, sizeof layout / sizeof layout[0]);
    return 0;
}

static const char *new_value_doubt(const struct rule *rule)
{
    const struct new_value_settings *s = rule->settings;
    return s->learn_until.n
               ? NULL
               : "has no `learn_until`: where the log begins every key is new, and is "
                 "told of; write when it begins, plus unseen_for";
}

#define AT(member) offsetof(struct new_value_settings, member)
static const struct option_row new_value_options[] = {
    {.name = "unseen_for",
     .type = OPTION_DURATION,
     .offset = AT(unseen_for_ms),
     .required = true,
     .min = 60000,
     .max = 366.0 * 86400000,
     .help = "Silence after which a key is new again; the same silence ends its alert."},
    {.name = "at_least",
     .type = OPTION_INT,
     .offset = AT(at_least),
     .fallback = "3",
     .min = 1,
     .max = 1000,
     .help = "How many events make a new key an alert."},
    {.name = "within",
     .type = OPTION_DURATION,
     .offset = AT(within_ms),
     .fallback = "24h",
     .min = 1000,
     .max = 366.0 * 86400000,
     .help = "How soon: less than so long behind the first of them."},
    {.name = "learn_until",
     .type = OPTION_TEXT,
     .offset = AT(learn_until),
     .help = "An event time, such as 2026-04-01T00:00:00Z: keys first seen before it are "
             "taken for known."},
};

const struct detector new_value_detector = {
    .name = "new_value",
    .help = "A key that was not seen for long is seen so many times: an emerging issue.",
    .options = new_value_options,
    .options_n = sizeof new_value_options / sizeof new_value_options[0],
    .settings_bytes = sizeof(struct new_value_settings),
    .check = new_value_check,
    .doubt = new_value_doubt,
    .update = new_value_update,
    .judge = new_value_judge,
};

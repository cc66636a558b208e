/* The kind `deadline`: from one event until another, within a time of business hours (docs/rules.md).
 *
 * A clock starts with a `from` event and stops with an `until` event; it passes milestones, the warnings and
 * the breach, each an instant that follows from its start alone. The machine runs over settled events only:
 * what it finds is confirmed and announced at once. Whether a `from` event starts a clock depends on the
 * event before it only, so a state that is made anew from lookback_ms of events runs the same clocks. */
#include <assert.h>
#include <stdlib.h>

#include "core/timefmt.h"
#include "detectors/deadline.h"
#include "detectors/judgement.h"
#include "detectors/member.h"

enum {
    JUDGE_RECORDS = 64,    /* so many records, and the window is judged */
    UNSETTLED_MAX = 10000, /* so many events of a key are kept that are not settled */
};
#define YEAR_MS (366.0 * 86400000)

/* What a key's window keeps. */
struct clock {
    bool known;   /* a `from` event came, and no `until` event after it */
    bool running; /* false: given up */
    int64_t start_ms, last_from_ms;
    int level;         /* the last milestone passed; -1: none */
    int64_t opened_ms; /* of the first milestone */
};

struct timing {
    const struct judge_input *in;
    const struct deadline_settings *s;
    struct judgement *out;
    struct clock now;
    struct member start; /* the event that started the clock */
    /* what is not folded yet, in order; value 1: a `from` event */
    struct member *members;
    size_t members_n, at; /* those before `at` are settled */
};

/* --- the state --- */

static void pack_state(const struct clock *c, struct buf *out)
{
    buf_u8(out, c->running);
    buf_i64(out, c->start_ms);
    buf_i64(out, c->last_from_ms);
    buf_i64(out, c->level);
    buf_i64(out, c->opened_ms);
}

static struct clock unpack_state(struct str packed)
{
    struct reader r = {.in = packed};
    struct clock c = {.level = -1};
    if (packed.n == 0)
        return c;
    c.known = true;
    c.running = reader_u8(&r);
    c.start_ms = reader_i64(&r);
    c.last_from_ms = reader_i64(&r);
    c.level = (int)reader_i64(&r);
    c.opened_ms = reader_i64(&r);
    assert(!r.failed);
    return c;
}

/* The one with weight 0 is the event that started the clock. */
static void load_members(struct timing *t)
{
    const struct judge_input *in = t->in;
    size_t n;
    t->members = members_load(in->records, in->records_n, t->out->arena, &n);
    for (size_t i = 0; i < n; i++)
        if (t->members[i].weight == 0)
            t->start = t->members[i];
        else
            t->members[t->members_n++] = t->members[i];
}

/* --- milestones --- */

static int64_t span_ms(const struct deadline_settings *s, int level)
{
    return level < s->warnings ? s->within_ms * s->percents[level] / 100 : s->within_ms;
}

static int64_t milestone_ms(const struct timing *t, int level)
{
    return workweek_after(&t->s->week, t->now.start_ms, span_ms(t->s, level));
}

static int64_t due_at_ms(const struct timing *t)
{
    return milestone_ms(t, t->s->warnings);
}

/* What happens next to a running clock, if nothing comes. */
static int64_t next_ms(const struct timing *t)
{
    if (t->now.level < t->s->warnings)
        return milestone_ms(t, t->now.level + 1);
    return due_at_ms(t) + t->s->give_up_after_ms;
}

/* --- what is told --- */

static void put_span(struct buf *out, int64_t ms)
{
    char text[DURATION_TEXT_BYTES];
    duration_text(ms - ms % 1000, text);
    buf_text(out, text);
}

/* "ticket.id T-1: 75% of 4h are over, due at 2026-03-06T16:00:00.000Z" */
static void summarise(const struct timing *t, struct alert *a, bool done)
{
    char due[TIME_TEXT_BYTES];
    struct buf b;
    buf_init(&b, 900);
    key_prefix(t->in, &b);
    time_text(due_at_ms(t), due);
    bool overdue = t->now.level == t->s->warnings;
    if (a->state == ALERT_RESOLVED && !done) {
        buf_text(&b, "given up");
    } else if (a->state == ALERT_RESOLVED && overdue) {
        put_span(&b, a->time_ms - due_at_ms(t));
        buf_text(&b, " late");
    } else if (a->state == ALERT_RESOLVED) {
        buf_text(&b, "in time");
    } else if (overdue) {
        put_span(&b, t->s->within_ms);
        buf_text(&b, " are over");
    } else {
        buf_printf(&b, "%lld%% of ", (long long)t->s->percents[t->now.level]);
        put_span(&b, t->s->within_ms);
        buf_text(&b, " are over");
    }
    buf_printf(&b, ", %s at %s", a->time_ms < due_at_ms(t) ? "due" : "was due", due);
    a->summary = judgement_text(t->out, "%.*s", STR_ARG(buf_str(&b)));
    buf_deinit(&b);
}

static enum severity severity_of(const struct timing *t)
{
    return t->now.level < t->s->warnings ? (enum severity)t->now.level
                                         : t->in->rule->steps[0].severity;
}

/* Of a state made anew nobody knows whether a clock that passed its first milestone so early had begun before. */
static void tell(struct timing *t, enum alert_state state, int64_t time_ms, bool done)
{
    if (t->now.opened_ms < t->in->judge_from_ms)
        return;
    struct alert a = alert_begin(t->in, state, severity_of(t), time_ms);
    members_describe(&t->start, NULL, 1, &a);
    a.sample = (struct alert_sample){.subject = t->start.sample.subject};
    if (state == ALERT_RESOLVED)
        a.evidence_n = 0;
    a.count = 1;
    a.users = ALERT_NOT_COUNTED;
    a.opened_ms = t->now.opened_ms;
    a.first_seen_ms = t->now.start_ms;
    a.last_seen_ms = done ? time_ms : t->now.start_ms;
    summarise(t, &a, done);
    alert_name(&a, t->now.start_ms);
    judgement_tell(t->out, &a);
}

/* --- the machine --- */

/* No event came before until_ms. */
static void pass(struct timing *t, int64_t until_ms)
{
    while (t->now.running) {
        int64_t time_ms = next_ms(t);
        if (time_ms > until_ms)
            return;
        if (t->now.level == t->s->warnings) {
            tell(t, ALERT_RESOLVED, time_ms, false);
            t->now.running = false;
            return;
        }
        t->now.level++;
        if (t->now.level == 0)
            t->now.opened_ms = time_ms;
        tell(t, t->now.level ? ALERT_ESCALATED : ALERT_FIRING, time_ms, false);
    }
}

static void step(struct timing *t, const struct member *m)
{
    bool from = m->value != 0;
    if (!from && t->now.running && t->now.level >= 0)
        tell(t, ALERT_RESOLVED, m->time_ms, true);
    if (!from) {
        t->now = (struct clock){.level = -1};
        return;
    }
    if (!t->now.known || m->time_ms - t->now.last_from_ms >= deadline_memory_ms(t->s)) {
        t->now = (struct clock){
            .known = true, .running = true, .start_ms = m->time_ms, .level = -1};
        t->start = *m;
    }
    t->now.last_from_ms = m->time_ms;
}

static void settle(struct timing *t)
{
    for (; t->at < t->members_n; t->at++) {
        const struct member *m = &t->members[t->at];
        if (m->time_ms >= t->in->settled_ms)
            break;
        pass(t, m->time_ms);
        step(t, m);
    }
    pass(t, t->in->watermark_ms);
    if (!t->now.running &&
        t->now.last_from_ms + deadline_memory_ms(t->s) <= t->in->watermark_ms)
        t->now.known = false;
}

static void earlier(int64_t *due_ms, int64_t ms)
{
    if (ms < *due_ms)
        *due_ms = ms;
}

/* When an event that is not settled asks to be looked at: what stops a clock at once, what starts one when
 * the clock may have passed something. */
static int64_t wants_ms(const struct deadline_settings *s, int64_t time_ms, bool from)
{
    return time_ms + (from ? span_ms(s, 0) : 1);
}

static int64_t due_ms(const struct timing *t)
{
    int64_t due = NEVER_MS;
    if (t->now.known)
        due =
            t->now.running ? next_ms(t) : t->now.last_from_ms + deadline_memory_ms(t->s);
    for (size_t i = t->at; i < t->members_n; i++)
        earlier(&due, wants_ms(t->s, t->members[i].time_ms, t->members[i].value != 0));
    return due;
}

static void keep(struct judgement *out, struct member *m, uint32_t weight)
{
    m->weight = weight;
    judgement_keep(out, m);
}

/* A ticket does not have so many events in the time of lateness; where one does, the first and the last stay. */
static void keep_unsettled(struct timing *t)
{
    size_t n = t->members_n - t->at;
    for (size_t i = 0; i < n; i++)
        if (i < UNSETTLED_MAX / 2 || n - i <= UNSETTLED_MAX / 2)
            keep(t->out, &t->members[t->at + i], 1);
}

static void deadline_judge(const struct judge_input *in, struct judgement *out)
{
    struct timing t = {.in = in, .s = in->rule->settings, .out = out};
    t.now = unpack_state(in->state);
    load_members(&t);
    settle(&t);
    out->due_ms = due_ms(&t);
    if (t.now.known)
        pack_state(&t.now, out->state);
    if (t.now.running)
        keep(out, &t.start, 0);
    keep_unsettled(&t);
}

static bool deadline_update(const struct rule *rule, const struct event *event,
                            struct update *out)
{
    const struct deadline_settings *s = rule->settings;
    struct member m;
    bool from = s->from >> event->type & 1;
    if (!from && !(s->until >> event->type & 1))
        return false;
    member_of_event(event, &m);
    if (!from) /* only its place in the order matters */
        m = (struct member){
            .time_ms = m.time_ms, .weight = 1, .evidence.event = event->id};
    m.value = from;
    member_pack(&m, out->record);
    out->judge_at = JUDGE_RECORDS;
    out->due_ms = wants_ms(s, event->time_ms, from);
    return true;
}

/* --- the settings --- */

#define AT(member) offsetof(struct deadline_settings, member)
static const struct option_row deadline_options[] = {
    {.name = "from",
     .type = OPTION_EVENTS,
     .offset = AT(from),
     .required = true,
     .help = "What starts the clock, unless it runs already."},
    {.name = "until",
     .type = OPTION_EVENTS,
     .offset = AT(until),
     .required = true,
     .help = "What stops it."},
    {.name = "within",
     .type = OPTION_DURATION,
     .offset = AT(within_ms),
     .required = true,
     .min = 60000,
     .max = YEAR_MS,
     .help = "How much time there is, of business_hours where they are written."},
    {.name = "business_hours",
     .type = OPTION_TEXT,
     .offset = AT(business_hours),
     .max = 400,
     .help =
         "When time counts, by the clock in time.zone, such as `Mon-Fri 09:00-17:00` or "
         "`Mon-Thu 08:00-18:00, Fri 08:00-15:00`; by default always."},
    {.name = "warn_at",
     .type = OPTION_TEXTS,
     .offset = AT(warn_at),
     .help = "Shares of `within` at which to warn, such as `[75%]`: the first is of "
             "severity low, each further one a step higher, all below the breach's."},
    {.name = "give_up_after",
     .type = OPTION_DURATION,
     .offset = AT(give_up_after_ms),
     .fallback = "30d",
     .min = 60000,
     .max = YEAR_MS,
     .help = "So long after the breach it resolves and is forgotten, where nothing "
             "stopped the clock."},
};

const struct detector deadline_detector = {
    .name = "deadline",
    .help = "From one event until another within a time, in business hours, with "
            "warnings before.",
    .options = deadline_options,
    .options_n = sizeof deadline_options / sizeof deadline_options[0],
    .settings_bytes = sizeof(struct deadline_settings),
    .check = deadline_check,
    .update = deadline_update,
    .judge = deadline_judge,
};

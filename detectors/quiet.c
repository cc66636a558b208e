/* The kind `quiet`: a key that was active, and then says nothing (docs/rules.md).
 *
 * The machine runs over settled events only, because silence is known only when the watermark has passed
 * it: what it finds is confirmed and announced at once. What it needs of the past are the times of the
 * latest few events, and five of them for evidence, so a hot key costs no more than a warm one.
 * While an episode is open the window holds empty records up to WAKE_RECORDS: the next event makes it
 * judged at once, and so it is known when that event is settled. */
#include <assert.h>
#include <stdlib.h>

#include "core/timefmt.h"
#include "detectors/judgement.h"
#include "detectors/member.h"

enum {
    COUNTED_LEAST = 50, /* the window count is exact up to it, or to at_least */
    WAKE_RECORDS = 64,  /* so many records, and the window is judged */
};
#define DAY_MS 86400000LL
#define YEAR_MS (366.0 * 86400000)

struct quiet_settings {
    int64_t at_least, within_ms, silent_for_ms, give_up_after_ms;
    int64_t counted; /* so many latest events are looked at; derived */
};

struct silence {
    const struct judge_input *in;
    const struct quiet_settings *s;
    struct judgement *out;
    int64_t *times; /* of the latest settled events that a window may still hold */
    size_t times_n;
    bool open;
    int64_t opened_ms, count; /* of the episode; the window count before the silence */
    struct member *members;   /* settled ones with weight 0, then what is new; in order */
    size_t members_n;
    size_t at; /* members before it are settled */
};

/* --- the state --- */

static void pack_state(const struct silence *q, struct buf *out)
{
    buf_u8(out, q->open);
    buf_i64(out, q->opened_ms);
    buf_i64(out, q->count);
    buf_u32(out, (uint32_t)q->times_n);
    for (size_t i = 0; i < q->times_n; i++)
        buf_i64(out, q->times[i]);
}

static void unpack_state(struct silence *q)
{
    struct reader r = {.in = q->in->state};
    if (q->in->state.n) {
        q->open = reader_u8(&r);
        q->opened_ms = reader_i64(&r);
        q->count = reader_i64(&r);
        q->times_n = reader_u32(&r);
    }
    size_t cap = q->times_n + q->in->records_n + 1;
    q->times = arena_alloc(q->out->arena, cap * sizeof *q->times);
    for (size_t i = 0; i < q->times_n; i++)
        q->times[i] = reader_i64(&r);
    assert(!r.failed);
}

static void load_members(struct silence *q)
{
    const struct judge_input *in = q->in;
    q->members = members_load(in->records, in->records_n, q->out->arena, &q->members_n);
    while (q->at < q->members_n && q->members[q->at].weight == 0)
        q->at++;
}

static int64_t last_ms(const struct silence *q)
{
    return q->times[q->times_n - 1];
}

static bool active(const struct silence *q)
{
    return (int64_t)q->times_n >= q->s->at_least;
}

/* The event becomes the last one; times that its window does not hold go. */
static void push(struct silence *q, int64_t time_ms)
{
    size_t from = 0, most = (size_t)q->s->counted;
    q->times[q->times_n++] = time_ms;
    while (q->times[from] <= time_ms - q->s->within_ms || q->times_n - from > most)
        from++;
    q->times_n -= from;
    memmove(q->times, q->times + from, q->times_n * sizeof *q->times);
}

/* --- what is told --- */

/* "account acme: silent for 21d after 8 events within 30d, the last at 2026-03-02T09:00:00.000Z" */
static void summarise(const struct silence *q, struct alert *a, bool spoke)
{
    char span[DURATION_TEXT_BYTES], within[DURATION_TEXT_BYTES], last[TIME_TEXT_BYTES];
    const char *more = a->count == q->s->counted ? "at least " : "";
    struct buf key;
    buf_init(&key, 600);
    key_prefix(q->in, &key);
    duration_text(q->s->silent_for_ms, span);
    duration_text(q->s->within_ms, within);
    time_text(q->times_n ? last_ms(q) : a->first_seen_ms, last);
    if (a->state == ALERT_FIRING)
        a->summary = judgement_text(
            q->out, "%.*ssilent for %s after %s%lld event%s within %s, the last at %s",
            STR_ARG(buf_str(&key)), span, more, (long long)a->count,
            a->count == 1 ? "" : "s", within, last);
    else
        a->summary =
            judgement_text(q->out, "%.*s%s since %s", STR_ARG(buf_str(&key)),
                           spoke ? "no longer silent, was" : "given up: silent", last);
    buf_deinit(&key);
}

static void tell(struct silence *q, struct alert *a, bool spoke)
{
    summarise(q, a, spoke);
    a->count = q->count;
    a->users = ALERT_NOT_COUNTED;
    alert_name(a, time_cell(q->opened_ms, q->s->silent_for_ms));
    judgement_tell(q->out, a);
}

/* The last five events before the silence. */
static void show_evidence(const struct silence *q, struct alert *a)
{
    size_t from = q->at > ALERT_EVIDENCE_MAX ? q->at - ALERT_EVIDENCE_MAX : 0;
    while (from < q->at && q->members[from].time_ms <= last_ms(q) - q->s->within_ms)
        from++;
    members_describe(q->members + from, NULL, q->at - from, a);
    a->sample = (struct alert_sample){0}; /* nothing broke that one could look at */
}

static void fire(struct silence *q)
{
    q->open = true;
    q->opened_ms = last_ms(q) + q->s->silent_for_ms;
    q->count = (int64_t)q->times_n;
    struct alert a =
        alert_begin(q->in, ALERT_FIRING, q->in->rule->steps[0].severity, q->opened_ms);
    a.count = q->count;
    show_evidence(q, &a);
    a.first_seen_ms = q->times[0];
    a.last_seen_ms = last_ms(q);
    tell(q, &a, false);
}

static void resolve(struct silence *q, int64_t time_ms, bool spoke)
{
    struct alert a =
        alert_begin(q->in, ALERT_RESOLVED, q->in->rule->steps[0].severity, time_ms);
    a.first_seen_ms = q->opened_ms - q->s->silent_for_ms;
    a.last_seen_ms = spoke ? time_ms : a.first_seen_ms;
    tell(q, &a, spoke);
    q->open = false;
}

/* --- the machine --- */

static int64_t given_up_ms(const struct silence *q)
{
    return q->opened_ms + q->s->give_up_after_ms;
}

/* No event came before until_ms. */
static void pass(struct silence *q, int64_t until_ms)
{
    if (!q->open && active(q) && last_ms(q) + q->s->silent_for_ms <= until_ms)
        fire(q);
    if (q->open && given_up_ms(q) <= until_ms) {
        resolve(q, given_up_ms(q), false);
        /* give_up_after is not shorter than within: no window holds them */
        q->times_n = 0;
    }
}

static void settle(struct silence *q)
{
    for (; q->at < q->members_n; q->at++) {
        int64_t time_ms = q->members[q->at].time_ms;
        if (time_ms >= q->in->settled_ms)
            break;
        pass(q, time_ms);
        if (q->open)
            resolve(q, time_ms, true);
        push(q, time_ms);
    }
    pass(q, q->in->watermark_ms);
    bool needless =
        q->times_n && !active(q) && last_ms(q) + q->s->within_ms <= q->in->watermark_ms;
    if (needless && !q->open)
        q->times_n = 0;
}

/* When the earliest silence ends that may be one; what comes until then only makes it later. */
static int64_t due_ms(const struct silence *q)
{
    const struct member *m = q->members + q->at;
    size_t n = q->members_n - q->at;
    if (q->open)
        return n && m[0].time_ms < given_up_ms(q) ? m[0].time_ms + 1 : given_up_ms(q);
    if (n == 0 && q->times_n == 0)
        return NEVER_MS;
    if (n == 0)
        return last_ms(q) + (active(q) ? q->s->silent_for_ms : q->s->within_ms);
    int64_t before_ms = active(q) ? last_ms(q) : m[0].time_ms;
    for (size_t i = 0; i < n && m[i].time_ms - before_ms < q->s->silent_for_ms; i++)
        before_ms = m[i].time_ms;
    return before_ms + q->s->silent_for_ms;
}

/* --- what is kept --- */

static void keep(struct judgement *out, struct member *m, uint32_t weight)
{
    m->weight = weight;
    judgement_keep(out, m);
}

static void keep_evidence(struct silence *q)
{
    size_t from = q->at > ALERT_EVIDENCE_MAX ? q->at - ALERT_EVIDENCE_MAX : 0;
    for (size_t i = from; i < q->at; i++)
        if (q->times_n && q->members[i].time_ms > last_ms(q) - q->s->within_ms)
            keep(q->out, &q->members[i], 0);
}

/* A member that is not settled is needed unless so many come after it that no window which ends at the
 * last event before a silence holds it, and its neighbours alone leave no silence. */
static void keep_unsettled(struct silence *q)
{
    size_t counted = (size_t)q->s->counted;
    int64_t kept_ms = 0;
    for (size_t i = q->at; i < q->members_n; i++) {
        bool drop = i > q->at && i + counted < q->members_n &&
                    q->members[i + counted].time_ms - kept_ms < q->s->silent_for_ms;
        if (drop)
            continue;
        kept_ms = q->members[i].time_ms;
        keep(q->out, &q->members[i], 1);
    }
}

static void quiet_judge(const struct judge_input *in, struct judgement *out)
{
    struct silence q = {.in = in, .s = in->rule->settings, .out = out};
    unpack_state(&q);
    load_members(&q);
    settle(&q);
    out->due_ms = due_ms(&q);
    if (!q.open && q.times_n == 0 && q.at == q.members_n)
        return;
    keep_evidence(&q);
    keep_unsettled(&q);
    for (; q.open && out->kept_n < WAKE_RECORDS; out->kept_n++)
        buf_str16(out->kept, STR_NONE);
    pack_state(&q, out->state);
}

static bool quiet_update(const struct rule *rule, const struct event *event,
                         struct update *out)
{
    const struct quiet_settings *s = rule->settings;
    struct member m;
    member_of_event(event, &m);
    member_pack(&m, out->record);
    out->judge_at = WAKE_RECORDS;
    out->due_ms = event->time_ms + s->silent_for_ms;
    return true;
}

/* --- the settings --- */

static int check_give_up(struct quiet_settings *s, struct err *e)
{
    char wanted[DURATION_TEXT_BYTES], least[DURATION_TEXT_BYTES];
    if (s->give_up_after_ms == 0)
        s->give_up_after_ms = s->within_ms > 90 * DAY_MS ? s->within_ms : 90 * DAY_MS;
    if (s->give_up_after_ms >= s->within_ms)
        return 0;
    duration_text(s->give_up_after_ms, wanted);
    duration_text(s->within_ms, least);
    return err_set(e, ERR_INPUT,
                   "give_up_after: %s is too short: it must be at least after.within: %s",
                   wanted, least);
}

static int quiet_check(struct rule *rule, struct err *e)
{
    struct quiet_settings *s = rule->settings;
    if (check_give_up(s, e) ||
        rule_one_severity(rule, "a silence is one word", SEVERITY_LOW, e))
        return -1;
    s->counted = s->at_least > COUNTED_LEAST ? s->at_least : COUNTED_LEAST;
    rule->lookback_ms = s->within_ms + s->silent_for_ms;
    const int64_t layout[] = {s->within_ms, s->silent_for_ms, s->counted};
    rule->layout = rule_layout("quiet", layout, sizeof layout / sizeof layout[0]);
    return 0;
}

#define AT(member) offsetof(struct quiet_settings, member)
static const struct option_row after_options[] = {
    {.name = "at_least",
     .type = OPTION_INT,
     .offset = AT(at_least),
     .required = true,
     .min = 1,
     .max = 1000,
     .help = "How many events make a key active."},
    {.name = "within",
     .type = OPTION_DURATION,
     .offset = AT(within_ms),
     .required = true,
     .min = 1000,
     .max = YEAR_MS,
     .help = "The time before and with the last event in which they must lie."},
};

static const struct option_row quiet_options[] = {
    {.name = "after",
     OPTION_GROUP_OF(after_options),
     .required = true,
     .help = "What a key must have done before, so that its silence matters."},
    {.name = "silent_for",
     .type = OPTION_DURATION,
     .offset = AT(silent_for_ms),
     .required = true,
     .min = 1000,
     .max = YEAR_MS,
     .help = "How long it says nothing before it fires."},
    {.name = "give_up_after",
     .type = OPTION_DURATION,
     .offset = AT(give_up_after_ms),
     .min = 0,
     .max = YEAR_MS,
     .help = "A key that stays silent for so long after that resolves and is forgotten; "
             "at least after.within; by default 90d, or after.within where that is "
             "longer."},
};

const struct detector quiet_detector = {
    .name = "quiet",
    .help = "A key that was active and then says nothing for a time.",
    .options = quiet_options,
    .options_n = sizeof quiet_options / sizeof quiet_options[0],
    .settings_bytes = sizeof(struct quiet_settings),
    .check = quiet_check,
    .update = quiet_update,
    .judge = quiet_judge,
};

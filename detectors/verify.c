#include "detectors/verify.h"

#include <assert.h>
#include <stdlib.h>

#include "core/timefmt.h"
#include "detectors/judgement.h"
#include "detectors/known_issues.h"
#include "detectors/remind.h"

enum { STATE_MAX_BYTES = 48 << 20, STEP_MAX_BYTES = 2 << 20, DAY_MS = 86400000 };

struct verifier {
    const struct judge_input *in;
    struct judgement *out;
    /* Of each day with events the time of the latest, in order: of those that are settled the last day, and all behind it. */
    int64_t *lasts;
    size_t lasts_n;
    struct str step; /* of the latest episode, as a line; n == 0: there is none */
    bool over;       /* it is its end */
    int64_t opened_ms;
    struct str said; /* the id that was announced; n == 0: the step's */
    int64_t next_ms; /* the midnight to look at next, once it is over */
};

/* --- the state --- */

static void pack(const struct verifier *v, struct buf *out)
{
    buf_u32(out, (uint32_t)v->lasts_n);
    for (size_t i = 0; i < v->lasts_n; i++)
        buf_i64(out, v->lasts[i]);
    buf_u32(out, (uint32_t)v->step.n);
    buf_put(out, v->step);
    buf_u8(out, v->over);
    buf_i64(out, v->opened_ms);
    buf_str16(out, v->said);
    buf_i64(out, v->next_ms);
}

/* Returns the kind's own state, which stands behind. */
static struct str unpack(struct verifier *v)
{
    struct reader r = {.in = v->in->state};
    size_t n = r.in.n ? reader_u32(&r) : 0;
    v->lasts = arena_alloc(v->out->arena, (n + v->in->records_n + 1) * sizeof *v->lasts);
    if (v->in->state.n == 0)
        return STR_NONE;
    for (; v->lasts_n < n; v->lasts_n++)
        v->lasts[v->lasts_n] = reader_i64(&r);
    v->step = reader_bytes(&r, reader_u32(&r));
    v->over = reader_u8(&r);
    v->opened_ms = reader_i64(&r);
    v->said = reader_str16(&r);
    v->next_ms = reader_i64(&r);
    assert(!r.failed);
    return r.in;
}

/* --- when events came --- */

static int64_t midnight_after(int64_t ms)
{
    return (time_cell(ms, DAY_MS) + 1) * DAY_MS;
}

static void note_event(struct verifier *v, int64_t ms)
{
    int64_t day = time_cell(ms, DAY_MS);
    size_t at = v->lasts_n;
    while (at && time_cell(v->lasts[at - 1], DAY_MS) > day)
        at--;
    if (at && time_cell(v->lasts[at - 1], DAY_MS) == day) {
        v->lasts[at - 1] = ms > v->lasts[at - 1] ? ms : v->lasts[at - 1];
        return;
    }
    memmove(v->lasts + at + 1, v->lasts + at, (v->lasts_n - at) * sizeof *v->lasts);
    v->lasts[at] = ms;
    v->lasts_n++;
}

static void note_events(struct verifier *v)
{
    for (size_t i = 0; i < v->in->records_n; i++)
        note_event(v, member_time_ms(v->in->records[i]));
}

/* Days that are settled go, but for the last of an episode that is waited for. */
static void forget_days(struct verifier *v)
{
    size_t settled = 0;
    while (settled < v->lasts_n && midnight_after(v->lasts[settled]) <= v->in->settled_ms)
        settled++;
    if (v->step.n && settled)
        settled--;
    v->lasts_n -= settled;
    memmove(v->lasts, v->lasts + settled, v->lasts_n * sizeof *v->lasts);
}

static int64_t last_before(const struct verifier *v, int64_t midnight_ms)
{
    size_t n = v->lasts_n;
    while (n && v->lasts[n - 1] >= midnight_ms)
        n--;
    assert(n); /* an episode has events */
    return v->lasts[n - 1];
}

/* --- the latest episode --- */

static void read_step(const struct verifier *v, struct alert *out)
{
    struct err e = {0};
    int ok = alert_parse(v->step, v->out->arena, out, &e);
    assert(ok == 0); /* it was written below */
    (void)ok;
}

static void write_step(struct verifier *v, const struct alert *a)
{
    struct buf line;
    buf_init(&line, STEP_MAX_BYTES);
    alert_json(a, true, &line);
    v->step = arena_str(v->out->arena, buf_str(&line));
    buf_deinit(&line);
}

static bool names(const struct alert *a, struct str account)
{
    for (size_t i = 0; i < a->accounts_listed; i++)
        if (str_eq(a->accounts[i].id, account))
            return true;
    return false;
}

/* Those of the steps before, too: of all the ten with the largest MRR. How many there are is known at least. */
static void add_accounts(struct alert *a, const struct alert *before)
{
    struct alert_account all[2 * ALERT_ACCOUNTS_MAX];
    size_t n = a->accounts_listed;
    memcpy(all, a->accounts, n * sizeof *all);
    for (size_t i = 0; i < before->accounts_listed; i++)
        if (!names(a, before->accounts[i].id))
            all[n++] = before->accounts[i];
    qsort(all, n, sizeof *all, alert_account_cmp);
    a->accounts_listed = n < ALERT_ACCOUNTS_MAX ? n : (size_t)ALERT_ACCOUNTS_MAX;
    memcpy(a->accounts, all, a->accounts_listed * sizeof *all);
    if (before->accounts_n > a->accounts_n)
        a->accounts_n = before->accounts_n;
    if ((int64_t)n > a->accounts_n)
        a->accounts_n = (int64_t)n;
}

/* The end says neither what it was nor who met it: the steps before it do. */
static void take_over(struct alert *a, const struct alert *before)
{
    a->sample = before->sample;
    a->evidence_n = before->evidence_n;
    memcpy(a->evidence, before->evidence, sizeof a->evidence);
}

static struct str said_id(const struct verifier *v, int64_t time_ms)
{
    for (size_t i = 0; i < v->out->announced_n; i++) {
        const struct alert *a = &v->out->announced[i];
        if (a->state == ALERT_RESOLVED && a->time_ms == time_ms)
            return arena_str(v->out->arena, str_of(a->id));
    }
    return STR_NONE;
}

static void take_step(struct verifier *v, const struct alert *step)
{
    struct alert a = *step, before = {0};
    if (v->step.n)
        read_step(v, &before);
    add_accounts(&a, &before);
    a.trend.n = 0;
    if (a.state == ALERT_FIRING)
        v->opened_ms = a.time_ms;
    v->over = a.state == ALERT_RESOLVED;
    if (v->over) {
        take_over(&a, &before);
        v->said = said_id(v, a.time_ms);
        v->next_ms = midnight_after(a.time_ms - 1);
    }
    write_step(v, &a);
}

/* --- whether its fix is verified --- */

static void forget(struct verifier *v)
{
    v->step = v->said = STR_NONE;
    v->over = false;
}

static void tell(struct verifier *v, struct alert *a)
{
    char last[TIME_TEXT_BYTES];
    struct buf key;
    buf_init(&key, 600);
    key_prefix(v->in, &key);
    time_text(a->last_seen_ms, last);
    a->summary = judgement_text(v->out, "%.*s%.*s is fixed, and nothing came since %s",
                                STR_ARG(buf_str(&key)), STR_ARG(a->known_issue.id), last);
    buf_deinit(&key);
    judgement_confirm(v->out, a);
    if (v->said.n)
        memcpy(a->id, v->said.p, v->said.n);
    judgement_announce_among(v->out, a);
    forget(v);
}

/* No event came in the time before that midnight. */
static void look_at_issues(struct verifier *v, int64_t midnight_ms, int64_t last_ms)
{
    const struct known_issues *known = v->in->issues;
    struct arena scratch;
    struct alert a;
    v->next_ms = midnight_ms + DAY_MS;
    if (!known) {
        v->out->asks_issues = true;
        return;
    }
    read_step(v, &a);
    a.state = ALERT_VERIFIED;
    a.time_ms = midnight_ms;
    a.last_seen_ms = last_ms;
    a.opened_ms = v->opened_ms;
    arena_init(&scratch);
    known_issues_attach(known->rule, &known->told, &scratch, &a);
    arena_deinit(&scratch);
    if (a.known_issue.fixed && !a.known_issue.regression &&
        a.known_issue.fixed_ms <= midnight_ms - v->in->rule->verify_ms)
        tell(v, &a);
}

static void look(struct verifier *v, int64_t midnight_ms)
{
    int64_t last_ms = last_before(v, midnight_ms);
    int64_t quiet_ms = midnight_ms - v->in->rule->verify_ms;
    if (midnight_ms - last_ms > v->in->rule->issues_ms)
        forget(v);
    else if (last_ms >= quiet_ms)
        v->next_ms = midnight_after(last_ms + v->in->rule->verify_ms);
    else
        look_at_issues(v, midnight_ms, last_ms);
}

/* At each midnight up to that moment. */
static void look_until(struct verifier *v, int64_t end_ms)
{
    while (v->over && v->next_ms <= end_ms)
        look(v, v->next_ms);
}

static void keep(struct verifier *v)
{
    size_t found = v->out->confirmed_n; /* what is told here comes behind them */
    for (size_t i = 0; i < found; i++) {
        struct alert a = v->out->confirmed[i];
        if (a.state == ALERT_REMINDER)
            continue;
        look_until(v, a.time_ms); /* of an episode that is open nothing is due */
        take_step(v, &a);
    }
    look_until(v, v->in->watermark_ms);
    forget_days(v);
    if (v->over && !v->out->asks_issues && v->next_ms < v->out->due_ms)
        v->out->due_ms = v->next_ms;
}

/* --- the kind's own --- */

void verify_judge(const struct judge_input *in, struct judgement *out)
{
    struct verifier v = {.in = in, .out = out};
    struct judge_input own = *in;
    struct buf *whole = out->state, state;
    if (!in->rule->verify_ms) {
        remind_judge(in, out);
        return;
    }
    buf_init(&state, STATE_MAX_BYTES);
    own.state = unpack(&v);
    note_events(&v);
    out->state = &state;
    remind_judge(&own, out);
    out->state = whole;
    keep(&v);
    if (state.n || out->kept_n || v.step.n) {
        pack(&v, whole);
        buf_put(whole, buf_str(&state));
    }
    assert(!state.overflowed);
    buf_deinit(&state);
}

int verify_check(const struct rule *rule, struct err *e)
{
    char wanted[DURATION_TEXT_BYTES], most[DURATION_TEXT_BYTES];
    if (rule->verify_ms >= rule->issues_ms) {
        duration_text(rule->verify_ms, wanted);
        duration_text(rule->issues_ms, most);
        return err_set(e, ERR_INPUT,
                       "%s is too long: what is known of an issue is forgotten after %s "
                       "(known_issues.remember)",
                       wanted, most);
    }
    if (rule->kind == &count_detector || rule->kind == &new_value_detector)
        return 0;
    return err_set(
        e, ERR_INPUT,
        "a rule of kind '%s' does not see that nothing came any more; give the "
        "option to a rule of kind count or new_value that counts the same thing",
        rule->kind->name);
}

/* The kind `ratio`: the share of a key's events that match a condition, for each bucket of event time
 * (docs/rules.md).
 *
 * A bucket is tallied while it is open and judged once, when the watermark has passed its end: nothing is said
 * early and nothing taken back. It is held against a limit, or against the tallies before it, by a test for
 * proportions. Empty buckets are absent. Besides the tallies the first few events of each open bucket are
 * kept, of those that match and of the others, as evidence; their weight is 0 because they are counted. */
#include <assert.h>
#include <math.h>
#include <xxhash.h>

#include "detectors/judgement.h"
#include "detectors/ratio.h"

enum { HISTORY_MOST = 10000 };
/* So many empty buckets end an episode where no history says it. */
enum { SILENT_BUCKETS = 28 };

/* --- what is said --- */

/* The first of the bucket's events on the side that is too many. No more than are kept: how many there are
 * now depends on when this runs. */
static void show_evidence(const struct ratio_closing *c, int64_t cell, bool matching,
                          struct alert *a)
{
    bool *take = arena_alloc(c->out->arena, c->members_n + 1);
    size_t from = 0, to = 0, taken = 0;
    while (from < c->members_n && ratio_cell(c, c->members[from].time_ms) < cell)
        from++;
    for (to = from; to < c->members_n && taken < ALERT_EVIDENCE_MAX; to++) {
        if (ratio_cell(c, c->members[to].time_ms) != cell)
            break;
        take[to - from] = (c->members[to].value == 1) == matching;
        taken += take[to - from];
    }
    members_describe(c->members + from, take, to - from, a);
    a->accounts_n = (int64_t)a->accounts_listed;
}

/* "ticket.team billing: 31 of 120 events within 1d (25.83%), limit 20% (z +1.6)" */
static struct str summary(const struct ratio_closing *c, const struct alert *a)
{
    char bucket[DURATION_TEXT_BYTES];
    const struct alert_anomaly *f = &a->anomaly;
    struct buf key;
    struct str text;
    buf_init(&key, 600);
    if (a->state == ALERT_RESOLVED)
        buf_text(&key, "back to normal: ");
    key_prefix(c->in, &key);
    duration_text(c->settings->bucket_ms * (a->count ? 1 : c->settings->silent_n),
                  bucket);
    if (a->count)
        text = judgement_text(
            c->out, "%.*s%lld of %lld events within %s (%.4g%%), %s %.4g%% (z %+.1f)",
            STR_ARG(buf_str(&key)), (long long)f->matched, (long long)a->count, bucket,
            100 * f->value, f->limit ? "limit" : "expected", 100 * f->mean, f->z);
    else
        text = judgement_text(c->out, "%.*sno events within %s", STR_ARG(buf_str(&key)),
                              bucket);
    buf_deinit(&key);
    return text;
}

static void say(struct ratio_closing *c, enum alert_state state, const struct tally *t,
                const struct alert_anomaly *found)
{
    struct alert a = alert_begin(c->in, state, c->in->rule->steps[0].severity,
                                 ratio_start_ms(c, t->cell + 1));
    a.anomaly = *found;
    a.count = t->n;
    if (state == ALERT_FIRING)
        show_evidence(c, t->cell, found->up, &a);
    a.first_seen_ms = ratio_start_ms(c, t->cell);
    a.last_seen_ms = ratio_start_ms(c, t->cell + 1);
    a.summary = summary(c, &a);
    alert_name(&a, c->opened_cell);
    judgement_tell(c->out, &a);
}

/* --- what is judged --- */

/* Against a limit: the score test. |z| is larger than settings->z exactly where Wilson's interval of the share leaves
 * the limit out (Newcombe 1998, method 3). */
static bool test_limit(const struct ratio_closing *c, const struct tally *t,
                       struct alert_anomaly *f)
{
    const struct ratio_settings *s = c->settings;
    f->limit = true;
    f->mean = s->above > 0 ? s->above : s->below;
    f->stddev = sqrt(f->mean * (1 - f->mean) / (double)t->n);
    f->z = (f->value - f->mean) / f->stddev;
    return true;
}

/* Against the buckets before it, taken together: two proportions with pooled variance (Fleiss, Levin, Paik
 * 2003, 3.1, without the correction for continuity). False: there is too little history. */
static bool test_history(const struct ratio_closing *c, const struct tally *t,
                         struct alert_anomaly *f)
{
    const struct ratio_settings *s = c->settings;
    struct tally before = {0};
    int64_t buckets = 0;
    for (size_t i = (size_t)(t - c->tallies);
         i-- > 0 && c->tallies[i].cell >= t->cell - s->history_n; buckets++) {
        before.n += c->tallies[i].n;
        before.matched += c->tallies[i].matched;
    }
    if (buckets < s->min_history || before.n < s->min_denominator)
        return false;
    double n = (double)t->n, m = (double)before.n;
    double pooled = (double)(t->matched + before.matched) / (n + m);
    f->mean = (double)before.matched / m;
    f->stddev = sqrt(pooled * (1 - pooled) * (1 / n + 1 / m));
    f->z = f->stddev > 0 ? (f->value - f->mean) / f->stddev : 0; /* all match, or none */
    return true;
}

static bool abnormal(const struct ratio_closing *c, const struct alert_anomaly *f)
{
    const struct ratio_settings *s = c->settings;
    bool up = s->history_n ? s->direction != RATIO_DOWN : s->above > 0;
    bool down = s->history_n ? s->direction != RATIO_UP : s->below > 0;
    return (f->up ? up : down) && fabs(f->z) > s->z &&
           fabs(f->value - f->mean) >= s->min_change * f->mean;
}

static void judge_tally(struct ratio_closing *c, const struct tally *t)
{
    struct alert_anomaly f = {.present = true,
                              .value = (double)t->matched / (double)t->n,
                              .bucket_ms = c->settings->bucket_ms,
                              .share = true,
                              .matched = t->matched};
    if (t->n < c->settings->min_denominator ||
        ratio_start_ms(c, t->cell + 1) < c->in->judge_from_ms)
        return;
    if (!(c->settings->history_n ? test_history(c, t, &f) : test_limit(c, t, &f)))
        return;
    f.up = f.value > f.mean;
    bool is = abnormal(c, &f);
    if (c->firing && (!is || c->up != f.up)) {
        say(c, ALERT_RESOLVED, t, &f);
        c->firing = false;
    }
    if (!is || c->firing)
        return;
    c->firing = true;
    c->up = f.up;
    c->opened_cell = t->cell;
    say(c, ALERT_FIRING, t, &f);
}

/* An episode ends when silent_n buckets behind the last closed one are empty and over by then. */
static void end_by_silence(struct ratio_closing *c, int64_t by_ms)
{
    if (!c->firing)
        return;
    assert(c->closed_n);
    struct tally last = {c->tallies[c->closed_n - 1].cell + c->settings->silent_n, 0, 0};
    struct alert_anomaly f = {.present = true,
                              .bucket_ms = c->settings->bucket_ms,
                              .share = true,
                              .limit = !c->settings->history_n};
    if (ratio_start_ms(c, last.cell + 1) > by_ms)
        return;
    say(c, ALERT_RESOLVED, &last, &f);
    c->firing = false;
}

static void close_due(struct ratio_closing *c)
{
    int64_t open_cell = ratio_cell(c, c->in->watermark_ms);
    for (; c->closed_n < c->n && c->tallies[c->closed_n].cell < open_cell;
         c->closed_n++) {
        end_by_silence(c, ratio_start_ms(c, c->tallies[c->closed_n].cell));
        judge_tally(c, &c->tallies[c->closed_n]);
    }
    end_by_silence(c, c->in->watermark_ms);
    if (open_cell > c->closed_to)
        c->closed_to = open_cell;
}

static void ratio_judge(const struct judge_input *in, struct judgement *out)
{
    struct ratio_closing c = {.in = in, .settings = in->rule->settings, .out = out};
    ratio_load(&c);
    close_due(&c);
    ratio_keep(&c);
}

static bool ratio_update(const struct rule *rule, const struct event *event,
                         struct update *out)
{
    const struct ratio_settings *s = rule->settings;
    struct member m;
    member_of_event(event, &m);
    m.value = where_matches(s->match, event);
    member_pack(&m, out->record);
    out->judge_at = UINT32_MAX;
    out->due_ms = (time_cell(event->time_ms, s->bucket_ms) + 1) * s->bucket_ms;
    return true;
}

/* --- its settings --- */

static int check_mode(const struct ratio_settings *s, struct err *e)
{
    int modes = (s->above > 0) + (s->below > 0) + (s->history_ms > 0);
    if (modes != 1)
        return err_set(
            e, ERR_INPUT,
            "needs exactly one of `above`, `below` and `history`: the limit, or how far "
            "back the usual share is looked for");
    if (!s->history_ms &&
        (s->direction != RATIO_BOTH || s->min_change > 0 || s->min_history))
        return err_set(
            e, ERR_INPUT,
            "`direction`, `min_change` and `min_history` belong to `history`; a "
            "limit takes none of them");
    return 0;
}

static int derive_history(struct ratio_settings *s, struct err *e)
{
    s->history_n = s->history_ms / s->bucket_ms;
    s->silent_n = s->history_ms ? s->history_n : SILENT_BUCKETS;
    if (s->history_ms && s->min_history == 0)
        s->min_history = usual_min_history(s->history_n);
    if (s->history_n > HISTORY_MOST)
        return err_set(e, ERR_INPUT,
                       "`history` is %lld times `bucket`; at most %d are kept",
                       (long long)s->history_n, HISTORY_MOST);
    if (s->history_n < s->min_history)
        return err_set(e, ERR_INPUT,
                       "`history` holds %lld buckets, fewer than min_history: %lld; make "
                       "`history` longer or `bucket` shorter",
                       (long long)s->history_n, (long long)s->min_history);
    return 0;
}

static int ratio_check(struct rule *rule, struct err *e)
{
    struct ratio_settings *s = rule->settings;
    if (check_mode(s, e) || derive_history(s, e))
        return -1;
    if (s->z <= 0)
        s->z = s->history_n ? 3 : 2;
    if (rule_one_severity(rule, "a ratio is one word", SEVERITY_LOW, e))
        return -1;
    rule->lookback_ms = (s->history_n + 1) * s->bucket_ms;
    struct str match = where_text(s->match);
    const int64_t layout[] = {s->bucket_ms, s->history_n,
                              (int64_t)XXH3_64bits(match.p, match.n)};
    rule->layout = rule_layout("ratio", layout, sizeof layout / sizeof layout[0]);
    return 0;
}

static const char *const direction_words[] = {"both", "up", "down", NULL};

#define AT(member) offsetof(struct ratio_settings, member)
#define SHARE_LEAST 0.0001
#define SHARE_MOST 0.9999
static const struct option_row ratio_options[] = {
    {.name = "match",
     .type = OPTION_WHERE,
     .offset = AT(match),
     .required = true,
     .help = "Which of the rule's events are counted against all of them."},
    {.name = "bucket",
     .type = OPTION_DURATION,
     .offset = AT(bucket_ms),
     .required = true,
     .min = 60000,
     .max = 7 * 86400000.0,
     .help = "Width of a bucket of event time; buckets begin in UTC."},
    {.name = "min_denominator",
     .type = OPTION_INT,
     .offset = AT(min_denominator),
     .fallback = "50",
     .min = 1,
     .max = 1e9,
     .help = "Events a bucket must hold, and its history, before it is judged."},
    {.name = "above",
     .type = OPTION_PERCENT,
     .offset = AT(above),
     .min = SHARE_LEAST,
     .max = SHARE_MOST,
     .help = "Fires when the share is surely above it."},
    {.name = "below",
     .type = OPTION_PERCENT,
     .offset = AT(below),
     .min = SHARE_LEAST,
     .max = SHARE_MOST,
     .help = "Fires when the share is surely below it."},
    {.name = "history",
     .type = OPTION_DURATION,
     .offset = AT(history_ms),
     .min = 60000,
     .max = 366.0 * 86400000,
     .help = "Instead of a limit: the share of so long before is the usual one."},
    {.name = "z",
     .type = OPTION_NUMBER,
     .offset = AT(z),
     .min = 0.01,
     .max = 100,
     .help = "How many standard errors away is sure; by default 2 for a limit, 3 for a "
             "history."},
    {.name = "direction",
     .type = OPTION_WORD,
     .offset = AT(direction),
     .fallback = "both",
     .words = direction_words,
     .help = "With `history`: which way is abnormal."},
    {.name = "min_history",
     .type = OPTION_INT,
     .offset = AT(min_history),
     .min = 0,
     .max = HISTORY_MOST,
     .help =
         "With `history`: buckets with events that it must have; by default half of what "
         "it can hold, at least 3, at most 24."},
    {.name = "min_change",
     .type = OPTION_PERCENT,
     .offset = AT(min_change),
     .fallback = "0%",
     .min = 0,
     .max = 100,
     .help =
         "With `history`: how far from the usual share it must be, as a share of that."},
};

const struct detector ratio_detector = {
    .name = "ratio",
    .help = "The share of events that match, too high or too low in a bucket of time.",
    .options = ratio_options,
    .options_n = sizeof ratio_options / sizeof ratio_options[0],
    .settings_bytes = sizeof(struct ratio_settings),
    .check = ratio_check,
    .update = ratio_update,
    .judge = ratio_judge,
};

/* The kind `ratio`: the share of a key's events that match a condition, for each bucket of event time
 * (docs/rules.md).
 *
 * A bucket is tallied while it is open and judged once, when the watermark has passed its end: nothing is said
 * early and nothing taken back. It is held against a limit, against the tallies before it, or (ratio_overall.c)
 * against those of all other keys, by a test for proportions. Empty buckets are absent. Besides the tallies the first few events of each open bucket are
 * kept, of those that match and of the others, as evidence; their weight is 0 because they are counted. */
#include <assert.h>
#include <math.h>
#include <xxhash.h>

#include "detectors/judgement.h"
#include "detectors/ratio.h"
#include "detectors/rows.h"

enum {
    HISTORY_MOST = 10000,
    MAX_SEGMENTS_USUAL = 100,
    OVERALL_BUCKET_LEAST_MS = 3600000
};
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

/* The last buckets, as far as a history remembers them, and this one. */
static void show_trend(const struct ratio_closing *c, const struct tally *t,
                       struct alert_trend *out)
{
    int64_t history_n = c->settings->history_n;
    int64_t from =
        t->cell - (history_n < ALERT_TREND_MAX ? history_n : ALERT_TREND_MAX - 1);
    for (size_t i = 0; i < c->n && c->tallies[i].cell <= t->cell; i++) {
        if (c->tallies[i].cell < from)
            continue;
        if (out->n == 0)
            from = c->tallies[i].cell;
        while (from + (int64_t)out->n < c->tallies[i].cell)
            out->values[out->n++] = (double)NAN;
        out->values[out->n++] = (double)c->tallies[i].matched / (double)c->tallies[i].n;
    }
    out->step_ms = c->settings->bucket_ms;
    if (out->n < 2)
        out->n = 0;
}

static void say(struct ratio_closing *c, enum alert_state state, const struct tally *t,
                const struct alert_anomaly *figures)
{
    struct ratio_finding found = {state, *t, c->opened_cell, *figures};
    struct alert a = ratio_alert(c->in, c->out, &found);
    if (t->n)
        show_trend(c, t, &a.trend);
    if (state == ALERT_FIRING) {
        show_evidence(c, t->cell, figures->up, &a);
        a.first_seen_ms = ratio_start_ms(c, t->cell);
    }
    judgement_tell(c->out, &a);
}

/* --- what is judged --- */

/* Against the buckets before it, taken together. False: there is too little history. */
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
    ratio_test_pooled(t, &before, f);
    return true;
}

static void judge_tally(struct ratio_closing *c, const struct tally *t)
{
    struct alert_anomaly f = ratio_figures(c->settings, t);
    if (t->n < c->settings->min_denominator ||
        ratio_start_ms(c, t->cell + 1) < c->in->judge_from_ms)
        return;
    if (f.limit)
        ratio_test_limit(c->settings, t, &f);
    else if (!test_history(c, t, &f))
        return;
    bool is = ratio_abnormal(c->settings, &f);
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
    struct alert_anomaly f = ratio_figures(c->settings, &last);
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
    if (c.settings->against == RATIO_OVERALL) {
        ratio_judge_overall(in, out);
        return;
    }
    ratio_load(&c);
    close_due(&c);
    ratio_keep(&c);
}

/* Which key it is stands in the record where all keys share a window. */
static void put_key(const struct rule *rule, const struct update *out)
{
    size_t begin = buf_str16_begin(out->record);
    for (size_t i = 0; i < rule->by_n; i++)
        buf_str16(out->record, out->key[i]);
    buf_str16_end(out->record, begin);
}

static bool ratio_update(const struct rule *rule, const struct event *event,
                         struct update *out)
{
    const struct ratio_settings *s = rule->settings;
    struct member m;
    member_of_event(event, &m);
    m.value = where_matches(s->match, event);
    if (s->against == RATIO_OVERALL) {
        m.sample = (struct alert_sample){0}; /* there are many keys: keep less of each */
        put_key(rule, out);
    }
    member_pack(&m, out->record);
    out->judge_at = UINT32_MAX;
    out->due_ms = ratio_start_of(s, ratio_cell_of(s, event->time_ms) + 1);
    return true;
}

/* --- its settings --- */

static int check_mode(const struct rule *rule, struct err *e)
{
    const struct ratio_settings *s = rule->settings;
    bool overall = s->against == RATIO_OVERALL, limit = s->above > 0 || s->below > 0;
    if ((s->above > 0) + (s->below > 0) + (s->history_ms > 0) + overall != 1)
        return err_set(
            e, ERR_INPUT,
            "needs exactly one of `above`, `below`, `history` and `against: overall`: "
            "the limit, how far back the usual share is looked for, or the other keys");
    if (limit && (s->direction != RATIO_BOTH || s->min_change > 0))
        return err_set(e, ERR_INPUT,
                       "`direction` and `min_change` belong to `history` and `against: "
                       "overall`; a limit takes none of them");
    if (!s->history_ms && s->min_history)
        return err_set(e, ERR_INPUT, "`min_history` belongs to `history`");
    if (overall && rule->by_n == 0)
        return err_set(e, ERR_INPUT,
                       "`against: overall` holds each key against all the others: the "
                       "rule needs `by`, for example by: [ticket.category]");
    if (overall && calendar_usual_ms(s->bucket_ms) < OVERALL_BUCKET_LEAST_MS)
        return err_set(
            e, ERR_INPUT,
            "`against: overall` needs a `bucket` of at least 1h: all keys of all "
            "buckets that are open lie in one window");
    if (!overall && s->max_segments)
        return err_set(e, ERR_INPUT, "`max_segments` belongs to `against: overall`");
    return 0;
}

static int derive_history(struct ratio_settings *s, struct err *e)
{
    s->history_n = s->history_ms / calendar_usual_ms(s->bucket_ms);
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
    if (check_mode(rule, e) || derive_history(s, e))
        return -1;
    bool limit = s->above > 0 || s->below > 0;
    if (s->z <= 0)
        s->z = limit ? 2 : 3;
    if (s->max_segments == 0)
        s->max_segments = MAX_SEGMENTS_USUAL;
    rule->one_window = s->against == RATIO_OVERALL;
    if (rule_one_severity(rule, "a ratio is one word", SEVERITY_LOW, e))
        return -1;
    rule->lookback_ms = calendar_longest_ms(s->bucket_ms, s->history_n + 1);
    struct str match = where_text(s->match);
    struct str zone = calendar_is_local(s->bucket_ms) ? rule->zone : STR("");
    const int64_t layout[] = {s->bucket_ms,
                              s->history_n,
                              (int64_t)XXH3_64bits(match.p, match.n),
                              (int64_t)XXH3_64bits(zone.p, zone.n),
                              s->max_segments,
                              (int64_t)rule->by_n};
    rule->layout = rule_layout("ratio", layout, rule->one_window ? 6 : 4);
    return 0;
}

static const char *const direction_words[] = {"both", "up", "down", NULL};
static const char *const against_words[] = {"itself", "overall", NULL};

#define AT(member) offsetof(struct ratio_settings, member)
#define SHARE_LEAST 0.0001
#define SHARE_MOST 0.9999
static const struct option_row ratio_options[] = {
    {.name = "match",
     .type = OPTION_WHERE,
     .offset = AT(match),
     .required = true,
     .help = "Which of the rule's events are counted against all of them."},
    BUCKET_ROW(AT(bucket_ms)),
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
     .max = 1096.0 * 86400000,
     .help = "Instead of a limit: the share of so long before is the usual one."},
    {.name = "against",
     .type = OPTION_WORD,
     .offset = AT(against),
     .fallback = "itself",
     .words = against_words,
     .help = "`overall`: each key's share is held against that of all other keys in the "
             "same bucket."},
    {.name = "max_segments",
     .type = OPTION_INT,
     .offset = AT(max_segments),
     .min = 0,
     .max = 1000,
     .help = "With `against: overall`: so many keys of a bucket are held against the "
             "others, by default 100; further ones are counted among the others only."},
    {.name = "z",
     .type = OPTION_NUMBER,
     .offset = AT(z),
     .min = 0.01,
     .max = 100,
     .help = "How many standard errors away is sure; by default 2 for a limit, else "
             "3."},
    {.name = "direction",
     .type = OPTION_WORD,
     .offset = AT(direction),
     .fallback = "both",
     .words = direction_words,
     .help = "Without a limit: which way is abnormal."},
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
         "Without a limit: how far from the usual share it must be, as a share of that."},
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

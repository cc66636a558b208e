/* The kind `anomaly`: a metric of a bucket of event time, against the buckets before it (docs/rules.md).
 *
 * Events are added to their bucket; a bucket is judged once, when the watermark has passed its end: nothing
 * is said early and nothing taken back. What is kept besides the sums are the first few events of each
 * open bucket, as evidence; their weight is 0 because they are counted already. */
#include <math.h>

#include "core/timefmt.h"
#include "detectors/anomaly.h"
#include "detectors/judgement.h"

enum { MILLIONTHS = 1000000 };
static const double FIELD_VALUE_MAX = 1e9; /* beyond it a value is not counted */

struct closing {
    const struct judge_input *in;
    const struct anomaly_settings *settings;
    struct judgement *out;
    struct series series;
    const struct member *members; /* evidence of open buckets, in order */
    size_t members_n;
};

static int64_t end_ms(const struct closing *c, int64_t cell)
{
    return (cell + 1) * c->settings->bucket_ms;
}

/* Evidence of the bucket: members are in order of time, so its first ones stand together. No more than are
 * kept: how many there are now depends on when this runs. */
static void show_evidence(const struct closing *c, int64_t cell, struct alert *a)
{
    size_t from = 0;
    while (from < c->members_n &&
           time_cell(c->members[from].time_ms, c->settings->bucket_ms) < cell)
        from++;
    size_t to = from;
    while (to < c->members_n && to - from < ALERT_EVIDENCE_MAX &&
           time_cell(c->members[to].time_ms, c->settings->bucket_ms) == cell)
        to++;
    members_describe(c->members + from, NULL, to - from, a);
    a->accounts_n = (int64_t)a->accounts_listed;
}

/* "ticket.category login: 61 events within 1h, expected 2.972 (z +21.9)" */
static struct str summary(const struct closing *c, const struct alert *a)
{
    char bucket[DURATION_TEXT_BYTES];
    const struct anomaly_settings *s = c->settings;
    bool mean = s->metric == METRIC_MEAN;
    struct buf key;
    buf_init(&key, 600);
    if (a->state == ALERT_RESOLVED)
        buf_text(&key, "back to normal: ");
    key_prefix(c->in, &key);
    if (mean)
        buf_printf(&key, "%s on average ", event_field_infos[s->field].name);
    duration_text(s->bucket_ms, bucket);
    struct str text = judgement_text(
        c->out, "%.*s%.4g%s within %s, expected %.4g (z %+.1f)", STR_ARG(buf_str(&key)),
        a->anomaly.value, mean ? "" : " events", bucket, a->anomaly.mean, a->anomaly.z);
    buf_deinit(&key);
    return text;
}

static void say(struct closing *c, enum alert_state state, const struct bucket *b,
                const struct alert_anomaly *found)
{
    struct alert a =
        alert_begin(c->in, state, c->in->rule->steps[0].severity, end_ms(c, b->cell));
    a.anomaly = *found;
    a.count = b->n;
    if (state == ALERT_FIRING)
        show_evidence(c, b->cell, &a);
    a.first_seen_ms = b->cell * c->settings->bucket_ms;
    a.last_seen_ms = end_ms(c, b->cell);
    a.summary = summary(c, &a);
    alert_name(&a, c->series.opened_cell);
    judgement_tell(c->out, &a);
}

static bool enough(const struct closing *c, const struct bucket *b,
                   const struct alert_anomaly *f)
{
    double least = (double)c->settings->min_count;
    if (c->settings->metric == METRIC_MEAN)
        return (double)b->n >= least;
    return (f->up ? f->value : f->mean) >= least;
}

static bool abnormal(const struct closing *c, const struct bucket *b,
                     const struct alert_anomaly *f)
{
    const struct anomaly_settings *s = c->settings;
    if (s->direction == DIRECTION_UP && !f->up)
        return false;
    if (s->direction == DIRECTION_DOWN && f->up)
        return false;
    return fabs(f->z) >= s->z &&
           fabs(f->value - f->mean) >= s->min_change * fabs(f->mean) && enough(c, b, f);
}

static void set_episode(struct closing *c, const struct bucket *b,
                        const struct alert_anomaly *f)
{
    bool is = abnormal(c, b, f);
    if (c->series.firing && (!is || c->series.up != f->up)) {
        say(c, ALERT_RESOLVED, b, f);
        c->series.firing = false;
    }
    if (!is || c->series.firing)
        return;
    c->series.firing = true;
    c->series.up = f->up;
    c->series.opened_cell = b->cell;
    say(c, ALERT_FIRING, b, f);
}

static void judge_bucket(struct closing *c, const struct bucket *b, double value)
{
    size_t least = (size_t)c->settings->min_history;
    if (isnan(value) || c->series.values_n < least ||
        end_ms(c, b->cell) < c->in->judge_from_ms)
        return;
    struct baseline base = series_baseline(&c->series, b->cell, c->settings);
    if (base.n < least)
        return;
    struct alert_anomaly f = {.present = true,
                              .value = value,
                              .mean = base.mean,
                              .stddev = base.stddev,
                              .z = (value - base.mean) / base.stddev,
                              .up = value > base.mean,
                              .bucket_ms = c->settings->bucket_ms};
    set_episode(c, b, &f);
}

static void close_bucket(struct closing *c)
{
    struct bucket b = series_close(&c->series);
    double value = (double)b.n;
    if (c->settings->metric == METRIC_MEAN)
        value = b.n ? (double)b.sum / (double)MILLIONTHS / (double)b.n : (double)NAN;
    judge_bucket(c, &b, value);
    series_remember(&c->series, value, c->settings->history_n,
                    c->settings->metric == METRIC_COUNT);
}

/* The history is full of nothing: forget it, so that a key gone for ever costs nothing. */
static void forget(struct closing *c)
{
    if (c->series.firing) {
        struct bucket b = {.cell = c->series.next_cell - 1};
        struct alert_anomaly f = {.present = true, .bucket_ms = c->settings->bucket_ms};
        say(c, ALERT_RESOLVED, &b, &f);
    }
    c->series.firing = c->series.started = false;
}

static void close_due(struct closing *c)
{
    struct series *s = &c->series;
    for (;;) {
        if (s->started && s->values_n == 0)
            forget(c);
        if (!s->started && s->open_n == 0)
            return;
        if (!s->started)
            s->next_cell = s->open[0].cell;
        if (end_ms(c, s->next_cell) > c->in->watermark_ms)
            return;
        s->started = true;
        close_bucket(c);
    }
}

/* Adds what is new to its bucket. Returns all members, in order. */
static struct member *add_records(struct closing *c)
{
    const struct judge_input *in = c->in;
    struct member *members =
        members_load(in->records, in->records_n, c->out->arena, &c->members_n);
    for (size_t i = 0; i < c->members_n; i++)
        if (members[i].weight)
            series_add(&c->series, time_cell(members[i].time_ms, c->settings->bucket_ms),
                       members[i].weight, members[i].value);
    return members;
}

/* The first few members of each bucket that is still open. */
static void keep_evidence(struct closing *c, struct member *members)
{
    int64_t cell = INT64_MIN, of_cell = 0;
    for (size_t i = 0; i < c->members_n; i++) {
        int64_t at = time_cell(members[i].time_ms, c->settings->bucket_ms);
        if (end_ms(c, at) <= c->in->watermark_ms)
            continue;
        of_cell = at == cell ? of_cell + 1 : 1;
        cell = at;
        if (of_cell > ALERT_EVIDENCE_MAX)
            continue;
        members[i].weight = 0;
        judgement_keep(c->out, &members[i]);
    }
}

static void anomaly_judge(const struct judge_input *in, struct judgement *out)
{
    struct closing c = {.in = in, .settings = in->rule->settings, .out = out};
    series_unpack(in->state, c.settings->history_n, in->records_n, out->arena, &c.series);
    struct member *members = add_records(&c);
    c.members = members;
    close_due(&c);
    keep_evidence(&c, members);
    if (!c.series.started && c.series.open_n == 0)
        return;
    out->due_ms =
        end_ms(&c, c.series.started ? c.series.next_cell : c.series.open[0].cell);
    series_pack(&c.series, out->state);
}

static bool anomaly_update(const struct rule *rule, const struct event *event,
                           struct update *out)
{
    const struct anomaly_settings *s = rule->settings;
    struct member m;
    member_of_event(event, &m);
    if (s->metric == METRIC_MEAN) {
        const struct value *v = &event->fields[s->field];
        if (v->type != VALUE_NUMBER || !(fabs(v->number) <= FIELD_VALUE_MAX))
            return false;
        m.value = llround(v->number * (double)MILLIONTHS);
    }
    member_pack(&m, out->record);
    out->judge_at = UINT32_MAX;
    out->due_ms = (time_cell(event->time_ms, s->bucket_ms) + 1) * s->bucket_ms;
    return true;
}

/* How many values the baseline of one bucket can hold. */
static int64_t season_values(const struct anomaly_settings *s)
{
    static const int64_t divisor[] = {1, 24, 168};
    return (int64_t)s->history_n / divisor[s->season];
}

static int check_fields(const struct anomaly_settings *s, struct err *e)
{
    if (s->metric == METRIC_MEAN && s->field >= FIELD_COUNT)
        return err_set(e, ERR_INPUT,
                       "metric: mean needs `field`, the number to average, for example "
                       "field: ticket.csat");
    if (s->metric == METRIC_COUNT && s->field < FIELD_COUNT)
        return err_set(e, ERR_INPUT,
                       "metric: count takes no `field` (metric: mean does)");
    if (s->season != SEASON_NONE && 3600000 % s->bucket_ms != 0)
        return err_set(
            e, ERR_INPUT,
            "a season of hours needs a `bucket` of 1h, or one that divides it");
    return 0;
}

static int anomaly_check(struct rule *rule, struct err *e)
{
    struct anomaly_settings *s = rule->settings;
    if (check_fields(s, e))
        return -1;
    s->history_n = (size_t)(s->history_ms / s->bucket_ms);
    int64_t most = season_values(s);
    if (s->min_history == 0)
        s->min_history = usual_min_history(most);
    if (s->history_n > 10000)
        return err_set(e, ERR_INPUT,
                       "`history` is %zu times `bucket`; at most 10000 are kept",
                       s->history_n);
    if (most < s->min_history)
        return err_set(e, ERR_INPUT,
                       "`history` holds %lld values for a baseline, fewer than "
                       "min_history: %lld; make "
                       "`history` longer or `bucket` shorter",
                       (long long)most, (long long)s->min_history);
    if (rule_one_severity(rule, "an anomaly is one word", SEVERITY_LOW, e))
        return -1;
    rule->lookback_ms = (int64_t)(s->history_n + 1) * s->bucket_ms;
    const int64_t layout[] = {s->metric, s->field, s->bucket_ms};
    rule->layout = rule_layout("anomaly", layout, sizeof layout / sizeof layout[0]);
    return 0;
}

static const char *const metric_words[] = {"count", "mean", NULL};
static const char *const season_words[] = {"none", "hour_of_day", "hour_of_week", NULL};
static const char *const direction_words[] = {"up", "down", "both", NULL};

#define AT(member) offsetof(struct anomaly_settings, member)
#define YEAR_MS (366.0 * 86400000)
static const struct option_row anomaly_options[] = {
    {.name = "metric",
     .type = OPTION_WORD,
     .offset = AT(metric),
     .required = true,
     .words = metric_words,
     .help = "The number of events in a bucket, or the mean of a field."},
    {.name = "field",
     .type = OPTION_FIELD,
     .offset = AT(field),
     .help = "The number to average, for metric: mean."},
    {.name = "bucket",
     .type = OPTION_DURATION,
     .offset = AT(bucket_ms),
     .required = true,
     .min = 60000,
     .max = 7 * 86400000.0,
     .help = "Width of a bucket of event time."},
    {.name = "history",
     .type = OPTION_DURATION,
     .offset = AT(history_ms),
     .required = true,
     .min = 60000,
     .max = YEAR_MS,
     .help = "How far back the baseline looks."},
    {.name = "season",
     .type = OPTION_WORD,
     .offset = AT(season),
     .fallback = "none",
     .words = season_words,
     .help = "Compare only with the same hour of the day or of the week, in time.zone."},
    {.name = "z",
     .type = OPTION_NUMBER,
     .offset = AT(z),
     .fallback = "3",
     .min = 1,
     .max = 100,
     .help = "How many standard deviations away from the mean is abnormal."},
    {.name = "direction",
     .type = OPTION_WORD,
     .offset = AT(direction),
     .fallback = "both",
     .words = direction_words,
     .help = "Which way is abnormal."},
    {.name = "min_history",
     .type = OPTION_INT,
     .offset = AT(min_history),
     .min = 0,
     .max = 10000,
     .help = "Values a baseline needs before anything is judged; by default half of what "
             "`history` can "
             "hold, at least 3, at most 24."},
    {.name = "min_count",
     .type = OPTION_INT,
     .offset = AT(min_count),
     .fallback = "10",
     .min = 0,
     .max = 1e9,
     .help = "Events a bucket must hold (upwards, and for a mean) or be expected to hold "
             "(downwards)."},
    {.name = "min_change",
     .type = OPTION_PERCENT,
     .offset = AT(min_change),
     .fallback = "0%",
     .min = 0,
     .max = 100,
     .help = "How far from the mean it must be, as a share of the mean."},
};

const struct detector anomaly_detector = {
    .name = "anomaly",
    .help = "A metric of a bucket of time, far from the buckets before it (z-score).",
    .options = anomaly_options,
    .options_n = sizeof anomaly_options / sizeof anomaly_options[0],
    .settings_bytes = sizeof(struct anomaly_settings),
    .check = anomaly_check,
    .update = anomaly_update,
    .judge = anomaly_judge,
};

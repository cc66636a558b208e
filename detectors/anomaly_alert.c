/* What the anomaly kind says of a bucket. */
#include <math.h>

#include "detectors/anomaly.h"
#include "detectors/judgement.h"

/* The first events of the bucket: members are in order of time, so they stand together. No more than are
 * kept: how many there are now depends on when this runs. */
static void show_evidence(const struct anomaly_closing *c, int64_t cell, struct alert *a)
{
    int64_t begin_ms = calendar_start_ms(c->settings->bucket_ms, cell);
    int64_t end_ms = anomaly_end_ms(c, cell);
    size_t from = 0;
    while (from < c->members_n && c->members[from].time_ms < begin_ms)
        from++;
    size_t to = from;
    while (to < c->members_n && to - from < ALERT_EVIDENCE_MAX &&
           c->members[to].time_ms < end_ms)
        to++;
    members_describe(c->members + from, NULL, to - from, a);
    a->accounts_n = (int64_t)a->accounts_listed;
}

/* The last closed buckets, and this one. */
static void show_trend(const struct anomaly_closing *c, struct alert *a)
{
    const struct series *s = &c->series;
    size_t n = s->values_n < ALERT_TREND_MAX ? s->values_n : ALERT_TREND_MAX - 1;
    if (n == 0)
        return;
    memcpy(a->trend.values, s->values + s->values_n - n, n * sizeof *s->values);
    a->trend.values[n] = a->anomaly.value;
    a->trend.n = n + 1;
    a->trend.step_ms = c->settings->bucket_ms;
}

static void put_number(double v, struct buf *out)
{
    buf_printf(out, fabs(v) < 1000 ? "%.4g" : "%.0f", v);
}

/* "61 events", "ticket.csat 2.4 on average", "12.5% of 80 events" */
static void put_value(const struct anomaly_settings *s, const struct alert *a,
                      struct buf *out)
{
    static const char *const kinds[] = {
        [METRIC_COUNT] = "events",    [METRIC_SUM] = "in all",
        [METRIC_MEAN] = "on average", [METRIC_RATIO] = "",
        [METRIC_P50] = "as a median", [METRIC_P90] = "as the 90th percentile"};
    if (s->metric == METRIC_RATIO) {
        buf_printf(out, "%.4g%% of %lld events", 100 * a->anomaly.value,
                   (long long)a->count);
        return;
    }
    if (s->field < FIELD_COUNT)
        buf_printf(out, "%s ", event_field_infos[s->field].name);
    put_number(a->anomaly.value, out);
    buf_printf(out, " %s",
               a->count == 1 && s->metric == METRIC_COUNT ? "event" : kinds[s->metric]);
}

static void put_range(const struct alert_anomaly *f, struct buf *out)
{
    double scale = f->share ? 100 : 1;
    buf_text(out, ", before that ");
    put_number(scale * f->lowest, out);
    buf_text(out, " to ");
    put_number(scale * f->highest, out);
    buf_text(out, f->share ? "%" : "");
}

/* "ticket.category login: 61 events within 1h, expected 2.972 (z +21.9)" */
static struct str summary(const struct anomaly_closing *c, const struct alert *a)
{
    char bucket[CALENDAR_TEXT_BYTES];
    const struct anomaly_settings *s = c->settings;
    bool share = s->metric == METRIC_RATIO;
    struct buf text;
    buf_init(&text, 1500);
    if (a->state == ALERT_RESOLVED)
        buf_text(&text, "back to normal: ");
    key_prefix(c->in, &text);
    put_value(s, a, &text);
    buf_printf(&text, " within %s%.*s, expected ",
               s->bucket_ms == CALENDAR_MONTH ? "a " : "",
               STR_ARG(calendar_text(s->bucket_ms, bucket)));
    put_number((share ? 100 : 1) * a->anomaly.mean, &text);
    buf_printf(&text, "%s (z %+.1f)", share ? "%" : "", a->anomaly.z);
    if (a->anomaly.novelty)
        put_range(&a->anomaly, &text);
    anomaly_put_contributors(a, &text);
    struct str made = arena_str(c->out->arena, buf_str(&text));
    buf_deinit(&text);
    return made;
}

void anomaly_say(struct anomaly_closing *c, enum alert_state state,
                 const struct bucket *b, const struct alert_anomaly *found)
{
    struct alert a = alert_begin(c->in, state, c->in->rule->steps[0].severity,
                                 anomaly_end_ms(c, b->cell));
    a.anomaly = *found;
    a.count = b->n;
    show_trend(c, &a);
    if (state == ALERT_FIRING) {
        show_evidence(c, b->cell, &a);
        anomaly_contributors(c, b, &a);
    }
    a.first_seen_ms = calendar_start_ms(c->settings->bucket_ms, b->cell);
    a.last_seen_ms = a.time_ms;
    a.summary = summary(c, &a);
    alert_name(&a, c->series.opened_cell);
    judgement_tell(c->out, &a);
}

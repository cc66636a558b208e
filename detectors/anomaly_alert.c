/* What the anomaly kind says of a bucket. */
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

/* "ticket.category login: 61 events within 1h, expected 2.972 (z +21.9)" */
static struct str summary(const struct anomaly_closing *c, const struct alert *a)
{
    char bucket[CALENDAR_TEXT_BYTES];
    const struct anomaly_settings *s = c->settings;
    bool mean = s->metric == METRIC_MEAN;
    struct buf key;
    buf_init(&key, 600);
    if (a->state == ALERT_RESOLVED)
        buf_text(&key, "back to normal: ");
    key_prefix(c->in, &key);
    if (mean)
        buf_printf(&key, "%s on average ", event_field_infos[s->field].name);
    struct str text = judgement_text(
        c->out, "%.*s%.4g%s within %s%.*s, expected %.4g (z %+.1f)",
        STR_ARG(buf_str(&key)), a->anomaly.value, mean ? "" : " events",
        s->bucket_ms == CALENDAR_MONTH ? "a " : "",
        STR_ARG(calendar_text(s->bucket_ms, bucket)), a->anomaly.mean, a->anomaly.z);
    buf_deinit(&key);
    return text;
}

void anomaly_say(struct anomaly_closing *c, enum alert_state state,
                 const struct bucket *b, const struct alert_anomaly *found)
{
    struct alert a = alert_begin(c->in, state, c->in->rule->steps[0].severity,
                                 anomaly_end_ms(c, b->cell));
    a.anomaly = *found;
    a.count = b->n;
    if (state == ALERT_FIRING)
        show_evidence(c, b->cell, &a);
    a.first_seen_ms = calendar_start_ms(c->settings->bucket_ms, b->cell);
    a.last_seen_ms = a.time_ms;
    a.summary = summary(c, &a);
    alert_name(&a, c->series.opened_cell);
    judgement_tell(c->out, &a);
}

/* An alert as one line of JSON (DESIGN 2), members in a fixed order.
 * What is empty or unknown is left out. Ids and the key are written whole up to a wide
 * ceiling; what is for people is cut, so that one event with a huge message makes no huge
 * record. Numbers are rounded to 4 decimals and written in their shortest form: the last
 * bits of a mean may differ from machine to machine, the record must not. The opposite is
 * alert_parse.c. */
#include "core/alert.h"

#include "core/calendar.h"
#include "core/json_out.h"

enum {
    ID_BYTES = 512,
    NAME_BYTES = 256,
    PROSE_BYTES = 2048, /* summary, URL, message, subject */
    KEY_BYTES = 65535,  /* what a packed record holds (buf_str16) */
};

static const char *const state_names[ALERT_STATES] = {"firing", "escalated", "reminder",
                                                      "resolved", "verified"};
static const char *const severity_names[SEVERITIES] = {"low", "medium", "high",
                                                       "critical"};

const char *alert_state_name(enum alert_state s)
{
    return state_names[s];
}

const char *severity_name(enum severity s)
{
    return severity_names[s];
}

bool severity_named(struct str name, enum severity *s)
{
    for (int i = 0; i < SEVERITIES; i++)
        if (str_is(name, severity_names[i])) {
            *s = (enum severity)i;
            return true;
        }
    return false;
}

struct str alert_key(const struct alert *a, struct str name)
{
    for (size_t i = 0; i < a->keys_n; i++)
        if (str_eq(a->key_names[i], name))
            return a->key_values[i];
    return STR_NONE;
}

static void put_key(struct buf *out, const struct alert *a)
{
    json_out_begin(out, "key", '{');
    for (size_t i = 0; i < a->keys_n; i++) {
        json_out_next(out);
        json_out_string(out, a->key_names[i], KEY_BYTES);
        buf_char(out, ':');
        json_out_string(out, a->key_values[i], KEY_BYTES);
    }
    buf_char(out, '}');
}

static void put_account(struct buf *out, const struct alert_account *account)
{
    json_out_begin(out, NULL, '{');
    json_out_some(out, "id", account->id, ID_BYTES);
    json_out_some(out, "name", account->name, NAME_BYTES);
    json_out_some(out, "tier", account->tier, NAME_BYTES);
    if (account->mrr != 0)
        json_out_number(out, "mrr", account->mrr);
    json_out_some(out, "renewal", account->renewal, NAME_BYTES);
    json_out_some(out, "owner", account->owner, ID_BYTES);
    buf_char(out, '}');
}

static void put_accounts(struct buf *out, const struct alert *a)
{
    if (a->accounts_listed) {
        json_out_begin(out, "accounts", '[');
        for (size_t i = 0; i < a->accounts_listed; i++)
            put_account(out, &a->accounts[i]);
        buf_char(out, ']');
    }
    if (a->accounts_n > (int64_t)a->accounts_listed)
        json_out_int(out, "accounts_total", a->accounts_n);
}

static void put_trend(struct buf *out, const struct alert_trend *trend)
{
    char step[CALENDAR_TEXT_BYTES];
    if (!trend->n)
        return;
    json_out_begin(out, "trend", '{');
    json_out_text(out, "step", calendar_text(trend->step_ms, step), NAME_BYTES);
    json_out_begin(out, "values", '[');
    for (size_t i = 0; i < trend->n; i++) {
        json_out_next(out);
        json_out_value(out, trend->values[i]);
    }
    buf_text(out, "]}");
}

static void put_evidence_one(struct buf *out, const struct alert_evidence *evidence,
                             bool positions)
{
    json_out_begin(out, NULL, '{');
    json_out_some(out, "event", evidence->event, ID_BYTES);
    json_out_some(out, "ticket", evidence->ticket, ID_BYTES);
    json_out_some(out, "user", evidence->user, ID_BYTES);
    json_out_some(out, "account", evidence->account, ID_BYTES);
    json_out_time(out, "time", evidence->time_ms);
    if (positions && evidence->partition >= 0) {
        json_out_int(out, "partition", evidence->partition);
        json_out_int(out, "offset", evidence->offset);
    }
    buf_char(out, '}');
}

static void put_evidence(struct buf *out, const struct alert *a, bool positions)
{
    if (!a->evidence_n)
        return;
    json_out_begin(out, "evidence", '[');
    for (size_t i = 0; i < a->evidence_n; i++)
        put_evidence_one(out, &a->evidence[i], positions);
    buf_char(out, ']');
}

static void put_sample(struct buf *out, const struct alert_sample *sample)
{
    size_t before = out->n;
    json_out_begin(out, "sample", '{');
    size_t empty = out->n;
    json_out_some(out, "page_url", sample->page_url, PROSE_BYTES);
    json_out_some(out, "action", sample->action, NAME_BYTES);
    json_out_some(out, "error_type", sample->error_type, NAME_BYTES);
    json_out_some(out, "error_code", sample->error_code, NAME_BYTES);
    json_out_some(out, "error_message", sample->error_message, PROSE_BYTES);
    json_out_some(out, "subject", sample->subject, PROSE_BYTES);
    json_out_some(out, "version", sample->version, NAME_BYTES);
    if (out->n == empty)
        out->n = before;
    else
        buf_char(out, '}');
}

static void put_anomaly(struct buf *out, const struct alert_anomaly *anomaly)
{
    char bucket[CALENDAR_TEXT_BYTES];
    if (!anomaly->present)
        return;
    json_out_number(out, "value", anomaly->value);
    json_out_number(out, "mean", anomaly->mean);
    json_out_number(out, "stddev", anomaly->stddev);
    json_out_number(out, "z", anomaly->z);
    json_out_word(out, "direction", anomaly->up ? "up" : "down");
    json_out_text(out, "bucket", calendar_text(anomaly->bucket_ms, bucket), NAME_BYTES);
    if (anomaly->novelty) {
        json_out_number(out, "lowest", anomaly->lowest);
        json_out_number(out, "highest", anomaly->highest);
        json_out_number(out, "score", anomaly->score);
    }
    if (!anomaly->share)
        return;
    json_out_int(out, "matched", anomaly->matched);
    json_out_word(out, "against",
                  anomaly->limit     ? "limit"
                  : anomaly->overall ? "overall"
                                     : "history");
}

static void put_health(struct buf *out, const struct alert_health *health)
{
    if (!health->present)
        return;
    json_out_number(out, "score", health->score);
    json_out_number(out, "weight", health->weight);
    json_out_begin(out, "components", '[');
    for (size_t i = 0; i < health->components_n; i++) {
        const struct alert_component *c = &health->components[i];
        json_out_begin(out, NULL, '{');
        json_out_some(out, "name", c->name, NAME_BYTES);
        json_out_number(out, "points", c->points);
        json_out_some(out, "reason", c->reason, PROSE_BYTES);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static void put_contributors(struct buf *out, const struct alert *a)
{
    if (!a->contributors_n)
        return;
    json_out_begin(out, "contributors", '[');
    for (size_t i = 0; i < a->contributors_n; i++) {
        json_out_begin(out, NULL, '{');
        json_out_some(out, "field", a->contributors[i].field, NAME_BYTES);
        json_out_some(out, "value", a->contributors[i].value, NAME_BYTES);
        json_out_number(out, "share", a->contributors[i].share);
        json_out_number(out, "usual", a->contributors[i].usual);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static void put_releases(struct buf *out, const struct alert *a)
{
    if (!a->releases_n)
        return;
    json_out_begin(out, "releases", '[');
    for (size_t i = 0; i < a->releases_n; i++) {
        json_out_begin(out, NULL, '{');
        json_out_some(out, "version", a->releases[i].version, NAME_BYTES);
        json_out_some(out, "service", a->releases[i].service, NAME_BYTES);
        json_out_some(out, "url", a->releases[i].url, PROSE_BYTES);
        json_out_time(out, "time", a->releases[i].time_ms);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static void put_known_issue(struct buf *out, const struct alert_known_issue *issue)
{
    if (!issue->id.n)
        return;
    json_out_begin(out, "known_issue", '{');
    json_out_some(out, "id", issue->id, ID_BYTES);
    json_out_some(out, "title", issue->title, PROSE_BYTES);
    json_out_some(out, "workaround", issue->workaround, PROSE_BYTES);
    json_out_some(out, "url", issue->url, PROSE_BYTES);
    json_out_word(out, "status", issue->fixed ? "fixed" : "open");
    if (issue->muted)
        json_out_true(out, "muted");
    if (issue->fixed)
        json_out_time(out, "fixed", issue->fixed_ms);
    if (issue->regression)
        json_out_true(out, "regression");
    buf_char(out, '}');
}

static void put_silenced(struct buf *out, const struct alert_silenced *s)
{
    if (!s->maintenance.n)
        return;
    json_out_begin(out, "silenced_by", '{');
    json_out_some(out, "maintenance", s->maintenance, NAME_BYTES);
    json_out_some(out, "author", s->author, PROSE_BYTES);
    json_out_some(out, "reason", s->reason, PROSE_BYTES);
    buf_char(out, '}');
}

static void put_hidden(struct buf *out, const struct alert *a)
{
    if (a->hidden_by.inhibit.n) {
        json_out_begin(out, "hidden_by", '{');
        json_out_some(out, "inhibit", a->hidden_by.inhibit, NAME_BYTES);
        json_out_some(out, "rule", a->hidden_by.rule, NAME_BYTES);
        json_out_some(out, "id", a->hidden_by.id, ID_BYTES);
        buf_char(out, '}');
    }
    if (!a->hidden_listed)
        return;
    json_out_begin(out, "hides", '[');
    for (size_t i = 0; i < a->hidden_listed; i++) {
        json_out_begin(out, NULL, '{');
        json_out_some(out, "rule", a->hidden[i].rule, NAME_BYTES);
        json_out_some(out, "id", a->hidden[i].id, ID_BYTES);
        json_out_some(out, "about", a->hidden[i].about, NAME_BYTES);
        buf_char(out, '}');
    }
    buf_char(out, ']');
    if (a->hidden_n > (int64_t)a->hidden_listed)
        json_out_int(out, "hides_total", a->hidden_n);
}

void alert_json(const struct alert *a, bool positions, struct buf *out)
{
    buf_char(out, '{');
    json_out_word(out, "id", a->id);
    json_out_text(out, "rule", a->rule, NAME_BYTES);
    json_out_text(out, "kind", a->kind, NAME_BYTES);
    json_out_word(out, "state", state_names[a->state]);
    json_out_word(out, "severity", severity_names[a->severity]);
    json_out_time(out, "time", a->time_ms);
    if (a->reminder) {
        json_out_int(out, "reminder", a->reminder);
        json_out_time(out, "opened", a->opened_ms);
    }
    put_key(out, a);
    json_out_some(out, "summary", a->summary, PROSE_BYTES);
    json_out_int(out, "count", a->count);
    if (a->estimated)
        json_out_true(out, "count_estimated");
    if (!alert_is_over(a) && !a->anomaly.present && a->users >= 0)
        json_out_int(out, "users", a->users);
    put_accounts(out, a);
    json_out_time(out, "first_seen", a->first_seen_ms);
    json_out_time(out, "last_seen", a->last_seen_ms);
    put_trend(out, &a->trend);
    put_evidence(out, a, positions);
    put_sample(out, &a->sample);
    put_anomaly(out, &a->anomaly);
    put_contributors(out, a);
    put_health(out, &a->health);
    put_releases(out, a);
    put_known_issue(out, &a->known_issue);
    put_silenced(out, &a->silenced);
    put_hidden(out, a);
    buf_char(out, '}');
}

/* An alert as one line of JSON (DESIGN 2), built with jansson, members in a fixed order.
 * What is empty or unknown is left out. Ids and the key are written whole up to a wide
 * ceiling; what is for people is cut, so that one event with a huge message makes no huge
 * record. Numbers are rounded to 4 decimals and written in their shortest form: the last
 * bits of a mean may differ from machine to machine, the record must not. The opposite is
 * alert_parse.c. */
#include "core/alert.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "core/calendar.h"
#include "core/utf8.h"

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

/* Out of memory is the only way to fail. */
static void put(json_t *object, const char *name, json_t *value)
{
    int rc = json_object_set_new_nocheck(object, name, value);
    assert(rc == 0);
    (void)rc;
}

/* Texts were validated where they came in; if one is broken all the same, it is not
 * passed on. */
static json_t *text(struct str s, size_t max_bytes)
{
    struct str cut = utf8_cut(s, max_bytes);
    json_t *t = json_stringn(cut.n ? cut.p : "", cut.n);
    return t ? t : json_string("\xEF\xBF\xBD");
}

static void put_text(json_t *object, const char *name, struct str s, size_t max_bytes)
{
    if (s.n)
        put(object, name, text(s, max_bytes));
}

static void put_word(json_t *object, const char *name, const char *word)
{
    put(object, name, json_string_nocheck(word));
}

static void put_int(json_t *object, const char *name, int64_t v)
{
    put(object, name, json_integer(v));
}

static void put_time(json_t *object, const char *name, int64_t ms)
{
    char out[TIME_TEXT_BYTES];
    struct str s = time_text(ms, out);
    put(object, name, json_stringn_nocheck(s.p, s.n));
}

/* Dumped with 15 significant digits, which give 4 decimals back exactly up to 10^11. */
static json_t *number(double v)
{
    if (!isfinite(v))
        return json_null();
    double rounded = fabs(v) < 1e11 ? round(v * 1e4) / 1e4 : v;
    bool whole = fabs(rounded) < 0x1p53 && rounded == trunc(rounded);
    return whole ? json_integer((json_int_t)rounded) : json_real(rounded);
}

static void put_number(json_t *object, const char *name, double v)
{
    if (isfinite(v))
        put(object, name, number(v));
}

static json_t *key_object(const struct alert *a)
{
    json_t *o = json_object();
    for (size_t i = 0; i < a->keys_n; i++) {
        int rc = json_object_setn_new(o, a->key_names[i].p, a->key_names[i].n,
                                      text(a->key_values[i], KEY_BYTES));
        assert(rc == 0);
        (void)rc;
    }
    return o;
}

static json_t *account_object(const struct alert_account *account)
{
    json_t *o = json_object();
    put_text(o, "id", account->id, ID_BYTES);
    put_text(o, "name", account->name, NAME_BYTES);
    put_text(o, "tier", account->tier, NAME_BYTES);
    if (account->mrr != 0)
        put_number(o, "mrr", account->mrr);
    put_text(o, "renewal", account->renewal, NAME_BYTES);
    put_text(o, "owner", account->owner, ID_BYTES);
    return o;
}

static void put_accounts(json_t *line, const struct alert *a)
{
    if (a->accounts_listed) {
        json_t *list = json_array();
        for (size_t i = 0; i < a->accounts_listed; i++)
            json_array_append_new(list, account_object(&a->accounts[i]));
        put(line, "accounts", list);
    }
    if (a->accounts_n > (int64_t)a->accounts_listed)
        put_int(line, "accounts_total", a->accounts_n);
}

static void put_trend(json_t *line, const struct alert_trend *trend)
{
    char out[CALENDAR_TEXT_BYTES];
    if (!trend->n)
        return;
    json_t *o = json_object(), *list = json_array();
    struct str step = calendar_text(trend->step_ms, out);
    put(o, "step", json_stringn_nocheck(step.p, step.n));
    for (size_t i = 0; i < trend->n; i++)
        json_array_append_new(list, number(trend->values[i]));
    put(o, "values", list);
    put(line, "trend", o);
}

static json_t *evidence_object(const struct alert_evidence *evidence, bool positions)
{
    json_t *o = json_object();
    put_text(o, "event", evidence->event, ID_BYTES);
    put_text(o, "ticket", evidence->ticket, ID_BYTES);
    put_text(o, "user", evidence->user, ID_BYTES);
    put_text(o, "account", evidence->account, ID_BYTES);
    put_time(o, "time", evidence->time_ms);
    if (positions && evidence->partition >= 0) {
        put_int(o, "partition", evidence->partition);
        put_int(o, "offset", evidence->offset);
    }
    return o;
}

static void put_evidence(json_t *line, const struct alert *a, bool positions)
{
    if (!a->evidence_n)
        return;
    json_t *list = json_array();
    for (size_t i = 0; i < a->evidence_n; i++)
        json_array_append_new(list, evidence_object(&a->evidence[i], positions));
    put(line, "evidence", list);
}

static void put_sample(json_t *line, const struct alert_sample *sample)
{
    json_t *o = json_object();
    put_text(o, "page_url", sample->page_url, PROSE_BYTES);
    put_text(o, "action", sample->action, NAME_BYTES);
    put_text(o, "error_type", sample->error_type, NAME_BYTES);
    put_text(o, "error_code", sample->error_code, NAME_BYTES);
    put_text(o, "error_message", sample->error_message, PROSE_BYTES);
    put_text(o, "subject", sample->subject, PROSE_BYTES);
    put_text(o, "version", sample->version, NAME_BYTES);
    if (json_object_size(o))
        put(line, "sample", o);
    else
        json_decref(o);
}

static void put_anomaly(json_t *line, const struct alert_anomaly *anomaly)
{
    char out[CALENDAR_TEXT_BYTES];
    if (!anomaly->present)
        return;
    put_number(line, "value", anomaly->value);
    put_number(line, "mean", anomaly->mean);
    put_number(line, "stddev", anomaly->stddev);
    put_number(line, "z", anomaly->z);
    put_word(line, "direction", anomaly->up ? "up" : "down");
    struct str bucket = calendar_text(anomaly->bucket_ms, out);
    put(line, "bucket", json_stringn_nocheck(bucket.p, bucket.n));
    if (anomaly->novelty) {
        put_number(line, "lowest", anomaly->lowest);
        put_number(line, "highest", anomaly->highest);
        put_number(line, "score", anomaly->score);
    }
    if (!anomaly->share)
        return;
    put_int(line, "matched", anomaly->matched);
    put_word(line, "against",
             anomaly->limit     ? "limit"
             : anomaly->overall ? "overall"
                                : "history");
}

static void put_health(json_t *line, const struct alert_health *health)
{
    if (!health->present)
        return;
    put_number(line, "score", health->score);
    put_number(line, "weight", health->weight);
    json_t *list = json_array();
    for (size_t i = 0; i < health->components_n; i++) {
        const struct alert_component *c = &health->components[i];
        json_t *o = json_object();
        put_text(o, "name", c->name, NAME_BYTES);
        put_number(o, "points", c->points);
        put_text(o, "reason", c->reason, PROSE_BYTES);
        json_array_append_new(list, o);
    }
    put(line, "components", list);
}

static void put_contributors(json_t *line, const struct alert *a)
{
    if (!a->contributors_n)
        return;
    json_t *list = json_array();
    for (size_t i = 0; i < a->contributors_n; i++) {
        json_t *o = json_object();
        put_text(o, "field", a->contributors[i].field, NAME_BYTES);
        put_text(o, "value", a->contributors[i].value, NAME_BYTES);
        put_number(o, "share", a->contributors[i].share);
        put_number(o, "usual", a->contributors[i].usual);
        json_array_append_new(list, o);
    }
    put(line, "contributors", list);
}

static void put_releases(json_t *line, const struct alert *a)
{
    if (!a->releases_n)
        return;
    json_t *list = json_array();
    for (size_t i = 0; i < a->releases_n; i++) {
        json_t *o = json_object();
        put_text(o, "version", a->releases[i].version, NAME_BYTES);
        put_text(o, "service", a->releases[i].service, NAME_BYTES);
        put_text(o, "url", a->releases[i].url, PROSE_BYTES);
        put_time(o, "time", a->releases[i].time_ms);
        json_array_append_new(list, o);
    }
    put(line, "releases", list);
}

static void put_known_issue(json_t *line, const struct alert_known_issue *issue)
{
    if (!issue->id.n)
        return;
    json_t *o = json_object();
    put_text(o, "id", issue->id, ID_BYTES);
    put_text(o, "title", issue->title, PROSE_BYTES);
    put_text(o, "workaround", issue->workaround, PROSE_BYTES);
    put_text(o, "url", issue->url, PROSE_BYTES);
    put_word(o, "status", issue->fixed ? "fixed" : "open");
    if (issue->muted)
        put(o, "muted", json_true());
    if (issue->fixed)
        put_time(o, "fixed", issue->fixed_ms);
    if (issue->regression)
        put(o, "regression", json_true());
    put(line, "known_issue", o);
}

static void put_silenced(json_t *line, const struct alert_silenced *s)
{
    if (!s->maintenance.n)
        return;
    json_t *o = json_object();
    put_text(o, "maintenance", s->maintenance, NAME_BYTES);
    put_text(o, "author", s->author, PROSE_BYTES);
    put_text(o, "reason", s->reason, PROSE_BYTES);
    put(line, "silenced_by", o);
}

static void put_hidden(json_t *line, const struct alert *a)
{
    if (a->hidden_by.inhibit.n) {
        json_t *o = json_object();
        put_text(o, "inhibit", a->hidden_by.inhibit, NAME_BYTES);
        put_text(o, "rule", a->hidden_by.rule, NAME_BYTES);
        put_text(o, "id", a->hidden_by.id, ID_BYTES);
        put(line, "hidden_by", o);
    }
    if (!a->hidden_listed)
        return;
    json_t *list = json_array();
    for (size_t i = 0; i < a->hidden_listed; i++) {
        json_t *o = json_object();
        put_text(o, "rule", a->hidden[i].rule, NAME_BYTES);
        put_text(o, "id", a->hidden[i].id, ID_BYTES);
        put_text(o, "about", a->hidden[i].about, NAME_BYTES);
        json_array_append_new(list, o);
    }
    put(line, "hides", list);
    if (a->hidden_n > (int64_t)a->hidden_listed)
        put_int(line, "hides_total", a->hidden_n);
}

static json_t *alert_object(const struct alert *a, bool positions)
{
    json_t *line = json_object();
    assert(line);
    put_word(line, "id", a->id);
    put(line, "rule", text(a->rule, NAME_BYTES));
    put(line, "kind", text(a->kind, NAME_BYTES));
    put_word(line, "state", state_names[a->state]);
    put_word(line, "severity", severity_names[a->severity]);
    put_time(line, "time", a->time_ms);
    if (a->reminder) {
        put_int(line, "reminder", a->reminder);
        put_time(line, "opened", a->opened_ms);
    }
    put(line, "key", key_object(a));
    put_text(line, "summary", a->summary, PROSE_BYTES);
    put_int(line, "count", a->count);
    if (a->estimated)
        put(line, "count_estimated", json_true());
    if (!alert_is_over(a) && !a->anomaly.present && a->users >= 0)
        put_int(line, "users", a->users);
    put_accounts(line, a);
    put_time(line, "first_seen", a->first_seen_ms);
    put_time(line, "last_seen", a->last_seen_ms);
    put_trend(line, &a->trend);
    put_evidence(line, a, positions);
    put_sample(line, &a->sample);
    put_anomaly(line, &a->anomaly);
    put_contributors(line, a);
    put_health(line, &a->health);
    put_releases(line, a);
    put_known_issue(line, &a->known_issue);
    put_silenced(line, &a->silenced);
    put_hidden(line, a);
    return line;
}

static int append(const char *bytes, size_t n, void *out)
{
    buf_mem(out, bytes, n);
    return 0;
}

void alert_json(const struct alert *a, bool positions, struct buf *out)
{
    json_t *line = alert_object(a, positions);
    int rc =
        json_dump_callback(line, append, out, JSON_COMPACT | JSON_REAL_PRECISION(15));
    assert(rc == 0);
    (void)rc;
    json_decref(line);
}

/* What alerts have in common when people read them. The title says what broke in the
 * customers' own words where an exemplar has them, because a fingerprint has lost its
 * letter case; times are UTC, because readers sit in several zones. Escaping is in
 * words_text.c. */
#include "sinks/words.h"

#include <math.h>
#include <stdio.h>

#include "core/calendar.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60000, HOUR_MS = 3600000, DAY_MS = 86400000 };

void words_time(struct buf *out, int64_t ms)
{
    char text[TIME_TEXT_BYTES];
    time_text(ms, text);
    buf_printf(out, "%.10s %.5s UTC", text, text + 11);
}

void words_span(struct buf *out, int64_t ms)
{
    if (ms < 2 * MINUTE_MS)
        buf_printf(out, "%lld s", (long long)(ms / SECOND_MS));
    else if (ms < 2LL * HOUR_MS)
        buf_printf(out, "%lld min", (long long)(ms / MINUTE_MS));
    else if (ms < 2LL * DAY_MS)
        buf_printf(out, "%lld h", (long long)(ms / HOUR_MS));
    else
        buf_printf(out, "%lld days", (long long)(ms / DAY_MS));
}

void words_number(struct buf *out, double v)
{
    char text[40];
    if (!isfinite(v) || fabs(v) >= 1e15) {
        buf_printf(out, "%g", v);
        return;
    }
    double rounded = round(v * 100) / 100;
    int n = snprintf(text, sizeof text, "%.2f", fabs(rounded));
    while (text[n - 1] == '0')
        n--;
    int whole = (int)strcspn(text, ".");
    if (n == whole + 1)
        n--; /* nothing is left behind the point */
    if (rounded < 0)
        buf_char(out, '-');
    for (int i = 0; i < n; i++) {
        if (i && i < whole && (whole - i) % 3 == 0)
            buf_char(out, ',');
        buf_char(out, text[i]);
    }
}

void words_count(struct buf *out, int64_t n, const char *one, const char *many)
{
    words_number(out, (double)n);
    buf_printf(out, " %s", n == 1 ? one : many);
}

void words_label(struct buf *out, struct str key_name)
{
    const char *dot = key_name.n ? memrchr(key_name.p, '.', key_name.n) : NULL;
    size_t from = dot ? (size_t)(dot + 1 - key_name.p) : 0;
    for (size_t i = from; i < key_name.n; i++) {
        char c = key_name.p[i];
        if (i == from && c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        buf_char(out, c == '_' ? ' ' : c);
    }
}

const char *words_severity(enum severity s)
{
    static const char *const words[SEVERITIES] = {"Low", "Medium", "High", "Critical"};
    return words[s];
}

struct str words_key(const struct alert *a, const char *name)
{
    return alert_key(a, str_of(name));
}

struct str words_account_name(const struct alert_account *account)
{
    return account->name.n ? account->name : account->id;
}

/* "HttpError INV_500" of the first exemplar. */
static void error_head(struct buf *out, const struct alert_sample *s)
{
    buf_put(out, s->error_type);
    if (s->error_type.n && s->error_code.n)
        buf_char(out, ' ');
    buf_put(out, s->error_code);
}

void words_error(struct buf *out, const struct alert *a)
{
    const struct alert_sample *s = &a->sample;
    if (!s->error_type.n && !s->error_code.n && !s->error_message.n) {
        buf_put(out, words_key(a, "error"));
        return;
    }
    error_head(out, s);
    if ((s->error_type.n || s->error_code.n) && s->error_message.n)
        buf_text(out, ": ");
    buf_put(out, s->error_message);
}

/* "HttpError INV_500 on /billing/invoices/:id: Invoice 8841 could not be rendered": the
 * place stands before the message, because the message may be long and cut. */
static void error_title(struct buf *out, const struct alert *a, bool with_message)
{
    struct str page = words_key(a, "page"), message = a->sample.error_message;
    size_t start = out->n;
    error_head(out, &a->sample);
    bool has_head = out->n > start;
    if (!has_head)
        buf_put(out, message.n ? message : words_key(a, "error"));
    if (page.n) {
        buf_text(out, " on ");
        buf_put(out, page);
    }
    if (with_message && has_head && message.n) {
        buf_text(out, ": ");
        buf_put(out, message);
    }
}

/* The key's values but for the part `but`; an account by its name. */
static void key_values(struct buf *out, const struct alert *a, const char *but)
{
    bool first = true;
    for (size_t i = 0; i < a->keys_n; i++) {
        struct str value = a->key_values[i];
        if (str_is(a->key_names[i], but))
            continue;
        if (a->accounts_listed && str_eq(value, a->accounts[0].id))
            value = words_account_name(&a->accounts[0]);
        buf_text(out, first ? "" : ", ");
        buf_put(out, value);
        first = false;
    }
}

static void subject_title(struct buf *out, const struct alert *a)
{
    struct str subject =
        a->sample.subject.n ? a->sample.subject : words_key(a, "subject");
    buf_char(out, '"');
    buf_put(out, subject);
    buf_char(out, '"');
    if (a->keys_n > 1) {
        buf_text(out, " (");
        key_values(out, a, "subject");
        buf_char(out, ')');
    }
}

/* A value of an anomaly; a share in percent. */
static void figure(struct buf *out, const struct alert_anomaly *anomaly, double v)
{
    words_number(out, anomaly->share ? 100 * v : v);
    buf_text(out, anomaly->share ? "%" : "");
}

/* What the mean is. */
static const char *held_against(const struct alert_anomaly *anomaly)
{
    return anomaly->limit ? "limit" : anomaly->overall ? "elsewhere" : "usually";
}

static void anomaly_title(struct buf *out, const struct alert *a)
{
    buf_put(out, a->rule);
    if (a->keys_n) {
        buf_text(out, " (");
        key_values(out, a, "");
        buf_char(out, ')');
    }
    buf_text(out, ": ");
    figure(out, &a->anomaly, a->anomaly.value);
    buf_printf(out, ", %s ", held_against(&a->anomaly));
    figure(out, &a->anomaly, a->anomaly.mean);
}

void words_title(struct buf *out, const struct alert *a, bool with_message)
{
    if (a->known_issue.regression)
        buf_text(out, "Regression: ");
    else if (str_is(a->kind, "new_value") && !alert_is_over(a))
        buf_text(out, "New: ");
    if (words_key(a, "error").n) {
        error_title(out, a, with_message);
    } else if (words_key(a, "subject").n) {
        subject_title(out, a);
    } else if (a->anomaly.present) {
        anomaly_title(out, a);
    } else {
        buf_put(out, a->rule);
        buf_text(out, a->keys_n ? ": " : "");
        key_values(out, a, "");
    }
}

bool words_says_all(const struct alert *a)
{
    return a->anomaly.present || str_is(a->kind, "count") || str_is(a->kind, "quiet") ||
           !a->summary.n;
}

/* Of the kinds that fire because nothing comes. What ended it, if anything did, came last. */
static void how_long(struct buf *out, const struct alert *a)
{
    bool quiet = str_is(a->kind, "quiet"), resolved = a->state == ALERT_RESOLVED;
    int64_t since_ms = quiet && !resolved ? a->last_seen_ms : a->first_seen_ms;
    buf_text(out, quiet ? "silent for " : resolved ? "over after " : "open for ");
    words_span(out, a->time_ms - since_ms);
    if (resolved && a->last_seen_ms == a->first_seen_ms)
        buf_text(out, ", given up");
    if (!quiet || resolved)
        return;
    buf_text(out, ", before that ");
    words_count(out, a->count, "event", "events");
    if (a->last_seen_ms - a->first_seen_ms >= SECOND_MS) {
        buf_text(out, " in ");
        words_span(out, a->last_seen_ms - a->first_seen_ms);
    }
}

void words_how_often(struct buf *out, const struct alert *a)
{
    int64_t span_ms = a->last_seen_ms - a->first_seen_ms;
    bool resolved = a->state == ALERT_RESOLVED;
    if (a->state == ALERT_VERIFIED) {
        buf_text(out, "nothing for ");
        words_span(out, a->time_ms - a->last_seen_ms);
        return;
    }
    if (str_is(a->kind, "quiet") || str_is(a->kind, "deadline")) {
        how_long(out, a);
        return;
    }
    if (a->health.present) {
        buf_text(out, "score ");
        words_number(out, (double)(int64_t)a->health.score);
        return;
    }
    if (a->anomaly.share) {
        words_number(out, (double)a->anomaly.matched);
        buf_text(out, " of ");
    }
    buf_text(out, a->estimated ? "about " : "");
    if (a->anomaly.present)
        words_count(out, a->count, "event", "events");
    else if (a->count == 1)
        buf_text(out, "once");
    else
        words_count(out, a->count, "time", "times");
    buf_text(out, resolved ? " in all" : "");
    if (a->users > 0) {
        buf_text(out, " from ");
        words_count(out, a->users, "person", "people");
    }
    if (span_ms >= SECOND_MS) {
        buf_text(out, resolved ? ", over " : " in ");
        words_span(out, span_ms);
    }
}

void words_still(struct buf *out, const struct alert *a)
{
    buf_text(out, "Still firing after ");
    words_span(out, a->time_ms - a->opened_ms);
}

/* "feature" of ticket.feature, "account.tier". */
static void put_field(struct buf *out, struct str name)
{
    static const struct str ticket = STR("ticket.");
    struct str shown = str_starts(name, ticket) ? str_from(name, ticket.n) : name;
    for (size_t i = 0; i < shown.n; i++)
        buf_char(out, shown.p[i] == '_' ? ' ' : shown.p[i]);
}

static void put_contributors(struct buf *out, enum dialect d, const struct alert *a)
{
    enum { VALUE_UNITS = 200 };
    for (size_t i = 0; i < a->contributors_n; i++) {
        const struct alert_contributor *c = &a->contributors[i];
        buf_printf(out, i ? ", %.0f%% " : "; %.0f%% are ", 100 * c->share);
        put_field(out, c->field);
        buf_char(out, ' ');
        words_text(out, d, c->value, VALUE_UNITS);
        if (!isnan(c->usual))
            buf_printf(out, " (usually %.0f%%)", 100 * c->usual);
    }
}

void words_anomaly(struct buf *out, enum dialect d, const struct alert *a)
{
    const struct alert_anomaly *anomaly = &a->anomaly;
    char out_text[CALENDAR_TEXT_BYTES];
    struct str bucket = calendar_text(anomaly->bucket_ms, out_text);
    figure(out, anomaly, anomaly->value);
    buf_printf(out, " in %s%.*s, %s ", anomaly->bucket_ms == CALENDAR_MONTH ? "a " : "",
               STR_ARG(bucket), held_against(anomaly));
    figure(out, anomaly, anomaly->mean);
    buf_text(out, " ± ");
    figure(out, anomaly, anomaly->stddev);
    buf_text(out, " (");
    words_number(out, fabs(anomaly->z));
    buf_printf(out, " standard %s %s)", anomaly->share ? "errors" : "deviations",
               anomaly->up ? "higher" : "lower");
    if (anomaly->novelty) {
        buf_text(out, ", before that ");
        figure(out, anomaly, anomaly->lowest);
        buf_text(out, " to ");
        figure(out, anomaly, anomaly->highest);
    }
    put_contributors(out, d, a);
}

/* Separates the details of an account. */
static void detail(struct buf *out, bool *first)
{
    buf_text(out, *first ? " (" : ", ");
    *first = false;
}

static void text_detail(struct buf *out, enum dialect d, bool *first, const char *label,
                        struct str text)
{
    enum { DETAIL_UNITS = 60 };
    if (!text.n)
        return;
    detail(out, first);
    buf_text(out, label);
    words_text(out, d, text, DETAIL_UNITS);
}

void words_account(struct buf *out, enum dialect d, const struct alert_account *account)
{
    enum { NAME_UNITS = 120 };
    bool first = true;
    words_text(out, d, words_account_name(account), NAME_UNITS);
    text_detail(out, d, &first, "", account->tier);
    if (account->mrr != 0) {
        detail(out, &first);
        words_number(out, account->mrr);
        buf_text(out, " MRR");
    }
    text_detail(out, d, &first, "renewal ", account->renewal);
    text_detail(out, d, &first, "owner ", account->owner);
    buf_text(out, first ? "" : ")");
}

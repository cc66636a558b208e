/* PagerDuty, Events API v2: an alert is an incident by its dedup_key, which is the alert's id. Firing
 * triggers it, escalating triggers it again with the new severity, which PagerDuty adds to the incident
 * that is open, and resolving resolves it; of a fix that is verified nobody on call is told. So saying it twice changes nothing. All text is plain there.
 * https://developer.pagerduty.com/docs/events-api-v2/trigger-events/ */
#include <stdio.h>

#include "core/timefmt.h"
#include "sinks/request.h"
#include "sinks/rows.h"
#include "sinks/template.h"

enum {
    TITLE_UNITS = 800, /* of a summary's 1,024; the rest is how often */
    TEXT_UNITS = 1000,
    KEY_CHARACTERS = 32,
};

struct pagerduty_settings {
    struct str url, source, ticket_url;
    struct secret routing_key;
    struct template_file title;
};

static const char *severity_word(enum severity s)
{
    static const char *const words[SEVERITIES] = {"info", "warning", "error", "critical"};
    return words[s];
}

static void put_line(json_t *object, const char *name, struct str text)
{
    if (text.n)
        request_set(object, name, request_line(text, TEXT_UNITS));
}

static void put_time(json_t *object, const char *name, int64_t ms)
{
    char text[TIME_TEXT_BYTES];
    request_set(object, name, request_text(time_text(ms, text)));
}

static void own_summary(struct buf *b, const struct alert *a)
{
    struct buf title;
    request_buf(&title);
    words_title(&title, a, true);
    words_text(b, DIALECT_PLAIN, buf_str(&title), TITLE_UNITS);
    buf_text(b, " (");
    words_how_often(b, a);
    buf_char(b, ')');
    buf_deinit(&title);
}

static json_t *summary(const struct pagerduty_settings *s, const struct alert *a)
{
    struct buf b;
    request_buf(&b);
    if (!template_line(&s->title, a, &b, TITLE_UNITS))
        own_summary(&b, a);
    json_t *text = request_text(buf_str(&b));
    buf_deinit(&b);
    return text;
}

static json_t *key_of(const struct alert *a)
{
    json_t *o = json_object();
    for (size_t i = 0; i < a->keys_n; i++) {
        struct buf name;
        request_buf(&name);
        buf_put(&name, a->key_names[i]);
        buf_char(&name, '\0');
        put_line(o, name.p, a->key_values[i]);
        buf_deinit(&name);
    }
    return o;
}

static void put_accounts(json_t *details, const struct alert *a)
{
    json_t *list = json_array();
    for (size_t i = 0; i < a->accounts_listed; i++) {
        struct buf b;
        request_buf(&b);
        words_account(&b, DIALECT_PLAIN, &a->accounts[i]);
        request_append(list, request_text(buf_str(&b)));
        buf_deinit(&b);
    }
    request_set(details, "accounts", list);
    request_set(details, "accounts_total", json_integer(a->accounts_n));
}

static void put_figures(json_t *details, const struct alert *a)
{
    struct buf b;
    request_buf(&b);
    if (a->anomaly.present) {
        words_anomaly(&b, DIALECT_PLAIN, a);
        put_line(details, "value", buf_str(&b));
        buf_clear(&b);
    }
    if (words_trend(&b, a))
        put_line(details, "trend", buf_str(&b));
    buf_clear(&b);
    words_known_issue(&b, DIALECT_PLAIN, a);
    put_line(details, "known_issue", buf_str(&b));
    buf_clear(&b);
    words_releases(&b, DIALECT_PLAIN, a);
    put_line(details, "deployed_before", buf_str(&b));
    buf_clear(&b);
    words_error(&b, a);
    put_line(details, "error", buf_str(&b));
    buf_deinit(&b);
}

static json_t *details(const struct alert *a)
{
    json_t *o = json_object();
    request_set(o, "key", key_of(a));
    request_set(o, "count", json_integer(a->count));
    if (a->users != ALERT_NOT_COUNTED)
        request_set(o, "users", json_integer(a->users));
    put_accounts(o, a);
    put_time(o, "first_seen", a->first_seen_ms);
    put_time(o, "last_seen", a->last_seen_ms);
    put_figures(o, a);
    if (!words_says_all(a))
        put_line(o, "summary", a->summary);
    put_line(o, "subject", a->sample.subject);
    put_line(o, "page_url", a->sample.page_url);
    put_line(o, "action", a->sample.action);
    put_line(o, "version", a->sample.version);
    return o;
}

static json_t *payload(const struct pagerduty_settings *s, const struct alert *a)
{
    json_t *o = json_object();
    request_set(o, "summary", summary(s, a));
    put_line(o, "source", s->source);
    request_set(o, "severity", json_string(severity_word(a->severity)));
    put_time(o, "timestamp", a->time_ms);
    put_line(o, "component", words_key(a, "page"));
    put_line(o, "group", a->rule);
    put_line(o, "class", a->kind);
    request_set(o, "custom_details", details(a));
    return o;
}

static json_t *links(const struct pagerduty_settings *s, const struct alert *a)
{
    json_t *list = json_array();
    for (size_t i = 0; i < a->evidence_n; i++) {
        struct str ticket = a->evidence[i].ticket;
        struct buf b;
        request_buf(&b);
        if (words_ticket_url(&b, s->ticket_url, ticket)) {
            json_t *link = json_object();
            request_set(link, "href", request_text(buf_str(&b)));
            put_line(link, "text", ticket);
            request_append(list, link);
        }
        buf_deinit(&b);
    }
    return list;
}

static json_t *event(const struct pagerduty_settings *s, const struct alert *a,
                     struct str routing_key)
{
    json_t *o = json_object();
    bool over = a->state == ALERT_RESOLVED;
    request_set(o, "routing_key", request_text(routing_key));
    request_set(o, "event_action", json_string(over ? "resolve" : "trigger"));
    request_set(o, "dedup_key", json_string(a->id));
    if (over)
        return o;
    request_set(o, "client", json_string("ticketwatch"));
    request_set(o, "payload", payload(s, a));
    request_set(o, "links", links(s, a));
    return o;
}

static bool is_routing_key(struct str key)
{
    for (size_t i = 0; i < key.n; i++) {
        char c = key.p[i], low = (char)(c | 0x20);
        if (!(c >= '0' && c <= '9') && !(low >= 'a' && low <= 'z'))
            return false;
    }
    return key.n == KEY_CHARACTERS;
}

static int pagerduty_format(const struct sink_input *in, struct arena *arena,
                            struct request *out, struct err *e)
{
    const struct pagerduty_settings *s = in->settings;
    struct str key;
    if (in->alert->state == ALERT_VERIFIED)
        return 0;
    if (request_secret(in, 0, "pagerduty: routing_key", &key, e))
        return -1;
    if (!is_routing_key(key))
        return err_set(e, ERR_REFUSED,
                       "pagerduty: routing_key must be %d letters and digits: the "
                       "integration key of an Events API v2 integration",
                       KEY_CHARACTERS);
    struct str body = request_json(event(s, in->alert, key), arena);
    return request_post(out, arena, s->url, body, e) ? -1 : 1;
}

/* 202 means queued. Another success is somebody else's, such as a proxy's page: since saying it again does no
 * harm, it is said again. */
static struct outcome pagerduty_outcome(const void *settings,
                                        const struct response *response)
{
    struct outcome o = outcome_by_status(response);
    (void)settings;
    if (o.verdict == DELIVERED && response->status != 202) {
        o.verdict = RETRY;
        snprintf(o.reason, sizeof o.reason, "HTTP %d: not PagerDuty's answer",
                 response->status);
    }
    return o;
}

#define AT(member) offsetof(struct pagerduty_settings, member)
static const struct option_row template_rows[] = {
    TEMPLATE_ROW("title", AT(title), "The incident's summary, plain."),
};
static const struct option_row pagerduty_options[] = {
    {.name = "routing_key",
     .type = OPTION_SECRET,
     .offset = AT(routing_key),
     .required = true,
     .max = KEY_CHARACTERS,
     .help = "The integration key of a service's Events API v2 integration."},
    {.name = "url",
     .type = OPTION_TEXT,
     .offset = AT(url),
     .words = http_schemes,
     .fallback = "https://events.pagerduty.com/v2/enqueue",
     .help = "Where events go; accounts in the EU: "
             "`https://events.eu.pagerduty.com/v2/enqueue`."},
    {.name = "source",
     .type = OPTION_TEXT,
     .offset = AT(source),
     .fallback = "ticketwatch",
     .min = 1,
     .max = 200,
     .help = "What PagerDuty shows as the event's source."},
    TICKET_URL_ROW(AT(ticket_url)),
    TEMPLATES_ROW(template_rows),
};

const struct sink pagerduty_sink = {
    .name = "pagerduty",
    .help = "An incident in PagerDuty, which rises and resolves with the alert.",
    .options = pagerduty_options,
    .options_n = sizeof pagerduty_options / sizeof pagerduty_options[0],
    .settings_bytes = sizeof(struct pagerduty_settings),
    .format = pagerduty_format,
    .outcome = pagerduty_outcome,
};

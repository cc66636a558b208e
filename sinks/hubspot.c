/* HubSpot: a task for the account's owner, due the same working day, and what the company is told. One task an
 * episode: an escalation updates it, the end of an episode leaves it to its owner. */
#include "sinks/hubspot.h"

#include <stdio.h>

#include "sinks/memory.h"
#include "sinks/request.h"
#include "sinks/rows.h"
#include "sinks/words.h"

/* Two kinds of paths: /crm/v3/objects/tasks, and since 2026 /crm/objects/2026-03/tasks. */
static void begin_url(const struct hubspot_settings *s, struct buf *b)
{
    struct str base = s->url;
    while (base.n && base.p[base.n - 1] == '/')
        base.n--;
    buf_put(b, base);
    if (str_starts(s->api_version, STR("v")))
        buf_printf(b, "/crm/%.*s/objects/", STR_ARG(s->api_version));
    else
        buf_printf(b, "/crm/objects/%.*s/", STR_ARG(s->api_version));
}

/* One filter, at most two results: more than one is told from one. */
static json_t *search(struct str property, const char *operator, struct str value)
{
    return json_pack("{s:[{s:[{s:s%, s:s, s:o}]}], s:[], s:i, s:s, s:[]}", "filterGroups",
                     "filters", "propertyName", property.p, property.n,
                     "operator", operator, "value", request_text(value), "properties",
                     "limit", 2, "after", "0", "sorts");
}

static json_t *search_task(const struct hubspot_settings *s, const struct alert *a)
{
    if (s->marker_property.n)
        return search(s->marker_property, "EQ", str_of(a->id));
    return search(STR("hs_task_body"), "CONTAINS_TOKEN", str_of(a->id));
}

/* The body; the address is completed. */
static json_t *ask(const struct sink_input *in, const json_t *memory, struct buf *url,
                   struct str *method)
{
    const struct hubspot_settings *s = in->settings;
    switch (hubspot_next(in, memory)) {
    case HUBSPOT_FIND_COMPANY:
        buf_text(url, "companies/search");
        return search(s->company_property, "EQ", hubspot_account(in->alert).id);
    case HUBSPOT_FIND_TASK:
        buf_text(url, "tasks/search");
        return search_task(s, in->alert);
    case HUBSPOT_CREATE:
        buf_text(url, "tasks");
        return hubspot_task(in, memory);
    case HUBSPOT_UPDATE:
        *method = STR("PATCH");
        buf_text(url, "tasks/");
        buf_put(url, memory_get(memory, "task"));
        return hubspot_task_update(in, memory);
    case HUBSPOT_PATCH:
        *method = STR("PATCH");
        buf_text(url, "companies/");
        buf_put(url, hubspot_company(s, in->alert, memory));
        return hubspot_company_update(s, in->alert);
    case HUBSPOT_NOTHING:
        break;
    }
    return NULL;
}

static void authorize(struct request *out, struct arena *arena, struct str key)
{
    struct buf b;
    request_buf(&b);
    buf_text(&b, "Bearer ");
    buf_put(&b, key);
    request_header(out, arena, "Authorization", buf_str(&b));
    buf_deinit(&b);
}

static int hubspot_format(const struct sink_input *in, struct arena *arena,
                          struct request *out, struct err *e)
{
    struct str key, method = STR("POST");
    struct buf url;
    int rc = 0;
    if (request_secret(in, 0, "hubspot: key", &key, e))
        return -1;
    json_t *memory = memory_of(in);
    request_buf(&url);
    begin_url(in->settings, &url);
    json_t *body = ask(in, memory, &url, &method);
    if (body) {
        rc = request_post(out, arena, buf_str(&url), request_json(body, arena), e) ? -1
                                                                                   : 1;
        out->method = method;
        authorize(out, arena, key);
    }
    buf_deinit(&url);
    json_decref(memory);
    return rc;
}

/* https://developers.hubspot.com/docs/api-reference/error-handling and /usage-guidelines:
 * 423 is a lock of some seconds, 477 a migration between data centres, and both are to be
 * tried again; a daily limit ends at midnight. */
struct outcome hubspot_outcome(const void *settings, const struct response *response)
{
    enum { SECOND_MS = 1000, MINUTE_MS = 60000 };
    struct outcome o = outcome_by_status(response);
    (void)settings;
    if (o.verdict == DELIVERED)
        return o;
    json_t *answer = response_json(response);
    const json_t *policy = json_object_get(answer, "policyName");
    const json_t *category = json_object_get(answer, "category");
    outcome_word(&o, str_of(json_string_value(policy ? policy : category)));
    if (response->status == 423 || response->status == 477)
        o.verdict = RETRY;
    if (o.verdict == RETRY && !o.retry_after_ms && response->status == 429)
        o.retry_after_ms = str_is(str_of(json_string_value(policy)), "DAILY")
                               ? 60 * MINUTE_MS
                               : 10 * SECOND_MS;
    json_decref(answer);
    return o;
}

/* "17:00" */
static bool read_clock(struct str text, int64_t *ms)
{
    int digits[5];
    if (text.n != 5 || text.p[2] != ':')
        return false;
    for (size_t i = 0; i < 5; i++) {
        digits[i] = text.p[i] - '0';
        if (i != 2 && (digits[i] < 0 || digits[i] > 9))
            return false;
    }
    int hours = 10 * digits[0] + digits[1], minutes = 10 * digits[3] + digits[4];
    *ms = (hours * 60 + minutes) * INT64_C(60000);
    return hours <= 23 && minutes <= 59;
}

/* A name of HubSpot's: lower case, digits and _. */
static bool is_property(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_')
            return false;
    }
    return true;
}

static int hubspot_complete(void *settings, const struct sink_surroundings *around,
                            struct err *e)
{
    struct hubspot_settings *s = settings;
    (void)around;
    const struct {
        const char *option;
        struct str name;
    } names[] = {{"company_property", s->company_property},
                 {"marker_property", s->marker_property},
                 {"score_property", s->score_property},
                 {"reasons_property", s->reasons_property},
                 {"signal_property", s->signal_property}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!is_property(names[i].name))
            return err_set(e, ERR_INPUT,
                           "%s: '%.*s' is no internal name of a property: those have "
                           "lower case letters, digits and _",
                           names[i].option, STR_ARG(names[i].name));
    if (!read_clock(s->due_at, &s->due_ms))
        return err_set(e, ERR_INPUT, "due_at: expected a time of day such as 17:00");
    return 0;
}

#define AT(member) offsetof(struct hubspot_settings, member)
static const struct option_row template_rows[] = {
    TEMPLATE_ROW("title", AT(title), "The task's title, plain."),
    TEMPLATE_ROW("body", AT(body), "Its text, in HTML."),
};
static const struct option_row hubspot_options[] = {
    {.name = "url",
     .type = OPTION_TEXT,
     .offset = AT(url),
     .words = http_schemes,
     .fallback = "https://api.hubapi.com",
     .help = "Where the API is."},
    {.name = "key",
     .type = OPTION_SECRET,
     .offset = AT(key),
     .required = true,
     .help = "The access token of a private app that may read and write companies and "
             "tasks."},
    {.name = "api_version",
     .type = OPTION_TEXT,
     .offset = AT(api_version),
     .fallback = "v3",
     .min = 2,
     .max = 20,
     .help = "Version of the CRM API: `v3`, or a dated one such as `2026-03`."},
    {.name = "company_property",
     .type = OPTION_TEXT,
     .offset = AT(company_property),
     .max = 100,
     .help = "The company's property that holds the account's id; else that id is "
             "HubSpot's own."},
    {.name = "marker_property",
     .type = OPTION_TEXT,
     .offset = AT(marker_property),
     .max = 100,
     .help = "A task's property, a text of yours, that takes the alert's id; else only "
             "the body has it."},
    {.name = "score_property",
     .type = OPTION_TEXT,
     .offset = AT(score_property),
     .max = 100,
     .help = "The company's property (a number) that takes the score: a `health` rule's "
             "own, of others 25, 50, 75 or 100 by severity, 0 at the end."},
    {.name = "reasons_property",
     .type = OPTION_TEXT,
     .offset = AT(reasons_property),
     .max = 100,
     .help = "The company's property (a text) that takes the rule and how often, or the "
             "score's reasons."},
    {.name = "signal_property",
     .type = OPTION_TEXT,
     .offset = AT(signal_property),
     .max = 100,
     .help = "The company's property (a date with time) that takes when the last alert "
             "became true."},
    {.name = "due_at",
     .type = OPTION_TEXT,
     .offset = AT(due_at),
     .fallback = "17:00",
     .max = 5,
     .help = "When a working day (Monday to Friday, in `time.zone`) ends, and with it a "
             "task is due."},
    TICKET_URL_ROW(AT(ticket_url)),
    TEMPLATES_ROW(template_rows),
};

const struct sink hubspot_sink = {
    .name = "hubspot",
    .help = "A task in HubSpot for the account's owner, and what its company is told.",
    .options = hubspot_options,
    .options_n = sizeof hubspot_options / sizeof hubspot_options[0],
    .settings_bytes = sizeof(struct hubspot_settings),
    .format = hubspot_format,
    .complete = hubspot_complete,
    .outcome = hubspot_outcome,
    .hear = hubspot_hear,
};

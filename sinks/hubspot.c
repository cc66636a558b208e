/* HubSpot: a task for the account's owner, due the same working day, in words that make sense to
 * somebody who has never heard of this program. One task an episode: an escalation or the end of an
 * episode makes no second one. HubSpot knows no idempotency for tasks, so the body carries the alert's
 * id, by which a double (after a lost answer) can be found.
 * https://developers.hubspot.com/docs/api-reference/crm-tasks-v3/guide */
#include <jansson.h>
#include <stdio.h>
#include <strings.h>

#include "core/timefmt.h"
#include "sinks/request.h"
#include "sinks/words.h"

enum {
    SUBJECT_UNITS = 200,
    LINE_UNITS = 600,
    TASK_TO_COMPANY = 192, /* association type, defined by HubSpot */
    DAY_MS = 86400000,
    HOUR_MS = 3600000,
    WORK_ENDS_HOUR = 17, /* UTC */
    RENEWAL_SOON_DAYS = 90,
};

struct hubspot_settings {
    struct str url, api_version, ticket_url;
    struct secret key;
};

static bool is_numeric(struct str id)
{
    enum { ID_DIGITS = 20 };
    for (size_t i = 0; i < id.n; i++)
        if (id.p[i] < '0' || id.p[i] > '9')
            return false;
    return id.n > 0 && id.n <= ID_DIGITS;
}

/* The account that the alert is about: the one of its key, else the largest among its
 * accounts. */
static struct alert_account account_of(const struct alert *a)
{
    struct str id = words_key(a, "account");
    for (size_t i = 0; i < a->accounts_listed; i++)
        if (!id.n || str_eq(a->accounts[i].id, id))
            return a->accounts[i];
    return (struct alert_account){.id = id};
}

/* The end of this working day in UTC, or of the next when it is over. 1970-01-01 was a
 * Thursday. */
static int64_t due_ms(int64_t now_ms)
{
    int64_t day = time_cell(now_ms, DAY_MS);
    if (now_ms - day * DAY_MS >= (int64_t)WORK_ENDS_HOUR * HOUR_MS)
        day++;
    while ((day + 4) % 7 == 6 || (day + 4) % 7 == 0) /* Saturday, Sunday */
        day++;
    return day * DAY_MS + (int64_t)WORK_ENDS_HOUR * HOUR_MS;
}

static bool renews_soon(struct str renewal, int64_t now_ms)
{
    char text[40];
    int64_t ms;
    int n = snprintf(text, sizeof text, "%.*sT00:00:00Z",
                     (int)(renewal.n < 10 ? renewal.n : 10), renewal.n ? renewal.p : "");
    return time_parse((struct str){text, (size_t)n}, &ms) && ms > now_ms - DAY_MS &&
           ms - now_ms < (int64_t)RENEWAL_SOON_DAYS * DAY_MS;
}

static bool is_enterprise(struct str tier)
{
    static const char word[] = "enterprise";
    return tier.n == sizeof word - 1 && strncasecmp(tier.p, word, tier.n) == 0;
}

/* By severity; a step more for an account that there is much to lose with. */
static const char *priority(const struct alert *a, const struct alert_account *account,
                            int64_t now_ms)
{
    static const char *const words[] = {"LOW", "MEDIUM", "HIGH", "HIGH", "HIGH"};
    bool more = is_enterprise(account->tier) || renews_soon(account->renewal, now_ms);
    return words[a->severity + more];
}

/* "Acme: churn-friction, 3 times from 2 people in 6 days"; of an alert about many accounts, its title
 * instead. */
static json_t *subject(const struct alert *a, const struct alert_account *account)
{
    struct buf b, title;
    request_buf(&b);
    request_buf(&title);
    if (words_key(a, "account").n || a->accounts_n == 1) {
        buf_put(&title, words_account_name(account));
        buf_text(&title, ": ");
        buf_put(&title, a->rule);
    } else {
        words_title(&title, a, true);
    }
    words_text(&b, DIALECT_PLAIN, buf_str(&title), SUBJECT_UNITS);
    buf_deinit(&title);
    buf_text(&b, ", ");
    words_how_often(&b, a);
    json_t *t = request_text(buf_str(&b));
    buf_deinit(&b);
    return t;
}

static void paragraph(struct buf *b, const char *label, struct str text)
{
    if (!text.n)
        return;
    buf_printf(b, "<p>%s", label);
    words_text(b, DIALECT_HTML, text, LINE_UNITS);
    buf_text(b, "</p>");
}

static void reasons(struct buf *b, const struct alert *a)
{
    buf_text(b, "<p>");
    words_how_often(b, a);
    buf_text(b, ", first ");
    words_time(b, a->first_seen_ms);
    buf_text(b, ", last ");
    words_time(b, a->last_seen_ms);
    buf_text(b, ".</p>");
    if (!words_says_all(a))
        paragraph(b, "", a->summary);
    paragraph(b, "First reported as: ", a->sample.subject);
    if (a->anomaly.present) {
        buf_text(b, "<p>Value ");
        words_anomaly(b, &a->anomaly);
        buf_text(b, ".</p>");
    }
}

static void tickets(struct buf *b, const struct alert *a, struct str ticket_url)
{
    bool any = false;
    for (size_t i = 0; i < a->evidence_n; i++) {
        const struct alert_evidence *e = &a->evidence[i];
        if (!e->ticket.n)
            continue;
        buf_text(b, any ? "<li>" : "<p>Tickets:</p><ul><li>");
        words_ticket(b, DIALECT_HTML, ticket_url, e->ticket);
        buf_text(b, ", ");
        words_time(b, e->time_ms);
        buf_text(b, "</li>");
        any = true;
    }
    buf_text(b, any ? "</ul>" : "");
}

static void other_accounts(struct buf *b, const struct alert *a, struct str id)
{
    bool any = false;
    for (size_t i = 0; i < a->accounts_listed; i++) {
        if (str_eq(a->accounts[i].id, id))
            continue;
        buf_text(b, any ? "<li>" : "<p>Other accounts:</p><ul><li>");
        words_account(b, DIALECT_HTML, &a->accounts[i]);
        buf_text(b, "</li>");
        any = true;
    }
    buf_text(b, any ? "</ul>" : "");
}

static void account_line(struct buf *b, const struct alert_account *account)
{
    if (!words_account_name(account).n)
        return;
    buf_text(b, "<p><strong>");
    words_account(b, DIALECT_HTML, account);
    buf_text(b, "</strong></p>");
}

static json_t *task_body(const struct hubspot_settings *s, const struct alert *a,
                         const struct alert_account *account)
{
    struct buf b;
    request_buf(&b);
    account_line(&b, account);
    reasons(&b, a);
    tickets(&b, a, s->ticket_url);
    other_accounts(&b, a, account->id);
    if (account->id.n && !is_numeric(account->id)) {
        buf_text(&b, "<p>Account id ");
        words_code(&b, DIALECT_HTML, account->id, LINE_UNITS);
        buf_text(&b,
                 " is no HubSpot company id, so this task is linked to no company.</p>");
    }
    buf_text(&b, "<p>ticketwatch rule ");
    words_code(&b, DIALECT_HTML, a->rule, LINE_UNITS);
    buf_printf(&b, ", alert <code>%s</code></p>", a->id);
    json_t *t = request_text(buf_str(&b));
    buf_deinit(&b);
    return t;
}

static json_t *associations(const struct alert_account *account)
{
    json_t *list = json_array();
    if (is_numeric(account->id))
        request_append(list, json_pack("{s:{s:s%}, s:[{s:s, s:i}]}", "to", "id",
                                       account->id.p, account->id.n, "types",
                                       "associationCategory", "HUBSPOT_DEFINED",
                                       "associationTypeId", TASK_TO_COMPANY));
    return list;
}

/* All values are strings in HubSpot. */
static json_t *task(const struct hubspot_settings *s, const struct alert *a,
                    int64_t now_ms)
{
    char due[TIME_TEXT_BYTES];
    struct alert_account account = account_of(a);
    json_t *o = json_object(), *p = json_object();
    request_set(p, "hs_timestamp", request_text(time_text(due_ms(now_ms), due)));
    request_set(p, "hs_task_subject", subject(a, &account));
    request_set(p, "hs_task_body", task_body(s, a, &account));
    request_set(p, "hs_task_status", json_string("NOT_STARTED"));
    request_set(p, "hs_task_priority", json_string(priority(a, &account, now_ms)));
    request_set(p, "hs_task_type", json_string("TODO"));
    if (is_numeric(account.owner))
        request_set(p, "hubspot_owner_id", request_text(account.owner));
    request_set(o, "properties", p);
    request_set(o, "associations", associations(&account));
    return o;
}

/* Two kinds of paths: /crm/v3/objects/tasks, and since 2026 /crm/objects/2026-03/tasks.
 */
static void task_url(const struct hubspot_settings *s, struct buf *b)
{
    struct str base = s->url;
    while (base.n && base.p[base.n - 1] == '/')
        base.n--;
    buf_put(b, base);
    if (str_starts(s->api_version, STR("v")))
        buf_printf(b, "/crm/%.*s/objects/tasks", STR_ARG(s->api_version));
    else
        buf_printf(b, "/crm/objects/%.*s/tasks", STR_ARG(s->api_version));
}

static int hubspot_format(const struct sink_input *in, struct arena *arena,
                          struct request *out, struct err *e)
{
    const struct hubspot_settings *s = in->settings;
    struct str key;
    struct buf b;
    if (in->alert->state != ALERT_FIRING)
        return 0;
    if (request_secret(in, 0, "hubspot: key", &key, e))
        return -1;
    request_buf(&b);
    task_url(s, &b);
    int rc = request_post(out, arena, buf_str(&b),
                          request_json(task(s, in->alert, in->now_ms), arena), e);
    buf_clear(&b);
    buf_text(&b, "Bearer ");
    buf_put(&b, key);
    request_header(out, arena, "Authorization", buf_str(&b));
    buf_deinit(&b);
    return rc ? -1 : 1;
}

/* https://developers.hubspot.com/docs/api-reference/error-handling and /usage-guidelines:
 * 423 is a lock of some seconds, 477 a migration between data centres, and both are to be
 * tried again; a daily limit ends at midnight. */
static struct outcome hubspot_outcome(const void *settings,
                                      const struct response *response)
{
    enum { SECOND_MS = 1000, MINUTE_MS = 60000 };
    struct outcome o = outcome_by_status(response);
    (void)settings;
    if (o.verdict == DELIVERED)
        return o;
    json_t *answer =
        json_loadb(response->body.n ? response->body.p : "", response->body.n, 0, NULL);
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

#define AT(member) offsetof(struct hubspot_settings, member)
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
     .help = "The access token of a private app that may write tasks."},
    {.name = "api_version",
     .type = OPTION_TEXT,
     .offset = AT(api_version),
     .fallback = "v3",
     .min = 2,
     .max = 20,
     .help = "Version of the CRM API: `v3`, or a dated one such as `2026-03`."},
    {.name = "ticket_url",
     .type = OPTION_TEXT,
     .offset = AT(ticket_url),
     .max = 400,
     .help = "Where a ticket can be read; {id} stands for its id. Makes tickets links."},
};

const struct sink hubspot_sink = {
    .name = "hubspot",
    .help = "A task in HubSpot for the account's owner.",
    .options = hubspot_options,
    .options_n = sizeof hubspot_options / sizeof hubspot_options[0],
    .settings_bytes = sizeof(struct hubspot_settings),
    .format = hubspot_format,
    .outcome = hubspot_outcome,
};

/* What HubSpot shows: a task in words that make sense to somebody who has never heard of this program, and what a company
 * is told. The body carries the alert's id, by which a task is found again after a lost answer. All values are strings
 * in HubSpot. https://developers.hubspot.com/docs/api-reference/crm-tasks-v3/guide */
#include <stdio.h>
#include <strings.h>

#include "core/timefmt.h"
#include "core/zone.h"
#include "sinks/hubspot.h"
#include "sinks/memory.h"
#include "sinks/request.h"
#include "sinks/template.h"
#include "sinks/words.h"

enum {
    SUBJECT_UNITS = 200,
    LINE_UNITS = 600,
    TASK_TO_COMPANY = 192, /* association type, defined by HubSpot */
    DAY_MS = 86400000,
    RENEWAL_SOON_DAYS = 90,
    SCORE_STEP = 25,
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
struct alert_account hubspot_account(const struct alert *a)
{
    struct str id = words_key(a, "account");
    for (size_t i = 0; i < a->accounts_listed; i++)
        if (!id.n || str_eq(a->accounts[i].id, id))
            return a->accounts[i];
    return (struct alert_account){.id = id};
}

/* Of the clock on the wall: the end of this working day, or of the next when it is over. 1970-01-01 was a
 * Thursday. */
static int64_t due_ms(const struct hubspot_settings *s, int64_t now_ms)
{
    int64_t here_ms = now_ms + zone_offset_ms(now_ms);
    int64_t day = time_cell(here_ms, DAY_MS);
    if (here_ms - day * DAY_MS >= s->due_ms)
        day++;
    while ((day + 4) % 7 == 6 || (day + 4) % 7 == 0) /* Saturday, Sunday */
        day++;
    int64_t due_here_ms = day * DAY_MS + s->due_ms;
    return due_here_ms - zone_offset_ms(due_here_ms - zone_offset_ms(due_here_ms));
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
static json_t *subject(const struct hubspot_settings *s, const struct alert *a,
                       const struct alert_account *account)
{
    struct buf b, title;
    request_buf(&b);
    request_buf(&title);
    if (template_line(&s->title, a, &b, SUBJECT_UNITS)) {
        json_t *own = request_text(buf_str(&b));
        buf_deinit(&title);
        buf_deinit(&b);
        return own;
    }
    buf_text(&title, a->state == ALERT_VERIFIED ? "Fix verified: " : "");
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

/* What makes a score, each with its points. */
static void components(struct buf *b, const struct alert_health *health)
{
    buf_text(b, health->components_n ? "<p>Why:</p><ul>" : "");
    for (size_t i = 0; i < health->components_n; i++) {
        buf_text(b, "<li>");
        words_text(b, DIALECT_HTML, health->components[i].reason, LINE_UNITS);
        buf_text(b, ", ");
        words_number(b, health->components[i].points);
        buf_text(b, " points</li>");
    }
    buf_text(b, health->components_n ? "</ul>" : "");
    if (health->weight != 1) {
        buf_text(b, "<p>Its tier, MRR and renewal make that ");
        words_number(b, health->weight);
        buf_text(b, " times as much.</p>");
    }
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
    if (a->health.present)
        components(b, &a->health);
    else if (!words_says_all(a))
        paragraph(b, "", a->summary);
    paragraph(b, "First reported as: ", a->sample.subject);
    if (a->anomaly.present) {
        buf_text(b, "<p>Value ");
        words_anomaly(b, DIALECT_HTML, a);
        buf_text(b, ".</p>");
    }
    if (a->known_issue.id.n) {
        buf_text(b, "<p>Known issue: ");
        words_known_issue(b, DIALECT_HTML, a);
        buf_text(b, "</p>");
    }
    if (a->releases_n) {
        buf_text(b, "<p>Deployed before it began: ");
        words_releases(b, DIALECT_HTML, a);
        buf_text(b, ".</p>");
    }
}

static void next_step(struct buf *b, const struct alert *a)
{
    buf_text(b, "<p>Next: ");
    words_next_step(b, DIALECT_HTML, a);
    buf_text(b, "</p>");
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

struct str hubspot_company(const struct hubspot_settings *s, const struct alert *a,
                           const json_t *memory)
{
    struct alert_account account = hubspot_account(a);
    if (s->company_property.n)
        return memory_get(memory, "company");
    return is_numeric(account.id) ? account.id : STR_NONE;
}

/* Why the task is linked to no company. */
static void no_company(struct buf *b, const struct hubspot_settings *s, struct str id)
{
    buf_text(b, "<p>This task is linked to no company: ");
    words_code(b, DIALECT_HTML, id, LINE_UNITS);
    if (s->company_property.n) {
        buf_text(b, " is in the property ");
        words_code(b, DIALECT_HTML, s->company_property, LINE_UNITS);
        buf_text(b, " of none, or of several.</p>");
    } else {
        buf_text(b, " is no HubSpot company id.</p>");
    }
}

static void own_words(struct buf *b, const struct hubspot_settings *s,
                      const struct alert *a, const struct alert_account *account)
{
    account_line(b, account);
    reasons(b, a);
    next_step(b, a);
    tickets(b, a, s->ticket_url);
    other_accounts(b, a, account->id);
}

static json_t *task_body(const struct hubspot_settings *s, const struct alert *a,
                         const struct alert_account *account, bool linked)
{
    struct buf b;
    request_buf(&b);
    if (!template_text(&s->body, a, DIALECT_HTML, s->ticket_url, &b))
        own_words(&b, s, a, account);
    if (account->id.n && !linked)
        no_company(&b, s, account->id);
    buf_text(&b, "<p>ticketwatch rule ");
    words_code(&b, DIALECT_HTML, a->rule, LINE_UNITS);
    buf_printf(&b, ", alert <code>%s</code></p>", a->id);
    json_t *t = request_text(buf_str(&b));
    buf_deinit(&b);
    return t;
}

/* A company that HubSpot did not take is left out. */
static struct str linked_company(const struct sink_input *in, const json_t *memory)
{
    return memory_get(memory, "step_lone").n
               ? STR_NONE
               : hubspot_company(in->settings, in->alert, memory);
}

static json_t *associations(struct str company)
{
    json_t *list = json_array();
    if (company.n)
        request_append(list, json_pack("{s:{s:s%}, s:[{s:s, s:i}]}", "to", "id",
                                       company.p, company.n, "types",
                                       "associationCategory", "HUBSPOT_DEFINED",
                                       "associationTypeId", TASK_TO_COMPANY));
    return list;
}

/* What may change with an escalation. */
static json_t *changing(const struct sink_input *in, const struct alert_account *account,
                        bool linked)
{
    const struct alert *a = in->alert;
    json_t *p = json_object();
    request_set(p, "hs_task_subject", subject(in->settings, a, account));
    request_set(p, "hs_task_body", task_body(in->settings, a, account, linked));
    request_set(p, "hs_task_priority", json_string(priority(a, account, in->now_ms)));
    return p;
}

static void set_to_do(json_t *p, const struct hubspot_settings *s, int64_t now_ms)
{
    char due[TIME_TEXT_BYTES];
    request_set(p, "hs_timestamp", request_text(time_text(due_ms(s, now_ms), due)));
    request_set(p, "hs_task_status", json_string("NOT_STARTED"));
}

json_t *hubspot_task(const struct sink_input *in, const json_t *memory)
{
    const struct hubspot_settings *s = in->settings;
    struct alert_account account = hubspot_account(in->alert);
    struct str company = linked_company(in, memory);
    json_t *o = json_object(), *p = changing(in, &account, company.n > 0);
    set_to_do(p, s, in->now_ms);
    request_set(p, "hs_task_type", json_string("TODO"));
    if (is_numeric(account.owner))
        request_set(p, "hubspot_owner_id", request_text(account.owner));
    if (s->marker_property.n)
        json_object_setn_new(p, s->marker_property.p, s->marker_property.n,
                             json_string(in->alert->id));
    request_set(o, "properties", p);
    request_set(o, "associations", associations(company));
    return o;
}

json_t *hubspot_task_update(const struct sink_input *in, const json_t *memory)
{
    struct alert_account account = hubspot_account(in->alert);
    json_t *o = json_object(),
           *p = changing(in, &account, linked_company(in, memory).n > 0);
    if (in->alert->state ==
        ALERT_VERIFIED) /* it may be done: now somebody is to be told */
        set_to_do(p, in->settings, in->now_ms);
    request_set(o, "properties", p);
    return o;
}

/* "churn-friction (high): 3 times from 2 people in 6 days", "account-health (high): score 84; 3 frustrated tickets
 * within 14d". */
static json_t *reason(const struct alert *a)
{
    struct buf b;
    request_buf(&b);
    words_text(&b, DIALECT_PLAIN, a->rule, LINE_UNITS);
    buf_printf(
        &b, " (%s): ", a->state == ALERT_RESOLVED ? "over" : severity_name(a->severity));
    words_how_often(&b, a);
    for (size_t i = 0; i < a->health.components_n; i++) {
        buf_text(&b, "; ");
        words_text(&b, DIALECT_PLAIN, a->health.components[i].reason, LINE_UNITS);
    }
    json_t *t = request_text(buf_str(&b));
    buf_deinit(&b);
    return t;
}

static void set_property(json_t *p, struct str name, json_t *value)
{
    if (name.n)
        json_object_setn_new(p, name.p, name.n, value);
    else
        json_decref(value);
}

json_t *hubspot_company_update(const struct hubspot_settings *s, const struct alert *a)
{
    char score[16], time[TIME_TEXT_BYTES];
    json_t *o = json_object(), *p = json_object();
    int points = a->state == ALERT_RESOLVED ? 0 : SCORE_STEP * ((int)a->severity + 1);
    if (a->health.present)
        points = (int)a->health.score;
    snprintf(score, sizeof score, "%d", points);
    set_property(p, s->score_property, json_string(score));
    set_property(p, s->reasons_property, reason(a));
    set_property(p, s->signal_property, request_text(time_text(a->time_ms, time)));
    request_set(o, "properties", p);
    return o;
}

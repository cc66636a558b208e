#include "sinks/template_names.h"

#include "sinks/request.h"

enum { VALUE_UNITS = 500 };

struct source {
    const struct alert *alert;
    enum dialect dialect;
    struct str ticket_url;
    size_t i; /* of the list */
};

/* Appends the value, already harmless; nothing: it is absent. */
typedef void writer(struct buf *out, const struct source *s);

static void text(struct buf *out, const struct source *s, struct str value)
{
    words_text(out, s->dialect, value, VALUE_UNITS);
}

/* The state's name where it is this one, which is true to a section, else nothing. */
static void state(struct buf *out, const struct source *s, enum alert_state is)
{
    if (s->alert->state == is)
        buf_text(out, alert_state_name(is));
}

#define TEXT(name, value)                                     \
    static void name(struct buf *out, const struct source *s) \
    {                                                         \
        text(out, s, value);                                  \
    }
#define WORDS(name, call)                                     \
    static void name(struct buf *out, const struct source *s) \
    {                                                         \
        call;                                                 \
    }
TEXT(a_id, str_of(s->alert->id))
TEXT(a_rule, s->alert->rule)
TEXT(a_kind, s->alert->kind)
TEXT(a_state, str_of(alert_state_name(s->alert->state)))
TEXT(a_severity, str_of(severity_name(s->alert->severity)))
TEXT(a_summary, s->alert->summary)
TEXT(a_page_url, s->alert->sample.page_url)
TEXT(a_action, s->alert->sample.action)
TEXT(a_version, s->alert->sample.version)
TEXT(a_subject, s->alert->sample.subject)
TEXT(key_value, s->alert->key_values[s->i])
TEXT(account_id, s->alert->accounts[s->i].id)
TEXT(account_name, words_account_name(&s->alert->accounts[s->i]))
TEXT(account_tier, s->alert->accounts[s->i].tier)
TEXT(account_renewal, s->alert->accounts[s->i].renewal)
TEXT(account_owner, s->alert->accounts[s->i].owner)
TEXT(case_user, s->alert->evidence[s->i].user)
TEXT(case_account, s->alert->evidence[s->i].account)
TEXT(case_event, s->alert->evidence[s->i].event)
WORDS(a_time, words_time(out, s->alert->time_ms))
WORDS(a_since, words_time(out, s->alert->first_seen_ms))
WORDS(a_last_seen, words_time(out, s->alert->last_seen_ms))
WORDS(a_count, words_number(out, (double)s->alert->count))
WORDS(a_how_often, words_how_often(out, s->alert))
WORDS(a_frequency, (void)words_rate(out, s->alert))
WORDS(a_trend, (void)words_trend(out, s->alert))
WORDS(a_next, words_next_step(out, s->dialect, s->alert))
WORDS(a_known_issue, words_known_issue(out, s->dialect, s->alert))
WORDS(a_releases, words_releases(out, s->dialect, s->alert))
WORDS(a_accounts_total, words_number(out, (double)s->alert->accounts_n))
WORDS(account_line, words_account(out, s->dialect, &s->alert->accounts[s->i]))
WORDS(case_ticket,
      words_ticket(out, s->dialect, s->ticket_url, s->alert->evidence[s->i].ticket))
WORDS(case_time, words_time(out, s->alert->evidence[s->i].time_ms))
WORDS(is_firing, state(out, s, ALERT_FIRING))
WORDS(is_escalated, state(out, s, ALERT_ESCALATED))
WORDS(is_reminder, state(out, s, ALERT_REMINDER))
WORDS(is_resolved, state(out, s, ALERT_RESOLVED))
WORDS(is_verified, state(out, s, ALERT_VERIFIED))
static void a_title(struct buf *out, const struct source *s)
{
    struct buf whole;
    request_buf(&whole);
    words_title(&whole, s->alert, true);
    text(out, s, buf_str(&whole));
    buf_deinit(&whole);
}

static void a_error(struct buf *out, const struct source *s)
{
    struct buf whole;
    request_buf(&whole);
    words_error(&whole, s->alert);
    text(out, s, buf_str(&whole));
    buf_deinit(&whole);
}

static void a_people(struct buf *out, const struct source *s)
{
    if (s->alert->users > 0)
        words_number(out, (double)s->alert->users);
}

static void a_mrr(struct buf *out, const struct source *s)
{
    if (words_mrr(s->alert) != 0)
        words_number(out, words_mrr(s->alert));
}

static void a_value(struct buf *out, const struct source *s)
{
    if (s->alert->anomaly.present)
        words_anomaly(out, s->dialect, s->alert);
}

static void key_name(struct buf *out, const struct source *s)
{
    struct buf label;
    request_buf(&label);
    words_label(&label, s->alert->key_names[s->i]);
    text(out, s, buf_str(&label));
    buf_deinit(&label);
}

static void account_mrr(struct buf *out, const struct source *s)
{
    double mrr = s->alert->accounts[s->i].mrr;
    if (mrr != 0)
        words_number(out, mrr);
}

struct name {
    const char *list, *name;
    writer *write;
};

static const struct name names[] = {
    {"", "id", a_id},
    {"", "rule", a_rule},
    {"", "kind", a_kind},
    {"", "state", a_state},
    {"", "firing", is_firing},
    {"", "escalated", is_escalated},
    {"", "reminder", is_reminder},
    {"", "resolved", is_resolved},
    {"", "verified", is_verified},
    {"", "severity", a_severity},
    {"", "time", a_time},
    {"", "title", a_title},
    {"", "summary", a_summary},
    {"", "count", a_count},
    {"", "people", a_people},
    {"", "how_often", a_how_often},
    {"", "frequency", a_frequency},
    {"", "value", a_value},
    {"", "trend", a_trend},
    {"", "since", a_since},
    {"", "last_seen", a_last_seen},
    {"", "accounts_total", a_accounts_total},
    {"", "mrr", a_mrr},
    {"", "page_url", a_page_url},
    {"", "action", a_action},
    {"", "version", a_version},
    {"", "subject", a_subject},
    {"", "error", a_error},
    {"", "known_issue", a_known_issue},
    {"", "releases", a_releases},
    {"", "next", a_next},
    {"", "keys", NULL},
    {"", "accounts", NULL},
    {"", "cases", NULL},
    {"keys", "name", key_name},
    {"keys", "value", key_value},
    {"accounts", "account", account_line},
    {"accounts", "id", account_id},
    {"accounts", "name", account_name},
    {"accounts", "tier", account_tier},
    {"accounts", "mrr", account_mrr},
    {"accounts", "renewal", account_renewal},
    {"accounts", "owner", account_owner},
    {"cases", "ticket", case_ticket},
    {"cases", "time", case_time},
    {"cases", "user", case_user},
    {"cases", "account", case_account},
    {"cases", "event", case_event},
};
enum { NAMES = sizeof names / sizeof names[0] };

bool template_name_known(struct str list, struct str name)
{
    for (size_t i = 0; i < NAMES; i++)
        if (str_is(list, names[i].list) && str_is(name, names[i].name))
            return true;
    return false;
}

void template_names_offer(struct str list, struct suggestion *s)
{
    for (size_t i = 0; i < NAMES; i++)
        if (str_is(list, names[i].list))
            suggestion_offer(s, str_of(names[i].name));
}

static void set(json_t *object, const struct name *n, const struct source *s)
{
    struct buf b;
    request_buf(&b);
    n->write(&b, s);
    /* Not there is no: else Mustache would take an outer one of the same name. */
    request_set(object, n->name, b.n ? request_text(buf_str(&b)) : json_false());
    buf_deinit(&b);
}

static json_t *object(const struct source *s, const char *list)
{
    json_t *o = json_object();
    for (size_t i = 0; i < NAMES; i++)
        if (names[i].write && strcmp(names[i].list, list) == 0)
            set(o, &names[i], s);
    return o;
}

json_t *template_values(const struct alert *a, enum dialect d, struct str ticket_url)
{
    struct source s = {a, d, ticket_url, 0};
    const struct {
        const char *name;
        size_t n;
    } lists[] = {
        {"keys", a->keys_n}, {"accounts", a->accounts_listed}, {"cases", a->evidence_n}};
    json_t *o = object(&s, "");
    for (size_t l = 0; l < sizeof lists / sizeof lists[0]; l++) {
        json_t *list = json_array();
        for (s.i = 0; s.i < lists[l].n; s.i++)
            request_append(list, object(&s, lists[l].name));
        request_set(o, lists[l].name, list);
    }
    return o;
}

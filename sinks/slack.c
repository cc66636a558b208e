/* Slack, by incoming webhook: one Block Kit message a transition, since a webhook can neither edit nor
 * thread. Read from the top: what broke (header), how bad it is (fields), the error as the customer
 * had it, the accounts, tickets to open, and small print with the alert's id, by which one finds the
 * messages of one episode. Severity is an emoji and a word: colour alone tells some readers nothing.
 * Limits: https://docs.slack.dev/reference/block-kit/blocks (header 150, section 3000, field 2000,
 * 10 fields). All text is `verbatim`, so that Slack makes no links or mentions of it. */
#include <stdio.h>

#include "sinks/request.h"
#include "sinks/words.h"

enum {
    HEADER_UNITS = 150,
    SECTION_UNITS = 3000,
    FIELDS_MAX = 10,
    VALUE_UNITS = 300, /* a key's value, an error: what one reads in a message */
    NOTICE_UNITS = 250,
    ACCOUNTS_SHOWN = 5,
};

struct slack_settings {
    struct secret url;
    struct str ticket_url;
};

static json_t *text_object(const char *type, const struct buf *text)
{
    json_t *o = json_object();
    request_set(o, "type", json_string(type));
    request_set(o, "text", request_text(buf_str(text)));
    request_set(o, type[0] == 'm' ? "verbatim" : "emoji", json_true());
    return o;
}

static json_t *mrkdwn(const struct buf *text)
{
    return text_object("mrkdwn", text);
}

/* A block with one member. */
static void add_block(json_t *blocks, const char *type, const char *member, json_t *value)
{
    json_t *o = json_object();
    request_set(o, "type", json_string(type));
    request_set(o, member, value);
    request_append(blocks, o);
}

static const char *sign(const struct alert *a)
{
    static const char *const signs[SEVERITIES] = {"🔵", "🟡", "🟠", "🔴"};
    return a->state == ALERT_RESOLVED ? "✅" : signs[a->severity];
}

static const char *state_word(const struct alert *a)
{
    static const char *const words[ALERT_STATES] = {"", "Escalated: ", "Resolved: "};
    return words[a->state];
}

/* The title, escaped, within what is left of max_units. */
static void put_title(struct buf *b, const struct alert *a, bool with_message,
                      size_t max_units)
{
    struct buf title;
    request_buf(&title);
    words_title(&title, a, with_message);
    words_text(b, DIALECT_SLACK, buf_str(&title), max_units);
    buf_deinit(&title);
}

static void add_header(json_t *blocks, const struct alert *a, struct buf *b)
{
    buf_clear(b);
    buf_printf(b, "%s %s", sign(a), state_word(a));
    put_title(b, a, false,
              HEADER_UNITS - 16); /* sign and state word are shorter than that */
    add_block(blocks, "header", "text", text_object("plain_text", b));
}

/* "*Label*" and a line break; the value follows. */
static void begin_field(struct buf *b, const char *label)
{
    buf_clear(b);
    buf_printf(b, "*%s*\n", label);
}

static void end_field(json_t *fields, const struct buf *b)
{
    if (json_array_size(fields) < FIELDS_MAX)
        request_append(fields, mrkdwn(b));
}

/* The error has a section of its own, and so have a subject and an account where more than the key is
 * known of them. */
static bool is_shown_below(const struct alert *a, size_t key)
{
    struct str name = a->key_names[key], value = a->key_values[key];
    bool account = a->accounts_listed && str_eq(value, a->accounts[0].id);
    return (str_is(name, "error") && a->state != ALERT_RESOLVED) || account ||
           (str_is(name, "subject") && a->sample.subject.n);
}

static void add_key_fields(json_t *fields, const struct alert *a, struct buf *b)
{
    for (size_t i = 0; i < a->keys_n; i++) {
        if (is_shown_below(a, i) || !a->key_values[i].n)
            continue;
        buf_clear(b);
        buf_char(b, '*');
        words_label(b, a->key_names[i]);
        buf_text(b, "*\n");
        words_code(b, DIALECT_SLACK, a->key_values[i], VALUE_UNITS);
        end_field(fields, b);
    }
}

static void add_sample_field(json_t *fields, const char *label, struct str value,
                             struct buf *b)
{
    if (!value.n)
        return;
    begin_field(b, label);
    words_code(b, DIALECT_SLACK, value, VALUE_UNITS);
    end_field(fields, b);
}

static double listed_mrr(const struct alert *a)
{
    double sum = 0;
    for (size_t i = 0; i < a->accounts_listed; i++)
        sum += a->accounts[i].mrr;
    return sum;
}

static void add_accounts_field(json_t *fields, const struct alert *a, struct buf *b)
{
    if (a->accounts_n < 2)
        return; /* one is told below */
    begin_field(b, "Accounts");
    words_number(b, (double)a->accounts_n);
    if (listed_mrr(a) != 0) {
        buf_text(b, a->accounts_n > (int64_t)a->accounts_listed ? " (at least " : " (");
        words_number(b, listed_mrr(a));
        buf_text(b, " MRR)");
    }
    end_field(fields, b);
}

static void add_facts(json_t *fields, const struct alert *a, struct buf *b)
{
    begin_field(b, "Severity");
    buf_text(b, words_severity(a->severity));
    end_field(fields, b);
    if (a->anomaly.present) {
        begin_field(b, "Value");
        words_anomaly(b, &a->anomaly);
        end_field(fields, b);
    }
    begin_field(b, "How often");
    words_how_often(b, a);
    end_field(fields, b);
    add_accounts_field(fields, a, b);
    begin_field(b, a->state == ALERT_RESOLVED ? "From" : "Since");
    words_time(b, a->first_seen_ms);
    end_field(fields, b);
    if (a->state == ALERT_RESOLVED) {
        begin_field(b, "Last seen");
        words_time(b, a->last_seen_ms);
        end_field(fields, b);
    }
}

/* What the title leaves to say: of an update, which alert it belongs to. */
static void add_sentence(json_t *blocks, const struct alert *a, struct buf *b)
{
    buf_clear(b);
    if (a->state == ALERT_ESCALATED)
        buf_printf(b, "*Now %s.* The same alert as before, `%.8s`, got worse.",
                   severity_name(a->severity), a->id);
    else if (a->state == ALERT_RESOLVED)
        buf_printf(b, "*Over.* Alert `%.8s` is resolved.", a->id);
    if (!words_says_all(a)) {
        buf_text(b, b->n ? "\n" : "");
        words_text(b, DIALECT_SLACK, a->summary, 2 * VALUE_UNITS);
    }
    if (b->n)
        add_block(blocks, "section", "text", mrkdwn(b));
}

static void add_fields(json_t *blocks, const struct alert *a, struct buf *b)
{
    json_t *fields = json_array();
    add_key_fields(fields, a, b);
    add_facts(fields, a, b);
    add_sample_field(fields, "Action", a->sample.action, b);
    add_sample_field(fields, "Version", a->sample.version, b);
    add_block(blocks, "section", "fields", fields);
}

static void add_quote(json_t *blocks, const char *label, struct str text, struct buf *b)
{
    if (!text.n)
        return;
    begin_field(b, label);
    words_code(b, DIALECT_SLACK, text, 2 * VALUE_UNITS);
    add_block(blocks, "section", "text", mrkdwn(b));
}

static void add_error(json_t *blocks, const struct alert *a, struct buf *b)
{
    struct buf error;
    request_buf(&error);
    if (words_key(a, "error").n || words_key(a, "page").n)
        words_error(&error, a);
    add_quote(blocks, "Error", buf_str(&error), b);
    add_quote(blocks, "First reported as", a->sample.subject, b);
    buf_deinit(&error);
}

static void add_accounts(json_t *blocks, const struct alert *a, struct buf *b)
{
    int64_t n = 0;
    begin_field(b, a->accounts_n == 1 ? "Account" : "Largest accounts");
    for (; n < (int64_t)a->accounts_listed && n < ACCOUNTS_SHOWN; n++) {
        buf_text(b, n ? "\n• " : "• ");
        words_account(b, DIALECT_SLACK, &a->accounts[n]);
    }
    if (a->accounts_n > n)
        buf_printf(b, "\n… and %lld more", (long long)(a->accounts_n - n));
    if (n)
        add_block(blocks, "section", "text", mrkdwn(b));
}

/* Adds a piece to a list only where it fits whole: half a link is none. */
static void add_piece(struct buf *list, struct buf *piece)
{
    if (list->n + piece->n + 2 <=
        SECTION_UNITS) { /* bytes are at least as many as units */
        buf_text(list, list->p[list->n - 1] == '\n' ? "" : ", ");
        buf_put(list, buf_str(piece));
    }
    buf_clear(piece);
}

static void add_exemplars(json_t *blocks, const struct slack_settings *s,
                          const struct alert *a, struct buf *b)
{
    struct buf piece;
    bool tickets = false;
    request_buf(&piece);
    for (size_t i = 0; i < a->evidence_n; i++)
        tickets = tickets || a->evidence[i].ticket.n;
    begin_field(b, tickets ? "Tickets" : "Events");
    size_t empty = b->n;
    for (size_t i = 0; i < a->evidence_n; i++) {
        const struct alert_evidence *e = &a->evidence[i];
        if (tickets && e->ticket.n)
            words_ticket(&piece, DIALECT_SLACK, s->ticket_url, e->ticket);
        else if (!tickets && e->event.n)
            words_code(&piece, DIALECT_SLACK, e->event, VALUE_UNITS);
        if (piece.n)
            add_piece(b, &piece);
    }
    if (b->n > empty)
        add_block(blocks, "section", "text", mrkdwn(b));
    buf_deinit(&piece);
}

static void add_small_print(json_t *blocks, const struct alert *a, struct buf *b)
{
    json_t *elements = json_array();
    buf_clear(b);
    buf_text(b, "Rule ");
    words_code(b, DIALECT_SLACK, a->rule, VALUE_UNITS);
    buf_printf(b, " · alert `%s` · ", a->id);
    words_time(b, a->time_ms);
    request_append(elements, mrkdwn(b));
    add_block(blocks, "context", "elements", elements);
}

/* The text of the notification, and all that a screen reader or an old client has. */
static json_t *notice(const struct alert *a, struct buf *b)
{
    buf_clear(b);
    buf_printf(b, "%s %s[%s] ", sign(a), state_word(a), words_severity(a->severity));
    put_title(b, a, true, NOTICE_UNITS);
    buf_text(b, " (");
    words_how_often(b, a);
    buf_char(b, ')');
    return request_text(buf_str(b));
}

static json_t *message(const struct slack_settings *s, const struct alert *a)
{
    struct buf b;
    json_t *blocks = json_array(), *m = json_object();
    request_buf(&b);
    add_header(blocks, a, &b);
    add_sentence(blocks, a, &b);
    add_fields(blocks, a, &b);
    if (a->state != ALERT_RESOLVED)
        add_error(blocks, a, &b);
    add_accounts(blocks, a, &b);
    add_exemplars(blocks, s, a, &b);
    add_small_print(blocks, a, &b);
    request_set(m, "text", notice(a, &b));
    request_set(m, "blocks", blocks);
    request_set(m, "unfurl_links", json_false());
    request_set(m, "unfurl_media", json_false());
    buf_deinit(&b);
    return m;
}

static int slack_format(const struct sink_input *in, struct arena *arena,
                        struct request *out, struct err *e)
{
    struct str url;
    if (request_secret(in, 0, "slack: url", &url, e))
        return -1;
    return request_post(out, arena, url,
                        request_json(message(in->settings, in->alert), arena), e)
               ? -1
               : 1;
}

/* https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors: an error
 * is a status and one word; success is 200 and "ok". A 200 with anything else is not Slack's: saying it
 * again might post it again and again. */
static struct outcome slack_outcome(const void *settings, const struct response *response)
{
    struct outcome o = outcome_by_status(response);
    (void)settings;
    if (o.verdict == DELIVERED && !str_is(response->body, "ok")) {
        o.verdict = DEAD;
        snprintf(o.reason, sizeof o.reason,
                 "HTTP 200 without \"ok\": not Slack's answer");
    } else if (o.verdict != DELIVERED) {
        outcome_word(&o, response->body);
    }
    return o;
}

#define AT(member) offsetof(struct slack_settings, member)
static const struct option_row slack_options[] = {
    {.name = "url",
     .type = OPTION_SECRET,
     .offset = AT(url),
     .words = http_schemes,
     .required = true,
     .help = "The incoming webhook's address, which is a secret: who has it can post."},
    {.name = "ticket_url",
     .type = OPTION_TEXT,
     .offset = AT(ticket_url),
     .max = 400,
     .help = "Where a ticket can be read; {id} stands for its id. Makes tickets links."},
};

const struct sink slack_sink = {
    .name = "slack",
    .help = "A message in a Slack channel, by incoming webhook.",
    .options = slack_options,
    .options_n = sizeof slack_options / sizeof slack_options[0],
    .settings_bytes = sizeof(struct slack_settings),
    .format = slack_format,
    .outcome = slack_outcome,
};

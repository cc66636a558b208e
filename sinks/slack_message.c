/* What Slack shows. Read from the top: what broke (header), how bad it is (fields), the error as the customer
 * had it, the accounts, tickets to open, what to do next, and small print with the alert's id, by which one finds
 * the messages of one episode. Severity is a colour at the edge, an emoji and a word: colour alone tells some readers
 * nothing. Limits: https://docs.slack.dev/reference/block-kit/blocks (header 150, section 3000, field 2000,
 * 10 fields). All text is `verbatim`, so that Slack makes no links or mentions of it. */
#include "sinks/facts.h"
#include "sinks/request.h"
#include "sinks/slack.h"

enum {
    HEADER_UNITS = 150,
    SECTION_UNITS = 3000,
    FIELDS_MAX = 10,
    VALUE_UNITS = 300, /* a key's value, an error: what one reads in a message */
    NOTICE_UNITS = 250,
    ACCOUNTS_SHOWN = 5,
    TICKETS_SHOWN = 3,
};

static json_t *mrkdwn(const struct buf *text)
{
    return slack_text("mrkdwn", buf_str(text));
}

/* The title, escaped, within what is left of max_units. */
static void put_title(struct buf *b, const struct slack_settings *s,
                      const struct alert *a, bool with_message, size_t max_units)
{
    struct buf title;
    request_buf(&title);
    if (!template_line(&s->title, a, &title, max_units))
        words_title(&title, a, with_message);
    words_text(b, DIALECT_SLACK, buf_str(&title), max_units);
    buf_deinit(&title);
}

static void add_header(json_t *blocks, const struct slack_settings *s,
                       const struct alert *a, struct buf *b)
{
    buf_clear(b);
    buf_printf(b, "%s %s", facts_sign(a), facts_state(a));
    put_title(b, s, a, false,
              HEADER_UNITS - 17); /* sign and state word are no longer than that */
    slack_add_block(blocks, "header", "text", slack_text("plain_text", buf_str(b)));
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
    return (str_is(name, "error") && !alert_is_over(a)) || account ||
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

static void add_accounts_field(json_t *fields, const struct alert *a, struct buf *b)
{
    begin_field(b, "Accounts");
    size_t empty = b->n;
    facts_accounts(b, a);
    if (b->n > empty)
        end_field(fields, b);
}

static void add_course(json_t *fields, const struct alert *a, struct buf *b)
{
    begin_field(b, "Frequency");
    if (words_rate(b, a))
        end_field(fields, b);
    begin_field(b, "Trend");
    if (words_trend(b, a))
        end_field(fields, b);
}

static void add_facts(json_t *fields, const struct alert *a, struct buf *b)
{
    begin_field(b, "Severity");
    buf_text(b, words_severity(a->severity));
    end_field(fields, b);
    if (a->anomaly.present) {
        begin_field(b, "Value");
        words_anomaly(b, DIALECT_SLACK, a);
        end_field(fields, b);
    }
    begin_field(b, "How often");
    words_how_often(b, a);
    end_field(fields, b);
    add_course(fields, a, b);
    add_accounts_field(fields, a, b);
    begin_field(b, alert_is_over(a) ? "From" : "Since");
    words_time(b, a->first_seen_ms);
    end_field(fields, b);
    if (alert_is_over(a)) {
        begin_field(b, "Last seen");
        words_time(b, a->last_seen_ms);
        end_field(fields, b);
    }
}

/* What became of it since it was told first. */
static void put_news(struct buf *b, const struct alert *a)
{
    buf_char(b, '*');
    if (a->state == ALERT_REMINDER)
        words_still(b, a);
    else if (a->state == ALERT_RESOLVED)
        buf_text(b, "Over");
    else if (a->state == ALERT_VERIFIED)
        buf_text(b, "Fix verified");
    else
        buf_printf(b, "Now %s", severity_name(a->severity));
    buf_text(b, ".* ");
}

/* What the title leaves to say: of an update, which alert it belongs to. */
static void add_sentence(json_t *blocks, const struct alert *a, struct buf *b)
{
    static const char *const ends[ALERT_STATES] = {"", ", got worse", "", " is resolved",
                                                   " did not come back"};
    buf_clear(b);
    if (a->state != ALERT_FIRING) {
        put_news(b, a);
        buf_printf(b, "%s `%.8s`%s.",
                   alert_is_over(a) ? "Alert" : "The same alert as before,", a->id,
                   ends[a->state]);
    }
    if (!words_says_all(a)) {
        buf_text(b, b->n ? "\n" : "");
        words_text(b, DIALECT_SLACK, a->summary, 2 * VALUE_UNITS);
    }
    if (b->n)
        slack_add_block(blocks, "section", "text", mrkdwn(b));
}

static void add_fields(json_t *blocks, const struct alert *a, struct buf *b)
{
    json_t *fields = json_array();
    add_key_fields(fields, a, b);
    add_facts(fields, a, b);
    add_sample_field(fields, "Action", a->sample.action, b);
    add_sample_field(fields, "Version", a->sample.version, b);
    slack_add_block(blocks, "section", "fields", fields);
}

static void add_quote(json_t *blocks, const char *label, struct str text, struct buf *b)
{
    if (!text.n)
        return;
    begin_field(b, label);
    words_code(b, DIALECT_SLACK, text, 2 * VALUE_UNITS);
    slack_add_block(blocks, "section", "text", mrkdwn(b));
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
        slack_add_block(blocks, "section", "text", mrkdwn(b));
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
    struct exemplars all = facts_exemplars(a);
    request_buf(&piece);
    begin_field(b, all.tickets ? "Tickets" : "Events");
    size_t empty = b->n;
    for (size_t i = 0, shown = 0; i < all.n && shown < TICKETS_SHOWN; i++) {
        if (all.tickets)
            words_ticket(&piece, DIALECT_SLACK, s->ticket_url, all.ids[i]);
        else
            words_code(&piece, DIALECT_SLACK, all.ids[i], VALUE_UNITS);
        shown += piece.n > 0;
        if (piece.n)
            add_piece(b, &piece);
    }
    if (b->n > empty)
        slack_add_block(blocks, "section", "text", mrkdwn(b));
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
    slack_add_block(blocks, "context", "elements", elements);
}

/* The text of the notification, and all that a screen reader or an old client has. */
static json_t *notice(const struct slack_settings *s, const struct alert *a,
                      struct buf *b)
{
    buf_clear(b);
    buf_printf(b, "%s %s[%s] ", facts_sign(a), facts_state(a),
               words_severity(a->severity));
    put_title(b, s, a, true, NOTICE_UNITS);
    buf_text(b, " (");
    words_how_often(b, a);
    buf_char(b, ')');
    return request_text(buf_str(b));
}

/* What is known of it, other alerts that it explains, and what to do. */
static void add_next_step(json_t *blocks, const struct alert *a, struct buf *b)
{
    static const char *const labels[] = {"Known issue", "Deployed before",
                                         "Explains, and nobody was told of", "Next"};
    static words_writer *const words[] = {words_known_issue, words_releases,
                                          words_explained, words_next_step};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        begin_field(b, labels[i]);
        size_t empty = b->n;
        words[i](b, DIALECT_SLACK, a);
        if (b->n > empty &&
            b->n <= SECTION_UNITS) /* of a longer one Slack would refuse all */
            slack_add_block(blocks, "section", "text", mrkdwn(b));
    }
}

static void add_details(json_t *blocks, const struct slack_settings *s,
                        const struct alert *a, struct buf *b)
{
    add_fields(blocks, a, b);
    if (!alert_is_over(a))
        add_error(blocks, a, b);
    add_accounts(blocks, a, b);
    add_exemplars(blocks, s, a, b);
    add_next_step(blocks, a, b);
}

/* All but the header, in the colour of the severity. */
static json_t *details(const struct slack_settings *s, const struct alert *a, bool brief,
                       struct buf *b)
{
    json_t *blocks = json_array();
    buf_clear(b);
    if (!brief && template_text(&s->body, a, DIALECT_SLACK, s->ticket_url, b))
        slack_add_text(blocks, buf_str(b));
    else if (!brief)
        add_details(blocks, s, a, b);
    add_small_print(blocks, a, b);
    return blocks;
}

static json_t *finished(const struct slack_settings *s, const struct alert *a,
                        json_t *head, json_t *rest)
{
    json_t *m = json_object();
    struct buf b;
    request_buf(&b);
    request_set(m, "text", notice(s, a, &b));
    buf_deinit(&b);
    request_set(m, "blocks", head);
    slack_add_colour(m, a, rest);
    request_set(m, "unfurl_links", json_false());
    request_set(m, "unfurl_media", json_false());
    return m;
}

json_t *slack_message(const struct slack_settings *s, const struct alert *a, bool brief)
{
    struct buf b;
    json_t *head = json_array();
    request_buf(&b);
    add_header(head, s, a, &b);
    add_sentence(head, a, &b);
    json_t *m = finished(s, a, head, details(s, a, brief, &b));
    buf_deinit(&b);
    return m;
}

static void add_news(json_t *blocks, const struct alert *a, struct buf *b)
{
    buf_clear(b);
    buf_printf(b, "%s ", facts_sign(a));
    put_news(b, a);
    words_how_often(b, a);
    buf_text(b, ".");
    slack_add_block(blocks, "section", "text", mrkdwn(b));
}

json_t *slack_reply(const struct slack_settings *s, const struct alert *a)
{
    struct buf b;
    json_t *head = json_array(), *rest = json_array();
    request_buf(&b);
    add_news(head, a, &b);
    if (a->state != ALERT_RESOLVED) {
        add_accounts(rest, a, &b);
        add_exemplars(rest, s, a, &b);
    }
    add_next_step(rest, a, &b);
    add_small_print(rest, a, &b);
    json_t *m = finished(s, a, head, rest);
    buf_deinit(&b);
    return m;
}

/* Microsoft Teams, by the webhook of a workflow: one Adaptive Card a transition. All text stands in RichTextBlocks,
 * where neither Markdown nor mentions are read, so nothing needs escaping; severity is a word, a sign and the
 * header's colour. https://adaptivecards.io/explorer/ , version 1.4; a message has at most 28 KB:
 * https://learn.microsoft.com/microsoftteams/platform/bots/how-to/format-your-bot-messages */
#include <assert.h>
#include <stdio.h>

#include "sinks/digest.h"
#include "sinks/facts.h"
#include "sinks/request.h"
#include "sinks/rows.h"

enum {
    TITLE_UNITS = 250,
    SUMMARY_UNITS = 400,
    MESSAGE_MAX_BYTES = 28 * 1024,
    BODY_BYTES = 8000, /* of a template's text, each line of which is a block */
    LINES_MAX = 80,
};

struct teams_settings {
    struct secret url;
    struct str ticket_url;
    struct template_file title, body;
};

/* ---- pieces of a card ---- */

/* The last run of the block, for what more it is to be. */
static json_t *add_run(json_t *block, struct str text)
{
    json_t *run = json_object();
    request_set(run, "type", json_string("TextRun"));
    request_set(run, "text", request_text(text));
    request_append(json_object_get(block, "inlines"), run);
    return run;
}

static json_t *add_block(json_t *items)
{
    json_t *block = json_object();
    request_set(block, "type", json_string("RichTextBlock"));
    request_set(block, "inlines", json_array());
    request_append(items, block);
    return block;
}

/* A block that begins with a word in bold. */
static json_t *add_labelled(json_t *items, struct str label)
{
    json_t *block = add_block(items);
    request_set(block, "spacing", json_string("Small"));
    request_set(add_run(block, label), "weight", json_string("Bolder"));
    add_run(block, STR("  "));
    return block;
}

/* ---- a card ---- */

static const char *style(const struct alert *a)
{
    static const char *const styles[SEVERITIES] = {"accent", "warning", "warning",
                                                   "attention"};
    return alert_is_over(a) ? "good" : styles[a->severity];
}

static void add_title(json_t *body, const struct alert *a, struct str title)
{
    json_t *header = json_object(), *items = json_array();
    json_t *run = add_run(add_block(items), title);
    request_set(run, "weight", json_string("Bolder"));
    request_set(run, "size", json_string("Medium"));
    request_set(header, "type", json_string("Container"));
    request_set(header, "style", json_string(style(a)));
    request_set(header, "bleed", json_true());
    request_set(header, "items", items);
    request_append(body, header);
}

static void add_sentences(json_t *body, const struct alert *a)
{
    struct str summary = facts_summary(a);
    struct buf b;
    request_buf(&b);
    facts_update(&b, a);
    if (b.n)
        add_run(add_block(body), buf_str(&b));
    buf_clear(&b);
    words_text(&b, DIALECT_PLAIN, summary, SUMMARY_UNITS);
    if (b.n)
        add_run(add_block(body), buf_str(&b));
    buf_deinit(&b);
}

static void add_facts(json_t *body, const struct alert *a, struct arena *arena)
{
    struct facts f;
    facts_of(a, arena, &f);
    for (size_t i = 0; i < f.n; i++)
        add_run(add_labelled(body, f.items[i].label), f.items[i].value);
}

static void add_accounts(json_t *body, const struct alert *a)
{
    struct buf b;
    request_buf(&b);
    for (size_t i = 0; i < a->accounts_listed && i < FACTS_ACCOUNTS; i++) {
        buf_clear(&b);
        words_account(&b, DIALECT_PLAIN, &a->accounts[i]);
        json_t *block = add_labelled(body, i == 0 ? STR("Account") : STR("and"));
        add_run(block, buf_str(&b));
    }
    buf_deinit(&b);
}

static void link_to(json_t *run, struct str url)
{
    json_t *action = json_object();
    request_set(action, "type", json_string("Action.OpenUrl"));
    request_set(action, "url", request_text(url));
    request_set(run, "selectAction", action);
}

static void add_exemplar(json_t *block, struct str ticket_url, struct str id)
{
    struct buf text, url;
    request_buf(&text);
    request_buf(&url);
    if (json_array_size(json_object_get(block, "inlines")) > 2)
        add_run(block, STR(", "));
    words_text(&text, DIALECT_PLAIN, id, FACT_UNITS);
    json_t *run = add_run(block, buf_str(&text));
    if (words_ticket_url(&url, ticket_url, id))
        link_to(run, buf_str(&url));
    buf_deinit(&url);
    buf_deinit(&text);
}

static void add_exemplars(json_t *body, const struct teams_settings *s,
                          const struct alert *a)
{
    struct exemplars all = facts_exemplars(a);
    if (!all.n)
        return;
    json_t *block = add_labelled(body, all.tickets ? STR("Tickets") : STR("Events"));
    for (size_t i = 0; i < all.n; i++)
        add_exemplar(block, all.tickets ? s->ticket_url : STR_NONE, all.ids[i]);
}

static void add_small_print(json_t *body, const struct sink_input *in)
{
    struct buf b;
    request_buf(&b);
    if (in->digest)
        digest_small_print(&b, in->digest);
    else
        facts_small_print(&b, in->alert);
    json_t *run = add_run(add_block(body), buf_str(&b));
    request_set(run, "size", json_string("Small"));
    request_set(run, "isSubtle", json_true());
    buf_deinit(&b);
}

/* The operator's own text. False: there is none. */
static bool add_body(json_t *body, const struct teams_settings *s, const struct alert *a)
{
    struct buf text, line;
    buf_init(&text, 1 << 16);
    request_buf(&line);
    bool own = template_text(&s->body, a, DIALECT_PLAIN, s->ticket_url, &text);
    struct str rest = {text.p, template_piece(buf_str(&text), BODY_BYTES)};
    for (int n = 0; own && rest.n && n < LINES_MAX; n++) {
        const char *end = memchr(rest.p, '\n', rest.n);
        size_t to = end ? (size_t)(end - rest.p) : rest.n;
        buf_clear(&line);
        words_text(&line, DIALECT_PLAIN, (struct str){rest.p, to}, BODY_BYTES);
        if (line.n)
            add_run(add_block(body), buf_str(&line));
        rest = str_from(rest, end ? to + 1 : to);
    }
    buf_deinit(&line);
    buf_deinit(&text);
    return own;
}

static void add_own_words(json_t *body, const struct teams_settings *s,
                          const struct alert *a, struct arena *arena)
{
    add_sentences(body, a);
    add_facts(body, a, arena);
    add_accounts(body, a);
    add_exemplars(body, s, a);
}

static void add_list(json_t *body, const struct teams_settings *s, const struct digest *d,
                     struct arena *arena)
{
    struct digest_rows rows;
    digest_rows(d, arena, &rows);
    for (size_t i = 0; i < rows.n; i++) {
        const struct digest_row *r = &rows.items[i];
        json_t *block = add_block(body), *run = add_run(block, r->text);
        if (r->kind == DIGEST_GROUP)
            request_set(run, "weight", json_string("Bolder"));
        else
            request_set(block, "spacing", json_string("Small"));
        if (r->ticket.n) {
            add_run(block, STR(" · "));
            add_exemplar(block, s->ticket_url, r->ticket);
        }
    }
}

static void put_title(struct buf *out, const struct sink_input *in)
{
    const struct teams_settings *s = in->settings;
    if (in->digest)
        digest_title(out, in->digest);
    else
        facts_title(out, &s->title, in->alert, DIALECT_PLAIN, TITLE_UNITS);
}

static json_t *card(const struct sink_input *in, struct arena *arena)
{
    const struct teams_settings *s = in->settings;
    json_t *o = json_object(), *body = json_array();
    struct buf title;
    request_buf(&title);
    put_title(&title, in);
    add_title(body, in->alert, buf_str(&title));
    if (in->digest)
        add_list(body, s, in->digest, arena);
    else if (!add_body(body, s, in->alert))
        add_own_words(body, s, in->alert, arena);
    add_small_print(body, in);
    request_set(o, "$schema",
                json_string("http://adaptivecards.io/schemas/adaptive-card.json"));
    request_set(o, "type", json_string("AdaptiveCard"));
    request_set(o, "version", json_string("1.4"));
    request_set(o, "fallbackText", request_text(buf_str(&title)));
    request_set(o, "body", body);
    buf_deinit(&title);
    return o;
}

static json_t *message(const struct sink_input *in, struct arena *arena)
{
    json_t *m = json_object(), *list = json_array(), *attachment = json_object();
    request_set(attachment, "contentType",
                json_string("application/vnd.microsoft.card.adaptive"));
    request_set(attachment, "contentUrl", json_null());
    request_set(attachment, "content", card(in, arena));
    request_append(list, attachment);
    request_set(m, "type", json_string("message"));
    request_set(m, "attachments", list);
    return m;
}

static int teams_format(const struct sink_input *in, struct arena *arena,
                        struct request *out, struct err *e)
{
    struct str url;
    if (request_secret(in, 0, "teams: url", &url, e))
        return -1;
    struct str body = request_json(message(in, arena), arena);
    assert(body.n <= MESSAGE_MAX_BYTES); /* by the bounds of its texts */
    return request_post(out, arena, url, body, e) ? -1 : 1;
}

/* A workflow answers 202 once it has begun. The older connectors answer 200 also where Teams refused the message,
 * and say so in the body alone; that passes, mostly.
 * https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using */
static struct outcome teams_outcome(const void *settings, const struct response *response)
{
    static const struct str failed = STR("Webhook message delivery failed");
    struct outcome o = outcome_by_status(response);
    (void)settings;
    if (o.verdict == DELIVERED && str_starts(response->body, failed)) {
        o.verdict = RETRY;
        snprintf(o.reason, sizeof o.reason, "HTTP %d, but Teams did not take it",
                 response->status);
    }
    return o;
}

#define AT(member) offsetof(struct teams_settings, member)
static const struct option_row template_rows[] = {
    TEMPLATE_ROW("title", AT(title), "The card's title, plain."),
    TEMPLATE_ROW("body", AT(body), "The text below it, plain: each line is a paragraph."),
};
static const struct option_row teams_options[] = {
    {.name = "url",
     .type = OPTION_SECRET,
     .offset = AT(url),
     .words = http_schemes,
     .required = true,
     .help = "The address of a workflow that posts cards it gets by webhook; a secret: "
             "who has it can post."},
    TICKET_URL_ROW(AT(ticket_url)),
    TEMPLATES_ROW(template_rows),
};

const struct sink teams_sink = {
    .name = "teams",
    .help = "A card in a Microsoft Teams channel, by a workflow's webhook.",
    .options = teams_options,
    .options_n = sizeof teams_options / sizeof teams_options[0],
    .settings_bytes = sizeof(struct teams_settings),
    .digests = true,
    .format = teams_format,
    .outcome = teams_outcome,
};

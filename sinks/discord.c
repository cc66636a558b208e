/* Discord, by webhook: one message a transition, an embed with fields. The answer to `wait` says that the message
 * was kept; without it Discord says 204 also where it was not. A name or @everyone in a text pings nobody:
 * allowed_mentions is empty, and all text is escaped besides.
 * https://docs.discord.com/developers/resources/webhook#execute-webhook , limits: .../resources/message#embed-object */
#include <math.h>
#include <stdio.h>

#include "core/timefmt.h"
#include "sinks/digest.h"
#include "sinks/facts.h"
#include "sinks/request.h"
#include "sinks/rows.h"

/* Of an embed: title 256, description 4,096, 25 fields of 256 and 1,024, all together 6,000. */
enum {
    TITLE_UNITS = 250,
    LIST_UNITS = 1000,
    SUMMARY_UNITS = 400,
    BODY_BYTES = 4000, /* bytes are at least as many as units */
};

struct discord_settings {
    struct secret url;
    struct str ticket_url;
    struct template_file title, body;
};

static void add_field(json_t *fields, struct str name, const struct buf *value,
                      bool beside)
{
    json_t *o = json_object();
    if (!value->n) {
        json_decref(o);
        return;
    }
    request_set(o, "name", request_text(name));
    request_set(o, "value", request_text(buf_str(value)));
    request_set(o, "inline", json_boolean(beside));
    request_append(fields, o);
}

static void add_facts(json_t *fields, const struct alert *a, struct arena *arena)
{
    struct facts f;
    struct buf value;
    request_buf(&value);
    facts_of(a, arena, &f);
    for (size_t i = 0; i < f.n; i++) {
        buf_clear(&value);
        words_text(&value, DIALECT_DISCORD, f.items[i].value,
                   f.items[i].is_long ? FACT_LONG_UNITS : FACT_UNITS);
        add_field(fields, f.items[i].label, &value, !f.items[i].is_long);
    }
    buf_deinit(&value);
}

/* Half a link is none: what does not fit whole is left out. */
static void add_piece(struct buf *list, struct buf *piece, const char *between)
{
    size_t n = list->n ? strlen(between) : 0; /* bytes are at least as many as units */
    if (piece->n && list->n + n + piece->n <= LIST_UNITS) {
        buf_text(list, n ? between : "");
        buf_put(list, buf_str(piece));
    }
    buf_clear(piece);
}

static void add_accounts(json_t *fields, const struct alert *a)
{
    struct buf list, piece;
    request_buf(&list);
    request_buf(&piece);
    for (size_t i = 0; i < a->accounts_listed && i < FACTS_ACCOUNTS; i++) {
        words_account(&piece, DIALECT_DISCORD, &a->accounts[i]);
        add_piece(&list, &piece, "\n");
    }
    add_field(fields, a->accounts_n == 1 ? STR("Account") : STR("Largest accounts"),
              &list, false);
    buf_deinit(&list);
    buf_deinit(&piece);
}

static void add_exemplars(json_t *fields, const struct discord_settings *s,
                          const struct alert *a)
{
    struct buf list, piece;
    struct exemplars all = facts_exemplars(a);
    request_buf(&list);
    request_buf(&piece);
    for (size_t i = 0; i < all.n; i++) {
        if (all.tickets)
            words_ticket(&piece, DIALECT_DISCORD, s->ticket_url, all.ids[i]);
        else
            words_text(&piece, DIALECT_DISCORD, all.ids[i], FACT_UNITS);
        add_piece(&list, &piece, ", ");
    }
    add_field(fields, all.tickets ? STR("Tickets") : STR("Events"), &list, false);
    buf_deinit(&list);
    buf_deinit(&piece);
}

static void put_description(json_t *embed, const struct alert *a)
{
    struct str summary = facts_summary(a);
    struct buf b;
    request_buf(&b);
    facts_update(&b, a);
    if (summary.n) {
        buf_text(&b, b.n ? "\n" : "");
        words_text(&b, DIALECT_DISCORD, summary, SUMMARY_UNITS);
    }
    if (b.n)
        request_set(embed, "description", request_text(buf_str(&b)));
    buf_deinit(&b);
}

static void put_title(json_t *embed, const struct sink_input *in)
{
    const struct discord_settings *s = in->settings;
    const struct alert *a = in->alert;
    char time[TIME_TEXT_BYTES];
    struct buf b;
    request_buf(&b);
    if (in->digest)
        digest_title(&b, in->digest);
    else
        facts_title(&b, &s->title, a, DIALECT_DISCORD, TITLE_UNITS);
    request_set(embed, "title", request_text(buf_str(&b)));
    request_set(embed, "color", json_integer(facts_colour(a)));
    request_set(embed, "timestamp", request_text(time_text(a->time_ms, time)));
    buf_deinit(&b);
}

/* Nothing in a footer is read as Markdown. */
static void put_footer(json_t *embed, const struct sink_input *in)
{
    json_t *footer = json_object();
    struct buf b;
    request_buf(&b);
    if (in->digest)
        digest_small_print(&b, in->digest);
    else
        facts_small_print(&b, in->alert);
    request_set(footer, "text", request_text(buf_str(&b)));
    request_set(embed, "footer", footer);
    buf_deinit(&b);
}

static void put_list(json_t *embed, const struct discord_settings *s,
                     const struct digest *d)
{
    struct buf text;
    request_buf(&text);
    digest_text(&text, d, DIALECT_DISCORD, s->ticket_url, BODY_BYTES);
    request_set(embed, "description", request_text(buf_str(&text)));
    buf_deinit(&text);
}

/* The operator's own text. False: there is none. */
static bool put_body(json_t *embed, const struct discord_settings *s,
                     const struct alert *a)
{
    struct buf text;
    buf_init(&text, 1 << 16);
    bool own = template_text(&s->body, a, DIALECT_DISCORD, s->ticket_url, &text);
    struct str piece = {text.p, template_piece(buf_str(&text), BODY_BYTES)};
    if (own)
        request_set(embed, "description", request_text(piece));
    buf_deinit(&text);
    return own;
}

static json_t *fields_of(const struct discord_settings *s, const struct alert *a,
                         struct arena *arena)
{
    json_t *fields = json_array();
    add_facts(fields, a, arena);
    add_accounts(fields, a);
    add_exemplars(fields, s, a);
    return fields;
}

static json_t *message(const struct sink_input *in, struct arena *arena)
{
    const struct discord_settings *s = in->settings;
    json_t *m = json_object(), *embeds = json_array(), *embed = json_object();
    json_t *mentions = json_object();
    put_title(embed, in);
    if (in->digest) {
        put_list(embed, s, in->digest);
    } else if (!put_body(embed, s, in->alert)) {
        put_description(embed, in->alert);
        request_set(embed, "fields", fields_of(s, in->alert, arena));
    }
    put_footer(embed, in);
    request_append(embeds, embed);
    request_set(m, "embeds", embeds);
    request_set(mentions, "parse", json_array());
    request_set(m, "allowed_mentions", mentions);
    return m;
}

static struct str waiting(struct str url, struct arena *arena)
{
    struct buf b;
    request_buf(&b);
    buf_put(&b, url);
    buf_text(&b, memchr(url.p, '?', url.n) ? "&wait=true" : "?wait=true");
    struct str kept = arena_str(arena, buf_str(&b));
    buf_deinit(&b);
    return kept;
}

static int discord_format(const struct sink_input *in, struct arena *arena,
                          struct request *out, struct err *e)
{
    struct str url;
    if (request_secret(in, 0, "discord: url", &url, e))
        return -1;
    struct str body = request_json(message(in, arena), arena);
    return request_post(out, arena, waiting(url, arena), body, e) ? -1 : 1;
}

/* https://docs.discord.com/developers/topics/rate-limits : the body says more exactly than the header, in
 * seconds, when it may be tried again. A limit of Cloudflare's has the header alone. */
static void read_limit(struct outcome *o, const json_t *answer)
{
    double seconds = json_number_value(json_object_get(answer, "retry_after"));
    if (seconds > 0 && seconds * 1000 > (double)o->retry_after_ms)
        o->retry_after_ms = seconds < 86400 ? (int64_t)ceil(seconds * 1000) : 86400000;
}

/* An error has a number; https://docs.discord.com/developers/topics/opcodes-and-status-codes#json */
static struct outcome discord_outcome(const void *settings,
                                      const struct response *response)
{
    struct outcome o = outcome_by_status(response);
    (void)settings;
    json_t *answer = response_json(response);
    const json_t *code = json_object_get(answer, "code");
    bool kept = json_is_string(json_object_get(answer, "id"));
    if (o.verdict == DELIVERED && response->status != 204 && !kept &&
        !response->body_cut) {
        o.verdict = DEAD;
        snprintf(o.reason, sizeof o.reason,
                 "HTTP %d without a message: not Discord's answer", response->status);
    } else if (o.verdict != DELIVERED && json_integer_value(code)) {
        snprintf(o.reason, sizeof o.reason, "HTTP %d code %lld", response->status,
                 (long long)json_integer_value(code));
    }
    if (o.verdict == RETRY)
        read_limit(&o, answer);
    json_decref(answer);
    return o;
}

#define AT(member) offsetof(struct discord_settings, member)
static const struct option_row template_rows[] = {
    TEMPLATE_ROW("title", AT(title), "The embed's title, plain."),
    TEMPLATE_ROW("body", AT(body),
                 "The text below it, instead of the fields, in Discord's Markdown."),
};
static const struct option_row discord_options[] = {
    {.name = "url",
     .type = OPTION_SECRET,
     .offset = AT(url),
     .words = http_schemes,
     .required = true,
     .help = "The webhook's address, which is a secret: who has it can post. For a "
             "thread add `?thread_id=...`."},
    TICKET_URL_ROW(AT(ticket_url)),
    TEMPLATES_ROW(template_rows),
};

const struct sink discord_sink = {
    .name = "discord",
    .help = "A message in a Discord channel, by webhook.",
    .options = discord_options,
    .options_n = sizeof discord_options / sizeof discord_options[0],
    .settings_bytes = sizeof(struct discord_settings),
    .digests = true,
    .format = discord_format,
    .outcome = discord_outcome,
};

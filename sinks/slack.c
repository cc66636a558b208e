/* Slack: Block Kit messages (slack_message.c). By incoming webhook, which can neither edit nor thread, each
 * transition is a message of its own. With a bot's token an episode is one message, kept up to date, with
 * its transitions in the thread (slack_talk.c). */
#include "sinks/slack.h"

#include <stdio.h>

#include "sinks/request.h"
#include "sinks/rows.h"

static int slack_format(const struct sink_input *in, struct arena *arena,
                        struct request *out, struct err *e)
{
    struct str url;
    if (in->secrets->values[SLACK_TOKEN].n)
        return slack_talk_format(in, arena, out, e);
    if (request_secret(in, SLACK_URL, "slack: url", &url, e))
        return -1;
    struct str body = request_json(slack_message_of(in, false), arena);
    return request_post(out, arena, url, body, e) ? -1 : 1;
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

static struct outcome slack_hear(const struct sink_input *in,
                                 const struct response *response, struct buf *memory)
{
    if (in->secrets->values[SLACK_TOKEN].n)
        return slack_talk_hear(in, response, memory);
    return slack_outcome(in->settings, response);
}

static bool is_set(const struct secret *s)
{
    return s->value.n || s->file.n;
}

/* An id: names are not taken by all methods. */
static bool is_channel(struct str s)
{
    if (s.n < 9 || !strchr("CGD", s.p[0]))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!(s.p[i] >= 'A' && s.p[i] <= 'Z') && !(s.p[i] >= '0' && s.p[i] <= '9'))
            return false;
    return true;
}

static int slack_complete(void *settings, const struct sink_surroundings *around,
                          struct err *e)
{
    const struct slack_settings *s = settings;
    (void)around;
    if (is_set(&s->url) == is_set(&s->token))
        return err_set(e, ERR_INPUT, "either 'url' or 'token' is needed, and not both");
    if (is_set(&s->url) && s->channel.n)
        return err_set(e, ERR_INPUT,
                       "a webhook has its own channel: 'channel' goes with 'token'");
    if (is_set(&s->token) && !is_channel(s->channel))
        return err_set(
            e, ERR_INPUT,
            "with 'token' the channel's id is needed, such as channel: C024BE91L");
    return 0;
}

#define AT(member) offsetof(struct slack_settings, member)
static const struct option_row template_rows[] = {
    TEMPLATE_ROW("title", AT(title), "The headline and the notification, plain."),
    TEMPLATE_ROW("body", AT(body), "The message below it, in Slack's mrkdwn."),
};
static const struct option_row slack_options[] = {
    {.name = "url",
     .type = OPTION_SECRET,
     .offset = AT(url),
     .words = http_schemes,
     .help = "The incoming webhook's address, which is a secret: who has it can post."},
    {.name = "token",
     .type = OPTION_SECRET,
     .offset = AT(token),
     .help = "Instead of `url`: a bot's token (scopes chat:write, and channels:history "
             "or groups:history). An episode is then one message, kept up to date and "
             "threaded."},
    {.name = "channel",
     .type = OPTION_TEXT,
     .offset = AT(channel),
     .max = 40,
     .help = "With `token`: the channel's id, such as C024BE91L. The bot must be in it."},
    {.name = "api_url",
     .type = OPTION_TEXT,
     .offset = AT(api_url),
     .words = http_schemes,
     .fallback = "https://slack.com/api",
     .help = "With `token`: where the API is."},
    TICKET_URL_ROW(AT(ticket_url)),
    TEMPLATES_ROW(template_rows),
};

const struct sink slack_sink = {
    .name = "slack",
    .help = "A message in a Slack channel, by incoming webhook or as a bot.",
    .options = slack_options,
    .options_n = sizeof slack_options / sizeof slack_options[0],
    .settings_bytes = sizeof(struct slack_settings),
    .rate = "1/s",
    .digests = true,
    .format = slack_format,
    .outcome = slack_outcome,
    .hear = slack_hear,
    .complete = slack_complete,
};

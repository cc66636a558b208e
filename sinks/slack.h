/* Slack's three parts: where it goes (slack.c), what it says (slack_message.c), and which request follows which with a
 * bot's token (slack_talk.c). Pure. */
#ifndef SINKS_SLACK_H
#define SINKS_SLACK_H

#include <jansson.h>

#include "core/option.h"
#include "sinks/sink.h"

struct slack_settings {
    struct secret url, token;
    struct str channel, api_url, ticket_url;
    struct template_file title, body;
};
enum { SLACK_URL, SLACK_TOKEN }; /* of the secrets */

/* ---- slack_message.c ---- */

/* "text", "blocks" and "attachments" about the alert, for a webhook and chat.postMessage alike. `brief`: without what
 * can be long. */
json_t *slack_message(const struct slack_settings *s, const struct alert *a, bool brief);
/* What there is to add in the thread of that message. */
json_t *slack_reply(const struct slack_settings *s, const struct alert *a);

/* ---- slack_digest.c ---- */

/* The message for what a sink is given: one alert or many. */
json_t *slack_message_of(const struct sink_input *in, bool brief);

/* ---- slack_body.c ---- */

/* Appends sections of mrkdwn. */
void slack_add_text(json_t *blocks, struct str text);
/* A text as an object of Slack's: "mrkdwn" or "plain_text". */
json_t *slack_text(const char *type, struct str text);
/* A block with one member. */
void slack_add_block(json_t *blocks, const char *type, const char *member, json_t *value);
/* "attachments": these blocks in the colour of the alert's severity, or of its end. */
void slack_add_colour(json_t *message, const struct alert *a, json_t *blocks);

/* ---- slack_talk.c ---- */

int slack_talk_format(const struct sink_input *in, struct arena *arena,
                      struct request *out, struct err *e);
struct outcome slack_talk_hear(const struct sink_input *in,
                               const struct response *response, struct buf *memory);

#endif

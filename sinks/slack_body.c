/* Pieces of a message. A text of any length becomes sections of what Slack takes, cut at line breaks, else between
 * words, never in the middle of a link. */
#include "sinks/request.h"
#include "sinks/slack.h"
#include "sinks/template.h"

enum {
    SECTION_BYTES = 2900,
    SECTIONS_MAX = 20
}; /* bytes are at least as many as units */

static bool is_blank(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] > ' ')
            return false;
    return true;
}

json_t *slack_text(const char *type, struct str text)
{
    json_t *o = json_object();
    request_set(o, "type", json_string(type));
    request_set(o, "text", request_text(text));
    request_set(o, type[0] == 'm' ? "verbatim" : "emoji", json_true());
    return o;
}

void slack_add_block(json_t *blocks, const char *type, const char *member, json_t *value)
{
    json_t *o = json_object();
    request_set(o, "type", json_string(type));
    request_set(o, member, value);
    request_append(blocks, o);
}

void slack_add_colour(json_t *message, const struct alert *a, json_t *blocks)
{
    static const char *const colours[SEVERITIES] = {"#3b82f6", "#eab308", "#f97316",
                                                    "#dc2626"};
    const char *colour = alert_is_over(a) ? "#16a34a" : colours[a->severity];
    json_t *list = json_array(), *attachment = json_object();
    request_set(attachment, "color", json_string(colour));
    request_set(attachment, "blocks", blocks);
    request_append(list, attachment);
    request_set(message, "attachments", list);
}

void slack_add_text(json_t *blocks, struct str text)
{
    for (int n = 0; n < SECTIONS_MAX && !is_blank(text); n++) {
        size_t piece = template_piece(text, SECTION_BYTES);
        struct str now = {text.p, piece};
        if (!is_blank(now))
            slack_add_block(blocks, "section", "text", slack_text("mrkdwn", now));
        text.p += piece;
        text.n -= piece;
    }
}

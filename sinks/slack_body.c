/* A text of the operator's own in mrkdwn: sections of what Slack takes, cut at line breaks, else between words, never
 * in the middle of a link. */
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

static void add_section(json_t *blocks, struct str text)
{
    json_t *block = json_object(), *o = json_object();
    request_set(o, "type", json_string("mrkdwn"));
    request_set(o, "text", request_text(text));
    request_set(o, "verbatim", json_true());
    request_set(block, "type", json_string("section"));
    request_set(block, "text", o);
    request_append(blocks, block);
}

void slack_add_text(json_t *blocks, struct str text)
{
    for (int n = 0; n < SECTIONS_MAX && !is_blank(text); n++) {
        size_t piece = template_piece(text, SECTION_BYTES);
        struct str now = {text.p, piece};
        if (!is_blank(now))
            add_section(blocks, now);
        text.p += piece;
        text.n -= piece;
    }
}

/* A text of the operator's own in mrkdwn: sections of what Slack takes, cut at line breaks, else between words, never
 * in the middle of a link. */
#include "sinks/request.h"
#include "sinks/slack.h"

enum {
    SECTION_BYTES = 2900,
    SECTIONS_MAX = 20
}; /* bytes are at least as many as units */

/* Where a piece may end: after the last line break, else before the last blank outside of <...>, else between two
 * code points. */
static size_t piece_of(struct str text)
{
    size_t line = 0, word = 0, point = 0;
    int open = 0;
    if (text.n <= SECTION_BYTES)
        return text.n;
    for (size_t i = 0; i < SECTION_BYTES; i++) {
        open += (text.p[i] == '<') - (text.p[i] == '>');
        if (text.p[i] == '\n')
            line = i + 1;
        if (text.p[i] == ' ' && open == 0)
            word = i + 1;
        if (((unsigned char)text.p[i] & 0xC0) != 0x80)
            point = i;
    }
    return line ? line : word ? word : point;
}

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
        size_t piece = piece_of(text);
        struct str now = {text.p, piece};
        if (!is_blank(now))
            add_section(blocks, now);
        text.p += piece;
        text.n -= piece;
    }
}

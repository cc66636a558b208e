/* Many alerts as one message: the header counts, the sections list, the small print has the digest's id, which the
 * metadata of a bot's message has as well. */
#include "sinks/digest.h"
#include "sinks/request.h"
#include "sinks/slack.h"

enum { LIST_BYTES = 20000 };

static void add_list(json_t *blocks, const struct slack_settings *s,
                     const struct digest *d)
{
    struct buf text;
    request_buf(&text);
    digest_text(&text, d, DIALECT_SLACK, s->ticket_url, LIST_BYTES);
    slack_add_text(blocks, buf_str(&text));
    buf_deinit(&text);
}

static void add_small_print(json_t *blocks, const struct digest *d)
{
    json_t *elements = json_array();
    struct buf text;
    request_buf(&text);
    digest_small_print(&text, d);
    request_append(elements, slack_text("mrkdwn", buf_str(&text)));
    slack_add_block(blocks, "context", "elements", elements);
    buf_deinit(&text);
}

static json_t *digest_message(const struct slack_settings *s, const struct digest *d,
                              bool brief)
{
    json_t *m = json_object(), *head = json_array(), *rest = json_array();
    struct buf title;
    request_buf(&title);
    digest_title(&title, d);
    request_set(m, "text", request_text(buf_str(&title)));
    slack_add_block(head, "header", "text", slack_text("plain_text", buf_str(&title)));
    buf_deinit(&title);
    if (!brief)
        add_list(rest, s, d);
    add_small_print(rest, d);
    request_set(m, "blocks", head);
    slack_add_colour(m, &d->face, rest);
    request_set(m, "unfurl_links", json_false());
    request_set(m, "unfurl_media", json_false());
    return m;
}

json_t *slack_message_of(const struct sink_input *in, bool brief)
{
    const struct slack_settings *s = in->settings;
    return in->digest ? digest_message(s, in->digest, brief)
                      : slack_message(s, in->alert, brief);
}

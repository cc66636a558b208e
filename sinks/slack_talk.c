/* As a bot: the first message's `ts` is remembered; later steps update it in place and are told in its thread. Slack
 * knows no idempotency, so every message carries the alert's id and step as metadata, and where an answer was lost, or
 * the memory, the channel is read before anything is posted again. A bot that may not read posts again.
 * https://docs.slack.dev/reference/methods/chat.postMessage, chat.update, conversations.history */
#include <stdio.h>

#include "sinks/memory.h"
#include "sinks/request.h"
#include "sinks/slack.h"

enum { HISTORY_LIMIT = 15 }; /* what fits into RESPONSE_MAX_BYTES */
#define EVENT_TYPE "ticketwatch_alert"

enum ask {
    ASK_LOOK,       /* is the message there? */
    ASK_POST,       /* the message */
    ASK_UPDATE,     /* in place */
    ASK_LOOK_REPLY, /* is the reply there? */
    ASK_REPLY,      /* in the thread */
};
static const char *const stages[] = {[ASK_LOOK] = "look",
                                     [ASK_POST] = "post",
                                     [ASK_UPDATE] = "update",
                                     [ASK_LOOK_REPLY] = "look_reply",
                                     [ASK_REPLY] = "reply"};
static const char *const methods[] = {[ASK_LOOK] = "/conversations.history",
                                      [ASK_POST] = "/chat.postMessage",
                                      [ASK_UPDATE] = "/chat.update",
                                      [ASK_LOOK_REPLY] = "/conversations.replies",
                                      [ASK_REPLY] = "/chat.postMessage"};

/* Nothing was told before it, so there is nothing to update. */
static bool is_first(const struct sink_input *in)
{
    return in->digest || in->alert->state == ALERT_FIRING;
}

static enum ask next(const struct sink_input *in, const json_t *memory)
{
    bool known = memory_get(memory, "ts").n > 0;
    enum ask ask = known ? ASK_UPDATE : is_first(in) ? ASK_POST : ASK_LOOK;
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++)
        if (memory_is(memory, "stage", stages[i]))
            ask = (enum ask)i;
    if (in->again && ask == ASK_POST)
        return ASK_LOOK;
    return in->again && ask == ASK_REPLY ? ASK_LOOK_REPLY : ask;
}

/* ---- asking ---- */

static void set_metadata(json_t *o, const json_t *memory)
{
    json_t *metadata = json_object(), *payload = json_object();
    request_set(payload, "alert", request_text(memory_get(memory, "alert")));
    request_set(payload, "step", request_text(memory_get(memory, "step")));
    request_set(metadata, "event_type", json_string(EVENT_TYPE));
    request_set(metadata, "event_payload", payload);
    request_set(o, "metadata", metadata);
}

static struct str channel_of(const struct slack_settings *s, const json_t *memory)
{
    struct str known = memory_get(memory, "channel");
    return known.n ? known : s->channel;
}

static struct str message(const struct sink_input *in, const json_t *memory, enum ask ask,
                          struct arena *arena)
{
    const struct slack_settings *s = in->settings;
    bool brief = memory_get(memory, "step_brief").n > 0;
    json_t *o =
        ask == ASK_REPLY ? slack_reply(s, in->alert) : slack_message_of(in, brief);
    request_set(o, "channel", request_text(channel_of(s, memory)));
    set_metadata(o, memory);
    if (ask == ASK_UPDATE)
        request_set(o, "ts", request_text(memory_get(memory, "ts")));
    if (ask == ASK_REPLY) {
        request_set(o, "thread_ts", request_text(memory_get(memory, "ts")));
        request_set(o, "reply_broadcast",
                    json_boolean(in->alert->state != ALERT_RESOLVED));
    }
    if (ask == ASK_UPDATE) { /* it knows neither */
        json_object_del(o, "unfurl_links");
        json_object_del(o, "unfurl_media");
    }
    return request_json(o, arena);
}

/* Reading takes a form, not JSON. Ids and times need no escape. */
static struct str form(const struct sink_input *in, const json_t *memory, enum ask ask,
                       struct arena *arena)
{
    struct buf b;
    request_buf(&b);
    buf_printf(&b, "channel=%.*s&include_all_metadata=true&limit=%d",
               STR_ARG(channel_of(in->settings, memory)), HISTORY_LIMIT);
    if (ask == ASK_LOOK_REPLY)
        buf_printf(&b, "&ts=%.*s", STR_ARG(memory_get(memory, "ts")));
    struct str kept = arena_str(arena, buf_str(&b));
    buf_deinit(&b);
    return kept;
}

static int post(const struct sink_input *in, const json_t *memory, struct arena *arena,
                struct request *out, struct err *e)
{
    const struct slack_settings *s = in->settings;
    enum ask ask = next(in, memory);
    bool reads = ask == ASK_LOOK || ask == ASK_LOOK_REPLY;
    struct buf url;
    request_buf(&url);
    buf_put(&url, s->api_url);
    buf_text(&url, methods[ask]);
    struct str body =
        reads ? form(in, memory, ask, arena) : message(in, memory, ask, arena);
    int rc = request_post(out, arena, buf_str(&url), body, e);
    if (reads)
        out->headers[0] = STR("Content-Type: application/x-www-form-urlencoded");
    buf_deinit(&url);
    return rc;
}

int slack_talk_format(const struct sink_input *in, struct arena *arena,
                      struct request *out, struct err *e)
{
    struct str token;
    struct buf bearer;
    if (request_secret(in, SLACK_TOKEN, "slack: token", &token, e))
        return -1;
    json_t *memory = memory_of(in);
    bool posted = in->digest && memory_get(memory, "ts").n;
    int rc = post(in, memory, arena, out, e);
    json_decref(memory);
    if (posted)
        return 0;
    request_buf(&bearer);
    buf_text(&bearer, "Bearer ");
    buf_put(&bearer, token);
    request_header(out, arena, "Authorization", buf_str(&bearer));
    buf_deinit(&bearer);
    return rc ? -1 : 1;
}

/* ---- hearing ---- */

static struct outcome go_on(json_t *memory, enum ask ask)
{
    memory_set(memory, "stage", str_of(stages[ask]));
    return outcome_of(MORE, stages[ask]);
}

static bool is_among(struct str word, const char *const *words)
{
    for (; *words; words++)
        if (str_is(word, *words))
            return true;
    return false;
}

/* Of ok:false. What is not named here is wrong however often it is said. */
static struct outcome refusal(struct str word)
{
    static const char *const later[] = {
        "ratelimited", "rate_limited",        "internal_error",
        "fatal_error", "service_unavailable", "request_timeout",
        NULL};
    static const char *const ours[] = {"invalid_auth",
                                       "not_authed",
                                       "account_inactive",
                                       "token_revoked",
                                       "token_expired",
                                       "no_permission",
                                       "missing_scope",
                                       "org_login_required",
                                       "ekm_access_denied",
                                       "channel_not_found",
                                       "not_in_channel",
                                       "is_archived",
                                       "restricted_action",
                                       "access_denied",
                                       "team_access_not_granted",
                                       "not_allowed_token_type",
                                       NULL};
    struct outcome o = outcome_of(is_among(word, later)  ? RETRY
                                  : is_among(word, ours) ? REFUSED
                                                         : DEAD,
                                  "refused by Slack:");
    outcome_word(&o, word);
    return o;
}

static bool is_ours(const json_t *message, const json_t *memory, bool reply)
{
    const json_t *payload =
        json_object_get(json_object_get(message, "metadata"), "event_payload");
    struct str thread = member_text(message, "thread_ts"),
               ts = member_text(message, "ts");
    bool in_thread = thread.n && !str_eq(thread, ts);
    return str_eq(member_text(payload, "alert"), memory_get(memory, "alert")) &&
           in_thread == reply &&
           (!reply || str_eq(member_text(payload, "step"), memory_get(memory, "step")));
}

static const json_t *find(const json_t *answer, const json_t *memory, bool reply)
{
    const json_t *messages = json_object_get(answer, "messages");
    for (size_t i = 0; i < json_array_size(messages); i++)
        if (is_ours(json_array_get(messages, i), memory, reply))
            return json_array_get(messages, i);
    return NULL;
}

/* `answer` is NULL where the bot may not read: then as if nothing were there. */
static struct outcome looked(const struct sink_input *in, json_t *memory,
                             const json_t *answer)
{
    const json_t *found = find(answer, memory, false);
    if (!found)
        return go_on(memory, ASK_POST);
    memory_set(memory, "ts", member_text(found, "ts"));
    if (is_first(in))
        return outcome_of(DELIVERED, "already there");
    return go_on(memory, ASK_UPDATE);
}

static struct outcome posted(json_t *memory, const json_t *answer)
{
    memory_set(memory, "ts", member_text(answer, "ts"));
    memory_set(memory, "channel", member_text(answer, "channel"));
    return outcome_of(DELIVERED, "posted");
}

static struct outcome went_well(const struct sink_input *in, json_t *memory,
                                const json_t *answer)
{
    switch (next(in, memory)) {
    case ASK_LOOK:
        return looked(in, memory, answer);
    case ASK_POST:
        return posted(memory, answer);
    case ASK_UPDATE:
        return go_on(memory, ASK_REPLY);
    case ASK_LOOK_REPLY:
        if (!find(answer, memory, true))
            return go_on(memory, ASK_REPLY);
        break;
    case ASK_REPLY:
        break;
    }
    return outcome_of(DELIVERED, "updated");
}

static bool is_too_much(struct str word)
{
    static const char *const words[] = {"msg_too_long", "msg_blocks_too_long",
                                        "invalid_blocks", "invalid_attachments", NULL};
    return is_among(word, words);
}

/* A message that somebody deleted is posted anew; one that may no longer be edited has its thread still. */
static struct outcome went_wrong(const struct sink_input *in, json_t *memory,
                                 struct str word)
{
    enum ask ask = next(in, memory);
    struct outcome o = refusal(word);
    if (o.verdict == RETRY)
        return o;
    if (ask == ASK_LOOK && (o.verdict == DEAD || str_is(word, "missing_scope")))
        return looked(in, memory, NULL);
    if (ask == ASK_LOOK_REPLY)
        return go_on(memory, ASK_REPLY);
    if (o.verdict == REFUSED)
        return o;
    if (is_too_much(word) && ask != ASK_REPLY && !memory_get(memory, "step_brief").n) {
        memory_set(memory, "step_brief", STR("yes"));
        return go_on(memory, ask);
    }
    if (ask == ASK_UPDATE && !str_is(word, "message_not_found"))
        return go_on(memory, ASK_REPLY);
    if (ask == ASK_UPDATE || ask == ASK_REPLY) {
        memory_set(memory, "ts", STR_NONE);
        return go_on(memory, ASK_POST);
    }
    return o;
}

struct outcome slack_talk_hear(const struct sink_input *in,
                               const struct response *response, struct buf *memory)
{
    struct outcome o = outcome_by_status(response);
    json_t *m = memory_of(in);
    json_t *answer = response_json(response);
    struct str word = member_text(answer, "error");
    int64_t wish_ms = o.retry_after_ms;
    if (json_is_true(json_object_get(answer, "ok")))
        o = went_well(in, m, answer);
    else if (word.n)
        o = went_wrong(in, m, word);
    else if (o.verdict == DELIVERED && response->body_cut)
        o = went_wrong(in, m, STR("too_long")); /* many long messages: as if unread */
    else if (o.verdict == DELIVERED)
        o = outcome_of(RETRY, "an answer that is not Slack's");
    o.retry_after_ms = o.verdict == RETRY ? wish_ms : 0;
    memory_write(m, memory);
    json_decref(answer);
    return o;
}

/* Slack as a bot: one message an episode, kept up to date and threaded, whatever answer is lost or message deleted. */
#include "tests/talk.h"

#define ID "5d41402abc4b2a76b9719d911017c592"
#define TS "1772443200.000100"
#define OK "{\"ok\":true,\"channel\":\"C024BE91L\",\"ts\":\"" TS "\"}"
#define NO(error) "{\"ok\":false,\"error\":\"" error "\"}"
#define METADATA(alert, step)                                                          \
    "\"metadata\":{\"event_type\":\"ticketwatch_alert\",\"event_payload\":{\"alert\":" \
    "\"" alert "\",\"step\":\"" step "\"}}"
#define EMPTY "{\"ok\":true,\"messages\":[{\"ts\":\"1.2\",\"text\":\"lunch?\"}]}"
#define MESSAGES(one) "{\"ok\":true,\"messages\":[{\"ts\":\"1.2\"}," one "]}"
#define ROOT "{\"ts\":\"" TS "\"," METADATA(ID, "firing_high") "}"
#define REPLY(step) "{\"ts\":\"9.9\",\"thread_ts\":\"" TS "\"," METADATA(ID, step) "}"

static struct talk open_talk(void)
{
    static const char *const settings[] = {"token=xoxb-1", "channel=C024BE91L"};
    struct talk t;
    talk_open(&t, "slack", settings, 2);
    return t;
}

static struct str step(struct talk *t, const char *state)
{
    return talk_alert(t, state, str_is(str_of(state), "firing") ? "high" : "critical");
}

static void an_episode(void)
{
    struct talk t = open_talk();
    TALK(&t, step(&t, "firing"), {"/chat.postMessage", 200, OK, DELIVERED});
    TALK(&t, step(&t, "escalated"), {"\"ts\":\"" TS, 200, OK, MORE},
         {"\"thread_ts\":\"" TS, 200, OK, DELIVERED});
    TALK(&t, step(&t, "resolved"), {"/chat.update", 200, OK, MORE},
         {"/chat.postMessage", 200, OK, DELIVERED});
    t.id = "6d41402abc4b2a76b9719d911017c592"; /* it comes back: a message of its own */
    TALK(&t, step(&t, "firing"), {"/chat.postMessage", 200, OK, DELIVERED});
    talk_close(&t);
}

/* Before anything is posted again the channel is read. */
static void lost_answers(void)
{
    struct talk t = open_talk();
    TALK(&t, step(&t, "firing"), {"/chat.postMessage", 0, "", RETRY},
         {"/conversations.history", 200, MESSAGES(ROOT), DELIVERED});
    TALK(&t, step(&t, "escalated"), {"\"ts\":\"" TS, 0, "", RETRY},
         {"\"ts\":\"" TS, 200, OK, MORE}, {"\"thread_ts\":\"" TS, 500, "", RETRY},
         {"/conversations.replies", 200, MESSAGES(REPLY("escalated_critical")),
          DELIVERED});
    TALK(&t, step(&t, "resolved"), {"/chat.update", 200, OK, MORE},
         {"/chat.postMessage", 0, "", RETRY},
         {"/conversations.replies", 200, MESSAGES(REPLY("escalated_critical")), MORE},
         {"/chat.postMessage", 200, OK, DELIVERED});
    talk_close(&t);
    t = open_talk();
    TALK(&t, step(&t, "firing"), {"/chat.postMessage", 0, "", RETRY},
         {"/conversations.history", 200, MESSAGES(REPLY("firing_high")), MORE},
         {"/chat.postMessage", 0, "", RETRY},
         {"/conversations.history", 200, EMPTY, MORE},
         {"/chat.postMessage", 200, OK, DELIVERED});
    talk_close(&t);
}

static void without_memory(void)
{
    struct talk t = open_talk();
    TALK(&t, step(&t, "escalated"), {"/conversations.history", 200, MESSAGES(ROOT), MORE},
         {"\"ts\":\"" TS, 200, OK, MORE}, {"\"thread_ts\":\"" TS, 200, OK, DELIVERED});
    talk_close(&t);
    t = open_talk();
    TALK(&t, step(&t, "resolved"), {"/conversations.history", 200, EMPTY, MORE},
         {"/chat.postMessage", 200, OK, DELIVERED});
    talk_close(&t);
    t = open_talk(); /* may not read */
    TALK(&t, step(&t, "firing"), {"/chat.postMessage", 0, "", RETRY},
         {"/conversations.history", 200, NO("missing_scope"), MORE},
         {"/chat.postMessage", 200, OK, DELIVERED});
    talk_close(&t);
}

static void deleted_or_old(void)
{
    struct talk t = open_talk();
    TALK(&t, step(&t, "firing"), {"/chat.postMessage", 200, OK, DELIVERED});
    TALK(&t, step(&t, "escalated"), {"/chat.update", 200, NO("edit_window_closed"), MORE},
         {"\"thread_ts\":\"" TS, 200, OK, DELIVERED});
    TALK(&t, step(&t, "resolved"), {"/chat.update", 200, NO("message_not_found"), MORE},
         {"/chat.postMessage", 200, OK, DELIVERED});
    talk_close(&t);
}

static void refusals(void)
{
    static const struct {
        const char *word;
        enum verdict verdict;
    } rows[] = {{"ratelimited", RETRY},      {"internal_error", RETRY},
                {"invalid_auth", REFUSED},   {"channel_not_found", REFUSED},
                {"not_in_channel", REFUSED}, {"token_revoked", REFUSED},
                {"no_text", DEAD},           {"never_heard_of", DEAD}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct talk t = open_talk();
        char answer[100];
        snprintf(answer, sizeof answer, "{\"ok\":false,\"error\":\"%s\"}", rows[i].word);
        TALK(&t, step(&t, "firing"), {"/chat.postMessage", 200, answer, rows[i].verdict});
        talk_close(&t);
    }
    struct talk t = open_talk();
    TALK(&t, step(&t, "firing"), {"Frequency", 200, NO("msg_too_long"), MORE},
         {"/chat.postMessage", 200, NO("msg_too_long"), DEAD});
    TALK(&t, step(&t, "firing"), {"/chat.postMessage", 429, "", RETRY});
    TALK(&t, step(&t, "firing"), {"/conversations.history", 200, "<html>", RETRY});
    talk_close(&t);
}

static struct str join(struct talk *t, struct str a, struct str b)
{
    char *text = arena_alloc(&t->arena, a.n + b.n + 1);
    memcpy(text, a.p, a.n);
    text[a.n] = '\n';
    memcpy(text + a.n + 1, b.p, b.n);
    return (struct str){text, a.n + b.n + 1};
}

/* The message of many is one of its own: looked for where an answer was lost, and never edited or answered. */
static void a_digest(void)
{
    struct talk t = open_talk();
    struct request r = {0};
    struct err e = {0};
    char there[300], id[33] = "";
    struct str many = join(&t, step(&t, "firing"), step(&t, "resolved"));
    t.sink.digest = true;
    CHECK_INT(sink_case_format(&t.sink, many, TALK_NOW_MS, &t.arena, &r, &e), 1);
    const char *at = memmem(r.body.p, r.body.n, "\"alert\":\"", 9);
    CHECK(at != NULL);
    snprintf(id, sizeof id, "%.32s", at ? at + 9 : "");
    snprintf(there, sizeof there,
             "{\"ok\":true,\"messages\":[{\"ts\":\"" TS
             "\",\"metadata\":{\"event_payload\":"
             "{\"alert\":\"%s\",\"step\":\"firing_digest\"}}}]}",
             id);
    TALK(&t, many, {"2 alerts at once", 0, "", RETRY},
         {"/conversations.history", 200, EMPTY, MORE}, {id, 0, "", RETRY},
         {"/conversations.history", 200, there, DELIVERED});
    /* Taken over by who does not know that it was acknowledged: there is nothing to say. */
    CHECK_INT(sink_case_format(&t.sink, many, TALK_NOW_MS, &t.arena, &r, &e), 0);
    talk_close(&t);
    t = open_talk();
    many = join(&t, step(&t, "firing"), step(&t, "resolved"));
    t.sink.digest = true;
    TALK(&t, many, {"page-error: 1 firing", 200, NO("msg_blocks_too_long"), MORE},
         {"2 alerts at once", 200, OK, DELIVERED});
    talk_close(&t);
}

/* A step of an episode that was told first in a digest: a message of its own. */
static void after_a_digest(void)
{
    struct talk t = open_talk();
    TALK(&t, step(&t, "escalated"), {"/conversations.history", 200, EMPTY, MORE},
         {"/chat.postMessage", 200, OK, DELIVERED});
    TALK(&t, step(&t, "resolved"), {"/chat.update", 200, OK, MORE},
         {"/chat.postMessage", 200, OK, DELIVERED});
    talk_close(&t);
}

int main(void)
{
    a_digest();
    after_a_digest();
    an_episode();
    lost_answers();
    without_memory();
    deleted_or_old();
    refusals();
    return check_result();
}

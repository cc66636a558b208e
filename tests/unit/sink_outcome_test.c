/* What the sinks make of answers. */
#include "sinks/sink.h"
#include "tests/check.h"

#define NOW_MS 1772443200000 /* 2026-03-02T09:20:00Z */

struct answer {
    const char *sink;
    int status;
    const char *retry_after, *body;
    enum verdict verdict;
    int64_t retry_after_ms;
};

static const struct answer answers[] = {
    /* the common reading */
    {"webhook", 200, "", "", DELIVERED, 0},
    {"webhook", 204, "", "", DELIVERED, 0},
    {"webhook", 0, "", "", RETRY, 0},
    {"webhook", 408, "", "", RETRY, 0},
    {"webhook", 425, "", "", RETRY, 0},
    {"webhook", 429, "7", "", RETRY, 7000},
    {"webhook", 429, "0", "", RETRY, 0},
    {"webhook", 429, "99999999999999999999", "", RETRY, 86400000},
    {"webhook", 429, "soon", "", RETRY, 0},
    {"webhook", 429, "-5", "", RETRY, 0},
    {"webhook", 503, "Mon, 02 Mar 2026 09:21:30 GMT", "", RETRY, 90000},
    {"webhook", 503, "Monday, 02-Mar-26 09:21:30 GMT", "", RETRY, 90000},
    {"webhook", 503, "Mon Mar  2 09:21:30 2026", "", RETRY, 90000},
    {"webhook", 503, "Mon, 02 Mar 2026 09:00:00 GMT", "", RETRY, 0},
    {"webhook", 503, "Fri, 31 Dec 2027 23:59:59 GMT", "", RETRY, 86400000},
    {"webhook", 500, "", "", RETRY, 0},
    {"webhook", 301, "", "", REFUSED, 0},
    {"webhook", 401, "", "", REFUSED, 0},
    {"webhook", 403, "", "", REFUSED, 0},
    {"webhook", 404, "", "", REFUSED, 0},
    {"webhook", 407, "", "", REFUSED, 0},
    {"webhook", 400, "", "", DEAD, 0},
    {"webhook", 405, "", "", DEAD, 0},
    {"webhook", 410, "", "", REFUSED, 0},
    {"webhook", 413, "", "", DEAD, 0},
    {"webhook", 422, "", "", DEAD, 0},
    {"webhook", 451, "9", "", DEAD, 0},
    /* Slack: "ok", or one word */
    {"slack", 200, "", "ok", DELIVERED, 0},
    {"slack", 200, "", "<html>Log in to the network</html>", DEAD, 0},
    {"slack", 400, "", "invalid_blocks", DEAD, 0},
    {"slack", 403, "", "action_prohibited", REFUSED, 0},
    {"slack", 404, "", "channel_not_found", REFUSED, 0},
    {"slack", 410, "", "channel_is_archived", REFUSED, 0},
    {"slack", 429, "30", "rate_limited", RETRY, 30000},
    {"slack", 500, "", "rollup_error", RETRY, 0},
    /* Linear: the body decides */
    {"linear", 200, "",
     "{\"data\":{\"issueCreate\":{\"success\":true,\"issue\":{\"id\":\"x\"}}}}",
     DELIVERED, 0},
    {"linear", 200, "",
     "{\"data\":{\"issueUpdate\":{\"success\":true},\"commentCreate\":{\"success\":true}}"
     "}",
     DELIVERED, 0},
    {"linear", 200, "", "{\"data\":{\"issueCreate\":{\"success\":false}}}", RETRY, 0},
    {"linear", 200, "",
     "{\"data\":{\"issueUpdate\":{\"success\":true},\"commentCreate\":{\"success\":false}"
     "}}",
     RETRY, 0},
    {"linear", 200, "", "{\"data\":{}}", RETRY, 0},
    {"linear", 200, "", "{\"data\":null}", RETRY, 0},
    {"linear", 200, "", "<html></html>", RETRY, 0},
    {"linear", 200, "", "", RETRY, 0},
    {"linear", 200, "",
     "{\"errors\":[{\"message\":\"conflict on insert of "
     "Issue\",\"path\":[\"issueCreate\"],"
     "\"extensions\":{\"type\":\"invalid "
     "input\",\"code\":\"INPUT_ERROR\",\"statusCode\":400}}],"
     "\"data\":null}",
     MORE, 0},
    {"linear", 400, "",
     "{\"errors\":[{\"message\":\"Conflict on insert of "
     "Comment\",\"extensions\":{\"code\":"
     "\"INPUT_ERROR\"}}]}",
     MORE, 0},
    {"linear", 200, "",
     "{\"errors\":[{\"message\":\"conflict on insert of "
     "DocumentContent\",\"extensions\":{\"code\":"
     "\"INPUT_ERROR\"}}]}",
     DEAD, 0},
    {"linear", 200, "",
     "{\"errors\":[{\"message\":\"conflict on insert of Comment\"},{\"message\":\"x\"}]}",
     DEAD, 0},
    {"linear", 400, "",
     "{\"errors\":[{\"message\":\"Rate "
     "limit\",\"extensions\":{\"code\":\"RATELIMITED\"}}]}",
     RETRY, 60000},
    {"linear", 200, "",
     "{\"errors\":[{\"message\":\"Entity not found: Issue\",\"path\":[\"commentCreate\"],"
     "\"extensions\":{\"code\":\"INPUT_ERROR\"}}],\"data\":null}",
     DEAD, 0},
    {"linear", 200, "",
     "{\"errors\":[{\"message\":\"x\",\"extensions\":{\"code\":\"INTERNAL_SERVER_ERROR\"}"
     "}]}",
     RETRY, 0},
    {"linear", 400, "",
     "{\"errors\":[{\"message\":\"x\",\"extensions\":{\"code\":\"GRAPHQL_VALIDATION_"
     "FAILED\"}}]}",
     DEAD, 0},
    {"linear", 400, "",
     "{\"errors\":[{\"message\":\"x\",\"extensions\":{\"type\":\"authentication "
     "error\"}}]}",
     REFUSED, 0},
    {"linear", 401, "", "Unauthorized", REFUSED, 0},
    {"linear", 403, "", "", REFUSED, 0},
    {"linear", 400, "", "{\"errors\":[7]}", DEAD, 0},
    {"linear", 400, "", "{\"errors\":{}}", DEAD, 0},
    {"linear", 429, "9", "", RETRY, 9000},
    {"linear", 502, "", "<html>Bad gateway</html>", RETRY, 0},
    {"linear", 0, "", "", RETRY, 0},
    /* HubSpot */
    {"hubspot", 201, "", "{\"id\":\"1\"}", DELIVERED, 0},
    {"hubspot", 400, "", "{\"category\":\"VALIDATION_ERROR\"}", DEAD, 0},
    {"hubspot", 401, "", "{\"category\":\"EXPIRED_AUTHENTICATION\"}", REFUSED, 0},
    {"hubspot", 403, "", "{\"category\":\"MISSING_SCOPES\"}", REFUSED, 0},
    {"hubspot", 423, "2", "", RETRY, 2000},
    {"hubspot", 477, "120", "", RETRY, 120000},
    {"hubspot", 429, "", "{\"policyName\":\"TEN_SECONDLY_ROLLING\"}", RETRY, 10000},
    {"hubspot", 429, "", "{\"policyName\":\"DAILY\"}", RETRY, 3600000},
    {"hubspot", 429, "3", "not JSON", RETRY, 3000},
    {"hubspot", 500, "", "", RETRY, 0},
    /* PagerDuty: only 202 is its yes */
    {"pagerduty", 202, "", "{\"status\":\"success\"}", DELIVERED, 0},
    {"pagerduty", 200, "", "<html></html>", RETRY, 0},
    {"pagerduty", 400, "", "{\"status\":\"invalid event\"}", DEAD, 0},
    {"pagerduty", 413, "", "", DEAD, 0},
    {"pagerduty", 429, "", "", RETRY, 0},
    {"pagerduty", 500, "", "", RETRY, 0},
    {"pagerduty", 0, "", "", RETRY, 0},
    /* Discord: a message that was kept, or none */
    {"discord", 200, "", "{\"id\":\"1\",\"type\":0}", DELIVERED, 0},
    {"discord", 204, "", "", DELIVERED, 0},
    {"discord", 200, "", "<html>Log in to the network</html>", DEAD, 0},
    {"discord", 400, "", "{\"code\":50006,\"message\":\"Cannot send an empty message\"}",
     DEAD, 0},
    {"discord", 401, "", "{\"code\":50027}", REFUSED, 0},
    {"discord", 404, "", "{\"code\":10015,\"message\":\"Unknown Webhook\"}", REFUSED, 0},
    {"discord", 429, "1", "{\"retry_after\":64.57,\"global\":false}", RETRY, 64570},
    {"discord", 429, "120", "{\"retry_after\":0.3}", RETRY, 120000},
    {"discord", 429, "7", "<html>Cloudflare</html>", RETRY, 7000},
    {"discord", 429, "", "{\"retry_after\":1e300}", RETRY, 86400000},
    {"discord", 429, "", "{\"retry_after\":-1}", RETRY, 0},
    {"discord", 502, "", "", RETRY, 0},
    /* Teams: a failure in a 200 */
    {"teams", 202, "", "", DELIVERED, 0},
    {"teams", 200, "", "1", DELIVERED, 0},
    {"teams", 200, "",
     "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP "
     "error 429",
     RETRY, 0},
    {"teams", 413, "", "", DEAD, 0},
    {"teams", 401, "", "", REFUSED, 0},
    {"teams", 429, "9", "", RETRY, 9000},
    /* carriers */
    {"file", 200, "", "", DELIVERED, 0},
    {"file", 0, "", "No space left on device", RETRY, 0},
    {"file", 403, "", "No such file or directory", REFUSED, 0},
    {"stdout", 0, "", "Broken pipe", RETRY, 0},
    {"kafka", 400, "", "MSG_SIZE_TOO_LARGE: too large", DEAD, 0},
    {"kafka", 403, "", "UNKNOWN_TOPIC_OR_PART: unknown", REFUSED, 0},
    {"email", 200, "", "SMTP 250; recipients refused: 1 of 2, the last with 550 5.1.1",
     DELIVERED, 0},
    {"email", 503, "", "SMTP 451 4.7.1", RETRY, 0},
    {"email", 400, "", "SMTP 554 5.7.1", DEAD, 0},
};

static struct outcome ask(const struct answer *a)
{
    struct response r = {.status = a->status,
                         .retry_after = str_of(a->retry_after),
                         .body = str_of(a->body),
                         .now_ms = NOW_MS};
    return sink_named(str_of(a->sink))->outcome(NULL, &r);
}

static void reads_answers(void)
{
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        const struct answer *a = &answers[i];
        struct outcome o = ask(a);
        int64_t wish = o.verdict == RETRY ? o.retry_after_ms : 0;
        if (o.verdict != a->verdict || wish != a->retry_after_ms)
            fprintf(stderr, "%s %d %s %s: %d after %lld\n", a->sink, a->status,
                    a->retry_after, a->body, (int)o.verdict, (long long)wish);
        CHECK(o.verdict == a->verdict && wish == a->retry_after_ms);
        CHECK(o.verdict == DELIVERED || o.reason[0]);
    }
}

static const char *reason(const char *sink, int status, const char *body)
{
    static struct outcome o;
    o = ask(&(struct answer){
        .sink = sink, .status = status, .retry_after = "", .body = body});
    return o.reason;
}

/* Words of the receiver's own are told, anything else of an answer is not. */
static void reasons_hold_no_bodies(void)
{
    CHECK_STR(str_of(reason("slack", 404, "channel_not_found")),
              STR("HTTP 404 channel_not_found"));
    CHECK_STR(str_of(reason("slack", 404, "see https://x")), STR("HTTP 404"));
    CHECK_STR(str_of(reason("slack", 500,
                            "a_word_that_is_far_too_long_to_be_the_name_of_an_error")),
              STR("HTTP 500"));
    CHECK_STR(str_of(reason("hubspot", 400, "{\"category\":\"VALIDATION_ERROR\"}")),
              STR("HTTP 400 VALIDATION_ERROR"));
    CHECK_STR(str_of(reason("hubspot", 400, "{\"category\":\"jane@x.de wrote\"}")),
              STR("HTTP 400"));
    CHECK_STR(str_of(reason("linear", 400,
                            "{\"errors\":[{\"message\":\"the title \\\"secret\\\"\","
                            "\"extensions\":{\"code\":\"INPUT_ERROR\"}}]}")),
              STR("refused by Linear: INPUT_ERROR"));
    CHECK_STR(str_of(reason("webhook", 0, "")), STR("no answer"));
}

static void a_date_needs_a_clock(void)
{
    struct response r = {.status = 503,
                         .retry_after = STR("Mon, 02 Mar 2026 09:21:30 GMT")};
    struct outcome o = outcome_by_status(&r);
    CHECK(o.verdict == RETRY && o.retry_after_ms == 0);
}

/* In milliseconds since 1970, as Linear says it; Retry-After comes first, and only what is limited waits. */
static int64_t wish(int status, const char *retry_after, const char *reset)
{
    struct response r = {.status = status,
                         .retry_after = str_of(retry_after),
                         .limit_reset = str_of(reset),
                         .now_ms = NOW_MS};
    return outcome_by_status(&r).retry_after_ms;
}

static void limits_begin_anew(void)
{
    CHECK_INT(wish(429, "", "1772443245000"), 45000);
    CHECK_INT(wish(429, "7", "1772443245000"), 7000);
    CHECK_INT(wish(429, "", "1772443199000"), 0);
    CHECK_INT(wish(429, "", "-1"), 0);
    CHECK_INT(wish(429, "", "soon"), 0);
    CHECK_INT(wish(429, "", "1772443245"), 0); /* seconds: long ago */
    CHECK_INT(wish(429, "", "99999999999999999999999"), 86400000);
    CHECK_INT(wish(503, "", "1772443245000"), 0);
    struct response limited = {
        .status = 400,
        .body = STR("{\"errors\":[{\"message\":\"Rate limit\",\"extensions\":{\"code\":"
                    "\"RATELIMITED\"}}]}"),
        .limit_reset = STR("1772443245000"),
        .now_ms = NOW_MS};
    struct outcome o = sink_named(STR("linear"))->outcome(NULL, &limited);
    CHECK(o.verdict == RETRY && o.retry_after_ms == 45000);
    limited.body = STR("{\"errors\":[{\"message\":\"x\",\"extensions\":{\"code\":"
                       "\"INTERNAL_SERVER_ERROR\"}}]}");
    o = sink_named(STR("linear"))->outcome(NULL, &limited);
    CHECK(o.verdict == RETRY && o.retry_after_ms == 0);
}

static void finds_sinks_by_name(void)
{
    CHECK(sink_named(STR("slack")) == sinks[0]);
    CHECK(sink_named(STR("slac")) == NULL);
    CHECK(sink_named(STR_NONE) == NULL);
}

int main(void)
{
    reads_answers();
    reasons_hold_no_bodies();
    a_date_needs_a_clock();
    limits_begin_anew();
    finds_sinks_by_name();
    return check_result();
}

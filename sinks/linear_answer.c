/* How Linear answers. GraphQL: 200 may carry errors or success: false, and 400 may mean "later", so the
 * body decides where it can be read. Errors as Linear makes them:
 *   duplicate     "conflict on insert of Issue", Comment or IssueRelation, code INPUT_ERROR: the id is taken
 *   absent        "Entity not found: Issue"
 *   rate limit    code RATELIMITED, status 400
 *   refused key   code AUTHENTICATION_ERROR
 *   inside        INTERNAL_SERVER_ERROR and the like
 * Everything else stays wrong however often it is said. */
#include <stdio.h>
#include <strings.h>

#include "sinks/linear.h"
#include "sinks/memory.h"
#include "sinks/request.h"

enum { MINUTE_MS = 60000 };
#define KEY_REFUSED "the key is refused"

static bool has(struct str s, const char *part)
{
    size_t n = strlen(part);
    for (size_t i = 0; n + i <= s.n; i++)
        if (strncasecmp(s.p + i, part, n) == 0)
            return true;
    return false;
}

/* Linear writes codes as RATELIMITED and types as "ratelimited"; either may be absent. */
static bool is_code(const json_t *error, const char *code, const char *type)
{
    const json_t *x = json_object_get(error, "extensions");
    return str_is(member_text(x, "code"), code) || str_is(member_text(x, "type"), type);
}

static bool is_duplicate(const json_t *error)
{
    struct str message = member_text(error, "message");
    return has(message, "conflict on insert of issue") ||
           has(message, "conflict on insert of comment");
}

#define RATE_LIMITED "rate limited"

static struct linear_answer say(enum linear_reading reading, enum verdict verdict,
                                int64_t after_ms, const char *reason)
{
    struct linear_answer a = {
        .reading = reading, .outcome = {.verdict = verdict, .retry_after_ms = after_ms}};
    snprintf(a.outcome.reason, sizeof a.outcome.reason, "%s", reason);
    return a;
}

static struct linear_answer refused(const json_t *error)
{
    bool absent = has(member_text(error, "message"), "entity not found");
    struct linear_answer a =
        say(absent ? READ_ABSENT : READ_REFUSED, DEAD, 0,
            absent ? "refused by Linear: what it refers to is not there:"
                   : "refused by Linear:");
    outcome_word(&a.outcome, member_text(json_object_get(error, "extensions"), "code"));
    return a;
}

static struct linear_answer read_error(const json_t *error)
{
    if (is_duplicate(error))
        return say(READ_DUPLICATE, MORE, 0, "already there");
    if (is_code(error, "RATELIMITED", "ratelimited"))
        return say(READ_OTHER, RETRY, MINUTE_MS, RATE_LIMITED);
    if (is_code(error, "AUTHENTICATION_ERROR", "authentication error"))
        return say(READ_OTHER, REFUSED, 0, KEY_REFUSED);
    if (is_code(error, "INTERNAL_SERVER_ERROR", "internal error") ||
        is_code(error, "LOCK_TIMEOUT", "lock timeout") ||
        is_code(error, "NETWORK_ERROR", "network error"))
        return say(READ_OTHER, RETRY, 0, "error inside Linear");
    return refused(error);
}

/* Of several errors, one that is no duplicate decides. */
static struct linear_answer read_errors(const json_t *errors)
{
    struct linear_answer a = read_error(json_array_get(errors, 0));
    for (size_t i = 1; i < json_array_size(errors) && a.reading == READ_DUPLICATE; i++)
        a = read_error(json_array_get(errors, i));
    return a;
}

/* A mutation says whether it succeeded, a connection has nodes. */
static struct linear_answer read_data(json_t *data)
{
    const char *name;
    json_t *field;
    json_object_foreach(data, name, field)
    {
        if (!json_is_true(json_object_get(field, "success")) &&
            !json_is_array(json_object_get(field, "nodes")))
            return say(READ_OTHER, RETRY, 0, "success: false");
    }
    if (json_object_size(data) == 0)
        return say(READ_OTHER, RETRY, 0, "an answer that is not Linear's");
    struct linear_answer a = say(READ_DONE, DELIVERED, 0, "HTTP 200");
    a.data = json_incref(data);
    return a;
}

/* Until the limit begins anew, if Linear says when that is. */
static void obey_limit(struct outcome *o, const struct response *response)
{
    int64_t wish_ms = response_wish_ms(response);
    if (wish_ms && strcmp(o->reason, RATE_LIMITED) == 0)
        o->retry_after_ms = wish_ms;
}

struct linear_answer linear_read(const struct response *response)
{
    struct linear_answer a = {.reading = READ_OTHER,
                              .outcome = outcome_by_status(response)};
    if (a.outcome.verdict == RETRY)
        return a;
    json_t *body = response_json(response);
    const json_t *errors = json_object_get(body, "errors");
    if (json_array_size(errors)) {
        a = read_errors(errors);
        obey_limit(&a.outcome, response);
    } else if (response->status == 401)
        a = say(READ_OTHER, REFUSED, 0, KEY_REFUSED);
    else if (a.outcome.verdict == DELIVERED)
        a = read_data(json_object_get(body, "data"));
    else if (a.outcome.verdict == DEAD)
        a.reading = READ_REFUSED;
    json_decref(body);
    return a;
}

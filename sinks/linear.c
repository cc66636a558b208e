/* Linear, by GraphQL: an issue an episode. firing creates it, escalated raises its priority and says
 * why, resolved adds a comment and leaves closing to people. Ids are ours, made from the alert's id:
 * whatever is sent again after a lost answer is refused as a duplicate, which is success.
 * Schema: https://github.com/linear/linear, packages/sdk/src/schema.graphql. */
#include <stdio.h>
#include <strings.h>
#include <xxhash.h>

#include "sinks/markdown.h"
#include "sinks/request.h"
#include "sinks/words.h"

enum { TITLE_UNITS = 140, MINUTE_MS = 60000 };

struct linear_settings {
    struct str url, team, project, state, ticket_url;
    struct secret key;
    struct texts labels;
};

static const char create[] =
    "mutation TicketwatchCreate($issue: IssueCreateInput!) { "
    "issueCreate(input: $issue) { success issue { id identifier url } } }";
static const char escalate[] =
    "mutation TicketwatchEscalate($id: String!, $update: IssueUpdateInput!, "
    "$comment: CommentCreateInput!) { "
    "issueUpdate(id: $id, input: $update) { success issue { id } } "
    "commentCreate(input: $comment) { success comment { id } } }";
static const char resolve[] =
    "mutation TicketwatchResolve($comment: CommentCreateInput!) { "
    "commentCreate(input: $comment) { success comment { id } } }";

/* 128 bits as a UUID of version 4 (RFC 9562): six of them give way to version and
 * variant. */
static json_t *uuid(const char *hex)
{
    static const char variants[] = "89ab";
    char v = hex[16], text[37];
    int nibble = v <= '9' ? v - '0' : v - 'a' + 10;
    snprintf(text, sizeof text, "%.8s-%.4s-4%.3s-%c%.3s-%.12s", hex, hex + 8, hex + 13,
             variants[nibble & 3], hex + 17, hex + 20);
    return json_string(text);
}

static json_t *issue_id(const struct alert *a)
{
    return uuid(a->id);
}

/* The same for every attempt to say this transition, another for every other. */
static json_t *comment_id(const struct alert *a)
{
    char name[128], hex[33];
    int n = snprintf(name, sizeof name, "linear comment %s %s %s", a->id,
                     alert_state_name(a->state), severity_name(a->severity));
    XXH128_hash_t h = XXH3_128bits(name, (size_t)n);
    snprintf(hex, sizeof hex, "%016llx%016llx", (unsigned long long)h.high64,
             (unsigned long long)h.low64);
    return uuid(hex);
}

/* 1 is urgent, 4 is low. */
static json_t *priority(const struct alert *a)
{
    static const int priorities[SEVERITIES] = {4, 3, 2, 1};
    return json_integer(priorities[a->severity]);
}

static json_t *title(const struct alert *a)
{
    struct buf whole, cut;
    request_buf(&whole);
    request_buf(&cut);
    words_title(&whole, a, true);
    words_text(&cut, DIALECT_PLAIN, buf_str(&whole), TITLE_UNITS);
    if (!cut.n) /* nothing to be seen: Linear wants something */
        buf_printf(&cut, "ticketwatch alert %.8s", a->id);
    json_t *t = request_text(buf_str(&cut));
    buf_deinit(&whole);
    buf_deinit(&cut);
    return t;
}

static void set_option(json_t *input, const char *name, struct str value)
{
    if (value.n)
        request_set(input, name, request_text(value));
}

static json_t *issue_input(const struct linear_settings *s, const struct alert *a)
{
    struct buf text;
    json_t *input = json_object();
    request_buf(&text);
    request_set(input, "id", issue_id(a));
    set_option(input, "teamId", s->team);
    request_set(input, "title", title(a));
    markdown_report(&text, a, s->ticket_url);
    request_set(input, "description", request_text(buf_str(&text)));
    request_set(input, "priority", priority(a));
    set_option(input, "projectId", s->project);
    set_option(input, "stateId", s->state);
    if (s->labels.n) {
        json_t *labels = json_array();
        for (size_t i = 0; i < s->labels.n; i++)
            request_append(labels, request_text(s->labels.items[i]));
        request_set(input, "labelIds", labels);
    }
    buf_deinit(&text);
    return input;
}

static json_t *comment_input(const struct linear_settings *s, const struct alert *a)
{
    struct buf text;
    json_t *input = json_object();
    request_buf(&text);
    markdown_update(&text, a, s->ticket_url);
    request_set(input, "id", comment_id(a));
    request_set(input, "issueId", issue_id(a));
    request_set(input, "body", request_text(buf_str(&text)));
    buf_deinit(&text);
    return input;
}

static json_t *body(const struct linear_settings *s, const struct alert *a)
{
    static const char *const queries[ALERT_STATES] = {create, escalate, resolve};
    json_t *o = json_object(), *variables = json_object();
    if (a->state == ALERT_FIRING)
        request_set(variables, "issue", issue_input(s, a));
    if (a->state == ALERT_ESCALATED) {
        json_t *update = json_object();
        request_set(update, "priority", priority(a));
        request_set(variables, "id", issue_id(a));
        request_set(variables, "update", update);
    }
    if (a->state != ALERT_FIRING)
        request_set(variables, "comment", comment_input(s, a));
    request_set(o, "query", json_string(queries[a->state]));
    request_set(o, "variables", variables);
    return o;
}

static int linear_format(const struct sink_input *in, struct arena *arena,
                         struct request *out, struct err *e)
{
    const struct linear_settings *s = in->settings;
    struct str key;
    if (request_secret(in, 0, "linear: key", &key, e) ||
        request_post(out, arena, s->url, request_json(body(s, in->alert), arena), e))
        return -1;
    request_header(out, arena, "Authorization", key); /* an API key stands there bare */
    return 1;
}

/* How Linear answers. GraphQL: 200 may carry errors or success: false, and 400 may mean "later", so the
 * body decides where it can be read. Errors as Linear makes them:
 *   duplicate     "conflict on insert of Issue" or Comment, code INPUT_ERROR: it is there already
 *   rate limit    code RATELIMITED, status 400; its reset time is in headers we do not get
 *   refused key   code AUTHENTICATION_ERROR: the key is read anew
 *   inside        INTERNAL_SERVER_ERROR and the like
 * Everything else stays wrong however often it is said; so does an update to an issue that is not
 * there, since a sink is told of an episode in order. */
static struct str text_of(const json_t *object, const char *name)
{
    const json_t *t = json_object_get(object, name);
    return (struct str){json_string_value(t), json_string_length(t)};
}

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
    return str_is(text_of(x, "code"), code) || str_is(text_of(x, "type"), type);
}

static bool is_duplicate(const json_t *error)
{
    struct str message = text_of(error, "message");
    return has(message, "conflict on insert of issue") ||
           has(message, "conflict on insert of comment");
}

static struct outcome later(int64_t after_ms, const char *reason)
{
    struct outcome o = {.verdict = RETRY, .retry_after_ms = after_ms};
    snprintf(o.reason, sizeof o.reason, "%s", reason);
    return o;
}

#define KEY_REFUSED "the key is refused"

static struct outcome read_error(const json_t *error)
{
    struct outcome o = {.verdict = DEAD, .reason = "refused by Linear:"};
    if (is_duplicate(error))
        return (struct outcome){.verdict = DELIVERED, .reason = "already there"};
    if (is_code(error, "RATELIMITED", "ratelimited"))
        return later(MINUTE_MS, "rate limited");
    if (is_code(error, "AUTHENTICATION_ERROR", "authentication error"))
        return (struct outcome){.verdict = REFUSED, .reason = KEY_REFUSED};
    if (is_code(error, "INTERNAL_SERVER_ERROR", "internal error") ||
        is_code(error, "LOCK_TIMEOUT", "lock timeout") ||
        is_code(error, "NETWORK_ERROR", "network error"))
        return later(0, "error inside Linear");
    if (has(text_of(error, "message"), "entity not found"))
        snprintf(o.reason, sizeof o.reason,
                 "refused by Linear: what it refers to is not there:");
    outcome_word(&o, text_of(json_object_get(error, "extensions"), "code"));
    return o;
}

/* Of several errors, one that is no duplicate decides. */
static struct outcome read_errors(const json_t *errors)
{
    struct outcome o = read_error(json_array_get(errors, 0));
    for (size_t i = 1; i < json_array_size(errors) && o.verdict == DELIVERED; i++)
        o = read_error(json_array_get(errors, i));
    return o;
}

static struct outcome read_data(const json_t *data)
{
    const char *name;
    json_t *payload;
    size_t said = 0;
    json_object_foreach((json_t *)(uintptr_t)data, name, payload)
    {
        if (!json_is_true(json_object_get(payload, "success")))
            return later(0, "success: false");
        said++;
    }
    if (said == 0)
        return later(0, "an answer that is not Linear's");
    return (struct outcome){.verdict = DELIVERED, .reason = "HTTP 200"};
}

static struct outcome linear_outcome(const void *settings,
                                     const struct response *response)
{
    struct outcome o = outcome_by_status(response);
    (void)settings;
    if (o.verdict == RETRY)
        return o;
    json_t *answer =
        json_loadb(response->body.n ? response->body.p : "", response->body.n, 0, NULL);
    const json_t *errors = json_object_get(answer, "errors");
    if (json_array_size(errors))
        o = read_errors(errors);
    else if (response->status == 401)
        o = (struct outcome){.verdict = REFUSED, .reason = KEY_REFUSED};
    else if (o.verdict == DELIVERED)
        o = read_data(json_object_get(answer, "data"));
    json_decref(answer);
    return o;
}

#define AT(member) offsetof(struct linear_settings, member)
#define UUID_LENGTH .min = 36, .max = 36
static const struct option_row linear_options[] = {
    {.name = "url",
     .type = OPTION_TEXT,
     .offset = AT(url),
     .words = http_schemes,
     .fallback = "https://api.linear.app/graphql",
     .help = "Where the API is."},
    {.name = "key",
     .type = OPTION_SECRET,
     .offset = AT(key),
     .required = true,
     .help = "An API key that may create issues and comments."},
    {.name = "team",
     .type = OPTION_TEXT,
     .offset = AT(team),
     .required = true,
     UUID_LENGTH,
     .help = "The team's id (a UUID): its issues these become."},
    {.name = "project",
     .type = OPTION_TEXT,
     .offset = AT(project),
     UUID_LENGTH,
     .help = "The project's id, if they belong to one."},
    {.name = "labels",
     .type = OPTION_TEXTS,
     .offset = AT(labels),
     .help = "Ids of labels that every issue gets."},
    {.name = "state",
     .type = OPTION_TEXT,
     .offset = AT(state),
     UUID_LENGTH,
     .help = "The id of the workflow state an issue begins in; else the team's own."},
    {.name = "ticket_url",
     .type = OPTION_TEXT,
     .offset = AT(ticket_url),
     .max = 400,
     .help = "Where a ticket can be read; {id} stands for its id. Makes tickets links."},
};

const struct sink linear_sink = {
    .name = "linear",
    .help = "An issue in Linear, with all that is needed to reproduce the error.",
    .options = linear_options,
    .options_n = sizeof linear_options / sizeof linear_options[0],
    .settings_bytes = sizeof(struct linear_settings),
    .format = linear_format,
    .outcome = linear_outcome,
};

/* Linear, by GraphQL: an issue an episode. firing creates it, escalated raises its priority and says
 * why, resolved adds a comment, and moves it where a state for that is set, verified adds one, too. When the same comes back after it was
 * resolved, the new issue is linked to the former one, or that one is reopened. Ids are ours, made from the
 * alert's id: so whatever is sent again after a lost answer is refused (linear_talk.c).
 * Schema: https://github.com/linear/linear, packages/sdk/src/schema.graphql. */
#include "sinks/linear.h"

#include "sinks/markdown.h"
#include "sinks/memory.h"
#include "sinks/request.h"
#include "sinks/rows.h"
#include "sinks/template.h"
#include "sinks/words.h"

enum { TITLE_UNITS = 140 };

static const char create_query[] =
    "mutation TicketwatchCreate($issue: IssueCreateInput!) { "
    "issueCreate(input: $issue) { success issue { id identifier url } } }";
static const char update_query[] =
    "mutation TicketwatchUpdate($id: String!, $update: IssueUpdateInput!, "
    "$comment: CommentCreateInput!) { "
    "issueUpdate(id: $id, input: $update) { success issue { id } } "
    "commentCreate(input: $comment) { success comment { id } } }";
static const char comment_query[] =
    "mutation TicketwatchComment($comment: CommentCreateInput!) { "
    "commentCreate(input: $comment) { success comment { id } } }";
static const char link_query[] =
    "mutation TicketwatchLink($relation: IssueRelationCreateInput!) { "
    "issueRelationCreate(input: $relation) { success issueRelation { id } } }";
static const char find_query[] =
    "query TicketwatchFind($issue: ID!, $comments: [ID!]!) { "
    "issues(filter: { id: { eq: $issue } }, first: 1, includeArchived: true) "
    "{ nodes { id identifier url } } "
    "comments(filter: { id: { in: $comments } }, first: 2, includeArchived: true) "
    "{ nodes { id issue { id identifier url } } } }";

/* 1 is urgent, 4 is low, 0 none. Where much is at stake, one step more. */
static json_t *priority(const struct linear_settings *s, const struct alert *a)
{
    int64_t p = s->priorities[a->severity];
    if (s->mrr_raises > 0 && words_mrr(a) >= s->mrr_raises && p > 1)
        p--;
    return json_integer(p);
}

static json_t *title(const struct linear_settings *s, const struct alert *a)
{
    struct buf whole, cut;
    request_buf(&whole);
    request_buf(&cut);
    if (!template_line(&s->title, a, &whole, TITLE_UNITS))
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

/* "Seen before: [ENG-12](https://...)". */
static void seen_before(struct buf *text, const json_t *memory)
{
    enum { KEY_UNITS = 40 };
    struct str key = memory_former(memory, "key"), url = memory_former(memory, "url");
    if (!key.n)
        return;
    buf_text(text, "\nSeen before: ");
    words_link(text, DIALECT_MARKDOWN, url, key, KEY_UNITS);
    buf_char(text, '\n');
}

static json_t *description(const struct linear_settings *s, const struct alert *a,
                           const json_t *memory)
{
    struct buf text;
    request_buf(&text);
    if (template_text(&s->body, a, DIALECT_MARKDOWN, s->ticket_url, &text))
        buf_printf(&text, "\n\n---\n\nticketwatch alert `%s`\n", a->id);
    else
        markdown_report(&text, a, s->ticket_url);
    seen_before(&text, memory);
    json_t *t = request_text(buf_str(&text));
    buf_deinit(&text);
    return t;
}

static json_t *issue_input(const struct linear_settings *s, const struct alert *a,
                           const json_t *memory)
{
    char id[UUID_BYTES];
    json_t *input = json_object();
    linear_issue_id(a, id);
    request_set(input, "id", json_string(id));
    set_option(input, "teamId", s->team);
    request_set(input, "title", title(s, a));
    request_set(input, "description", description(s, a, memory));
    request_set(input, "priority", priority(s, a));
    set_option(input, "projectId", s->project);
    set_option(input, "stateId", s->state);
    if (s->labels.n) {
        json_t *labels = json_array();
        for (size_t i = 0; i < s->labels.n; i++)
            request_append(labels, request_text(s->labels.items[i]));
        request_set(input, "labelIds", labels);
    }
    return input;
}

static json_t *comment_input(const struct linear_settings *s, const struct alert *a,
                             struct str issue)
{
    struct buf text;
    char id[UUID_BYTES];
    json_t *input = json_object();
    bool reopens = a->state == ALERT_FIRING;
    request_buf(&text);
    if (template_text(&s->update, a, DIALECT_MARKDOWN, s->ticket_url, &text))
        buf_printf(&text, "\n\nticketwatch alert `%s`\n", a->id);
    else
        (reopens ? markdown_again : markdown_update)(&text, a, s->ticket_url);
    (reopens ? linear_reopening_id : linear_comment_id)(a, id);
    request_set(input, "id", json_string(id));
    request_set(input, "issueId", request_text(issue));
    request_set(input, "body", request_text(buf_str(&text)));
    buf_deinit(&text);
    return input;
}

/* What changes at the issue; empty: nothing. */
static json_t *update_input(const struct linear_settings *s, const struct alert *a)
{
    json_t *input = json_object();
    if (a->state == ALERT_FIRING || a->state == ALERT_ESCALATED)
        request_set(input, "priority", priority(s, a));
    if (a->state == ALERT_RESOLVED)
        set_option(input, "stateId", s->resolved_state);
    else if (a->state == ALERT_FIRING)
        set_option(input, "stateId", s->reopened_state.n ? s->reopened_state : s->state);
    return input;
}

/* A comment at the issue, and what changes there. */
static const char *say(const struct linear_settings *s, const struct alert *a,
                       struct str issue, json_t *variables)
{
    json_t *changes = update_input(s, a);
    request_set(variables, "comment", comment_input(s, a, issue));
    if (json_object_size(changes) == 0) {
        json_decref(changes);
        return comment_query;
    }
    request_set(variables, "id", request_text(issue));
    request_set(variables, "update", changes);
    return update_query;
}

static json_t *relation_input(const struct alert *a, const json_t *memory)
{
    char id[UUID_BYTES];
    json_t *input = json_object();
    linear_relation_id(a, id);
    request_set(input, "id", json_string(id));
    request_set(input, "issueId", request_text(memory_get(memory, "issue")));
    request_set(input, "relatedIssueId", request_text(memory_former(memory, "issue")));
    request_set(input, "type", json_string("related"));
    return input;
}

static const char *look(const struct alert *a, json_t *variables)
{
    char id[UUID_BYTES];
    json_t *comments = json_array();
    linear_issue_id(a, id);
    request_set(variables, "issue", json_string(id));
    linear_comment_id(a, id);
    request_append(comments, json_string(id));
    linear_reopening_id(a, id);
    request_append(comments, json_string(id));
    request_set(variables, "comments", comments);
    return find_query;
}

/* The query; fills in its variables. */
static const char *ask(const struct sink_input *in, const json_t *memory,
                       json_t *variables)
{
    const struct linear_settings *s = in->settings;
    switch (linear_next(in, memory)) {
    case ASK_FIND:
        return look(in->alert, variables);
    case ASK_SAY:
        return say(s, in->alert, memory_get(memory, "issue"), variables);
    case ASK_REOPEN:
        return say(s, in->alert, memory_former(memory, "issue"), variables);
    case ASK_LINK:
        request_set(variables, "relation", relation_input(in->alert, memory));
        return link_query;
    case ASK_CREATE:
        break;
    }
    request_set(variables, "issue", issue_input(s, in->alert, memory));
    return create_query;
}

static struct str body(const struct sink_input *in, struct arena *arena)
{
    json_t *o = json_object(), *variables = json_object(), *memory = memory_of(in);
    request_set(o, "query", json_string(ask(in, memory, variables)));
    request_set(o, "variables", variables);
    json_decref(memory);
    return request_json(o, arena);
}

static int linear_format(const struct sink_input *in, struct arena *arena,
                         struct request *out, struct err *e)
{
    const struct linear_settings *s = in->settings;
    struct str key;
    if (request_secret(in, 0, "linear: key", &key, e) ||
        request_post(out, arena, s->url, body(in, arena), e))
        return -1;
    request_header(out, arena, "Authorization", key); /* an API key stands there bare */
    return 1;
}

static struct outcome linear_outcome(const void *settings,
                                     const struct response *response)
{
    struct linear_answer a = linear_read(response);
    (void)settings;
    json_decref(a.data);
    return a.outcome;
}

#define AT(member) offsetof(struct linear_settings, member)
#define UUID_LENGTH .min = 36, .max = 36
#define PRIORITY_OF(severity)                                                    \
    .type = OPTION_INT, .offset = AT(priorities) + (severity) * sizeof(int64_t), \
    .max = 4, .help = "1 urgent, 2 high, 3 medium, 4 low, 0 none."
static const struct option_row priority_rows[] = {
    {.name = "low", PRIORITY_OF(SEVERITY_LOW), .fallback = "4"},
    {.name = "medium", PRIORITY_OF(SEVERITY_MEDIUM), .fallback = "3"},
    {.name = "high", PRIORITY_OF(SEVERITY_HIGH), .fallback = "2"},
    {.name = "critical", PRIORITY_OF(SEVERITY_CRITICAL), .fallback = "1"},
};
static const struct option_row template_rows[] = {
    TEMPLATE_ROW("title", AT(title), "The issue's title, plain."),
    TEMPLATE_ROW("body", AT(body), "Its description, in Markdown."),
    TEMPLATE_ROW("update", AT(update), "A comment, in Markdown."),
};
static const char *const regressions[] = {
    [REGRESSION_LINK] = "link", [REGRESSION_REOPEN] = "reopen", NULL};
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
    {.name = "resolved_state",
     .type = OPTION_TEXT,
     .offset = AT(resolved_state),
     UUID_LENGTH,
     .help = "The id of the state an issue moves to when its alert is resolved; else "
             "people close it."},
    {.name = "regression",
     .type = OPTION_WORD,
     .offset = AT(regression),
     .words = regressions,
     .fallback = "link",
     .help = "When the same comes back after it was resolved: a new issue is linked to "
             "the former one, or that one is reopened."},
    {.name = "reopened_state",
     .type = OPTION_TEXT,
     .offset = AT(reopened_state),
     UUID_LENGTH,
     .help = "The id of the state a reopened issue moves to; else `state`."},
    {.name = "priority",
     OPTION_GROUP_OF(priority_rows),
     .help = "The priority by severity."},
    {.name = "mrr_raises",
     .type = OPTION_NUMBER,
     .offset = AT(mrr_raises),
     .max = 1e12,
     .help = "From this MRR of the affected accounts together on, the priority is one "
             "step higher; 0: never."},
    TICKET_URL_ROW(AT(ticket_url)),
    TEMPLATES_ROW(template_rows),
};

const struct sink linear_sink = {
    .name = "linear",
    .help = "An issue in Linear, with all that is needed to reproduce the error.",
    .options = linear_options,
    .options_n = sizeof linear_options / sizeof linear_options[0],
    .settings_bytes = sizeof(struct linear_settings),
    .format = linear_format,
    .outcome = linear_outcome,
    .hear = linear_hear,
};

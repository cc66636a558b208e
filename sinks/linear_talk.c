/* Which request follows which. An issue's id is made from the alert's, so what is sent again after a lost answer
 * is refused as a duplicate; that is success only once the issue, or the comment, has been read back. Where the
 * memory was lost the same reading finds the issue again, also one that was reopened: by its comment, whose id is
 * ours too. A link that Linear refuses is not worth an alert. */
#include <assert.h>
#include <stdio.h>

#include "sinks/linear.h"
#include "sinks/memory.h"

/* The names of the requests in `stage`. */
static const char *const stages[] = {[ASK_CREATE] = "create",
                                     [ASK_FIND] = "find",
                                     [ASK_SAY] = "say",
                                     [ASK_REOPEN] = "reopen",
                                     [ASK_LINK] = "link"};

static bool may_reopen(const struct sink_input *in)
{
    const struct linear_settings *s = in->settings;
    return s && s->regression == REGRESSION_REOPEN;
}

static enum linear_ask first(const struct sink_input *in, const json_t *memory)
{
    if (in->alert->state != ALERT_FIRING)
        return memory_get(memory, "issue").n ? ASK_SAY : ASK_FIND;
    if (!may_reopen(in))
        return ASK_CREATE;
    if (memory_former(memory, "issue").n)
        return ASK_REOPEN;
    return in->again ? ASK_FIND : ASK_CREATE;
}

enum linear_ask linear_next(const struct sink_input *in, const json_t *memory)
{
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++)
        if (memory_is(memory, "stage", stages[i]))
            return (enum linear_ask)i;
    return first(in, memory);
}

static struct outcome go_on(json_t *memory, enum linear_ask next)
{
    memory_set(memory, "stage", str_of(stages[next]));
    return outcome_of(MORE, stages[next]);
}

static bool learn(json_t *memory, const json_t *issue)
{
    if (!member_text(issue, "id").n)
        return false;
    memory_set(memory, "issue", member_text(issue, "id"));
    memory_set(memory, "key", member_text(issue, "identifier"));
    memory_set(memory, "url", member_text(issue, "url"));
    return true;
}

/* The issue is there. */
static struct outcome has_issue(const struct sink_input *in, json_t *memory)
{
    if (in->alert->state != ALERT_FIRING)
        return go_on(memory, ASK_SAY);
    if (memory_former(memory, "issue").n && !may_reopen(in))
        return go_on(memory, ASK_LINK);
    return outcome_of(DELIVERED, "created");
}

static struct outcome created(const struct sink_input *in, json_t *memory,
                              const struct linear_answer *a)
{
    if (a->reading == READ_DUPLICATE) {
        memory_set(memory, "step_taken", STR("yes"));
        return go_on(memory, ASK_FIND);
    }
    if (a->reading != READ_DONE)
        return a->outcome;
    const json_t *payload = json_object_get(a->data, "issueCreate");
    char id[UUID_BYTES];
    linear_issue_id(in->alert, id);
    if (!learn(memory, json_object_get(payload, "issue")))
        memory_set(memory, "issue", str_of(id));
    return has_issue(in, memory);
}

/* Comments of this episode: whether this transition's is among them; the issue they are at. */
static bool read_comments(json_t *memory, const struct alert *a, const json_t *nodes)
{
    char id[UUID_BYTES];
    bool said = false;
    linear_comment_id(a, id);
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        const json_t *comment = json_array_get(nodes, i);
        learn(memory, json_object_get(comment, "issue"));
        said = said || str_is(member_text(comment, "id"), id);
    }
    return said;
}

static struct outcome not_there(const struct sink_input *in, json_t *memory)
{
    if (memory_get(memory, "step_taken").n)
        return outcome_of(DEAD, "the issue's id is taken, but no issue is to be seen");
    if (alert_is_over(in->alert))
        return outcome_of(DELIVERED, "there is no issue to resolve");
    return go_on(memory, ASK_CREATE);
}

static struct outcome found(const struct sink_input *in, json_t *memory,
                            const struct linear_answer *a)
{
    if (a->reading != READ_DONE)
        return a->outcome;
    const json_t *issues = json_object_get(json_object_get(a->data, "issues"), "nodes");
    const json_t *comments =
        json_object_get(json_object_get(a->data, "comments"), "nodes");
    memory_set(memory, "issue", STR_NONE);
    learn(memory, json_array_get(issues, 0));
    bool said = read_comments(memory, in->alert, comments);
    if (said)
        return outcome_of(DELIVERED, "already there");
    if (!memory_get(memory, "issue").n)
        return not_there(in, memory);
    if (memory_get(memory, "step_doubled").n)
        return outcome_of(DEAD,
                          "the comment's id is taken, but no comment is to be seen");
    memory_set(memory, "step_found", STR("yes"));
    return has_issue(in, memory);
}

static struct outcome said(json_t *memory, const struct linear_answer *a)
{
    if (a->reading == READ_DUPLICATE) {
        memory_set(memory, "step_doubled", STR("yes"));
        return go_on(memory, ASK_FIND);
    }
    if (a->reading == READ_ABSENT && !memory_get(memory, "step_found").n)
        return go_on(memory, ASK_FIND);
    return a->outcome;
}

static struct outcome reopened(json_t *memory, const struct linear_answer *a)
{
    if (a->reading == READ_DUPLICATE)
        return go_on(memory, ASK_FIND);
    if (a->reading == READ_ABSENT || a->reading == READ_REFUSED)
        return go_on(memory, ASK_CREATE);
    if (a->reading == READ_DONE) {
        static const char *const names[] = {"issue", "key", "url"};
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            memory_set(memory, names[i], memory_former(memory, names[i]));
    }
    return a->outcome;
}

static struct outcome linked(const struct linear_answer *a)
{
    if (a->reading == READ_OTHER)
        return a->outcome;
    return outcome_of(DELIVERED, a->reading == READ_DONE || a->reading == READ_DUPLICATE
                                     ? "created and linked"
                                     : "created, but not linked");
}

static struct outcome judge(const struct sink_input *in, json_t *memory,
                            const struct linear_answer *a)
{
    switch (linear_next(in, memory)) {
    case ASK_CREATE:
        return created(in, memory, a);
    case ASK_FIND:
        return found(in, memory, a);
    case ASK_SAY:
        return said(memory, a);
    case ASK_REOPEN:
        return reopened(memory, a);
    case ASK_LINK:
        return linked(a);
    }
    assert(false); /* a request that Linear is never asked */
    return a->outcome;
}

struct outcome linear_hear(const struct sink_input *in, const struct response *response,
                           struct buf *memory)
{
    json_t *m = memory_of(in);
    struct linear_answer a = linear_read(response);
    struct outcome o = judge(in, m, &a);
    json_decref(a.data);
    memory_write(m, memory);
    return o;
}

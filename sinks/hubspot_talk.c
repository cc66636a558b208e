/* Which request follows which: the company is looked up, the task made or updated, the company told. HubSpot knows no
 * idempotency for tasks, so where a former answer is not known the task is searched by its marker before
 * one is made; HubSpot's search knows a new task only after some seconds, which is waited for. */
#include <stdio.h>

#include "sinks/hubspot.h"
#include "sinks/memory.h"
#include "sinks/request.h"

enum { SEARCH_KNOWS_MS = 15000 };

static bool tells_company(const struct hubspot_settings *s)
{
    return s->score_property.n || s->reasons_property.n || s->signal_property.n;
}

static bool seeks_company(const struct sink_input *in, const json_t *memory)
{
    const struct hubspot_settings *s = in->settings;
    bool wanted = in->alert->state != ALERT_RESOLVED || tells_company(s);
    return wanted && s->company_property.n && hubspot_account(in->alert).id.n &&
           !memory_get(memory, "company").n && !memory_get(memory, "step_sought").n;
}

/* The task's part of this step. */
static enum hubspot_ask next_of_task(const struct sink_input *in, const json_t *memory)
{
    bool later = in->alert->state != ALERT_FIRING;
    if (memory_get(memory, "task").n)
        return HUBSPOT_UPDATE;
    bool doubt = in->again || memory_get(memory, "step_doubt").n ||
                 (later && !memory_get(memory, "step_looked").n);
    return doubt ? HUBSPOT_FIND_TASK : HUBSPOT_CREATE;
}

enum hubspot_ask hubspot_next(const struct sink_input *in, const json_t *memory)
{
    const struct hubspot_settings *s = in->settings;
    if (in->alert->state ==
        ALERT_REMINDER) /* the task is its owner's, and reminds by itself */
        return HUBSPOT_NOTHING;
    if (seeks_company(in, memory))
        return HUBSPOT_FIND_COMPANY;
    if (in->alert->state != ALERT_RESOLVED && !memory_get(memory, "step_task").n)
        return next_of_task(in, memory);
    if (tells_company(s) && in->alert->state != ALERT_VERIFIED &&
        !memory_get(memory, "step_told").n && hubspot_company(s, in->alert, memory).n)
        return HUBSPOT_PATCH;
    return HUBSPOT_NOTHING;
}

static bool is_id(struct str id)
{
    for (size_t i = 0; i < id.n; i++)
        if (id.p[i] < '0' || id.p[i] > '9')
            return false;
    return id.n > 0;
}

static void learn(json_t *memory, const char *name, struct str id)
{
    if (is_id(id)) /* it will stand in an address */
        memory_set(memory, name, id);
}

static void note(json_t *memory, const char *name)
{
    memory_set(memory, name, STR("yes"));
}

static void company_sought(const struct sink_input *in, json_t *memory,
                           const json_t *answer)
{
    const json_t *results = json_object_get(answer, "results");
    if (json_array_size(results) == 1)
        learn(memory, "company", member_text(json_array_get(results, 0), "id"));
    note(memory, "step_sought");
    if (in->again)
        note(memory, "step_doubt");
}

/* A task that is there needs no update when the alert fires: it was made by this very alert. */
static void task_sought(const struct sink_input *in, json_t *memory, const json_t *answer)
{
    const json_t *results = json_object_get(answer, "results");
    learn(memory, "task", member_text(json_array_get(results, 0), "id"));
    memory_set(memory, "step_doubt", STR_NONE);
    note(memory, "step_looked");
    if (in->alert->state == ALERT_FIRING && memory_get(memory, "task").n)
        note(memory, "step_task");
}

static void went_well(const struct sink_input *in, json_t *memory, const json_t *answer)
{
    switch (hubspot_next(in, memory)) {
    case HUBSPOT_FIND_COMPANY:
        company_sought(in, memory, answer);
        break;
    case HUBSPOT_FIND_TASK:
        task_sought(in, memory, answer);
        break;
    case HUBSPOT_CREATE:
        learn(memory, "task", member_text(answer, "id"));
        note(memory, "step_task");
        break;
    case HUBSPOT_UPDATE:
        note(memory, "step_task");
        break;
    case HUBSPOT_PATCH:
        note(memory, "step_told");
        break;
    case HUBSPOT_NOTHING:
        break;
    }
}

/* What people deleted is gone: a task is not made again, a company not told. A task that HubSpot does not take with its
 * company is made without. True: go on. */
static bool is_passed_over(const struct sink_input *in, json_t *memory, int status)
{
    enum hubspot_ask ask = hubspot_next(in, memory);
    bool wrong = status == 400 || status == 404;
    if (ask == HUBSPOT_UPDATE && status == 404)
        note(memory, "step_task");
    else if (ask == HUBSPOT_PATCH && status == 404)
        note(memory, "step_told");
    else if (ask == HUBSPOT_CREATE && wrong && !memory_get(memory, "step_lone").n &&
             hubspot_company(in->settings, in->alert, memory).n)
        note(memory, "step_lone");
    else
        return false;
    return true;
}

/* Whether the task may have been made all the same. */
static bool is_unknown(const struct outcome *o, int status)
{
    return o->verdict == RETRY && (status == 0 || status >= 500);
}

struct outcome hubspot_hear(const struct sink_input *in, const struct response *response,
                            struct buf *memory)
{
    struct outcome o = hubspot_outcome(in->settings, response);
    json_t *m = memory_of(in);
    json_t *answer = response_json(response);
    bool creates = hubspot_next(in, m) == HUBSPOT_CREATE;
    bool on = o.verdict == DELIVERED || is_passed_over(in, m, response->status);
    if (o.verdict == DELIVERED)
        went_well(in, m, answer);
    else if (creates && is_unknown(&o, response->status) &&
             o.retry_after_ms < SEARCH_KNOWS_MS)
        o.retry_after_ms = SEARCH_KNOWS_MS;
    struct sink_input now = *in;
    now.again = false;
    if (on)
        o.verdict = hubspot_next(&now, m) == HUBSPOT_NOTHING ? DELIVERED : MORE;
    memory_write(m, memory);
    json_decref(answer);
    return o;
}

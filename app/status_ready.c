#include "app/status_ready.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { REASON_BYTES = 200 };

static bool sinks_have_room(const struct ready_view *v)
{
    for (size_t i = 0; i < v->sinks_n; i++)
        if (v->sinks_full[i])
            return false;
    return true;
}

enum { CHECKS = 7 };
struct check {
    const char *name, *reason;
    bool fine;
};
static void look(const struct ready_view *v, struct check out[CHECKS])
{
    out[0] = (struct check){"configuration", v->refused, v->refused[0] == '\0'};
    out[1] = (struct check){
        "loop", v->draining ? "the process ends" : "the loop does not come round",
        v->ticks && !v->draining};
    out[2] = (struct check){"start", v->waiting, v->waiting[0] == '\0'};
    out[3] = (struct check){"redis",
                            v->told ? "Redis does not answer as it should"
                                    : "Redis was not asked yet",
                            v->told && v->redis_answers};
    out[4] = (struct check){
        "group", "the consumer group has not given this process an assignment yet",
        v->told && v->group_joined};
    out[5] = (struct check){"sinks", NULL, sinks_have_room(v)}; /* one reason a sink */
    out[6] = (struct check){
        "rules", "processes with another configuration have put their rules in place",
        !v->rules_replaced};
}

bool status_ready(const struct ready_view *v)
{
    struct check checks[CHECKS];
    bool fine = true;
    look(v, checks);
    for (int i = 1; /* work goes on with the configuration before */ i < CHECKS; i++)
        fine = fine && checks[i].fine;
    return fine;
}

static void add_reason(json_t *reasons, const char *check, const char *reason)
{
    json_array_append_new(reasons, json_sprintf("%s: %s", check, reason));
}

static json_t *sum_up(const struct ready_view *v)
{
    struct check checks[CHECKS];
    json_t *reasons = json_array(), *by_name = json_object();
    look(v, checks);
    for (int i = 0; i < CHECKS; i++) {
        json_object_set_new(by_name, checks[i].name, json_boolean(checks[i].fine));
        if (!checks[i].fine && checks[i].reason)
            add_reason(reasons, checks[i].name, checks[i].reason);
    }
    for (size_t i = 0; i < v->sinks_n; i++) {
        char reason[REASON_BYTES];
        snprintf(reason, sizeof reason, "the outbox of %.*s is full",
                 STR_ARG(v->sinks[i].name));
        if (v->sinks_full[i])
            add_reason(reasons, "sinks", reason);
    }
    return json_pack("{s:b,s:o,s:o}", "ready", status_ready(v), "reasons", reasons,
                     "checks", by_name);
}

void status_ready_write(const struct ready_view *v, struct buf *out)
{
    json_t *all = sum_up(v);
    char *text = json_dumps(all, JSON_COMPACT);
    assert(text);
    buf_text(out, text);
    buf_char(out, '\n');
    free(text);
    json_decref(all);
}

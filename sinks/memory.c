#include "sinks/memory.h"

#include <stdio.h>
#include <stdlib.h>

#include "sinks/request.h"

enum { VALUE_BYTES = 500 };

/* What is no object, written by another version or a hand, is nothing. */
static json_t *parse(struct str text)
{
    json_t *m = text.n ? json_loadb(text.p, text.n, 0, NULL) : NULL;
    if (json_is_object(m))
        return m;
    json_decref(m);
    return json_object();
}

static json_t *next_episode(json_t *m)
{
    json_t *next = json_object();
    if (member_text(m, "alert").n) {
        json_object_del(m, "former");
        json_object_set(next, "former", m);
    }
    json_decref(m);
    return next;
}

static void forget_step(json_t *m)
{
    const char *name;
    void *next;
    json_t *value;
    json_object_foreach_safe(m, next, name, value) if (strncmp(name, "step_", 5) == 0)
        json_object_del(m, name);
    json_object_del(m, "stage");
}

json_t *memory_of(const struct sink_input *in)
{
    const struct alert *a = in->alert;
    char step[64];
    json_t *m = parse(in->memory);
    if (!memory_is(m, "alert", a->id))
        m = next_episode(m);
    snprintf(step, sizeof step, "%s_%s", alert_state_name(a->state),
             in->digest ? "digest" : severity_name(a->severity));
    if (!memory_is(m, "step", step))
        forget_step(m);
    memory_set(m, "alert", str_of(a->id));
    memory_set(m, "step", str_of(step));
    return m;
}

struct str member_text(const json_t *object, const char *name)
{
    const json_t *t = json_object_get(object, name);
    return (struct str){json_string_value(t), json_string_length(t)};
}

struct str memory_get(const json_t *memory, const char *name)
{
    return member_text(memory, name);
}

struct str memory_former(const json_t *memory, const char *name)
{
    return member_text(json_object_get(memory, "former"), name);
}

void memory_set(json_t *memory, const char *name, struct str value)
{
    if (value.n && value.n <= VALUE_BYTES)
        request_set(memory, name, request_text(value));
    else
        json_object_del(memory, name);
}

bool memory_is(const json_t *memory, const char *name, const char *value)
{
    return str_is(memory_get(memory, name), value);
}

void memory_write(json_t *memory, struct buf *out)
{
    char *text = json_dumps(memory, JSON_COMPACT);
    buf_text(out, text ? text : "");
    free(text);
    json_decref(memory);
}

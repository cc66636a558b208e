#include "core/event.h"

#define X(constant, object, member, type) \
    {object, member, object "." member, VALUE_##type},
const struct event_field_info event_field_infos[FIELD_COUNT] = {EVENT_FIELDS(X)};
#undef X

const struct value value_absent = {.type = VALUE_ABSENT};

#define X(constant, name) {name, sizeof name - 1},
static const struct str type_names[] = {EVENT_TYPES(X){"other", 5}};
#undef X

enum event_field event_field_named(struct str name)
{
    for (int f = 0; f < FIELD_COUNT; f++)
        if (str_is(name, event_field_infos[f].name))
            return (enum event_field)f;
    return FIELD_COUNT;
}

enum event_type event_type_named(struct str name)
{
    for (int t = 0; t < EVENT_OTHER; t++)
        if (str_eq(name, type_names[t]))
            return (enum event_type)t;
    return EVENT_OTHER;
}

const char *event_type_name(enum event_type type)
{
    assert(type < EVENT_TYPE_COUNT);
    return type_names[type].p;
}

/* With a NUL after it. */
static char *keep_text(char *at, struct str *text)
{
    memcpy(at, text->p, text->n);
    text->p = at;
    at[text->n] = '\0';
    return at + text->n + 1;
}

void event_keep(struct event *e, struct arena *arena)
{
    size_t values_bytes = e->values_n * sizeof *e->values;
    size_t bytes_n = values_bytes + e->id.n + 1;
    for (size_t i = 0; i < e->values_n; i++)
        if (e->values[i].type == VALUE_TEXT)
            bytes_n += e->values[i].text.n + 1;
    struct value *values = arena_take(arena, bytes_n);
    char *at = keep_text((char *)values + values_bytes, &e->id);
    for (size_t i = 0; i < e->values_n; i++) {
        values[i] = e->values[i];
        if (values[i].type == VALUE_TEXT)
            at = keep_text(at, &values[i].text);
    }
    e->values = values;
}

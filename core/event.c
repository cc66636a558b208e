#include "core/event.h"

#include <assert.h>

#define X(constant, object, member, type) \
    {object, member, object "." member, VALUE_##type},
const struct event_field_info event_field_infos[FIELD_COUNT] = {EVENT_FIELDS(X)};
#undef X

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

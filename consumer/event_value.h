/* A JSON value as one of an event's: texts may be integers, since ids often are, and hold no
 * NUL, since somebody behind us reads C strings. Texts stay where yyjson has them, or go to
 * the arena. */
#ifndef CONSUMER_EVENT_VALUE_H
#define CONSUMER_EVENT_VALUE_H

#include <yyjson.h>

#include "core/arena.h"
#include "core/str.h"

/* U+0000 would end the text for whoever reads C strings: U+FFFD stands in for it. */
struct str value_without_nul(struct arena *arena, struct str s);
/* An integer as its digits. */
bool value_digits(struct arena *arena, yyjson_val *v, struct str *out);
/* A finite number. */
bool value_number(yyjson_val *v, double *out);

/* A text, or an integer as its digits. The text may still hold a NUL. */
static inline bool value_text(struct arena *arena, yyjson_val *v, struct str *out)
{
    if (!yyjson_is_str(v))
        return value_digits(arena, v, out);
    *out = (struct str){unsafe_yyjson_get_str(v), unsafe_yyjson_get_len(v)};
    return true;
}

#endif

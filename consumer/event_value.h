/* A JSON value as one of an event's: texts may be integers, since ids often are, and hold no
 * NUL, since somebody behind us reads C strings. Texts stay where yyjson has them, or go to
 * the arena. */
#ifndef CONSUMER_EVENT_VALUE_H
#define CONSUMER_EVENT_VALUE_H

#include <yyjson.h>

#include "core/arena.h"
#include "core/str.h"

/* Of what is passed over; what is read is three levels deep. */
enum { VALUE_DEPTH_MAX = 64 };
bool value_too_deep(yyjson_val *v);

/* Nothing in it holds anything: its values, and keys if it is an object, fill the row up to its end. */
static inline bool value_is_flat(yyjson_val *v)
{
    size_t n = unsafe_yyjson_get_len(v) << unsafe_yyjson_is_obj(v);
    return unsafe_yyjson_get_next(v) == v + 1 + n;
}

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

/* The same without one. Nothing that needs no escape is a NUL. */
static inline bool value_clean_text(struct arena *arena, yyjson_val *v, struct str *out)
{
    if (!value_text(arena, v, out))
        return false;
    if (yyjson_get_subtype(v) != YYJSON_SUBTYPE_NOESC)
        *out = value_without_nul(arena, *out);
    return true;
}

#endif

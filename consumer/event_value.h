/* A JSON value as one of an event's: texts may be integers, since ids often are, and hold no
 * NUL, since somebody behind us reads C strings. In a header, because these are called for
 * every member of every event. Texts stay where yyjson has them, or go to the arena. */
#ifndef CONSUMER_EVENT_VALUE_H
#define CONSUMER_EVENT_VALUE_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <yyjson.h>

#include "core/arena.h"
#include "core/str.h"

enum { VALUE_DIGITS_BYTES = 24 };

/* U+0000 would end the text for whoever reads C strings: U+FFFD stands in for it. */
static inline struct str value_without_nul(struct arena *arena, struct str s)
{
    size_t nuls = 0, at = 0;
    for (size_t i = 0; i < s.n; i++)
        nuls += s.p[i] == '\0';
    if (nuls == 0)
        return s;
    char *p = arena_alloc(arena, s.n + 2 * nuls + 1);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i]) {
            p[at++] = s.p[i];
            continue;
        }
        memcpy(p + at, "\xef\xbf\xbd", 3);
        at += 3;
    }
    return (struct str){p, at};
}

static inline bool value_digits(struct arena *arena, yyjson_val *v, struct str *out)
{
    if (yyjson_is_raw(v)) { /* too large for 64 bits */
        *out = (struct str){yyjson_get_raw(v), yyjson_get_len(v)};
        return strspn(out->p, "-0123456789") >= out->n;
    }
    if (!yyjson_is_int(v))
        return false;
    char *p = arena_alloc(arena, VALUE_DIGITS_BYTES);
    int n = yyjson_is_uint(v)
                ? snprintf(p, VALUE_DIGITS_BYTES, "%" PRIu64, yyjson_get_uint(v))
                : snprintf(p, VALUE_DIGITS_BYTES, "%" PRId64, yyjson_get_sint(v));
    *out = (struct str){p, (size_t)n};
    return true;
}

/* A text, or an integer as its digits. The text may still hold a NUL. */
static inline bool value_text(struct arena *arena, yyjson_val *v, struct str *out)
{
    if (!yyjson_is_str(v))
        return value_digits(arena, v, out);
    *out = (struct str){unsafe_yyjson_get_str(v), unsafe_yyjson_get_len(v)};
    return true;
}

/* A finite number. */
static inline bool value_number(yyjson_val *v, double *out)
{
    if (!yyjson_is_num(v) && !yyjson_is_raw(v))
        return false;
    *out = yyjson_is_raw(v) ? strtod(yyjson_get_raw(v), NULL) : yyjson_get_num(v);
    return *out - *out == 0;
}

#endif

#include "consumer/event_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { DIGITS_BYTES = 24 };

/* Values lie in one row, parents first, and each container knows where its own end. */
bool value_too_deep(yyjson_val *v)
{
    const yyjson_val *ends[VALUE_DEPTH_MAX], *end = unsafe_yyjson_get_next(v);
    size_t depth = 0;
    for (; v < end; v++) {
        if (!unsafe_yyjson_is_ctn(v))
            continue;
        while (depth && v >= ends[depth - 1])
            depth--;
        if (depth == VALUE_DEPTH_MAX)
            return true;
        ends[depth++] = unsafe_yyjson_get_next(v);
    }
    return false;
}

struct str value_without_nul(struct arena *arena, struct str s)
{
    size_t nuls = 0, at = 0;
    if (!memchr(s.p, '\0', s.n))
        return s;
    for (size_t i = 0; i < s.n; i++)
        nuls += s.p[i] == '\0';
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

bool value_digits(struct arena *arena, yyjson_val *v, struct str *out)
{
    if (yyjson_is_raw(v)) { /* too large for 64 bits */
        *out = (struct str){yyjson_get_raw(v), yyjson_get_len(v)};
        return strspn(out->p, "-0123456789") >= out->n;
    }
    if (!yyjson_is_int(v))
        return false;
    char *p = arena_alloc(arena, DIGITS_BYTES);
    int n = yyjson_is_uint(v) ? snprintf(p, DIGITS_BYTES, "%" PRIu64, yyjson_get_uint(v))
                              : snprintf(p, DIGITS_BYTES, "%" PRId64, yyjson_get_sint(v));
    *out = (struct str){p, (size_t)n};
    return true;
}

bool value_number(yyjson_val *v, double *out)
{
    if (!yyjson_is_num(v) && !yyjson_is_raw(v))
        return false;
    *out = yyjson_is_raw(v) ? strtod(yyjson_get_raw(v), NULL) : yyjson_get_num(v);
    return *out - *out == 0;
}

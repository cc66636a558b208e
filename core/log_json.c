/* Call sites write logfmt; this is read back, so that there is one way to log and any number of formats. */
#include "core/log_json.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

enum { DIGITS_MAX = 15, VALUE_BYTES = 2048 };

/* Bytes that are no UTF-8 (a value was cut, or a peer sent them) cannot stand in JSON. */
static json_t *text_of(char *text, size_t n)
{
    json_t *value = json_stringn(text, n);
    for (size_t i = 0; !value && i < n; i++)
        if ((unsigned char)text[i] >= 0x80)
            text[i] = '?';
    return value ? value : json_stringn(text, n);
}

static bool is_number(struct str s)
{
    size_t at = s.n && s.p[0] == '-', digits = s.n - at;
    if (digits == 0 || digits > DIGITS_MAX || (s.p[at] == '0' && digits > 1))
        return false;
    for (; at < s.n; at++)
        if (s.p[at] < '0' || s.p[at] > '9')
            return false;
    return true;
}

static json_t *plain(struct str s)
{
    char text[VALUE_BYTES];
    size_t n = s.n < sizeof text - 1 ? s.n : sizeof text - 1;
    memcpy(text, s.p, n);
    text[n] = '\0';
    return is_number(s) ? json_integer(strtoll(text, NULL, 10)) : text_of(text, n);
}

/* What stands in quotes, up to the closing one; *s begins behind it then. */
static json_t *quoted(struct str *s)
{
    char text[VALUE_BYTES];
    size_t at = 1, n = 0;
    for (; at < s->n && s->p[at] != '"' && n < sizeof text; at++) {
        at += s->p[at] == '\\' && at + 1 < s->n;
        text[n++] = s->p[at];
    }
    *s = str_from(*s, at < s->n ? at + 1 : s->n);
    return text_of(text, n);
}

static size_t up_to(struct str s, char c)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
    return at ? (size_t)(at - s.p) : s.n;
}

static void add_pair(json_t *line, struct str *pairs)
{
    char key[64];
    size_t n = up_to(*pairs, '=');
    size_t kept = n < sizeof key - 1 ? n : sizeof key - 1;
    memcpy(key, pairs->p, kept);
    key[kept] = '\0';
    *pairs = str_from(*pairs, n < pairs->n ? n + 1 : n);
    json_t *value;
    if (pairs->n && pairs->p[0] == '"') {
        value = quoted(pairs);
    } else {
        size_t end = up_to(*pairs, ' ');
        value = plain((struct str){pairs->p, end});
        *pairs = str_from(*pairs, end);
    }
    json_object_set_new(line, key, value);
    while (pairs->n && pairs->p[0] == ' ')
        *pairs = str_from(*pairs, 1);
}

char *log_json(const char *ts, const char *level, const char *event, struct str pairs)
{
    json_t *line = json_pack("{s:s, s:s, s:s}", "ts", ts, "level", level, "event", event);
    assert(line);
    while (pairs.n)
        add_pair(line, &pairs);
    char *text = json_dumps(line, JSON_COMPACT);
    assert(text);
    json_decref(line);
    return text;
}

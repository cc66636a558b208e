#include "core/silence.h"

#include <jansson.h>
#include <stdlib.h>

#include "core/pattern.h"
#include "core/timefmt.h"

/* --- matching --- */

static bool fits(struct str pattern, struct str text)
{
    return pattern.n == 0 || pattern_fits(pattern, text);
}

bool silence_matches(const struct silence *s, const struct alert *a, struct str sink,
                     int64_t now_ms)
{
    if (now_ms < s->from_ms || now_ms >= s->until_ms || a->severity > s->most)
        return false;
    for (size_t i = 0; i < s->keys_n; i++) {
        struct str value = alert_key(a, s->key_names[i]);
        if (value.n == 0 || !fits(s->key_values[i], value))
            return false;
    }
    return fits(s->rule, a->rule) && fits(s->sink, sink);
}

/* --- JSON --- */

bool silence_text_good(struct str text)
{
    json_t *t = text.n && text.n <= 500 ? json_stringn(text.p, text.n) : NULL;
    json_decref(t);
    return t != NULL;
}

static void put_text(json_t *o, const char *name, struct str text)
{
    if (text.n)
        json_object_set_new(o, name, json_stringn(text.p, text.n));
}

static void put_time(json_t *o, const char *name, int64_t ms)
{
    char text[TIME_TEXT_BYTES];
    time_text(ms, text);
    json_object_set_new(o, name, json_string(text));
}

void silence_json(const struct silence *s, struct buf *out)
{
    json_t *o = json_object(), *key = json_object();
    put_text(o, "id", str_of(s->id));
    put_text(o, "rule", s->rule);
    put_text(o, "sink", s->sink);
    for (size_t i = 0; i < s->keys_n; i++)
        json_object_set_new(key, s->key_names[i].p,
                            json_stringn(s->key_values[i].p, s->key_values[i].n));
    json_object_set_new(o, "key", key);
    put_text(o, "up_to", str_of(severity_name(s->most)));
    put_time(o, "from", s->from_ms);
    put_time(o, "until", s->until_ms);
    put_text(o, "author", s->author);
    put_text(o, "reason", s->reason);
    char *text = json_dumps(o, JSON_COMPACT);
    buf_text(out, text ? text : "{}");
    free(text);
    json_decref(o);
}

static struct str text_of(const json_t *v, struct arena *arena)
{
    struct str s = {json_string_value(v), json_string_length(v)};
    return s.p ? arena_str(arena, s) : STR_NONE;
}

static struct str get_text(const json_t *o, const char *name, struct arena *arena)
{
    return text_of(json_object_get(o, name), arena);
}

static void get_key(json_t *key, struct arena *arena, struct silence *out)
{
    const char *name;
    json_t *value;
    json_object_foreach(key, name, value)
    {
        if (out->keys_n == ALERT_KEYS_MAX)
            return;
        out->key_names[out->keys_n] = arena_str(arena, str_of(name));
        out->key_values[out->keys_n++] = text_of(value, arena);
    }
}

static bool get(const json_t *o, struct arena *arena, struct silence *out)
{
    struct str id = get_text(o, "id", arena);
    *out = (struct silence){.rule = get_text(o, "rule", arena),
                            .sink = get_text(o, "sink", arena),
                            .author = get_text(o, "author", arena),
                            .reason = get_text(o, "reason", arena)};
    if (id.n != sizeof out->id - 1)
        return false;
    memcpy(out->id, id.p, id.n);
    get_key(json_object_get(o, "key"), arena, out);
    return severity_named(get_text(o, "up_to", arena), &out->most) &&
           time_parse(get_text(o, "from", arena), &out->from_ms) &&
           time_parse(get_text(o, "until", arena), &out->until_ms);
}

int silence_parse(struct str json, struct arena *arena, struct silence *out,
                  struct err *e)
{
    json_error_t why;
    json_t *o = json_loadb(json.p, json.n, 0, &why);
    bool good = o && get(o, arena, out);
    json_decref(o);
    return good ? 0 : err_set(e, ERR_INPUT, "that is no silence");
}

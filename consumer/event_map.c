/* yyjson resolves each pointer, from the root: a third of what reading a mapped message costs, and no table of
 * our own to keep. Every value is a text first, as a template would have written it, and becomes a number or
 * a flag where the field is one. */
#include "consumer/event_map.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "consumer/event_check.h"
#include "consumer/event_value.h"

enum { NUMBER_BYTES = 40, PLACES_BYTES = 240 };
static const double SECONDS_MAX = 1e15; /* far from any time; more would be no text */

/* --- texts --- */

static struct str formatted(const struct map_message *m, double x)
{
    char *p = arena_alloc(m->arena, NUMBER_BYTES);
    return (struct str){p, (size_t)snprintf(p, NUMBER_BYTES, "%.15g", x)};
}

/* What stands at the pointer as a text. False: nothing, null, "" or a container. */
static bool text_at(const struct map_message *m, struct str pointer, struct str *out)
{
    yyjson_val *v = yyjson_ptr_getn(m->root, pointer.p, pointer.n);
    if (yyjson_is_bool(v))
        *out = yyjson_get_bool(v) ? STR("true") : STR("false");
    else if (yyjson_is_real(v))
        *out = formatted(m, yyjson_get_real(v));
    else if (!v || !value_clean_text(m->arena, v, out))
        return false;
    return out->n > 0;
}

/* Only if every one is there: else two messages could become one. */
static bool joined(const struct map_message *m, const struct map_place *p,
                   struct str *out)
{
    size_t n = 0;
    struct str part;
    for (size_t i = 0; i < p->pointers_n; i++) {
        if (!text_at(m, p->pointers[i], &part))
            return false;
        n += part.n + 1;
    }
    char *at = arena_alloc(m->arena, n);
    *out = (struct str){at, n - 1};
    for (size_t i = 0; i < p->pointers_n; i++) {
        if (i > 0)
            *at++ = ':';
        (void)text_at(m, p->pointers[i], &part);
        memcpy(at, part.p, part.n);
        at += part.n;
    }
    return true;
}

/* --- words --- */

/* In the C locale, which nobody changes: ASCII. */
static bool same(const char *a, const char *b, size_t n)
{
    return strncasecmp(a, b, n) == 0;
}

static bool holds(struct str text, struct str part)
{
    char small = (char)tolower((unsigned char)*part.p), large = (char)toupper(small);
    for (size_t i = 0; i + part.n <= text.n; i++)
        if ((text.p[i] == small || text.p[i] == large) &&
            same(text.p + i, part.p, part.n))
            return true;
    return false;
}

/* word, word*, wo*rd, *word; *word* is found anywhere. */
static bool fits(struct str word, struct str text)
{
    if (word.n > 2 && word.p[0] == '*' && word.p[word.n - 1] == '*')
        return holds(text, (struct str){word.p + 1, word.n - 2});
    const char *star = word.n ? memchr(word.p, '*', word.n) : NULL;
    if (!star)
        return word.n == text.n && same(word.p, text.p, text.n);
    size_t before = (size_t)(star - word.p), after = word.n - before - 1;
    return text.n >= before + after && same(word.p, text.p, before) &&
           same(star + 1, text.p + text.n - after, after);
}

static bool text_of(const struct map_message *m, const struct map_place *p,
                    struct str *out)
{
    bool there = p->pointers_n == 1 ? text_at(m, p->pointers[0], out)
                                    : p->pointers_n > 1 && joined(m, p, out);
    for (size_t i = 0; there && i < p->except_n; i++)
        there = !fits(p->except[i], *out);
    return there;
}

static const struct value *meaning(const struct map_place *p, struct str text)
{
    for (size_t i = 0; i < p->words_n; i++)
        if (fits(p->words[i].word, text))
            return &p->words[i].means;
    return NULL;
}

/* --- values --- */

/* All of the text, as JSON has numbers. */
static bool number_in(struct str s, double *out)
{
    char text[NUMBER_BYTES], *end;
    if (s.n == 0 || s.n >= sizeof text || !strchr("-0123456789", s.p[0]))
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    if (strspn(text, "0123456789-+.eE") != s.n)
        return false;
    *out = strtod(text, &end);
    return *end == '\0' && *out - *out == 0;
}

/* Helpdesks that fill a template in write numbers as texts. */
static bool as_is(const struct map_message *m, const struct map_place *p,
                  enum value_type type, struct value *out)
{
    struct str text;
    if (!text_of(m, p, &text))
        return false;
    out->type = type;
    if (type == VALUE_TEXT)
        out->text = text;
    if (type == VALUE_NUMBER)
        return number_in(text, &out->number);
    if (type == VALUE_FLAG) {
        out->flag = str_is(text, "true");
        return out->flag || str_is(text, "false");
    }
    return true;
}

static bool value_of(const struct map_message *m, const struct map_place *p,
                     enum value_type type, struct value *out)
{
    struct str text;
    if (p->pointers_n == 0) {
        *out = p->constant;
        return out->type != VALUE_ABSENT;
    }
    if (p->words_n == 0)
        return as_is(m, p, type, out);
    const struct value *means = text_of(m, p, &text) ? meaning(p, text) : NULL;
    if (means)
        *out = *means;
    return means != NULL;
}

static bool take(const struct map_message *m, const struct map_part *part,
                 enum value_type type, struct value *out)
{
    for (size_t i = 0; i < part->n; i++)
        if (value_of(m, &part->places[i], type, out))
            return true;
    *out = (struct value){.type = VALUE_ABSENT};
    return false;
}

/* Something stands there, whatever it is; or a word that the mapping names. */
static bool is_there(const struct map_message *m, const struct map_place *p)
{
    struct value ignored;
    if (p->words_n || p->except_n || p->pointers_n != 1)
        return value_of(m, p, VALUE_TEXT, &ignored);
    yyjson_val *v = yyjson_ptr_getn(m->root, p->pointers[0].p, p->pointers[0].n);
    return v && !yyjson_is_null(v);
}

static bool is_of(const struct event_map *map, const struct map_message *m)
{
    for (size_t i = 0; i < map->when.n; i++)
        if (is_there(m, &map->when.places[i]))
            return true;
    return map->when.n == 0;
}

const struct event_map *event_map_of(const struct event_maps *maps,
                                     const struct map_message *m)
{
    for (size_t i = 0; i < maps->n; i++)
        if (is_of(&maps->items[i], m))
            return &maps->items[i];
    return NULL;
}

/* --- what every event needs --- */

/* "/detail/id or /ticket_id:/time", cut where it is long. */
static const char *places(const struct map_part *part, char out[PLACES_BYTES])
{
    int n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < part->n && n < PLACES_BYTES; i++) {
        const struct map_place *p = &part->places[i];
        const char *between = i ? " or " : "";
        if (p->record_time)
            n += snprintf(out + n, (size_t)(PLACES_BYTES - n), "%s/kafka/timestamp",
                          between);
        for (size_t k = 0; k < p->pointers_n && n < PLACES_BYTES; k++)
            n += snprintf(out + n, (size_t)(PLACES_BYTES - n), "%s%.*s",
                          k ? ":" : between, STR_ARG(p->pointers[k]));
    }
    return out;
}

static int missing(const char *name, const struct map_part *part, struct err *e)
{
    char at[PLACES_BYTES];
    return err_set(e, ERR_INPUT,
                   "%s is missing: there is no text or number at %s (see `fields` in the "
                   "configuration)",
                   name, places(part, at));
}

/* The error of a check, with where its value came from. */
static int told(const struct err *from, const struct map_part *part, struct err *e)
{
    char at[PLACES_BYTES];
    return err_set(e, ERR_INPUT, "from %s: %.250s", places(part, at), from->text);
}

static int read_id(const struct event_map *map, const struct map_message *m,
                   struct str *out, struct err *e)
{
    struct value id;
    struct err wrong = {0};
    if (!take(m, &map->id, VALUE_TEXT, &id))
        return missing("id", &map->id, e);
    *out = id.text;
    return event_check_text("id", id.text, &wrong) ? told(&wrong, &map->id, e) : 0;
}

/* A word of theirs that nothing names is one of the types that we do not know. */
static int read_type(const struct event_map *map, const struct map_message *m,
                     enum event_type *out, struct err *e)
{
    struct value type;
    struct str any;
    *out = EVENT_OTHER;
    if (take(m, &map->type, VALUE_TEXT, &type)) {
        *out = event_type_named(type.text);
        return 0;
    }
    for (size_t i = 0; i < map->type.n; i++)
        if (text_of(m, &map->type.places[i], &any))
            return 0;
    return missing("type", &map->type, e);
}

static struct str digits(const struct map_message *m, int64_t x)
{
    char *p = arena_alloc(m->arena, NUMBER_BYTES);
    return (struct str){p, (size_t)snprintf(p, NUMBER_BYTES, "%" PRId64, x)};
}

/* RFC 3339 stays what it is. */
static struct str milliseconds(const struct map_message *m, struct str text)
{
    double seconds;
    if (!number_in(text, &seconds) || seconds < 0 || seconds >= SECONDS_MAX)
        return text;
    return digits(m, llround(seconds * 1000));
}

static bool time_text_of(const struct map_message *m, const struct map_place *p,
                         struct str *out)
{
    if (p->record_time) {
        *out = digits(m, m->timestamp_ms);
        return m->timestamp_ms >= 0;
    }
    if (!text_of(m, p, out))
        return false;
    if (p->seconds)
        *out = milliseconds(m, *out);
    return true;
}

static int read_time(const struct event_map *map, const struct map_message *m,
                     int64_t *ms, struct err *e)
{
    struct err wrong = {0};
    struct str text;
    for (size_t i = 0; i < map->time.n; i++)
        if (time_text_of(m, &map->time.places[i], &text))
            return event_check_time(text, ms, &wrong) ? told(&wrong, &map->time, e) : 0;
    return missing("time", &map->time, e);
}

int event_map_read(const struct event_map *map, const struct map_message *m,
                   struct event *out, struct err *e)
{
    struct value value;
    if (read_id(map, m, &out->id, e) || read_type(map, m, &out->type, e) ||
        read_time(map, m, &out->time_ms, e))
        return -1;
    for (int f = 0; f < FIELD_COUNT; f++)
        if (map->fields[f].n &&
            take(m, &map->fields[f], event_field_infos[f].type, &value))
            event_add(out, (enum event_field)f, value);
    return 0;
}

#include "detectors/match.h"

#include <stdio.h>
#include <xxhash.h>

#include "core/utf8.h"

/* Its hash keeps different ones different. */
struct str match_bounded(struct str s, struct arena *arena)
{
    if (s.n <= KEY_VALUE_BYTES_MAX)
        return s;
    struct buf b;
    buf_init(&b, KEY_VALUE_BYTES_MAX + 32);
    buf_put(&b, utf8_cut(s, KEY_VALUE_BYTES_MAX - 20));
    buf_printf(&b, "...%016llx", (unsigned long long)XXH3_64bits(s.p, s.n));
    struct str kept = arena_str(arena, buf_str(&b));
    buf_deinit(&b);
    return kept;
}

#define TEXTS(...) ((const struct str[FINGERPRINT_TEXTS_MAX]){__VA_ARGS__})

static struct str made(enum key_source source, const struct event *e,
                       struct fingerprint_cache *known, struct arena *arena)
{
    if (source == KEY_PAGE)
        return fingerprint_cached(known, FINGERPRINT_PAGE,
                                  TEXTS(event_text(e, FIELD_PAGE_URL)), arena);
    if (source == KEY_SUBJECT)
        return fingerprint_cached(known, FINGERPRINT_SUBJECT,
                                  TEXTS(event_text(e, FIELD_TICKET_SUBJECT)), arena);
    return fingerprint_cached(known, FINGERPRINT_ERROR,
                              TEXTS(event_text(e, FIELD_ERROR_TYPE),
                                    event_text(e, FIELD_ERROR_CODE),
                                    event_text(e, FIELD_ERROR_MESSAGE)),
                              arena);
}

static struct str fingerprint(enum key_source source, struct event *e,
                              struct fingerprint_cache *known, struct arena *arena)
{
    struct str *kept = source == KEY_PAGE    ? &e->page
                       : source == KEY_ERROR ? &e->error
                                             : &e->subject;
    if (!kept->p)
        *kept = match_bounded(made(source, e, known, arena), arena);
    return *kept;
}

static struct str number_text(const struct value *v, struct arena *arena)
{
    char text[40];
    struct str s = {text, 0};
    if (v->type == VALUE_FLAG)
        return v->flag ? STR("true") : STR("false");
    if (v->type == VALUE_NUMBER)
        s.n = (size_t)snprintf(text, sizeof text, "%.15g", v->number);
    return s.n ? arena_str(arena, s) : STR_NONE;
}

static struct str key_value(const struct key_part *part, struct event *e,
                            struct fingerprint_cache *known, struct arena *arena)
{
    if (part->source != KEY_FIELD)
        return fingerprint(part->source, e, known, arena);
    const struct value *v = event_value(e, part->field);
    return v->type == VALUE_TEXT ? match_bounded(v->text, arena) : number_text(v, arena);
}

/* Something to make the value of: where one part has nothing, no other need be made. */
static bool may_have(const struct key_part *part, const struct event *e)
{
    switch (part->source) {
    case KEY_PAGE:
        return event_text(e, FIELD_PAGE_URL).n > 0;
    case KEY_SUBJECT:
        return event_text(e, FIELD_TICKET_SUBJECT).n > 0;
    case KEY_ERROR:
        return event_text(e, FIELD_ERROR_TYPE).n > 0 ||
               event_text(e, FIELD_ERROR_CODE).n > 0 ||
               event_text(e, FIELD_ERROR_MESSAGE).n > 0;
    case KEY_FIELD:
        break;
    }
    return event_value(e, part->field)->type != VALUE_ABSENT;
}

static enum event_field field_of(const struct key_part *part)
{
    switch (part->source) {
    case KEY_PAGE:
        return FIELD_PAGE_URL;
    case KEY_SUBJECT:
        return FIELD_TICKET_SUBJECT;
    case KEY_ERROR:
        return FIELD_ERROR_TYPE;
    case KEY_FIELD:
        break;
    }
    return part->field;
}

struct event_need rule_need(const struct rule *rule)
{
    struct event_need need = {.types = rule->on};
    for (size_t i = 0; i < rule->by_n; i++)
        need.fields |= UINT64_C(1) << field_of(&rule->by[i]);
    return need;
}

bool rule_match(const struct rule *rule, struct event *event,
                struct fingerprint_cache *known, struct arena *arena, struct str *key)
{
    if (!rule_takes(rule, event->type))
        return false;
    for (size_t i = 0; i < rule->by_n; i++)
        if (!may_have(&rule->by[i], event))
            return false;
    if (rule->where && !where_matches(rule->where, event))
        return false;
    for (size_t i = 0; i < rule->by_n; i++) {
        key[i] = key_value(&rule->by[i], event, known, arena);
        if (key[i].n == 0)
            return false;
    }
    return true;
}

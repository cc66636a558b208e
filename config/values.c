/* One value of an option: how each type is read, and what is said when it is not one. What a type is
 * called stands in value_words.c; to add one, there and here is all. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/options.h"
#include "core/event.h"
#include "core/suggest.h"
#include "core/timefmt.h"

enum { WANTED_BYTES_MAX = 600, NUMBER_BYTES_MAX = 40 };

struct value_in {
    struct reading *r;
    const struct option_row *row;
    const struct node *node;
    struct str path;
    void *to; /* the member of the settings */
};

/* --- what is wrong --- */

static const char *wanted_text(const struct value_in *v)
{
    struct buf b;
    buf_init(&b, WANTED_BYTES_MAX);
    value_wanted(v->row, &b);
    struct str kept = arena_str(v->r->arena, buf_str(&b));
    buf_deinit(&b);
    return kept.p;
}

/* Always false. `more` goes on after what was found. */
static bool unexpected(const struct value_in *v, const char *more)
{
    complain(v->r, v->node->at, v->path, "expected %s, found %s%s", wanted_text(v),
             node_found(v->r, v->node), more);
    return false;
}

static bool out_of_bounds(const struct value_in *v)
{
    struct buf least, most;
    buf_init(&least, NUMBER_BYTES_MAX);
    buf_init(&most, NUMBER_BYTES_MAX);
    value_bounds(v->row, &least, &most);
    const char *to = most.n ? " to " : " or more";
    complain(v->r, v->node->at, v->path, "must be %.*s%s%.*s, found %s",
             STR_ARG(buf_str(&least)), to, STR_ARG(buf_str(&most)),
             node_found(v->r, v->node));
    buf_deinit(&least);
    buf_deinit(&most);
    return false;
}

static bool in_bounds(const struct value_in *v, double x)
{
    const struct option_row *row = v->row;
    bool bounded = row->min != 0 || row->max != 0;
    if (bounded && (x < row->min || (row->max != 0 && x > row->max)))
        return out_of_bounds(v);
    return true;
}

static bool text_of(const struct value_in *v, struct str *out)
{
    return node_text(v->r, v->node, v->path, wanted_text(v), out);
}

/* --- numbers --- */

/* Digits, a sign, a point, an exponent: what strtod takes but for words and hexadecimals. */
static bool number_of(struct str s, double *out)
{
    char text[NUMBER_BYTES_MAX], *end;
    if (s.n == 0 || s.n >= sizeof text || strchr("0123456789-+.", s.p[0]) == NULL)
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    if (strspn(text, "0123456789-+.eE") != s.n)
        return false;
    *out = strtod(text, &end);
    return *end == '\0' && isfinite(*out);
}

static bool read_int(const struct value_in *v)
{
    struct str s;
    double x;
    if (!text_of(v, &s))
        return false;
    if (memchr(s.p, '.', s.n) || memchr(s.p, 'e', s.n) || memchr(s.p, 'E', s.n) ||
        !number_of(s, &x) || fabs(x) > 9e15)
        return unexpected(v, "");
    *(int64_t *)v->to = (int64_t)x;
    return in_bounds(v, x);
}

static bool read_number(const struct value_in *v)
{
    struct str s;
    if (!text_of(v, &s))
        return false;
    if (!number_of(s, v->to))
        return unexpected(v, "");
    return in_bounds(v, *(double *)v->to);
}

static bool read_percent(const struct value_in *v)
{
    struct str s;
    double x;
    char more[80] = "";
    if (!text_of(v, &s))
        return false;
    bool sign = s.n && s.p[s.n - 1] == '%';
    bool number = number_of((struct str){s.p, s.n - sign}, &x);
    if (!sign || !number) {
        if (number)
            snprintf(more, sizeof more, "; did you mean %.6g%%?", x <= 1 ? 100 * x : x);
        return unexpected(v, more);
    }
    *(double *)v->to = x / 100;
    return in_bounds(v, x / 100);
}

static bool read_flag(const struct value_in *v)
{
    struct str s;
    if (!text_of(v, &s))
        return false;
    if (!str_is(s, "true") && !str_is(s, "false"))
        return unexpected(v, "");
    *(bool *)v->to = str_is(s, "true");
    return true;
}

static bool read_duration(const struct value_in *v)
{
    struct str s;
    double x;
    if (!text_of(v, &s))
        return false;
    for (int i = 0; v->row->words && v->row->words[i]; i++)
        if (str_is(s, v->row->words[i])) {
            *(int64_t *)v->to = -1 - i;
            return true;
        }
    if (!duration_parse(s, v->to))
        return unexpected(v, number_of(s, &x)        ? "; the unit is missing"
                             : memchr(s.p, ' ', s.n) ? "; write it without spaces"
                                                     : "");
    return in_bounds(v, (double)*(int64_t *)v->to);
}

/* --- words --- */

static bool read_word(const struct value_in *v)
{
    char meant[SUGGESTION_BYTES];
    struct str s;
    if (!text_of(v, &s))
        return false;
    struct suggestion near = suggestion_for(s);
    for (int i = 0; v->row->words[i]; i++) {
        suggestion_offer(&near, str_of(v->row->words[i]));
        if (str_is(s, v->row->words[i])) {
            *(int *)v->to = i;
            return true;
        }
    }
    return unexpected(v, suggestion_text(&near, meant));
}

static bool read_field(const struct value_in *v)
{
    char meant[SUGGESTION_BYTES];
    struct str s;
    if (!text_of(v, &s))
        return false;
    enum event_field field = event_field_named(s);
    if (field < FIELD_COUNT && event_field_infos[field].type == VALUE_NUMBER) {
        *(int *)v->to = (int)field;
        return true;
    }
    struct suggestion near = suggestion_for(s);
    for (int f = 0; f < FIELD_COUNT; f++)
        if (event_field_infos[f].type == VALUE_NUMBER) {
            suggestion_offer(&near, str_of(event_field_infos[f].name));
            suggestion_offer_as(&near, str_of(event_field_infos[f].member),
                                str_of(event_field_infos[f].name));
        }
    return unexpected(v, suggestion_text(&near, meant));
}

/* --- texts --- */

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7F)
            return true;
    return false;
}

static bool begins_right(const struct value_in *v, struct str s)
{
    const char *const *words = v->row->words;
    for (size_t i = 0; words && words[i]; i++)
        if (str_starts(s, str_of(words[i])))
            return true;
    return !words;
}

/* Texts may be secrets: none is shown. */
static bool text_fits(const struct value_in *v, struct str s)
{
    const struct option_row *row = v->row;
    double n = (double)s.n;
    if (row->required && s.n == 0)
        complain(v->r, v->node->at, v->path, "must not be empty");
    else if (has_control(s))
        complain(v->r, v->node->at, v->path,
                 "must not have control characters or line breaks in it");
    else if (s.n && !begins_right(v, s))
        complain(v->r, v->node->at, v->path, "expected %s", wanted_text(v));
    else if (s.n && row->min != 0 && row->min == row->max && n != row->min)
        complain(v->r, v->node->at, v->path, "must have %.0f characters, has %zu",
                 row->min, s.n);
    else if (s.n && (n < row->min || (row->max != 0 && n > row->max)))
        complain(v->r, v->node->at, v->path, "must have %.0f to %.0f characters, has %zu",
                 row->min, row->max, s.n);
    else
        return true;
    return false;
}

static bool read_text(const struct value_in *v)
{
    return text_of(v, v->to) && text_fits(v, *(struct str *)v->to);
}

static bool read_secret(const struct value_in *v)
{
    struct secret *s = v->to;
    return text_of(v, &s->value) && text_fits(v, s->value);
}

static bool read_texts(const struct value_in *v)
{
    struct texts *t = v->to;
    struct value_in one = *v;
    size_t most = v->node->kind == NODE_LIST ? v->node->n : 1;
    bool good = true;
    *t = (struct texts){arena_alloc(v->r->arena, (most + 1) * sizeof *t->items), 0};
    for (size_t i = 0; (one.node = node_item(v->node, i)); i++) {
        struct str s;
        if (!text_of(&one, &s) || !text_fits(&one, s))
            good = false;
        else
            t->items[t->n++] = s;
    }
    if (v->row->required && most == 0)
        good = unexpected(v, " without anything in it");
    return good;
}

static bool read_pairs(const struct value_in *v)
{
    struct pairs *p = v->to;
    const struct node *map = v->node;
    bool good = true;
    if (!node_is_map(v->r, map, v->path, wanted_text(v)))
        return false;
    *p = (struct pairs){arena_alloc(v->r->arena, (map->n + 1) * sizeof *p->names),
                        arena_alloc(v->r->arena, (map->n + 1) * sizeof *p->values), 0};
    for (size_t i = 0; i < map->n; i++) {
        const struct entry *m = &map->entries[i];
        struct str path = path_join(v->r, v->path, m->name), value;
        p->names[p->n] = m->name;
        if (node_text(v->r, m->value, path, "a text", &value))
            p->values[p->n++] = value;
        else
            good = false;
    }
    return good;
}

static bool read_events(const struct value_in *v)
{
    size_t errors = v->r->errors;
    event_types_read(v->r, v->node, v->path, wanted_text(v), v->to);
    return errors == v->r->errors;
}

static bool read_where(const struct value_in *v)
{
    struct where **to = v->to;
    *to = where_read(v->r, v->node, v->path);
    return *to != NULL;
}

static bool read_template(const struct value_in *v)
{
    return template_file_read(v->r, v->node, v->path, v->to);
}

/* --- options of their own --- */

static struct option_table group_table(const struct option_row *row)
{
    return (struct option_table){row->rows, row->rows_n, NULL};
}

static bool read_group(const struct value_in *v)
{
    struct option_table table = group_table(v->row);
    struct node *map = arena_alloc(v->r->arena, sizeof *map);
    size_t noted = v->r->errors;
    *map = *v->node;
    struct entry m = {.name = str_of(v->row->name), .at = map->at, .value = map};
    options_read(v->r, &table, &m, v->path, (char *)v->to - v->row->offset);
    return noted == v->r->errors;
}

/* --- the types --- */

static bool (*const readers[])(const struct value_in *v) = {
    [OPTION_TEXT] = read_text,       [OPTION_SECRET] = read_secret,
    [OPTION_TEXTS] = read_texts,     [OPTION_PAIRS] = read_pairs,
    [OPTION_INT] = read_int,         [OPTION_NUMBER] = read_number,
    [OPTION_FLAG] = read_flag,       [OPTION_DURATION] = read_duration,
    [OPTION_PERCENT] = read_percent, [OPTION_WORD] = read_word,
    [OPTION_FIELD] = read_field,     [OPTION_EVENTS] = read_events,
    [OPTION_WHERE] = read_where,     [OPTION_GROUP] = read_group,
    [OPTION_TEMPLATE] = read_template,
};

bool value_read(struct reading *r, const struct option_row *row, const struct node *n,
                struct str path, void *settings)
{
    struct value_in v = {r, row, n, path, (char *)settings + row->offset};
    return readers[row->type](&v);
}

void value_default(struct reading *r, const struct option_row *row, void *settings)
{
    struct node n = {.kind = NODE_TEXT};
    if (row->type == OPTION_FIELD)
        *(int *)((char *)settings + row->offset) = FIELD_COUNT;
    if (row->type == OPTION_GROUP) {
        struct option_table table = group_table(row);
        options_default(r, &table, settings);
    }
    if (!row->fallback)
        return;
    n.text = n.written = str_of(row->fallback);
    bool good = value_read(r, row, &n, str_of(row->name), settings);
    assert(good);
}

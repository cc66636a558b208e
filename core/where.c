/* A condition as it is kept and run: codes, literals and the text they point into, in one allocation. */
#include "core/where.h"

#include <assert.h>
#include <stdlib.h>

#include "core/where_parse.h"

struct where {
    const struct where_code *codes;
    size_t codes_n;
    const struct value *literals;
    struct str text;
};

/* Texts move along with the text that they are parts of. */
static void copy_literals(const struct where_program *from, struct str text, char *copy,
                          struct value *to)
{
    memcpy(copy, text.p, text.n);
    for (size_t i = 0; i < from->literals_n; i++) {
        to[i] = from->literals[i];
        if (to[i].type == VALUE_TEXT)
            to[i].text.p = copy + (to[i].text.p - text.p);
    }
}

static struct where *keep(const struct where_program *program, struct str text,
                          struct arena *arena)
{
    size_t literals_bytes = program->literals_n * sizeof(struct value);
    size_t codes_bytes = program->codes_n * sizeof(struct where_code);
    size_t bytes = sizeof(struct where) + literals_bytes + codes_bytes + text.n;
    struct where *w = arena_alloc(arena, bytes);
    struct value *literals = (struct value *)(w + 1);
    struct where_code *codes = (struct where_code *)(literals + program->literals_n);
    memcpy(codes, program->codes, codes_bytes);
    char *copy = (char *)(codes + program->codes_n);
    copy_literals(program, text, copy, literals);
    *w = (struct where){codes, program->codes_n, literals, {copy, text.n}};
    return w;
}

struct where *where_compile(struct arena *arena, struct str text, size_t *at,
                            struct err *e)
{
    struct where *w = NULL;
    struct where_program *program = malloc(sizeof *program);
    assert(program);
    program->codes_n = program->literals_n = 0;
    if (where_parse(text, program, at, e) == 0)
        w = keep(program, text, arena);
    free(program);
    return w;
}

struct str where_text(const struct where *w)
{
    return w->text;
}

static int order(const struct value *a, const struct value *b)
{
    if (a->type == VALUE_TEXT)
        return str_cmp(a->text, b->text);
    if (a->type == VALUE_FLAG)
        return a->flag - b->flag;
    return (a->number > b->number) - (a->number < b->number);
}

static bool among(const struct value *v, const struct value *literals, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (order(v, &literals[i]) == 0)
            return true;
    return false;
}

static bool compare(const struct where *w, const struct where_code *c,
                    const struct event *event)
{
    const struct value *v = event_value(event, c->field),
                       *literal = &w->literals[c->literals_at];
    if (v->type != event_field_infos[c->field].type)
        return false; /* absent */
    switch (c->op) {
    case WHERE_EXISTS:
        return true;
    case WHERE_LESS:
        return order(v, literal) < 0;
    case WHERE_LESS_EQUAL:
        return order(v, literal) <= 0;
    case WHERE_GREATER:
        return order(v, literal) > 0;
    case WHERE_GREATER_EQUAL:
        return order(v, literal) >= 0;
    case WHERE_EQUAL:
        return order(v, literal) == 0;
    case WHERE_NOT_EQUAL:
        return order(v, literal) != 0;
    case WHERE_CONTAINS:
        return literal->text.n == 0 ||
               memmem(v->text.p, v->text.n, literal->text.p, literal->text.n) != NULL;
    case WHERE_STARTS_WITH:
        return str_starts(v->text, literal->text);
    case WHERE_IN:
        return among(v, literal, c->literals_n);
    case WHERE_NOT_IN:
        return !among(v, literal, c->literals_n);
    case WHERE_NOT:
    case WHERE_SKIP:
        break;
    }
    abort(); /* where_matches runs these two itself */
}

bool where_matches(const struct where *w, const struct event *event)
{
    bool is = false;
    for (size_t i = 0; i < w->codes_n; i++) {
        const struct where_code *c = &w->codes[i];
        if (c->op == WHERE_NOT)
            is = !is;
        else if (c->op != WHERE_SKIP)
            is = compare(w, c, event);
        else if (is == c->skip_if)
            i = c->to - 1; /* the loop adds one */
    }
    return is;
}

/* Recursive descent over the grammar in where.h. Types are checked here, once, so that running a
 * condition needs no checks. What is wrong is said in terms of what could stand there instead. */
#include "core/where_parse.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/suggest.h"
#include "core/utf8.h"
#include "core/where_lex.h"

enum { SHOWN_BYTES = 60 };
static const char a_field[] = "a field, for example ticket.category";

struct parser {
    struct str text;
    struct where_token token; /* the next one */
    int depth;
    struct where_program *out;
    size_t *at;
    struct err *e;
};

/* --- what is wrong --- */

__attribute__((format(printf, 3, 4))) static int fail(struct parser *p, struct str where,
                                                      const char *format, ...)
{
    char text[sizeof p->e->text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    *p->at = (size_t)(where.p - p->text.p);
    return err_set(p->e, ERR_INPUT, "%s", text);
}

/* Habits of other languages, and what is written here instead. */
static const char *instead_of(struct str token)
{
    static const char *const habits[][2] = {
        {"=", "=="},          {"=~", "contains"},
        {"<>", "!="},         {"=<", "<="},
        {"=>", ">="},         {"&&", "and"},
        {"&", "and"},         {"AND", "and"},
        {"And", "and"},       {"||", "or"},
        {"|", "or"},          {"OR", "or"},
        {"Or", "or"},         {"!", "not"},
        {"NOT", "not"},       {"Not", "not"},
        {"IN", "in"},         {"‘", "'"},
        {"’", "'"},           {"“", "\""},
        {"”", "\""},          {"is", "=="},
        {"IS", "=="},         {"like", "contains"},
        {"LIKE", "contains"}, {"startswith", "starts_with"}};
    for (size_t i = 0; i < sizeof habits / sizeof habits[0]; i++)
        if (str_is(token, habits[i][0]))
            return habits[i][1];
    return NULL;
}

static int expected(struct parser *p, const char *what)
{
    struct str found = p->token.text;
    const char *instead = instead_of(found);
    if (p->token.kind == TOKEN_END)
        return fail(p, found, "expected %s, but the condition ends here", what);
    if (p->token.kind == TOKEN_UNCLOSED)
        return fail(p, found, "this text has no closing %c", found.p[0]);
    if (instead)
        return fail(p, found, "write %s instead of %.*s", instead, STR_ARG(found));
    return fail(p, found, "expected %s, found %.*s", what,
                STR_ARG(utf8_cut(found, SHOWN_BYTES)));
}

/* --- the next token --- */

static bool next_is(const struct parser *p, const char *word)
{
    return (p->token.kind == TOKEN_NAME || p->token.kind == TOKEN_SYMBOL) &&
           str_is(p->token.text, word);
}

static void advance(struct parser *p)
{
    p->token =
        where_lex(p->text, (size_t)(p->token.text.p - p->text.p) + p->token.text.n);
}

static bool take(struct parser *p, const char *word)
{
    if (!next_is(p, word))
        return false;
    advance(p);
    return true;
}

/* --- fields --- */

static int no_such_field(struct parser *p)
{
    char meant[SUGGESTION_BYTES];
    struct str word = p->token.text;
    struct suggestion s = suggestion_for(word);
    for (int f = 0; f < FIELD_COUNT; f++) {
        struct str name = str_of(event_field_infos[f].name);
        suggestion_offer(&s, name);
        suggestion_offer_as(&s, str_of(event_field_infos[f].member), name);
    }
    for (int f = 0; f < FIELD_COUNT; f++)
        if (str_is(word, event_field_infos[f].object))
            return fail(p, word, "%.*s is no field but has some, for example %s",
                        STR_ARG(word), event_field_infos[f].name);
    return fail(p, word, "there is no field '%.*s'%s",
                STR_ARG(utf8_cut(word, SHOWN_BYTES)), suggestion_text(&s, meant));
}

static int field(struct parser *p, enum event_field *out)
{
    bool keyword = next_is(p, "and") || next_is(p, "or") || next_is(p, "in");
    if (p->token.kind != TOKEN_NAME || keyword || instead_of(p->token.text))
        return expected(p, a_field);
    *out = event_field_named(p->token.text);
    if (*out == FIELD_COUNT)
        return no_such_field(p);
    advance(p);
    return 0;
}

/* --- literals --- */

static const char *type_name(enum value_type type)
{
    static const char *const names[] = {
        [VALUE_ABSENT] = "nothing",
        [VALUE_TEXT] = "a text",
        [VALUE_NUMBER] = "a number",
        [VALUE_FLAG] = "true or false",
    };
    return names[type];
}

static int number(struct parser *p, struct value *out)
{
    char text[64];
    struct str s = p->token.text;
    snprintf(text, sizeof text, "%.*s", STR_ARG(s));
    out->type = VALUE_NUMBER;
    out->number = strtod(text, NULL);
    if (s.n >= sizeof text || !isfinite(out->number))
        return fail(p, s, "this number is too long or too large");
    return 0;
}

static int no_literal(struct parser *p)
{
    struct str s = p->token.text;
    if (str_is(s, "null") || str_is(s, "NULL") || str_is(s, "None") || str_is(s, "nil"))
        return fail(
            p, s,
            "to ask whether a field is there, write exists(FIELD) or not exists(FIELD)");
    if (p->token.kind == TOKEN_NAME && !instead_of(s))
        return fail(p, s, "expected a value; a text stands in quotes: '%.*s'",
                    STR_ARG(utf8_cut(s, SHOWN_BYTES)));
    return expected(p, "a value: a number, a 'text', true or false");
}

static int literal(struct parser *p, struct value *out)
{
    struct str s = p->token.text;
    if (p->token.kind == TOKEN_NUMBER)
        return number(p, out);
    if (p->token.kind == TOKEN_TEXT)
        *out = (struct value){.type = VALUE_TEXT, .text = {s.p + 1, s.n - 2}};
    else if (next_is(p, "true") || next_is(p, "false"))
        *out = (struct value){.type = VALUE_FLAG, .flag = next_is(p, "true")};
    else
        return no_literal(p);
    return 0;
}

static int wrong_type(struct parser *p, const struct where_code *c, const struct value *v)
{
    const struct event_field_info *f = &event_field_infos[c->field];
    struct str s = p->token.text, shown = utf8_cut(s, SHOWN_BYTES);
    if (f->type == VALUE_TEXT)
        return fail(p, s, "%s is a text: write '%.*s'", f->name, STR_ARG(shown));
    return fail(p, s, "%s is %s, but %.*s is %s", f->name, type_name(f->type),
                STR_ARG(shown), type_name(v->type));
}

/* Appends a literal that fits the field of `c`. */
static int add_literal(struct parser *p, struct where_code *c)
{
    struct where_program *out = p->out;
    if (out->literals_n == WHERE_LITERALS_MAX)
        return fail(p, p->token.text, "more than %d values", WHERE_LITERALS_MAX);
    struct value *v = &out->literals[out->literals_n];
    if (literal(p, v))
        return -1;
    if (v->type != event_field_infos[c->field].type)
        return wrong_type(p, c, v);
    out->literals_n++;
    c->literals_n++;
    advance(p);
    return 0;
}

static int literal_list(struct parser *p, struct where_code *c)
{
    if (!take(p, "["))
        return expected(p, "a list, for example ['chat', 'email']");
    do {
        if (add_literal(p, c))
            return -1;
    } while (take(p, ","));
    return take(p, "]") ? 0 : expected(p, ", or ]");
}

/* --- conditions --- */

static int emit(struct parser *p, struct where_code code)
{
    if (p->out->codes_n == WHERE_CODES_MAX)
        return fail(p, p->token.text, "the condition is too long; make two rules of it");
    p->out->codes[p->out->codes_n++] = code;
    return 0;
}

static int exists(struct parser *p)
{
    struct where_code c = {.op = WHERE_EXISTS};
    advance(p);
    if (!take(p, "("))
        return expected(p, "( and a field, as in exists(ticket.csat)");
    if (field(p, &c.field))
        return -1;
    return take(p, ")") ? emit(p, c) : expected(p, ")");
}

static const struct operator
{
    const char *word;
    enum where_op op;
    bool texts, numbers, flags; /* what it can be asked of */
}
operators[] = {
    {"<", WHERE_LESS, true, true, false},
    {"<=", WHERE_LESS_EQUAL, true, true, false},
    {">", WHERE_GREATER, true, true, false},
    {">=", WHERE_GREATER_EQUAL, true, true, false},
    {"==", WHERE_EQUAL, true, true, true},
    {"!=", WHERE_NOT_EQUAL, true, true, true},
    {"contains", WHERE_CONTAINS, true, false, false},
    {"starts_with", WHERE_STARTS_WITH, true, false, false},
    {"in", WHERE_IN, true, true, true},
};
enum { OPERATORS = sizeof operators / sizeof operators[0] };

static int no_operator(struct parser *p, const struct event_field_info *f)
{
    static const char *const what[] = {
        [VALUE_ABSENT] = "an operator",
        [VALUE_TEXT] = "== != in, not in, contains, starts_with, < <= > or >=",
        [VALUE_NUMBER] = "< <= > >= == != in or not in",
        [VALUE_FLAG] = "== true or == false",
    };
    char text[120];
    snprintf(text, sizeof text, "%s after %s", what[f->type], f->name);
    return expected(p, text);
}

/* The operator, `not in` included. */
static int take_operator(struct parser *p, struct where_code *c)
{
    const struct event_field_info *f = &event_field_infos[c->field];
    bool turned = take(p, "not");
    for (int i = 0; i < OPERATORS; i++) {
        const struct operator* o = & operators[i];
        if (!next_is(p, o->word) || (turned && o->op != WHERE_IN))
            continue;
        bool fits = f->type == VALUE_TEXT     ? o->texts
                    : f->type == VALUE_NUMBER ? o->numbers
                                              : o->flags;
        if (!fits)
            return fail(p, p->token.text, "%s does not go with %s, which is %s", o->word,
                        f->name, type_name(f->type));
        c->op = turned ? WHERE_NOT_IN : o->op;
        advance(p);
        return 0;
    }
    return turned ? expected(p, "in; to turn a comparison round, write not before it")
                  : no_operator(p, f);
}

static int comparison(struct parser *p)
{
    struct where_code c = {.op = WHERE_EXISTS, .literals_at = p->out->literals_n};
    if (next_is(p, "exists"))
        return exists(p);
    if (field(p, &c.field) || take_operator(p, &c))
        return -1;
    if (c.op == WHERE_IN || c.op == WHERE_NOT_IN ? literal_list(p, &c)
                                                 : add_literal(p, &c))
        return -1;
    return emit(p, c);
}

static int condition(struct parser *p);

static int in_parentheses(struct parser *p)
{
    advance(p);
    if (condition(p))
        return -1;
    return take(p, ")") ? 0 : expected(p, "and, or, or )");
}

static int not_part(struct parser *p)
{
    int failed;
    if (!next_is(p, "not") && !next_is(p, "("))
        return comparison(p);
    if (++p->depth > WHERE_DEPTH_MAX)
        return fail(p, p->token.text,
                    "more than %d parentheses and nots inside one another",
                    WHERE_DEPTH_MAX);
    if (next_is(p, "("))
        failed = in_parentheses(p);
    else {
        advance(p);
        failed = not_part(p) || emit(p, (struct where_code){.op = WHERE_NOT});
    }
    p->depth--;
    return failed ? -1 : 0;
}

/* operand { word operand }: what follows is skipped as soon as the result is known. */
static int chain(struct parser *p, const char *word, bool known,
                 int (*operand)(struct parser *))
{
    if (operand(p))
        return -1;
    while (take(p, word)) {
        size_t skip = p->out->codes_n;
        if (emit(p, (struct where_code){.op = WHERE_SKIP, .skip_if = known}) ||
            operand(p))
            return -1;
        p->out->codes[skip].to = p->out->codes_n;
    }
    return 0;
}

static int and_part(struct parser *p)
{
    return chain(p, "and", false, not_part);
}

static int condition(struct parser *p)
{
    return chain(p, "or", true, and_part);
}

int where_parse(struct str text, struct where_program *out, size_t *at, struct err *e)
{
    struct parser p = {.text = text.n ? text : STR(""), .out = out, .at = at, .e = e};
    *at = 0;
    if (text.n > WHERE_BYTES_MAX)
        return err_set(e, ERR_INPUT, "the condition is longer than %d bytes",
                       WHERE_BYTES_MAX);
    p.token = where_lex(p.text, 0);
    if (condition(&p))
        return -1;
    return p.token.kind == TOKEN_END
               ? 0
               : expected(&p, "and, or, or the end of the condition");
}

/* A token is the longest run that makes one, so that a mistake is shown whole ("&&", "30d"). */
#include "core/where_lex.h"

#include "core/utf8.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' ||
           c == '.';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t digits(struct str s, size_t i)
{
    while (i < s.n && is_digit(s.p[i]))
        i++;
    return i;
}

/* The end of a number that begins the text; 0 when there is none. */
static size_t number_end(struct str s)
{
    size_t from = s.n > 0 && s.p[0] == '-', i = digits(s, from);
    if (i == from)
        return 0;
    if (i + 1 < s.n && s.p[i] == '.' && is_digit(s.p[i + 1]))
        i = digits(s, i + 1);
    if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
        size_t sign = i + 1 < s.n && (s.p[i + 1] == '-' || s.p[i + 1] == '+');
        size_t end = digits(s, i + 1 + sign);
        i = end > i + 1 + sign ? end : i;
    }
    return i;
}

static struct where_token number(struct str s, size_t end)
{
    size_t i = end;
    while (i < s.n && (is_name(s.p[i]) || s.p[i] == '%'))
        i++;
    return (struct where_token){i == end ? TOKEN_NUMBER : TOKEN_BAD, {s.p, i}};
}

static struct where_token quoted(struct str s)
{
    const char *end = memchr(s.p + 1, s.p[0], s.n - 1);
    if (!end)
        return (struct where_token){TOKEN_UNCLOSED, s};
    return (struct where_token){TOKEN_TEXT, {s.p, (size_t)(end - s.p) + 1}};
}

static struct where_token symbol(struct str s)
{
    static const char *const ours[] = {"<=", ">=", "==",
                                       "!="}, /* before their beginnings */
        *const others[] = {"&&", "||", "<>", "=<", "=>", "=~"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (str_starts(s, str_of(ours[i])))
            return (struct where_token){TOKEN_SYMBOL, {s.p, 2}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (str_starts(s, str_of(others[i])))
            return (struct where_token){TOKEN_BAD, {s.p, 2}};
    if (s.p[0] && strchr("<>()[],", s.p[0]))
        return (struct where_token){TOKEN_SYMBOL, {s.p, 1}};
    size_t n = 1; /* a whole code point */
    while (n < s.n && ((unsigned char)s.p[n] & 0xC0) == 0x80)
        n++;
    return (struct where_token){TOKEN_BAD, {s.p, n}};
}

struct where_token where_lex(struct str text, size_t at)
{
    while (at < text.n && is_space(text.p[at]))
        at++;
    struct str s = {text.p + at, text.n - at};
    if (s.n == 0)
        return (struct where_token){TOKEN_END, s};
    size_t end = number_end(s);
    if (end)
        return number(s, end);
    if (s.p[0] == '\'' || s.p[0] == '"')
        return quoted(s);
    while (end < s.n && is_name(s.p[end]))
        end++;
    return end ? (struct where_token){TOKEN_NAME, {s.p, end}} : symbol(s);
}

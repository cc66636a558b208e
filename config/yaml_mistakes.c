/* libyaml says which of its rules was broken; people need to know what to look for. Its column is
 * where it gave up, often one after the fault, and sometimes the fault is where a thing began. */
#include "config/yaml_mistakes.h"

#include <stdio.h>
#include <stdlib.h>

static const struct explanation {
    const char *problem; /* as libyaml words it */
    bool where_it_began; /* the fault is there */
    const char *words;
} explanations[] = {
    {"did not find expected ',' or '}'", false, "expected , or } here"},
    {"did not find expected ',' or ']'", false, "expected , or ] here"},
    {"could not find expected ':'", true,
     "expected NAME: VALUE here; there is no ':' (with a space after it)"},
    {"found unexpected end of stream", true, "this quote does not close"},
    {"found unexpected document indicator", true, "this quote does not close before ---"},
    {"found a tab character", false, "a tab cannot indent here: use spaces"},
    {"found unknown escape character", false,
     "there is no such escape: write \\\\ for a backslash, or use 'single quotes'"},
    {"block sequence entries are not allowed", false,
     "a list item (- ...) cannot stand here: begin it on a line of its own"},
    {"block mapping", false,
     "a mapping cannot begin here: begin it on a line of its own"},
    {"did not find expected comment or line break", false,
     "after | or > the text begins on the next line"},
};

static const struct explanation *explanation_of(const char *problem)
{
    for (size_t i = 0; i < sizeof explanations / sizeof explanations[0]; i++)
        if (strstr(problem, explanations[i].problem))
            return &explanations[i];
    return NULL;
}

/* The line as it stands in the text, from 0. */
static struct str line_of(struct str text, size_t line)
{
    const char *end;
    while (line-- && (end = memchr(text.p, '\n', text.n)))
        text = (struct str){end + 1, text.n - (size_t)(end + 1 - text.p)};
    end = memchr(text.p, '\n', text.n);
    return (struct str){text.p, end ? (size_t)(end - text.p) : text.n};
}

static size_t indentation(struct str line)
{
    size_t n = 0;
    while (n < line.n && line.p[n] == ' ')
        n++;
    return n;
}

/* A line of a text, from 0, and how it is indented. */
struct indented {
    size_t line, spaces;
    const char *p;
};

static struct indented indented(struct str text, size_t line)
{
    struct str s = line_of(text, line);
    return (struct indented){line, indentation(s), s.p};
}

/* The next line above that is not empty and no comment. */
static bool line_above(struct str text, struct indented *at)
{
    while (at->p > text.p) {
        const char *end = at->p - 1,
                   *before = memrchr(text.p, '\n', (size_t)(end - text.p));
        at->p = before ? before + 1 : text.p;
        struct str s = {at->p, (size_t)(end - at->p)};
        at->spaces = indentation(s);
        at->line--;
        if (at->spaces < s.n && s.p[at->spaces] != '#' && s.p[at->spaces] != '\r')
            return true;
    }
    return false;
}

static void put_line(struct buf *out, struct indented at)
{
    buf_printf(out, ", %zu on line %zu", at.spaces, at.line + 1);
}

/* The lines above that it should be compared with: the next one; where that is indented more, the line
 * of its block that is indented least (the first such), and the one that the block belongs to. */
static void put_lines_above(struct buf *out, struct str text, struct indented here)
{
    struct indented at = here, least;
    if (!line_above(text, &at))
        return;
    least = at;
    while (at.spaces > here.spaces && line_above(text, &at))
        if (at.spaces > here.spaces && at.spaces <= least.spaces)
            least = at;
    put_line(out, least);
    if (at.spaces < here.spaces && at.line != least.line)
        put_line(out, at);
}

/* Which of the lines is indented wrongly nobody can know: all are named. */
static void explain_indentation(struct reading *r, struct place at, struct str text,
                                const char *more)
{
    struct indented here = indented(text, at.line - 1);
    struct buf lines;
    buf_init(&lines, 200);
    put_lines_above(&lines, text, here);
    complain(r, at, STR_NONE, "wrong indentation: %zu spaces here%.*s%s", here.spaces,
             STR_ARG(buf_str(&lines)), more);
    buf_deinit(&lines);
}

/* Where a column of a line begins. */
static size_t byte_of(struct str line, size_t column)
{
    size_t i = 0;
    while (i < line.n && --column)
        do
            i++;
        while (i < line.n && ((unsigned char)line.p[i] & 0xC0) == 0x80);
    return i;
}

/* A second ':' on a line; else the line goes on with the text above it, which was not meant. */
static void explain_colon(struct reading *r, struct place at, struct str text)
{
    struct indented here = indented(text, at.line - 1), above = here;
    struct str line = line_of(text, at.line - 1);
    bool second = memmem(line.p, byte_of(line, at.column), ": ", 2);
    if (second || !line_above(text, &above))
        complain(r, at, STR_NONE,
                 "a second ':' cannot stand here: a text with ': ' in it needs quotes");
    else if (here.spaces == above.spaces)
        complain(r, at, STR_NONE, "line %zu above is no NAME: VALUE, its ': ' is missing",
                 above.line + 1);
    else
        explain_indentation(r, at, text, ": its text would go on here");
}

/* Where the scanner met a character that begins nothing. */
static void explain_character(struct reading *r, struct place at, struct str text)
{
    struct str line = line_of(text, at.line - 1);
    size_t i = byte_of(line, at.column);
    if (i < line.n && line.p[i] == '\t')
        complain(r, at, STR_NONE, "a tab cannot stand here: indent with spaces");
    else
        complain(r, at, STR_NONE, "a text cannot begin with %.*s: put it into quotes",
                 i < line.n, line.p + i);
}

/* A mapping or list goes on with something that is none of its own. */
static void explain_neighbour(struct reading *r, struct place at,
                              const yaml_parser_t *parser, struct str text)
{
    struct indented here = indented(text, at.line - 1);
    if (here.spaces + 1 != at.column)
        complain(r, at, STR_NONE,
                 "something is left over here, after a closing quote or bracket");
    else if (here.spaces != parser->context_mark.column)
        explain_indentation(r, at, text, "");
    else
        complain(r, at, STR_NONE, "this line does not go with those from line %zu on: %s",
                 parser->context_mark.line + 1,
                 strstr(parser->problem, "'-'") ? "they are a list, each begins with '- '"
                                                : "they are NAME: VALUE");
}

/* The bracket that is open is where libyaml began; a ${ just before the fault explains it. */
static void explain_bracket(struct reading *r, struct place at, const char *words,
                            const yaml_parser_t *parser, struct str text)
{
    struct str line = line_of(text, at.line - 1);
    size_t i = byte_of(line, at.column);
    bool variable = i > 0 && i <= line.n && line.p[i - 1] == '$';
    complain(r, at, STR_NONE, "%s: the bracket of line %zu, column %zu is still open%s",
             words, parser->context_mark.line + 1, parser->context_mark.column + 1,
             variable ? "; inside { } or [ ] a ${NAME} needs quotes: \"${NAME}\"" : "");
}

void yaml_explain(struct reading *r, const yaml_parser_t *parser, struct str text)
{
    const char *problem = parser->problem ? parser->problem : "this is no YAML";
    const struct explanation *known = explanation_of(problem);
    yaml_mark_t mark =
        known && known->where_it_began ? parser->context_mark : parser->problem_mark;
    struct place at = {mark.line + 1, mark.column + 1};
    if (parser->error == YAML_MEMORY_ERROR)
        abort();
    if (strstr(problem, "document start"))
        explain_indentation(r, at, text, "");
    else if (strstr(problem, "mapping values"))
        explain_colon(r, at, text);
    else if (strstr(problem, "expected key") || strstr(problem, "'-' indicator"))
        explain_neighbour(r, at, parser, text);
    else if (strstr(problem, "cannot start any token"))
        explain_character(r, at, text);
    else if (known && strstr(problem, "expected ','"))
        explain_bracket(r, at, known->words, parser, text);
    else
        complain(r, at, STR_NONE, "%s", known ? known->words : problem);
}

/* --- UTF-8 --- */

/* How many bytes a code point has that begins so; 0: none does (RFC 3629). */
static size_t length_of(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xC2 || first > 0xF4)
        return 0;
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

/* Length of the code point that s begins with, 0 when it is none. */
static size_t code_point(struct str s, unsigned *out)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)s.p[0];
    size_t n = length_of(first);
    if (n == 0 || n > s.n)
        return 0;
    *out = n == 1 ? first : first & (0xFFu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if (((unsigned char)s.p[i] & 0xC0) != 0x80)
            return 0;
        *out = *out << 6 | ((unsigned char)s.p[i] & 0x3F);
    }
    bool surrogate = *out >= 0xD800 && *out < 0xE000;
    return *out < least[n] || *out > 0x10FFFF || surrogate ? 0 : n;
}

/* https://yaml.org/spec/1.1/#c-printable */
static bool printable(unsigned c)
{
    if (c < 0x20)
        return c == '\t' || c == '\n' || c == '\r';
    return c < 0x7F || c == 0x85 || (c >= 0xA0 && c != 0xFFFE && c != 0xFFFF);
}

static bool refuse_bytes(struct reading *r, struct str s, struct place at, unsigned c)
{
    if (c == 0xFEFF)
        complain(r, at, STR_NONE, "a byte order mark stands here; remove it");
    else if (c)
        complain(r, at, STR_NONE, "a control character (U+%04X) stands here; remove it",
                 c);
    else if (s.p[0] == '\0')
        complain(r, at, STR_NONE, "a zero byte stands here; save the file as UTF-8");
    else
        complain(r, at, STR_NONE,
                 "this is not UTF-8 (byte 0x%02X); save the file as UTF-8",
                 (unsigned char)s.p[0]);
    return false;
}

bool yaml_text_valid(struct reading *r, struct str text)
{
    struct place at = {1, 1};
    if (text.n > CONFIG_BYTES_MAX) {
        complain(r, (struct place){0}, STR_NONE, "larger than %d bytes",
                 CONFIG_BYTES_MAX);
        return false;
    }
    while (text.n) {
        unsigned c = 0;
        size_t n = code_point(text, &c);
        if (n == 0 || !printable(c) || c == 0xFEFF)
            return refuse_bytes(r, text, at, n ? c : 0);
        at = c == '\n' ? (struct place){at.line + 1, 1}
                       : (struct place){at.line, at.column + 1};
        text.p += n;
        text.n -= n;
    }
    return true;
}

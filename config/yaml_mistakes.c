/* libyaml says which of its rules was broken; people need to know what to look for. Its column is
 * where it gave up, often one after the fault, and sometimes the fault is where a thing began. */
#include "config/yaml_mistakes.h"

static const struct explanation {
    const char *problem; /* as libyaml words it */
    bool where_it_began; /* the fault is there */
    const char *words;
} explanations[] = {
    {"mapping values are not allowed", false,
     "this ':' cannot stand here: the line is indented wrongly, or a text with ': ' in "
     "it needs quotes"},
    {"did not find expected key", false,
     "this does not go with the lines above: the indentation differs, or something is "
     "left over after "
     "a closing quote or bracket"},
    {"did not find expected '-' indicator", false,
     "this does not go with the list above: it is indented differently, or the '- ' is "
     "missing"},
    {"did not find expected ',' or '}'", false, "expected , or } here"},
    {"did not find expected ',' or ']'", false, "expected , or ] here"},
    {"could not find expected ':'", true,
     "expected NAME: VALUE here; there is no ':' (with a space after it)"},
    {"found unexpected end of stream", true, "this quote does not close"},
    {"found unexpected document indicator", true, "this quote does not close before ---"},
    {"found a tab character", false, "a tab cannot indent here: use spaces"},
    {"found character that cannot start any token", false,
     "a text cannot begin with this character: put the text into quotes (a tab: use "
     "spaces)"},
    {"found unknown escape character", false,
     "there is no such escape: write \\\\ for a backslash, or use 'single quotes'"},
    {"block sequence entries are not allowed", false,
     "a list item (- ...) cannot stand here: begin it on a line of its own"},
    {"block mapping", false,
     "a mapping cannot begin here: begin it on a line of its own"},
    {"did not find expected <document start>", false,
     "this is not part of what stands above: the lines above are indented more than this "
     "one"},
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

/* The line as it stands in the text, from 1. */
static struct str line_of(struct str text, size_t line)
{
    const char *end;
    while (--line && (end = memchr(text.p, '\n', text.n))) {
        text.n -= (size_t)(end + 1 - text.p);
        text.p = end + 1;
    }
    end = text.n ? memchr(text.p, '\n', text.n) : NULL;
    return (struct str){text.p, end ? (size_t)(end - text.p) : text.n};
}

/* What else may help, from the line that it gave up on. */
static const char *hint(const yaml_parser_t *parser, struct str text)
{
    struct str line = line_of(text, parser->problem_mark.line + 1);
    if (strstr(parser->problem, "expected ','") && line.n &&
        memmem(line.p, line.n, "${", 2))
        return "; inside { } or [ ] a ${NAME} needs quotes: \"${NAME}\"";
    return "";
}

void yaml_explain(struct reading *r, const yaml_parser_t *parser, struct str text)
{
    const char *problem = parser->problem ? parser->problem : "this is no YAML";
    const struct explanation *known = explanation_of(problem);
    yaml_mark_t mark =
        known && known->where_it_began ? parser->context_mark : parser->problem_mark;
    struct place at = {mark.line + 1, mark.column + 1};
    bool flow = parser->context && strstr(parser->context, "flow");
    if (parser->error == YAML_MEMORY_ERROR)
        abort();
    if (flow && known)
        complain(r, at, STR_NONE,
                 "%s: the bracket of line %zu, column %zu is still open%s", known->words,
                 parser->context_mark.line + 1, parser->context_mark.column + 1,
                 hint(parser, text));
    else
        complain(r, at, STR_NONE, "%s", known ? known->words : problem);
}

/* --- UTF-8 --- */

/* Length of the code point that s begins with, 0 when it is none (RFC 3629). */
static size_t code_point(struct str s, unsigned *out)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char c = (unsigned char)s.p[0];
    size_t n = c < 0x80   ? 1
               : c < 0xC2 ? 0
               : c < 0xE0 ? 2
               : c < 0xF0 ? 3
               : c < 0xF5 ? 4
                          : 0;
    if (n == 0 || n > s.n)
        return 0;
    *out = n == 1 ? c : c & (0xFFu >> (n + 1));
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

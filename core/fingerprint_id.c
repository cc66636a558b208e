/* Ids by their shape, and values behind an equals sign. */
#include "core/fingerprint_take.h"

size_t take_placeholder(struct scan *s)
{
    size_t n = scan_placeholder(s, s->at);
    scan_copy(s, s->at, n);
    s->has_placeholder |= n > 0;
    return n;
}

enum { QUOTED_BYTES_MAX = 512 };

/* The end of a quoted text that opens at p, or NULL when it never closes. */
static const byte *read_quoted(const struct scan *s, const byte *p)
{
    byte quote = *p;
    for (p++; p < s->end && *p != quote; p++)
        if (*p == '\\' && p + 1 < s->end)
            p++;
    return p < s->end ? p + 1 : NULL;
}

static bool is_quote(const struct scan *s, const byte *p)
{
    return scan_at(s, p, '"') || scan_at(s, p, '\'');
}

static size_t take_quoted(struct scan *s, const byte *p)
{
    const byte *end = read_quoted(s, p);
    if (!end)
        return 0;
    scan_copy(s, s->at, (size_t)(p - s->at));
    scan_put(s, "<quoted_str>");
    return (size_t)(end - s->at);
}

static size_t take_bool(struct scan *s)
{
    const byte *p = s->at + 1;
    size_t n = scan_is(s, p, "true") ? 4 : scan_is(s, p, "false") ? 5 : 0;
    if (n == 0 || !scan_ends(s, p + n))
        return 0;
    scan_copy(s, s->at, 1);
    scan_put(s, "<bool>");
    return n + 1;
}

/* Inside a name; a colon only between its parts. */
static bool goes_on(const struct scan *s, const byte *p)
{
    if (*p == ':')
        return (scan_class(s, p + 1) & CHAR_WORD) != 0;
    return !(scan_class(s, p) & (CHAR_SPACE | CHAR_STOP));
}

/* TypeError, java.io.IOException: the name of an error says which one it is. */
static bool names_error(const struct scan *s, const byte *p, const byte *end)
{
    static const char error[] = "error", exception[] = "exception";
    const ptrdiff_t error_n = sizeof error - 1, exception_n = sizeof exception - 1;
    return (end - p >= error_n && scan_is(s, end - error_n, error)) ||
           (end - p >= exception_n && scan_is(s, end - exception_n, exception));
}

/* name=android: what follows is a name, whichever it is this time. */
static size_t take_named(struct scan *s)
{
    const byte *p = s->at - s->begin < 4 ? s->begin : s->at - 4, *end = s->at + 1;
    if (!scan_is(s, p, "name=") || scan_before(s, p) & (CHAR_WORD | CHAR_HIGH) ||
        !scan_begins(s, p))
        return 0;
    while (end < s->end && *end && goes_on(s, end))
        end++;
    if (end == s->at + 1 || names_error(s, s->at + 1, end))
        return 0;
    scan_copy(s, s->at, 1);
    scan_put(s, "<name>");
    return (size_t)(end - s->at);
}

size_t take_value(struct scan *s)
{
    if (*s->at != '=')
        return 0;
    if (is_quote(s, s->at + 1))
        return take_quoted(s, s->at + 1);
    size_t n = take_bool(s);
    return n ? n : take_named(s);
}

struct quotes {
    const char *open, *close;
    bool names; /* programs write names of their parts in these: 'map', `id` */
};

static const struct quotes quotes[] = {{"\"", "\"", false},
                                       {"'", "'", true},
                                       {"`", "`", true},
                                       {"\u201C", "\u201D", false},
                                       {"\u201E", "\u201C", false},
                                       {"\u00AB", "\u00BB", false}};

/* The end of a quotation whose text starts at p, before its closing mark; NULL without
 * one. */
static const byte *find_close(const struct scan *s, const byte *p, const char *close)
{
    const byte *limit = s->end - p > QUOTED_BYTES_MAX ? p + QUOTED_BYTES_MAX : s->end;
    for (; p < limit && *p != '\n'; p++)
        if (scan_is(s, p, close) && !(scan_class(s, p + strlen(close)) & CHAR_ALNUM))
            return p;
    return NULL;
}

static bool is_name(const struct scan *s, const byte *p, const byte *end)
{
    for (; p < end; p++)
        if (*p == '@' || scan_class(s, p) & (CHAR_DIGIT | CHAR_SPACE | CHAR_HIGH))
            return false;
    return true;
}

size_t take_quote(struct scan *s)
{
    if (!s->quotes || scan_before(s, s->at) & CHAR_ALNUM)
        return 0;
    for (size_t i = 0; i < sizeof quotes / sizeof *quotes; i++) {
        if (!scan_is(s, s->at, quotes[i].open))
            continue;
        const byte *text = s->at + strlen(quotes[i].open);
        const byte *end = find_close(s, text, quotes[i].close);
        if (!end || end == text || (quotes[i].names && is_name(s, text, end)))
            continue;
        scan_put(s, "<quoted_str>");
        return (size_t)(end - s->at) + strlen(quotes[i].close);
    }
    return 0;
}

/* Lengths of groups of hexadecimal digits with hyphens between; 0 ends the list. */
static const byte *read_hyphened(const struct scan *s, const byte *p, const int *lengths)
{
    for (int i = 0; lengths[i]; i++) {
        if (i > 0 && !scan_at(s, p++, '-'))
            return NULL;
        for (int k = 0; k < lengths[i]; k++, p++)
            if (!(scan_class(s, p) & CHAR_HEX))
                return NULL;
    }
    return scan_ends(s, p) ? p : NULL;
}

static size_t take_hyphened(struct scan *s, const int *lengths, const char *placeholder)
{
    if (s->word_n != (size_t)lengths[0] || !scan_begins(s, s->at))
        return 0;
    const byte *end = read_hyphened(s, s->at, lengths);
    if (!end)
        return 0;
    scan_put(s, placeholder);
    return (size_t)(end - s->at);
}

size_t take_traceparent(struct scan *s)
{
    static const int lengths[] = {2, 32, 16, 2, 0};
    return take_hyphened(s, lengths, "<traceparent>");
}

size_t take_uuid(struct scan *s)
{
    static const int lengths[] = {8, 4, 4, 4, 12, 0};
    return take_hyphened(s, lengths, "<uuid>");
}

enum { GROUPS_MAX = 16 }; /* keeps the time linear */

/* How many groups of that many hexadecimal digits stand at *p with hyphens between, whatever
 * digits are in them; 0 when the row goes on with something else. *p moves to their end. */
static int count_groups(const struct scan *s, const byte **p, size_t width)
{
    for (int groups = 1; groups <= GROUPS_MAX; groups++) {
        const byte *end = scan_run(s, *p, CHAR_HEX);
        if ((size_t)(end - *p) != width || !scan_ends(s, end))
            return 0;
        *p = end;
        if (!scan_at(s, end, '-'))
            return groups;
        if (scan_placeholder(s, end + 1))
            return 0;
        if (!(scan_class(s, end + 1) & CHAR_ALNUM))
            return groups;
        *p = end + 1;
    }
    return 0;
}

/* Four or more groups of four, six or eight of two. */
size_t take_hex_groups(struct scan *s)
{
    size_t width = s->word_n;
    if ((width != 4 && width != 2) || !scan_begins(s, s->at))
        return 0;
    if (width == 2 && scan_after(s, s->at, "-"))
        return 0;
    const byte *end = s->at;
    int groups = count_groups(s, &end, width);
    if (width == 4 ? groups < 4 : groups != 6 && groups != 8)
        return 0;
    scan_put(s, "<hex>");
    return (size_t)(end - s->at);
}

/* Text from outside, made harmless. One scanner turns any text into clean code points (no
 * controls, no line breaks, no direction overrides); each is then written as the dialect
 * wants it and counted as written, so a limit is kept exactly and no entity or escape is
 * ever cut. */
#include <assert.h>

#include "core/utf8.h"
#include "sinks/words.h"

enum { TICKET_BYTES = 64 }; /* a longer id is no id, and cut it would lead astray */

struct scan {
    struct str rest;
    size_t points; /* read; 0: nothing visible yet */
    char escaped[2];
};

static bool in_range(struct str s, const char *first, const char *last)
{
    size_t n = strlen(first);
    return s.n >= n && memcmp(s.p, first, n) >= 0 && memcmp(s.p, last, n) <= 0;
}

/* Bytes at the front that are white space, a control character (C0, DEL, C1) or a line
 * separator. */
static size_t blank(struct str s)
{
    if ((unsigned char)s.p[0] <= ' ' || s.p[0] == 0x7F)
        return 1;
    if (in_range(s, "\xC2\x80", "\xC2\xA0"))
        return 2;
    return in_range(s, "\xE2\x80\xA8", "\xE2\x80\xA9") ? 3 : 0;
}

/* Bytes at the front that show nothing but turn the direction of what follows (U+202A..E,
 * U+2066..9), or are a byte order mark. */
static size_t unseen(struct str s)
{
    bool turns = in_range(s, "\xE2\x80\xAA", "\xE2\x80\xAE") ||
                 in_range(s, "\xE2\x81\xA6", "\xE2\x81\xA9") ||
                 in_range(s, "\xEF\xBB\xBF", "\xEF\xBB\xBF");
    return turns ? 3 : 0;
}

static void skip(struct str *s, size_t bytes)
{
    s->p += bytes;
    s->n -= bytes;
}

static bool skip_blanks(struct str *s)
{
    bool any = false;
    while (s->n) {
        size_t white = blank(*s), bytes = white ? white : unseen(*s);
        if (!bytes)
            break;
        any = any || white;
        skip(s, bytes);
    }
    return any;
}

/* The next code point; a run of blanks between two others is one space. n == 0: the end.
 */
static struct str next(struct scan *s)
{
    if (skip_blanks(&s->rest) && s->points && s->rest.n)
        return STR(" ");
    size_t max = s->rest.n < 4 ? s->rest.n : 4, n = max ? 1 : 0;
    while (n < max && ((unsigned char)s->rest.p[n] & 0xC0) == 0x80)
        n++;
    struct str point = {s->rest.p, n};
    skip(&s->rest, n);
    s->points++;
    return point;
}

static struct str entity(char c)
{
    switch (c) {
    case '&':
        return STR("&amp;");
    case '<':
        return STR("&lt;");
    case '>':
        return STR("&gt;");
    case '"':
        return STR("&quot;");
    default:
        return STR_NONE;
    }
}

/* A word joiner after @ keeps a name from being a mention. */
static struct str in_markdown(struct scan *s, char c)
{
    if (c == '@')
        return STR("@\xE2\x81\xA0");
    if (!strchr("\\`*_[]<>#|~&!$", c))
        return STR_NONE;
    s->escaped[0] = '\\';
    s->escaped[1] = c;
    return (struct str){s->escaped, 2};
}

/* Discord's: a backslash before an ASCII character that is neither letter nor digit takes its meaning; of some they
 * have one only where a line begins, and a colon makes a link of an address. */
static struct str in_discord(struct scan *s, char c)
{
    bool first = s->points == 1 && strchr("#>-+", c);
    bool link = c == ':' && str_starts(s->rest, STR("//"));
    if (!first && !link && !strchr("\\`*_~|<[]@", c))
        return STR_NONE;
    s->escaped[0] = '\\';
    s->escaped[1] = c;
    return (struct str){s->escaped, 2};
}

static struct str as_written(struct scan *s, enum dialect d, struct str point)
{
    struct str other = STR_NONE;
    char c = point.p[0];
    if (d == DIALECT_MARKDOWN)
        other = in_markdown(s, c);
    else if (d == DIALECT_DISCORD)
        other = in_discord(s, c);
    else if (d == DIALECT_HTML || (d == DIALECT_SLACK && c != '"'))
        other = entity(c);
    if (d == DIALECT_SLACK && c == '`')
        other = STR("'");
    return other.n ? other : point;
}

void words_text(struct buf *out, enum dialect d, struct str text, size_t max_units)
{
    struct scan s = {.rest = text};
    size_t fits_n = out->n, units = 0; /* fits_n: what leaves room for the ellipsis */
    assert(max_units > 0);
    for (struct str point = next(&s); point.n; point = next(&s)) {
        struct str w = as_written(&s, d, point);
        units += utf8_units(w);
        if (units > max_units) {
            out->n = fits_n;
            buf_text(out, "…");
            return;
        }
        buf_put(out, w);
        if (units < max_units)
            fits_n = out->n;
    }
}

/* CommonMark: a code span is fenced by more backticks than it contains in a row. */
static void markdown_code(struct buf *out, struct str text, size_t max_units)
{
    size_t longest = 0, run = 0;
    for (size_t i = 0; i < text.n; i++) {
        run = text.p[i] == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    if (longest > max_units)
        longest = max_units; /* what follows is cut */
    for (size_t i = 0; i <= longest; i++)
        buf_char(out, '`');
    buf_text(out, longest ? " " : "");
    words_text(out, DIALECT_PLAIN, text, max_units);
    buf_text(out, longest ? " " : "");
    for (size_t i = 0; i <= longest; i++)
        buf_char(out, '`');
}

void words_code(struct buf *out, enum dialect d, struct str text, size_t max_units)
{
    if (d == DIALECT_MARKDOWN) {
        markdown_code(out, text, max_units);
        return;
    }
    static const char *const open[] = {"", "`", "", "<code>", ""};
    static const char *const close[] = {"", "`", "", "</code>", ""};
    buf_text(out, open[d]);
    words_text(out, d, text, max_units);
    buf_text(out, close[d]);
}

/* RFC 3986: unreserved characters stay, all others become %XX. */
static void percent(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z',
             digit = c >= '0' && c <= '9';
        if (letter || digit || (c && strchr("-._~", c)))
            buf_char(out, (char)c);
        else
            buf_printf(out, "%%%02X", c);
    }
}

static bool knows_entities(enum dialect d)
{
    return d == DIALECT_SLACK || d == DIALECT_MARKDOWN || d == DIALECT_HTML;
}

/* The address is the configuration's, yet a character that could end it early is not let through. */
static void ticket_url(struct buf *out, enum dialect d, struct str url, struct str ticket)
{
    static const struct str id = STR("{id}");
    while (url.n) {
        if (str_starts(url, id)) {
            percent(out, ticket);
            skip(&url, id.n);
            continue;
        }
        if (url.p[0] == '&')
            buf_text(out, knows_entities(d) ? "&amp;" : "&");
        else if ((unsigned char)url.p[0] <= ' ' || strchr("<>\"|\\^`{}()", url.p[0]))
            percent(out, (struct str){url.p, 1});
        else
            buf_char(out, url.p[0]);
        skip(&url, 1);
    }
}

static bool is_http(struct str url)
{
    return str_starts(url, STR("https://")) || str_starts(url, STR("http://"));
}

static bool is_linked(struct str url, struct str ticket)
{
    return ticket.n && ticket.n <= TICKET_BYTES && is_http(url);
}

bool words_ticket_url(struct buf *out, struct str url, struct str ticket)
{
    if (!is_linked(url, ticket))
        return false;
    ticket_url(out, DIALECT_PLAIN, url, ticket);
    return true;
}

/* {id} in the address stands for `id`. */
static void link_open(struct buf *out, enum dialect d, struct str url, struct str id)
{
    buf_text(out, d == DIALECT_SLACK ? "<" : "<a href=\"");
    ticket_url(out, d, url, id);
    buf_text(out, d == DIALECT_SLACK ? "|" : "\">");
}

static void put_link(struct buf *out, enum dialect d, struct str url, struct str text,
                     size_t max_units)
{
    bool markdown = d == DIALECT_MARKDOWN || d == DIALECT_DISCORD;
    if (markdown)
        buf_char(out, '[');
    else
        link_open(out, d, url, text);
    words_text(out, d, text, max_units);
    if (markdown) {
        buf_text(out, "](");
        ticket_url(out, d, url, text);
        buf_char(out, ')');
    } else {
        buf_text(out, d == DIALECT_SLACK ? ">" : "</a>");
    }
}

void words_ticket(struct buf *out, enum dialect d, struct str url, struct str ticket)
{
    bool markdown = d == DIALECT_MARKDOWN || d == DIALECT_DISCORD;
    if (d == DIALECT_PLAIN || !is_linked(url, ticket))
        words_text(out, d, ticket, TICKET_BYTES);
    else
        put_link(out, d, url, ticket, (markdown ? 2 : 6) * TICKET_BYTES);
}

void words_link(struct buf *out, enum dialect d, struct str url, struct str text,
                size_t max_units)
{
    if (d == DIALECT_PLAIN || !is_http(url))
        words_text(out, d, text, max_units);
    else
        put_link(out, d, url, text, max_units);
}

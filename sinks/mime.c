/* Every byte of a text that could mean something to a mail system is encoded: what is left are letters, digits and
 * some punctuation on short lines. */
#include "sinks/mime.h"

#include <time.h>

enum {
    LINE_CHARACTERS = 76, /* RFC 2045 6.7, RFC 2047 2 */
    /* of a text, which all as =XX are an encoded word of 72 characters */
    WORD_BYTES = 20,
};

static bool is_letter_or_digit(unsigned char c)
{
    unsigned char low = c | 0x20;
    return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9');
}

static bool all_of(struct str s, const char *others)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_letter_or_digit((unsigned char)s.p[i]) &&
            (!s.p[i] || !strchr(others, s.p[i])))
            return false;
    return s.n > 0;
}

/* RFC 5322 3.4.1, without quoted strings, comments and literals; RFC 5321 4.5.3.1 for the lengths. */
bool mime_is_address(struct str text)
{
    const char *at = text.n ? memchr(text.p, '@', text.n) : NULL;
    size_t local_n = at ? (size_t)(at - text.p) : 0;
    struct str local = {text.p, local_n}, domain = str_from(text, local_n + 1);
    return at && local.n <= 64 && domain.n <= 255 &&
           all_of(local, ".!#$%&'*+/=?^_`{|}~-") && all_of(domain, ".-");
}

/* ---- headers ---- */

/* What looks like an encoded word is no plain text. */
static bool is_plain(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < ' ' || (unsigned char)text.p[i] > '~')
            return false;
    return text.n == 0 || !memmem(text.p, text.n, "=?", 2);
}

/* Broken before a space where a line would grow too long. */
static void folded(struct buf *out, struct str text, size_t column)
{
    while (text.n) {
        const char *space = text.n > 1 ? memchr(text.p + 1, ' ', text.n - 1) : NULL;
        size_t n = space ? (size_t)(space - text.p) : text.n;
        if (column + n > LINE_CHARACTERS && text.p[0] == ' ') {
            buf_text(out, "\r\n");
            column = 0;
        }
        buf_mem(out, text.p, n);
        column += n;
        text = str_from(text, n);
    }
}

/* At most WORD_BYTES, and no code point in two. */
static size_t word_bytes(struct str text)
{
    size_t n = text.n < WORD_BYTES ? text.n : WORD_BYTES;
    while (n < text.n && n > 1 && ((unsigned char)text.p[n] & 0xC0) == 0x80)
        n--;
    return n;
}

/* RFC 2047 4.2 */
static void encoded_word(struct buf *out, struct str text)
{
    buf_text(out, "=?UTF-8?Q?");
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (is_letter_or_digit(c))
            buf_char(out, (char)c);
        else if (c <= ' ' || c == 0x7f)
            buf_char(out, '_');
        else
            buf_printf(out, "=%02X", c);
    }
    buf_text(out, "?=");
}

void mime_header(struct buf *out, const char *name, struct str text)
{
    buf_printf(out, "%s: ", name);
    if (is_plain(text)) {
        folded(out, text, strlen(name) + 2);
        buf_text(out, "\r\n");
        return;
    }
    for (bool first = true; text.n; first = false) {
        size_t n = word_bytes(text);
        buf_text(out, first ? "" : "\r\n ");
        encoded_word(out, (struct str){text.p, n});
        text = str_from(text, n);
    }
    buf_text(out, "\r\n");
}

void mime_addresses(struct buf *out, const char *name, const struct str *list, size_t n)
{
    buf_printf(out, "%s: ", name);
    for (size_t i = 0; i < n; i++) {
        buf_text(out, i ? ",\r\n " : "");
        buf_put(out, list[i]);
    }
    buf_text(out, "\r\n");
}

void mime_date(struct buf *out, int64_t ms)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    buf_printf(out, "Date: %s, %02d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday],
               tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
               tm.tm_sec);
}

/* ---- bodies ---- */

/* How a byte is written: as it is, or as =XX. A dot or "From" could mean something where a line begins, white space
 * where it ends. */
static bool stays(struct str text, size_t i, size_t column)
{
    unsigned char c = (unsigned char)text.p[i];
    bool last = i + 1 == text.n || text.p[i + 1] == '\n';
    if (c == ' ' || c == '\t')
        return !last;
    if (column == 0 && (c == '.' || c == 'F'))
        return false;
    return c > ' ' && c <= '~' && c != '=';
}

void mime_quoted_printable(struct buf *out, struct str text)
{
    size_t column = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\n') {
            buf_text(out, "\r\n");
            column = 0;
            continue;
        }
        size_t n = stays(text, i, column) ? 1 : 3;
        if (column + n > LINE_CHARACTERS - 1) { /* the soft break's = has room */
            buf_text(out, "=\r\n");
            column = 0;
            n = stays(text, i, column) ? 1 : 3;
        }
        if (n == 1)
            buf_char(out, text.p[i]);
        else
            buf_printf(out, "=%02X", (unsigned char)text.p[i]);
        column += n;
    }
    if (column)
        buf_text(out, "\r\n");
}

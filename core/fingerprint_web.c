/* Addresses: of pages, mailboxes, hosts and machines. A host name must end in a top-level
 * domain; a list of well-known ones, because "com.example.Main" and "app.js" are no
 * hosts. */
#include "core/fingerprint_take.h"

static bool ends_url(const struct scan *s, const byte *p)
{
    if (p == s->end || *p == '\0' || scan_class(s, p) & CHAR_SPACE ||
        scan_among(s, p, "\"'<>`|\\^{}"))
        return true;
    /* Chinese and Japanese punctuation follows a URL without a space: U+3000, U+FF0C */
    return (*p == 0xE3 && scan_at(s, p + 1, '\x80')) ||
           (*p == 0xEF && scan_at(s, p + 1, '\xBC'));
}

/* scheme://anything, without punctuation that ends the sentence rather than the URL. */
size_t take_url(struct scan *s)
{
    const byte *host = s->at + s->word_n;
    if (!scan_is(s, host, "://") || s->seen & CHAR_UNDER || !scan_begins(s, s->at))
        return 0;
    host += 3;
    const byte *p = host;
    while (!ends_url(s, p))
        p++;
    while (p > host && scan_after(s, p, ".,;:!?)]*"))
        p--;
    if (p == host)
        return 0;
    scan_put(s, "<url>");
    return (size_t)(p - s->at);
}

enum { LABEL = CHAR_ALNUM | CHAR_UNDER };

static bool in_label(const struct scan *s, const byte *p)
{
    return scan_class(s, p) & LABEL || scan_at(s, p, '-');
}

struct host {
    const byte *end, *last; /* last: the last label */
    int labels;
    bool marked; /* a digit or hyphen somewhere: machines' names have them */
};

/* Labels joined by single dots; a dot that ends a sentence is not part of it. */
static struct host read_host(const struct scan *s, const byte *p)
{
    struct host h = {.end = p};
    for (;;) {
        const byte *label = p;
        for (; in_label(s, p); p++)
            h.marked |= *p == '-' || scan_class(s, p) & CHAR_DIGIT;
        if (p == label)
            return h;
        h.labels++;
        h.last = label;
        h.end = p;
        if (!scan_at(s, p, '.'))
            return h;
        p++;
    }
}

static bool host_ends(const struct scan *s, const byte *p)
{
    return scan_ends(s, p) && !(scan_at(s, p, '.') && scan_placeholder(s, p + 1));
}

size_t take_email(struct scan *s)
{
    static const char local[] = "._%+-";
    const byte *p = s->at;
    if (scan_before(s, p) & (CHAR_WORD | CHAR_HIGH) || !scan_begins(s, p) ||
        scan_after(s, p, local))
        return 0;
    while (scan_class(s, p) & (CHAR_WORD | CHAR_HIGH) || scan_among(s, p, local))
        p++;
    if (!scan_at(s, p, '@'))
        return 0;
    struct host h = read_host(s, p + 1);
    if (h.labels < 2 || h.end - h.last < 2 || !(scan_class(s, h.last) & CHAR_LETTER) ||
        !host_ends(s, h.end))
        return 0;
    scan_put(s, "<email>");
    return (size_t)(h.end - s->at);
}

/* Top-level domains that make a host of two labels. */
static const char domains[][SCAN_WORD_BYTES] = {"com", "edu", "gov", "mil", "net", "org"};
/* These are words, file endings or members as well: three labels, a digit or a hyphen. */
static const char more_domains[][SCAN_WORD_BYTES] = {
    "ai", "app", "at", "au", "be",  "biz",   "br",          "ca",  "ch",       "cl",
    "cn", "co",  "cz", "de", "dev", "dk",    "es",          "eu",  "fi",       "fr",
    "gr", "hk",  "hu", "ie", "il",  "in",    "info",        "int", "internal", "io",
    "ir", "it",  "jp", "kr", "lan", "local", "localdomain", "mx",  "nl",       "no",
    "nz", "pl",  "pt", "ro", "ru",  "se",    "sg",          "sk",  "th",       "tr",
    "tv", "tw",  "ua", "uk", "us",  "za"};

static bool is_host(const struct scan *s, const struct host *h)
{
    size_t n = (size_t)(h->end - h->last);
    if (h->labels < 2 || !host_ends(s, h->end) || scan_among(s, h->end, "($"))
        return false;
    if (SCAN_WORD_IN(h->last, n, domains))
        return true;
    return (h->labels > 2 || h->marked) && SCAN_WORD_IN(h->last, n, more_domains);
}

const byte *web_host_end(const struct scan *s, const byte *p)
{
    struct host h = read_host(s, p);
    return is_host(s, &h) ? h.end : NULL;
}

size_t take_hostname(struct scan *s)
{
    if (scan_before(s, s->at) & CHAR_WORD || !scan_begins(s, s->at) ||
        scan_after(s, s->at, ".-"))
        return 0;
    struct host h = read_host(s, s->at);
    if (!is_host(s, &h))
        return 0;
    scan_put(s, "<hostname>");
    return (size_t)(h.end - s->at);
}

/* An octet; NULL when there is none. */
static const byte *read_octet(const struct scan *s, const byte *p)
{
    const byte *end = scan_run(s, p, CHAR_DIGIT);
    if (end == p || end - p > 3)
        return NULL;
    int value = 0;
    for (; p < end; p++)
        value = value * 10 + (*p - '0');
    return value <= 255 ? end : NULL;
}

/* Behind = a host may be named or numbered from one time to the next. */
static void put_address(struct scan *s)
{
    scan_put(s, s->at > s->begin && s->at[-1] == '=' ? "<hostname>" : "<ip>");
}

/* "10.3.4.5 (db7.example.net)": an address and what it is called, or nothing, are one. */
static const byte *skip_name(const struct scan *s, const byte *p)
{
    if (!scan_is(s, p, " ("))
        return p;
    struct host h = read_host(s, p + 2);
    bool name = h.labels == 0 || is_host(s, &h);
    return name && scan_at(s, h.end, ')') ? h.end + 1 : p;
}

size_t take_ipv4(struct scan *s)
{
    const byte *p = s->at;
    if (!scan_begins(s, p) || scan_after(s, p, "."))
        return 0;
    for (int i = 0; i < 4; i++) {
        if (i > 0 && !scan_at(s, p++, '.'))
            return 0;
        p = read_octet(s, p);
        if (!p)
            return 0;
    }
    if (!scan_ends(s, p) || (scan_at(s, p, '.') && scan_class(s, p + 1) & CHAR_DIGIT))
        return 0;
    put_address(s);
    return (size_t)(skip_name(s, p) - s->at);
}

struct groups {
    const byte *end;
    int colons, pairs, longest;
    bool doubled, digit;
};

/* Hexadecimal digits in groups with colons between them. */
static struct groups read_groups(const struct scan *s, const byte *p)
{
    struct groups g = {.end = p};
    for (int length = 0;; p++) {
        unsigned class = scan_class(s, p);
        if (class & CHAR_HEX) {
            length++;
            g.digit |= (class & CHAR_DIGIT) != 0;
            g.longest = length > g.longest ? length : g.longest;
            g.end = p + 1;
            continue;
        }
        g.pairs += length == 2;
        length = 0;
        if (!scan_at(s, p, ':'))
            return g;
        bool doubled = scan_at(s, p + 1, ':');
        if (!doubled && !(scan_class(s, p + 1) & CHAR_HEX))
            return g;
        g.doubled |= doubled;
        g.colons++;
        if (doubled)
            g.end = p + 2;
    }
}

/* Hardware addresses are six or more groups of two; IPv6 has eight groups or one "::". */
size_t take_colons(struct scan *s)
{
    const byte *p = s->at;
    bool colon = *p == ':';
    if (colon ? !scan_at(s, p + 1, ':') : !(scan_class(s, p) & CHAR_HEX))
        return 0;
    if (!scan_begins(s, p) || scan_after(s, p, ":"))
        return 0;
    struct groups g = read_groups(s, p);
    if (g.colons < 2 || !scan_ends(s, g.end) || scan_at(s, g.end, ':'))
        return 0;
    bool hardware = !g.doubled && g.colons >= 5 && g.pairs == g.colons + 1;
    bool ipv6 =
        g.digit && g.longest <= 4 && (g.doubled || g.colons == 7) && g.colons <= 8;
    if (!hardware && !ipv6)
        return 0;
    if (hardware)
        scan_put(s, "<hex>");
    else
        put_address(s);
    return (size_t)(g.end - p);
}

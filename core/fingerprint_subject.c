/* A subject is a text that people wrote: answered and forwarded, tagged by help desks,
 * and shouted. What programs added at its beginning and in brackets goes, then marks
 * become spaces, so that "RE: [#5512] Can't log in!!" and "can’t log in" are one. */
#include "core/fingerprint.h"

#include <assert.h>

#include "core/fingerprint_scan.h"

enum { TAG_BYTES_MAX = 80, WORD_TAG_BYTES_MAX = 24 };

/* "Re" and "Forward" as mail programs of many languages write them. */
static const char *const prefixes[] = {"re",   "fwd",  "fw",   "aw",   "wg",   "sv",
                                       "vs",   "tr",   "rv",   "res",  "enc",  "rif",
                                       "antw", "odp",  "ynt",  "vl",   "回复", "答复",
                                       "转发", "回覆", "轉寄", "返信", "転送", "Ответ"};

static const byte *skip_space(const struct scan *s, const byte *p)
{
    return scan_run(s, p, CHAR_SPACE);
}

/* [ticket 12], up to its bracket; NULL when none starts at p. */
static const byte *read_tag(const struct scan *s, const byte *p)
{
    if (!scan_at(s, p, '['))
        return NULL;
    const byte *limit = s->end - p > TAG_BYTES_MAX ? p + TAG_BYTES_MAX : s->end;
    for (p++; p < limit && *p != ']' && *p != '['; p++)
        ;
    return p < limit && *p == ']' ? p + 1 : NULL;
}

/* A colon, also the full-width one, after a count: "Re[2]:", "Re(3):", "RE :". */
static const byte *read_colon(const struct scan *s, const byte *p)
{
    assert(p);
    const byte *tag = read_tag(s, p);
    if (tag)
        p = tag;
    else if (scan_at(s, p, '(') && scan_at(s, scan_run(s, p + 1, CHAR_DIGIT), ')'))
        p = scan_run(s, p + 1, CHAR_DIGIT) + 1;
    p += scan_at(s, p, ' ');
    if (scan_is(s, p, "："))
        return p + strlen("：");
    return scan_at(s, p, ':') ? p + 1 : NULL;
}

static const byte *read_prefix(const struct scan *s, const byte *p)
{
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        bool there = p < s->end && fold_ascii(*p) == (byte)*prefixes[i] &&
                     scan_is(s, p, prefixes[i]);
        const byte *end = there ? read_colon(s, p + strlen(prefixes[i])) : NULL;
        if (end)
            return end;
    }
    return NULL;
}

/* At the beginning also [EXTERNAL]; a long one without a number is part of what is
 * said. */
static const byte *read_leading_tag(const struct scan *s, const byte *p)
{
    const byte *end = read_tag(s, p);
    for (const byte *digit = p; end && digit < end; digit++)
        if (scan_classes[*digit] & CHAR_DIGIT)
            return end;
    return end && end - p <= WORD_TAG_BYTES_MAX ? end : NULL;
}

/* #5512 */
static const byte *read_number_sign(const struct scan *s, const byte *p)
{
    if (!scan_at(s, p, '#') || !(scan_class(s, p + 1) & CHAR_DIGIT))
        return NULL;
    p = scan_run(s, p + 1, CHAR_DIGIT);
    return scan_class(s, p) & CHAR_WORD ? NULL : p;
}

/* Where the subject itself begins. */
static const byte *skip_additions(const struct scan *s)
{
    const byte *p = skip_space(s, s->begin);
    for (;;) {
        const byte *end = read_prefix(s, p);
        if (!end)
            end = read_leading_tag(s, p);
        if (!end)
            end = read_number_sign(s, p);
        if (!end)
            return p;
        p = skip_space(s, end);
    }
}

/* What a character of the text becomes: itself, an apostrophe, or a space. */
static uint32_t plain(uint32_t code)
{
    if (code < 0x80)
        return scan_classes[code] & CHAR_WORD ? code
               : code == '\'' || code == '`'  ? '\''
                                              : ' ';
    if (code == 0x00B4 || code == 0x2018 || code == 0x2019 || code == 0x02BC)
        return '\'';
    bool mark = (code >= 0x2000 && code <= 0x206F && code != 0x200C && code != 0x200D) ||
                (code >= 0x3000 && code <= 0x303F && code != 0x3005) ||
                (code >= 0xFF01 && code <= 0xFF0F) ||
                (code >= 0xFF1A && code <= 0xFF20) || code == 0x00A0 || code == 0x00A1 ||
                code == 0x00AB || code == 0x00BB || code == 0x00B7 || code == 0x00BF ||
                code == 0x060C || code == 0x061F;
    return mark ? ' ' : code;
}

/* "[ticket <int>]" inside a fingerprint: its length, 0 when none starts at p. */
static size_t numbered_tag(const struct scan *s, const byte *p)
{
    const byte *end = read_tag(s, p);
    return end && memchr(p, '<', (size_t)(end - p)) ? (size_t)(end - p) : 0;
}

/* Writes over what was read; never gets longer. */
struct squeeze {
    char *to;
    size_t n;
    bool gap; /* a space is due before the next character */
};

static void keep(struct squeeze *q, const char *p, size_t n)
{
    assert(q->to);
    if (q->gap && q->n > 0)
        q->to[q->n++] = ' ';
    q->gap = false;
    memmove(q->to + q->n, p, n);
    q->n += n;
}

/* An apostrophe stays between letters only. */
static bool is_inner(const struct squeeze *q, const struct scan *s, const byte *next)
{
    unsigned letters = CHAR_LETTER | CHAR_HIGH;
    return !q->gap && q->n > 0 && scan_classes[(byte)q->to[q->n - 1]] & letters &&
           scan_class(s, next) & letters;
}

/* "e-mail" is "email"; other hyphens become spaces. */
static bool is_prefix_hyphen(const struct squeeze *q, const struct scan *s)
{
    bool single = q->n == 1 || (q->n > 1 && q->to[q->n - 2] == ' ');
    return scan_at(s, s->at, '-') && !q->gap && single &&
           scan_classes[(byte)q->to[q->n - 1]] & CHAR_LETTER &&
           scan_class(s, s->at + 1) & CHAR_LETTER;
}

/* One character at s->at; returns its bytes. */
static size_t squeeze_character(struct squeeze *q, const struct scan *s)
{
    if (is_prefix_hyphen(q, s))
        return 1;
    uint32_t code;
    size_t n =
        fold_decode((struct str){(const char *)s->at, (size_t)(s->end - s->at)}, &code);
    code = code == UINT32_MAX ? code : plain(code);
    if (code == '\'' && is_inner(q, s, s->at + n))
        keep(q, "'", 1);
    else if (code == ' ' || code == '\'')
        q->gap = true;
    else
        keep(q, (const char *)s->at, n);
    return n;
}

static void squeeze(struct buf *out, size_t first)
{
    struct scan s = scan_of((struct str){out->p + first, out->n - first}, out);
    struct squeeze q = {.to = out->p + first};
    while (s.at < s.end) {
        const byte *word_end = scan_run(&s, s.at, CHAR_WORD);
        if (word_end > s.at) { /* nothing else to see in it */
            keep(&q, (const char *)s.at, (size_t)(word_end - s.at));
            s.at = word_end;
            continue;
        }
        if (*s.at == ' ') {
            q.gap = true;
            s.at++;
            continue;
        }
        size_t placeholder = scan_placeholder(&s, s.at), tag = numbered_tag(&s, s.at);
        q.gap |= tag > 0;
        if (placeholder)
            keep(&q, (const char *)s.at, placeholder);
        s.at += placeholder ? placeholder : tag ? tag : squeeze_character(&q, &s);
    }
    out->n = first + q.n;
}

void fingerprint_subject(struct str subject, struct buf *out)
{
    struct scan s = scan_of(subject, out);
    const byte *p = skip_additions(&s);
    size_t first = out->n;
    fingerprint_text((struct str){(const char *)p, (size_t)(s.end - p)}, out);
    if (out->n > first)
        squeeze(out, first);
    if (out->n == first) /* only additions: better those than one key for all such */
        fingerprint_text(subject, out);
}

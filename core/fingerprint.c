/* A fingerprint is made in one pass. Plain words are copied, folded; everything else
 * is shown to the recognisers below, from top to bottom, and the first that knows it
 * writes its placeholder. No recogniser remembers anything, so the same text always
 * gives the same key, and what they write is never recognised as something else: a
 * fingerprint's fingerprint is itself. */
#include "core/fingerprint.h"

#include "core/fingerprint_take.h"
#include "core/fingerprint_word.h"

const struct recogniser text_recognisers[] = {
    {CHAR_START, CHAR_ANY, take_placeholder}, /* what is one already */
    {CHAR_START, CHAR_ANY, take_value},       /* name="x y", cache=true */
    {CHAR_START | CHAR_HIGH, CHAR_ANY, take_quote},
    {CHAR_HIGH, CHAR_ANY, take_other_digits},
    {CHAR_LETTER, CHAR_JOIN, take_url},
    {CHAR_LETTER, CHAR_JOIN, take_http},
    {CHAR_LETTER, CHAR_SPACE, take_name}, /* for user ana */
    {CHAR_WORD, CHAR_JOIN | CHAR_HIGH, take_email},
    {CHAR_HEX, CHAR_JOIN, take_traceparent},
    {CHAR_HEX, CHAR_JOIN, take_uuid},
    {CHAR_DIGIT, CHAR_ANY, take_measure}, /* 5 MB, 12.5 s */
    {CHAR_ALNUM, CHAR_ANY, take_date},
    {CHAR_HEX | CHAR_START, CHAR_JOIN, take_colons}, /* IPv6, hardware addresses */
    {CHAR_ALNUM, CHAR_JOIN, take_hostname},
    {CHAR_DIGIT, CHAR_JOIN, take_ipv4},
    {CHAR_HEX, CHAR_JOIN, take_hex_groups}, /* 9f3a-0c11-77e0-5b2d */
    {CHAR_START, CHAR_ANY, take_path},
    {CHAR_LETTER, CHAR_JOIN, take_drive}, /* C:\Users\ana */
    {CHAR_START, CHAR_ANY, take_negative},
    {CHAR_DIGIT, CHAR_JOIN, take_float},
    {CHAR_WORD, CHAR_ANY, take_word}, /* what is left: numbers, ids, words with digits */
    {0, 0, NULL},
};

static bool ends_replaced(const struct buf *out)
{
    if (out->n <= 2)
        return false;
    const char *end = out->p + out->n;
    return end[-1] == '>' || (end[-1] == '*' && (end[-2] == '/' || end[-2] == '\\'));
}

static size_t recognise(struct scan *s, unsigned class)
{
    unsigned behind = scan_class(s, s->at + s->word_n) | CHAR_ANY;
    for (const struct recogniser *r = s->table; r->take; r++) {
        size_t n = r->starts & class && r->then & behind ? r->take(s) : 0;
        if (n == 0)
            continue;
        if (ends_replaced(s->out))
            s->replaced = s->at + n;
        return n;
    }
    return 0;
}

/* The name of a month or a weekday with something behind it that could go on as a
 * date. */
static bool may_start_date(const struct scan *s)
{
    const byte *end = s->at + s->word_n;
    if (s->end - end < 3)
        return false;
    bool number = (scan_classes[end[1]] | scan_classes[end[2]]) & CHAR_DIGIT;
    return (number || s->word_n == 3 || (s->word_n > 5 && scan_is(s, end - 3, "day"))) &&
           date_word(s->at, s->word_n);
}

/* Joined by a character to what was replaced; may be the rest of it, unless it stands
 * between spaces. */
static bool follows_id(const struct scan *s)
{
    if (s->at == s->begin || s->at - 1 != s->replaced)
        return false;
    return !(scan_before(s, s->at) & scan_class(s, s->at + s->word_n) & CHAR_SPACE);
}

/* Behind a word, what may make it the beginning of an address: not the end of a sentence or of a part of it. */
static bool joins(const struct scan *s, const byte *p)
{
    if (!(scan_class(s, p) & CHAR_JOIN))
        return false;
    bool ends = p + 1 == s->end || scan_class(s, p + 1) & CHAR_SPACE;
    return !ends || (*p != ':' && *p != '.');
}

/* A word of letters that nothing but take_word could change, and neither will that. */
static bool is_plain(const struct scan *s)
{
    bool may_be_hex = !(s->seen & CHAR_GZ) && s->word_n >= WORD_HEX_LETTERS_MIN;
    if (s->seen & (CHAR_DIGIT | CHAR_UNDER) || may_be_hex ||
        word_may_be_opaque(s->at, s->word_n))
        return false;
    return !joins(s, s->at + s->word_n) && !may_start_date(s) &&
           !name_holder(s->at, s->word_n) && !follows_id(s);
}

/* What the recognisers know about the word at s->at. */
static void read_word(struct scan *s)
{
    const byte *p = s->at, *end = s->end;
    unsigned seen = 0;
    for (; p < end; p++) {
        unsigned class = scan_classes[*p];
        if (!(class & CHAR_WORD))
            break;
        seen |= class;
    }
    s->word_n = (size_t)(p - s->at);
    s->seen = seen;
}

static size_t take_letters(struct scan *s)
{
    read_word(s);
    size_t n = is_plain(s) ? 0 : recognise(s, scan_class(s, s->at));
    if (n)
        return n;
    scan_copy(s, s->at, s->word_n);
    return s->word_n;
}

static size_t take_space(struct scan *s)
{
    const byte *p = scan_run(s, s->at, CHAR_SPACE);
    if (p < s->end && s->out->n > s->first)
        scan_separate(s, ' ');
    return (size_t)(p - s->at);
}

static size_t take_mark(struct scan *s, unsigned class)
{
    bool known = class & CHAR_START || (class & CHAR_HIGH && !(class & CHAR_PLAIN));
    s->word_n = 0;
    s->seen = 0;
    size_t n = known ? recognise(s, class) : 0;
    if (n)
        return n;
    if (class & CHAR_HIGH)
        return scan_copy_character(s, s->at);
    if (class & (CHAR_LIST | CHAR_BRACKET))
        scan_separate(s, *s->at);
    else
        scan_copy(s, s->at, 1);
    return 1;
}

void scan_all(struct scan *s, const struct recogniser *table)
{
    s->table = table;
    while (s->at < s->end && !s->out->overflowed) {
        unsigned class = scan_class(s, s->at);
        if (class & CHAR_WORD)
            s->at += take_letters(s);
        else if (class & CHAR_SPACE)
            s->at += take_space(s);
        else
            s->at += take_mark(s, class);
    }
    scan_finish(s);
}

void fingerprint_text(struct str text, struct buf *out)
{
    struct scan s = scan_of(text, out);
    scan_all(&s, text_recognisers);
}

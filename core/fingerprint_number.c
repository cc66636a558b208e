/* Numbers, and words with digits in them. A word is cut at underscores; each part is a
 * number, an id, a duration, or letters with numbers in them ("storage442" ->
 * "storage<int>"). "<hex>" stands for any id without a name of its own, so that one
 * that happens to have digits or letters only, or letters beyond f, still gives the
 * same key. */
#include "core/fingerprint_measure.h"
#include "core/fingerprint_take.h"
#include "core/fingerprint_word.h"

static bool ends_whole(const struct scan *s, const byte *p)
{
    return scan_ends(s, p) && !(scan_class(s, p) & CHAR_HIGH);
}

enum {
    COUNTED_WORDS_MAX = 4,
    LONG_HEX_MIN = 16,
    CODE_DIGITS_MAX = 5,
    CODE_BYTES_MAX = 7,
    POD_TAIL_BYTES = 5,
};

static bool is_plural(const byte *p, const byte *end)
{
    return end - p > 3 && fold_ascii(end[-1]) == 's' && fold_ascii(end[-2]) != 's';
}

/* "63543 alignment exceptions": a text that opens with a number of things. */
static bool is_count(const struct scan *s, const byte *p)
{
    if (s->out->n != s->first)
        return false;
    for (int words = 0; words < COUNTED_WORDS_MAX && scan_class(s, p) & CHAR_SPACE;
         words++) {
        const byte *word = p + 1;
        p = word;
        while (scan_class(s, p) & CHAR_LETTER || (scan_at(s, p, '-') && p > word))
            p++;
        if (p > word && is_plural(word, p) &&
            !(scan_class(s, p) & (CHAR_SPACE | CHAR_WORD)))
            return true;
    }
    return false;
}

/* "status 404", "exit code 137": the number says which error it is. */
static bool names_error(const struct scan *s, const byte *p, size_t n,
                        enum context context)
{
    if (!ends_whole(s, p + n))
        return false;
    bool failure = n == 3 && (*p == '4' || *p == '5');
    return (context == CONTEXT_STATUS && failure) ||
           (context == CONTEXT_CODE && n <= CODE_DIGITS_MAX);
}

/* Digits only. */
static void put_number(struct scan *s, const byte *p, size_t n, enum context context)
{
    bool amount = context == CONTEXT_AMOUNT || context == CONTEXT_SPAN ||
                  context_unit(s, p + n) || is_count(s, p + n);
    if (names_error(s, p, n, context))
        scan_copy(s, p, n);
    else if (context == CONTEXT_ID || (context == CONTEXT_COMMIT && n >= WORD_GIT_MIN) ||
             (n >= WORD_LONG_MIN && !amount))
        scan_put(s, word_hex_name(n, context));
    else
        scan_put(s, "<int>");
}

/* A run of digits inside a word varies when it has two digits or more, at the end of
 * two letters or more ("worker7"), and before a unit ("5MB"). Others are names ("v2",
 * "b2b"). */
static bool run_varies(const byte *word, const byte *run, const byte *run_end,
                       const byte *end)
{
    if (run_end - run > 1)
        return true;
    if (run_end == end)
        return run - word >= 2 && scan_classes[run[-2]] & CHAR_LETTER;
    const byte *unit = run_end;
    while (unit < end && scan_classes[*unit] & CHAR_LETTER)
        unit++;
    return run == word && measure_is_unit(run_end, (size_t)(unit - run_end));
}

static void put_letters(struct scan *s, const byte *p, size_t n)
{
    struct word w = word_of(p, n);
    if (word_is_hex(&w, CONTEXT_NONE) || word_is_opaque(&w, CONTEXT_NONE))
        scan_put(s, word_hex_name(n, CONTEXT_NONE));
    else
        scan_copy(s, p, n);
}

static void put_mixed(struct scan *s, const byte *word, size_t n)
{
    const byte *end = word + n, *kept = word;
    for (const byte *p = word; p < end;) {
        const byte *run = p;
        while (p < end && scan_classes[*p] & CHAR_DIGIT)
            p++;
        if (p == run) {
            p++;
            continue;
        }
        if (!run_varies(word, run, p, end))
            continue;
        put_letters(s, kept, (size_t)(run - kept));
        scan_put(s, "<int>");
        kept = p;
    }
    put_letters(s, kept, (size_t)(end - kept));
}

/* "error TS2304": a few letters, then digits. */
static bool is_code(const struct scan *s, const struct word *w, enum context context)
{
    if (context != CONTEXT_STATUS && context != CONTEXT_CODE)
        return false;
    return w->changes == 1 && w->n <= CODE_BYTES_MAX && w->digits > 0 &&
           scan_classes[*w->p] & CHAR_LETTER && ends_whole(s, w->p + w->n);
}

/* After = a number may be written in hexadecimal digits without saying so. */
static bool is_hex_amount(const struct word *w)
{
    return w->hex && w->n < WORD_MD5_DIGITS && (w->digits > 0 || w->n >= WORD_LONG_MIN);
}

/* web-7d9f8c6b5-x2x4l: behind an id and a hyphen, five characters without a vowel, as
 * Kubernetes makes the names of its pods. Before a placeholder they are what is left of a longer word. */
static bool is_tail(const struct scan *s, const byte *p, size_t n)
{
    if (n != POD_TAIL_BYTES || p - 1 != s->replaced || p[-1] != '-' ||
        scan_placeholder(s, p + n))
        return false;
    for (size_t i = 0; i < n; i++)
        if (scan_among(s, p + i, "aeiouAEIOU013"))
            return false;
    return true;
}

/* One part of a word, without underscores. */
static void put_part(struct scan *s, const byte *p, size_t n)
{
    if (is_tail(s, p, n)) {
        scan_put(s, "<hex>");
        return;
    }
    struct word w = word_of(p, n);
    bool may_be_hex = w.hex && n >= WORD_HEX_LETTERS_MIN;
    if (w.digits == 0 && !may_be_hex && !word_may_be_opaque(p, n)) {
        scan_copy(s, p, n);
        return;
    }
    /* Before a placeholder it is what is left of a longer word. */
    enum context context =
        scan_placeholder(s, p + n) ? CONTEXT_NONE : context_of(s, p, n);
    if (w.letters == 0)
        put_number(s, p, n, context);
    else if (context == CONTEXT_AMOUNT && is_hex_amount(&w))
        scan_put(s, "<int>");
    else if (word_is_technical(p, n) || is_code(s, &w, context))
        scan_copy(s, p, n);
    else if (word_is_hex(&w, context) || (context == CONTEXT_ID && w.digits > 0))
        scan_put(s, word_hex_name(n, context));
    else if (measure_is_duration(p, p + n))
        scan_put(s, "<duration>");
    else if (word_is_opaque(&w, context))
        scan_put(s, "<hex>");
    else
        put_mixed(s, p, n);
}

/* 1445144423722_0020_m_000000: a letter between numbers is part of the id. One that
 * stands before a placeholder was kept when that was written, and stays. */
static bool is_inner_letter(const struct scan *s, const byte *p, size_t n)
{
    if (n != 1 || !scan_at(s, p + 1, '_') || !scan_after(s, p, "_") ||
        s->out->n - s->first <= 2)
        return false;
    const char *end = s->out->p + s->out->n;
    return end[-1] == '_' && end[-2] == '>' && scan_class(s, p + 2) & CHAR_DIGIT;
}

/* 0x7ffd01: the length of it, 0 when it is none. */
static size_t prefixed(const struct scan *s, const byte *p)
{
    if (!scan_is(s, p, "0x"))
        return 0;
    const byte *end = scan_run(s, p + 2, CHAR_HEX);
    return end > p + 2 ? (size_t)(end - p) : 0;
}

size_t take_long_hex(struct scan *s)
{
    if (s->word_n < LONG_HEX_MIN || s->seen & ~(unsigned)CHAR_HEX ||
        !scan_begins(s, s->at))
        return 0;
    scan_put(s, word_hex_name(s->word_n, CONTEXT_NONE));
    return s->word_n;
}

size_t take_http(struct scan *s)
{
    if (!scan_is(s, s->at, "http/") || !scan_begins(s, s->at))
        return 0;
    const byte *major = s->at + strlen("http/"), *p = scan_run(s, major, CHAR_DIGIT);
    if (p == major)
        return 0;
    if (scan_at(s, p, '.') && scan_class(s, p + 1) & CHAR_DIGIT)
        p = scan_run(s, p + 1, CHAR_DIGIT);
    if (!ends_whole(s, p))
        return 0;
    scan_copy(s, s->at, (size_t)(p - s->at));
    s->http_end = p;
    return (size_t)(p - s->at);
}

static bool is_other_digit(uint32_t code)
{
    /* Arabic, Persian, Devanagari, Bengali, Thai, full-width: where each has its zero */
    static const uint32_t zeros[] = {0x0660, 0x06F0, 0x0966, 0x09E6, 0x0E50, 0xFF10};
    for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++)
        if (code >= zeros[i] && code < zeros[i] + 10)
            return true;
    return false;
}

size_t take_other_digits(struct scan *s)
{
    const byte *p = s->at;
    while (p < s->end) {
        uint32_t code;
        size_t n =
            fold_decode((struct str){(const char *)p, (size_t)(s->end - p)}, &code);
        if (!is_other_digit(code))
            break;
        p += n;
    }
    if (p > s->at)
        scan_put(s, "<int>");
    return (size_t)(p - s->at);
}

/* 300µs, whose last part is no word character */
static bool ends_in_micro(const struct scan *s, const byte *p, const byte *end)
{
    return end > p && measure_is_micro(s, end) &&
           word_of(p, (size_t)(end - p)).letters == 0;
}

size_t take_word(struct scan *s)
{
    const byte *p = s->at, *end = p + s->word_n;
    while (p < end) {
        const byte *part = p;
        while (p < end && *p != '_')
            p++;
        size_t hex = prefixed(s, part);
        if (hex) {
            scan_put(s, "<hex>");
            p = part + hex;
        } else if (p == end && ends_in_micro(s, part, p)) {
            scan_put(s, "<duration>");
            return s->word_n + 3;
        } else if (is_inner_letter(s, part, (size_t)(p - part))) {
            scan_put(s, "<hex>");
        } else if (p > part) {
            put_part(s, part, (size_t)(p - part));
        }
        if (p < end && *p == '_')
            scan_copy(s, p++, 1);
    }
    return s->word_n;
}

size_t take_float(struct scan *s)
{
    const byte *p = s->at;
    const byte *dot = scan_run(s, p, CHAR_DIGIT);
    if (p > s->begin && p[-1] == '.')
        return 0;
    const byte *end = measure_fraction(s, dot);
    if (!end || (scan_at(s, end, '.') && scan_class(s, end + 1) & CHAR_DIGIT))
        return 0;
    scan_put(s, "<float>");
    return (size_t)(end - p);
}

/* A minus sign goes with its number, a hyphen after a word does not. */
size_t take_negative(struct scan *s)
{
    const byte *p = s->at;
    unsigned before = scan_before(s, p);
    if (*p != '-' || !(scan_class(s, p + 1) & CHAR_DIGIT))
        return 0;
    if (before & (CHAR_ALNUM | CHAR_HIGH) || scan_after(s, p, "-.>)]}*"))
        return 0;
    s->at = p + 1;
    const byte *end = scan_run(s, s->at, CHAR_DIGIT);
    bool number = !(scan_class(s, end) & CHAR_WORD);
    size_t n = number ? take_measure(s) : 0;
    if (n == 0 && number)
        n = take_float(s);
    if (n == 0 && number) {
        n = (size_t)(end - s->at);
        put_number(s, s->at, n,
                   p > s->begin && p[-1] == '_' ? context_of(s, s->at, n)
                                                : CONTEXT_AMOUNT);
    }
    s->at = p;
    return n ? n + 1 : 0;
}

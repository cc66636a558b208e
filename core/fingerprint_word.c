/* Ids made by chance differ from words in that letters and digits take turns and
 * letters stand beside each other that hardly do in any word. Both are counted. The
 * pairs are those found in at most 20 of 94,000 different words of a support forum in
 * many languages, the Python library and C headers (docs/fingerprints.md has the
 * figures). Case says nothing here: it is folded. */
#include "core/fingerprint_word.h"

enum {
    HEX_DIGITS_MIN = 4,
    TURNS_MIN = 3,    /* changes and unlikely pairs that make an id */
    TURNING_MIN = 6,  /* characters, where changes alone do */
    MIXED_MIN = 10,   /* characters, with digits */
    LETTERS_MIN = 12, /* characters, without digits */
    NAMED_MIN = 6,    /* letters behind a noun that announces an id */
    NAMED_UNLIKELY = 2,
    LONG_MIXED_MIN = 16,
};

/* Words whose digits are part of their name. Sorted. */
static const char technical[][SCAN_WORD_BYTES] = {
    "a11y",    "amd64",    "arm64",   "base32",  "base64",  "ec2",    "es2015", "float32",
    "float64", "h264",     "h265",    "http2",   "http3",   "i18n",   "int16",  "int32",
    "int64",   "ipv4",     "ipv6",    "k8s",     "l10n",    "latin1", "log4j",  "mp3",
    "mp4",     "oauth2",   "pbkdf2",  "sha1",    "sha256",  "sha384", "sha512", "ssh2",
    "tls12",   "tls13",    "uint16",  "uint32",  "uint64",  "utf16",  "utf32",  "utf8",
    "utf8mb4", "v1alpha1", "v1beta1", "v2beta1", "v2beta2", "win32",  "win64",  "x509",
    "x64",     "x86"};

/* Words of letters a to f. Sorted. */
static const char spellable[][SCAN_WORD_BYTES] = {
    "abed",   "accede", "acceded", "aced",   "added",   "babe",  "bade",   "bead",
    "beaded", "bedded", "beef",    "cafe",   "cede",    "ceded", "dabbed", "dead",
    "deaf",   "decade", "deed",    "deface", "defaced", "ebbed", "efface", "effaced",
    "facade", "face",   "faced",   "fade",   "faded",   "feed"};

bool word_is_technical(const byte *p, size_t n)
{
    return scan_classes[*p] & CHAR_LETTER && SCAN_WORD_IN(p, n, technical);
}

#define L(letter) (1u << ((letter)&31))
#define EXCEPT(bits) (0x7FFFFFEu & ~(bits))

/* By first letter (as letter & 31), the second letters that make an unlikely pair. */
static const uint32_t unlikely_after[32] = {
    ['a' & 31] = L('j') | L('q'),
    ['b' & 31] = L('g') | L('h') | L('k') | L('q') | L('v') | L('w') | L('x') | L('z'),
    ['c' & 31] = L('j') | L('q') | L('w') | L('x') | L('z'),
    ['d' & 31] = L('q') | L('x') | L('z'),
    ['f' & 31] = L('h') | L('j') | L('k') | L('q') | L('w') | L('x') | L('z'),
    ['g' & 31] = L('b') | L('j') | L('k') | L('q') | L('w') | L('x'),
    ['h' & 31] =
        L('b') | L('g') | L('j') | L('k') | L('q') | L('v') | L('w') | L('x') | L('z'),
    ['i' & 31] = L('h') | L('w') | L('y'),
    ['j' & 31] = EXCEPT(L('a') | L('e') | L('i') | L('o') | L('s') | L('u')),
    ['k' & 31] = L('h') | L('j') | L('k') | L('q') | L('v') | L('x') | L('y') | L('z'),
    ['l' & 31] = L('j') | L('q') | L('x') | L('z'),
    ['m' & 31] = L('g') | L('h') | L('j') | L('q') | L('w') | L('x') | L('z'),
    ['n' & 31] = L('x'),
    ['o' & 31] = L('q'),
    ['p' & 31] = L('j') | L('q') | L('x') | L('z'),
    ['q' & 31] = EXCEPT(L('l') | L('u')),
    ['r' & 31] = L('j') | L('q') | L('x') | L('z'),
    ['s' & 31] = L('j') | L('z'),
    ['t' & 31] = L('j') | L('q'),
    ['u' & 31] = L('h') | L('j') | L('k') | L('q') | L('w') | L('y') | L('z'),
    ['v' & 31] = EXCEPT(L('a') | L('b') | L('c') | L('e') | L('g') | L('i') | L('o') |
                        L('p') | L('r') | L('s') | L('t') | L('w')),
    ['w' & 31] = L('b') | L('g') | L('j') | L('k') | L('m') | L('p') | L('q') | L('u') |
                 L('v') | L('w') | L('x') | L('y') | L('z'),
    ['x' & 31] = L('b') | L('g') | L('h') | L('j') | L('k') | L('n') | L('q') | L('r') |
                 L('u') | L('v') | L('w') | L('z'),
    ['y' & 31] = L('h') | L('j') | L('k') | L('q') | L('x') | L('y') | L('z'),
    ['z' & 31] = EXCEPT(L('a') | L('e') | L('i') | L('o') | L('z')),
};

static bool is_unlikely(byte first, byte second)
{
    return unlikely_after[first & 31] >> (second & 31) & 1;
}

struct word word_of(const byte *p, size_t n)
{
    unsigned seen = n ? scan_classes[*p] : 0, before = seen & CHAR_DIGIT;
    size_t digits = before, changes = 0, pairs = 0, unlikely = 0;
    for (size_t i = 1; i < n; i++) {
        unsigned digit = scan_classes[p[i]] & CHAR_DIGIT;
        seen |= scan_classes[p[i]];
        digits += digit;
        changes += before ^ digit;
        pairs += before & digit;
        if (!(before | digit))
            unlikely += is_unlikely(p[i - 1], p[i]);
        before = digit;
    }
    return (struct word){.p = p,
                         .n = n,
                         .digits = digits,
                         .letters = n - digits,
                         .changes = changes,
                         .unlikely = unlikely,
                         .hex = !(seen & CHAR_GZ),
                         .pair = pairs > 0};
}

bool word_may_be_opaque(const byte *p, size_t n)
{
    size_t unlikely = 0;
    if (n < NAMED_MIN)
        return false;
    for (size_t i = 1; i < n; i++)
        unlikely += is_unlikely(p[i - 1], p[i]);
    return unlikely >= NAMED_UNLIKELY;
}

const char *word_hex_name(size_t n, enum context context)
{
    if (n == WORD_SHA1_DIGITS)
        return "<sha1>";
    if (n == WORD_MD5_DIGITS)
        return "<md5>";
    bool git = context == CONTEXT_COMMIT && n >= WORD_GIT_MIN && n < WORD_SHA1_DIGITS;
    return git ? "<git_sha>" : "<hex>";
}

bool word_is_hex(const struct word *w, enum context context)
{
    if (!w->hex)
        return false;
    if (w->digits == 0)
        return w->n >= WORD_LONG_MIN ||
               (context == CONTEXT_COMMIT && w->n == WORD_GIT_MIN) ||
               (context == CONTEXT_ID && w->n >= HEX_DIGITS_MIN &&
                !SCAN_WORD_IN(w->p, w->n, spellable));
    return w->n >= HEX_DIGITS_MIN;
}

bool word_is_opaque(const struct word *w, enum context context)
{
    size_t turns = w->changes + w->unlikely;
    if (w->digits == 0)
        return (w->n >= LETTERS_MIN && turns >= TURNS_MIN) ||
               (context == CONTEXT_ID && w->n >= NAMED_MIN && turns >= NAMED_UNLIKELY);
    if (w->n >= MIXED_MIN && turns >= TURNS_MIN)
        return true;
    return w->digits > 1 && ((w->n >= TURNING_MIN && w->changes >= TURNS_MIN) ||
                             (w->n >= LONG_MIXED_MIN && w->changes > 1));
}

bool word_may_vary(unsigned seen, size_t n)
{
    size_t letters = seen & CHAR_GZ ? LETTERS_MIN : WORD_LONG_MIN;
    return seen & CHAR_DIGIT || n >= letters;
}

bool word_is_id(const byte *p, size_t n)
{
    struct word w = word_of(p, n);
    bool id = word_is_hex(&w, CONTEXT_NONE) || word_is_opaque(&w, CONTEXT_NONE) || w.pair;
    return id && !word_is_technical(p, n);
}

bool word_varies(const byte *p, size_t n)
{
    struct word w = word_of(p, n);
    bool numbered =
        w.digits == 1 && w.letters >= 3 && scan_classes[p[n - 1]] & CHAR_DIGIT;
    return word_is_id(p, n) || (numbered && !word_is_technical(p, n));
}

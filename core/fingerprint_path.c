/* Paths, inside a text and as the page of an event. Each segment is kept or becomes *
 * (in a page's path :id). Nothing is learned: a segment is judged by its own shape,
 * and by the one before it, because what follows /users/ and is followed by more is
 * somebody's name. */
#include "core/fingerprint_take.h"
#include "core/fingerprint_word.h"

enum { PATH_STOP = CHAR_SPACE | CHAR_STOP };

/* Collections whose members have names of their own. Sorted. */
static const char collections[][SCAN_WORD_BYTES] = {
    "accounts", "customers", "members", "organizations", "orgs",      "people",
    "profiles", "teams",     "tenants", "users",         "workspaces"};
/* Pages that may stand beside the members. Sorted. */
static const char reserved[][SCAN_WORD_BYTES] = {"all", "current", "export", "import",
                                                 "me",  "new",     "search", "self"};

bool path_is_collection(const byte *p, size_t n)
{
    return SCAN_WORD_IN(p, n, collections);
}

bool path_is_reserved(const byte *p, size_t n)
{
    return SCAN_WORD_IN(p, n, reserved);
}

/* v2, v12: a version of an interface, not one thing among many. */
static bool is_version(const byte *p, size_t n)
{
    if (n < 2 || n > 3 || fold_ascii(*p) != 'v')
        return false;
    return scan_classes[p[1]] & CHAR_DIGIT && scan_classes[p[n - 1]] & CHAR_DIGIT;
}

/* Digits of percent-encoded bytes are letters in disguise. */
bool path_varies(const byte *p, size_t segment_n, bool (*word)(const byte *, size_t))
{
    if (is_version(p, segment_n))
        return false;
    for (const byte *end = p + segment_n; p < end;) {
        if (*p == '%') {
            p += end - p < 3 ? end - p : 3;
            continue;
        }
        const byte *start = p;
        unsigned seen = 0, class;
        for (; p < end && (class = scan_classes[*p] & CHAR_ALNUM); p++)
            seen |= class;
        size_t n = (size_t)(p - start);
        if (word_may_vary(seen, n) && word(start, n))
            return true;
        p += p == start;
    }
    return false;
}

static const byte *segment_end(const struct scan *s, const byte *p, byte slash)
{
    while (p < s->end && *p != slash && !(scan_classes[*p] & PATH_STOP))
        p++;
    return p;
}

/* In a text it may be a path of files: /home/ana/... */
static bool holds_names(const byte *p, size_t n)
{
    static const char home[][SCAN_WORD_BYTES] = {"home"};
    return path_is_collection(p, n) || SCAN_WORD_IN(p, n, home);
}

void path_copy(struct scan *s, const byte *p, const byte *end)
{
    while (p < end) {
        const byte *ascii = p;
        while (p < end && !(scan_classes[*p] & CHAR_HIGH))
            p++;
        scan_copy(s, ascii, (size_t)(p - ascii));
        if (p < end)
            p += scan_copy_character(s, p);
    }
}

/* Segments from the slash at p on; returns their end. */
static const byte *put_segments(struct scan *s, const byte *p, byte slash)
{
    const byte *before = p;
    size_t before_n = 0;
    bool starred = false; /* several in a row are one: how deep varies too */
    while (p < s->end && *p == slash) {
        const byte *segment = p + 1, *end = segment_end(s, segment, slash);
        bool more = scan_at(s, end, (char)slash) &&
                    scan_class(s, end + 1) & (CHAR_WORD | CHAR_JOIN);
        size_t n = (size_t)(end - segment);
        bool star = path_varies(segment, n, word_varies) ||
                    (more && n > 0 && holds_names(before, before_n) &&
                     !path_is_reserved(segment, n));
        if (!star || !starred)
            scan_copy(s, p, 1);
        if (star && !starred)
            scan_put(s, "*");
        else if (!star)
            path_copy(s, segment, end);
        starred = star;
        before = segment;
        before_n = n;
        p = end;
    }
    return p;
}

static bool starts_path(const struct scan *s, const byte *p)
{
    if (scan_before(s, p) & (CHAR_WORD | CHAR_HIGH) || !scan_begins(s, p) ||
        scan_after(s, p, "/.>)*-]}"))
        return false;
    return scan_class(s, p + 1) & CHAR_WORD || scan_at(s, p + 1, '*');
}

/* "/10.1.2.3" is an address with a slash before it. */
static bool is_address(const struct scan *s, const byte *p)
{
    const byte *end = p;
    int dots = 0;
    for (; scan_class(s, end) & CHAR_DIGIT || scan_at(s, end, '.'); end++)
        dots += *end == '.';
    return dots == 3 && !(scan_class(s, end) & CHAR_WORD);
}

size_t take_path(struct scan *s)
{
    const byte *p = s->at;
    if (*p != '/' || !starts_path(s, p) || is_address(s, p + 1))
        return 0;
    return (size_t)(put_segments(s, p, '/') - p);
}

/* C:\Users\ana, C:/Users/ana; C:// is the beginning of a URL, though of none here. */
size_t take_drive(struct scan *s)
{
    const byte *p = s->at;
    if (s->word_n != 1 || !scan_at(s, p + 1, ':') || !scan_begins(s, p) ||
        !(scan_at(s, p + 2, '\\') || scan_at(s, p + 2, '/')) || scan_is(s, p + 2, "//"))
        return 0;
    scan_copy(s, p, 2);
    return (size_t)(put_segments(s, p + 2, p[2]) - p);
}

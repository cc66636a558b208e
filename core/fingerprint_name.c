/* Names of people and accounts in the places where English puts them: "for user
 * cyrus", "by account acme", "invalid user webmaster from". Without this, an error
 * that names its user is another error for each of them, and three users with one
 * problem are never seen. Words that are no names there ("for user input", "for
 * account creation") are kept: by a list, by their endings, and by what must follow. */
#include "core/fingerprint_take.h"
#include "core/fingerprint_word.h"

/* By length, because every word of a text is looked up here; sorted. */
static const char holders[][2][SCAN_WORD_BYTES] = {[3] = {"", "for"},
                                                   [4] = {"", "user"},
                                                   [6] = {"member", "tenant"},
                                                   [7] = {"", "account"},
                                                   [8] = {"", "customer"}};
/* Sorted, as all that follow. */
static const char leads[][SCAN_WORD_BYTES] = {"by",      "for", "illegal",
                                              "invalid", "of",  "unknown"};
static const char sign_ins[][SCAN_WORD_BYTES] = {
    "access", "attempt",    "authentication", "failure",   "login",
    "logon",  "passphrase", "password",       "publickey", "session"};
static const char follows[][SCAN_WORD_BYTES] = {
    "after", "at",     "because", "by",  "cannot", "could", "denied", "did",
    "does",  "failed", "from",    "had", "has",    "in",    "is",     "on",
    "timed", "to",     "via",     "was", "while",  "with"};
static const char no_names[][SCAN_WORD_BYTES] = {
    "access",     "account",     "accounts",   "address", "agent",    "alias",
    "and",        "api",         "avatar",     "balance", "base",     "but",
    "cache",      "class",       "code",       "context", "count",    "credentials",
    "dashboard",  "data",        "defaults",   "defined", "detail",   "details",
    "email",      "entity",      "error",      "errors",  "event",    "events",
    "experience", "export",      "feedback",   "field",   "fields",   "file",
    "files",      "flow",        "form",       "found",   "gateway",  "generated",
    "group",      "groups",      "guide",      "handler", "history",  "id",
    "ids",        "image",       "import",     "index",   "info",     "input",
    "instead",    "interface",   "key",        "keys",    "level",    "limit",
    "limits",     "link",        "list",       "lists",   "locale",   "login",
    "logins",     "logout",      "lookup",     "manager", "menu",     "message",
    "messages",   "metadata",    "mode",       "model",   "name",     "names",
    "not",        "number",      "object",     "objects", "of",       "only",
    "or",         "order",       "orders",     "owner",   "owners",   "page",
    "pages",      "panel",       "password",   "plan",    "policy",   "pool",
    "portal",     "preferences", "privileges", "profile", "profiles", "prompt",
    "query",      "quota",       "record",     "records", "report",   "reports",
    "request",    "requests",    "results",    "review",  "role",     "roles",
    "row",        "rule",        "schema",     "script",  "search",   "service",
    "session",    "sessions",    "setup",      "signup",  "space",    "state",
    "status",     "story",       "support",    "sync",    "table",    "tables",
    "task",       "tasks",       "team",       "that",    "the",      "tier",
    "token",      "tokens",      "type",       "types",   "update",   "updates",
    "upload",     "value",       "values",     "view",    "who",      "without"};
static const char *const endings[] = {"tion", "tions", "ment", "ments", "ing",  "ings",
                                      "ity",  "ities", "ness", "ance",  "ence", "ship"};

enum { NAME_BYTES_MAX = 64, LEAD_BYTES_MAX = 15 };

bool name_holder(const byte *p, size_t n)
{
    if (n >= sizeof holders / sizeof *holders)
        return false;
    byte first = fold_ascii(*p);
    bool may_be = first == (byte)*holders[n][0] || first == (byte)*holders[n][1];
    return may_be && SCAN_WORD_IN(p, n, holders[n]);
}

/* The word before p, across white space, is of this table. */
static bool is_behind(const struct scan *s, const byte *p,
                      const char (*table)[SCAN_WORD_BYTES], size_t rows)
{
    const byte *end = p;
    while (end != s->replaced && scan_before(s, end) & CHAR_SPACE)
        end--;
    const byte *start = end;
    while (start != s->replaced && end - start < LEAD_BYTES_MAX &&
           scan_before(s, start) & CHAR_LETTER)
        start--;
    return end < p && !(scan_before(s, start) & (CHAR_WORD | CHAR_HIGH)) &&
           scan_begins(s, start) &&
           scan_row(start, (size_t)(end - start), table, rows, sizeof *table) != NULL;
}

#define IS_BEHIND(s, p, table) is_behind(s, p, table, sizeof(table) / sizeof *(table))

static bool has_ending(const byte *p, size_t n)
{
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t length = strlen(endings[i]), same = 0;
        while (length < n && same < length &&
               fold_ascii(p[n - length + same]) == (byte)endings[i][same])
            same++;
        if (same == length)
            return true;
    }
    return false;
}

/* The end of a name at p: letters first, then also digits and . _ - inside. An id is
 * left to the recognisers of ids. */
static const byte *read_name(const struct scan *s, const byte *p)
{
    const byte *first = scan_run(s, p, CHAR_ALNUM), *end = first;
    if (!(scan_class(s, p) & CHAR_LETTER) || first - p > NAME_BYTES_MAX ||
        word_is_id(p, (size_t)(first - p)))
        return NULL;
    while (end - p < NAME_BYTES_MAX) {
        const byte *next = end;
        next += scan_at(s, next, '.') || scan_at(s, next, '-') || scan_at(s, next, '_');
        const byte *part = scan_run(s, next, CHAR_ALNUM);
        if (part == next)
            break;
        end = part;
    }
    if (scan_class(s, end) & CHAR_HIGH || !scan_ends(s, end) || scan_at(s, end, '@'))
        return NULL;
    return end < s->end && scan_placeholder(s, end + 1) ? NULL : end;
}

/* End of text, punctuation, or a word that goes on about the user. */
static bool is_followed(const struct scan *s, const byte *p)
{
    if (p == s->end || scan_among(s, p, ".,;:!?)[(\"'"))
        return true;
    if (!(scan_class(s, p) & CHAR_SPACE))
        return false;
    const byte *word = scan_run(s, p, CHAR_SPACE), *end = scan_run(s, word, CHAR_LETTER);
    if (word == s->end || *word == '[' || *word == '(')
        return true;
    return SCAN_WORD_IN(word, (size_t)(end - word), follows);
}

static bool has_digit(const byte *p, const byte *end)
{
    while (p < end && !(scan_classes[*p] & CHAR_DIGIT))
        p++;
    return p < end;
}

static bool is_name(const struct scan *s, const byte *p, const byte *end)
{
    size_t n = (size_t)(end - p);
    return n >= 2 && !SCAN_WORD_IN(p, n, no_names) && !SCAN_WORD_IN(p, n, follows) &&
           !has_ending(p, n) && (has_digit(p, end) || is_followed(s, end));
}

/* " from 10.1.2.3" */
static bool comes_from(const struct scan *s, const byte *p)
{
    const byte *from = scan_run(s, p, CHAR_SPACE);
    if (from == p || !scan_is(s, from, "from "))
        return false;
    const byte *address = scan_run(s, from + 4, CHAR_SPACE);
    return scan_is(s, address, "<ip>") ||
           scan_at(s, scan_run(s, address, CHAR_DIGIT), '.');
}

/* A name that is not quoted must look like one, by itself and by what follows. */
static bool fits(const struct scan *s, const byte *name, const byte *end)
{
    return s->word_n == strlen("for") ? comes_from(s, end) : is_name(s, name, end);
}

static bool is_announced(const struct scan *s)
{
    return s->word_n == strlen("for") ? IS_BEHIND(s, s->at, sign_ins)
                                      : IS_BEHIND(s, s->at, leads);
}

/* Who comes from an address is somebody, whatever the name looks like: "0101", "a". */
static const byte *read_stranger(const struct scan *s, const byte *p)
{
    const byte *end = p;
    while (end - p < NAME_BYTES_MAX &&
           (scan_class(s, end) & CHAR_WORD || scan_among(s, end, ".-")))
        end++;
    bool name = end > p && !SCAN_WORD_IN(p, (size_t)(end - p), no_names);
    return name && comes_from(s, end) ? end : NULL;
}

/* The end of the name at p, NULL where none stands. */
static const byte *find_name(const struct scan *s, const byte *p, char quote)
{
    const byte *end = read_name(s, p);
    if (quote)
        return end && scan_at(s, end, quote) ? end : NULL;
    return end && fits(s, p, end) ? end : read_stranger(s, p);
}

size_t take_name(struct scan *s)
{
    const byte *holder_end = s->at + s->word_n;
    if (!name_holder(s->at, s->word_n) || !is_announced(s))
        return 0;
    const byte *p = scan_run(s, holder_end, CHAR_SPACE);
    if (p == holder_end)
        return 0;
    bool quoted = scan_at(s, p, '\'') || scan_at(s, p, '"');
    const byte *end = find_name(s, p + quoted, quoted ? (char)*p : '\0');
    if (!end)
        return 0;
    scan_copy(s, s->at, s->word_n);
    scan_separate(s, ' ');
    if (quoted)
        scan_copy(s, p, 1);
    scan_put(s, "<name>");
    return (size_t)(end - s->at);
}

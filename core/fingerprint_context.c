/* An id of hexadecimal digits may happen to have decimal digits only, and then looks
 * like a number. Where the word before it names a kind of id, every word with a digit
 * is one; where it names an amount, or where = stands, a number stays a number however
 * long it is. Only the text right before is read, so the answer does not depend on
 * what else a message says. */
#include "core/fingerprint_context.h"

/* All sorted. */
static const char *const ids[] = {
    "checksum",  "correlation", "correlationid", "digest",    "etag",        "event",
    "eventid",   "fingerprint", "guid",          "hash",      "id",          "ids",
    "key",       "nonce",       "ref",           "req",       "reqid",       "request",
    "requestid", "rid",         "session",       "sessionid", "sid",         "span",
    "spanid",    "token",       "trace",         "traceid",   "transaction", "txn"};
static const char *const commits[] = {"blob", "changeset", "commit",
                                      "rev",  "revision",  "sha"};
static const char *const amounts[] = {"bytes", "count",  "len",  "length",
                                      "limit", "offset", "size", "total"};
static const char *const statuses[] = {"code", "error", "http", "status", "statuscode"};

enum { NOUN_BYTES_MAX = 13, MARKS_MAX = 3 };

static enum context find(const byte *p, size_t n)
{
    if (SCAN_WORD_IN(p, n, ids))
        return CONTEXT_ID;
    if (SCAN_WORD_IN(p, n, amounts))
        return CONTEXT_AMOUNT;
    if (SCAN_WORD_IN(p, n, statuses))
        return CONTEXT_STATUS;
    return SCAN_WORD_IN(p, n, commits) ? CONTEXT_COMMIT : CONTEXT_NONE;
}

/* Back over what may stand between a noun and its number: "request_id: #5", "key =
 * '5". */
static const byte *skip_marks(const struct scan *s, const byte *p, bool *equals)
{
    static const char between[] = ":=#([{\"'_-";
    for (int marks = 0; p > s->begin && p != s->replaced; p--) {
        if (scan_classes[p[-1]] & CHAR_SPACE)
            continue;
        if (marks == MARKS_MAX || !scan_after(s, p, between))
            break;
        *equals |= p[-1] == '=';
        marks++;
    }
    return p;
}

/* Object@1f4e9ab, Window{3b04890: the hash of an object in memory. */
static bool is_identity(const struct scan *s, const byte *p)
{
    return p - s->begin > 1 && (p[-1] == '@' || p[-1] == '{') &&
           scan_before(s, p - 1) & CHAR_LETTER;
}

enum context context_of(const struct scan *s, const byte *p)
{
    if (is_identity(s, p))
        return CONTEXT_ID;
    bool equals = false;
    const byte *end = skip_marks(s, p, &equals), *start = end;
    while (start != s->replaced && end - start <= NOUN_BYTES_MAX &&
           scan_before(s, start) & CHAR_LETTER)
        start--;
    enum context found = CONTEXT_NONE;
    if (end < p && !(scan_before(s, start) & CHAR_HIGH) && scan_begins(s, start))
        found = find(start, (size_t)(end - start));
    return found == CONTEXT_NONE && equals ? CONTEXT_AMOUNT : found;
}

static const char *const units[] = {
    "b",  "byte",         "bytes",        "days",   "gb",      "h",  "hours",   "kb",
    "mb", "microseconds", "milliseconds", "millis", "minutes", "ms", "records", "rows",
    "s",  "sec",          "seconds",      "times"};

bool context_unit(const struct scan *s, const byte *p)
{
    p += scan_class(s, p) & CHAR_SPACE ? 1 : 0;
    const byte *end = p;
    while (end - p < 13 && scan_class(s, end) & CHAR_LETTER)
        end++;
    return end > p && SCAN_WORD_IN(p, (size_t)(end - p), units);
}

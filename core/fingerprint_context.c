/* An id of hexadecimal digits may happen to have decimal digits only, and then looks
 * like a number. Where the word before it names a kind of id, every word with a digit
 * is one; where it names an amount, or where = stands, a number stays a number however
 * long it is. Only the text right before is read, so the answer does not depend on
 * what else a message says. */
#include "core/fingerprint_context.h"

/* What a noun says about the number behind it. */
struct noun_row {
    char word[SCAN_WORD_BYTES];
    enum context says; /* CONTEXT_NONE: ask the one before it, "a status of 503" */
};

/* All sorted. */
static const struct noun_row nouns[] = {
    {"age", CONTEXT_SPAN},
    {"blob", CONTEXT_COMMIT},
    {"bytes", CONTEXT_AMOUNT},
    {"changeset", CONTEXT_COMMIT},
    {"checksum", CONTEXT_ID},
    {"code", CONTEXT_STATUS},
    {"commit", CONTEXT_COMMIT},
    {"correlation", CONTEXT_ID},
    {"correlationid", CONTEXT_ID},
    {"count", CONTEXT_AMOUNT},
    {"digest", CONTEXT_ID},
    {"duration", CONTEXT_SPAN},
    {"elapsed", CONTEXT_SPAN},
    {"errno", CONTEXT_CODE},
    {"error", CONTEXT_STATUS},
    {"errorcode", CONTEXT_CODE},
    {"etag", CONTEXT_ID},
    {"event", CONTEXT_ID},
    {"eventid", CONTEXT_ID},
    {"exitcode", CONTEXT_CODE},
    {"fingerprint", CONTEXT_ID},
    {"guid", CONTEXT_ID},
    {"hash", CONTEXT_ID},
    {"http", CONTEXT_STATUS},
    {"id", CONTEXT_ID},
    {"idle", CONTEXT_SPAN},
    {"ids", CONTEXT_ID},
    {"is", CONTEXT_NONE},
    {"key", CONTEXT_ID},
    {"len", CONTEXT_AMOUNT},
    {"length", CONTEXT_AMOUNT},
    {"lifetime", CONTEXT_SPAN},
    {"limit", CONTEXT_AMOUNT},
    {"nonce", CONTEXT_ID},
    {"of", CONTEXT_NONE},
    {"offset", CONTEXT_AMOUNT},
    {"ref", CONTEXT_ID},
    {"remaining", CONTEXT_SPAN},
    {"req", CONTEXT_ID},
    {"reqid", CONTEXT_ID},
    {"request", CONTEXT_ID},
    {"requestid", CONTEXT_ID},
    {"returncode", CONTEXT_CODE},
    {"rev", CONTEXT_COMMIT},
    {"revision", CONTEXT_COMMIT},
    {"rid", CONTEXT_ID},
    {"runtime", CONTEXT_SPAN},
    {"session", CONTEXT_ID},
    {"sessionid", CONTEXT_ID},
    {"sha", CONTEXT_COMMIT},
    {"sid", CONTEXT_ID},
    {"size", CONTEXT_AMOUNT},
    {"span", CONTEXT_ID},
    {"spanid", CONTEXT_ID},
    {"sqlstate", CONTEXT_CODE},
    {"status", CONTEXT_STATUS},
    {"statuscode", CONTEXT_CODE},
    {"token", CONTEXT_ID},
    {"total", CONTEXT_AMOUNT},
    {"trace", CONTEXT_ID},
    {"traceid", CONTEXT_ID},
    {"transaction", CONTEXT_ID},
    {"txn", CONTEXT_ID},
    {"uptime", CONTEXT_SPAN},
    {"was", CONTEXT_NONE},
};
/* "exit code 137" names an error, "verification code 4711" does not. */
static const char code_kinds[][SCAN_WORD_BYTES] = {
    "error", "exit", "http", "response", "result", "return", "status"};
/* Words that end as taskid and orderid do, and are no ids. */
static const char no_ids[][SCAN_WORD_BYTES] = {
    "android", "avoid", "fluid", "hybrid", "invalid", "liquid", "prepaid",
    "rapid",   "rigid", "solid", "squid",  "unpaid",  "valid",  "vivid"};

enum { NOUN_BYTES_MAX = 13, MARKS_MAX = 3, ID_NOUN_MIN = 5 };

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

/* The run of letters that ends before p, marks and spaces between. */
struct noun {
    const byte *p;
    size_t n;
    const byte *end; /* where the marks begin */
    bool equals;     /* = is among them */
};

static struct noun noun_before(const struct scan *s, const byte *p)
{
    struct noun w = {.p = p};
    const byte *end = skip_marks(s, p, &w.equals), *start = end;
    w.end = end;
    while (start != s->replaced && end - start <= NOUN_BYTES_MAX &&
           scan_before(s, start) & CHAR_LETTER)
        start--;
    bool whole = !(scan_before(s, start) & CHAR_HIGH) && scan_begins(s, start);
    if (end < p && whole)
        w = (struct noun){start, (size_t)(end - start), end, w.equals};
    return w;
}

#define NOUN_IN(noun, table) SCAN_WORD_IN((noun).p, (noun).n, table)

/* taskid, orderId */
static bool ends_in_id(struct noun w)
{
    return w.n >= ID_NOUN_MIN && fold_ascii(w.p[w.n - 2]) == 'i' &&
           fold_ascii(w.p[w.n - 1]) == 'd' && !NOUN_IN(w, no_ids);
}

static enum context find(const struct scan *s, struct noun w, const struct noun_row *row)
{
    if (!row)
        return ends_in_id(w) ? CONTEXT_ID : CONTEXT_NONE;
    bool kind =
        strcmp(row->word, "code") == 0 && NOUN_IN(noun_before(s, w.p), code_kinds);
    return kind ? CONTEXT_CODE : row->says;
}

/* Object@1f4e9ab, Window{3b04890: the hash of an object in memory. */
static bool is_identity(const struct scan *s, const byte *p)
{
    return scan_after(s, p, "@{") && scan_before(s, p - 1) & CHAR_LETTER;
}

/* True when only a comma and spaces stand between the last id and p. */
static bool goes_on(const struct scan *s, const byte *p)
{
    const byte *end = p;
    bool comma = false;
    for (; scan_before(s, end) & (CHAR_LIST | CHAR_SPACE); end--)
        comma |= (scan_before(s, end) & CHAR_LIST) != 0;
    return comma && end == s->id_end;
}

static enum context context_before(const struct scan *s, const byte *p)
{
    if (is_identity(s, p))
        return CONTEXT_ID;
    struct noun w = noun_before(s, p);
    if (w.end == s->http_end && w.end < p)
        return CONTEXT_STATUS;
    bool equals = w.equals;
    const struct noun_row *row = SCAN_ROW(w.p, w.n, nouns);
    if (row && row->says == CONTEXT_NONE) {
        w = noun_before(s, w.p);
        row = SCAN_ROW(w.p, w.n, nouns);
    }
    enum context found = find(s, w, row);
    return found == CONTEXT_NONE && equals ? CONTEXT_AMOUNT : found;
}

enum context context_of(struct scan *s, const byte *p, size_t n)
{
    enum context context = goes_on(s, p) ? CONTEXT_ID : context_before(s, p);
    s->id_end = context == CONTEXT_ID ? p + n : NULL;
    return context;
}

/* Sorted. */
static const char units[][SCAN_WORD_BYTES] = {
    "b",  "byte",         "bytes",   "days",         "gb",      "h",  "hours",   "kb",
    "mb", "microseconds", "millis",  "milliseconds", "minutes", "ms", "records", "rows",
    "s",  "sec",          "seconds", "times"};

bool context_unit(const struct scan *s, const byte *p)
{
    p += scan_class(s, p) & CHAR_SPACE ? 1 : 0;
    const byte *end = p;
    while (end - p < 13 && scan_class(s, end) & CHAR_LETTER)
        end++;
    return end > p && SCAN_WORD_IN(p, (size_t)(end - p), units);
}

/* An error is known by its type, its code and its message. Type and code are names:
 * "INV_500" and "INV_404" are two errors, so their numbers stay, and only ids that no
 * name holds go. */
#include "core/fingerprint.h"

#include "core/fingerprint_take.h"

static const struct recogniser name_recognisers[] = {
    {CHAR_START, CHAR_ANY, take_placeholder},
    {CHAR_HEX, CHAR_JOIN, take_traceparent},
    {CHAR_HEX, CHAR_JOIN, take_uuid},
    {CHAR_HEX, CHAR_ANY, take_long_hex},
    {0, 0, NULL},
};

static void put_part(struct str text, const struct recogniser *table, struct buf *out)
{
    size_t first = out->n;
    if (text.n > 0 && first > 0)
        buf_char(out, ' ');
    size_t start = out->n;
    struct scan s = scan_of(text, out);
    s.quotes = true;
    scan_all(&s, table);
    if (out->n == start)
        out->n = first;
}

void fingerprint_error(struct str type, struct str code, struct str message,
                       struct buf *out)
{
    put_part(type, name_recognisers, out);
    put_part(code, name_recognisers, out);
    put_part(message, text_recognisers, out);
}

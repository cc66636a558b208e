#include "core/json_out.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>

#include "core/fold.h"
#include "core/timefmt.h"
#include "core/utf8.h"

/* What ends with an open bracket has nothing in it yet: a text ends with a quote. */
void json_out_next(struct buf *out)
{
    char last = out->n ? out->p[out->n - 1] : '{';
    if (last != '{' && last != '[')
        buf_char(out, ',');
}

static void put_name(struct buf *out, const char *name)
{
    json_out_next(out);
    buf_char(out, '"');
    buf_text(out, name);
    buf_text(out, "\":");
}

void json_out_begin(struct buf *out, const char *name, char bracket)
{
    if (name)
        put_name(out, name);
    else
        json_out_next(out);
    buf_char(out, bracket);
}

/* --- texts --- */

static bool is_utf8(struct str s)
{
    uint32_t code = 0;
    while (s.n && code != UINT32_MAX)
        s = str_from(s, fold_decode(s, &code));
    return code != UINT32_MAX;
}

static bool is_plain(char c)
{
    return (unsigned char)c >= ' ' && c != '"' && c != '\\';
}

static void put_escaped(struct buf *out, unsigned char c)
{
    static const char letters[] = "btnvfr"; /* of 8 to 13; JSON has none of 11 */
    bool has_letter = c >= '\b' && c <= '\r' && c != '\v';
    if (!has_letter && c != '"' && c != '\\') {
        buf_printf(out, "\\u%04X", c);
        return;
    }
    buf_char(out, '\\');
    buf_char(out, has_letter ? letters[c - '\b'] : (char)c);
}

void json_out_string(struct buf *out, struct str s, size_t max_bytes)
{
    s = utf8_cut(s, max_bytes);
    if (!is_utf8(s))
        s = STR("\xEF\xBF\xBD");
    buf_char(out, '"');
    while (s.n) {
        size_t plain = 0;
        while (plain < s.n && is_plain(s.p[plain]))
            plain++;
        buf_mem(out, s.p, plain);
        if (plain < s.n)
            put_escaped(out, (unsigned char)s.p[plain]);
        s = str_from(s, plain + 1);
    }
    buf_char(out, '"');
}

void json_out_text(struct buf *out, const char *name, struct str s, size_t max_bytes)
{
    put_name(out, name);
    json_out_string(out, s, max_bytes);
}

void json_out_some(struct buf *out, const char *name, struct str s, size_t max_bytes)
{
    if (s.n)
        json_out_text(out, name, s, max_bytes);
}

void json_out_word(struct buf *out, const char *name, const char *word)
{
    json_out_text(out, name, str_of(word), SIZE_MAX);
}

void json_out_time(struct buf *out, const char *name, int64_t ms)
{
    char made[TIME_TEXT_BYTES];
    json_out_text(out, name, time_text(ms, made), sizeof made);
}

/* --- numbers --- */

void json_out_true(struct buf *out, const char *name)
{
    put_name(out, name);
    buf_text(out, "true");
}

void json_out_int(struct buf *out, const char *name, int64_t v)
{
    put_name(out, name);
    buf_printf(out, "%lld", (long long)v);
}

/* As jansson writes it, with 15 significant digits, which give 4 decimals back exactly up to 10^11. */
static void put_real(struct buf *out, double v)
{
    char made[64];
    json_t *value = json_real(v);
    size_t n =
        json_dumpb(value, made, sizeof made, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    assert(n > 0 && n <= sizeof made);
    buf_mem(out, made, n);
    json_decref(value);
}

void json_out_value(struct buf *out, double v)
{
    double rounded = fabs(v) < 1e11 ? round(v * 1e4) / 1e4 : v;
    bool whole = fabs(rounded) < 0x1p53 && rounded == trunc(rounded);
    if (!isfinite(v))
        buf_text(out, "null");
    else if (whole)
        buf_printf(out, "%lld", (long long)rounded);
    else
        put_real(out, rounded);
}

void json_out_number(struct buf *out, const char *name, double v)
{
    if (!isfinite(v))
        return;
    put_name(out, name);
    json_out_value(out, v);
}

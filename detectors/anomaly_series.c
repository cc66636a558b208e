/* A key's series: closed buckets' values and open buckets' sums. Fields are summed in millionths as integers, so
 * the same events give the same digits in whatever order they came. */
#include <assert.h>
#include <math.h>

#include "detectors/anomaly.h"

void series_unpack(struct str state, size_t history_n, size_t room, struct arena *arena,
                   struct series *s)
{
    struct reader r = {.in = state};
    *s = (struct series){0};
    if (state.n) {
        s->started = reader_u8(&r);
        s->firing = reader_u8(&r);
        s->up = reader_u8(&r);
        s->next_cell = reader_i64(&r);
        s->opened_cell = reader_i64(&r);
        s->values_n = reader_u32(&r);
        s->open_n = reader_u32(&r);
    }
    size_t values_cap = s->values_n > history_n ? s->values_n : history_n;
    s->values = arena_alloc(arena, (values_cap + 1) * sizeof *s->values);
    s->open = arena_alloc(arena, (s->open_n + room + 1) * sizeof *s->open);
    for (size_t i = 0; i < s->values_n; i++) {
        int64_t bits = reader_i64(&r);
        memcpy(&s->values[i], &bits, sizeof bits);
    }
    for (size_t i = 0; i < s->open_n; i++) {
        s->open[i].cell = reader_i64(&r);
        s->open[i].n = reader_i64(&r);
        s->open[i].sum = reader_i64(&r);
    }
    assert(!r.failed);
}

void series_pack(const struct series *s, struct buf *out)
{
    buf_u8(out, s->started);
    buf_u8(out, s->firing);
    buf_u8(out, s->up);
    buf_i64(out, s->next_cell);
    buf_i64(out, s->opened_cell);
    buf_u32(out, (uint32_t)s->values_n);
    buf_u32(out, (uint32_t)s->open_n);
    for (size_t i = 0; i < s->values_n; i++) {
        int64_t bits;
        memcpy(&bits, &s->values[i], sizeof bits);
        buf_i64(out, bits);
    }
    for (size_t i = 0; i < s->open_n; i++) {
        buf_i64(out, s->open[i].cell);
        buf_i64(out, s->open[i].n);
        buf_i64(out, s->open[i].sum);
    }
}

static int64_t add_saturated(int64_t a, int64_t b)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return b < 0 ? INT64_MIN : INT64_MAX;
    return sum;
}

void series_add(struct series *s, int64_t cell, int64_t n, int64_t sum)
{
    size_t i = s->open_n;
    while (i && s->open[i - 1].cell >= cell)
        i--;
    if (i == s->open_n || s->open[i].cell != cell) {
        memmove(&s->open[i + 1], &s->open[i], (s->open_n - i) * sizeof *s->open);
        s->open[i] = (struct bucket){.cell = cell};
        s->open_n++;
    }
    s->open[i].n += n;
    s->open[i].sum = add_saturated(s->open[i].sum, sum);
}

struct bucket series_close(struct series *s)
{
    struct bucket b = {.cell = s->next_cell};
    if (s->open_n && s->open[0].cell == s->next_cell) {
        b = s->open[0];
        s->open_n--;
        memmove(s->open, s->open + 1, s->open_n * sizeof *s->open);
    }
    s->next_cell++;
    return b;
}

static bool nothing(double value, bool zero_is_nothing)
{
    return isnan(value) || (zero_is_nothing && fpclassify(value) == FP_ZERO);
}

static void drop_oldest(struct series *s)
{
    s->values_n--;
    memmove(s->values, s->values + 1, s->values_n * sizeof *s->values);
}

/* The history begins with a bucket that held something: so it depends on the last history_n buckets only,
 * and a state that is made anew from these comes to the same baselines. */
void series_remember(struct series *s, double value, size_t history_n,
                     bool zero_is_nothing)
{
    while (s->values_n >= history_n)
        drop_oldest(s);
    s->values[s->values_n++] = value;
    while (s->values_n && nothing(s->values[0], zero_is_nothing))
        drop_oldest(s);
}

/* A key's series: closed buckets' values, and of open buckets what makes one. Fields are summed in millionths as integers, so
 * the same events give the same digits in whatever order they came. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "detectors/anomaly.h"

bool anomaly_is_quantile(const struct anomaly_settings *settings)
{
    return settings->metric == METRIC_P50 || settings->metric == METRIC_P90;
}

double anomaly_value(const struct anomaly_settings *settings, const struct bucket *b)
{
    double n = (double)b->n, sum = (double)b->sum;
    if (settings->metric == METRIC_COUNT)
        return n;
    if (b->n == 0)
        return (double)NAN;
    switch ((enum anomaly_metric)settings->metric) {
    case METRIC_SUM:
        return sum / MILLIONTHS;
    case METRIC_MEAN:
        return sum / MILLIONTHS / n;
    case METRIC_RATIO:
        return sum / n;
    case METRIC_P50:
        return (double)points_quantile(&b->points, 50) / MILLIONTHS;
    case METRIC_P90:
        return (double)points_quantile(&b->points, 90) / MILLIONTHS;
    case METRIC_COUNT:
        break;
    }
    abort();
}

static void unpack_samples(struct reader *in, struct series *s)
{
    struct sample_reader r = {
        .in = in, .arena = s->arena, .parts_n = s->settings->parts_n};
    s->blocks_n = reader_u8(in);
    assert(s->blocks_n <= BLOCKS_MAX);
    for (size_t i = 0; i < s->blocks_n; i++) {
        s->blocks[i].number = reader_i64(in);
        s->blocks[i].n = reader_i64(in);
    }
    sample_reader_begin(&r);
    for (size_t i = 0; i < s->blocks_n; i++)
        sample_take(&r, &s->blocks[i].sample);
    for (size_t i = 0; i < s->open_n; i++)
        sample_take(&r, &s->open[i].sample);
}

static void pack_samples(const struct series *s, struct buf *out)
{
    struct sample_writer w;
    buf_u8(out, (uint8_t)s->blocks_n);
    for (size_t i = 0; i < s->blocks_n; i++) {
        buf_i64(out, s->blocks[i].number);
        buf_i64(out, s->blocks[i].n);
    }
    sample_writer_begin(&w, s->settings->parts_n);
    for (size_t i = 0; i < s->blocks_n; i++)
        sample_put(&w, &s->blocks[i].sample);
    for (size_t i = 0; i < s->open_n; i++)
        sample_put(&w, &s->open[i].sample);
    sample_writer_end(&w, out);
}

/* The upper half of a float: a sign, eight bits of exponent, seven of the number. */
static uint16_t upper_half(double value)
{
    float f = (float)value;
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return (uint16_t)((isnan(f) ? bits : bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static double of_upper_half(uint16_t half)
{
    uint32_t bits = (uint32_t)half << 16;
    float f;
    memcpy(&f, &bits, sizeof f);
    return (double)f;
}

double series_kept(const struct anomaly_settings *settings, double value)
{
    return settings->method == METHOD_SURPRISE ? of_upper_half(upper_half(value)) : value;
}

static void pack_value(const struct anomaly_settings *settings, double value,
                       struct buf *out)
{
    if (settings->method == METHOD_SURPRISE)
        buf_u16(out, upper_half(value));
    else
        buf_f64(out, value);
}

static double read_value(struct reader *in, const struct anomaly_settings *settings)
{
    bool half = settings->method == METHOD_SURPRISE;
    return half ? of_upper_half(reader_u16(in)) : reader_f64(in);
}

void series_unpack(struct str state, size_t room, struct series *s)
{
    struct reader r = {.in = state};
    size_t history_n = s->settings->history_n;
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
    s->values = arena_alloc(s->arena, (values_cap + 1) * sizeof *s->values);
    s->open = arena_alloc(s->arena, (s->open_n + room + 1) * sizeof *s->open);
    for (size_t i = 0; i < s->values_n; i++)
        s->values[i] = read_value(&r, s->settings);
    for (size_t i = 0; i < s->open_n; i++) {
        s->open[i].cell = reader_i64(&r);
        s->open[i].n = reader_i64(&r);
        s->open[i].sum = reader_i64(&r);
        if (anomaly_is_quantile(s->settings))
            points_unpack(&r, s->arena, &s->open[i].points);
    }
    if (state.n && s->settings->parts_n)
        unpack_samples(&r, s);
    assert(!r.failed && r.in.n == 0);
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
    for (size_t i = 0; i < s->values_n; i++)
        pack_value(s->settings, s->values[i], out);
    for (size_t i = 0; i < s->open_n; i++) {
        buf_i64(out, s->open[i].cell);
        buf_i64(out, s->open[i].n);
        buf_i64(out, s->open[i].sum);
        if (anomaly_is_quantile(s->settings))
            points_pack(&s->open[i].points, out);
    }
    if (s->settings->parts_n)
        pack_samples(s, out);
}

static int64_t add_saturated(int64_t a, int64_t b)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return b < 0 ? INT64_MIN : INT64_MAX;
    return sum;
}

void series_add(struct series *s, int64_t cell, int64_t value,
                const struct sample_entry *e)
{
    size_t i = s->open_n;
    while (i && s->open[i - 1].cell >= cell)
        i--;
    if (i == s->open_n || s->open[i].cell != cell) {
        memmove(&s->open[i + 1], &s->open[i], (s->open_n - i) * sizeof *s->open);
        s->open[i] = (struct bucket){.cell = cell};
        s->open_n++;
    }
    s->open[i].n++;
    if (anomaly_is_quantile(s->settings))
        points_add(&s->open[i].points, value, s->arena);
    else
        s->open[i].sum = add_saturated(s->open[i].sum, value);
    if (e)
        sample_add(&s->open[i].sample, SAMPLE_MOST, e, s->arena);
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

static bool nothing(const struct series *s, double value)
{
    return isnan(value) ||
           (s->settings->metric == METRIC_COUNT && fpclassify(value) == FP_ZERO);
}

static void drop_oldest(struct series *s)
{
    s->values_n--;
    memmove(s->values, s->values + 1, s->values_n * sizeof *s->values);
}

/* The history begins with a bucket that held something: so it depends on the last history_n buckets only,
 * and a state that is made anew from these comes to the same baselines. */
void series_remember(struct series *s, double value)
{
    while (s->values_n >= s->settings->history_n)
        drop_oldest(s);
    s->values[s->values_n++] = series_kept(s->settings, value);
    while (s->values_n && nothing(s, s->values[0]))
        drop_oldest(s);
}

static void drop_old_blocks(struct series *s)
{
    int64_t first_cell = s->next_cell - (int64_t)s->settings->history_n;
    size_t old = 0;
    while (old < s->blocks_n &&
           s->blocks[old].number * anomaly_block_cells(s->settings) < first_cell)
        old++;
    s->blocks_n -= old;
    memmove(s->blocks, s->blocks + old, s->blocks_n * sizeof *s->blocks);
}

static void add_to_block(struct series *s, const struct bucket *b)
{
    int64_t number = time_cell(b->cell, anomaly_block_cells(s->settings));
    if (s->blocks_n == 0 || s->blocks[s->blocks_n - 1].number != number) {
        assert(s->blocks_n < BLOCKS_MAX);
        s->blocks[s->blocks_n++] = (struct block){.number = number};
    }
    struct block *block = &s->blocks[s->blocks_n - 1];
    block->n += s->settings->metric == METRIC_RATIO ? b->sum : b->n;
    for (size_t i = 0; i < b->sample.n; i++)
        sample_add(&block->sample, BLOCK_SAMPLE, &b->sample.entries[i], s->arena);
}

void series_keep_sample(struct series *s, const struct bucket *b)
{
    if (b->sample.n)
        add_to_block(s, b);
    drop_old_blocks(s);
}

/* What is usual: the baseline of a bucket, from the values of those before it. The arithmetic runs over them in
 * the order of time, so the same events give the same digits. */
#include <math.h>

#include "core/zone.h"
#include "detectors/anomaly.h"

enum { HOUR_MS = 3600000, DAY_MS = 86400000 };
enum { HOURS_PER_DAY = 24, HOURS_PER_WEEK = 168, DAYS_PER_WEEK = 7 };

static int64_t modulo(int64_t n, int64_t period)
{
    return n - time_cell(n, period) * period;
}

/* The hour of the day or week in which a bucket begins by the clock on the wall, or its day of the week. */
static int64_t season_slot(const struct anomaly_settings *settings, int64_t cell)
{
    if (settings->season == SEASON_NONE)
        return 0;
    if (settings->bucket_ms == DAY_MS)
        return modulo(cell, DAYS_PER_WEEK);
    int64_t start_ms = calendar_start_ms(settings->bucket_ms, cell);
    int64_t hour = time_cell(start_ms + zone_offset_ms(start_ms), HOUR_MS);
    return modulo(hour, settings->season == SEASON_HOUR_OF_DAY ? HOURS_PER_DAY
                                                               : HOURS_PER_WEEK);
}

/* Whether the value of closed bucket i belongs to the baseline of the bucket at `cell`. */
static bool in_baseline(const struct series *s, int64_t cell,
                        const struct anomaly_settings *settings, size_t i, int64_t slot)
{
    int64_t of_value = cell - (int64_t)(s->values_n - i);
    return !isnan(s->values[i]) && season_slot(settings, of_value) == slot;
}

/* A Poisson count's variance is its mean; a mean of few events is not surer than 5 %. */
static double variance_floor(const struct anomaly_settings *settings, double mean)
{
    double stddev = 0.05 * fmax(fabs(mean), 1);
    return settings->metric == METRIC_COUNT ? fmax(mean, 1) : stddev * stddev;
}

struct baseline series_baseline(const struct series *s, int64_t cell,
                                const struct anomaly_settings *settings)
{
    struct baseline b = {0};
    int64_t slot = season_slot(settings, cell);
    double sum = 0, squares = 0; /* exact, and so is the mean, for counts below 2^53 */
    for (size_t i = 0; i < s->values_n; i++)
        if (in_baseline(s, cell, settings, i, slot)) {
            b.n++;
            sum += s->values[i];
        }
    b.mean = b.n ? sum / (double)b.n : 0;
    for (size_t i = 0; i < s->values_n; i++)
        if (in_baseline(s, cell, settings, i, slot))
            squares += (s->values[i] - b.mean) * (s->values[i] - b.mean);
    double variance = b.n ? squares / (double)b.n : 0;
    b.stddev = sqrt(fmax(variance, variance_floor(settings, b.mean)));
    return b;
}

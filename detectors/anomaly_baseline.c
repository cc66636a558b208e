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

/* Whether the value of closed bucket i belongs to the baseline of the next one, whose slot this is. */
static bool in_baseline(const struct series *s, size_t i, int64_t cell, int64_t slot)
{
    int64_t of_value = cell - (int64_t)(s->values_n - i);
    return !isnan(s->values[i]) && season_slot(s->settings, of_value) == slot;
}

/* What chance alone does, for a usual value `mean`. A Poisson count's variance is its mean. A sum is such a count
 * of values as large as the bucket's are on average. A share of n has that of the binomial, with the share that
 * Laplace's rule of succession makes of n * mean of n, so that it is never 0. Nothing is surer than 5 %. */
static double variance_floor(const struct anomaly_settings *settings, double mean,
                             const struct bucket *b)
{
    double n = (double)b->n, least = 0.05 * fmax(fabs(mean), 1);
    double size = fabs(anomaly_value(settings, b)) / n;
    double share = (n * mean + 1) / (n + 2);
    switch ((enum anomaly_metric)settings->metric) {
    case METRIC_COUNT:
        return fmax(mean, 1);
    case METRIC_SUM:
        return fmax(fabs(mean) * size, least * least);
    case METRIC_RATIO:
        return fmax(share * (1 - share) / n, 0.05 * mean * 0.05 * mean);
    case METRIC_MEAN:
    case METRIC_P50:
    case METRIC_P90:
        break;
    }
    return least * least;
}

/* Mean and variance of the baseline's values as they are, or of the roots of counts. */
struct spread {
    size_t n;
    double mean, variance, lowest, highest;
};

/* Anscombe's root: of a Poisson count its variance is 1, whatever the count's mean is. */
static double root(double count)
{
    return 2 * sqrt(count + 0.375);
}

static struct spread spread_of(const struct series *s, int64_t cell, bool of_roots)
{
    struct spread spread = {0};
    int64_t slot = season_slot(s->settings, cell);
    double sum = 0, squares = 0; /* exact, and so is the mean, for counts below 2^53 */
    for (size_t i = 0; i < s->values_n; i++)
        if (in_baseline(s, i, cell, slot)) {
            double value = of_roots ? root(s->values[i]) : s->values[i];
            spread.lowest = spread.n ? fmin(spread.lowest, value) : value;
            spread.highest = spread.n ? fmax(spread.highest, value) : value;
            spread.n++;
            sum += value;
        }
    spread.mean = spread.n ? sum / (double)spread.n : 0;
    for (size_t i = 0; i < s->values_n; i++)
        if (in_baseline(s, i, cell, slot)) {
            double off = (of_roots ? root(s->values[i]) : s->values[i]) - spread.mean;
            squares += off * off;
        }
    spread.variance = spread.n > 1 ? squares / (double)(spread.n - 1) : 0;
    return spread;
}

/* How far a usual value lies from the mean of n others. */
static double deviation(double variance, double least, size_t n)
{
    return sqrt(fmax(variance, least) * (1 + 1 / (double)n));
}

/* How far a value lies beyond the range seen, in widths of that range. A few values have a narrow one: it is taken as at
 * least four standard deviations, which is what 24 normal ones have (L. H. C. Tippett, Biometrika 17, 1925: 3.9). */
static double novelty(const struct spread *seen, double value, double least)
{
    double beyond = fmax(fmax(value - seen->highest, seen->lowest - value), 0);
    return beyond / fmax(seen->highest - seen->lowest, 4 * sqrt(least));
}

struct baseline series_baseline(const struct series *s, const struct bucket *b)
{
    struct spread plain = spread_of(s, b->cell, false);
    struct baseline base = {.n = plain.n, .mean = plain.mean};
    if (plain.n == 0)
        return base;
    double value = anomaly_value(s->settings, b);
    double least = variance_floor(s->settings, plain.mean, b);
    base.lowest = plain.lowest;
    base.highest = plain.highest;
    base.score = novelty(&plain, value, least);
    base.stddev = deviation(plain.variance, least, plain.n);
    base.z = (value - base.mean) / base.stddev;
    if (s->settings->metric == METRIC_COUNT) {
        struct spread roots = spread_of(s, b->cell, true);
        base.z = (root(value) - roots.mean) / deviation(roots.variance, 1, roots.n);
    }
    return base;
}

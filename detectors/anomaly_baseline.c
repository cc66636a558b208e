/* What is usual: the baseline of a bucket, from the values of those before it. The arithmetic runs over them in
 * the order of time, so the same events give the same digits. */
#include <math.h>

#include "core/zone.h"
#include "detectors/anomaly.h"
#include "detectors/surprise.h"

enum { HOUR_MS = 3600000, DAY_MS = 86400000 };
enum { HOURS_PER_DAY = 24, HOURS_PER_WEEK = 168, DAYS_PER_WEEK = 7 };

static int64_t modulo(int64_t n, int64_t period)
{
    return n - time_cell(n, period) * period;
}

/* Where the bucket begins that is i behind the oldest one kept, which the next one to close is values_n. */
static int64_t start_of(const struct series *s, int64_t next_cell, size_t i)
{
    return s->starts_ms ? s->starts_ms[i]
                        : calendar_start_ms(s->settings->bucket_ms,
                                            next_cell - (int64_t)(s->values_n - i));
}

/* The hour of the day or week in which a bucket begins by the clock on the wall, or its day of the week. */
static int64_t season_slot(const struct series *s, int64_t next_cell, size_t i)
{
    const struct anomaly_settings *settings = s->settings;
    if (settings->season == SEASON_NONE)
        return 0;
    if (settings->bucket_ms == DAY_MS)
        return modulo(next_cell - (int64_t)(s->values_n - i), DAYS_PER_WEEK);
    int64_t start_ms = start_of(s, next_cell, i);
    int64_t hour = time_cell(start_ms + zone_offset_ms(start_ms), HOUR_MS);
    return modulo(hour, settings->season == SEASON_HOUR_OF_DAY ? HOURS_PER_DAY
                                                               : HOURS_PER_WEEK);
}

/* The slot of each closed bucket, and behind them that of the next; -1 where a value is absent. */
static int64_t *season_slots(const struct series *s, int64_t next_cell)
{
    int64_t *slots = arena_alloc(s->arena, (s->values_n + 1) * sizeof *slots);
    for (size_t i = 0; i < s->values_n; i++)
        slots[i] = isnan(s->values[i]) ? -1 : season_slot(s, next_cell, i);
    slots[s->values_n] = season_slot(s, next_cell, s->values_n);
    return slots;
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

static double seen(const struct series *s, size_t i, bool of_roots)
{
    return of_roots ? root(s->values[i]) : s->values[i];
}

/* The values of one slot. */
struct slot {
    double n, sum, plain_sum, squares;
};

static void add_slots(const struct series *s, const int64_t *of, bool of_roots,
                      struct slot *slots)
{
    for (size_t i = 0; i < s->values_n; i++)
        if (of[i] >= 0) {
            slots[of[i]].n++;
            slots[of[i]].sum += seen(s, i, of_roots);
            slots[of[i]].plain_sum += s->values[i];
        }
    for (size_t i = 0; i < s->values_n; i++)
        if (of[i] >= 0) {
            struct slot *slot = &slots[of[i]];
            double off = seen(s, i, of_roots) - slot->sum / slot->n;
            slot->squares += off * off;
        }
}

/* The variance around the means of their slots, of all values together: a few Mondays at nine tell little of what is
 * usual, all hours of eight weeks do. The root of a count that varies more than Poisson's has 1 + phi * mean: phi is theirs. */
static double pooled_variance(const struct series *s, const int64_t *of, bool of_roots,
                              double mean)
{
    struct slot slots[HOURS_PER_WEEK] = {0};
    double freedom = 0, squares = 0, weight = 0;
    size_t used = 0;
    add_slots(s, of, of_roots, slots);
    for (size_t i = 0; i < HOURS_PER_WEEK; i++)
        if (slots[i].n > 0) {
            used++;
            squares += slots[i].squares;
            freedom += slots[i].n - 1;
            weight += (slots[i].n - 1) * slots[i].plain_sum / slots[i].n;
        }
    if (freedom <= 0)
        return 0;
    if (!of_roots || used == 1)
        return squares / freedom;
    return weight > 0 ? 1 + mean * (squares - freedom) / weight : 0;
}

/* Of the next bucket's slot. `mean` is that of the counts where it is of roots. */
static struct spread spread_of(const struct series *s, const int64_t *of, bool of_roots,
                               double mean)
{
    struct spread spread = {0};
    double sum = 0; /* exact, and so is the mean, for counts below 2^53 */
    for (size_t i = 0; i < s->values_n; i++)
        if (of[i] == of[s->values_n]) {
            double value = seen(s, i, of_roots);
            spread.lowest = spread.n ? fmin(spread.lowest, value) : value;
            spread.highest = spread.n ? fmax(spread.highest, value) : value;
            spread.n++;
            sum += value;
        }
    spread.mean = spread.n ? sum / (double)spread.n : 0;
    spread.variance = pooled_variance(s, of, of_roots, mean);
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

/* By all values that are there, of whatever hour; the newer half of the history is the range. */
static double surprise(const struct series *s, const struct bucket *b)
{
    static const int64_t periods_ms[] = {0, DAY_MS, (int64_t)DAYS_PER_WEEK * DAY_MS};
    struct reading *readings =
        arena_alloc(s->arena, (s->values_n + 1) * sizeof *readings);
    size_t n = 0;
    for (size_t i = 0; i < s->values_n; i++)
        if (!isnan(s->values[i]))
            readings[n++] = (struct reading){start_of(s, b->cell, i), s->values[i]};
    double value = series_kept(s->settings, anomaly_value(s->settings, b));
    readings[n++] = (struct reading){start_of(s, b->cell, s->values_n), value};
    struct surprise_settings settings = {
        .reach = s->settings->history_n / 2,
        .period_ms = periods_ms[s->settings->season],
        .least_range = s->settings->metric == METRIC_COUNT ? 1 : 1e-9};
    return surprise_of(readings, n, &settings, s->arena);
}

struct baseline series_baseline(const struct series *s, const struct bucket *b)
{
    int64_t *of = season_slots(s, b->cell);
    struct spread plain = spread_of(s, of, false, 0);
    struct baseline base = {.n = plain.n, .mean = plain.mean};
    if (plain.n == 0)
        return base;
    double value = anomaly_value(s->settings, b);
    double least = variance_floor(s->settings, plain.mean, b);
    base.lowest = plain.lowest;
    base.highest = plain.highest;
    base.score = novelty(&plain, value, least);
    if (s->settings->method == METHOD_SURPRISE) {
        base.score = surprise(s, b);
        base.n = s->values_n; /* of whatever hour */
    }
    base.stddev = deviation(plain.variance, least, plain.n);
    base.z = (value - base.mean) / base.stddev;
    if (s->settings->metric == METRIC_COUNT) {
        struct spread roots = spread_of(s, of, true, plain.mean);
        base.z = (root(value) - roots.mean) / deviation(roots.variance, 1, roots.n);
    }
    return base;
}

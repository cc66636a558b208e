/* How many false alarms a rule gives: by trying. A healthy key is made up, bucket by bucket, and judged by the very functions
 * that judge the real ones; every episode that opens is false.
 *
 * The model (docs/quality.md): counts vary more than Poisson's (their mean itself by 15 %, from bucket to bucket); a working
 * day has most between 8 and 18, a weekend little; 0.5 % more every week; and in the second week that is judged, and every
 * tenth after it, a day is a holiday with 30 %. Of a few usual sizes the worst counts (where that would take long, the largest),
 * and two standard errors are added. The random numbers are always the same. */
#include <math.h>

#include "detectors/anomaly.h"

enum { HOUR_MS = 3600000, DAY_MS = 86400000 };
/* To be quick: a week costs its buckets times what each looks back at, and surprise looks at it more often. */
enum { WEEKS_LEAST = 3, WEEKS_MOST = 400, VISITS = 3000000, DEAR = 12 };
enum { HOURS = 24, DAYS = 7, HOLIDAY_AT = 8, HOLIDAY_EVERY = 70 };
static const int64_t WEEK_MS = 7 * (int64_t)DAY_MS;
static const int64_t MONDAY_MS = 1767571200000; /* 2026-01-05 */
static const double WANDER = 0.15, GROWTH = 0.005, HOLIDAY = 0.3;

/* One series of the model, and how it goes. */
struct healthy {
    uint64_t random;
    double size;     /* events in a usual bucket */
    int64_t holiday; /* the day of one */
    struct series series;
    struct arena scratch;
    int64_t alarms;
};

/* S. Vigna's splitmix64, in (0, 1). */
static double uniform(struct healthy *h)
{
    uint64_t z = h->random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return ((double)((z ^ z >> 31) >> 11) + 0.5) / 9007199254740992.0;
}

/* G. E. P. Box, M. E. Muller 1958. */
static double normal(struct healthy *h)
{
    double r = sqrt(-2 * log(uniform(h)));
    return r * cos(6.283185307179586 * uniform(h));
}

/* Poisson: arrivals one after the other, or the normal where there are many. */
static int64_t arrivals(struct healthy *h, double mean)
{
    enum { MANY = 50 };
    if (mean > MANY)
        return llround(fmax(0, mean + sqrt(mean) * normal(h)));
    int64_t n = 0;
    for (double left = mean; (left += log(uniform(h))) > 0;)
        n++;
    return n;
}

/* How busy an hour is, 1 on average over a week. */
static double busy(const struct healthy *h, int64_t hour)
{
    enum { MONDAY_OF_1970 = 3, SATURDAY = 5 };
    int64_t day = hour / HOURS, of_day = hour % HOURS;
    double of_hour = of_day >= 8 && of_day < 18    ? 1.85
                     : of_day >= 18 && of_day < 22 ? 0.7
                                                   : 0.27;
    double of_weekday = (day + MONDAY_OF_1970) % DAYS < SATURDAY ? 1.25 : 0.375;
    return of_hour * of_weekday * ((day - h->holiday) % HOLIDAY_EVERY == 0 ? HOLIDAY : 1);
}

static double expected(const struct healthy *h, int64_t start_ms, int64_t end_ms)
{
    double sum = 0;
    int64_t hours = 0;
    for (int64_t t = start_ms; t < end_ms; t += HOUR_MS, hours++)
        sum += busy(h, t / HOUR_MS);
    double weeks = (double)(start_ms - MONDAY_MS) / (double)WEEK_MS;
    return h->size * sum / (double)hours * exp(GROWTH * weeks);
}

/* A bucket with n events: a field around 4 give or take 1, a tenth of them a match. */
static struct bucket bucket_of(struct healthy *h, int64_t cell, int64_t n)
{
    const struct anomaly_settings *s = h->series.settings;
    struct bucket b = {.cell = cell, .n = n};
    double wide = s->metric == METRIC_P90 ? 1.7 : 1.25; /* a quantile's error */
    if (n && anomaly_is_quantile(s))
        points_add(&b.points,
                   llround((4 + wide * normal(h) / sqrt((double)n)) * MILLIONTHS),
                   &h->scratch);
    else if (s->metric == METRIC_RATIO)
        b.sum = llround(fmin((double)n, (double)arrivals(h, 0.1 * (double)n)));
    else
        b.sum = llround((4 * (double)n + normal(h) * sqrt((double)n)) * MILLIONTHS);
    return b;
}

static void live_through(struct healthy *h, int64_t cell, bool judged)
{
    const struct anomaly_settings *s = h->series.settings;
    double mean = expected(h, calendar_start_ms(s->bucket_ms, cell),
                           calendar_start_ms(s->bucket_ms, cell + 1));
    int64_t n = arrivals(h, fmax(0, mean * (1 + WANDER * normal(h))));
    struct bucket b = bucket_of(h, cell, n);
    double value = anomaly_value(s, &b);
    struct alert_anomaly found;
    if (judged && anomaly_find(&h->series, &b, value, &found)) {
        struct anomaly_turn turn = anomaly_turn_of(&h->series, &found);
        h->alarms += turn.opens;
        h->series.firing = (h->series.firing && !turn.ends) || turn.opens;
        h->series.up = turn.opens ? found.up : h->series.up;
    }
    series_remember(&h->series, value);
    arena_reset(&h->scratch);
}

/* So many that it does not take long. */
static int64_t weeks_of(const struct anomaly_settings *s)
{
    double buckets = (double)WEEK_MS / (double)calendar_usual_ms(s->bucket_ms);
    double dear = s->method == METHOD_SURPRISE ? DEAR : 1;
    double tens = floor(VISITS / (buckets * dear * (double)s->history_n) / 10);
    return llround(fmin(fmax(10 * tens, WEEKS_LEAST), WEEKS_MOST));
}

/* False alarms a week at most of one key of that size. */
static double try_size(const struct anomaly_settings *s, double size)
{
    struct arena kept;
    struct healthy h = {.size = size, .random = (uint64_t)llround(size)};
    arena_init(&kept);
    arena_init(&h.scratch);
    h.series = (struct series){.settings = s, .arena = &h.scratch};
    h.series.values = arena_alloc(&kept, (s->history_n + 1) * sizeof(double));
    int64_t begin = calendar_cell(s->bucket_ms, MONDAY_MS);
    int64_t from = begin + (int64_t)s->history_n, weeks = weeks_of(s);
    int64_t from_ms = calendar_start_ms(s->bucket_ms, from);
    h.holiday = from_ms / DAY_MS + HOLIDAY_AT;
    for (int64_t cell = begin;
         calendar_start_ms(s->bucket_ms, cell) < from_ms + weeks * WEEK_MS; cell++)
        live_through(&h, cell, cell >= from);
    arena_deinit(&h.scratch);
    arena_deinit(&kept);
    double alarms = (double)h.alarms;
    return (alarms + 2 * sqrt(alarms + 1)) / (double)weeks;
}

double anomaly_odds(const struct rule *rule, int64_t *keys)
{
    static const double sizes[] = {100, 20, 4};
    const struct anomaly_settings *s = rule->settings;
    size_t n = weeks_of(s) > WEEKS_LEAST ? sizeof sizes / sizeof sizes[0] : 1;
    double worst = 0;
    for (size_t i = 0; i < n; i++)
        worst = fmax(worst, try_size(s, sizes[i]));
    *keys = rule->by_n ? s->expected_keys : 1;
    return worst * (double)*keys;
}

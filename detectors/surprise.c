/* Four views of a series: the value; what it is more than usual at this time of the day (or week); the mean of that over the
 * last 48; the mean step from value to value over the last 48. Each is held against the range, lowest to highest, that it had
 * before: d / range is how far beyond it is, and log(1 + d / range) grows slowly where the range was narrow. Their sum is how
 * new a moment is: a new level, a shape that does not fit the day, a slow drift, an unrest (or a calm). What exceeds the
 * largest sum of the last 100 is the surprise, so a storm is told when it begins and when it grows. */
#include <math.h>

#include "detectors/surprise.h"

enum { HALF_HOUR_MS = 1800000 };

struct views {
    const struct reading *readings;
    size_t n;
    const struct surprise_settings *settings;
    double *sums; /* [i]: of the values before i */
    double *view; /* the one at hand; NAN: not known */
    double *smooth;
    double *news; /* sums over the views, of the last ones */
    size_t first; /* news begins with this reading */
};

/* The mean of the values [from, to). */
static double mean_of(const struct views *v, size_t from, size_t to)
{
    return (v->sums[to] - v->sums[from]) / (double)(to - from);
}

/* Adds, for each reading, the values half an hour around its time so many periods before. */
static void add_period(const struct views *v, int64_t ago_ms, double *sum, double *n)
{
    size_t from = 0, to = 0;
    for (size_t i = 0; i < v->n; i++) {
        int64_t at_ms = v->readings[i].time_ms - ago_ms;
        while (v->readings[to].time_ms <= at_ms + HALF_HOUR_MS && to < i)
            to++;
        while (from < to && v->readings[from].time_ms < at_ms - HALF_HOUR_MS)
            from++;
        sum[i] += v->sums[to] - v->sums[from];
        n[i] += (double)(to - from);
    }
}

/* Less what is usual at that time; where nothing is known of it, than the last ones. */
static void view_unusual(const struct views *v, struct arena *arena)
{
    double *sum = arena_alloc(arena, v->n * sizeof *sum);
    double *n = arena_alloc(arena, v->n * sizeof *n);
    for (int64_t p = 1; v->settings->period_ms && p <= SURPRISE_PERIODS; p++)
        add_period(v, p * v->settings->period_ms, sum, n);
    v->view[0] = 0;
    for (size_t i = 1; i < v->n; i++) {
        size_t from = i < SURPRISE_MEAN_OF ? 0 : i - SURPRISE_MEAN_OF;
        v->view[i] =
            v->readings[i].value - (n[i] > 0 ? sum[i] / n[i] : mean_of(v, from, i));
    }
}

static void view_steps(const struct views *v)
{
    v->view[0] = 0;
    for (size_t i = 1; i < v->n; i++)
        v->view[i] = fabs(v->readings[i].value - v->readings[i - 1].value);
}

/* The mean of the last ones of the view at hand. */
static void smooth(const struct views *v)
{
    double sum = 0;
    for (size_t i = 0; i < v->n; i++) {
        sum += v->view[i];
        if (i >= SURPRISE_MEAN_OF)
            sum -= v->view[i - SURPRISE_MEAN_OF];
        double n = i < SURPRISE_MEAN_OF ? (double)i + 1 : SURPRISE_MEAN_OF;
        v->smooth[i] = sum / n;
    }
}

struct range {
    double lowest, highest;
};

static struct range with(struct range r, double x)
{
    return (struct range){fmin(r.lowest, x), fmax(r.highest, x)};
}

static struct range both(struct range a, struct range b)
{
    return (struct range){fmin(a.lowest, b.lowest), fmax(a.highest, b.highest)};
}

static double beyond(const struct views *v, struct range seen, double x)
{
    double d = fmax(fmax(x - seen.highest, seen.lowest - x), 0);
    return log1p(d / fmax(seen.highest - seen.lowest, v->settings->least_range));
}

/* The first reading of the range that i is held against. */
static size_t range_begin(const struct views *v, size_t i)
{
    return i > v->settings->reach ? i - v->settings->reach : 0;
}

/* Adds the news of one view. The ranges of neighbours overlap: what all of them hold is looked at once, what only the
 * earlier ones reach back to is gathered from the right. */
static void add_news(struct views *v, const double *view, struct range *older)
{
    struct range core = {INFINITY, -INFINITY};
    size_t last_begin = range_begin(v, v->n - 1);
    for (size_t i = last_begin; i < v->first; i++)
        core = with(core, view[i]);
    size_t first_begin = range_begin(v, v->first);
    struct range tail = {INFINITY, -INFINITY};
    for (size_t i = last_begin; i > first_begin; i--) {
        older[i - first_begin] = tail;
        tail = with(tail, view[i - 1]);
    }
    older[0] = tail;
    for (size_t i = v->first; i < v->n; i++) {
        struct range seen = both(core, older[range_begin(v, i) - first_begin]);
        v->news[i - v->first] += beyond(v, seen, view[i]);
        core = with(core, view[i]);
    }
}

static void add_all(struct views *v, struct arena *arena)
{
    struct range *older = arena_alloc(arena, (SURPRISE_REST + 2) * sizeof *older);
    for (size_t i = 0; i < v->n; i++)
        v->view[i] = v->readings[i].value;
    add_news(v, v->view, older);
    view_unusual(v, arena);
    add_news(v, v->view, older);
    smooth(v);
    add_news(v, v->smooth, older);
    view_steps(v);
    smooth(v);
    add_news(v, v->smooth, older);
}

/* A range of few values is narrow: what they made of the first ones is no news. */
static size_t first_of(size_t n, size_t reach)
{
    size_t rest = reach < SURPRISE_REST ? reach : SURPRISE_REST;
    size_t least = reach / 8 > 0 ? reach / 8 : 1;
    return n - 1 > least + rest ? n - 1 - rest : least;
}

double surprise_of(const struct reading *readings, size_t n,
                   const struct surprise_settings *settings, struct arena *arena)
{
    struct views v = {.readings = readings, .n = n, .settings = settings};
    v.first = first_of(n, settings->reach);
    if (v.first >= n)
        return 0;
    v.sums = arena_alloc(arena, (n + 1) * sizeof *v.sums);
    v.view = arena_alloc(arena, n * sizeof *v.view);
    v.smooth = arena_alloc(arena, n * sizeof *v.smooth);
    v.news = arena_alloc(arena, (n - v.first) * sizeof *v.news);
    for (size_t i = 0; i < n; i++)
        v.sums[i + 1] = v.sums[i] + readings[i].value;
    add_all(&v, arena);
    double lately = 0;
    for (size_t i = 0; i + 1 < n - v.first; i++)
        lately = fmax(lately, v.news[i]);
    return fmax(v.news[n - 1 - v.first] - lately, 0);
}

/* A family's series are a list that only grows, under one lock for all families; values are relaxed
 * atomics outside it, so a text is not of one instant, but each number in it was true in between. A
 * histogram's count is the sum of its buckets, so the two always agree. */
#include "core/metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct metric {
    const struct metric_family *family;
    struct metric *next;
    struct str labels[METRIC_LABELS];
    _Atomic int64_t value; /* of a histogram: the sum */
    int64_t put;           /* of the thread that puts */
    bool has_put;
    _Atomic uint64_t buckets[]; /* one more than bounds: the rest */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* --- series --- */

static struct str copy(struct str s)
{
    char *p = malloc(s.n + 1);
    assert(p);
    if (s.n)
        memcpy(p, s.p, s.n);
    return (struct str){p, s.n};
}

static struct metric *find(const struct metric_family *f, struct str first,
                           struct str second)
{
    for (struct metric *m = f->first; m; m = m->next)
        if (str_eq(m->labels[0], first) && str_eq(m->labels[1], second))
            return m;
    return NULL;
}

static struct metric *add_series(struct metric_family *f, struct str first,
                                 struct str second)
{
    struct metric *m = calloc(1, sizeof *m + (f->bounds_n + 1) * sizeof m->buckets[0]);
    assert(m);
    m->family = f;
    m->labels[0] = copy(first);
    m->labels[1] = copy(second);
    atomic_init(&m->value, f->type == METRIC_GAUGE ? METRIC_UNKNOWN : 0);
    *(f->last ? &f->last->next : &f->first) = m;
    f->last = m;
    f->series_n++;
    return m;
}

struct metric *metric_of(struct metric_family *f, struct str first, struct str second)
{
    size_t max = f->series_max ? f->series_max : METRIC_SERIES_MAX;
    assert((f->labels[0] || !first.n) && (f->labels[1] || !second.n));
    pthread_mutex_lock(&lock);
    struct metric *m = find(f, first, second);
    if (!m && f->series_n >= max) {
        first = f->labels[0] ? STR("other") : STR_NONE;
        second = f->labels[1] ? STR("other") : STR_NONE;
        m = find(f, first, second);
    }
    if (!m)
        m = add_series(f, first, second);
    pthread_mutex_unlock(&lock);
    return m;
}

/* --- values --- */

void metric_set(struct metric *m, int64_t steps)
{
    atomic_store_explicit(&m->value, steps, memory_order_relaxed);
}

void metric_add(struct metric *m, int64_t steps)
{
    atomic_fetch_add_explicit(&m->value, steps, memory_order_relaxed);
}

void metric_observe(struct metric *m, int64_t steps)
{
    size_t i = 0;
    while (i < m->family->bounds_n && steps > m->family->bounds[i])
        i++;
    atomic_fetch_add_explicit(&m->buckets[i], 1, memory_order_relaxed);
    metric_add(m, steps);
}

void metric_put(struct metric *m, int64_t steps)
{
    if (m->has_put && m->family->largest)
        steps = steps > m->put ? steps : m->put;
    else if (m->has_put)
        steps += m->put;
    m->put = steps;
    m->has_put = true;
}

/* Only the thread that puts makes series of such a family: it may walk them without the lock. */
void metric_flush(struct metric_family *f)
{
    for (struct metric *m = f->first; m; m = m->next) {
        if (m->has_put || f->type == METRIC_GAUGE)
            metric_set(m, m->has_put ? m->put : METRIC_UNKNOWN);
        m->has_put = false;
    }
}

/* --- text --- */

static void put_escaped(struct buf *out, struct str s, bool quotes)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '\\' || c == '\n' || (quotes && c == '"'))
            buf_char(out, '\\');
        if (c == '\n')
            c = 'n';
        buf_char(out, c);
    }
}

static void put_number(struct buf *out, const struct metric_family *f, int64_t steps)
{
    if (f->per > 1)
        buf_printf(out, "%.15g", (double)steps / (double)f->per);
    else
        buf_printf(out, "%" PRId64, steps);
}

static void put_label(struct buf *out, const char *before, const char *name,
                      struct str value)
{
    buf_printf(out, "%s%s=\"", before, name);
    put_escaped(out, value, true);
    buf_char(out, '"');
}

/* NAME+suffix{labels}; `le` n == 0: without it. */
static void put_series(struct buf *out, const struct metric *m, const char *suffix,
                       struct str le)
{
    const struct metric_family *f = m->family;
    const char *before = "{";
    buf_printf(out, "%s%s", f->name, suffix);
    for (int i = 0; i < METRIC_LABELS && f->labels[i]; i++, before = ",")
        put_label(out, before, f->labels[i], m->labels[i]);
    if (le.n) {
        put_label(out, before, "le", le);
        before = ",";
    }
    buf_text(out, *before == ',' ? "} " : " ");
}

static void put_histogram(struct buf *out, const struct metric *m)
{
    const struct metric_family *f = m->family;
    uint64_t count = 0;
    for (size_t i = 0; i <= f->bounds_n; i++) {
        struct buf le;
        buf_init(&le, 32);
        if (i < f->bounds_n)
            put_number(&le, f, f->bounds[i]);
        else
            buf_text(&le, "+Inf");
        count += atomic_load_explicit(&m->buckets[i], memory_order_relaxed);
        put_series(out, m, "_bucket", buf_str(&le));
        buf_printf(out, "%" PRIu64 "\n", count);
        buf_deinit(&le);
    }
    put_series(out, m, "_sum", STR_NONE);
    put_number(out, f, atomic_load_explicit(&m->value, memory_order_relaxed));
    buf_char(out, '\n');
    put_series(out, m, "_count", STR_NONE);
    buf_printf(out, "%" PRIu64 "\n", count);
}

static void put_metric(struct buf *out, const struct metric *m)
{
    int64_t value = atomic_load_explicit(&m->value, memory_order_relaxed);
    if (m->family->type == METRIC_HISTOGRAM) {
        put_histogram(out, m);
    } else if (m->family->type == METRIC_COUNTER || value != METRIC_UNKNOWN) {
        put_series(out, m, "", STR_NONE);
        put_number(out, m->family, value);
        buf_char(out, '\n');
    }
}

void metrics_write(struct metric_family *const *families, struct buf *out)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    pthread_mutex_lock(&lock);
    for (; *families; families++) {
        const struct metric_family *f = *families;
        buf_printf(out, "# HELP %s ", f->name);
        put_escaped(out, str_of(f->help), false);
        buf_printf(out, "\n# TYPE %s %s\n", f->name, types[f->type]);
        for (const struct metric *m = f->first; m; m = m->next)
            put_metric(out, m);
    }
    pthread_mutex_unlock(&lock);
}

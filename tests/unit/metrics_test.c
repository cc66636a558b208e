/* The text of figures, to the byte; series and their bound; what is put and flushed; threads. */
#include <pthread.h>
#include <stdint.h>

#include "core/clock.h"
#include "core/metric_families.h"
#include "tests/check.h"

static void check_text(struct metric_family *f, const char *want)
{
    struct metric_family *const families[] = {f, NULL};
    struct buf out;
    buf_init(&out, 65536);
    metrics_write(families, &out);
    CHECK_STR(buf_str(&out), str_of(want));
    buf_deinit(&out);
}

static void test_escaping(void)
{
    static struct metric_family f = {
        .name = "a_total", .help = "Say \"a\\b\"\nor not.", .labels = {"x", "y"}};
    check_text(&f, "# HELP a_total Say \"a\\\\b\"\\nor not.\n# TYPE a_total counter\n");
    metric_add(metric_of(&f, STR("q\"b\\n\nü"), STR_NONE), 3);
    metric_add(metric_of(&f, STR("1"), STR("2")), INT64_C(9007199254740993));
    check_text(&f, "# HELP a_total Say \"a\\\\b\"\\nor not.\n# TYPE a_total counter\n"
                   "a_total{x=\"q\\\"b\\\\n\\nü\",y=\"\"} 3\n"
                   "a_total{x=\"1\",y=\"2\"} 9007199254740993\n");
}

static void test_gauge(void)
{
    static struct metric_family f = {
        .name = "g_seconds", .help = "h", .type = METRIC_GAUGE, .per = 1000};
    struct metric *m = metric_of(&f, STR_NONE, STR_NONE);
    CHECK(m == metric_of(&f, STR_NONE, STR_NONE));
    check_text(&f, "# HELP g_seconds h\n# TYPE g_seconds gauge\n");
    metric_set(m, 1772442847120);
    check_text(&f, "# HELP g_seconds h\n# TYPE g_seconds gauge\ng_seconds "
                   "1772442847.12\n");
    metric_set(m, -500);
    check_text(&f, "# HELP g_seconds h\n# TYPE g_seconds gauge\ng_seconds -0.5\n");
    metric_set(m, METRIC_UNKNOWN);
    check_text(&f, "# HELP g_seconds h\n# TYPE g_seconds gauge\n");
}

static void test_histogram(void)
{
    static const int64_t bounds[] = {100, 2500, 1000000};
    static struct metric_family f = {.name = "h_seconds",
                                     .help = "h",
                                     .type = METRIC_HISTOGRAM,
                                     .per = 1000000,
                                     .labels = {"script"},
                                     .bounds = bounds,
                                     .bounds_n = 3};
    struct metric *m = metric_of(&f, STR("apply"), STR_NONE);
    static const int64_t observed[] = {0, 100, 101, 2500, 999999, 1000001, 7000000};
    for (size_t i = 0; i < sizeof observed / sizeof *observed; i++)
        metric_observe(m, observed[i]);
    check_text(&f, "# HELP h_seconds h\n# TYPE h_seconds histogram\n"
                   "h_seconds_bucket{script=\"apply\",le=\"0.0001\"} 2\n"
                   "h_seconds_bucket{script=\"apply\",le=\"0.0025\"} 4\n"
                   "h_seconds_bucket{script=\"apply\",le=\"1\"} 5\n"
                   "h_seconds_bucket{script=\"apply\",le=\"+Inf\"} 7\n"
                   "h_seconds_sum{script=\"apply\"} 9.002701\n"
                   "h_seconds_count{script=\"apply\"} 7\n");
    static struct metric_family bare = {.name = "b_seconds",
                                        .help = "b",
                                        .type = METRIC_HISTOGRAM,
                                        .bounds = bounds,
                                        .bounds_n = 1};
    metric_observe(metric_of(&bare, STR_NONE, STR_NONE), 101);
    check_text(&bare, "# HELP b_seconds b\n# TYPE b_seconds histogram\n"
                      "b_seconds_bucket{le=\"100\"} 0\nb_seconds_bucket{le=\"+Inf\"} 1\n"
                      "b_seconds_sum 101\nb_seconds_count 1\n");
}

static void test_bound(void)
{
    static struct metric_family f = {
        .name = "c_total", .help = "c", .labels = {"k", "l"}, .series_max = 2};
    struct metric *a = metric_of(&f, STR("a"), STR("1"));
    metric_of(&f, STR("b"), STR("1"));
    struct metric *other = metric_of(&f, STR("c"), STR("1"));
    CHECK(other == metric_of(&f, STR("d"), STR("9")) && other != a);
    CHECK(a == metric_of(&f, STR("a"), STR("1")));
    CHECK_INT(f.series_n, 3);
    metric_add(other, 5);
    check_text(&f,
               "# HELP c_total c\n# TYPE c_total counter\nc_total{k=\"a\",l=\"1\"} 0\n"
               "c_total{k=\"b\",l=\"1\"} 0\nc_total{k=\"other\",l=\"other\"} 5\n");
}

static void put_three(struct metric_family *f)
{
    static const char *const names[] = {"p", "q", "r"};
    for (int i = 0; i < 3; i++)
        metric_put(metric_of(f, str_of(names[i]), STR_NONE), 10 + i);
    metric_flush(f);
}

static void test_put(void)
{
    static struct metric_family sums = {
        .name = "s", .help = "s", .type = METRIC_GAUGE, .labels = {"n"}, .series_max = 1};
    static struct metric_family tops = {.name = "t",
                                        .help = "t",
                                        .type = METRIC_GAUGE,
                                        .labels = {"n"},
                                        .series_max = 1,
                                        .largest = true};
    for (int round = 0; round < 2; round++) {
        put_three(&sums);
        put_three(&tops);
        check_text(&sums,
                   "# HELP s s\n# TYPE s gauge\ns{n=\"p\"} 10\ns{n=\"other\"} 23\n");
        check_text(&tops,
                   "# HELP t t\n# TYPE t gauge\nt{n=\"p\"} 10\nt{n=\"other\"} 12\n");
    }
    metric_put(metric_of(&sums, STR("p"), STR_NONE), -4);
    metric_flush(&sums);
    check_text(&sums, "# HELP s s\n# TYPE s gauge\ns{n=\"p\"} -4\n");
}

/* --- threads --- */

enum { THREADS = 4, TIMES = 100000 };
static const int64_t half[] = {TIMES / 2 - 1};
static struct metric_family shared_count = {
    .name = "n_total", .help = "n", .labels = {"t"}};
static struct metric_family shared_histogram = {
    .name = "m", .help = "m", .type = METRIC_HISTOGRAM, .bounds = half, .bounds_n = 1};

static void *count_much(void *arg)
{
    (void)arg;
    struct metric *m = metric_of(&shared_count, STR("x"), STR_NONE);
    struct metric *h = metric_of(&shared_histogram, STR_NONE, STR_NONE);
    for (int i = 0; i < TIMES; i++) {
        metric_add(m, 1);
        metric_observe(h, i);
    }
    return NULL;
}

static void test_threads(void)
{
    pthread_t threads[THREADS];
    struct buf out;
    buf_init(&out, 65536);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, count_much, NULL) == 0);
    for (int i = 0; i < 100; i++) {
        struct metric_family *const both[] = {&shared_count, &shared_histogram, NULL};
        buf_clear(&out);
        metrics_write(both, &out);
    }
    buf_deinit(&out);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    check_text(&shared_count,
               "# HELP n_total n\n# TYPE n_total counter\nn_total{t=\"x\"} 400000\n");
    check_text(&shared_histogram, "# HELP m m\n# TYPE m histogram\n"
                                  "m_bucket{le=\"49999\"} 200000\n"
                                  "m_bucket{le=\"+Inf\"} 400000\n"
                                  "m_sum 19999800000\nm_count 400000\n");
}

/* --- our own --- */

static bool ends(const char *text, const char *with)
{
    size_t n = strlen(text), m = strlen(with);
    return n >= m && strcmp(text + n - m, with) == 0;
}

static void test_families(void)
{
    for (struct metric_family *const *f = metric_families; *f; f++) {
        CHECK(str_starts(str_of((*f)->name), STR("ticketwatch_")));
        CHECK(strspn((*f)->name, "abcdefghijklmnopqrstuvwxyz_") == strlen((*f)->name));
        CHECK(ends((*f)->name, "_total") == ((*f)->type == METRIC_COUNTER));
        CHECK(strlen((*f)->help) > 40 && ends((*f)->help, "."));
        CHECK(((*f)->per > 1) == (strstr((*f)->name, "_seconds") != NULL));
        CHECK(((*f)->bounds_n > 0) == ((*f)->type == METRIC_HISTOGRAM));
        for (size_t i = 1; i < (*f)->bounds_n; i++)
            CHECK((*f)->bounds[i] > (*f)->bounds[i - 1]);
        for (struct metric_family *const *g = metric_families; g < f; g++)
            CHECK(strcmp((*g)->name, (*f)->name) != 0);
    }
}

/* What it costs; said, not judged. */
static void measure(void)
{
    enum { N = 5000000 };
    struct metric *m = metric_of(&shared_count, STR("x"), STR_NONE);
    struct metric *h = metric_of(&metric_batch_seconds, STR_NONE, STR_NONE);
    int64_t begin_us = clock_monotonic_us();
    for (int i = 0; i < N; i++)
        metric_add(m, 1);
    int64_t added_us = clock_monotonic_us();
    for (int i = 0; i < N; i++)
        metric_observe(h, i % 20000);
    int64_t observed_us = clock_monotonic_us();
    printf("%.1f ns a counter, %.1f ns a histogram of %zu buckets\n",
           1e3 * (double)(added_us - begin_us) / N,
           1e3 * (double)(observed_us - added_us) / N, metric_batch_seconds.bounds_n + 1);
}

int main(void)
{
    test_escaping();
    test_gauge();
    test_histogram();
    test_bound();
    test_put();
    test_threads();
    test_families();
    measure();
    return check_result();
}

/* Quantiles of many numbers: exact while few differ, then within 1 %, in whatever order they come. */
#include <math.h>
#include <stdlib.h>

#include "detectors/points.h"
#include "tests/check.h"

enum { MANY = 20000 };
static struct arena arena;
static int64_t values[MANY];

static int by_value(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static int64_t exact(size_t n, int percent)
{
    static int64_t sorted[MANY];
    memcpy(sorted, values, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_value);
    return sorted[(n * (size_t)percent + 99) / 100 - 1];
}

static struct points sketch_of(size_t n)
{
    struct points p = {0};
    for (size_t i = 0; i < n; i++)
        points_add(&p, values[i], &arena);
    return p;
}

static struct str packed(const struct points *p)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    points_pack(p, &b);
    CHECK(!b.overflowed);
    struct str kept = arena_str(&arena, buf_str(&b));
    buf_deinit(&b);
    return kept;
}

static void few_are_exact(void)
{
    static const int percents[] = {50, 90};
    for (size_t n = 1; n <= POINTS_EXACT; n++) {
        for (size_t i = 0; i < n; i++)
            values[i] = (int64_t)((i * 7919) % n) * 1234567 - 3000000;
        struct points p = sketch_of(n);
        CHECK(!p.coarse);
        for (size_t k = 0; k < 2; k++)
            CHECK_INT(points_quantile(&p, percents[k]), exact(n, percents[k]));
    }
}

/* A rating has few values, however many ratings there are. */
static void many_of_few_values_are_exact(void)
{
    for (size_t i = 0; i < MANY; i++)
        values[i] = 1000000 + (int64_t)(i * i % 41) * 100000;
    struct points p = sketch_of(MANY);
    CHECK(!p.coarse);
    CHECK_INT(points_quantile(&p, 50), exact(MANY, 50));
    CHECK_INT(points_quantile(&p, 90), exact(MANY, 90));
}

static void check_near(const struct points *p, int percent)
{
    double want = (double)exact(MANY, percent), got = (double)points_quantile(p, percent);
    CHECK(fabs(got - want) <= 0.01 * fabs(want));
}

/* Of every size from a millionth to a thousand millions, and of both signs. */
static void many_are_within_a_hundredth(void)
{
    for (int sign = -1; sign <= 1; sign++) {
        srand(4711);
        for (size_t i = 0; i < MANY; i++) {
            double size = exp(34.5 * (double)rand() / (double)RAND_MAX);
            bool minus = sign ? sign < 0 : rand() % 2;
            values[i] = minus ? -(int64_t)size : (int64_t)size;
        }
        struct points p = sketch_of(MANY);
        CHECK(p.coarse);
        for (int percent = 1; percent <= 100; percent++)
            check_near(&p, percent);
        CHECK(packed(&p).n < 80000);
    }
}

static void order_does_not_matter(void)
{
    for (size_t n = POINTS_EXACT - 1; n < 3 * POINTS_EXACT; n++) {
        for (size_t i = 0; i < n; i++)
            values[i] = (int64_t)(i * i) * 1000003;
        struct points up = sketch_of(n);
        for (size_t i = 0; i < n / 2; i++) {
            int64_t other = values[i];
            values[i] = values[n - 1 - i];
            values[n - 1 - i] = other;
        }
        struct points down = sketch_of(n);
        CHECK_STR(packed(&up), packed(&down));
    }
}

static void comes_back_from_a_state(void)
{
    for (size_t i = 0; i < 500; i++)
        values[i] = (int64_t)i * 777777 - 100;
    struct points whole = sketch_of(500), half = sketch_of(30), back;
    struct reader r = {.in = packed(&half)};
    points_unpack(&r, &arena, &back);
    CHECK(!r.failed && r.in.n == 0);
    for (size_t i = 30; i < 500; i++)
        points_add(&back, values[i], &arena);
    CHECK_STR(packed(&back), packed(&whole));
}

static void a_middle_is_its_own(void)
{
    static const int64_t edges[] = {0,    1,     -1,     127,       128,       129,
                                    -128, 65535, 65536,  -65537,    999999999, INT64_MAX,
                                    255,  256,   -65280, 1LL << 50, 1LL << 62};
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        int64_t m = points_middle(edges[i]);
        CHECK_INT(points_middle(m), m);
        CHECK(fabs((double)m - (double)edges[i]) <= fabs((double)edges[i]) / 128);
    }
}

int main(void)
{
    arena_init(&arena);
    few_are_exact();
    many_of_few_values_are_exact();
    many_are_within_a_hundredth();
    order_does_not_matter();
    comes_back_from_a_state();
    a_middle_is_its_own();
    arena_deinit(&arena);
    return check_result();
}

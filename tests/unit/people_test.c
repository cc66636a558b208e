/* The sketch of people: exact below 1,024, then within its stated error, and a function of the set. */
#include "detectors/people.h"
#include "tests/check.h"

#include <math.h>
#include <stdlib.h>
#include <xxhash.h>

static struct arena arena;

static uint64_t person(int set, int i)
{
    char name[40];
    int n = snprintf(name, sizeof name, "user-%d-%d", set, i);
    return XXH3_64bits(name, (size_t)n);
}

static struct people of_set(int set, int n)
{
    struct people p = {0};
    for (int i = 0; i < n; i++)
        people_add(&p, person(set, i), &arena);
    return p;
}

static struct str packed(const struct people *p)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    people_pack(p, &b);
    struct str kept = arena_str(&arena, buf_str(&b));
    buf_deinit(&b);
    return kept;
}

static void few_are_exact(void)
{
    static const int sizes[] = {0, 1, 2, 10, 100, 1000, PEOPLE_KEPT - 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct people p = of_set(0, sizes[i]);
        CHECK_INT(people_count(&p), sizes[i]);
        CHECK(!people_estimated(&p));
    }
}

/* The root of the mean squared error of many sets is near the stated one, and none is far off. */
static void many_are_estimated(void)
{
    static const int sizes[] = {2000, 10000, 100000, 1000000};
    const double stated = 1 / sqrt(PEOPLE_KEPT - 2);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int sets = sizes[i] > 100000 ? 8 : sizes[i] > 10000 ? 40 : 200;
        double squares = 0, sum = 0, worst = 0;
        for (int set = 0; set < sets; set++) {
            struct people p = of_set(set, sizes[i]);
            double off = (double)people_count(&p) / sizes[i] - 1;
            CHECK(people_estimated(&p));
            squares += off * off;
            sum += off;
            worst = fabs(off) > worst ? fabs(off) : worst;
            arena_reset(&arena);
        }
        printf("%d people, %d sets: mean error %+.2f %%, root mean square %.2f %%, worst "
               "%.2f %%\n",
               sizes[i], sets, 100 * sum / sets, 100 * sqrt(squares / sets), 100 * worst);
        CHECK(sqrt(squares / sets) < 1.35 * stated);
        CHECK(fabs(sum / sets) < 3 * stated / sqrt(sets));
        CHECK(worst < 4 * stated);
    }
}

/* Backwards, with repetitions, and put together from overlapping parts: the same bytes. */
static void order_and_parts_do_not_matter(void)
{
    enum { MANY = 5000 };
    struct people forth = of_set(1, MANY), back = {0}, whole = {0};
    for (int i = 2 * MANY; i-- > 0;)
        people_add(&back, person(1, i % MANY), &arena);
    for (int part = 0; part < 10; part++) {
        struct people some = {0};
        for (int i = part * 400; i < part * 400 + 1400; i++)
            people_add(&some, person(1, i), &arena);
        people_merge(&whole, packed(&some), &arena);
    }
    CHECK_INT(forth.n, PEOPLE_KEPT);
    CHECK_INT(packed(&forth).n, 8 * PEOPLE_KEPT);
    CHECK(str_eq(packed(&forth), packed(&back)));
    CHECK(str_eq(packed(&forth), packed(&whole)));
}

int main(void)
{
    arena_init(&arena);
    few_are_exact();
    many_are_estimated();
    order_and_parts_do_not_matter();
    arena_deinit(&arena);
    return check_result();
}

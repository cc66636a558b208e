/* The age of what is not applied, against the truth of random logs. */
#include "app/lag_age.h"

#include "tests/check.h"

static void test_simple(void)
{
    struct lag_age a = {0};
    CHECK_INT(lag_age_note(&a, 0, 0, 1000), 0);
    CHECK_INT(lag_age_note(&a, 0, 5, 2000), 0); /* seen just now */
    CHECK_INT(lag_age_note(&a, 0, 9, 3000), 1000);
    CHECK_INT(lag_age_note(&a, 4, 9, 4000), 2000);
    CHECK_INT(lag_age_note(&a, 5, 9, 5000), 2000); /* the next mark is of 3000 */
    CHECK_INT(lag_age_note(&a, 9, 9, 6000), 0);
    CHECK_INT(a.n, 0);
    CHECK_INT(lag_age_note(&a, 9, 10, 7000), 0);
    CHECK_INT(lag_age_note(&a, 20, 10, 8000), 0); /* the end is not known yet */
}

/* The clock runs in seconds; `ends` has the log's end at each. The oldest record that is not applied was seen
 * first when the end passed `next`. */
enum { SECONDS = 5000 };
static int64_t ends[SECONDS];

static int64_t truth(int64_t next, int now)
{
    int first = 0;
    while (first <= now && ends[first] <= next)
        first++;
    return first > now ? 0 : now - first;
}

/* Never older than the truth; younger by the distance of two marks at most, which is an eighth of the age. */
static void test_random(unsigned seed)
{
    struct lag_age a = {0};
    int64_t next = 0, end = 0;
    srand(seed);
    for (int now = 0; now < SECONDS; now++) {
        if (now % 500 == 0)
            next += rand() % 3 ? 0 : end - next; /* caught up */
        end += rand() % 10;
        ends[now] = end;
        next += rand() % 9;
        next = next > end ? end : next;
        int64_t age = lag_age_note(&a, next, end, now * INT64_C(1000)) / 1000;
        int64_t true_age = truth(next, now);
        CHECK(age <= true_age);
        CHECK(age >= true_age - true_age / 4 - 2);
        CHECK(a.n <= LAG_MARKS);
    }
}

int main(void)
{
    test_simple();
    for (unsigned seed = 1; seed <= 20; seed++)
        test_random(seed);
    return check_result();
}

/* Checks for tests: a failed one prints file, line and the values, and the test goes on. */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#include "core/str.h"

static int check_failures;

#define CHECK(condition)                                                            \
    do {                                                                            \
        if (!(condition)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            check_failures++;                                                       \
        }                                                                           \
    } while (0)

#define CHECK_INT(got, want)                                                           \
    do {                                                                               \
        long long g_ = (long long)(got), w_ = (long long)(want);                       \
        if (g_ != w_) {                                                                \
            fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #got, \
                    g_, w_);                                                           \
            check_failures++;                                                          \
        }                                                                              \
    } while (0)

#define CHECK_STR(got, want)                                                             \
    do {                                                                                 \
        struct str g_ = (got), w_ = (want);                                              \
        if (!str_eq(g_, w_)) {                                                           \
            fprintf(stderr, "%s:%d: %s is \"%.*s\", not \"%.*s\"\n", __FILE__, __LINE__, \
                    #got, STR_ARG(g_), STR_ARG(w_));                                     \
            check_failures++;                                                            \
        }                                                                                \
    } while (0)

/* The last line of main. */
static inline int check_result(void)
{
    if (check_failures)
        fprintf(stderr, "%d checks failed\n", check_failures);
    return check_failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif

/* What a piece of work costs: it runs in a process of its own, and the kernel says what that used. */
#ifndef APP_BENCH_MEASURE_H
#define APP_BENCH_MEASURE_H

#include <stdint.h>
#include <sys/types.h>

#include "core/err.h"

struct cost {
    double cpu_s; /* user and system time of the process, all its threads */
    double wall_s; /* by the clock; bench_measure() tells it */
    uint64_t events;
    double redis_s;   /* of CPU of Redis meanwhile; the caller's to fill */
    long resident_kb; /* at most */
};

/* Runs work(arg) in a child, which answers how many events it went through; 0 means that it failed. The child's
 * stdout and stderr go nowhere. */
int bench_measure(uint64_t (*work)(void *arg), void *arg, struct cost *out,
                  struct err *e);

/* The same in two halves, for work that ends when it is told to. */
struct running {
    pid_t pid;
};
int bench_start(int (*work)(void *arg), void *arg, struct running *out, struct err *e);
/* Sends SIGTERM, waits, and takes the cost; `events` is the caller's to fill. */
int bench_stop(const struct running *r, struct cost *out, struct err *e);

/* The middle of n values, n odd, and how far they lie apart. */
struct spread {
    double low, middle, high;
};
struct spread bench_spread(double *values, size_t n);

#endif

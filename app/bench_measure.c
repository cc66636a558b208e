#include "app/bench_measure.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void be_silent(void)
{
    int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
}

static int take_cost(pid_t pid, struct cost *out, struct err *e)
{
    struct rusage used;
    int status;
    while (wait4(pid, &status, 0, &used) < 0)
        if (errno != EINTR)
            return err_set(e, ERR_UNAVAILABLE, "wait4: %s", strerror(errno));
    out->cpu_s = seconds(used.ru_utime) + seconds(used.ru_stime);
    out->resident_kb = used.ru_maxrss;
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        return err_set(e, ERR_UNAVAILABLE,
                       "the measured process failed (status %d): try it by itself",
                       status);
    return 0;
}

int bench_measure(uint64_t (*work)(void *arg), void *arg, struct cost *out, struct err *e)
{
    int ends[2];
    int64_t began_us = clock_monotonic_us();
    if (pipe(ends))
        return err_set(e, ERR_UNAVAILABLE, "pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0) {
        be_silent();
        uint64_t events = work(arg);
        ssize_t told = write(ends[1], &events, sizeof events);
        _exit(events && told == sizeof events ? 0 : 1);
    }
    close(ends[1]);
    out->events = 0;
    ssize_t got = pid > 0 ? read(ends[0], &out->events, sizeof out->events) : -1;
    close(ends[0]);
    if (pid < 0)
        return err_set(e, ERR_UNAVAILABLE, "fork: %s", strerror(errno));
    (void)got; /* none: the exit status says it */
    int failed = take_cost(pid, out, e);
    out->wall_s = (double)(clock_monotonic_us() - began_us) / 1e6;
    return failed;
}

int bench_start(int (*work)(void *arg), void *arg, struct running *out, struct err *e)
{
    out->pid = fork();
    if (out->pid < 0)
        return err_set(e, ERR_UNAVAILABLE, "fork: %s", strerror(errno));
    if (out->pid == 0) {
        be_silent();
        _exit(work(arg));
    }
    return 0;
}

int bench_stop(const struct running *r, struct cost *out, struct err *e)
{
    kill(r->pid, SIGTERM);
    return take_cost(r->pid, out, e);
}

static int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

struct spread bench_spread(double *values, size_t n)
{
    qsort(values, n, sizeof *values, by_size);
    return (struct spread){values[0], values[n / 2], values[n - 1]};
}

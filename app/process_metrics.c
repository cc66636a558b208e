/* Memory is read from /proc, where there is one; else its figure is left out. */
#include "app/process_metrics.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "app/memory_limit.h"
#include "core/clock.h"
#include "core/metric_families.h"

static struct metric *memory, *cpu;

void process_metrics_init(void)
{
    memory = metric_of(&metric_memory, STR_NONE, STR_NONE);
    cpu = metric_of(&metric_cpu, STR_NONE, STR_NONE);
    metric_set(metric_of(&metric_start_time, STR_NONE, STR_NONE), clock_wall_ms());
    int64_t limit_bytes = memory_limit_bytes();
    metric_set(metric_of(&metric_memory_limit, STR_NONE, STR_NONE),
               limit_bytes ? limit_bytes : METRIC_UNKNOWN);
    metric_set(metric_of(&metric_build, STR(TICKETWATCH_VERSION), STR_NONE), 1);
    process_metrics_update();
}

/* "SIZE RESIDENT ..." in pages. */
static int64_t resident_bytes(void)
{
    char text[128];
    int64_t pages;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return METRIC_UNKNOWN;
    text[n] = '\0';
    return sscanf(text, "%*s %" SCNd64, &pages) == 1 ? pages * sysconf(_SC_PAGESIZE)
                                                     : METRIC_UNKNOWN;
}

static int64_t us_of(struct timeval t)
{
    return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

void process_metrics_update(void)
{
    struct rusage used;
    metric_set(memory, resident_bytes());
    if (getrusage(RUSAGE_SELF, &used) == 0)
        metric_set(cpu, us_of(used.ru_utime) + us_of(used.ru_stime));
}

/* Limits of control groups as kernels and containers write them. */
#include "app/memory_limit.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/check.h"

static char base[] = "/tmp/ticketwatch-memory-XXXXXX";

static void put(const char *path, const char *text)
{
    char whole[512];
    snprintf(whole, sizeof whole, "%s/%s", base, path);
    for (char *at = whole + strlen(base) + 1; (at = strchr(at, '/')); *at++ = '/') {
        *at = '\0';
        mkdir(whole, 0700);
    }
    FILE *f = fopen(whole, "w");
    CHECK(f);
    if (f) {
        fputs(text, f);
        fclose(f);
    }
}

static int64_t limit(const char *root)
{
    char groups[512], whole[512];
    snprintf(groups, sizeof groups, "%s/groups", base);
    snprintf(whole, sizeof whole, "%s/%s", base, root);
    return memory_limit_in(groups, whole);
}

int main(void)
{
    CHECK(mkdtemp(base));
    CHECK_INT(limit("none"), 0);
    put("groups", "0::/kubepods/pod1/c1\n");
    put("two/kubepods/pod1/c1/memory.max", "max\n");
    CHECK_INT(limit("two"), 0);
    put("two/kubepods/pod1/memory.max", "268435456\n");
    CHECK_INT(limit("two"), 268435456);
    put("two/kubepods/pod1/c1/memory.max", "67108864\n");
    CHECK_INT(limit("two"), 67108864);
    put("mounted/memory.max", "1000000\n"); /* the container's own group is the root */
    CHECK_INT(limit("mounted"), 1000000);
    put("groups", "0::/\n");
    CHECK_INT(limit("mounted"), 1000000);
    put("groups", "12:pids:/x\n7:cpu,memory:/docker/abc\n0::/\n");
    put("one/memory/memory.limit_in_bytes", "9223372036854771712\n");
    put("one/memory/docker/abc/memory.limit_in_bytes", "134217728\n");
    CHECK_INT(limit("one"), 134217728);
    put("groups", "0::/../../elsewhere\n\nrubbish\n");
    put("two/memory.max", "5\n");
    CHECK_INT(limit("two"), 5);
    char remove[64];
    snprintf(remove, sizeof remove, "rm -rf %s", base);
    CHECK_INT(system(remove), 0);
    return check_result();
}

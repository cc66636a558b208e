/* The least limit from the process's group up to the root counts. In a container the group is often mounted as the root
 * itself, whatever /proc says its path is; so a folder that is not there is passed over. */
#include "app/memory_limit.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 4096 };

/* Version 1 says so of no limit, rounded down to a page. */
#define NO_LIMIT_BYTES (INT64_C(1) << 60)

static int64_t read_limit(const char *folder, const char *name)
{
    char path[2 * LINE_BYTES + 64], text[64] = "";
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    if (!fgets(text, sizeof text, f))
        text[0] = '\0';
    fclose(f);
    long long bytes = strtoll(text, NULL, 10); /* "max" is 0 */
    return bytes > 0 && bytes < NO_LIMIT_BYTES ? bytes : 0;
}

/* Of the group and those that it is in. */
static int64_t least_limit(const char *root, const char *group, const char *name)
{
    char folder[2 * LINE_BYTES];
    int64_t least = 0;
    snprintf(folder, sizeof folder, "%s%s", root, strcmp(group, "/") == 0 ? "" : group);
    for (size_t base = strlen(root); strlen(folder) >= base;) {
        int64_t bytes = read_limit(folder, name);
        if (bytes && (!least || bytes < least))
            least = bytes;
        char *slash = strrchr(folder, '/');
        if (!slash)
            break;
        *slash = '\0';
    }
    return least;
}

/* A line of /proc/self/cgroup: "0::/a/b", or of version 1 "7:memory:/a/b". */
static int64_t limit_of_line(char *line, const char *root)
{
    char old[LINE_BYTES];
    char *group = strchr(line, ':'), *names = group;
    group = group ? strchr(group + 1, ':') : NULL;
    if (!group)
        return 0;
    *group++ = '\0';
    group[strcspn(group, "\n")] = '\0';
    if (strcmp(names, ":") == 0)
        return least_limit(root, group, "memory.max");
    if (!strstr(names, "memory"))
        return 0;
    snprintf(old, sizeof old, "%s/memory", root);
    return least_limit(old, group, "memory.limit_in_bytes");
}

int64_t memory_limit_in(const char *groups_of_process, const char *root)
{
    char line[LINE_BYTES];
    int64_t least = 0;
    FILE *f = fopen(groups_of_process, "re");
    while (f && fgets(line, sizeof line, f)) {
        int64_t bytes = limit_of_line(line, root);
        if (bytes && (!least || bytes < least))
            least = bytes;
    }
    if (f)
        fclose(f);
    return least;
}

int64_t memory_limit_bytes(void)
{
    return memory_limit_in("/proc/self/cgroup", "/sys/fs/cgroup");
}

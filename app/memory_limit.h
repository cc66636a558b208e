/* What this process may use of memory, as its control group says: of a pod, resources.limits.memory. */
#ifndef APP_MEMORY_LIMIT_H
#define APP_MEMORY_LIMIT_H

#include <stdint.h>

/* Bytes; 0: there is no limit, or nobody says. Version 2 of control groups, then version 1. */
int64_t memory_limit_bytes(void);
/* The same where /proc/self/cgroup and /sys/fs/cgroup are elsewhere: for tests. */
int64_t memory_limit_in(const char *groups_of_process, const char *root);

#endif

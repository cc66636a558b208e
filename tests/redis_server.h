/* A Redis of the test's own: on a free port of the loopback, its data in a temporary
 * folder, gone with the test. Skips the whole test (exit 77) when redis-server is not
 * installed. */
#ifndef TESTS_REDIS_SERVER_H
#define TESTS_REDIS_SERVER_H

#include <sys/types.h>

#include "windows/redis_link.h"

struct redis_server {
    pid_t pid;
    char dir[32], log[40], port[12];
    const char *const *options;
    struct redis_target target; /* 127.0.0.1 and the port, time-out 5 s */
};

/* Starts one and waits until it answers. `options`: more of redis-server's,
 * NULL-terminated; kept. A test that cannot start it ends. At most 12 a test. */
void redis_server_start(struct redis_server *s, const char *const *options);
/* SIGKILL. */
void redis_server_kill(struct redis_server *s);
/* Starts it again with the same port, data and options. */
void redis_server_again(struct redis_server *s);

#endif

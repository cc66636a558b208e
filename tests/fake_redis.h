/* A server that speaks Redis' protocol and answers what a test tells it: for what a real Redis says only in
 * rare moments. On a free port of the loopback, in a thread of its own. */
#ifndef TESTS_FAKE_REDIS_H
#define TESTS_FAKE_REDIS_H

#include <pthread.h>
#include <stdatomic.h>

#include "windows/redis_link.h"

enum { FAKE_ANSWERS_MAX = 8, FAKE_LINKS_MAX = 8, FAKE_BYTES_MAX = 4096 };

struct fake_redis {
    int port;
    struct redis_target target;    /* its address, time-out 300 ms */
    atomic_int connections, asked; /* so far; asked: how often ASKING came */
    atomic_int commands;           /* but for AUTH, SELECT, CLIENT, ASKING and SCRIPT */
    /* the thread's */
    pthread_t thread;
    pthread_mutex_t lock;
    char answers[FAKE_ANSWERS_MAX][128];
    size_t answers_n, next;
    atomic_bool stop;
    int fds[1 + FAKE_LINKS_MAX]; /* it listens on the first; 0: not in use */
    char in[1 + FAKE_LINKS_MAX][FAKE_BYTES_MAX];
    size_t in_n[1 + FAKE_LINKS_MAX];
};

void fake_redis_start(struct fake_redis *f);
void fake_redis_stop(struct fake_redis *f);

/* The answer to every command from now on, as bytes of the protocol; after one that does not end in CRLF the
 * connection is closed. */
void fake_redis_says(struct fake_redis *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Once the others were said, each to one command, this one is. */
void fake_redis_then(struct fake_redis *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif

/* What a link says by itself (AUTH, CLIENT, ...) is answered with OK, so that a test tells only what
 * it is about. */
#include "tests/fake_redis.h"

#include <arpa/inet.h>
#include <assert.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROUND_MS = 20, TIMEOUT_MS = 3000, ENDS = 1 + FAKE_LINKS_MAX };

static int number_at(struct str s, size_t *at)
{
    const char *end = memmem(s.p + *at, s.n - *at, "\r\n", 2);
    if (!end)
        return -1;
    int v = (int)strtol(s.p + *at + 1, NULL, 10);
    *at = (size_t)(end - s.p) + 2;
    return v;
}

/* How many bytes the first command has, 0 while it is not there as a whole; its first word. */
static size_t first_command(struct str s, struct str *word)
{
    size_t at = 0;
    int n = s.n ? number_at(s, &at) : -1;
    if (n < 1)
        return 0;
    for (int i = 0; i < n; i++) {
        int bytes = at < s.n ? number_at(s, &at) : -1;
        if (bytes < 0 || at + (size_t)bytes + 2 > s.n)
            return 0;
        if (i == 0)
            *word = (struct str){s.p + at, (size_t)bytes};
        at += (size_t)bytes + 2;
    }
    return at;
}

static void close_link(struct fake_redis *f, size_t i)
{
    close(f->fds[i]);
    f->fds[i] = 0;
    f->in_n[i] = 0;
}

static void put(struct fake_redis *f, size_t i, const char *answer)
{
    size_t n = strlen(answer);
    bool whole = n >= 2 && strcmp(answer + n - 2, "\r\n") == 0;
    if (send(f->fds[i], answer, n, MSG_NOSIGNAL) != (ssize_t)n || !whole)
        close_link(f, i);
}

static void told(struct fake_redis *f, size_t i)
{
    char answer[sizeof f->answers[0]];
    f->commands++;
    pthread_mutex_lock(&f->lock);
    memcpy(answer, f->answers[f->next], sizeof answer);
    if (f->next + 1 < f->answers_n)
        f->next++;
    pthread_mutex_unlock(&f->lock);
    put(f, i, answer);
}

static void answer(struct fake_redis *f, size_t i, struct str word)
{
    if (str_is(word, "ASKING"))
        f->asked++;
    if (str_is(word, "SCRIPT"))
        put(f, i, "$40\r\n0123456789012345678901234567890123456789\r\n");
    else if (str_is(word, "ASKING") || str_is(word, "AUTH") || str_is(word, "SELECT") ||
             str_is(word, "CLIENT"))
        put(f, i, "+OK\r\n");
    else
        told(f, i);
}

static void hear(struct fake_redis *f, size_t i)
{
    struct str word;
    ssize_t n = recv(f->fds[i], f->in[i] + f->in_n[i], FAKE_BYTES_MAX - f->in_n[i], 0);
    if (n <= 0) {
        close_link(f, i);
        return;
    }
    f->in_n[i] += (size_t)n;
    size_t used;
    while (f->fds[i] &&
           (used = first_command((struct str){f->in[i], f->in_n[i]}, &word)) > 0) {
        answer(f, i, word);
        if (!f->fds[i])
            return;
        f->in_n[i] -= used;
        memmove(f->in[i], f->in[i] + used, f->in_n[i]);
    }
}

static void welcome(struct fake_redis *f)
{
    int fd = accept(f->fds[0], NULL, NULL);
    size_t i = 1;
    while (i < ENDS && f->fds[i])
        i++;
    assert(fd > 0 && i < ENDS);
    f->fds[i] = fd;
    f->connections++;
}

static void *work(void *arg)
{
    struct fake_redis *f = arg;
    while (!atomic_load(&f->stop)) {
        struct pollfd polled[ENDS];
        for (size_t i = 0; i < ENDS; i++)
            polled[i] =
                (struct pollfd){.fd = f->fds[i] ? f->fds[i] : -1, .events = POLLIN};
        poll(polled, ENDS, ROUND_MS);
        for (size_t i = 1; i < ENDS; i++)
            if (polled[i].revents)
                hear(f, i);
        if (polled[0].revents)
            welcome(f);
    }
    for (size_t i = 0; i < ENDS; i++)
        if (f->fds[i])
            close_link(f, i);
    return NULL;
}

void fake_redis_start(struct fake_redis *f)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    *f = (struct fake_redis){.lock = PTHREAD_MUTEX_INITIALIZER};
    f->fds[0] = socket(AF_INET, SOCK_STREAM, 0);
    int rc = bind(f->fds[0], (struct sockaddr *)&a, n) || listen(f->fds[0], 8) ||
             getsockname(f->fds[0], (struct sockaddr *)&a, &n);
    assert(rc == 0);
    f->port = ntohs(a.sin_port);
    f->target = (struct redis_target){.addresses = {{STR("127.0.0.1"), f->port}},
                                      .addresses_n = 1,
                                      .timeout_ms = TIMEOUT_MS};
    rc = pthread_create(&f->thread, NULL, work, f);
    assert(rc == 0);
}

void fake_redis_stop(struct fake_redis *f)
{
    atomic_store(&f->stop, true);
    pthread_join(f->thread, NULL);
}

__attribute__((format(printf, 2, 0))) static void add(struct fake_redis *f,
                                                      const char *format, va_list args)
{
    assert(f->answers_n < FAKE_ANSWERS_MAX);
    vsnprintf(f->answers[f->answers_n++], sizeof f->answers[0], format, args);
}

void fake_redis_says(struct fake_redis *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    pthread_mutex_lock(&f->lock);
    f->answers_n = f->next = 0;
    add(f, format, args);
    pthread_mutex_unlock(&f->lock);
    va_end(args);
}

void fake_redis_then(struct fake_redis *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    pthread_mutex_lock(&f->lock);
    add(f, format, args);
    pthread_mutex_unlock(&f->lock);
    va_end(args);
}

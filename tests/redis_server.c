/* The child dies with its parent (PR_SET_PDEATHSIG), so that no test leaves a server
 * behind. */
#include "tests/redis_server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SKIPPED = 77, NOT_INSTALLED = 127, SERVERS_MAX = 12, OPTIONS_MAX = 24 };
enum { TIMEOUT_MS = 5000, STEP_US = 20000, STEPS = 3000 };

static struct redis_server *started[SERVERS_MAX];
static size_t started_n;

static bool is_free(in_port_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int rc = bind(fd, (struct sockaddr *)&a, sizeof a);
    close(fd);
    return rc == 0;
}

/* Below Linux's range for outgoing connections, so that it stays free while the server is away; and so is
 * where a cluster's server listens as well, ten thousand above. */
static int free_port(void)
{
    uint16_t r = 0;
    do {
        ssize_t n = getrandom(&r, sizeof r, 0);
        assert(n == sizeof r);
    } while (!is_free((in_port_t)(12000 + r % 10000)));
    return 12000 + r % 10000;
}

static _Noreturn void become_server(const struct redis_server *s, pid_t parent)
{
    const char *words[OPTIONS_MAX] = {
        "redis-server", "--port",     s->port,  "--bind", "127.0.0.1",
        "--dir",        s->dir,       "--save", "",       "--appendonly",
        "no",           "--loglevel", "warning"};
    size_t n = 13;
    for (size_t i = 0; s->options && s->options[i] && n < OPTIONS_MAX - 1; i++)
        words[n++] = s->options[i];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    int log = open(s->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(log, STDOUT_FILENO);
    union {
        const char **words;
        char *const *argv; /* as execvp wants it; it writes to none */
    } u = {.words = words};
    execvp("redis-server", u.argv);
    _exit(NOT_INSTALLED);
}

static void run(const char *program, const char *path)
{
    char command[96];
    snprintf(command, sizeof command, "%s %s >&2", program, path);
    if (system(command) != 0)
        perror(command);
}

static void remove_data(void)
{
    for (size_t i = 0; i < started_n; i++) {
        redis_server_kill(started[i]);
        run("rm -rf", started[i]->dir);
    }
}

static _Noreturn void give_up(const struct redis_server *s, int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_INSTALLED) {
        fputs("skipped: redis-server is not installed\n", stderr);
        exit(SKIPPED);
    }
    fputs("redis-server did not start:\n", stderr);
    run("tail -n 5", s->log);
    exit(EXIT_FAILURE);
}

/* Any answer will do, also that a password is wanted. */
static bool answers(const struct redis_server *s)
{
    struct err e = {0};
    struct redis_link *l = redis_link_new(&s->target);
    redis_reply_free(REDIS_COMMAND(l, &e, STR("PING")));
    redis_link_free(l);
    return e.kind != ERR_UNAVAILABLE;
}

void redis_server_again(struct redis_server *s)
{
    pid_t parent = getpid();
    s->pid = fork();
    assert(s->pid >= 0);
    if (s->pid == 0)
        become_server(s, parent);
    int status;
    for (int i = 0; i < STEPS && !answers(s); i++) {
        if (waitpid(s->pid, &status, WNOHANG) == s->pid) {
            s->pid = 0;
            give_up(s, status);
        }
        usleep(STEP_US);
    }
}

void redis_server_kill(struct redis_server *s)
{
    if (s->pid <= 0)
        return;
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
    s->pid = 0;
}

void redis_server_start(struct redis_server *s, const char *const *options)
{
    int port = free_port();
    *s = (struct redis_server){.options = options, .dir = "/tmp/redis_server.XXXXXX"};
    s->target = (struct redis_target){.addresses = {{STR("127.0.0.1"), port}},
                                      .addresses_n = 1,
                                      .timeout_ms = TIMEOUT_MS};
    snprintf(s->port, sizeof s->port, "%d", port);
    bool made = mkdtemp(s->dir) != NULL;
    snprintf(s->log, sizeof s->log, "%s/log", s->dir);
    assert(made && started_n < SERVERS_MAX);
    if (started_n == 0)
        atexit(remove_data);
    started[started_n++] = s;
    redis_server_again(s);
}

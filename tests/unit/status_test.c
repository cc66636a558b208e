/* The status server by itself: what it answers while the loop ticks, stalls and ends, and whom it still
 * answers while others are rude. */
#include "app/status.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/status_visitors.h"
#include "core/clock.h"
#include "tests/check.h"

enum { ANSWER_MS = 30000, STALLED_MS = 1500, CALM_MS = 60000 };

static struct sink_config two_sinks[] = {{.name = STR("eng")}, {.name = STR("b\"s")}};
static char listen_at[32];
static struct sockaddr_in address;

/* A port that was free a moment ago. */
static struct config config_of(int64_t stalled_ms)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t bytes = sizeof address;
    address = (struct sockaddr_in){.sin_family = AF_INET};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    CHECK(bind(fd, (const void *)&address, sizeof address) == 0);
    CHECK(getsockname(fd, (void *)&address, &bytes) == 0);
    close(fd);
    snprintf(listen_at, sizeof listen_at, "127.0.0.1:%d", ntohs(address.sin_port));
    return (struct config){.status = {str_of(listen_at), stalled_ms},
                           .sinks = two_sinks,
                           .sinks_n = sizeof two_sinks / sizeof *two_sinks};
}

static struct status *start_stalling(int64_t stalled_ms)
{
    static struct config config;
    struct err e = {0};
    config = config_of(stalled_ms);
    struct status *s = status_start(&config, &e);
    CHECK_STR(str_of(e.text), STR(""));
    if (!s)
        exit(check_result());
    return s;
}

static struct status *start(void)
{
    return start_stalling(CALM_MS);
}

/* --- a client --- */

static int dial(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connect(fd, (const void *)&address, sizeof address) == 0);
    return fd;
}

/* Everything until the other side closes, or -1 after ANSWER_MS. */
static ssize_t read_all(int fd, char *to, size_t max)
{
    size_t n = 0;
    int64_t until = clock_monotonic_ms() + ANSWER_MS;
    while (n < max - 1 && clock_monotonic_ms() < until) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, (int)(until - clock_monotonic_ms())) <= 0)
            break;
        ssize_t got = read(fd, to + n, max - 1 - n);
        n += got > 0 ? (size_t)got : 0;
        to[n] = '\0';
        if (got <= 0)
            return (ssize_t)n;
    }
    return -1;
}

static char answer[1 << 18];

/* The status code, 0: the server closed without one, -1: nothing came in time. */
static int ask(const char *request)
{
    int fd = dial(), code = -1;
    CHECK(send(fd, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request));
    answer[0] = '\0';
    ssize_t n = read_all(fd, answer, sizeof answer);
    if (n >= 0)
        code = n > 12 && memcmp(answer, "HTTP/1.1 ", 9) == 0
                   ? (int)strtol(answer + 9, NULL, 10)
                   : 0;
    close(fd);
    return code;
}

static int get(const char *path)
{
    char request[200];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    return ask(request);
}

static struct str body(void)
{
    const char *end = strstr(answer, "\r\n\r\n");
    return end ? str_of(end + 4) : STR("no body");
}

static bool answered(const char *text)
{
    return strstr(answer, text) != NULL;
}

/* --- the pages --- */

static void test_health(void)
{
    struct status *s = start_stalling(STALLED_MS);
    CHECK_INT(get("/healthz"), 200);
    CHECK_STR(body(), STR("ok\n"));
    usleep(STALLED_MS * 1000);
    CHECK_INT(get("/healthz"), 503);
    CHECK(answered("status.stalled_after"));
    status_tick(s);
    CHECK_INT(get("/healthz"), 200);
    usleep(STALLED_MS * 1000);
    status_drain(s);
    CHECK_INT(get("/healthz"), 200);
    status_stop(s);
}

#define READY(ready, reasons, loop, redis, group, sinks)                                \
    STR("{\"ready\":" ready ",\"reasons\":[" reasons "],\"checks\":{\"configuration\":" \
        "true,\"loop\":" loop ",\"start\":true,\"redis\":" redis ",\"group\":" group    \
        ",\"sinks\":" sinks ",\"rules\":true}}\n")

static void expect_ready(struct status *s, int code, struct str want)
{
    status_tick(s);
    CHECK_INT(get("/readyz"), code);
    CHECK(answered("Content-Type: application/json\r\n"));
    CHECK_STR(body(), want);
}

static void test_readiness(void)
{
    struct status *s = start();
    const bool full[] = {false, true};
    const char *gauge = "\nticketwatch_ready 1\n";
    expect_ready(s, 503,
                 READY("false",
                       "\"redis: Redis was not asked yet\",\"group: the consumer group "
                       "has not given this process an assignment yet\"",
                       "true", "false", "false", "true"));
    status_tell(s, &(struct status_facts){.group_joined = true});
    expect_ready(s, 503,
                 READY("false", "\"redis: Redis does not answer as it should\"", "true",
                       "false", "true", "true"));
    status_tell(s, &(struct status_facts){.redis_answers = true, .group_joined = true});
    expect_ready(s, 200, READY("true", "", "true", "true", "true", "true"));
    CHECK(get("/metrics") == 200 && answered(gauge));
    status_tell(s, &(struct status_facts){
                       .redis_answers = true, .group_joined = true, .sinks_full = full});
    expect_ready(s, 503,
                 READY("false", "\"sinks: the outbox of b\\\"s is full\"", "true", "true",
                       "true", "false"));
    CHECK(get("/metrics") == 200 && answered("\nticketwatch_ready 0\n"));
    status_tell(s, &(struct status_facts){.redis_answers = true, .group_joined = true});
    status_drain(s);
    expect_ready(
        s, 503,
        READY("false", "\"loop: the process ends\"", "false", "true", "true", "true"));
    status_stop(s);
}

static void test_a_loop_that_stands_is_not_ready(void)
{
    struct status *s = start_stalling(STALLED_MS);
    status_tell(s, &(struct status_facts){.redis_answers = true, .group_joined = true});
    CHECK_INT(get("/readyz"), 200);
    usleep(STALLED_MS * 1000);
    CHECK_INT(get("/readyz"), 503);
    CHECK(answered("loop: the loop does not come round"));
    status_stop(s);
}

static void test_what_is_waited_for(void)
{
    struct status *s = start();
    status_wait(s, "no broker \"b\"");
    CHECK_INT(get("/readyz"), 503);
    CHECK(answered("\"start: no broker \\\"b\\\"\"") && answered("\"start\":false"));
    status_tell(s, &(struct status_facts){.redis_answers = true, .group_joined = true});
    CHECK_INT(get("/readyz"), 200);
    status_stop(s);
}

static void test_a_file_that_is_refused(void)
{
    struct status *s = start();
    status_tell(s, &(struct status_facts){.redis_answers = true, .group_joined = true});
    status_config(s, "it has 2 mistakes");
    CHECK_INT(get("/readyz"), 200);
    CHECK(answered("\"ready\":true,\"reasons\":[\"configuration: it has 2 mistakes\"]"));
    CHECK(answered("\"configuration\":false"));
    status_config(s, "");
    CHECK_INT(get("/readyz"), 200);
    CHECK(answered("\"reasons\":[]"));
    status_stop(s);
}

static void test_manners(void)
{
    struct status *s = start();
    CHECK_INT(get("/"), 404);
    CHECK(answered("/healthz, /readyz and /metrics"));
    CHECK_INT(get("/metrics/"), 404);
    CHECK_INT(get("/healthz?verbose=1"), 200);
    CHECK(answered("Connection: close\r\n") && answered("Cache-Control: no-store\r\n"));
    CHECK_INT(get("/metrics"), 200);
    CHECK(answered("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    CHECK_INT(ask("HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
    CHECK(answered("Content-Length: 3\r\n"));
    CHECK_STR(body(), STR(""));
    CHECK_INT(ask("POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"),
              405);
    CHECK(answered("Allow: GET, HEAD\r\n"));
    CHECK_INT(ask("DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), 405);
    CHECK(ask("GARBAGE\r\n\r\n") < 500);
    CHECK_INT(get("/healthz"), 200);
    status_stop(s);
}

/* --- rude clients --- */

enum { SILENCE_MS = 5000 }; /* after which it is ended */

static void test_a_head_without_end(void)
{
    struct status *s = start();
    static char request[64 * 1024];
    memset(request, 'a', sizeof request - 1);
    memcpy(request, "GET /", 5);
    int fd = dial();
    (void)send(fd, request, sizeof request - 1, MSG_NOSIGNAL);
    CHECK(read_all(fd, answer, sizeof answer) >= 0); /* refused, not waited for */
    close(fd);
    CHECK_INT(get("/healthz"), 200);
    status_stop(s);
}

/* Many more than there is room for, silent or a byte at a time: who asks is answered at once. */
static void crowd(bool trickle)
{
    enum { CROWD = 4 * VISITORS_MAX };
    struct status *s = start();
    int fds[CROWD];
    for (int i = 0; i < CROWD; i++) {
        fds[i] = dial();
        if (trickle)
            (void)send(fds[i], "GET /h", 6, MSG_NOSIGNAL);
    }
    for (int round = 0; round < 5; round++) {
        int64_t begin = clock_monotonic_ms();
        status_tick(s);
        CHECK_INT(get("/healthz"), 200);
        CHECK(clock_monotonic_ms() - begin < SILENCE_MS - 1000);
        for (int i = 0; trickle && i < CROWD; i++)
            (void)send(fds[i], "e", 1, MSG_NOSIGNAL);
    }
    for (int i = 0; i < CROWD; i++)
        close(fds[i]);
    status_stop(s);
}

static void test_silence_is_ended(void)
{
    enum { LATER_MS = 30000 };
    struct status *s = start();
    int fd = dial();
    struct pollfd p = {.fd = fd, .events = POLLIN};
    CHECK_INT(poll(&p, 1, SILENCE_MS + LATER_MS), 1);
    CHECK_INT(read(fd, answer, 1), 0);
    close(fd);
    status_stop(s);
}

/* --- addresses --- */

static void refused(const char *at, const char *why)
{
    struct config config = {.status = {str_of(at), STALLED_MS}};
    struct err e = {0};
    CHECK(!status_start(&config, &e));
    CHECK_INT(e.kind, ERR_REFUSED);
    CHECK(str_starts(str_of(e.text), STR("status.listen: ")));
    CHECK(strstr(e.text, at) && strstr(e.text, why));
}

static void test_addresses(void)
{
    struct status *s = start();
    refused(listen_at, "Address already in use: another process listens there");
    CHECK_INT(get("/healthz"), 200);
    status_stop(s);
    refused("192.0.2.1:9464",
            "this machine has no such address"); /* RFC 5737: nobody's */
}

static void test_without_a_server(void)
{
    struct config config = {.sinks = two_sinks, .sinks_n = 2};
    struct err e = {0};
    struct status *s = status_start(&config, &e);
    CHECK(s);
    status_tick(s);
    status_tell(s, &(struct status_facts){0});
    status_drain(s);
    status_stop(s);
    status_stop(NULL);
}

int main(void)
{
    test_health();
    test_readiness();
    test_a_loop_that_stands_is_not_ready();
    test_what_is_waited_for();
    test_a_file_that_is_refused();
    test_manners();
    test_a_head_without_end();
    crowd(false);
    crowd(true);
    test_silence_is_ended();
    test_addresses();
    test_without_a_server();
    return check_result();
}

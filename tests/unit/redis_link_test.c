/* The connection to a real Redis: what it says when something is wrong, and that it works
 * again afterwards. */
#include "core/clock.h"
#include "tests/check.h"
#include "tests/redis_server.h"
#include "windows/redis_check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *const no_options[] = {NULL};
static const char *const with_password[] = {"--requirepass", "s3:cr@t/", NULL};
static const char *const may_evict[] = {"--maxmemory-policy", "allkeys-lru", NULL};

static bool says(const struct err *e, const char *words)
{
    if (!strstr(e->text, words))
        fprintf(stderr, "it says: %s\n", e->text);
    return strstr(e->text, words) != NULL;
}

static int64_t ping(struct redis_link *l, struct err *e)
{
    err_clear(e);
    struct redisReply *r = REDIS_COMMAND(l, e, STR("PING"));
    bool pong = str_is(redis_reply_str(r), "PONG");
    redis_reply_free(r);
    return pong;
}

static void replies(struct redis_link *l)
{
    struct err e = {0};
    struct redisReply *r = REDIS_COMMAND(l, &e, STR("SET"), STR("k"), STR("a\0b"));
    CHECK_STR(redis_reply_str(r), STR("OK"));
    redis_reply_free(r);
    r = REDIS_COMMAND(l, &e, STR("GET"), STR("k"));
    CHECK_STR(redis_reply_str(r), STR("a\0b"));
    CHECK_INT(redis_reply_int(r), 0);
    redis_reply_free(r);
    r = REDIS_COMMAND(l, &e, STR("GET"), STR("none"));
    CHECK(redis_reply_is_nil(r));
    redis_reply_free(r);
    r = REDIS_COMMAND(l, &e, STR("SET"), STR("empty"), STR_NONE);
    redis_reply_free(r);
    r = REDIS_COMMAND(l, &e, STR("MGET"), STR("k"), STR("none"), STR("empty"));
    CHECK_INT(redis_reply_n(r), 3);
    CHECK(redis_reply_is_nil(redis_reply_at(r, 1)));
    CHECK_STR(redis_reply_str(redis_reply_at(r, 2)), STR(""));
    CHECK(!redis_reply_at(r, 3));
    redis_reply_free(r);
}

static int64_t run_script(struct redis_link *l, const char *text, struct err *e)
{
    struct redis_script script = {.name = "test", .text = text};
    struct redisReply *r =
        redis_run(l, &script, 1, 2, (struct str[]){STR("n"), STR("7")}, e);
    int64_t v = r ? redis_reply_int(r) : -1;
    redis_reply_free(r);
    return v;
}

/* A server that forgot the scripts is told them again, and nothing runs twice. */
static void scripts(struct redis_link *l)
{
    struct err e = {0};
    struct redis_script add = {.name = "add",
                               .text = "return redis.call('INCRBY', KEYS[1], ARGV[1])"};
    for (int i = 1; i <= 3; i++) {
        struct redisReply *r =
            redis_run(l, &add, 1, 2, (struct str[]){STR("n"), STR("5")}, &e);
        CHECK_INT(redis_reply_int(r), 5 * i);
        redis_reply_free(r);
        redis_reply_free(REDIS_COMMAND(l, &e, STR("SCRIPT"), STR("FLUSH")));
    }
    CHECK_INT(e.kind, ERR_NONE);
    CHECK_INT(run_script(l, "return redis.call('LPUSH', KEYS[1], 1)", &e), -1);
    CHECK_INT(e.kind, ERR_REFUSED);
    CHECK(says(&e, "redis.prefix"));
    err_clear(&e);
    CHECK_INT(run_script(l, "return nonsense.x", &e), -1);
    CHECK_INT(e.kind, ERR_REFUSED);
    err_clear(&e);
    CHECK_INT(run_script(l, "return redis.error_reply('LOADING x')", &e), -1);
    CHECK_INT(e.kind, ERR_UNAVAILABLE);
    err_clear(&e);
    CHECK_INT(run_script(l, "return redis.error_reply('NEVERHEARD of it')", &e), -1);
    CHECK_INT(e.kind, ERR_UNAVAILABLE);
    CHECK(ping(l, &e));
}

static void no_memory(struct redis_link *l)
{
    struct err e = {0};
    redis_reply_free(
        REDIS_COMMAND(l, &e, STR("CONFIG"), STR("SET"), STR("maxmemory"), STR("1")));
    CHECK(!REDIS_COMMAND(l, &e, STR("SET"), STR("a"), STR("b")));
    CHECK_INT(e.kind, ERR_UNAVAILABLE);
    err_clear(&e);
    CHECK_INT(run_script(l, "return redis.call('SET', KEYS[1], 1)", &e), -1);
    CHECK_INT(e.kind, ERR_UNAVAILABLE);
    err_clear(&e);
    redis_reply_free(
        REDIS_COMMAND(l, &e, STR("CONFIG"), STR("SET"), STR("maxmemory"), STR("0")));
}

/* The name of an unknown command comes back with its arguments: they may be secret. */
static void secrets_stay(struct redis_link *l)
{
    struct err e = {0};
    CHECK(!REDIS_COMMAND(l, &e, STR("NOCOMMAND"), STR("s3cret")));
    CHECK_INT(e.kind, ERR_REFUSED);
    CHECK(!strstr(e.text, "s3cret"));
}

static void killed(struct redis_server *s, struct redis_link *l)
{
    struct err e = {0};
    CHECK(ping(l, &e));
    redis_server_kill(s);
    for (int i = 0; i < 2; i++) {
        CHECK(!ping(l, &e));
        CHECK_INT(e.kind, ERR_UNAVAILABLE);
        CHECK(says(&e, "127.0.0.1:"));
    }
    redis_server_again(s);
    CHECK(ping(l, &e));
    CHECK_INT(run_script(l, "return 3", &e), 3);
}

static void plain_server(void)
{
    static struct redis_server s;
    const char *warning;
    struct err e = {0};
    redis_server_start(&s, no_options);
    struct redis_link *l = redis_link_new(&s.target);
    CHECK_INT(redis_check(l, &warning, &e), 0);
    CHECK(warning && strstr(warning, "appendonly"));
    redis_reply_free(
        REDIS_COMMAND(l, &e, STR("CONFIG"), STR("SET"), STR("appendonly"), STR("yes")));
    CHECK_INT(redis_check(l, &warning, &e), 0);
    CHECK(!warning);
    replies(l);
    scripts(l);
    no_memory(l);
    secrets_stay(l);
    killed(&s, l);
    redis_link_free(l);
    s.target.password = STR("s3cret");
    l = redis_link_new(&s.target);
    CHECK(!ping(l, &e));
    CHECK_INT(e.kind, ERR_REFUSED);
    CHECK(says(&e, "wants no password"));
    redis_link_free(l);
}

static void refused(struct redis_target target, const char *words)
{
    struct err e = {0};
    struct redis_link *l = redis_link_new(&target);
    const char *warning;
    CHECK_INT(redis_check(l, &warning, &e), -1);
    CHECK_INT(e.kind, ERR_REFUSED);
    CHECK(says(&e, words));
    CHECK(!strstr(e.text, "s3"));
    redis_link_free(l);
}

/* A user without CONFIG, CLIENT and SCRIPT KILL can still check and work. */
static void little_rights(struct redis_target target, struct redis_link *admin)
{
    struct err e = {0};
    redis_reply_free(REDIS_COMMAND(admin, &e, STR("ACL"), STR("SETUSER"), STR("tw"),
                                   STR("on"), STR(">s3"), STR("~*"), STR("+@all"),
                                   STR("-config"), STR("-client"), STR("-flushall")));
    CHECK_INT(e.kind, ERR_NONE);
    target.user = STR("tw");
    target.password = STR("s3");
    struct redis_link *l = redis_link_new(&target);
    const char *warning;
    CHECK_INT(redis_check(l, &warning, &e), 0);
    CHECK(!warning);
    CHECK(ping(l, &e));
    CHECK(!REDIS_COMMAND(l, &e, STR("FLUSHALL")));
    CHECK_INT(e.kind, ERR_REFUSED);
    CHECK(says(&e, "ACL SETUSER"));
    redis_link_free(l);
}

static void password(void)
{
    static struct redis_server s;
    redis_server_start(&s, with_password);
    struct err e = {0};
    struct redis_target target = s.target;
    refused(target, "wants a password");
    target.password = STR("s3wrong");
    refused(target, "is wrong");
    target.password = str_of(with_password[1]);
    target.db = 99;
    refused(target, "no such database");
    target.db = 9;
    struct redis_link *l = redis_link_new(&target);
    CHECK(ping(l, &e));
    little_rights(target, l);
    redis_link_free(l);
}

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    CHECK(f && fputs(text, f) >= 0);
    if (f)
        fclose(f);
}

/* The server has the new one already, its file not yet: that is waited for. */
static void password_is_changed(void)
{
    static struct redis_server s;
    static const char *const first[] = {"--requirepass", "s3one", NULL};
    char file[64];
    struct err e = {0};
    redis_server_start(&s, first);
    snprintf(file, sizeof file, "%s/password", s.dir);
    s.target.password_file = str_of(file);
    refused(s.target, "/password cannot be read");
    put(file, "s3two\n");
    refused(s.target, "is wrong");
    put(file, "s3one\n");
    struct redis_link *l = redis_link_new(&s.target);
    CHECK(ping(l, &e));
    redis_reply_free(REDIS_COMMAND(l, &e, STR("CONFIG"), STR("SET"), STR("requirepass"),
                                   STR("s3two")));
    CHECK(ping(l, &e));
    redis_link_drop(l);
    CHECK(!ping(l, &e));
    CHECK_INT(e.kind, ERR_UNAVAILABLE);
    CHECK(says(&e, "is wrong"));
    put(file, "s3two\n");
    CHECK(ping(l, &e));
    CHECK_INT(unlink(file), 0);
    CHECK(ping(l, &e));
    redis_link_free(l);
}

static void set(struct redis_link *l, const char *name, const char *value)
{
    struct err e = {0};
    redis_reply_free(
        REDIS_COMMAND(l, &e, STR("CONFIG"), STR("SET"), str_of(name), str_of(value)));
    CHECK_INT(e.kind, ERR_NONE);
}

/* A policy that is changed while we run, and what it did. */
static void evicting_server(void)
{
    static struct redis_server s;
    const char *warning;
    struct err e = {0};
    redis_server_start(&s, may_evict);
    refused(s.target, "CONFIG SET maxmemory-policy noeviction");
    struct redis_link *l = redis_link_new(&s.target);
    set(l, "maxmemory-policy", "noeviction");
    CHECK_INT(redis_check(l, &warning, &e), 0);
    CHECK(warning && strstr(warning, "appendonly"));
    CHECK_INT(run_script(l, "for i = 1, 100 do redis.call('SET', i, i) end return 1", &e),
              1);
    set(l, "maxmemory-policy", "allkeys-random");
    set(l, "maxmemory", "1");
    set(l, "maxmemory", "0");
    CHECK_INT(redis_check(l, &warning, &e), -1);
    CHECK_INT(e.kind, ERR_REFUSED);
    err_clear(&e);
    set(l, "maxmemory-policy", "noeviction");
    CHECK_INT(redis_check(l, &warning, &e), 0);
    CHECK(warning && strstr(warning, "evicted_keys"));
    redis_link_free(l);
}

/* A socket that accepts and never says a word. */
static void silent_server(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(bind(fd, (struct sockaddr *)&a, n), 0);
    CHECK_INT(listen(fd, 8), 0);
    CHECK_INT(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    struct redis_target t = {.addresses = {{STR("127.0.0.1"), ntohs(a.sin_port)}},
                             .addresses_n = 1,
                             .timeout_ms = 200};
    struct redis_link *l = redis_link_new(&t);
    struct err e = {0};
    int64_t began = clock_monotonic_ms();
    CHECK(!ping(l, &e));
    CHECK_INT(e.kind, ERR_UNAVAILABLE);
    CHECK(clock_monotonic_ms() - began >= 150 && clock_monotonic_ms() - began < 20000);
    redis_link_free(l);
    close(fd);
}

static int64_t increment(struct redis_link *l, struct err *e)
{
    struct redisReply *r = REDIS_COMMAND(l, e, STR("INCR"), STR("n"));
    int64_t v = r ? redis_reply_int(r) : -1;
    redis_reply_free(r);
    return v;
}

/* Frozen in the middle: every command ends in time, and what it said is not taken for a later answer. */
static void frozen_server(void)
{
    static struct redis_server s;
    struct err e = {0};
    redis_server_start(&s, no_options);
    s.target.timeout_ms = 1000;
    struct redis_link *l = redis_link_new(&s.target);
    CHECK_INT(increment(l, &e), 1);
    kill(s.pid, SIGSTOP);
    int64_t began = clock_monotonic_ms();
    CHECK_INT(increment(l, &e), -1);
    CHECK_INT(e.kind, ERR_UNAVAILABLE);
    CHECK(clock_monotonic_ms() - began >= 900 && clock_monotonic_ms() - began < 20000);
    CHECK(!ping(l, &e)); /* the kernel accepts, nobody greets */
    CHECK(clock_monotonic_ms() - began < 40000);
    kill(s.pid, SIGCONT);
    err_clear(&e);
    CHECK_INT(increment(l, &e), 3); /* it had been sent */
    redis_link_free(l);
}

static int option(const struct redis_link *l, int level, int name)
{
    int value = 0;
    socklen_t n = sizeof value;
    CHECK_INT(getsockopt(redis_fd(l), level, name, &value, &n), 0);
    return value;
}

/* A peer that vanished without a word, between two commands. */
static void guarded_socket(void)
{
    static struct redis_server s;
    struct err e = {0};
    redis_server_start(&s, no_options);
    struct redis_link *l = redis_link_new(&s.target);
    CHECK(ping(l, &e));
    CHECK_INT(option(l, SOL_SOCKET, SO_KEEPALIVE), 1);
    CHECK_INT(option(l, IPPROTO_TCP, TCP_USER_TIMEOUT), s.target.timeout_ms);
    redis_link_free(l);
}

/* Another one's endless script holds Redis: not our failure, and over once it is killed. */
static void busy_server(void)
{
    static struct redis_server s;
    struct err e = {0};
    redis_server_start(&s, no_options);
    struct redis_link *l = redis_link_new(&s.target), *other = redis_link_new(&s.target);
    set(l, "lua-time-limit", "20");
    struct str endless[] = {STR("EVAL"), STR("while true do end"), STR("0")};
    CHECK_INT(redis_send(other, &e, 3, endless), 0);
    usleep(100000);
    CHECK(!ping(l, &e));
    CHECK_INT(e.kind, ERR_UNAVAILABLE);
    CHECK(redis_link_answered(l));
    CHECK(says(&e, "BUSY"));
    CHECK_INT(run_script(l, "return 1", &e), -1);
    err_clear(&e);
    redis_reply_free(REDIS_COMMAND(l, &e, STR("SCRIPT"), STR("KILL")));
    for (int i = 0; i < 1000 && !ping(l, &e); i++)
        usleep(10000);
    CHECK_INT(run_script(l, "return 1", &e), 1);
    redis_link_free(other);
    redis_link_free(l);
}

int main(void)
{
    silent_server();
    plain_server();
    password();
    password_is_changed();
    evicting_server();
    frozen_server();
    guarded_socket();
    busy_server();
    return check_result();
}

/* The connection to a real Redis: what it says when something is wrong, and that it works
 * again afterwards. */
#include "tests/check.h"
#include "tests/redis_server.h"
#include "windows/redis_check.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char *const no_options[] = {NULL};
static const char *const with_password[] = {"--requirepass", "s3:cr@t/", NULL};
static const char *const may_evict[] = {"--maxmemory-policy", "allkeys-lru", NULL};
static const char *const cluster[] = {"--cluster-enabled", "yes", NULL};

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

static void wrong_server(void)
{
    static struct redis_server evicting, clustered;
    redis_server_start(&evicting, may_evict);
    refused(evicting.target, "CONFIG SET maxmemory-policy noeviction");
    redis_server_start(&clustered, cluster);
    refused(clustered.target, "cluster mode");
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
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
    int64_t began = now_ms();
    CHECK(!ping(l, &e));
    CHECK_INT(e.kind, ERR_UNAVAILABLE);
    CHECK(now_ms() - began >= 150 && now_ms() - began < 1500);
    redis_link_free(l);
    close(fd);
}

int main(void)
{
    silent_server();
    plain_server();
    password();
    wrong_server();
    return check_result();
}

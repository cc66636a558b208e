/* Where a link goes: what MOVED and ASK say, and what a link does about them, about servers that are not the
 * right ones, and about answers that end in the middle. */
#include "tests/check.h"
#include "tests/fake_redis.h"
#include "windows/redis_words.h"

#include <time.h>

static struct fake_redis a, b;

static const struct redis_place local = {"10.0.0.1", 7000}, socket_path = {"/run/r", 0};

static void redirect(const char *said, enum redis_redirect where, const char *host,
                     int port)
{
    struct redis_place to = {"", 0};
    CHECK_INT(redis_redirect(said, &local, &to), where);
    CHECK_STR(str_of(to.host), str_of(host));
    CHECK_INT(to.port, port);
}

static void redirects(void)
{
    struct redis_place to;
    redirect("MOVED 3999 10.0.0.2:7001", REDIS_MOVED, "10.0.0.2", 7001);
    redirect("MOVED 0 redis-2.example:7001", REDIS_MOVED, "redis-2.example", 7001);
    redirect("MOVED 0 2001:db8::5:7001", REDIS_MOVED, "2001:db8::5", 7001);
    redirect("MOVED 0 :7001", REDIS_MOVED, "10.0.0.1", 7001);
    redirect("ASK 16383 10.0.0.2:1", REDIS_ASK, "10.0.0.2", 1);
    redirect("MOVED", REDIS_STAY, "", 0);
    redirect("MOVED 3999", REDIS_STAY, "", 0);
    redirect("MOVED 3999 host", REDIS_STAY, "", 0);
    redirect("MOVED 3999 host:", REDIS_STAY, "", 0);
    redirect("MOVED 3999 host:0", REDIS_STAY, "", 0);
    redirect("MOVED 3999 host:70000", REDIS_STAY, "", 0);
    redirect("MOVED 3999 host:7001x", REDIS_STAY, "", 0);
    redirect("ASKING", REDIS_STAY, "", 0);
    redirect("ERR MOVED 1 h:1", REDIS_STAY, "", 0);
    CHECK_INT(redis_redirect("MOVED 1 :7001", &socket_path, &to), REDIS_MOVED);
    CHECK_STR(str_of(to.host), STR("127.0.0.1"));
}

/* The number that is answered; -1: none, and e says why. */
static int64_t get(struct redis_link *l, struct err *e)
{
    err_clear(e);
    struct redisReply *r = REDIS_COMMAND(l, e, STR("GET"), STR("k"));
    int64_t v = r ? redis_reply_int(r) : -1;
    redis_reply_free(r);
    return v;
}

static void unavailable(struct redis_link *l, const char *words)
{
    struct err e;
    CHECK_INT(get(l, &e), -1);
    CHECK_INT(e.kind, ERR_UNAVAILABLE);
    if (!strstr(e.text, words))
        fprintf(stderr, "it says: %s\n", e.text);
    CHECK(strstr(e.text, words));
}

/* Both servers of the test, and a link that knows the first of them. */
static struct redis_link *begin(void)
{
    fake_redis_start(&a);
    fake_redis_start(&b);
    return redis_link_new(&a.target);
}

static void end(struct redis_link *l)
{
    redis_link_free(l);
    fake_redis_stop(&a);
    fake_redis_stop(&b);
}

static void moved_is_followed_and_kept(void)
{
    struct err e;
    struct redis_link *l = begin();
    fake_redis_says(&a, "-MOVED 7 127.0.0.1:%d\r\n", b.port);
    fake_redis_says(&b, ":1\r\n");
    for (int i = 0; i < 3; i++)
        CHECK_INT(get(l, &e), 1);
    CHECK_INT(a.commands, 1);
    CHECK_INT(b.commands, 3);
    redis_link_drop(l);
    CHECK_INT(get(l, &e), 1);
    CHECK_INT(a.commands, 1);
    fake_redis_says(&a, ":2\r\n");
    fake_redis_says(&b, "-MOVED 7 :%d\r\n", a.port);
    CHECK_INT(get(l, &e), 2);
    end(l);
}

static void ask_is_for_one_command(void)
{
    struct err e;
    struct redis_link *l = begin();
    fake_redis_says(&a, ":1\r\n");
    fake_redis_then(&a, "-ASK 7 127.0.0.1:%d\r\n", b.port);
    fake_redis_then(&a, ":3\r\n");
    fake_redis_says(&b, ":2\r\n");
    for (int i = 1; i <= 3; i++)
        CHECK_INT(get(l, &e), i);
    CHECK_INT(b.asked, 1);
    CHECK_INT(a.asked, 0);
    fake_redis_says(&a, "-ASK 7 127.0.0.1:%d\r\n", b.port);
    fake_redis_says(&b, "-TRYAGAIN Multiple keys request during rehashing of slot\r\n");
    unavailable(l, "TRYAGAIN");
    fake_redis_says(&a, ":4\r\n");
    CHECK_INT(get(l, &e), 4);
    end(l);
}

/* ASKING holds for one command only, also where that command must be said twice. */
static void ask_with_a_script(void)
{
    struct err e = {0};
    struct redis_script script = {.name = "s", .text = "return 5"};
    struct redis_link *l = begin();
    fake_redis_says(&a, "-ASK 7 127.0.0.1:%d\r\n", b.port);
    fake_redis_says(&b, "-NOSCRIPT No matching script\r\n");
    fake_redis_then(&b, ":5\r\n");
    struct redisReply *r = redis_run(l, &script, 1, 1, &STR("k"), &e);
    CHECK_INT(redis_reply_int(r), 5);
    redis_reply_free(r);
    CHECK_INT(b.asked, 3); /* EVALSHA, SCRIPT LOAD, EVALSHA */
    end(l);
}

static void to_and_fro_ends(void)
{
    struct redis_link *l = begin();
    fake_redis_says(&a, "-MOVED 7 127.0.0.1:%d\r\n", b.port);
    fake_redis_says(&b, "-MOVED 7 127.0.0.1:%d\r\n", a.port);
    unavailable(l, "MOVED");
    CHECK_INT(a.commands + b.commands, 6); /* at most five hops */
    fake_redis_says(&a, "-ASK 7 127.0.0.1:%d\r\n", b.port);
    fake_redis_says(&b, "-ASK 7 127.0.0.1:%d\r\n", a.port);
    unavailable(l, "ASK");
    CHECK_INT(a.commands + b.commands, 12);
    struct err e;
    fake_redis_says(&a, ":1\r\n");
    fake_redis_says(&b, ":1\r\n");
    CHECK_INT(get(l, &e), 1);
    end(l);
}

/* A link that knows both. */
static struct redis_link *begin_with_both(void)
{
    fake_redis_start(&a);
    fake_redis_start(&b);
    struct redis_target t = a.target;
    t.addresses[t.addresses_n++] = b.target.addresses[0];
    return redis_link_new(&t);
}

static void not_the_right_one(const char *said)
{
    struct err e;
    struct redis_link *l = begin_with_both();
    fake_redis_says(&a, "-%s\r\n", said);
    fake_redis_says(&b, ":2\r\n");
    unavailable(l, said);
    CHECK_INT(get(l, &e), 2);
    CHECK_INT(get(l, &e), 2);
    CHECK_INT(a.commands, 1);
    end(l);
}

static void not_now(const char *said)
{
    struct err e;
    struct redis_link *l = begin_with_both();
    fake_redis_says(&a, "-%s\r\n", said);
    fake_redis_then(&a, ":1\r\n");
    unavailable(l, said);
    CHECK_INT(get(l, &e), 1);
    CHECK_INT(b.connections, 0);
    end(l);
}

/* Where it was sent is gone: the configured addresses know where the slot is now. */
static void the_place_is_gone(void)
{
    struct err e;
    struct redis_link *l = begin();
    fake_redis_says(&a, "-MOVED 7 127.0.0.1:%d\r\n", b.port);
    fake_redis_then(&a, ":3\r\n");
    fake_redis_says(&b, ":2\r\n");
    CHECK_INT(get(l, &e), 2);
    fake_redis_stop(&b);
    unavailable(l, "does not answer");
    CHECK_INT(get(l, &e), 3);
    fake_redis_says(&a, "-MOVED 7 127.0.0.1:%d\r\n", b.port);
    unavailable(l, "cannot be reached"); /* who is at fault, not who sent us there */
    redis_link_free(l);
    fake_redis_stop(&a);
}

static void the_first_address_is_gone(void)
{
    struct err e;
    struct redis_link *l = begin_with_both();
    fake_redis_stop(&a);
    fake_redis_says(&b, ":2\r\n");
    CHECK_INT(get(l, &e), 2);
    fake_redis_stop(&b);
    unavailable(l, "does not answer");
    unavailable(l, "cannot be reached");
    redis_link_free(l);
}

static void cut_in_the_middle(void)
{
    static const char *const halves[] = {"", "$5", "$5\r\nab",
                                         "*2\r\n:1\r\n:", "-ERR half"};
    struct err e;
    for (size_t i = 0; i < sizeof halves / sizeof *halves; i++) {
        struct redis_link *l = begin();
        fake_redis_says(&a, ":1\r\n");
        fake_redis_then(&a, "%s", halves[i]);
        fake_redis_then(&a, ":3\r\n");
        CHECK_INT(get(l, &e), 1);
        unavailable(l, "does not answer");
        CHECK(!redis_link_answered(l));
        CHECK_INT(get(l, &e), 3);
        end(l);
    }
}

/* What is no reply at all. */
static void nonsense(void)
{
    struct err e;
    struct redis_link *l = begin();
    fake_redis_says(&a, "HTTP/1.1 400 Bad Request\r\n");
    fake_redis_then(&a, ":1\r\n");
    unavailable(l, "does not answer");
    CHECK_INT(get(l, &e), 1);
    end(l);
}

int main(void)
{
    redirects();
    moved_is_followed_and_kept();
    ask_is_for_one_command();
    ask_with_a_script();
    to_and_fro_ends();
    not_the_right_one("READONLY You can't write against a read only replica.");
    not_the_right_one("MASTERDOWN Link with MASTER is down");
    not_the_right_one("CLUSTERDOWN Hash slot not served");
    not_the_right_one("LOADING Redis is loading the dataset in memory");
    not_the_right_one("UNBLOCKED force unblock from blocking operation");
    not_now("TRYAGAIN Multiple keys request during rehashing of slot");
    not_now("BUSY Redis is busy running a script.");
    not_now("OOM command not allowed when used memory > 'maxmemory'.");
    not_now("MISCONF Redis is configured to save RDB snapshots");
    not_now("NOREPLICAS Not enough good replicas to write.");
    not_now("ERR max number of clients reached");
    not_now("NEVERHEARD of it");
    the_place_is_gone();
    the_first_address_is_gone();
    cut_in_the_middle();
    nonsense();
    return check_result();
}

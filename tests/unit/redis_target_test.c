/* redis.url: what it may say, and what is said about what it may not. */
#include "tests/check.h"
#include "windows/redis_link.h"

static bool says(const struct err *e, const char *words)
{
    if (!strstr(e->text, words))
        fprintf(stderr, "it says: %s\n", e->text);
    return strstr(e->text, words) != NULL;
}

static void check_url(const char *url, const char *host, int port, const char *password)
{
    struct redis_target t;
    struct err e = {0};
    CHECK_INT(redis_target_parse(str_of(url), &t, &e), 0);
    CHECK_INT(t.addresses_n, 1);
    CHECK_STR(t.addresses[0].host, str_of(host));
    CHECK_INT(t.addresses[0].port, port);
    CHECK_STR(t.password, str_of(password));
}

static void check_bad_url(const char *url, const char *words)
{
    struct redis_target t;
    struct err e = {0};
    CHECK_INT(redis_target_parse(str_of(url), &t, &e), -1);
    CHECK_INT(e.kind, ERR_INPUT);
    CHECK(says(&e, words));
    CHECK(!strstr(e.text, "s3cret"));
}

static void urls(void)
{
    struct redis_target t;
    struct err e = {0};
    check_url("redis://h", "h", 6379, "");
    check_url("redis://h/", "h", 6379, "");
    check_url("redis://10.0.0.1:7000/3", "10.0.0.1", 7000, "");
    check_url("redis://:p@ss/wo:rd@h:1", "h", 1, "p@ss/wo:rd");
    check_url("redis://[::1]:65535", "::1", 65535, "");
    check_url("redis://[::1]", "::1", 6379, "");
    CHECK_INT(redis_target_parse(STR("redis://me:pw@h/12"), &t, &e), 0);
    CHECK_STR(t.user, STR("me"));
    CHECK_INT(t.db, 12);
    CHECK_INT(redis_target_parse(STR("redis://:p,w@h1:7001,[::1]:7002,h3/0"), &t, &e), 0);
    CHECK_STR(t.password, STR("p,w"));
    CHECK_INT(t.addresses_n, 3);
    CHECK_STR(t.addresses[0].host, STR("h1"));
    CHECK_INT(t.addresses[0].port, 7001);
    CHECK_STR(t.addresses[1].host, STR("::1"));
    CHECK_INT(t.addresses[1].port, 7002);
    CHECK_STR(t.addresses[2].host, STR("h3"));
    CHECK_INT(t.addresses[2].port, 6379);
    CHECK_INT(redis_target_parse(STR("unix:///run/r.sock"), &t, &e), 0);
    CHECK_STR(t.path, STR("/run/r.sock"));
    CHECK_INT(t.addresses_n, 0);
    check_bad_url("", "must begin with redis://");
    check_bad_url("http://:s3cret@h", "must begin with redis://");
    check_bad_url("redis://", "host is missing");
    check_bad_url("redis://:s3cret@:6379", "host is missing");
    check_bad_url("redis://s3cret@h", "colon is missing");
    check_bad_url("redis://:s3cret%40@h", "redis.password_file");
    check_bad_url("redis://h:0", "port");
    check_bad_url("redis://h:99999999999999999999", "port");
    check_bad_url("redis://h:1x", "port");
    check_bad_url("redis://h/x", "database number");
    check_bad_url("redis://h1,:s3cret@", "host is missing");
    check_bad_url("redis://h1,,h2", "host is missing");
    check_bad_url("redis://h1,h2,", "host is missing");
    check_bad_url("redis://h1:7001,redis://h2:7002", "one redis://");
    check_bad_url("redis://1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "more than 16");
    check_bad_url("redis://[::1]x", "']'");
    if (!redis_has_tls())
        check_bad_url("rediss://h", "TLS");
    check_bad_url("unix://r.sock", "absolute");
}

int main(void)
{
    urls();
    return check_result();
}

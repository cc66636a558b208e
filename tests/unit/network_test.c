/* Which addresses a sink may reach. */
#include "sinks/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "tests/check.h"

static bool allows(const char *host, const char *address, const char *word)
{
    struct str words[] = {str_of(word)};
    struct network n = {.allow_private = {words, *word ? 1 : 0}};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    struct sockaddr_in four = {.sin_family = AF_INET};
    if (inet_pton(AF_INET, address, &four.sin_addr) == 1)
        return network_allows(&n, str_of(host), (const struct sockaddr *)&four);
    CHECK_INT(inet_pton(AF_INET6, address, &six.sin6_addr), 1);
    return network_allows(&n, str_of(host), (const struct sockaddr *)&six);
}

static const char *const public_ones[] = {
    "1.1.1.1",         "9.255.255.255",  "11.0.0.0",         "100.63.255.255",
    "100.128.0.0",     "126.1.1.1",      "128.0.0.1",        "172.15.255.255",
    "172.32.0.0",      "192.167.1.1",    "192.169.0.0",      "169.253.1.1",
    "223.255.255.1",   "198.17.1.1",     "198.20.0.1",       "2606:4700::",
    "2a00:1450::200e", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"};

static const char *const private_ones[] = {"10.0.0.1",
                                           "10.255.255.255",
                                           "100.64.0.1",
                                           "100.127.255.255",
                                           "127.0.0.1",
                                           "127.255.255.254",
                                           "172.16.0.1",
                                           "172.31.255.255",
                                           "192.168.0.1",
                                           "198.18.0.1",
                                           "::1",
                                           "fc00::1",
                                           "fdff::1",
                                           "::ffff:127.0.0.1",
                                           "::ffff:10.1.2.3",
                                           "::127.0.0.1",
                                           "64:ff9b::a00:1",
                                           "2002:7f00:1::",
                                           "::ffff:192.168.1.1"};

static const char *const special_ones[] = {"0.0.0.0",
                                           "0.1.2.3",
                                           "169.254.169.254",
                                           "169.254.0.1",
                                           "100.100.100.200",
                                           "168.63.129.16",
                                           "192.0.0.192",
                                           "224.0.0.1",
                                           "239.255.255.250",
                                           "240.0.0.1",
                                           "255.255.255.255",
                                           "203.0.113.7",
                                           "::",
                                           "fe80::1",
                                           "febf::1",
                                           "fec0::1",
                                           "ff02::1",
                                           "fd00:ec2::254",
                                           "fd20:ce::254",
                                           "2001::1",
                                           "2001:db8::1",
                                           "100::1",
                                           "::ffff:169.254.169.254",
                                           "::ffff:0.0.0.0",
                                           "64:ff9b::a9fe:a9fe",
                                           "2002:a9fe:a9fe::",
                                           "64:ff9b:1::1",
                                           "::ffff:224.0.0.1"};

#define N(list) (sizeof(list) / sizeof *(list))

static void say(bool fine, const char *address)
{
    if (!fine)
        fprintf(stderr, "%s\n", address);
    CHECK(fine);
}

static void kinds(void)
{
    for (size_t i = 0; i < N(public_ones); i++)
        say(allows("hooks.example.com", public_ones[i], ""), public_ones[i]);
    for (size_t i = 0; i < N(private_ones); i++) {
        const char *a = private_ones[i];
        say(!allows("hooks.example.com", a, "") && !allows("localhost", a, "") &&
                allows("hooks.example.com", a, "true") && allows(a, a, "") &&
                allows("hooks.example.com", a, "Hooks.example.COM.") &&
                !allows("hooks.example.com", a, "example.com"),
            a);
    }
    for (size_t i = 0; i < N(special_ones); i++) {
        const char *a = special_ones[i];
        say(!allows("hooks.example.com", a, "") &&
                !allows("hooks.example.com", a, "true") && !allows(a, a, "") &&
                !allows(a, a, "true") &&
                !allows("hooks.example.com", a, "hooks.example.com") &&
                allows("hooks.example.com", a, a),
            a);
    }
}

static void networks(void)
{
    CHECK(allows("x", "10.1.2.3", "10.1.0.0/16"));
    CHECK(!allows("x", "10.2.2.3", "10.1.0.0/16"));
    CHECK(allows("x", "10.1.2.3", "10.1.2.3"));
    CHECK(allows("x", "10.1.2.3", "10.1.2.2/31"));
    CHECK(!allows("x", "10.1.2.4", "10.1.2.2/31"));
    CHECK(allows("x", "::ffff:10.1.2.3", "10.1.0.0/16"));
    CHECK(allows("x", "169.254.169.254", "0.0.0.0/0"));
    CHECK(!allows("x", "::1", "0.0.0.0/0"));
    CHECK(allows("x", "127.0.0.1", "::/0"));
    CHECK(allows("x", "fd12:3456::1", "fd12:3456::/32"));
    CHECK(!allows("x", "fd12:3457::1", "fd12:3456::/32"));
}

static void words(void)
{
    static const char *const good[] = {"true",       "localhost", "hooks.internal",
                                       "10.0.0.0/8", "::1",       "fd00::/8",
                                       "a_b-c.d."};
    static const char *const bad[] = {
        "",    "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "::/129",     "http://x",
        "x y", "10.0.0.0/8 ", "x/8",       "[::1]",       "10.0.0.0/8x"};
    struct err e = {0};
    for (size_t i = 0; i < N(good); i++)
        say(network_check_word(str_of(good[i]), &e) == 0, good[i]);
    for (size_t i = 0; i < N(bad); i++) {
        err_clear(&e);
        say(network_check_word(str_of(bad[i]), &e) < 0 && e.kind == ERR_INPUT, bad[i]);
    }
}

static void other_families(void)
{
    struct sockaddr local = {.sa_family = AF_UNIX};
    struct network n = {0};
    CHECK(!network_allows(&n, STR("x"), &local));
}

int main(void)
{
    kinds();
    networks();
    words();
    other_families();
    return check_result();
}

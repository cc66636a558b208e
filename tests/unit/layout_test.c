/* What names a rule's windows: all that decides what is in them, and nothing that only judging or telling reads. */
#include <stdio.h>

#include "config/config.h"
#include "tests/check.h"

/* The name of the windows of the rule `r`, whose parts are these lines. */
static void name_of(const char *parts, char *out, size_t out_bytes)
{
    char text[2000];
    struct config config;
    struct config_report report = {0};
    buf_init(&report.text, 65536);
    snprintf(
        text, sizeof text,
        "sinks: {a: {type: webhook, url: \"http://127.0.0.1:1/\"}, b: {type: webhook, "
        "url: \"http://127.0.0.1:2/\"}}\nrules:\n  r:\n%s",
        parts);
    CHECK_INT(config_parse(str_of(text), "t.yaml", &config, CONFIG_REPLAY, &report), 0);
    CHECK_STR(buf_str(&report.text), STR(""));
    CHECK(config.rules_n > 0 && config.rules[0].window_name.n > 0);
    snprintf(out, out_bytes, "%.*s", STR_ARG(config.rules[0].window_name));
    config_deinit(&config);
    buf_deinit(&report.text);
}

static bool same(const char *a, const char *b)
{
    char x[200], y[200];
    name_of(a, x, sizeof x);
    name_of(b, y, sizeof y);
    return str_eq(str_of(x), str_of(y));
}

#define COUNT "    count: {at_least: 3, within: 1h}\n    send: [a]\n"
#define ANOMALY(rest)                                                             \
    "    by: [account]\n    send: [a]\n    anomaly: {metric: count, bucket: 1h, " \
    "history: 7d, " rest "}\n"

static void test_selection(void)
{
    CHECK(same("    by: [account]\n" COUNT, "    by: [account]\n" COUNT));
    CHECK(!same("    by: [account]\n" COUNT, "    by: [user]\n" COUNT));
    CHECK(!same("    by: [account]\n" COUNT, "    by: [account, user]\n" COUNT));
    CHECK(!same("    by: [account]\n" COUNT,
                "    on: ticket.created\n    by: [account]\n" COUNT));
    CHECK(!same("    by: [account]\n" COUNT,
                "    where: \"exists(user.id)\"\n    by: [account]\n" COUNT));
    CHECK(!same(
        "    by: [account]\n" COUNT,
        "    by: [account]\n    send: [a]\n    count: {at_least: 3, within: 2h}\n"));
}

static void test_judging_and_telling(void)
{
    CHECK(same("    by: [account]\n" COUNT,
               "    by: [account]\n    send: [a, b]\n    severity: high\n"
               "    count: {at_least: 3, within: 1h}\n"));
    CHECK(same(ANOMALY("z: 3"), ANOMALY("z: 4, min_count: 7, direction: up")));
    CHECK(!same(ANOMALY("z: 3"),
                "    by: [account]\n    send: [a]\n    anomaly: {metric: "
                "count, bucket: 2h, history: 7d, z: 3}\n"));
}

/* Another name would be another state: every upgrade would read the history again. */
static void test_stays_what_it_was(void)
{
    char name[200];
    name_of(ANOMALY("z: 3"), name, sizeof name);
    CHECK_STR(str_of(name), STR("r 246d8fa9cd1bf6c2"));
    name_of("    send: [a]\n    anomaly: {metric: mean, field: ticket.csat, bucket: 1d, "
            "history: 28d, z: 3}\n",
            name, sizeof name);
    CHECK_STR(str_of(name), STR("r 7287efcea1d2a13d"));
}

int main(void)
{
    test_selection();
    test_judging_and_telling();
    test_stays_what_it_was();
    return check_result();
}

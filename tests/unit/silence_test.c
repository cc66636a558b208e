/* Which alerts a silence matches, and that it reads back as it was written. */
#include "core/silence.h"
#include "tests/check.h"

static struct alert alert(const char *rule, const char *account, enum severity severity)
{
    struct alert a = {.rule = str_of(rule), .severity = severity, .keys_n = 2};
    a.key_names[0] = STR("page");
    a.key_values[0] = STR("/billing/[x]");
    a.key_names[1] = STR("account");
    a.key_values[1] = str_of(account);
    return a;
}

static bool matches(const struct silence *s, const struct alert *a, int64_t now_ms)
{
    return silence_matches(s, a, STR("ops"), now_ms);
}

static void test_patterns(void)
{
    struct silence s = {.rule = STR("page-*"),
                        .sink = STR("ops"),
                        .key_names = {STR("account")},
                        .key_values = {STR("ac?e")},
                        .keys_n = 1,
                        .most = SEVERITY_HIGH,
                        .from_ms = 100,
                        .until_ms = 200};
    struct alert a = alert("page-error", "acme", SEVERITY_HIGH);
    CHECK(matches(&s, &a, 100));
    CHECK(matches(&s, &a, 199));
    CHECK(!matches(&s, &a, 99));
    CHECK(!matches(&s, &a, 200));
    CHECK(!silence_matches(&s, &a, STR("eng"), 150));
    a = alert("page-error", "acne", SEVERITY_CRITICAL);
    CHECK(!matches(&s, &a, 150));
    a = alert("volume", "acme", SEVERITY_LOW);
    CHECK(!matches(&s, &a, 150));
    a = alert("page-error", "bolt", SEVERITY_LOW);
    CHECK(!matches(&s, &a, 150));
    s.key_names[0] = STR("user"); /* the alert has no such key */
    s.key_values[0] = STR("*");
    a = alert("page-error", "acme", SEVERITY_LOW);
    CHECK(!matches(&s, &a, 150));
}

static void test_reads_back(void)
{
    struct err e = {0};
    struct arena arena;
    struct buf json;
    struct silence back, s = {.id = "0123456789abcdef",
                              .rule = STR("r\"\n"),
                              .key_names = {STR("account"), STR("page")},
                              .key_values = {STR("\xc3\xa4"), STR("/a*")},
                              .keys_n = 2,
                              .most = SEVERITY_MEDIUM,
                              .author = STR("alice"),
                              .reason = STR("deploy"),
                              .from_ms = 1772442000000,
                              .until_ms = 1772442000001};
    arena_init(&arena);
    buf_init(&json, 4096);
    silence_json(&s, &json);
    CHECK_INT(silence_parse(buf_str(&json), &arena, &back, &e), 0);
    CHECK(!strcmp(back.id, s.id) && str_eq(back.rule, s.rule) && back.sink.n == 0);
    CHECK_INT((int64_t)back.keys_n, 2);
    CHECK(str_eq(back.key_values[0], s.key_values[0]) &&
          str_is(back.key_names[1], "page"));
    CHECK(back.most == s.most && str_eq(back.author, s.author));
    CHECK(back.from_ms == s.from_ms && back.until_ms == s.until_ms);
    static const char *const broken[] = {
        "", "{}", "[]", "{\"id\":\"0123456789abcdef\"}",
        "{\"id\":\"0123456789abcdef\",\"key\":[1],\"up_to\":\"low\",\"from\":\"x\"}"};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        CHECK(silence_parse(str_of(broken[i]), &arena, &back, &e) < 0);
    CHECK(silence_text_good(STR("why")) && !silence_text_good(STR("")));
    CHECK(!silence_text_good(STR("\xff")));
    buf_deinit(&json);
    arena_deinit(&arena);
}

int main(void)
{
    test_patterns();
    test_reads_back();
    return check_result();
}

/* The line of an alert: its exact text, the way back, its order. */
#include <math.h>
#include <string.h>

#include "core/alert.h"
#include "core/calendar.h"
#include "tests/check.h"

static const struct alert page_error = {
    .id = "0123456789abcdef0123456789abcdef",
    .rule = STR("page-error"),
    .kind = STR("count"),
    .state = ALERT_FIRING,
    .severity = SEVERITY_MEDIUM,
    .time_ms = 1772442847120, /* 2026-03-02T09:14:07.120Z */
    .keys_n = 2,
    .key_names = {STR("page"), STR("error")},
    .key_values = {STR("/billing/invoices/:id"), STR("httperror inv_500 \"<n>\"")},
    .summary = STR("3 errors"),
    .count = 3,
    .users = 2,
    .accounts = {{.id = STR("acme"),
                  .name = STR("Acme"),
                  .tier = STR("enterprise"),
                  .mrr = 12000,
                  .renewal = STR("2026-06-30"),
                  .owner = STR("csm-3")},
                 {.id = STR("tiny"), .mrr = 49.5}},
    .accounts_listed = 2,
    .accounts_n = 4,
    .first_seen_ms = 1772442000000,
    .last_seen_ms = 1772442847120,
    .trend = {.n = 3, .step_ms = 300000, .values = {1, NAN, 0.25}},
    .evidence = {{.event = STR("evt-1"),
                  .ticket = STR("T-1"),
                  .user = STR("u-1"),
                  .account = STR("acme"),
                  .time_ms = 1772442000000,
                  .partition = 0,
                  .offset = 812},
                 {.event = STR("evt-2"), .time_ms = 1772442847120, .partition = -1}},
    .evidence_n = 2,
    .sample = {.page_url = STR("https://app.example.com/billing/invoices/8841"),
               .error_code = STR("INV_500"),
               .version = STR("4.2.1")},
};

#define PAGE_ERROR_HEAD                                                                 \
    "{\"id\":\"0123456789abcdef0123456789abcdef\",\"rule\":\"page-error\",\"kind\":"    \
    "\"count\","                                                                        \
    "\"state\":\"firing\",\"severity\":\"medium\",\"time\":\"2026-03-02T09:14:07."      \
    "120Z\","                                                                           \
    "\"key\":{\"page\":\"/billing/invoices/:id\",\"error\":\"httperror inv_500 "        \
    "\\\"<n>\\\"\"},"                                                                   \
    "\"summary\":\"3 errors\",\"count\":3,\"users\":2,"                                 \
    "\"accounts\":[{\"id\":\"acme\",\"name\":\"Acme\",\"tier\":\"enterprise\",\"mrr\":" \
    "12000,"                                                                            \
    "\"renewal\":\"2026-06-30\",\"owner\":\"csm-3\"},{\"id\":\"tiny\",\"mrr\":49.5}],"  \
    "\"accounts_total\":4,"                                                             \
    "\"first_seen\":\"2026-03-02T09:00:00.000Z\",\"last_seen\":\"2026-03-02T09:14:07."  \
    "120Z\",\"trend\":{\"step\":\"5m\",\"values\":[1,null,0.25]},"                        \
    "\"evidence\":[{\"event\":\"evt-1\",\"ticket\":\"T-1\",\"user\":\"u-1\","           \
    "\"account\":\"acme\",\"time\":\"2026-03-02T09:00:00.000Z\""
#define PAGE_ERROR_TAIL                                                           \
    "},{\"event\":\"evt-2\",\"time\":\"2026-03-02T09:14:07.120Z\"}],"             \
    "\"sample\":{\"page_url\":\"https://app.example.com/billing/invoices/8841\"," \
    "\"error_code\":\"INV_500\",\"version\":\"4.2.1\"}}"

static struct buf line;
static struct arena arena;

static struct str json_of(const struct alert *a, bool positions)
{
    buf_clear(&line);
    alert_json(a, positions, &line);
    return buf_str(&line);
}

static void writes_members_in_order(void)
{
    CHECK_STR(json_of(&page_error, true),
              STR(PAGE_ERROR_HEAD ",\"partition\":0,\"offset\":812" PAGE_ERROR_TAIL));
    CHECK_STR(json_of(&page_error, false), STR(PAGE_ERROR_HEAD PAGE_ERROR_TAIL));
}

static void leaves_out_what_is_empty(void)
{
    struct alert a = {.id = "ffffffffffffffffffffffffffffffff",
                      .rule = STR("r"),
                      .kind = STR("anomaly"),
                      .state = ALERT_RESOLVED,
                      .severity = SEVERITY_CRITICAL};
    CHECK_STR(json_of(&a, true),
              STR("{\"id\":\"ffffffffffffffffffffffffffffffff\",\"rule\":\"r\",\"kind\":"
                  "\"anomaly\",\"state\":\"resolved\",\"severity\":\"critical\",\"time\":"
                  "\"1970-01-01T00:00:00.000Z\",\"key\":{},\"count\":0,"
                  "\"first_seen\":\"1970-01-01T00:00:00.000Z\","
                  "\"last_seen\":\"1970-01-01T00:00:00.000Z\"}"));
}

static bool says(const struct alert *a, const char *part)
{
    struct str s = json_of(a, false);
    return memmem(s.p, s.n, part, strlen(part)) != NULL;
}

static void rounds_numbers(void)
{
    struct alert a = page_error;
    a.anomaly = (struct alert_anomaly){.present = true,
                                       .value = 0.1 + 0.2,
                                       .mean = 41,
                                       .stddev = 1.0 / 3,
                                       .z = -3.00005,
                                       .bucket_ms = 5400000};
    CHECK(says(&a, "\"value\":0.3,\"mean\":41,\"stddev\":0.3333,\"z\":-3.0001,"
                   "\"direction\":\"down\",\"bucket\":\"1h30m\"}"));
    a.anomaly.value = -0.00001;
    a.anomaly.mean = 98765432.12345;
    a.anomaly.up = true;
    CHECK(says(&a, "\"value\":0,\"mean\":98765432.1235,"));
    CHECK(says(&a, "\"direction\":\"up\""));
    a.anomaly.value = NAN;
    CHECK(!says(&a, "\"value\""));
}

static void cuts_texts_between_code_points(void)
{
    struct alert a = page_error, back;
    struct err e = {0};
    size_t n = 100001;
    char *message = malloc(n);
    for (size_t i = 0; i + 1 < n; i += 2)
        memcpy(message + i, "\xC3\xA9", 2);
    message[0] = 'x'; /* so that every even ceiling lies inside a code point */
    memmove(message + 1, message + 2, n - 2);
    a.sample.error_message = (struct str){message, n - 2};
    CHECK_INT(alert_parse(json_of(&a, true), &arena, &back, &e), 0);
    CHECK_INT(back.sample.error_message.n, 2047);
    CHECK(memcmp(back.sample.error_message.p, message, 2047) == 0);
    CHECK(line.n < 4096);
    free(message);
}

static void never_writes_invalid_utf8(void)
{
    struct alert a = page_error, back;
    struct err e = {0};
    a.summary = STR("half \xE2\x82");
    a.rule = STR("\xFF\xFE");
    a.key_values[0] = STR("a\0b");
    CHECK_INT(alert_parse(json_of(&a, true), &arena, &back, &e), 0);
    CHECK_STR(back.summary, STR("half "));
    CHECK_STR(back.rule, STR("\xEF\xBF\xBD"));
    CHECK_STR(back.key_values[0], STR("a\0b"));
}

static void reads_back_what_it_wrote(void)
{
    struct alert a = page_error, back;
    struct err e = {0};
    a.state = ALERT_ESCALATED;
    a.anomaly = (struct alert_anomaly){.present = true,
                                       .value = 2.25,
                                       .mean = 4.5,
                                       .stddev = 0.5,
                                       .z = -4.5,
                                       .bucket_ms = 86400000};
    struct str first = arena_str(&arena, json_of(&a, true));
    CHECK_INT(alert_parse(first, &arena, &back, &e), 0);
    CHECK_STR(json_of(&back, true), first);
    CHECK_INT(alert_cmp(&a, &back), 0);
    CHECK_INT(back.evidence[1].partition, -1);
    CHECK_INT(back.accounts_n, 4);
    CHECK(back.anomaly.z == -4.5 && back.anomaly.bucket_ms == 86400000);
    CHECK(back.trend.n == 3 && isnan(back.trend.values[1]));
}

static void a_novelty_keeps_its_range(void)
{
    struct alert a = page_error, back;
    struct err e = {0};
    a.anomaly = (struct alert_anomaly){.present = true,
                                       .value = 61,
                                       .mean = 3,
                                       .stddev = 1.75,
                                       .z = 12.5,
                                       .up = true,
                                       .bucket_ms = CALENDAR_MONTH,
                                       .novelty = true,
                                       .highest = 9,
                                       .score = 5.8125};
    struct str first = arena_str(&arena, json_of(&a, true));
    CHECK(memmem(first.p, first.n, "\"bucket\":\"month\",\"lowest\":0", 27));
    CHECK_INT(alert_parse(first, &arena, &back, &e), 0);
    CHECK_STR(json_of(&back, true), first);
    CHECK(back.anomaly.novelty && back.anomaly.score == 5.8125);
    CHECK_INT(back.anomaly.bucket_ms, CALENDAR_MONTH);
}

static void contributors_come_back(void)
{
    struct alert a = page_error, back;
    struct err e = {0};
    a.contributors[0] = (struct alert_contributor){STR("ticket.feature"), STR("invoices"),
                                                   0.75, 0.3333333};
    a.contributors[1] =
        (struct alert_contributor){STR("account"), STR("ac\"me"), 0.5, (double)NAN};
    a.contributors_n = 2;
    struct str first = arena_str(&arena, json_of(&a, true));
    static const char want[] = "\"contributors\":[{\"field\":\"ticket.feature\","
                               "\"value\":\"invoices\",\"share\":"
                               "0.75,\"usual\":0.3333},{\"field\":\"account\",\"value\":"
                               "\"ac\\\"me\",\"share\":0.5}]";
    CHECK(memmem(first.p, first.n, want, sizeof want - 1));
    CHECK_INT(alert_parse(first, &arena, &back, &e), 0);
    CHECK_STR(json_of(&back, true), first);
    CHECK_INT(back.contributors_n, 2);
    CHECK(isnan(back.contributors[1].usual));
}

static void a_ratio_keeps_its_counts(void)
{
    struct alert a = page_error, back;
    struct err e = {0};
    a.anomaly = (struct alert_anomaly){.present = true,
                                       .value = 0.25,
                                       .mean = 0.2,
                                       .stddev = 0.5,
                                       .z = 2.5,
                                       .up = true,
                                       .bucket_ms = 86400000,
                                       .share = true,
                                       .matched = 31,
                                       .limit = true};
    for (int limit = 0; limit < 3; limit++) {
        a.anomaly.limit = limit == 1;
        a.anomaly.overall = limit == 2;
        a.estimated = limit == 2;
        struct str first = arena_str(&arena, json_of(&a, true));
        CHECK_INT(alert_parse(first, &arena, &back, &e), 0);
        CHECK_STR(json_of(&back, true), first);
        CHECK_INT(back.anomaly.matched, 31);
        CHECK(back.anomaly.share && back.anomaly.limit == (limit == 1));
        CHECK(back.anomaly.overall == (limit == 2) && back.estimated == (limit == 2));
    }
}

#define MINIMAL(more)                                                                  \
    "{\"id\":\"0123456789abcdef0123456789abcdef\",\"rule\":\"r\",\"kind\":\"count\","  \
    "\"state\":\"firing\",\"severity\":\"low\",\"time\":\"2026-03-02T09:14:07.120Z\"," \
    "\"first_seen\":\"2026-03-02T09:14:07Z\",\"last_seen\":\"2026-03-02T09:14:"        \
    "07Z\"" more "}"

static void ignores_unknown_members(void)
{
    struct alert back;
    struct err e = {0};
    struct str s = STR(MINIMAL(",\"new\":[1],\"key\":{\"a\":\"b\"}"));
    CHECK_INT(alert_parse(s, &arena, &back, &e), 0);
    CHECK_INT(back.keys_n, 1);
    CHECK_STR(back.key_values[0], STR("b"));
    CHECK(!back.anomaly.present);
}

static void refuses_what_is_no_alert(void)
{
    static const char *const bad[] = {
        "",
        "x",
        "[]",
        "{}",
        "null",
        "{\"id\":\"0123456789abcdef0123456789abcdef\"}",
        MINIMAL(",\"key\":[]"),
        MINIMAL(",\"key\":{\"a\":1}"),
        MINIMAL(",\"key\":{\"a\":\"\",\"b\":\"\",\"c\":\"\",\"d\":\"\",\"e\":\"\"}"),
        MINIMAL(",\"summary\":7"),
        MINIMAL(",\"count\":\"3\""),
        MINIMAL(",\"count\":3.5"),
        MINIMAL(",\"accounts\":{}"),
        MINIMAL(",\"accounts\":[1]"),
        MINIMAL(",\"accounts\":[{\"mrr\":\"a lot\"}]"),
        MINIMAL(",\"evidence\":[{\"event\":\"e\"}]"),
        MINIMAL(",\"evidence\":[{},{},{},{},{},{}]"),
        MINIMAL(",\"direction\":\"sideways\",\"bucket\":\"1h\""),
        MINIMAL(",\"direction\":\"up\",\"bucket\":\"soon\""),
        MINIMAL(",\"rule\":\"twice\""),
        MINIMAL("") "{}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct alert back;
        struct err e = {0};
        bool refused = alert_parse(str_of(bad[i]), &arena, &back, &e) == -1;
        if (!refused || e.kind != ERR_INPUT || !e.text[0])
            fprintf(stderr, "accepted: %s\n", bad[i]);
        CHECK(refused && e.kind == ERR_INPUT && e.text[0]);
    }
}

static void refuses_a_bad_word(const char *from, const char *to)
{
    struct alert back;
    struct err e = {0};
    struct buf b;
    buf_init(&b, 1 << 16);
    const char *good = MINIMAL(""), *at = strstr(good, from);
    buf_mem(&b, good, (size_t)(at - good));
    buf_text(&b, to);
    buf_text(&b, at + strlen(from));
    CHECK_INT(alert_parse(buf_str(&b), &arena, &back, &e), -1);
    CHECK_INT(e.kind, ERR_INPUT);
    buf_deinit(&b);
}

static void sorts_by_time_rule_key_state(void)
{
    struct alert rows[8];
    for (int i = 0; i < 8; i++)
        rows[i] = page_error;
    rows[1].severity = SEVERITY_HIGH;
    rows[2].state = ALERT_ESCALATED;
    rows[3].key_values[1] = STR("httperror inv_500 \"<n>\" more");
    rows[4].key_values[0] = STR("/billing/invoices/\xC3\xA9");
    rows[5].rule = STR("page-error-2");
    rows[6].rule = STR("r");
    rows[7].time_ms++;
    rows[7].rule = STR("a");
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 8; j++) {
            int c = alert_cmp(&rows[i], &rows[j]);
            CHECK_INT((c > 0) - (c < 0), (i > j) - (i < j));
        }
}

static void names_severities(void)
{
    enum severity s = SEVERITY_LOW;
    CHECK(severity_named(STR("critical"), &s) && s == SEVERITY_CRITICAL);
    CHECK(!severity_named(STR("Critical"), &s));
    CHECK(!severity_named(STR_NONE, &s));
    CHECK(strcmp(severity_name(SEVERITY_MEDIUM), "medium") == 0);
    CHECK(strcmp(alert_state_name(ALERT_RESOLVED), "resolved") == 0);
}

int main(void)
{
    arena_init(&arena);
    buf_init(&line, 1 << 20);
    writes_members_in_order();
    leaves_out_what_is_empty();
    rounds_numbers();
    cuts_texts_between_code_points();
    never_writes_invalid_utf8();
    reads_back_what_it_wrote();
    a_novelty_keeps_its_range();
    contributors_come_back();
    a_ratio_keeps_its_counts();
    ignores_unknown_members();
    refuses_what_is_no_alert();
    refuses_a_bad_word("firing", "fired");
    refuses_a_bad_word("\"low\"", "\"urgent\"");
    refuses_a_bad_word("0123456789abcdef0", "0123456789ABCDEF0");
    refuses_a_bad_word("2026-03-02T09:14:07.120Z", "yesterday");
    sorts_by_time_rule_key_state();
    names_severities();
    buf_deinit(&line);
    arena_deinit(&arena);
    return check_result();
}

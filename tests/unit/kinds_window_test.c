/* Kinds asked directly: what a window keeps of a hot key, and what is not said of a past that was not read. */
#include "config/config.h"
#include "detectors/detector.h"
#include "tests/check.h"
#include "tests/kind_window.h"

enum { MANY = 10000, MINUTE_MS = 60000 };
static const int64_t T0 = 1772442000000; /* 2026-03-02T09:00:00Z */
static const char yaml[] = "rules:\n"
                           "  fresh: {by: [ticket.category], new_value: {unseen_for: 1h, "
                           "at_least: 3, within: 10m}}\n"
                           "  share: {ratio: {match: \"ticket.escalated == true\", "
                           "bucket: 1h, min_denominator: 4,"
                           " history: 3h, min_history: 1}}\n"
                           "  crowd: {count: {at_least: 3, within: 1h, distinct: "
                           "user}}\n";

static struct config config;
static struct kind_window window;
static struct judgement *const found = &window.found;

static void begin(void)
{
    kind_window_begin(&window);
}

static void add(const struct rule *rule, int64_t time_ms, bool escalated)
{
    char id[32];
    struct value is_escalated;
    struct event e = {.time_ms = time_ms, .values = &is_escalated};
    snprintf(id, sizeof id, "e%010lld", (long long)(time_ms - T0));
    e.id = str_of(id);
    event_add(&e, FIELD_TICKET_ESCALATED,
              (struct value){.type = VALUE_FLAG, .flag = escalated});
    kind_window_add(&window, rule, &e);
}

static void judge(const struct rule *rule, int64_t watermark_ms, int64_t judge_from_ms)
{
    static const struct str key = STR("billing");
    kind_window_judge(&window, rule, &key, watermark_ms, judge_from_ms);
}

static void check_alert(size_t i, enum alert_state wanted, int64_t time_ms, int64_t count)
{
    CHECK(i < found->confirmed_n);
    if (i >= found->confirmed_n)
        return;
    CHECK_INT(found->confirmed[i].state, wanted);
    CHECK_INT(found->confirmed[i].time_ms, time_ms);
    CHECK_INT(found->confirmed[i].count, count);
}

/* Read in two halves, the later one first. */
static void a_hot_new_key_costs_no_more(void)
{
    const struct rule *rule = &config.rules[0];
    begin();
    for (int half = 1; half >= 0; half--) {
        for (int i = 0; i < MANY / 2; i++)
            add(rule, T0 + 1000LL * (half * MANY / 2 + i), false);
        judge(rule, ALWAYS_MS, ALWAYS_MS);
        CHECK_INT(found->confirmed_n, 0);
        CHECK(found->kept_n <
              20); /* two halves of 83 minutes, one an hour, and the first three */
    }
    judge(rule, T0 + 24 * 60 * MINUTE_MS, ALWAYS_MS);
    CHECK_INT(found->confirmed_n, 2);
    check_alert(0, ALERT_FIRING, T0 + 2000, 3);
    check_alert(1, ALERT_RESOLVED, T0 + 1000LL * (MANY - 1) + 60 * MINUTE_MS, MANY);
    CHECK_INT(found->announced_n, 2);
    CHECK(window.state.n == 0 && window.kept.n == 0);
}

static void nothing_is_new_in_an_unread_past(void)
{
    const struct rule *rule = &config.rules[0];
    int64_t from_ms = T0 + rule->lookback_ms, later_ms = T0 + 180 * MINUTE_MS;
    CHECK_INT(rule->lookback_ms, 70 * MINUTE_MS);
    begin();
    for (int i = 0; i < 3; i++) {
        add(rule, T0 + i, false);
        add(rule, later_ms + i, false);
    }
    judge(rule, T0 + 10, from_ms);
    CHECK_INT(found->confirmed_n, 0);
    judge(rule, later_ms + 10, from_ms);
    CHECK_INT(found->confirmed_n, 1);
    check_alert(0, ALERT_FIRING, later_ms + 2, 3);
}

/* Of a bucket's events the first five of each side stay. */
static void a_hot_share_costs_no_more(void)
{
    const struct rule *rule = &config.rules[1];
    begin();
    for (int i = 0; i < 8; i++)
        add(rule, T0 + i, i < 1);
    for (int i = 0; i < MANY; i++)
        add(rule, T0 + 60 * MINUTE_MS + i, i >= MANY / 2);
    judge(rule, T0 + 60 * MINUTE_MS, ALWAYS_MS);
    CHECK_INT(found->confirmed_n, 0);
    CHECK_INT(found->kept_n, 10);
    judge(rule, T0 + 120 * MINUTE_MS - 1, ALWAYS_MS);
    CHECK_INT(found->confirmed_n, 0); /* one millisecond is still to come */
    judge(rule, T0 + 120 * MINUTE_MS, ALWAYS_MS);
    CHECK_INT(found->confirmed_n, 0); /* 50 % after 1 of 8: 2.12 standard errors */
    CHECK_INT(found->kept_n, 0);
}

/* The first hour is history only; the second would be judged, were it late enough. */
static void no_share_is_judged_in_an_unread_past(void)
{
    const struct rule *rule = &config.rules[1];
    for (int early = 0; early < 2; early++) {
        begin();
        for (int i = 0; i < 40; i++) {
            add(rule, T0 + i, i < 2);
            add(rule, T0 + 60 * MINUTE_MS + i, i >= 2);
        }
        judge(rule, T0 + 120 * MINUTE_MS, T0 + 120 * MINUTE_MS + early);
        CHECK_INT(found->confirmed_n, !early);
        if (!early) {
            check_alert(0, ALERT_FIRING, T0 + 120 * MINUTE_MS, 40);
            CHECK_INT(found->confirmed[0].anomaly.matched, 38);
            CHECK_INT(found->confirmed[0].evidence_n, ALERT_EVIDENCE_MAX);
            CHECK_INT(found->confirmed[0].evidence[0].time_ms, T0 + 60 * MINUTE_MS + 2);
        }
    }
}

/* Everybody is another person. Read in two halves, the later one first; of those that are kept one stands for all
 * of an hour. */
static void a_crowd_costs_no_more(void)
{
    const struct rule *rule = &config.rules[2];
    int64_t end_ms = T0 + 1000LL * MANY;
    begin();
    for (int half = 1; half >= 0; half--) {
        for (int i = 0; i < MANY / 2; i++)
            add(rule, T0 + 1000LL * (half * MANY / 2 + i), false);
        judge(rule, ALWAYS_MS, ALWAYS_MS);
        CHECK(found->kept_n < 20);
        CHECK(window.kept.n < 8 * 8192);
    }
    judge(rule, end_ms, ALWAYS_MS);
    CHECK_INT(found->confirmed_n, 1);
    CHECK(window.state.n > 8192 && window.state.n < 8192 + 100);
    CHECK_INT(found->kept_n, 0);
    judge(rule, end_ms + 60 * MINUTE_MS, ALWAYS_MS);
    CHECK_INT(found->confirmed_n, 1);
    CHECK(found->confirmed[0].estimated);
    CHECK(found->confirmed[0].count > MANY * 9 / 10 &&
          found->confirmed[0].count < MANY * 11 / 10);
}

int main(void)
{
    struct config_report report;
    int parsed = config_parse(str_of(yaml), "test.yaml", &config, CONFIG_REPLAY, &report);
    CHECK_INT(parsed, 0);
    kind_window_init(&window);
    if (parsed == 0) {
        a_hot_new_key_costs_no_more();
        nothing_is_new_in_an_unread_past();
        a_hot_share_costs_no_more();
        no_share_is_judged_in_an_unread_past();
        a_crowd_costs_no_more();
    }
    kind_window_deinit(&window);
    buf_deinit(&report.text);
    config_deinit(&config);
    return check_result();
}

/* The anomaly kind asked directly: what a hot key costs, what is not said of a past that was not read, and what a state
 * of another zone is worth. */
#include <stdio.h>

#include "config/config.h"
#include "detectors/detector.h"
#include "tests/check.h"
#include "tests/kind_window.h"

enum { MANY = 10000, CHUNK = 13, HOUR_MS = 3600000 };
static const int64_t T0 = 1772442000000; /* 2026-03-02T09:00:00Z */
static const char yaml[] =
    "time: {zone: %s}\n"
    "rules:\n"
    "  hot: {anomaly: {metric: p90, field: ticket.csat, bucket: 1h, history: 28d}}\n"
    "  volume: {anomaly: {metric: count, bucket: 1h, history: 4h, min_history: 2, "
    "min_count: 1}}\n"
    "  daily: {anomaly: {metric: count, bucket: 1d, history: 7d}}\n";

static struct config config;
static struct kind_window window;
static struct judgement *const found = &window.found;

static void read_config(const char *zone, struct config *out)
{
    struct config_report report;
    char text[1000];
    snprintf(text, sizeof text, yaml, zone);
    CHECK_INT(config_parse(str_of(text), "test.yaml", out, CONFIG_REPLAY, &report), 0);
    buf_deinit(&report.text);
}

static void add(const struct rule *rule, int64_t time_ms, double csat)
{
    char id[32];
    struct value values[2];
    struct event e = {.time_ms = time_ms, .values = values};
    snprintf(id, sizeof id, "e%lld", (long long)(time_ms - T0));
    e.id = str_of(id);
    event_add(&e, FIELD_TICKET_CSAT,
              (struct value){.type = VALUE_NUMBER, .number = csat});
    event_add(&e, FIELD_TICKET_FEATURE, /* all different */
              (struct value){.type = VALUE_TEXT, .text = str_of(id)});
    kind_window_add(&window, rule, &e);
}

static void judge(const struct rule *rule, int64_t watermark_ms, int64_t judge_from_ms)
{
    kind_window_judge(&window, rule, NULL, watermark_ms, judge_from_ms);
}

static void begin(void)
{
    kind_window_begin(&window);
}

/* Folded a few at a time, as a store does: five events, a sketch and a sample are what stays. */
static void a_hot_hour_is_bounded(void)
{
    const struct rule *rule = &config.rules[0];
    begin();
    for (int i = 0; i < MANY; i++) {
        add(rule, T0 + 1 + i * 359LL, 1 + i * 0.37);
        if (i % CHUNK == 0)
            judge(rule, T0, ALWAYS_MS);
        CHECK(window.records_n <= 5 + CHUNK);
    }
    judge(rule, T0, ALWAYS_MS);
    CHECK_INT(found->kept_n, 5);
    CHECK(window.state.n < 16384);
    judge(rule, T0 + HOUR_MS, ALWAYS_MS);
    CHECK_INT(found->kept_n, 0);
    CHECK(window.state.n < 2048); /* one value, and 32 events of its block */
}

/* Two hours of history, then one that is abnormal; said only where all of its history was read. */
static void nothing_is_judged_in_an_unread_past(void)
{
    const struct rule *rule = &config.rules[1];
    for (int early = 0; early < 2; early++) {
        begin();
        for (int i = 0; i < 4; i++)
            add(rule, T0 + i * HOUR_MS / 2, 1);
        for (int i = 0; i < 40; i++)
            add(rule, T0 + 2 * HOUR_MS + i, 1);
        judge(rule, T0 + 3 * HOUR_MS, T0 + 3 * HOUR_MS + early);
        CHECK_INT(found->confirmed_n, !early);
        if (found->confirmed_n) {
            CHECK_INT(found->confirmed[0].count, 40);
            CHECK_INT(found->confirmed[0].time_ms, T0 + 3 * HOUR_MS);
            CHECK_INT(found->confirmed[0].evidence_n, ALERT_EVIDENCE_MAX);
        }
    }
}

/* One millisecond before its end an hour is not over. */
static void an_unfinished_hour_is_not_judged(void)
{
    const struct rule *rule = &config.rules[1];
    begin();
    for (int i = 0; i < 4; i++)
        add(rule, T0 + i * HOUR_MS / 2, 1);
    for (int i = 0; i < 40; i++)
        add(rule, T0 + 2 * HOUR_MS + i, 1);
    judge(rule, T0 + 3 * HOUR_MS - 1, ALWAYS_MS);
    CHECK_INT(found->confirmed_n, 0);
    CHECK_INT(found->due_ms, T0 + 3 * HOUR_MS);
}

/* A day of another zone is another day; an hour is not. */
static void a_zone_is_part_of_days_only(void)
{
    struct config other;
    read_config("Asia/Kolkata", &other);
    CHECK(config.rules[1].layout == other.rules[1].layout);
    CHECK(config.rules[2].layout != other.rules[2].layout);
    config_deinit(&other);
}

int main(void)
{
    kind_window_init(&window);
    read_config("UTC", &config);
    a_hot_hour_is_bounded();
    nothing_is_judged_in_an_unread_past();
    an_unfinished_hour_is_not_judged();
    a_zone_is_part_of_days_only();
    kind_window_deinit(&window);
    config_deinit(&config);
    return check_result();
}

/* Days, weeks and months of the clock on the wall, against a walk that only looks at that clock. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/calendar.h"
#include "core/zone.h"
#include "tests/check.h"

enum { MINUTE_MS = 60000, HOUR_MS = 3600000, DAY_MS = 86400000 };
static const int64_t WEEK_MS = 7LL * DAY_MS;

static int64_t at(const char *text)
{
    int64_t ms = 0;
    CHECK(time_parse(str_of(text), &ms));
    return ms;
}

static bool in_zone(const char *name)
{
    if (zone_use(str_of(name)))
        return true;
    printf("skipped: the system has no zone %s\n", name);
    return false;
}

/* The date on the wall as one number that grows, for each kind of bucket. */
static int64_t on_the_wall(int64_t bucket_ms, int64_t time_ms)
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm date;
    localtime_r(&seconds, &date);
    if (bucket_ms == CALENDAR_MONTH)
        return date.tm_year * 12 + date.tm_mon;
    struct tm noon = {.tm_year = date.tm_year,
                      .tm_mon = date.tm_mon,
                      .tm_mday = date.tm_mday,
                      .tm_hour = 12};
    int64_t back = bucket_ms == DAY_MS ? 0 : (date.tm_wday + 6) % 7; /* to Monday */
    return timegm(&noon) / 86400 - back;
}

/* Minute by minute: a bucket begins at the first instant that shows a later date than all before. */
static void walk(int64_t bucket_ms, const char *from, int days)
{
    int64_t t = at(from), cell = calendar_cell(bucket_ms, t);
    int64_t shown = on_the_wall(bucket_ms, t), begins = 0;
    for (int64_t end = t + (int64_t)days * DAY_MS; t < end; t += MINUTE_MS) {
        int64_t now = on_the_wall(bucket_ms, t), got = calendar_cell(bucket_ms, t);
        if (now > shown) {
            CHECK(got > cell);
            CHECK_INT(calendar_start_ms(bucket_ms, got), t);
            CHECK_INT(calendar_cell(bucket_ms, t - 1), cell);
            shown = now;
            cell = got;
            begins++;
        }
        CHECK_INT(got, cell);
        CHECK(calendar_start_ms(bucket_ms, got) <= t);
        CHECK(calendar_start_ms(bucket_ms, got + 1) > t);
    }
    CHECK(begins >= days / 31);
}

static void follows_the_wall(void)
{
    static const struct {
        const char *zone, *from;
    } cases[] = {
        {"UTC", "2026-02-26T00:00:00Z"},
        {"Europe/Berlin", "2026-03-27T00:00:00Z"},    /* 23 hours on the 29th */
        {"Europe/Berlin", "2026-10-23T00:00:00Z"},    /* 25 hours on the 25th */
        {"America/New_York", "2026-10-30T00:00:00Z"}, /* with a month's change */
        {"Asia/Beirut", "2022-03-25T00:00:00Z"},      /* midnight is skipped ... */
        {"Asia/Beirut", "2022-10-28T00:00:00Z"},      /* ... and 23:00 comes twice */
        {"America/St_Johns", "2010-11-05T00:00:00Z"}, /* back at 00:01, over midnight */
        {"Australia/Lord_Howe", "2026-04-02T00:00:00Z"}, /* half an hour */
        {"Pacific/Apia", "2011-12-28T00:00:00Z"},        /* the 30th was left out */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (in_zone(cases[i].zone)) {
            walk(DAY_MS, cases[i].from, 5);
            walk(WEEK_MS, cases[i].from, 9);
            walk(CALENDAR_MONTH, cases[i].from, 9);
        }
}

static void days_have_23_24_and_25_hours(void)
{
    if (!in_zone("Europe/Berlin"))
        return;
    static const struct {
        const char *noon;
        int hours;
    } days[] = {{"2026-03-28T12:00:00Z", 24},
                {"2026-03-29T12:00:00Z", 23},
                {"2026-10-24T12:00:00Z", 24},
                {"2026-10-25T12:00:00Z", 25}};
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        int64_t day = calendar_cell(DAY_MS, at(days[i].noon));
        CHECK_INT(calendar_start_ms(DAY_MS, day + 1) - calendar_start_ms(DAY_MS, day),
                  (int64_t)days[i].hours * HOUR_MS);
    }
}

static void months_have_their_days(void)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    CHECK(zone_use(STR("UTC")));
    int64_t month = calendar_cell(CALENDAR_MONTH, at("2026-01-31T23:59:59.999Z"));
    CHECK_INT(month, 56 * 12);
    for (int i = 0; i < 12; i++)
        CHECK_INT(calendar_start_ms(CALENDAR_MONTH, month + i + 1) -
                      calendar_start_ms(CALENDAR_MONTH, month + i),
                  (int64_t)lengths[i] * DAY_MS);
    int64_t leap = calendar_cell(CALENDAR_MONTH, at("2028-02-01T00:00:00Z"));
    CHECK_INT(calendar_start_ms(CALENDAR_MONTH, leap), at("2028-02-01T00:00:00Z"));
    CHECK_INT(calendar_start_ms(CALENDAR_MONTH, leap + 1), at("2028-03-01T00:00:00Z"));
}

static void weeks_begin_on_monday(void)
{
    CHECK(zone_use(STR("UTC")));
    int64_t week = calendar_cell(WEEK_MS, at("2026-03-04T09:00:00Z"));
    CHECK_INT(calendar_start_ms(WEEK_MS, week), at("2026-03-02T00:00:00Z"));
    CHECK_INT(calendar_cell(WEEK_MS, at("2026-03-01T23:59:59.999Z")), week - 1);
    CHECK_INT(calendar_cell(WEEK_MS, at("1969-12-29T00:00:00Z")), 0);
}

/* What is no calendar's is what it was: of one width since 1970 UTC, wherever one is. */
static void other_widths_know_no_zone(void)
{
    static const int64_t widths[] = {MINUTE_MS, HOUR_MS, 4 * HOUR_MS, 2LL * DAY_MS};
    if (!in_zone("Asia/Kolkata"))
        return;
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        int64_t t = at("2026-03-04T09:17:00Z");
        CHECK(!calendar_is_local(widths[i]));
        CHECK_INT(calendar_cell(widths[i], t), t / widths[i]);
        CHECK_INT(calendar_start_ms(widths[i], 7), 7 * widths[i]);
    }
}

static void no_row_is_longer_than_it_says(void)
{
    static const int64_t buckets[] = {DAY_MS, 7LL * DAY_MS, CALENDAR_MONTH};
    if (!in_zone("Europe/Berlin"))
        return;
    for (size_t b = 0; b < 3; b++)
        for (int64_t n = 1; n < 40; n++) {
            int64_t from = calendar_cell(buckets[b], at("2026-06-30T12:00:00Z"));
            CHECK(calendar_start_ms(buckets[b], from + n) -
                      calendar_start_ms(buckets[b], from) <=
                  calendar_longest_ms(buckets[b], n));
        }
}

static void always_and_never_are_somewhere(void)
{
    static const int64_t buckets[] = {DAY_MS, 7LL * DAY_MS, CALENDAR_MONTH};
    for (size_t i = 0; i < 3; i++) {
        int64_t now = calendar_cell(buckets[i], at("2026-03-02T00:00:00Z"));
        CHECK(calendar_cell(buckets[i], INT64_MIN) < now - 1000);
        CHECK(calendar_cell(buckets[i], INT64_MAX) > now + 1000);
    }
}

static void is_read_as_it_is_written(void)
{
    static const int64_t buckets[] = {MINUTE_MS, DAY_MS, 7LL * DAY_MS, CALENDAR_MONTH};
    for (size_t i = 0; i < 4; i++) {
        char out[CALENDAR_TEXT_BYTES];
        int64_t back = 0;
        CHECK(calendar_parse(calendar_text(buckets[i], out), &back));
        CHECK_INT(back, buckets[i]);
    }
    int64_t none;
    CHECK(!calendar_parse(STR("months"), &none));
}

int main(void)
{
    follows_the_wall();
    days_have_23_24_and_25_hours();
    months_have_their_days();
    weeks_begin_on_monday();
    other_widths_know_no_zone();
    no_row_is_longer_than_it_says();
    always_and_never_are_somewhere();
    is_read_as_it_is_written();
    return check_result();
}

/* Business hours: what is read, and both changes of the clock in Berlin, against a walk by the minute. */
#include "core/timefmt.h"
#include "core/workweek.h"
#include "core/zone.h"
#include "tests/check.h"

enum { MINUTE_MS = 60000, HOUR_MS = 3600000 };

static struct workweek week_of(const char *text)
{
    struct workweek w;
    struct err e = {0};
    CHECK(workweek_parse(str_of(text), &w, &e) == 0);
    return w;
}

static int64_t at(const char *text)
{
    int64_t ms = 0;
    CHECK(time_parse(str_of(text), &ms));
    return ms;
}

static void takes_days_and_hours(void)
{
    struct workweek w = week_of(" Fri 09:00-15:00 ,Mon-Thu  08:30-24:00");
    CHECK_INT(w.n, 5);
    CHECK_INT(w.spans[0].from_ms, 8 * HOUR_MS + 30 * MINUTE_MS);
    CHECK_INT(w.spans[0].to_ms, 24 * HOUR_MS);
    CHECK_INT(w.spans[4].from_ms, 4 * 24 * HOUR_MS + 9 * HOUR_MS);
    w = week_of("Sat-Mon 10:00-11:00");
    CHECK_INT(w.n, 3);
    CHECK_INT(w.spans[0].from_ms, 10 * HOUR_MS);
}

static void refuses_what_is_none(void)
{
    static const char *const bad[] = {
        "",
        "Mon",
        "09:00-17:00",
        "Mon 9:00-17:00",
        "mon 09:00-17:00",
        "Mon-Fri09:00-17:00",
        "Mon 09:00-17:60",
        "Mon 09:00-24:01",
        "Mon 17:00-09:00",
        "Mon 09:00-09:00",
        "Mon 09:00-17:00,",
        "Mon 09:00-17:00;",
        "Mon 09:00-17:00, Mon-Fri 16:59-18:00",
        ("Mon-Sun 00:00-01:00, Mon-Sun 02:00-03:00, Mon-Sun 04:00-05:00, "
         "Mon-Sun 06:00-07:00, Mon 08:00-09:00"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct workweek w;
        struct err e = {0};
        CHECK(workweek_parse(str_of(bad[i]), &w, &e) == -1 && e.text[0]);
    }
}

/* Minutes whose beginning is in the hours, one after the other. */
static int64_t by_minutes(const struct workweek *w, int64_t start_ms, int64_t span_ms)
{
    for (int64_t t = start_ms;; t += MINUTE_MS) {
        int64_t local = t + zone_offset_ms(t) - 4LL * 24 * HOUR_MS;
        int64_t week_ms = 7LL * 24 * HOUR_MS,
                in = local - time_cell(local, week_ms) * week_ms;
        for (size_t i = 0; i < w->n; i++)
            if (in >= w->spans[i].from_ms && in < w->spans[i].to_ms)
                span_ms -= MINUTE_MS;
        if (span_ms <= 0)
            return t + MINUTE_MS;
    }
}

static void walks_as_the_minutes_do(void)
{
    static const char *const hours[] = {
        "Mon-Fri 09:00-17:00", "Mon-Sun 00:00-24:00",
        "Sun 01:30-03:30",     "Sat 22:00-24:00, Sun 00:00-02:30",
        "Sun 02:00-03:00",     "Sun 02:15-02:45, Mon 00:00-00:10"};
    static const char *const starts[] = {"2026-03-27T16:31:00Z", "2026-03-29T00:59:00Z",
                                         "2026-10-23T17:00:00Z", "2026-10-25T00:15:00Z",
                                         "2026-10-25T01:15:00Z", "2026-07-04T03:00:00Z"};
    static const int64_t spans[] = {1, 29, 30, 61, 120, 240, 600};
    for (size_t h = 0; h < sizeof hours / sizeof hours[0]; h++)
        for (size_t t = 0; t < sizeof starts / sizeof starts[0]; t++)
            for (size_t n = 0; n < sizeof spans / sizeof spans[0]; n++) {
                struct workweek w = week_of(hours[h]);
                int64_t start = at(starts[t]), span = spans[n] * MINUTE_MS;
                int64_t found = workweek_after(&w, start, span);
                CHECK_INT(found, by_minutes(&w, start, span));
                CHECK(found - start <= workweek_longest_ms(&w, span));
            }
}

/* On the last Sunday of March 02:00 to 03:00 is skipped, on that of October it comes twice. */
static void an_hour_is_skipped_and_one_comes_twice(void)
{
    struct workweek w = week_of("Sat-Sun 00:00-06:00");
    CHECK_INT(workweek_after(&w, at("2026-03-28T23:00:00Z"), 5 * HOUR_MS),
              at("2026-03-29T04:00:00Z")); /* 06:00 in summer time: there are five */
    CHECK_INT(workweek_after(&w, at("2026-10-24T22:00:00Z"), 7 * HOUR_MS),
              at("2026-10-25T05:00:00Z")); /* 06:00 in winter time: there are seven */
    CHECK_INT(workweek_after(&w, at("2026-10-24T22:00:00Z"), 7 * HOUR_MS + 1),
              at("2026-10-30T23:00:00.001Z"));
}

static void knows_whether_it_is_open(void)
{
    struct workweek w = week_of("Sat 22:00-24:00, Sun 00:00-04:00");
    CHECK(
        !workweek_open(&w, at("2026-03-28T20:59:59.999Z"))); /* Berlin is an hour ahead */
    CHECK(workweek_open(&w, at("2026-03-28T21:00:00Z")));
    CHECK(workweek_open(&w, at("2026-03-29T01:59:59.999Z"))); /* and then two */
    CHECK(!workweek_open(&w, at("2026-03-29T02:00:00Z")));
}

static void always_is_without_hours(void)
{
    struct workweek w = {.n = 0};
    CHECK_INT(workweek_after(&w, -5, 7), 2);
    CHECK_INT(workweek_longest_ms(&w, 7), 7);
}

int main(void)
{
    if (!zone_use(STR("Europe/Berlin"))) {
        puts("skipped: this system has no zone files");
        return 77;
    }
    takes_days_and_hours();
    refuses_what_is_none();
    walks_as_the_minutes_do();
    an_hour_is_skipped_and_one_comes_twice();
    knows_whether_it_is_open();
    always_is_without_hours();
    return check_result();
}

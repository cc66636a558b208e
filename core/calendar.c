/* Days are counted by the clock on the wall, weeks and months by days. An offset from UTC changes a few times a
 * year, so what is looked for is most often found with two looks at the zone; near a change its instant is
 * searched. */
#include "core/calendar.h"

#include <time.h>

#include "core/zone.h"

enum { HOUR_MS = 3600000, DAY_MS = 86400000, DAYS_PER_WEEK = 7 };
static const int64_t week_ms = (int64_t)DAYS_PER_WEEK * DAY_MS;
/* From a local midnight it is further to neither side than any offset and its change. */
static const int64_t aside_ms = 26LL * HOUR_MS;
/* The years 1 to 9999: what is always or never is in the first or the last bucket of these. */
static const int64_t FIRST_MS = -62000000000000, LAST_MS = 253000000000000;
/* Day 0 was a Thursday. */
enum { MONDAY_OF_WEEK_0 = -3 };

/* --- days --- */

/* The first instant at which the wall shows that day or a later one. */
static int64_t day_start_ms(int64_t day)
{
    int64_t midnight_ms = day * DAY_MS;
    int64_t from_ms = midnight_ms - aside_ms, to_ms = midnight_ms + aside_ms;
    int64_t before_ms = zone_offset_ms(from_ms), after_ms = zone_offset_ms(to_ms);
    if (before_ms == after_ms)
        return midnight_ms - before_ms;
    int64_t change_ms = zone_change_ms(from_ms, to_ms);
    if (midnight_ms - before_ms < change_ms)
        return midnight_ms - before_ms;
    return midnight_ms - after_ms > change_ms ? midnight_ms - after_ms : change_ms;
}

/* The latest day that has begun. Where the clock was set back a short while ago it may show the one before. */
static int64_t day_of(int64_t time_ms)
{
    int64_t offset_ms = zone_offset_ms(time_ms);
    int64_t day = time_cell(time_ms + offset_ms, DAY_MS);
    if (zone_offset_ms(time_ms - DAY_MS) > offset_ms && day_start_ms(day + 1) <= time_ms)
        return day + 1;
    return day;
}

/* --- months, counted from January 1970 --- */

enum { YEAR_0 = 70, MONTHS_PER_YEAR = 12 };

static int64_t month_of_day(int64_t day)
{
    time_t seconds = (time_t)day * (DAY_MS / 1000);
    struct tm date;
    gmtime_r(&seconds, &date);
    return ((int64_t)date.tm_year - YEAR_0) * MONTHS_PER_YEAR + date.tm_mon;
}

static int64_t first_day_of_month(int64_t month)
{
    int64_t year = time_cell(month, MONTHS_PER_YEAR);
    struct tm date = {.tm_year = (int)year + YEAR_0,
                      .tm_mon = (int)(month - year * MONTHS_PER_YEAR),
                      .tm_mday = 1};
    return time_cell((int64_t)timegm(&date), DAY_MS / 1000);
}

/* --- buckets --- */

bool calendar_is_local(int64_t bucket_ms)
{
    return bucket_ms == CALENDAR_MONTH || bucket_ms == DAY_MS || bucket_ms == week_ms;
}

int64_t calendar_cell(int64_t bucket_ms, int64_t time_ms)
{
    if (!calendar_is_local(bucket_ms))
        return time_cell(time_ms, bucket_ms);
    int64_t day = day_of(time_ms < FIRST_MS  ? FIRST_MS
                         : time_ms > LAST_MS ? LAST_MS
                                             : time_ms);
    if (bucket_ms == CALENDAR_MONTH)
        return month_of_day(day);
    return bucket_ms == DAY_MS ? day : time_cell(day - MONDAY_OF_WEEK_0, DAYS_PER_WEEK);
}

int64_t calendar_start_ms(int64_t bucket_ms, int64_t cell)
{
    if (!calendar_is_local(bucket_ms))
        return cell * bucket_ms;
    if (bucket_ms == CALENDAR_MONTH)
        return day_start_ms(first_day_of_month(cell));
    return day_start_ms(bucket_ms == DAY_MS ? cell
                                            : cell * DAYS_PER_WEEK + MONDAY_OF_WEEK_0);
}

int64_t calendar_usual_ms(int64_t bucket_ms)
{
    return bucket_ms == CALENDAR_MONTH ? 30LL * DAY_MS : bucket_ms;
}

int64_t calendar_longest_ms(int64_t bucket_ms, int64_t n)
{
    if (!calendar_is_local(bucket_ms))
        return n * bucket_ms;
    return n * (bucket_ms == CALENDAR_MONTH ? 31LL * DAY_MS : bucket_ms) + aside_ms;
}

struct str calendar_text(int64_t bucket_ms, char out[CALENDAR_TEXT_BYTES])
{
    if (bucket_ms == CALENDAR_MONTH)
        return STR("month");
    return duration_text(bucket_ms, out);
}

bool calendar_parse(struct str text, int64_t *bucket_ms)
{
    if (!str_is(text, "month"))
        return duration_parse(text, bucket_ms);
    *bucket_ms = CALENDAR_MONTH;
    return true;
}

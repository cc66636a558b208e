#include "core/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "core/timefmt.h"

static bool zone_is_set;

bool zone_exists(struct str name)
{
    char path[300];
    if (str_is(name, "UTC"))
        return true;
    if (name.n == 0 || name.n > 200 || name.p[0] == '/' || memchr(name.p, '.', name.n))
        return false;
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%.*s", STR_ARG(name));
    return access(path, R_OK) == 0;
}

bool zone_use(struct str name)
{
    char value[256];
    if (!zone_exists(name))
        return false;
    snprintf(value, sizeof value, "%.*s", STR_ARG(name));
    setenv("TZ", value, 1);
    tzset();
    zone_is_set = !str_is(name, "UTC");
    return true;
}

int64_t zone_offset_ms(int64_t time_ms)
{
    if (!zone_is_set)
        return 0;
    time_t seconds = (time_t)time_cell(time_ms, 1000);
    struct tm local;
    return localtime_r(&seconds, &local) ? (int64_t)local.tm_gmtoff * 1000 : 0;
}

int64_t zone_change_ms(int64_t from_ms, int64_t to_ms)
{
    int64_t offset_ms = zone_offset_ms(from_ms);
    while (to_ms - from_ms > 1) {
        int64_t middle_ms = from_ms + (to_ms - from_ms) / 2;
        if (zone_offset_ms(middle_ms) == offset_ms)
            from_ms = middle_ms;
        else
            to_ms = middle_ms;
    }
    return to_ms;
}

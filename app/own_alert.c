#include "app/own_alert.h"

#include <string.h>
#include <sys/random.h>

#include "core/clock.h"

static void draw_id(struct alert *a)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char random[sizeof a->id - 1];
    if (getrandom(random, sizeof random, 0) != sizeof random)
        memset(random, 0, sizeof random);
    for (size_t i = 0; i < sizeof random; i++)
        a->id[i] = digits[random[i] % 16];
}

void own_alert(struct alert *out, struct str rule, struct str key_name,
               struct str key_value, struct str summary)
{
    int64_t now_ms = clock_wall_ms();
    *out = (struct alert){.rule = rule,
                          .kind = STR("count"),
                          .state = ALERT_FIRING,
                          .severity = SEVERITY_LOW,
                          .time_ms = now_ms,
                          .keys_n = 1,
                          .key_names = {key_name},
                          .key_values = {key_value},
                          .summary = summary,
                          .count = 1,
                          .users = ALERT_NOT_COUNTED,
                          .first_seen_ms = now_ms,
                          .last_seen_ms = now_ms};
    draw_id(out);
}

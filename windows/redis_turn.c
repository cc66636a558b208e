/* The store in Redis: turns. Writes to a journal are optimistic: who is first wins, so one that is slower, or farther away,
 * than others might never be. Who was refused often names itself, and for a moment the scripts refuse all others
 * (common.lua, may_write). That decides when something is written, never what. */
#include <time.h>

#include "core/metric_families.h"
#include "windows/redis_store_impl.h"

enum { ASK_AFTER = 32, NAP_NS = 2000000 };

struct str redis_turn(struct redis_store *s)
{
    struct redis_store *home = redis_home(s);
    return home->refused_n < ASK_AFTER ? STR("") : str_of(home->turn);
}

void redis_refused(struct redis_store *s, bool told)
{
    struct redis_store *home = redis_home(s);
    metric_add(metric_of(&metric_redis_refused, STR_NONE, STR_NONE), 1);
    if (++home->refused_n == ASK_AFTER)
        redis_draw_epoch(home->turn);
    if (!told) /* somebody has a turn */
        nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
}

void redis_held(struct redis_store *s)
{
    redis_home(s)->refused_n = 0;
}

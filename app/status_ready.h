/* Whether work can be done, and what is missing, as JSON. */
#ifndef APP_STATUS_READY_H
#define APP_STATUS_READY_H

#include "config/config.h"

struct ready_view {
    bool told;           /* the loop said something */
    bool draining;       /* the process ends */
    const char *refused; /* why the configuration's file is not in force; "": it is */
    const char *waiting; /* why nothing is done yet; "": it is */
    bool ticks, redis_answers, group_joined, rules_replaced;
    const bool *sinks_full; /* by sink */
    const struct sink_config *sinks;
    size_t sinks_n;
};

bool status_ready(const struct ready_view *v);
/* One object in one line, with a newline. */
void status_ready_write(const struct ready_view *v, struct buf *out);

#endif

/* What Redis must be before anything is kept in it. */
#ifndef WINDOWS_REDIS_CHECK_H
#define WINDOWS_REDIS_CHECK_H

#include "core/err.h"
#include "windows/redis_link.h"

/* Version 6.2 or newer, no cluster, no eviction: else ERR_REFUSED with what mends it.
 * `warning` is a text for the log that lives for ever, or NULL: what works, but not for
 * long. */
int redis_check(struct redis_link *l, const char **warning, struct err *e);

#endif

/* The one time zone of the configuration (time.zone), from the system's zone files. Set once at
 * start, before other threads run; reading is thread-safe. */
#ifndef CORE_ZONE_H
#define CORE_ZONE_H

#include <stdint.h>

#include "core/str.h"

/* False when the system has no such zone; UTC is always there. */
bool zone_use(struct str name);
bool zone_exists(struct str name);

/* Local time minus UTC at that instant, milliseconds. */
int64_t zone_offset_ms(int64_t time_ms);

/* The first instant after from_ms with another offset than there; there is one, at the latest to_ms. */
int64_t zone_change_ms(int64_t from_ms, int64_t to_ms);

#endif

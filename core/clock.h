/* The clocks of this machine, in milliseconds: for waiting, logs and request headers. What alerts never asks
 * them: event time is an input. Any thread. */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <stdint.h>

/* Since some moment; never goes back. */
int64_t clock_monotonic_ms(void);
/* The same in microseconds, for measuring. */
int64_t clock_monotonic_us(void);
/* Since 1970 UTC; may be set. */
int64_t clock_wall_ms(void);

#endif

/* Computed figures against limits. A figure that is at its limit by the rule's definition comes out a few digits before or
 * behind it, by the order in which its sums are made: what is so near is at the limit (docs/rules.md). */
#ifndef DETECTORS_LIMIT_H
#define DETECTORS_LIMIT_H

#include <math.h>
#include <stdbool.h>

static inline double limit_slack(double limit)
{
    return 1e-9 * fmax(fabs(limit), 1);
}

/* figure >= limit */
static inline bool limit_reached(double figure, double limit)
{
    return figure >= limit - limit_slack(limit);
}

/* figure > limit */
static inline bool limit_passed(double figure, double limit)
{
    return figure > limit + limit_slack(limit);
}

#endif

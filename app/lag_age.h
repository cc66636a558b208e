/* How old the oldest record is that is not applied yet, from what is known once a second: where the log ends
 * and where we stand. A log's end as it was seen then, and when, is a mark; the first mark that we have not
 * passed is as old as that record, or younger by the time between two marks. Pure. */
#ifndef APP_LAG_AGE_H
#define APP_LAG_AGE_H

#include <stddef.h>
#include <stdint.h>

enum { LAG_MARKS = 16 };

struct lag_age {
    struct {
        int64_t end, ms;
    } marks[LAG_MARKS]; /* both rising; none that was passed */
    size_t n;
    int64_t every_ms; /* doubled each time that there are too many */
};

/* `next` is the first record not applied, `end` the place behind the last. Returns the age in ms; 0: nothing
 * is left. A zeroed struct is empty. */
int64_t lag_age_note(struct lag_age *a, int64_t next, int64_t end, int64_t now_ms);

#endif

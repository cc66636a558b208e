/* Marks of a partition's log: offsets, each with the largest event time before it. A mark is a function of the
 * log's prefix, so it stays true whatever happens to Redis. From marks follows where to read from so that
 * no event of a time T or later is missed: the last mark whose largest event time is before T. Pure. */
#ifndef APP_MARKS_H
#define APP_MARKS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"

enum {
    MARKS_MAX = 64,
    MARKS_MAX_BYTES = 3000, /* written; a commit's metadata holds 4096 */
};
#define MARK_NONE INT64_MIN /* no event before the offset */

struct mark {
    int64_t offset, high_ms;
};

/* Ascending in both. Zero-initialised: nothing is known. */
struct marks {
    struct mark items[MARKS_MAX];
    size_t n;
};

/* The log was followed up to `offset`. Keeps a mark now and then; older ones are thinned out. */
void marks_note(struct marks *m, int64_t offset, int64_t high_ms);
/* The last mark whose events all lie before from_ms; NULL: none is known. */
const struct mark *marks_before(const struct marks *m, int64_t from_ms);
/* Drops marks before that one. Those of a third of the time from there to the end are left: a state that was
 * made from an older commit needs them while processes of another version go on (docs/failures.md). */
void marks_forget(struct marks *m, int64_t from_ms);

/* "offset:high offset:high ...", at most MARKS_MAX_BYTES. */
void marks_write(const struct marks *m, struct buf *out);
/* False: not such a text; *out is empty then. */
bool marks_read(struct str text, struct marks *out);

#endif

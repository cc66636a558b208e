/* What a state in Redis must know when it is made anew, kept where a loss of Redis cannot reach it: in the
 * metadata of the group's commits. docs/once.md, "Redis lost", says why these three times suffice.
 *
 *   tw2 HASH-OF-PREFIX said record from marks...      times in ms; '-': not known */
#ifndef APP_PAST_H
#define APP_PAST_H

#include "app/marks.h"
#include "consumer/source.h"
#include "core/index.h"
#include "windows/window_store.h"

/* What the commits of all partitions say. */
struct past {
    /* redis.prefix: the commits of another one say nothing about ours */
    struct str prefix;
    struct store_times times;
    struct arena arena;
    struct index by_name;
    struct marks **marks; /* by number in by_name */
    size_t n;
};

void past_init(struct past *p, struct str prefix);
void past_deinit(struct past *p);

/* Reads all commits of the group; the latest of what they say holds for all. ERR_UNAVAILABLE. */
int past_read(struct past *p, struct source *source, struct err *e);
/* The partition's marks as its commit had them; NULL: none. */
const struct marks *past_marks(const struct past *p, struct str partition);

/* The metadata of a partition's commit. Without all three times it says none. */
void past_write(struct str prefix, const struct store_times *times,
                const struct marks *marks, struct buf *out);

#endif

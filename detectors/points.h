/* Numbers of which a quantile is wanted: a sketch of bounded size that does not depend on the order in which they
 * come, and may be merged. While there are at most POINTS_EXACT different ones they are kept as they are; then each
 * is put into a cell and stands for the cell's middle.
 *
 * The cells are those of a log-linear histogram: each octave, [2^k, 2^(k+1)), is cut into 64 of one width. So a
 * middle is at most 1/128, 0.8 %, away from what it stands for, and there are at most 64 cells for each of 50 octaves and
 * sign; by integers alone, so that no machine draws an edge elsewhere. The guarantee is that of DDSketch (Masson, Rim, Lee:
 * DDSketch, a fast and fully-mergeable quantile sketch with relative-error guarantees, PVLDB 12, 2019, 2195-2205),
 * its cells those of its "linearly interpolated" mapping. */
#ifndef DETECTORS_POINTS_H
#define DETECTORS_POINTS_H

#include "core/arena.h"
#include "core/buf.h"

enum { POINTS_EXACT = 64 };

struct point {
    int64_t value, n; /* so many of that value */
};

/* Begins as zero. Memory is the arena's that it is given. */
struct points {
    struct point *items; /* by value, ascending */
    size_t n, cap;
    bool coarse; /* they are middles of cells */
};

void points_add(struct points *p, int64_t value, struct arena *arena);

/* The value of rank n * percent / 100, rounded up, of n values in order; there is at least one. */
int64_t points_quantile(const struct points *p, int percent);

/* The middle of the value's cell. */
int64_t points_middle(int64_t value);

void points_pack(const struct points *p, struct buf *out);
void points_unpack(struct reader *r, struct arena *arena, struct points *out);

#endif

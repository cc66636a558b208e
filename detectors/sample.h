/* A uniform sample of a set of events that does not depend on the order in which they come, and may be merged: the
 * events with the smallest hashes (bottom-k: E. Cohen, H. Kaplan, Summarizing data using bottom-k sketches, PODC 2007). Of no
 * more than k events it holds all. A share p of it is that of all events up to a standard error of sqrt(p (1 - p) / k). */
#ifndef DETECTORS_SAMPLE_H
#define DETECTORS_SAMPLE_H

#include "core/arena.h"
#include "core/buf.h"
#include "core/index.h"

enum { SAMPLE_PARTS_MAX = 5, SAMPLE_MOST = 64, SAMPLE_LAST = 256 };

struct sample_entry {
    uint64_t hash;
    /* what is asked of an event; n == 0: it has none */
    struct str parts[SAMPLE_PARTS_MAX];
};

/* Begins as zero. Memory is the arena's that it is given; texts are borrowed. */
struct sample {
    struct sample_entry *entries; /* by hash, ascending */
    size_t n;
};

/* An event's hash. */
uint64_t sample_hash(struct str id, int64_t time_ms);

/* `most` is k, at most SAMPLE_MOST and always the same for one sample. */
void sample_add(struct sample *s, size_t most, const struct sample_entry *e,
                struct arena *arena);

/* Samples as bytes: each text once, then their entries. They are put between _begin and _end, which appends them, and read
 * back in that order; their texts stay where they are until then. */
struct sample_writer {
    struct index texts; /* their numbers, from 1 */
    /* Of those written last, by where they lie: what was read back comes from the same place again and again. */
    struct sample_text {
        struct str text;
        size_t number;
    } last[SAMPLE_LAST];
    struct buf first, then;
    size_t parts_n;
};
void sample_writer_begin(struct sample_writer *w, size_t parts_n);
void sample_put(struct sample_writer *w, const struct sample *s);
void sample_writer_end(struct sample_writer *w, struct buf *out);

struct sample_reader {
    struct reader *in;
    struct arena *arena;
    struct str *texts; /* by their number */
    size_t texts_n, parts_n;
};
/* `in` says whether it failed. */
void sample_reader_begin(struct sample_reader *r);
void sample_take(struct sample_reader *r, struct sample *out);

#endif

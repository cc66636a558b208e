/* The window of all keys of a ratio against `overall`: for each open bucket its tally and those of its segments,
 * and which segments have an open episode. For ratio_overall.c and ratio_segments.c. */
#ifndef DETECTORS_RATIO_SEGMENTS_H
#define DETECTORS_RATIO_SEGMENTS_H

#include "detectors/ratio.h"

enum { SEGMENT_EVIDENCE = 2 }; /* of each side, as there are many segments */

/* An event that an alert may show. */
struct shown {
    int64_t time_ms;
    struct str id, packed; /* a member */
};

/* One key, in one bucket. */
struct segment {
    uint64_t hash;  /* of the key */
    struct str key; /* packed str16s */
    int64_t n, matched;
    struct shown shown[2][SEGMENT_EVIDENCE]; /* [1]: that match; in order */
    uint8_t shown_n[2];
};

struct segment_bucket {
    struct tally tally; /* of all events, also those of segments that are left out */
    struct segment *segments; /* by (hash, key), at most max_segments */
    size_t n, cap;
};

struct segment_episode {
    struct str key;
    bool up;
    int64_t opened_cell, last_cell; /* the last closed bucket that it has events in */
};

struct segment_window {
    const struct judge_input *in;
    const struct ratio_settings *settings;
    struct judgement *out;
    struct segment_bucket *buckets; /* by cell, ascending */
    size_t n, cap, closed_n;
    struct segment_episode *episodes; /* in the order in which they opened */
    size_t episodes_n, episodes_cap;
};

/* Reads the window and adds what is new; memory is the judgement's. */
void segments_load(struct segment_window *w);

/* Writes back what may still be needed, and when the window wants to be judged again. */
void segments_keep(struct segment_window *w);

/* A copy of `items` with room for one more, in the arena. */
void *segments_room(struct arena *arena, void *items, size_t n, size_t *cap,
                    size_t item_bytes);

#endif

/* The parts of the ratio kind: its settings, and its tallies in memory (ratio_tally.c). */
#ifndef DETECTORS_RATIO_H
#define DETECTORS_RATIO_H

#include "core/timefmt.h"
#include "detectors/detector.h"
#include "detectors/member.h"

enum ratio_direction { RATIO_BOTH, RATIO_UP, RATIO_DOWN };

struct ratio_settings {
    struct where *match;
    int64_t bucket_ms, min_denominator, history_ms, min_history;
    double above, below; /* 0: not written */
    double z, min_change;
    int direction;     /* enum ratio_direction, for a history */
    int64_t history_n; /* derived: buckets that a baseline looks back; 0: a limit */
    int64_t silent_n;  /* derived: so many empty buckets end an episode */
};

/* A bucket [cell * bucket_ms, ...) that has events. */
struct tally {
    int64_t cell, n, matched;
};

/* A window while it is judged. */
struct ratio_closing {
    const struct judge_input *in;
    const struct ratio_settings *settings;
    struct judgement *out;
    bool firing, up;
    int64_t opened_cell, closed_to; /* the first cell that is not closed */
    struct tally *tallies;          /* by cell, ascending */
    size_t n, closed_n;
    struct member *members; /* evidence of open buckets, in order; value 1: it matches */
    size_t members_n;
};

static inline int64_t ratio_start_ms(const struct ratio_closing *c, int64_t cell)
{
    return cell * c->settings->bucket_ms;
}

static inline int64_t ratio_cell(const struct ratio_closing *c, int64_t time_ms)
{
    return time_cell(time_ms, c->settings->bucket_ms);
}

/* Reads the window and adds what is new to its tallies; memory is the judgement's. */
void ratio_load(struct ratio_closing *c);

/* Writes back what may still be needed, and when the window wants to be judged again. */
void ratio_keep(struct ratio_closing *c);

#endif

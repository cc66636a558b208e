/* The parts of the ratio kind: its settings; its tests and its words (ratio_alert.c); the window of one key, judged
 * against a limit or its history (ratio_tally.c); the window of all keys, each judged against the others
 * (ratio_overall.c, ratio_segments.c). */
#ifndef DETECTORS_RATIO_H
#define DETECTORS_RATIO_H

#include "core/calendar.h"
#include "detectors/detector.h"
#include "detectors/member.h"

enum ratio_direction { RATIO_BOTH, RATIO_UP, RATIO_DOWN };
enum ratio_against { RATIO_ITSELF, RATIO_OVERALL };

struct ratio_settings {
    struct where *match;
    int64_t bucket_ms, min_denominator, history_ms, min_history;
    double above, below; /* 0: not written */
    double z, min_change;
    int direction;        /* enum ratio_direction, for what is no limit */
    int against;          /* enum ratio_against: a limit or history, or all other keys */
    int64_t max_segments; /* keys of a bucket that are held against the others */
    int64_t history_n; /* derived: buckets that a baseline looks back; 0: there is none */
    int64_t silent_n;  /* derived: so many empty buckets end an episode */
};

/* A bucket that has events; cells as core/calendar.h has them. */
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

static inline int64_t ratio_start_of(const struct ratio_settings *s, int64_t cell)
{
    return calendar_start_ms(s->bucket_ms, cell);
}

static inline int64_t ratio_cell_of(const struct ratio_settings *s, int64_t time_ms)
{
    return calendar_cell(s->bucket_ms, time_ms);
}

static inline int64_t ratio_start_ms(const struct ratio_closing *c, int64_t cell)
{
    return ratio_start_of(c->settings, cell);
}

static inline int64_t ratio_cell(const struct ratio_closing *c, int64_t time_ms)
{
    return ratio_cell_of(c->settings, time_ms);
}

/* --- ratio_alert.c --- */

/* What was found of a bucket and a key, to be told at the bucket's end. */
struct ratio_finding {
    enum alert_state state;
    struct tally tally; /* n 0: it ends by silence */
    int64_t opened_cell;
    struct alert_anomaly figures;
};

/* The figures of a bucket before it is held against anything. */
struct alert_anomaly ratio_figures(const struct ratio_settings *s, const struct tally *t);

/* Holds t against the limit: fills mean, stddev, z and up. */
void ratio_test_limit(const struct ratio_settings *s, const struct tally *t,
                      struct alert_anomaly *f);

/* Holds t against other events. */
void ratio_test_pooled(const struct tally *t, const struct tally *other,
                       struct alert_anomaly *f);

/* Whether the figures are those of an alert. */
bool ratio_abnormal(const struct ratio_settings *s, const struct alert_anomaly *f);

/* The alert of the key in `in`, with id and summary, without evidence; texts are the judgement's. */
struct alert ratio_alert(const struct judge_input *in, struct judgement *out,
                         const struct ratio_finding *found);

/* --- ratio_tally.c --- */

/* Reads the window and adds what is new to its tallies; memory is the judgement's. */
void ratio_load(struct ratio_closing *c);

/* Writes back what may still be needed, and when the window wants to be judged again. */
void ratio_keep(struct ratio_closing *c);

/* --- ratio_overall.c --- */

/* Judges the window of all keys. */
void ratio_judge_overall(const struct judge_input *in, struct judgement *out);

#endif

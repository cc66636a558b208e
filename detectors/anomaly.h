/* The parts of the anomaly kind: its settings (anomaly_check.c), its series (anomaly_series.c), the baseline
 * (anomaly_baseline.c), and what it says (anomaly_alert.c). */
#ifndef DETECTORS_ANOMALY_H
#define DETECTORS_ANOMALY_H

#include "core/calendar.h"
#include "detectors/detector.h"
#include "detectors/member.h"
#include "detectors/points.h"
#include "detectors/sample.h"

enum anomaly_metric {
    METRIC_COUNT,
    METRIC_SUM,
    METRIC_MEAN,
    METRIC_RATIO,
    METRIC_P50,
    METRIC_P90
};
enum anomaly_season { SEASON_NONE, SEASON_HOUR_OF_DAY, SEASON_HOUR_OF_WEEK };
enum anomaly_direction { DIRECTION_UP, DIRECTION_DOWN, DIRECTION_BOTH };

enum anomaly_method { METHOD_ZSCORE, METHOD_NOVELTY, METHOD_SURPRISE };

struct anomaly_settings {
    int metric, season, direction, method; /* the enums above */
    int field;                             /* enum event_field; FIELD_COUNT: none */
    struct where *match;                   /* of a ratio */
    int64_t bucket_ms;                     /* as core/calendar.h has it */
    int64_t history_ms, min_history, min_count;
    int64_t expected_keys; /* for `check` only */
    double z, resolve_z, beyond, min_change;
    double resolve_below; /* an episode ends below this z, or score; derived */
    struct texts contributors;
    size_t history_n; /* closed buckets remembered; derived, as all below */
    /* What contributors are: a field, or FIELD_COUNT for the page. */
    struct str part_names[SAMPLE_PARTS_MAX];
    enum event_field parts[SAMPLE_PARTS_MAX];
    size_t parts_n;
};

/* So many buckets of the history share a sample. */
static inline int64_t anomaly_block_cells(const struct anomaly_settings *s)
{
    return ((int64_t)s->history_n + 3) / 4;
}

/* As struct detector has them. */
bool anomaly_update(const struct rule *rule, const struct event *event,
                    struct update *out);
void anomaly_judge(const struct judge_input *in, struct judgement *out);

double anomaly_odds(const struct rule *rule, int64_t *keys);

/* A bucket that is not closed yet. */
struct bucket {
    int64_t cell, n;      /* events */
    int64_t sum;          /* of their field in millionths; of a ratio, how many match */
    struct points points; /* for a quantile, their field in millionths */
    struct sample sample; /* of those that count: of a ratio those that match */
};

/* Closed buckets [number * anomaly_block_cells, ...): how many events count, and a sample of them. */
struct block {
    int64_t number, n;
    struct sample sample;
};
enum { BLOCKS_MAX = 6, BLOCK_SAMPLE = 32 };

bool anomaly_is_quantile(const struct anomaly_settings *settings);
/* The metric of a bucket; NAN where there is none. */
double anomaly_value(const struct anomaly_settings *settings, const struct bucket *b);

/* What a key's window keeps. Memory is the arena's. */
struct series {
    const struct anomaly_settings *settings;
    struct arena *arena;
    bool started;
    int64_t next_cell; /* the next bucket to close */
    bool firing, up;
    int64_t opened_cell;
    double *values;           /* of the closed buckets, oldest first; NAN: absent */
    const int64_t *starts_ms; /* of these and the next; NULL: as the calendar has them */
    size_t values_n;
    struct bucket *open; /* by cell, ascending */
    size_t open_n;
    struct block blocks[BLOCKS_MAX]; /* by number, ascending */
    size_t blocks_n;
};

/* `out` has its settings and arena; `room` is how many buckets may be added. */
void series_unpack(struct str state, size_t room, struct series *out);
void series_pack(const struct series *s, struct buf *out);
/* One more event in the bucket at `cell`, with this value of its field. `e` NULL: not for the sample. */
void series_add(struct series *s, int64_t cell, int64_t value,
                const struct sample_entry *e);
/* Takes the next bucket off: all zero where it had no event. */
struct bucket series_close(struct series *s);
/* A value as the method keeps it: surprise two bytes of it, some three digits. */
double series_kept(const struct anomaly_settings *settings, double value);
/* Appends a closed bucket's value; the oldest beyond history_n is forgotten, and so are the first ones while they
 * say that nothing happened. values_n is 0 when all do. */
void series_remember(struct series *s, double value);
/* Adds a closed bucket's sample to its block; blocks that begin before the history of the next bucket are forgotten. */
void series_keep_sample(struct series *s, const struct bucket *b);

struct baseline {
    size_t n;
    double mean, stddev; /* in the metric's own units */
    double z;            /* of the bucket; of counts that of their roots */
    double lowest, highest;
    double score; /* how far beyond these two it is, in their distance; or how new */
};
/* The baseline of the bucket, which is the one behind the closed ones, and has a value. */
struct baseline series_baseline(const struct series *s, const struct bucket *b);

/* What is found of a closed bucket with this value; false where there is nothing to judge by. */
bool anomaly_find(const struct series *s, const struct bucket *b, double value,
                  struct alert_anomaly *found);
/* What that does to the series' episode. */
struct anomaly_turn {
    bool ends, opens; /* both: the other way */
};
struct anomaly_turn anomaly_turn_of(const struct series *s,
                                    const struct alert_anomaly *found);

/* A window while it is judged. */
struct anomaly_closing {
    const struct judge_input *in;
    const struct anomaly_settings *settings;
    struct judgement *out;
    struct series series;
    struct member *members; /* evidence: the first few of each bucket, in order */
    size_t members_n;
};

static inline int64_t anomaly_end_ms(const struct anomaly_closing *c, int64_t cell)
{
    return calendar_start_ms(c->settings->bucket_ms, cell + 1);
}

/* The bucket's top contributors, into the alert. */
void anomaly_contributors(const struct anomaly_closing *c, const struct bucket *b,
                          struct alert *a);
/* "; 80% are ticket.feature invoices (usually 12%), 31% account acme" */
void anomaly_put_contributors(const struct alert *a, struct buf *out);

/* Tells a transition of the series' episode, at the end of the bucket. */
void anomaly_say(struct anomaly_closing *c, enum alert_state state,
                 const struct bucket *b, const struct alert_anomaly *found);

#endif

/* The parts of the anomaly kind: its settings, its series (anomaly_series.c), its arithmetic. */
#ifndef DETECTORS_ANOMALY_H
#define DETECTORS_ANOMALY_H

#include "detectors/detector.h"
#include "detectors/member.h"

enum anomaly_metric { METRIC_COUNT, METRIC_MEAN };
enum anomaly_season { SEASON_NONE, SEASON_HOUR_OF_DAY, SEASON_HOUR_OF_WEEK };
enum anomaly_direction { DIRECTION_UP, DIRECTION_DOWN, DIRECTION_BOTH };

struct anomaly_settings {
    int metric, season, direction; /* the enums above */
    int field;                     /* enum event_field; FIELD_COUNT: none */
    int64_t bucket_ms, history_ms, min_history, min_count;
    double z, min_change;
    size_t history_n; /* closed buckets remembered; derived */
};

/* A bucket that is not closed yet. */
struct bucket {
    int64_t cell, n, sum; /* [cell * bucket_ms, ...); events; their field in millionths */
};

/* What a key's window keeps. */
struct series {
    bool started;
    int64_t next_cell; /* the next bucket to close */
    bool firing, up;
    int64_t opened_cell;
    double *values; /* of the closed buckets, oldest first; NAN: absent */
    size_t values_n;
    struct bucket *open; /* by cell, ascending */
    size_t open_n;
};

/* Memory is the arena's; `room` is how many buckets may be added. */
void series_unpack(struct str state, size_t history_n, size_t room, struct arena *arena,
                   struct series *out);
void series_pack(const struct series *s, struct buf *out);
void series_add(struct series *s, int64_t cell, int64_t n, int64_t sum);
/* Takes the next bucket off: all zero where it had no event. */
struct bucket series_close(struct series *s);
/* Appends a closed bucket's value; the oldest beyond history_n is forgotten, and so are the first ones while they
 * say that nothing happened. values_n is 0 when all do. */
void series_remember(struct series *s, double value, size_t history_n,
                     bool zero_is_nothing);

struct baseline {
    size_t n;
    double mean, stddev; /* stddev with its floor */
};
/* The baseline of the bucket at `cell`, which is the one behind the closed ones. */
struct baseline series_baseline(const struct series *s, int64_t cell,
                                const struct anomaly_settings *settings);

#endif

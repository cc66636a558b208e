/* A series judged value by value by a rule of the kind `anomaly`, each value a bucket of its own: to measure the detector that
 * `run` uses on series that are no events. One owner, one thread. */
#ifndef DETECTORS_ANOMALY_SCORE_H
#define DETECTORS_ANOMALY_SCORE_H

#include <stdint.h>

#include "detectors/rule.h"

struct anomaly_scorer;

/* The rule is of the kind anomaly, and outlives the scorer. */
struct anomaly_scorer *anomaly_scorer_new(const struct rule *rule);
void anomaly_scorer_free(struct anomaly_scorer *s);

/* How abnormal the value is, by those before it: |z|, or the score of its method; of |z| and novelty only what exceeds the
 * largest of the last 100 values, since an episode is told once (surprise does that itself). Times ascend. */
double anomaly_scorer_next(struct anomaly_scorer *s, int64_t time_ms, double value);
/* Bytes that the window of such a series takes now. */
size_t anomaly_scorer_bytes(struct anomaly_scorer *s);

#endif

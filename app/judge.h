/* Windows -> what became of them: calls the rule kinds and writes their alerts as lines. */
#ifndef APP_JUDGE_H
#define APP_JUDGE_H

#include "detectors/detector.h"
#include "windows/window_store.h"

/* Counts, by rule, since the start. */
struct rule_stats {
    uint64_t matches, announced, confirmed;
};

/* How many entries a sink's outbox may hold before what comes is a dead letter. */
struct outbox_cap {
    struct str sink;
    int64_t max; /* 0: any number */
};

struct judge_settings {
    const struct rule *rules;
    size_t rules_n;
    int64_t watermark_ms, settled_ms; /* see detectors/detector.h struct judge_input */
    bool all_read;
    const struct outbox_cap *caps;
    size_t caps_n;
    struct store_times past; /* what was said and recorded by a state before this one */
};

/* Judges n windows; the result and all it points to live in `arena`. A window of a rule that the configuration
 * does not have stays as it is. */
struct judged *judge_windows(const struct judge_settings *settings,
                             const struct window *windows, size_t n, struct arena *arena);

/* Counts what was committed. */
void judge_count(const struct judge_settings *settings, const struct judged *judged,
                 size_t n, struct rule_stats *stats);

#endif

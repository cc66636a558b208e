/* Windows -> what became of them: calls the rule kinds, and writes their alerts as lines. Between the two, alerts
 * are told what is known of their accounts (app/enrich.h). */
#ifndef APP_JUDGE_H
#define APP_JUDGE_H

#include "detectors/detector.h"
#include "windows/window_store.h"

/* Counts, by rule, since the start. */
struct rule_stats {
    uint64_t matches, announced;
    uint64_t confirmed[ALERT_STATES]; /* transitions, by what they are */
    uint64_t muted, regressions; /* of these transitions, beginnings for the latter */
    uint64_t judged;             /* windows */
    uint64_t left_out; /* events without a key of their own, there being too many keys */
    char left_out_key[128]; /* of one of them, cut; "" not known */
};

/* How many entries a sink's outbox may hold before what comes is a dead letter. */
struct outbox_cap {
    struct str sink;
    int64_t max; /* 0: any number */
};

struct judge_settings {
    const struct rule *rules;
    size_t rules_n;
    const struct str *names; /* what their windows are named; NULL: as they say */
    int64_t watermark_ms, settled_ms; /* see detectors/detector.h struct judge_input */
    int64_t judged_ms;
    bool all_read;
    const struct known_issues *issues; /* NULL: not looked up */
    const struct outbox_cap *caps;
    size_t caps_n;
    struct store_times past; /* what was said and recorded by a state before this one */
};

/* What a rule's kind found in a window; rule NULL: nobody judged it. */
struct finding {
    const struct rule *rule;
    struct judgement found; /* its bufs are gone */
};

/* Judges n windows; the result and all it points to live in `arena`. A window of a rule that the configuration
 * does not have is forgotten where `names` says whose rules are in place, else it stays as it is. No lines are written yet; *findings says, for each, what of. */
struct judged *judge_windows(const struct judge_settings *settings,
                             const struct window *windows, size_t n, struct arena *arena,
                             struct finding **findings);

/* Writes what was found as lines for the record and the outboxes. */
void judge_write(const struct judge_settings *settings, const struct finding *findings,
                 size_t n, struct judged *judged);

/* Counts what was committed. */
void judge_count(const struct judge_settings *settings, const struct finding *findings,
                 const struct judged *judged, size_t n, struct rule_stats *stats);

/* All of a rule's confirmed transitions. */
uint64_t judge_confirmed(const struct rule_stats *s);

#endif

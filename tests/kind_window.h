/* A window as a store keeps it, for tests that ask a rule's kind directly: what was added since, the state, and what the
 * last judgement found. One thread. */
#pragma once

#include "core/arena.h"
#include "detectors/detector.h"

enum { KIND_WINDOW_RECORDS = 20000 };

struct kind_window {
    struct arena arena; /* of all below */
    struct buf state, kept;
    struct str records[KIND_WINDOW_RECORDS];
    size_t records_n;
    struct judgement found;
};

void kind_window_init(struct kind_window *w);

/* Empty again. */
void kind_window_begin(struct kind_window *w);

/* As the rule's update has it, which must want it. */
void kind_window_add(struct kind_window *w, const struct rule *rule,
                     const struct event *e);

/* `found` is the judgement; `records` and `state` are left as a store would have them then. `key` outlives the call. */
void kind_window_judge(struct kind_window *w, const struct rule *rule,
                       const struct str *key, int64_t watermark_ms,
                       int64_t judge_from_ms);

void kind_window_deinit(struct kind_window *w);

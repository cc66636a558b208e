/* A rule kind: pure functions of (settings, event) and (settings, window). No I/O, no clock, no
 * store: memory and Redis, replay and run, tests and fuzzers share them. To add a kind: its file,
 * one row in detectors.c, one golden case.
 *
 * A window is what a store keeps for one rule and key: a small state that only the kind reads, and
 * the records added since it was last judged. judge() folds records into state, says what became
 * known, and when it must be asked again. */
#ifndef DETECTORS_DETECTOR_H
#define DETECTORS_DETECTOR_H

#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"
#include "detectors/rule.h"

struct known_issues;

#define NEVER_MS INT64_MAX
#define ALWAYS_MS INT64_MIN

/* How one event changes one window. */
struct update {
    const struct str *key; /* in: rule->by_n values */
    struct buf *record;    /* the kind appends the packed record here */
    /* The event as a packed member, for all rules that keep it so; empty before the first of them. NULL: not kept */
    struct buf *member;
    uint32_t judge_at; /* judged at once when the window holds so many records */
    /* a new window is judged when the watermark reaches this, at the latest */
    int64_t due_ms;
    /* ... and if by the latest such time of its records they are fewer than judge_at, it need not be: nothing would become
     * known, or stay */
    bool lapses;
};

struct judge_input {
    const struct rule *rule;
    const struct str *key; /* rule->by_n values; where rule->one_window none are there */
    struct str state;      /* as the last judgement left it; n == 0 at first */
    const struct str *records;
    size_t records_n;
    int64_t watermark_ms; /* no accepted event is still to come before this time */
    int64_t
        settled_ms; /* every accepted event before this time is here: the watermark, or one
                              more than it at the end of a replayed log */
    /* Nothing is confirmed any more, by any window of the shard, with a time before it. ALWAYS_MS: not known. */
    int64_t judged_ms;
    bool all_read; /* every partition was read to its end: nothing older is on its way */
    /* Before it, events that a baseline needs may not have been read: a state made anew. ALWAYS_MS: all were. */
    int64_t judge_from_ms;
    /* While the watermark is before it, nothing is announced but what is confirmed: what comes is being read
     * for the second time, and not in the order of the first. */
    int64_t quiet_until_ms;
    const struct known_issues *issues; /* NULL: nobody asked yet (struct judgement) */
};

struct judgement {
    struct arena *arena; /* lives as long as the judgement: for texts of alerts */
    struct buf *state;   /* the new state; state and kept both empty: forget the window */
    struct buf *kept;    /* records to keep: each buf_str16 */
    uint32_t kept_n;
    /* ask again when the watermark reaches this; NEVER_MS: only on change */
    int64_t due_ms;
    /* Nothing is to be announced before the window holds calm_n records, or is due, whatever judge_at of updates says. An event
     * of before calm_from_ms may change what is confirmed, from its time on. */
    uint32_t calm_n;
    int64_t calm_from_ms;
    bool unproven; /* something would be announced, were all_read true */
    /* What is known of issues must be known to judge: all else is to be thrown away, and judged again with it. */
    bool asks_issues;
    /* events that were not kept under their key, there being too many keys */
    int64_t left_out;
    struct alert *announced; /* said at once: to the sinks */
    size_t announced_n, announced_cap;
    struct alert *confirmed; /* canonical: to the record */
    size_t confirmed_n, confirmed_cap;
};

struct detector {
    const char *name; /* the key in a rule, "count" */
    const char *help; /* one sentence */
    const struct option_row *options;
    size_t options_n;
    size_t settings_bytes;
    /* After parsing: derives what is derived, refuses what cannot hold (ERR_INPUT). Fills steps. */
    int (*check)(struct rule *rule, struct err *e);
    /* After that: what may hold and may not, to warn of; NULL: nothing. The function may be NULL too. */
    const char *(*doubt)(const struct rule *rule);
    /* False alarms a week that all its keys together give at most, in a healthy stream as docs/quality.md has it; takes up
     * to a second. NULL: not known. */
    double (*odds)(const struct rule *rule, int64_t *keys);
    /* False: this event does not count for the rule (a field is missing). */
    bool (*update)(const struct rule *rule, const struct event *event,
                   struct update *out);
    void (*judge)(const struct judge_input *in, struct judgement *out);
};

/* The layout of a kind's windows: a hash of all that a state or a record means. */
uint64_t rule_layout(const char *kind, const int64_t *numbers, size_t n);
/* For kinds whose severity is one word: refuses steps ("the severity of a silence is one word, ..."), and fills
 * in `fallback` where none is written. `what` is the part before the comma. */
int rule_one_severity(struct rule *rule, const char *what, enum severity fallback,
                      struct err *e);
/* The default of `min_history`, where a history holds `most` values: half of them, at least 3, at most 24. */
int64_t usual_min_history(int64_t most);
/* What the rule's windows are named after: its name, layout, `on`, `where` and `by`. */
struct str rule_window_name(const struct rule *rule, struct arena *arena);

extern const struct detector count_detector, anomaly_detector, new_value_detector,
    quiet_detector, ratio_detector, deadline_detector, health_detector;
/* All of them, NULL-terminated. */
extern const struct detector *const detectors[];
/* NULL when there is none of that name. */
const struct detector *detector_named(struct str name);

#endif

/* The parts of the count kind: its settings, and its window in memory (count_window.c). */
#ifndef DETECTORS_COUNT_H
#define DETECTORS_COUNT_H

#include "detectors/detector.h"
#include "detectors/member.h"
#include "detectors/people.h"

struct count_settings {
    int64_t at_least, within_ms, resolve_after_ms;
    int distinct; /* enum count_distinct */
};
enum count_distinct { DISTINCT_NONE, DISTINCT_USER };

/* An episode as far as it is known; `open` false: none. */
struct episode {
    bool open;
    int level; /* index into rule->steps; -1: none */
    int64_t opened_ms, last_ms, first_seen_ms;
    int64_t total; /* events */
    /* with distinct: of the settled events, so that nothing is undone */
    struct people people;
};

/* What the window keeps besides its members. */
struct count_state {
    int64_t settled_ms; /* every event before it is folded into `settled` */
    struct episode settled;
    int said_level;    /* what was announced of the present episode; -1: nothing */
    int64_t said_cell; /* the cell its id was made from when it was first announced */
};

/* A window while it is judged: its members in order, and the window count at each. */
struct count_window {
    struct arena *arena;
    const struct rule *rule;
    const struct count_settings *settings;
    struct count_state state;
    struct member *members;
    int64_t *counts;
    size_t *from; /* the first member inside the window that ends at each */
    size_t n;
    size_t settled_n; /* members before state.settled_ms: known when it was last judged */
};

/* Memory is the arena's. */
void count_window_load(struct count_window *w, const struct judge_input *in,
                       struct arena *arena);

/* Adds a member's person, and those it stands for. */
void count_people_add(struct people *people, const struct member *m, struct arena *arena);

/* Drops what no later judgement can need, given that everything before w->state.settled_ms is folded. */
void count_window_prune(struct count_window *w, int64_t watermark_ms);

/* How long before an alert the events lie that make it. */
int64_t count_lookback_ms(const struct count_settings *s);

/* The watermark from which on nothing of the window is needed, if no episode is open. */
int64_t count_window_gone_ms(const struct count_window *w);

/* The highest step that n reaches; -1: none. */
int count_level(const struct rule *rule, int64_t n);

/* True for members that alerts may show: with `distinct` the first of each person and cell. */
void count_window_candidates(const struct count_window *w, bool *take);

/* How the window that ends at the member filled; counted are members that alerts may show. */
void count_window_trend(const struct count_window *w, size_t at, const bool *take,
                        struct alert_trend *out);

void count_state_pack(const struct count_state *s, struct buf *out);

#endif

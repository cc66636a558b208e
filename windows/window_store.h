/* Where windows, cursors, the watermark, the confirmed record and the outbox live: Redis, or its
 * twin in memory for replay and tests. One contract suite runs on both (tests/contract).
 *
 * One event's way: apply() a batch iff the partition's cursor stands at its start; it hands back
 * the windows that want judging; the caller judges them (detectors) and commits() what became known:
 * each window's new value, its next due time, its lines for the record and the outbox, all or
 * nothing, iff nobody changed the window meanwhile. What a crash leaves unjudged, due() finds.
 * Any ERR_UNAVAILABLE means nothing is known: read the cursor again. One thread. */
#ifndef WINDOWS_WINDOW_STORE_H
#define WINDOWS_WINDOW_STORE_H

#include "core/err.h"
#include "windows/window.h"

#define STORE_NO_TIME INT64_MIN /* no watermark yet, nothing seen yet */
#define STORE_NO_DUE INT64_MAX

/* Where a state stands in event time, for who must make it anew (docs/once.md, "Redis lost"). Each
 * STORE_NO_TIME while not known, and where nothing was before. */
struct store_times {
    int64_t said_ms;   /* everything with a time before it was said and delivered */
    int64_t record_ms; /* everything from here on is in the record */
    int64_t from_ms; /* events from here on make the same windows and the same episodes */
};

/* What every script reply tells. */
struct store_clock {
    int64_t watermark_ms; /* min over all partitions; STORE_NO_TIME while one has none */
    int64_t now_ms;       /* the store's clock (Redis TIME); 0 in memory */
    int64_t next_due_ms;  /* the earliest due time of any window; STORE_NO_DUE: none */
    int64_t waiting_n;    /* windows that want judging at once */
    /* windows that would speak at once, were it proven that nothing older comes */
    int64_t unproven_n;
    int64_t lapsed_n; /* of due(): windows that were forgotten without being judged */
    bool pressed;     /* more waits than the store can hold: judge, then read on */
    /* What is confirmed from now on has this time or a later one: the watermark is there, and so is every window
     * that is not judged yet. A window that is due at t confirms nothing of before t - 1; of one that wants
     * judging at once nothing is known: then STORE_NO_TIME. */
    int64_t judged_ms;
};

/* All that a batch adds to one window. */
struct window_change {
    struct window_id id;
    struct str head;
    struct str records; /* packed str16s */
    uint32_t records_n;
    int64_t first_ms;  /* event time of the earliest of them */
    uint32_t judge_at; /* see detectors/detector.h struct update */
    bool lapses;       /* the same: due_ms is the latest of its records' then, else the earliest */
    int64_t due_ms;
};

/* How many windows of a name (a rule's, with its layout) the store may hold. */
struct window_limit {
    struct str name;
    int64_t max;
};

/* A partition's place in a state. */
struct store_place {
    int64_t cursor;      /* the next position to apply; -1: none yet */
    int64_t incarnation; /* of the log; the cursor is one of this log only */
    int64_t high_ms;     /* the largest event time before it */
    int64_t last_offset; /* of the last record applied, -1: none; and its hash */
    uint64_t last_hash;
    struct str marks; /* as put with horizon(); in the arena given */
};

struct apply {
    struct str partition;
    int64_t incarnation;
    int64_t start, next;
    int64_t last_offset; /* of the last record before `next`; -1: none in this batch */
    uint64_t last_hash;
    int64_t lost; /* records that retention deleted before they were read */
    /* largest event time of the partition up to `next`; STORE_NO_TIME: none */
    int64_t high_ms;
    bool has_events; /* events were read, accepted or not */
    bool judge_later; /* no windows are to be handed back: due() will be asked soon */

    const struct str *ids; /* of the accepted events, no two the same */
    const int64_t *times_ms;
    size_t events_n;
    const struct window_change *changes;
    size_t changes_n;
    const struct window_limit *limits; /* names without one have none */
    size_t limits_n;
};

enum apply_outcome {
    APPLIED,
    MISPLACED, /* the cursor stands elsewhere; nothing changed */
    REVISE, /* some events must be left out: reply.refused; nothing changed, call again without */
};

enum refusal {
    ACCEPTED = 0,
    REFUSED_DUPLICATE,
    REFUSED_BEHIND /* older than the watermark */
};

/* Everything in it lives in the arena given to apply(). */
struct apply_reply {
    enum apply_outcome outcome;
    struct store_clock clock;

    unsigned char *refused; /* REVISE: enum refusal for each event */
    struct window *windows; /* APPLIED: to be judged now */
    size_t windows_n;
    /* APPLIED: changes that would have made a window beyond its limit */
    size_t *left_out;
    size_t left_out_n;
};

struct outbox_line {
    struct str sink, body;
    int64_t time_ms; /* event time of what it says */
    /* entries the outbox may hold; beyond it, if not 0, the line is a dead letter */
    int64_t max;
};

/* A confirmed episode begins or ends, so that a state made anew begins early enough to make it again. */
struct episode_line {
    struct str id;
    bool ended;
    int64_t ms; /* begins: events from here on make it; ended: when it was over */
};

/* What became of one judged window. */
struct judged {
    struct window_id id;
    char version[WINDOW_VERSION_BYTES]; /* as it was when read */
    struct str head, state, kept;       /* state and kept empty: forget the window */
    uint32_t kept_n;
    /* While it holds fewer records it is not judged at once; it is due behind those of before calm_from_ms. */
    uint32_t calm_n;
    int64_t calm_from_ms;
    int64_t due_ms; /* STORE_NO_DUE: none */
    const struct str *record; /* lines for the confirmed record */
    size_t record_n;
    const struct outbox_line *outbox;
    size_t outbox_n;
    const struct episode_line *episodes;
    size_t episodes_n;
    bool unproven; /* see struct store_clock */
    /* Nothing was said or recorded: a store may leave the window as it was, and judge it again from there. */
    bool no_news;
    int64_t left_out; /* events without a key of their own, for figures only */
    bool committed;   /* out: false when somebody changed the window meanwhile */
};

typedef int store_line_fn(void *arg, struct str line);

/* What is known of a partition's log, kept for who owns it next. */
struct marks_line {
    struct str partition, marks;
};

struct partition_end {
    struct str partition;
    int64_t end;
};

/* A rule of the process: what its windows are named, and how far back it looks. */
struct store_rule {
    struct str name;
    int64_t lookback_ms;
};

/* One shard, or a lane of it: cursors, a watermark and ids of their own for rules that came while the stream ran, until
 * they stand where the shard stands (docs/once.md, "Rules that change"). */
struct window_store {
    const struct store_ops *ops;
    struct store_times past; /* of the state from which this one was made anew */
    uint64_t full;           /* lines that found their outbox full, since it was opened */
    /* By number of the rule: what its windows are named here, and whether what is applied here is applied to them. NULL:
     * as the rules say, and all. */
    const struct str *names;
    const bool *holds;
    size_t rules_n;
    struct window_store *lane; /* the next one of the shard; NULL: none */
    bool is_lane;
    bool replaced; /* other rules are in place: nothing can be done here */
};

struct store_ops {
    /* Makes these partitions known: the watermark waits for each. Safe to repeat. */
    int (*partitions)(struct window_store *s, const struct str *names, size_t n,
                      struct err *e);
    /* Where the partition stands. */
    int (*cursor)(struct window_store *s, struct str partition, struct arena *arena,
                  struct store_place *out, struct err *e);
    /* Sets the cursor of a partition that has none, its incarnation, and the largest event time before it. */
    int (*begin)(struct window_store *s, struct str partition,
                 const struct store_place *place, struct err *e);
    /* The partition's log is another than the one that was applied: it begins at 0 as the next incarnation, iff
     * the cursor stands where `place` says; a partition that has none stays without. */
    int (*remade)(struct window_store *s, struct str partition,
                  const struct store_place *place, struct err *e);
    int (*apply)(struct window_store *s, const struct apply *a, struct arena *arena,
                 struct apply_reply *out, struct err *e);
    /* Nothing is left to read at the cursor. Where that was proven at `proven_ms` of the store's clock (not
     * STORE_NO_TIME), event time moves with the clock since the partition's last events. APPLIED or
     * MISPLACED. */
    int (*idle)(struct window_store *s, struct str partition,
                const struct store_place *at, int64_t proven_ms, struct apply_reply *out,
                struct err *e);
    /* Windows that want judging or whose due time the watermark reached, at most `limit`; with `unproven` also
     * those that wait for the proof. */
    int (*due)(struct window_store *s, size_t limit, bool unproven, struct arena *arena,
               struct window **windows, size_t *n, struct store_clock *clock,
               struct err *e);
    /* Those of the windows that are there, in the order asked for. Nothing is changed, and nothing is to be committed. */
    int (*peek)(struct window_store *s, const struct window_id *ids, size_t n,
                struct arena *arena, struct window **windows, size_t *found,
                struct err *e);
    int (*commit)(struct window_store *s, struct judged *judged, size_t n,
                  struct store_clock *clock, struct err *e);
    /* Whether everything that was appended to any partition so far is in the windows: each cursor stands at or behind
     * the end given. NULL in memory. */
    int (*proves)(struct window_store *s, const struct partition_end *ends, size_t n,
                  bool *all_read, struct err *e);
    /* What a state made anew would have to know; keeps these partitions' marks. said_ms: what all shards had said,
     * when they were last asked (STORE_NO_TIME: not known; INT64_MAX: there is only one). NULL in memory. */
    int (*horizon)(struct window_store *s, int64_t said_ms,
                   const struct marks_line *marks, size_t n, struct store_times *out,
                   struct err *e);
    /* Lanes that stand where the shard stands become part of it, a part of what they left a call. Of the shard, not of
     * lanes. NULL in memory: a log has one set of rules. */
    int (*mend)(struct window_store *s, struct err *e);
    /* How many windows of each of n names there are. */
    int (*windows)(struct window_store *s, const struct str *names, size_t n,
                   int64_t *counts, struct err *e);
    /* Calls fn for each line of the confirmed record, in the order of writing; fn != 0 ends it. */
    int (*record)(struct window_store *s, store_line_fn *fn, void *arg, struct err *e);
    void (*close)(struct window_store *s);
};

/* The twin in memory. */
struct memory_listener {
    void *arg;
    /* NULL: nobody hears what is said early, so windows are judged when what they say is final. */
    void (*outbox)(void *arg, struct str sink, struct str body);
    void (*record)(void *arg, struct str line); /* may be NULL */
};
struct window_store *memory_store_open(int64_t lateness_ms,
                                       struct memory_listener listener);
/* The log is at its end: the watermark stands at the largest event time, or with `settle` beyond
 * all time. */
void memory_store_end(struct window_store *s, bool settle);

/* Redis, one shard. Connects, makes or reads the state's epoch. */
struct redis_target;
struct redis_store_settings {
    const struct redis_target *target;
    struct str prefix;
    size_t shards_n, shard;
    int64_t lateness_ms, record_for_ms;
    int64_t lookback_ms; /* the longest of any rule */
    /* made known together with the state; as partitions() */
    const struct str *partitions;
    size_t partitions_n;
    /* The rules, with lookback_ms of each. They are put in place when the store is opened. NULL: whichever are. */
    const struct store_rule *rules;
    size_t rules_n;
    /* Called where there is no state, before one is made: what was before. NULL: nothing was. */
    int (*past)(void *arg, struct store_times *out, struct err *e);
    void *past_arg;
    size_t recent_bytes; /* so much of what was added last is kept ready to be read, beside it compressed */
    /* do not make the state where there is none; only record() may be called */
    bool look_only;
};
struct window_store *redis_store_open(const struct redis_store_settings *settings,
                                      struct err *e);

/* Whether the rules in place are those that it was opened with, or there is no state; if nobody keeps others up, they are
 * put in place again. No state is made. -1: they are not (s->replaced), or nothing is known. */
int redis_store_look(struct window_store *s, struct err *e);

/* Whether the server that has the shard now is still one to keep state in; see redis_check(). */
int redis_store_check(struct window_store *s, const char **warning, struct err *e);

/* Ids are remembered in slots of event time until the watermark has passed the slot. */
enum { ID_SLOT_MS_MIN = 60000 };
static inline int64_t id_slot_ms(int64_t lateness_ms)
{
    return lateness_ms > ID_SLOT_MS_MIN ? lateness_ms : ID_SLOT_MS_MIN;
}

#endif

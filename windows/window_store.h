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

/* What every script reply tells. */
struct store_clock {
    int64_t watermark_ms; /* min over all partitions; STORE_NO_TIME while one has none */
    int64_t now_ms;       /* the store's clock (Redis TIME); 0 in memory */
    int64_t next_due_ms;  /* the earliest due time of any window; STORE_NO_DUE: none */
    int64_t waiting_n;    /* windows that want judging at once */
    bool all_read; /* every partition was read to its end: nothing older is on its way */
};

/* All that a batch adds to one window. */
struct window_change {
    struct window_id id;
    struct str head;
    struct str records; /* packed str16s */
    uint32_t records_n;
    uint32_t judge_at; /* see detectors/detector.h struct update */
    int64_t due_ms;
};

struct apply {
    struct str partition;
    int64_t start, next;
    int64_t
        high_ms; /* largest event time of the partition up to `next`; STORE_NO_TIME: none */
    bool has_events;       /* events were read, accepted or not */
    bool at_end;           /* `next` was the partition's end when it was read */
    const struct str *ids; /* of the accepted events, no two the same */
    const int64_t *times_ms;
    size_t events_n;
    const struct window_change *changes;
    size_t changes_n;
};

enum apply_outcome {
    APPLIED,
    MISPLACED, /* the cursor stands elsewhere: reply.cursor and high_ms; nothing changed */
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
    int64_t cursor, high_ms; /* MISPLACED; cursor -1: the partition has none */
    unsigned char *refused;  /* REVISE: enum refusal for each event */
    struct window *windows;  /* APPLIED: to be judged now */
    size_t windows_n;
};

struct outbox_line {
    struct str sink, body;
};

/* What became of one judged window. */
struct judged {
    struct window_id id;
    char version[WINDOW_VERSION_BYTES]; /* as it was when read */
    struct str head, state, kept;       /* state and kept empty: forget the window */
    uint32_t kept_n;
    int64_t due_ms;           /* STORE_NO_DUE: none */
    const struct str *record; /* lines for the confirmed record */
    size_t record_n;
    const struct outbox_line *outbox;
    size_t outbox_n;
    bool committed; /* out: false when somebody changed the window meanwhile */
};

typedef int store_line_fn(void *arg, struct str line);

struct window_store {
    const struct store_ops *ops;
};

struct store_ops {
    /* Makes these partitions known: the watermark waits for each. Safe to repeat. */
    int (*partitions)(struct window_store *s, const struct str *names, size_t n,
                      struct err *e);
    /* The partition's next position, -1: none yet; its largest event time. For who is about to read it:
     * until apply or idle say otherwise it counts as not read to its end. */
    int (*cursor)(struct window_store *s, struct str partition, int64_t *cursor,
                  int64_t *high_ms, struct err *e);
    /* Sets the cursor of a partition that has none. */
    int (*begin)(struct window_store *s, struct str partition, int64_t start,
                 struct err *e);
    int (*apply)(struct window_store *s, const struct apply *a, struct arena *arena,
                 struct apply_reply *out, struct err *e);
    /* Nothing is left to read at `cursor`. Where that was proven at `proven_ms` of the store's clock (not
     * STORE_NO_TIME), event time moves with the clock since the partition's last events. APPLIED or
     * MISPLACED. */
    int (*idle)(struct window_store *s, struct str partition, int64_t cursor,
                int64_t proven_ms, struct apply_reply *out, struct err *e);
    /* Windows that want judging or whose due time the watermark reached, at most `limit`. */
    int (*due)(struct window_store *s, size_t limit, struct arena *arena,
               struct window **windows, size_t *n, struct store_clock *clock,
               struct err *e);
    int (*commit)(struct window_store *s, struct judged *judged, size_t n,
                  struct store_clock *clock, struct err *e);
    /* Calls fn for each line of the confirmed record, in the order of writing; fn != 0 ends it. */
    int (*record)(struct window_store *s, store_line_fn *fn, void *arg, struct err *e);
    void (*close)(struct window_store *s);
};

/* The twin in memory. */
struct memory_listener {
    void *arg;
    void (*outbox)(void *arg, struct str sink, struct str body); /* may be NULL */
    void (*record)(void *arg, struct str line);                  /* may be NULL */
};
struct window_store *memory_store_open(int64_t lateness_ms,
                                       struct memory_listener listener);
/* The log is at its end: the watermark stands at the largest event time, or with `settle` beyond
 * all time. */
void memory_store_end(struct window_store *s, bool settle);

/* Redis. Connects, checks the server, makes or reads the state's epoch. */
struct redis_target;
struct redis_store_settings {
    const struct redis_target *target;
    struct str prefix;
    int64_t lateness_ms, record_for_ms;
    bool
        look_only; /* do not make the state where there is none; only record() may be called */
};
struct window_store *redis_store_open(const struct redis_store_settings *settings,
                                      struct err *e);
/* Random, made when the state was first made; for commit metadata. */
struct str redis_store_epoch(const struct window_store *s);

/* Ids are remembered in slots of event time until the watermark has passed the slot. */
enum { ID_SLOT_MS_MIN = 60000 };
static inline int64_t id_slot_ms(int64_t lateness_ms)
{
    return lateness_ms > ID_SLOT_MS_MIN ? lateness_ms : ID_SLOT_MS_MIN;
}

#endif

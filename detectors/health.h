/* The kind `health`: an account's score, from what was hard for it and how quiet it is (docs/rules.md).
 *
 * The score is a step function of time: of each moment it says how many points the components give that are true then, times what
 * the account weighs. A machine walks over the moments at which it may change, events and edges (a ticket leaves its
 * window, a silence begins, the renewal comes near), as far as they are settled, and takes all events
 * of one moment together: so the order in which they came does not matter, and what it finds is final.
 *
 * health.c     judge and update: the walk
 * health_state.c     what is known at the moment reached: marks, cells, times; which components are true; the next edge
 * health_window.c    the window's records: events not passed yet, evidence, what is known of the account
 * health_alert.c     what is said
 * health_settings.c  what follows from the settings; health_options.c their table */
#ifndef DETECTORS_HEALTH_H
#define DETECTORS_HEALTH_H

#include "detectors/accounts.h"
#include "detectors/judgement.h"

enum health_part {
    PART_FRICTION,
    PART_ESCALATIONS,
    PART_CSAT,
    PART_QUIET,
    HEALTH_PARTS,
};

enum {
    HEALTH_COUNTED = 50,      /* counts are exact up to it */
    HEALTH_CELLS = 30,        /* of csat.within: ratings are summed in cells */
    HEALTH_EVIDENCE = 5,      /* events kept of each part, to be shown */
    HEALTH_WAKE_RECORDS = 64, /* so many records, and the window is judged */
    HEALTH_UNSETTLED_MAX = 10000,
    HEALTH_TIERS_MAX = 16,
};

#define HEALTH_ONE INT64_C(1000000000) /* of scores and weights */
#define HEALTH_TICKETS                                                 \
    (1u << EVENT_TICKET_CREATED | 1u << EVENT_TICKET_UPDATED |         \
     1u << EVENT_TICKET_FIRST_RESPONSE | 1u << EVENT_TICKET_RESOLVED | \
     1u << EVENT_TICKET_REOPENED | 1u << EVENT_TICKET_ESCALATED |      \
     1u << EVENT_TICKET_RATED)

/* A component that counts tickets: friction, escalations. */
struct health_count {
    uint32_t on;
    struct where *where; /* NULL: every event of these types */
    int64_t at_least, within_ms, points;
};

struct health_settings {
    struct health_count counts[2]; /* PART_FRICTION, PART_ESCALATIONS */
    struct {
        uint32_t on;
        double below, fall; /* fall 0: does not matter */
        int64_t min_ratings, within_ms, points;
        int64_t cell_ms; /* derived */
    } csat;
    struct {
        uint32_t on;
        int64_t at_least, within_ms, silent_for_ms, give_up_after_ms, points;
    } quiet;
    struct {
        struct pairs tier;
        int64_t tier_milli[HEALTH_TIERS_MAX]; /* derived: as thousandths */
        int64_t renewal_within_ms;
        double renewal, mrr_from, mrr;
    } weigh;
    int64_t at_risk, resolve_below;
    int64_t remember_ms; /* accounts.remember; derived */
};

/* An event as the window remembers it. */
struct health_record {
    uint8_t parts;  /* bits 1 << enum health_part: it counts for these */
    bool is_update; /* account.updated: counts from the next millisecond on */
    bool is_bulk; /* a sign of life and no more, and not of a ticket: there may be many */
    int64_t rating; /* in millionths; PART_CSAT */
    struct alert_evidence evidence;
    struct account_version version; /* its time and id are the event's */
};

/* A ticket of a component that counts, at its latest event. */
struct health_mark {
    int64_t time_ms;
    uint64_t ticket; /* hash of its id, or of the event where there is none */
};

struct health_cell {
    int64_t number, n, sum; /* ratings, in millionths */
};

struct health_state {
    struct health_mark *marks[2]; /* by time; room for HEALTH_COUNTED + 1 */
    size_t marks_n[2];
    struct health_cell *cells; /* by number; room for 2 * HEALTH_CELLS + 1 */
    size_t cells_n;
    int64_t *times; /* of the latest signs of life; room for HEALTH_COUNTED + 1 */
    size_t times_n;
    int64_t at_ms; /* the last moment walked over; ALWAYS_MS: none */
    bool open;
    int level; /* of the step told last */
    int64_t opened_ms, peak_nano;
};

/* Which components are true at a moment, and what they are made of. */
struct health_view {
    bool is[HEALTH_PARTS];
    int64_t n[2];                    /* tickets */
    int64_t ratings, ratings_before; /* in the window, in the one before it */
    double mean, mean_before;
    int64_t last_ms, engaged; /* the last sign of life; how many with it */
    struct alert_account account;
    int64_t renewal_ms;              /* NEVER_MS: not known */
    int64_t weight_nano, score_nano; /* thousandths */
    int64_t points;
};

struct health {
    const struct judge_input *in;
    const struct health_settings *s;
    struct judgement *out;
    struct health_state state;
    struct health_record *records; /* in order of (time, id) */
    size_t records_n;
    struct account_version *updates,
        *own; /* what account.updated said; what other events said */
    size_t updates_n, own_n;
    int64_t at_ms; /* the moment reached: everything up to here was walked over */
};

/* When it counts. */
static inline int64_t health_moment_ms(const struct health_record *r)
{
    return r->evidence.time_ms + r->is_update;
}

/* --- health_state.c --- */

void health_state_pack(const struct health_state *s, struct buf *out);
/* In the arena; an empty state where `packed` is empty. */
void health_state_unpack(struct str packed, struct arena *arena,
                         struct health_state *out);
/* The event becomes part of it. */
void health_take(struct health *h, const struct health_record *r);
/* What no window holds at at_ms goes. */
void health_forget(struct health *h);
/* Nothing is known but, perhaps, of the account. */
bool health_is_empty(const struct health_state *s);
/* What is so at at_ms. */
void health_look(const struct health *h, struct health_view *out);
/* The next moment after at_ms at which something changes though no event comes; NEVER_MS. */
int64_t health_edge_ms(const struct health *h, const struct health_view *now);

/* --- health_window.c --- */

void health_record_pack(const struct health_record *r, struct buf *out);
/* Loads state and records. */
void health_load(struct health *h);
/* Whether the event is evidence, at at_ms, for one of these parts. */
bool health_shows(const struct health *h, const struct health_record *r, unsigned parts);
/* Leaves records in the window that are still needed. */
void health_keep(struct health *h);

/* --- health_alert.c --- */

void health_tell(struct health *h, enum alert_state state, const struct health_view *now);

/* --- health_settings.c --- */

int health_check(struct rule *rule, struct err *e);

/* --- health.c, for the detector in health_options.c --- */

bool health_update(const struct rule *rule, const struct event *event,
                   struct update *out);
void health_judge(const struct judge_input *in, struct judgement *out);

#endif

/* One sink's way through a shard's delivery: idle -> taken -> in flight -> answered, or waiting to try again.
 * Used by the shard's thread only. Time is an input, but for the question whether a lease is still fresh. */
#ifndef SINKS_LANE_H
#define SINKS_LANE_H

#include "sinks/delivery_settings.h"
#include "sinks/http.h"
#include "sinks/lane_gate.h"
#include "windows/outbox.h"
#include "windows/silences.h"

/* What all lanes of a shard share. */
struct lane_world {
    const struct delivery_settings *settings; /* no time is 0 */
    struct outbox *outbox;
    struct http *http;       /* a slot a lane, with the same number */
    int64_t now_ms, wall_ms; /* monotonic; since 1970 */
    int64_t spare_until_ms;  /* until then no lease of another pod counts as run out */
    bool stopping;           /* take nothing new */
    struct silences silences;
    struct arena silences_arena;
    int64_t silences_ms; /* when they are read next */
};

enum lane_state {
    LANE_IDLE,
    LANE_WAITING,  /* holds an entry, tries at due_ms */
    LANE_FLYING,   /* its request is under way */
    LANE_ANSWERED, /* it is known what becomes of the entry; Redis does not know yet */
};

/* Written by the delivery thread, read by any; see struct delivery_stats. */
struct lane_counts {
    _Atomic int64_t delivered, superseded, silenced, retried, dead, queued, dead_total,
        oldest_ms;
};

/* Of a conversation (sinks/sink.h). */
struct lane_talk {
    char topic[33];    /* the alert's rule and key */
    struct str memory; /* in the entry's arena */
    bool known;        /* it was recalled */
    bool changed;      /* Redis does not know it yet */
    int turns;         /* how often more was to be said */
    int64_t tries;     /* of the lane's, those before this turn */
};

struct lane {
    struct lane_world *world;
    const struct delivery_sink *sink;
    struct gate *gate;
    size_t slot;
    enum lane_state state;
    int64_t due_ms;                 /* idle: look into the outbox; waiting: try */
    int64_t renew_ms;               /* holding an entry: begin the lease anew */
    int64_t send_before_ms;         /* half of the lease: nothing is sent later */
    bool lost;                      /* another pod holds the entry, or it is gone */
    int64_t count_ms;               /* look up the outbox's figures */
    int64_t dead_said_ms;           /* when it may be said again that many are dead */
    int64_t rest_ms, rest_until_ms; /* Redis refused something; 0: it did not */
    int64_t tries;                  /* of this entry, by this process */
    int64_t tried_ms, took_ms;      /* the last one */
    bool superseded;                /* a later step makes the entry stale */
    bool silenced;                  /* it goes unsent: its beginning was not told */
    bool refused;                   /* the endpoint refused us with this entry, */
    int64_t accepted_before;        /* when it had taken so many others */
    struct lane_talk talk;
    struct arena entry_arena, request_arena;
    struct outbox_entry entry;
    struct alert alert;
    struct outcome outcome;
    struct lane_counts counts;
};

/* Of the gate's sink. Both are lent. */
void lane_init(struct lane *l, struct lane_world *world, struct gate *gate, size_t slot);
void lane_deinit(struct lane *l);

/* Does what is due. 1: Redis answered, 0: it was not asked, -1: it fails, call again later. */
int lane_step(struct lane *l, struct err *e);
/* Redis refused what the step asked, as when it is full: this lane rests, the others need not. */
void lane_rest(struct lane *l, const struct err *e);
/* When the next step is due. */
int64_t lane_due_ms(const struct lane *l);
/* Something may be in the outbox. */
void lane_look_now(struct lane *l);
/* Its request finished. */
void lane_answer(struct lane *l, const struct http_answer *answer);
/* Time is up: breaks the request off and gives the entry back. Answers like lane_step. */
int lane_abandon(struct lane *l, struct err *e);

/* Adds its figures. Any thread. */
void lane_add_stats(const struct lane *l, struct delivery_stats *sum);

#endif

/* What a lane knows: shared by its parts, and by the gate, which looks at all lanes of a sink. No functions. */
#ifndef SINKS_LANE_STATE_H
#define SINKS_LANE_STATE_H

#include "sinks/delivery_settings.h"
#include "sinks/digest.h"
#include "sinks/http.h"
#include "windows/outbox.h"
#include "windows/silences.h"

struct gate;

/* What all lanes of a shard share. */
struct lane_world {
    const struct delivery_settings *settings; /* no time is 0 */
    size_t shard;
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
    _Atomic int64_t delivered, digested, superseded, silenced, retried, dead, queued,
        dead_total, oldest_ms;
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
    int64_t accepted_seen;          /* so many at its last failure, */
    int64_t passed_by;    /* and so many failures came after others were taken */
    bool counted;         /* among the alerts that were told of late */
    struct digest digest; /* n == 0: it is one alert */
    struct lane_talk talk;
    struct arena entry_arena, request_arena;
    struct outbox_entry entry;
    struct alert alert;
    struct outcome outcome;
    struct lane_counts counts;
};

#endif

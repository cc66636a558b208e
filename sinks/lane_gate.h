/* The gate that all lanes of a sink in a shard go through. As many requests are under way as the sink's
 * concurrency says, and a circuit breaker guards it. Closed circuit: requests flow. After GATE_FAILURES
 * failures in a row it opens, and at the first refusal of the endpoint (a key, an address) the sink
 * pauses: then one lane at a time probes, after waits that double, and one answer about an alert,
 * good or bad, lets all go on. So a dead receiver costs one time-out a wait, whatever waits for it.
 * An alert that failed so often, or was refused, steps aside: others are taken beside it, in GATE_ASIDE more
 * lanes, so that bad alerts do not hold up a sink that is well. Where all of these are taken, one that failed as
 * often while others were accepted is given up, so that there is always room. The shard's thread only, but for
 * gate_state. */
#ifndef SINKS_LANE_GATE_H
#define SINKS_LANE_GATE_H

#include "sinks/lane_secrets.h"

struct lane;

enum { GATE_FAILURES = 5, GATE_ASIDE = 16 };

enum gate_state {
    GATE_CLOSED, /* the circuit: it works */
    GATE_OPEN,   /* it failed again and again */
    GATE_PAUSED, /* it refuses us, until a person mends it */
};

struct gate {
    const struct delivery_settings *settings; /* no time is 0 */
    const struct delivery_sink *sink;
    struct lane *lanes;
    size_t lanes_n;
    _Atomic int64_t state; /* enum gate_state */
    unsigned failures;     /* in a row */
    int64_t try_ms;        /* nothing is sent before */
    int64_t gather_ms;     /* nothing is taken before */
    int64_t since_ms;      /* not closed since */
    int64_t said_ms;       /* paused: when that was last told loudly */
    int64_t accepted;      /* answers about an alert */
    struct lane_secrets secrets;
};

/* Of the sink with this number. Reads the secrets; gate_deinit in either case. The lanes are lent. */
int gate_init(struct gate *g, const struct delivery_settings *settings, size_t sink,
              int64_t now_ms, struct err *e);
void gate_deinit(struct gate *g);

/* How many lanes a sink has in a shard. */
size_t gate_lanes_n(const struct delivery_sink *sink);

/* When this lane, which is idle, may take an entry; INT64_MAX: not now. */
int64_t gate_take_ms(const struct gate *g, const struct lane *l, int64_t now_ms);
/* Then all pods together may hold so many of the sink's entries before. */
int64_t gate_most(const struct gate *g);
/* No lane is idle. */
bool gate_full(const struct gate *g);
/* The entries that its lanes hold, as struct outbox_want wants them. */
void gate_known(const struct gate *g, struct buf *out);

/* While the sink is paused: looks whether a secret has changed, and then lets one try at once. Logs. */
void gate_look(struct gate *g, int64_t now_ms);
/* Whether this lane, which waits, may send now. */
bool gate_lets(const struct gate *g, const struct lane *l, int64_t now_ms);
/* When it may, or gate_look has something to do; INT64_MAX: another's answer comes first. */
int64_t gate_due_ms(const struct gate *g, const struct lane *l, int64_t now_ms);

/* Nothing is sent before that: the sink has a rate. */
void gate_hold(struct gate *g, int64_t until_ms);
/* Nothing new is taken before that: a storm is gathered. */
void gate_gather(struct gate *g, int64_t until_ms);
/* It answered, and what it said was about the alert. */
void gate_works(struct gate *g, int64_t now_ms);
/* It did not (RETRY), or it refuses us (REFUSED): how long the lane's alert waits. `tries` of it so far. Logs. */
int64_t gate_fails(struct gate *g, const struct outcome *o, int64_t tries,
                   int64_t now_ms);

/* Any thread. */
enum gate_state gate_state(const struct gate *g);

#endif

/* Events that tell of the world around the tickets: what was deployed, which issues are known. Alerts are told of them.
 *
 * The events of one type are kept like those of a rule, in one window that lies in every shard, under a name that no rule can have, as
 * accounts are (detectors/accounts.h): the watermark that made an alert final has passed every such event before it. So what an alert
 * of time t is told is a function of the events before t; those at t itself do not count. Of the events before `judged_ms` (struct
 * judge_input) only the latest so many are kept, and an alert looks at no more than so many before its time: what went is
 * asked for by nobody. */
#ifndef DETECTORS_CONTEXT_H
#define DETECTORS_CONTEXT_H

#include "detectors/detector.h"

enum { CONTEXT_TEXTS = 12, CONTEXT_TEXT_BYTES = 512 };

/* A text that is kept of an event. */
struct context_field {
    enum event_field field; /* a text, or a flag: "true" or "false" */
    /* What a key has of it, such as its fingerprint; long ones are bounded as keys are. NULL: it is no part of a key. */
    void (*make)(struct str text, struct buf *out);
};

/* What is kept of the events of a type. Constant. */
struct context_kind {
    const char *name; /* of the rule; names that are written have no $ */
    enum event_type type;
    struct context_field fields[CONTEXT_TEXTS]; /* an event without the first is none */
    size_t fields_n;
    size_t kept; /* the latest so many before a time */
};

struct context_event {
    int64_t time_ms;
    struct str event;                /* its id: the order among those of one time */
    struct str texts[CONTEXT_TEXTS]; /* as the kind has fields; n == 0: it says nothing */
};

/* All that a window keeps, in order of (time, id) bytewise. */
struct context {
    const struct context_event *events;
    size_t n;
};

/* The rule that keeps them; `out` is filled, texts live in the arena. An alert asks for what is up to look_ms old. */
void context_rule(const struct context_kind *kind, int64_t look_ms, struct arena *arena,
                  struct rule *out);
/* That rule among them; NULL: there is none. */
const struct rule *context_rule_of(const struct context_kind *kind,
                                   const struct rule *rules, size_t n);
int64_t context_look_ms(const struct rule *rule);

/* In the arena; texts borrow from the records. */
struct context context_load(const struct rule *rule, const struct str *records,
                            size_t records_n, struct arena *arena);
/* The events before the time that an alert of it may look at. */
struct context context_before(const struct rule *rule, const struct context *all,
                              int64_t time_ms);

#endif

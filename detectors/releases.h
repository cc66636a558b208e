/* What `release.deployed` events tell: a version, of which service, and when. An alert names those that were deployed
 * shortly before its episode began, since what changed last is what broke most often.
 *
 * The events are kept like those of a rule, in one window that lies in every shard, as accounts are (detectors/accounts.h): so what an
 * alert of time t says of them is a function of the events before t. Of those before `judged_ms` (struct judge_input)
 * only the latest RELEASES_KEPT are kept, and an alert looks at no more than so many before its time: what went is asked by nobody. */
#ifndef DETECTORS_RELEASES_H
#define DETECTORS_RELEASES_H

#include "core/alert.h"
#include "detectors/detector.h"

enum { RELEASES_KEPT = 200 };

/* The section `releases`. */
struct releases_settings {
    int64_t within_ms; /* 0: nothing is kept */
};

/* The rule that keeps them; `out` is filled, texts live in the arena. */
void releases_rule(int64_t within_ms, struct arena *arena, struct rule *out);
/* That rule among them; NULL: there is none. */
const struct rule *releases_rule_of(const struct rule *rules, size_t n);

struct release {
    struct alert_release told;
    struct str event; /* its id: the order among those of one time */
};

/* In order of (time, id) bytewise, in the arena; texts borrow from the records. */
struct release *releases_load(const struct str *records, size_t records_n,
                              struct arena *arena, size_t *n);
/* Names in the alert, unless it ends, the latest of those inside [o - within, o), where o is when its episode began. */
void releases_name(const struct rule *rule, const struct release *all, size_t n,
                   struct alert *a);

#endif

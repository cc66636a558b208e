/* What `release.deployed` events tell: a version, of which service, and when. An alert names those that were deployed
 * shortly before its episode began, since what changed last is what broke most often. */
#ifndef DETECTORS_RELEASES_H
#define DETECTORS_RELEASES_H

#include "core/alert.h"
#include "detectors/context.h"

extern const struct context_kind releases_kind;

/* The section `releases`. */
struct releases_settings {
    int64_t within_ms; /* 0: nothing is kept */
};

/* Names in the alert, unless it ends, the latest of those inside [o - within, o), where o is when its episode began; texts
 * are those of `all`. */
void releases_name(const struct rule *rule, const struct context *all, struct alert *a);

#endif

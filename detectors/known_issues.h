/* What `known_issue.updated` events tell of an issue: what it is, which alerts are of it, how to get around it, whether they are
 * to be told, and whether it is fixed. Of each member the latest update counts that has it, as with accounts. */
#ifndef DETECTORS_KNOWN_ISSUES_H
#define DETECTORS_KNOWN_ISSUES_H

#include "core/alert.h"
#include "detectors/context.h"

extern const struct context_kind known_issues_kind;

/* All that was told of them. */
struct known_issues {
    const struct rule *rule; /* the one that keeps it */
    struct context told;
};

/* The section `known_issues`. */
struct known_issues_settings {
    int64_t remember_ms;
};

/* Says in the alert, unless it ends, of which known issue it is; texts are those of `all`. Nothing of the arena is needed
 * afterwards. */
void known_issues_attach(const struct rule *rule, const struct context *all,
                         struct arena *arena, struct alert *a);

#endif

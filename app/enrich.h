/* Alerts are told what is known of their accounts, what was deployed before they began, and of which known issue they are. */
#ifndef APP_ENRICH_H
#define APP_ENRICH_H

#include "app/judge.h"
#include "detectors/known_issues.h"

/* Puts what account.updated events said before each alert's time over what its own events said, in the accounts that it
 * lists, which are then in order of MRR anew; names releases and known issues (detectors/context.h). Asks the store only when there are
 * alerts, once for every few hundred accounts. `rules` are all, and the program's own among them say what is
 * known. ERR_UNAVAILABLE: nothing is known of the store. */
int enrich(struct window_store *store, const struct rule *rules, size_t rules_n,
           struct finding *findings, size_t n, struct arena *arena, struct err *e);

/* What is known of issues, in the arena, for kinds that ask for it. `rules` hold the one that keeps it. */
int enrich_issues(struct window_store *store, const struct rule *rules, size_t rules_n,
                  struct arena *arena, struct known_issues *out, struct err *e);

#endif

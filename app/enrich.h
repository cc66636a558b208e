/* Alerts are told what is known of their accounts. */
#ifndef APP_ENRICH_H
#define APP_ENRICH_H

#include "app/judge.h"

/* Puts what account.updated events said before each alert's time over what its own events said, in the accounts that it
 * lists, which are then in order of MRR anew. Asks the store only when there are such alerts, once for every
 * few hundred accounts. `accounts` may be NULL: nothing is known. ERR_UNAVAILABLE: nothing is known of the store. */
int enrich(struct window_store *store, const struct rule *accounts,
           struct finding *findings, size_t n, struct arena *arena, struct err *e);

#endif

/* Does a rule concern an event, and under which key. */
#ifndef DETECTORS_MATCH_H
#define DETECTORS_MATCH_H

#include "core/fingerprint_cache.h"
#include "detectors/rule.h"

enum { KEY_VALUE_BYTES_MAX = 256 };

/* Fills rule->by_n key values, borrowed from the event or the arena. False: the rule does not concern it, or
 * a part of the key is missing. Fingerprints are made once an event and kept in it; `known` has those made lately. */
bool rule_match(const struct rule *rule, struct event *event,
                struct fingerprint_cache *known, struct arena *arena, struct str *key);

/* What an event has where rule_match may be true: it reads nothing else of one that has not. */
struct event_need rule_need(const struct rule *rule);

/* A value of a key as keys have it: a long one is its beginning and its hash, in the arena; else it itself. */
struct str match_bounded(struct str value, struct arena *arena);

#endif

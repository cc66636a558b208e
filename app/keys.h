/* How many keys a rule may have (max_keys), and what is left out for it. */
#ifndef APP_KEYS_H
#define APP_KEYS_H

#include "app/judge.h"

/* The limits of each shard, under the names that its windows have (NULL: as rules say): out has room for n.
 * Returns how many there are. */
size_t keys_limits(const struct rule *rules, size_t n, size_t shards_n,
                   const struct str *names, struct window_limit *out);

/* Counts which of the changes were left out, by rule. */
void keys_left_out(const struct rule *rules, size_t n, const struct str *names,
                   const struct window_change *changes, const struct apply_reply *reply,
                   struct rule_stats *stats);

/* How many keys each of n rules has, in all shards together. */
int keys_count(const struct rule *rules, size_t n, struct window_store *const *stores,
               size_t stores_n, int64_t *counts, struct err *e);

#endif

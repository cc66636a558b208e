/* The ids of accepted events, in slots of event time, for as long as an event of that time could
 * still be accepted: duplicates are dropped. What is kept of an id is its hash, XXH3 of 128 bits: with a
 * hundred million ids at hand the odds that one is taken for another are one in 10^30 an event. */
#ifndef WINDOWS_SEEN_IDS_H
#define WINDOWS_SEEN_IDS_H

#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

struct seen_slot;

struct seen_ids {
    int64_t slot_ms;
    struct seen_slot *slots; /* by cell, ascending */
    size_t n;
    struct seen_slot *spare; /* one that was forgotten; its memory is used again */
};

void seen_ids_init(struct seen_ids *s, int64_t slot_ms);
void seen_ids_deinit(struct seen_ids *s);
bool seen_ids_has(const struct seen_ids *s, struct str id, int64_t time_ms);
void seen_ids_add(struct seen_ids *s, struct str id, int64_t time_ms);
/* Adds all that `from` has, of slots as wide. */
void seen_ids_take(struct seen_ids *s, const struct seen_ids *from);
/* Forgets slots that end at or before the watermark. */
void seen_ids_forget(struct seen_ids *s, int64_t watermark_ms);

#endif

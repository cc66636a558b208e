/* A batch's events turned into window changes: all that a batch adds to one window of a shard, together.
 *
 * An event that changes nothing in any shard is passed over, and nobody remembers its id: that it comes again would
 * change nothing either. One that changes something elsewhere only is known at home, too, in the shard that its id
 * says: there its repetitions are counted. */
#ifndef APP_CHANGES_H
#define APP_CHANGES_H

#include "app/accept.h"
#include "core/fingerprint_cache.h"
#include "core/index.h"
#include "detectors/rule.h"
#include "windows/shard.h"

/* Whose windows: the rules, one shard of so many, and what its store says of the rules (windows/window_store.h); NULL:
 * nothing. */
struct changes_of {
    const struct rule *rules;
    size_t rules_n;
    int64_t lateness_ms;
    size_t shards_n, shard;
    const struct str *names;
    const bool *holds;
};

/* A rule that the event in hand matches. */
struct change_match {
    size_t rule;
    struct str head, key[ALERT_KEYS_MAX];
};

struct change_piece {
    size_t change; /* whose record it is */
    size_t at, n;  /* where it lies in `records` */
};

/* Reused from batch to batch. */
struct changes {
    struct window_change *items;
    size_t n, cap;
    /* those that concern the shard, in order; the arena's, like ids and times_ms */
    struct event **events;
    struct str *ids;
    int64_t *times_ms;
    size_t events_n;
    uint64_t *matches; /* by rule; the arena's */
    /* in the batch itself, of events at home in the shard; like those refused by its store */
    uint64_t duplicates;
    uint64_t refused_duplicates, refused_behind;

    struct index by_head, seen;
    struct fingerprint_cache *known;
    struct buf records;
    struct buf member; /* see struct update */
    struct change_piece *pieces;
    size_t pieces_n, pieces_cap;
    struct change_match *found; /* of the event in hand; the arena's */
    size_t found_n;
    /* The rules that take events of a type, one type after the other; where each begins. The arena's. */
    size_t *takers, takers_from[EVENT_TYPE_COUNT + 1];
    bool asks_field[EVENT_TYPE_COUNT]; /* each of these rules does: its key has parts */
};

void changes_init(struct changes *c);
void changes_deinit(struct changes *c);

/* What the accepted events change in the shard, each id once. Texts go to `arena`, or stay in c until it is filled again. */
void changes_make(struct changes *c, const struct changes_of *of,
                  const struct accepted *a, struct arena *arena);
/* The same without the events that the store refused: enum refusal for each of c->events. */
void changes_leave_out(struct changes *c, const struct changes_of *of,
                       const unsigned char *refused, struct arena *arena);

#endif

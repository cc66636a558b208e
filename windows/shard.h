/* Where a shard's keys are. A shard is the unit of atomicity: all its keys share one hash tag, so it is one
 * slot of a Redis Cluster; the tags are chosen so that N shards lie evenly over the slots. Pure. */
#ifndef WINDOWS_SHARD_H
#define WINDOWS_SHARD_H

#include <stdint.h>

#include "core/arena.h"

enum {
    SHARDS_MAX = 64,
    CLUSTER_SLOTS = 16384,
};

/* "PREFIX:FORMAT.SHARDS:{TAG}:" in the arena. FORMAT is the version of all that is kept in Redis: another
 * version of the program, or another number of shards, keeps a state of its own, made from Kafka. */
struct str shard_stem(struct str prefix, size_t shards_n, size_t shard,
                      struct arena *arena);

/* A key's name: STEM KIND NAME (STR_NONE: no name), in `room`, which outlives the result. Less than SHARD_KEY_BYTES:
 * prefix and names are bounded by the configuration. */
enum { SHARD_KEY_BYTES = 512 };
struct shard_key {
    char text[SHARD_KEY_BYTES];
};
struct str shard_key(struct str stem, const char *kind, struct str name,
                     struct shard_key *room);

/* Which shard things go to that are named by these bytes. */
size_t shard_of_bytes(struct str bytes, size_t shards_n);

/* The slot of a Redis Cluster in which keys with this hash tag lie (Redis Cluster specification: CRC16, XMODEM). */
unsigned shard_slot(struct str tag);

#endif

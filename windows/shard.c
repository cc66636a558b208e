#include "windows/shard.h"

#include <assert.h>
#include <stdio.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { STATE_FORMAT = 7, CRC16_POLYNOMIAL = 0x1021, TAG_BYTES = 12 };

struct str shard_key(struct str stem, const char *kind, struct str name,
                     struct shard_key *room)
{
    int n = snprintf(room->text, sizeof room->text, "%.*s%s%.*s", STR_ARG(stem), kind,
                     STR_ARG(name));
    assert(n >= 0 && n < SHARD_KEY_BYTES);
    return (struct str){room->text, (size_t)n};
}

unsigned shard_slot(struct str tag)
{
    unsigned crc = 0;
    for (size_t i = 0; i < tag.n; i++) {
        crc ^= (unsigned)(unsigned char)tag.p[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 0x8000) ? (crc << 1) ^ CRC16_POLYNOMIAL : crc << 1;
    }
    return (crc & 0xffff) % CLUSTER_SLOTS;
}

size_t shard_of_bytes(struct str bytes, size_t shards_n)
{
    return shards_n == 1 ? 0 : (size_t)(XXH3_64bits(bytes.p, bytes.n) % shards_n);
}

/* The smallest number whose slot lies in the shard's part of them. */
static unsigned tag_of(size_t shards_n, size_t shard)
{
    char text[TAG_BYTES];
    for (unsigned tag = 0;; tag++) {
        int n = snprintf(text, sizeof text, "%u", tag);
        if (shards_n == 1 ||
            shard_slot((struct str){text, (size_t)n}) * shards_n / CLUSTER_SLOTS == shard)
            return tag;
    }
}

struct str shard_stem(struct str prefix, size_t shards_n, size_t shard,
                      struct arena *arena)
{
    char tail[40];
    assert(shard < shards_n && shards_n <= SHARDS_MAX);
    int n = snprintf(tail, sizeof tail, ":%d.%zu:{%u}:", STATE_FORMAT, shards_n,
                     tag_of(shards_n, shard));
    char *stem = arena_alloc(arena, prefix.n + (size_t)n);
    memcpy(stem, prefix.p, prefix.n);
    memcpy(stem + prefix.n, tail, (size_t)n);
    return (struct str){stem, prefix.n + (size_t)n};
}

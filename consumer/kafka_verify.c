/* Whether a partition's log is the one that was applied: a topic that is deleted and made anew has the
 * same name and other records, and a log may be cut back. librdkafka 2.0 knows neither topic ids nor
 * leader epochs; the last applied record does as well. */
#include <xxhash.h>

#include "consumer/kafka_source.h"

/* Chained: the lengths stand in the first link, so no two records give the same bytes. Little-endian,
 * as all machines that we run on are: the hash is kept by one and compared by another. */
uint64_t kafka_record_hash(const rd_kafka_message_t *m)
{
    rd_kafka_timestamp_type_t type;
    int64_t head[] = {m->offset, rd_kafka_message_timestamp(m, &type),
                      m->key ? (int64_t)m->key_len : -1,
                      m->payload ? (int64_t)m->len : -1};
    XXH64_hash_t hash = XXH3_64bits(head, sizeof head);
    if (m->key)
        hash = XXH3_64bits_withSeed(m->key, m->key_len, hash);
    if (m->payload)
        hash = XXH3_64bits_withSeed(m->payload, m->len, hash);
    return hash;
}

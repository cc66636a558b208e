/* Whether a partition's log is the one that was applied: a topic that is deleted and made anew has the
 * same name and other records, and a log may be cut back. librdkafka 2.0 knows neither topic ids nor
 * leader epochs; reading the last applied record again does as well. If that one is gone (retention,
 * compaction), nothing is proven, and only an end before our position tells.
 * What the fetch says about the end is not believed: a new leader may lag for a moment. ListOffsets
 * waits for that (KIP-207). */
#include <inttypes.h>
#include <xxhash.h>

#include "consumer/kafka_source.h"
#include "core/log.h"

enum { RETRY_MS = 500, TELL_EVERY_MS = 1000 };

/* Chained: the lengths stand in the first link, so no two records give the same bytes. Little-endian,
 * as all machines that we run on are: one keeps the hash, another compares it. */
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

/* --- partitions that are not what they were --- */

/* What happened to one partition may have happened to the others of its topic. */
static void set_remade(struct kafka_source *s, size_t slot)
{
    struct kafka_slot *k = kafka_slot(s, slot);
    kafka_drop(k);
    s->remade += !k->remade;
    k->remade = true;
    k->remade_ms = 0;
    kafka_suspect(s, s->partitions.items[slot].topic);
}

void kafka_forget_remade(struct kafka_source *s, struct kafka_slot *k)
{
    s->remade -= k->remade;
    k->remade = false;
}

bool kafka_take_remade(struct kafka_source *s, struct batch *out)
{
    int64_t now = s->remade ? clock_monotonic_ms() : 0;
    for (size_t i = 0; i < s->slots_n && s->remade; i++) {
        struct kafka_slot *k = &s->slots[i];
        if (!k->remade || now < k->remade_ms)
            continue;
        k->remade_ms = now + TELL_EVERY_MS;
        out->slot = i;
        out->name = s->partitions.names[i];
        out->start = out->next = k->position;
        return true;
    }
    return false;
}

void kafka_deleted(struct kafka_source *s, size_t slot)
{
    struct kafka_slot *k = kafka_slot(s, slot);
    log_error("log_remade",
              "partition=%.*s reason=\"what was committed for it is gone: the topic was "
              "deleted\"",
              STR_ARG(s->partitions.names[slot]));
    k->commit = k->committed = POSITION_NONE;
    k->acknowledged = false;
    set_remade(s, slot);
}

/* --- what comes first --- */

void kafka_verify(struct kafka_slot *k)
{
    if (k->last_offset < 0 || k->last_offset >= k->position)
        return;
    k->check_offset = k->last_offset;
    k->check_hash = k->last_hash;
}

void kafka_suspect(struct kafka_source *s, struct str topic)
{
    for (size_t i = 0; i < s->slots_n; i++) {
        struct kafka_slot *k = &s->slots[i];
        if (!k->owned || k->remade || !str_eq(s->partitions.items[i].topic, topic))
            continue;
        kafka_verify(k);
        kafka_set_stray(s, k, kafka_from(k), k->stray ? k->retry_ms : 0);
    }
}

bool kafka_check(struct kafka_source *s, size_t slot, const rd_kafka_message_t *m)
{
    struct kafka_slot *k = kafka_slot(s, slot);
    bool end = m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
    if (k->check_offset == POSITION_NONE)
        return true;
    if (end && m->offset < k->position) {
        kafka_out_of_range(s, slot);
        return false;
    }
    bool there = !end && m->offset == k->check_offset;
    if (there && kafka_record_hash(m) != k->check_hash) {
        log_error("log_remade",
                  "partition=%.*s offset=%" PRId64
                  " reason=\"another record than the one that was applied\"",
                  STR_ARG(s->partitions.names[slot]), m->offset);
        set_remade(s, slot);
        return false;
    }
    k->check_offset = POSITION_NONE;
    return !there;
}

/* --- offsets that are not there --- */

static void too_short(struct kafka_source *s, size_t slot, int64_t low, int64_t high)
{
    log_error("log_remade",
              "partition=%.*s next=%" PRId64 " low=%" PRId64 " high=%" PRId64
              " reason=\"the log ends before what was applied\"",
              STR_ARG(s->partitions.names[slot]), kafka_slot(s, slot)->position, low,
              high);
    set_remade(s, slot);
}

/* Retention took what was to be read next, or only the record to be checked. The batch begins at the
 * position all the same, with a hole. */
static void begin_at(struct kafka_source *s, size_t slot, int64_t low, int64_t high)
{
    struct kafka_slot *k = kafka_slot(s, slot);
    k->check_offset = POSITION_NONE;
    k->first_left = low;
    kafka_set_stray(s, k, low > k->position ? low : k->position, 0);
    if (k->position > 0 && k->position < low)
        log_error("records_lost",
                  "partition=%.*s from=%" PRId64 " to=%" PRId64 " count=%" PRId64
                  " high=%" PRId64
                  " reason=\"retention deleted them before they were read\"",
                  STR_ARG(s->partitions.names[slot]), k->position, low, low - k->position,
                  high);
}

void kafka_out_of_range(struct kafka_source *s, size_t slot)
{
    struct kafka_slot *k = kafka_slot(s, slot);
    int64_t low, high;
    struct err e = {0};
    kafka_set_stray(s, k, kafka_from(k), clock_monotonic_ms() + RETRY_MS);
    if (kafka_first(s, slot, &low, &e) || kafka_end(s, slot, &high, &e))
        return; /* asked again when it fails again */
    if (k->position > high)
        too_short(s, slot, low, high);
    else if (kafka_from(k) < low)
        begin_at(s, slot, low, high);
}

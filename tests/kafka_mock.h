/* librdkafka's own broker inside the test, and a source on it. Static: one test binary each. */
#ifndef TESTS_KAFKA_MOCK_H
#define TESTS_KAFKA_MOCK_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <time.h>

#include "consumer/source.h"
#include "tests/check.h"

enum { MOCK_SLOTS = 64 };

static rd_kafka_t *mock_client; /* produces, and carries the cluster */
static rd_kafka_mock_cluster_t *mock_cluster;
/* of sources opened from now on; 0: the defaults */
static size_t mock_batch_events;
static int64_t mock_memory_bytes;

/* What the listener answers and hears, by slot. */
struct member {
    struct source *source;
    int64_t start[MOCK_SLOTS];
    bool owned[MOCK_SLOTS];
    int assigned, revoked;
};

static inline int64_t mock_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline void mock_start(void)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", why, sizeof why);
    rd_kafka_conf_set(conf, "message.max.bytes", "20000000", why, sizeof why);
    rd_kafka_conf_set(conf, "linger.ms", "0", why, sizeof why);
    rd_kafka_conf_set(conf, "log_level", "3", why, sizeof why);
    mock_client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!mock_client)
        abort();
    mock_cluster = rd_kafka_handle_mock_cluster(mock_client);
}

static inline void mock_topic(const char *topic, int partitions)
{
    if (rd_kafka_mock_topic_create(mock_cluster, topic, partitions, 1))
        abort();
}

/* time_ms: of the record; 0: now. */
static inline void mock_produce_at(const char *topic, int partition, int64_t time_ms,
                                   const char *key, struct str value)
{
    rd_kafka_resp_err_t rc = rd_kafka_producev(
        mock_client, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_KEY((char *)(uintptr_t)key, key ? strlen(key) : 0),
        RD_KAFKA_V_VALUE((char *)(uintptr_t)value.p, value.n),
        RD_KAFKA_V_TIMESTAMP(time_ms),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    if (rc)
        abort();
}

static inline void mock_produce(const char *topic, int partition, const char *key,
                                struct str value)
{
    mock_produce_at(topic, partition, 0, key, value);
}

/* An event whose id is its offset. */
static inline void mock_event_at(const char *topic, int partition, int64_t time_ms,
                                 int offset)
{
    char text[128];
    int len = snprintf(
        text, sizeof text,
        "{\"id\":\"%d\",\"type\":\"page.error\",\"time\":1772442847120}", offset);
    mock_produce_at(topic, partition, time_ms, NULL, (struct str){text, (size_t)len});
}

/* `from` must be the partition's end. */
static inline void mock_events(const char *topic, int partition, int from, int n)
{
    for (int i = from; i < from + n; i++)
        mock_event_at(topic, partition, 0, i);
    CHECK_INT(rd_kafka_flush(mock_client, 60000), 0);
}

/* The mock names partitions beside a topic's error, as no broker does; librdkafka 2.1 to 2.9
 * crashes on that (its issue 4907). */
static inline bool mock_can_forbid(void)
{
    return rd_kafka_version() < 0x02010000 || rd_kafka_version() >= 0x020a0000;
}

static inline struct source_place mock_assigned(void *arg, size_t slot, struct str name)
{
    struct member *m = arg;
    CHECK(slot < MOCK_SLOTS && name.n > 0 && !m->owned[slot]);
    m->owned[slot] = true;
    m->assigned++;
    return (struct source_place){m->start[slot], -1, 0};
}

static inline void mock_revoked(void *arg, size_t slot, struct str name)
{
    struct member *m = arg;
    CHECK(slot < MOCK_SLOTS && name.n > 0 && m->owned[slot]);
    m->owned[slot] = false;
    m->revoked++;
}

/* `property` may be NULL. */
static inline struct source *mock_open(struct member *m, const char *topic,
                                       const char *property, const char *value,
                                       struct err *e)
{
    struct str topics[] = {str_of(topic)};
    struct str names[] = {STR("session.timeout.ms"), str_of(property)};
    struct str values[] = {STR("6000"), str_of(value)};
    struct kafka_source_settings settings = {
        .brokers = str_of(rd_kafka_mock_cluster_bootstraps(mock_cluster)),
        .group = str_of(topic),
        .dead_letter = STR("dlq"),
        .topics = topics,
        .topics_n = 1,
        .property_names = names,
        .property_values = values,
        .properties_n = property ? 2 : 1,
        .batch_events = mock_batch_events,
        .memory_bytes = mock_memory_bytes,
        .max_future_ms = (int64_t)3650 * 86400000};
    struct source_listener listener = {m, mock_assigned, mock_revoked};
    m->source = kafka_source_open(&settings, &listener, e);
    return m->source;
}

/* The next batch, within seconds; SOURCE_NOTHING if none comes. */
static inline enum source_result mock_next(struct member *m, struct batch *out,
                                           int seconds, struct err *e)
{
    enum source_result result = SOURCE_NOTHING;
    int64_t until = mock_now_ms() + seconds * 1000;
    batch_reset(out);
    while (result == SOURCE_NOTHING && mock_now_ms() < until)
        result = m->source->ops->next(m->source, out, 100, e);
    return result;
}

#endif

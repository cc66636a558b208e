/* A source on the mock broker whose partitions stand where the test says. Static: one test binary each. */
#ifndef TESTS_KAFKA_PLACES_H
#define TESTS_KAFKA_PLACES_H

#include "consumer/kafka_source.h"
#include "tests/kafka_mock.h"

enum { PARTITIONS = 8, EVENTS = 10, PATIENCE_S = 90 };

static struct batch batch;
static struct err err;

/* What the store would answer, by partition; `unknown`: so often it cannot. */
static struct source_place places[PARTITIONS];
static int unknown[PARTITIONS], asked[PARTITIONS];
static bool ours[PARTITIONS];

static inline int number_of(struct str name)
{
    return name.p[name.n - 1] - '0';
}

static inline struct source_place on_assigned(void *arg, size_t slot, struct str name)
{
    int p = number_of(name);
    (void)arg;
    (void)slot;
    ours[p] = true;
    if (asked[p]++ < unknown[p])
        return (struct source_place){SOURCE_ASK_AGAIN, -1, 0};
    return places[p];
}

static inline void on_revoked(void *arg, size_t slot, struct str name)
{
    (void)arg;
    (void)slot;
    ours[number_of(name)] = false;
}

static inline struct source *open_source(const char *first, const char *second)
{
    struct str topics[] = {str_of(first), str_of(second)};
    struct str names[] = {STR("session.timeout.ms"),
                          STR("topic.metadata.refresh.interval.ms")};
    struct str values[] = {STR("6000"), STR("1000")};
    static int groups;
    char group
        [16]; /* another one each time: the mock broker waits for members that left */
    snprintf(group, sizeof group, "g%d", ++groups);
    struct kafka_source_settings settings = {
        .brokers = str_of(rd_kafka_mock_cluster_bootstraps(mock_cluster)),
        .group = str_of(group),
        .topics = topics,
        .topics_n = second ? 2 : 1,
        .property_names = names,
        .property_values = values,
        .properties_n = 2,
        .batch_events = EVENTS / 2,
        .max_future_ms = (int64_t)3650 * 86400000};
    struct source_listener listener = {NULL, on_assigned, on_revoked};
    struct source *s = kafka_source_open(&settings, &listener, &err);
    if (!s)
        abort();
    return s;
}

static inline enum source_result next(struct source *s, int wait_ms)
{
    batch_reset(&batch);
    return s->ops->next(s, &batch, wait_ms, &err);
}

static inline enum source_result next_within(struct source *s, int seconds)
{
    enum source_result result = SOURCE_NOTHING;
    int64_t until = mock_now_ms() + seconds * 1000;
    while (result == SOURCE_NOTHING && mock_now_ms() < until)
        result = next(s, 100);
    return result;
}

#endif

/* The Kafka source while its broker answers with errors: what is handed out goes on exactly where it
 * was, in order, and what was committed is committed in the end. The errors are librdkafka's mock
 * cluster's: each request of a kind is answered with the next of those pushed. */
#include <stdlib.h>

#include "tests/kafka_mock.h"

enum { PARTITIONS = 2, EVENTS_A_ROUND = 60, ROUND_S = 60 };
/* https://kafka.apache.org/protocol.html#protocol_api_keys */
enum {
    FETCH = 1,
    LIST_OFFSETS = 2,
    OFFSET_COMMIT = 8,
    OFFSET_FETCH = 9,
    FIND_COORDINATOR = 10,
    JOIN_GROUP = 11,
    HEARTBEAT = 12,
    SYNC_GROUP = 14,
};

static struct batch batch;
static struct err err;
static int64_t next[PARTITIONS]; /* where the store would stand */
static size_t slots[PARTITIONS];
static int produced;

static size_t number(struct str name)
{
    return name.p[name.n - 1] == '1';
}

static struct source_place assigned(void *arg, size_t slot, struct str name)
{
    struct member *m = arg;
    slots[number(name)] = slot;
    m->start[slot] = next[number(name)];
    return mock_assigned(arg, slot, name);
}

static void open_member(struct member *m)
{
    struct str topics[] = {STR("errors")};
    struct str names[] = {STR("session.timeout.ms"), STR("heartbeat.interval.ms")};
    struct str values[] = {STR("6000"), STR("200")};
    struct kafka_source_settings settings = {
        .brokers = str_of(rd_kafka_mock_cluster_bootstraps(mock_cluster)),
        .group = STR("errors"),
        .topics = topics,
        .topics_n = 1,
        .property_names = names,
        .property_values = values,
        .properties_n = 2,
        .batch_events = 7,
        .max_future_ms = (int64_t)3650 * 86400000};
    struct source_listener listener = {m, assigned, mock_revoked};
    m->source = kafka_source_open(&settings, &listener, &err);
    if (!m->source)
        abort();
}

static void step(struct member *m)
{
    batch_reset(&batch);
    enum source_result result = m->source->ops->next(m->source, &batch, 50, &err);
    CHECK(result != SOURCE_ERROR);
    if (result != SOURCE_BATCH)
        return;
    size_t p = number(batch.name);
    CHECK(m->owned[batch.slot]);
    CHECK_INT(batch.start, next[p]);
    for (size_t i = 0; i < batch.events_n; i++)
        CHECK_INT(batch.events[i].offset, next[p] + (int64_t)i);
    next[p] = batch.next;
    m->source->ops->commit(m->source, batch.slot, batch.next, STR("x"));
}

static bool all_read(void)
{
    return next[0] == produced && next[1] == produced;
}

/* More events, and errors in the way of them. */
static void read_through(struct member *m)
{
    for (int p = 0; p < PARTITIONS; p++)
        mock_events("errors", p, produced, EVENTS_A_ROUND);
    produced += EVENTS_A_ROUND;
    int64_t until = mock_now_ms() + ROUND_S * 1000;
    while (!all_read() && mock_now_ms() < until)
        step(m);
    CHECK_INT(next[0], produced);
    CHECK_INT(next[1], produced);
}

static void on_committed(void *arg, struct str name, int64_t offset, struct str metadata)
{
    (void)metadata;
    ((int64_t *)arg)[number(name)] = offset;
}

/* A commit that is refused is said again; what a rebalance made void the engine says every second. */
static void commits_in_the_end(struct member *m)
{
    int64_t until = mock_now_ms() + ROUND_S * 1000, told[PARTITIONS] = {-1, -1};
    while ((told[0] != produced || told[1] != produced) && mock_now_ms() < until) {
        step(m);
        for (size_t p = 0; p < PARTITIONS; p++)
            m->source->ops->commit(m->source, slots[p], next[p], STR("x"));
        (void)m->source->ops->committed(m->source, on_committed, told, &err);
        err_clear(&err);
    }
    CHECK_INT(told[0], produced);
    CHECK_INT(told[1], produced);
}

static const struct {
    int16_t api;
    rd_kafka_resp_err_t error;
} rows[] = {
    {FETCH, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION},
    {FETCH, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART},
    {FETCH, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT},
    {FETCH, RD_KAFKA_RESP_ERR__TRANSPORT},
    {LIST_OFFSETS, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE},
    {OFFSET_COMMIT, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS},
    {OFFSET_COMMIT, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS},
    {OFFSET_COMMIT, RD_KAFKA_RESP_ERR_NOT_COORDINATOR},
    {OFFSET_COMMIT, RD_KAFKA_RESP_ERR__TRANSPORT},
    {OFFSET_FETCH, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS},
    {HEARTBEAT, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS},
    {HEARTBEAT, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID},
    {HEARTBEAT, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION},
    {HEARTBEAT, RD_KAFKA_RESP_ERR_NOT_COORDINATOR},
    {JOIN_GROUP, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE},
    {SYNC_GROUP, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS},
    {FIND_COORDINATOR, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE},
};

/* A member that has to join again waits for some seconds in the mock: once is enough there. */
static void push(size_t row)
{
    rd_kafka_resp_err_t error = rows[row].error;
    bool joins = rows[row].api == HEARTBEAT || rows[row].api == SYNC_GROUP;
    rd_kafka_mock_push_request_errors(mock_cluster, rows[row].api, joins ? 1 : 3, error,
                                      error, error);
}

static void check_each(struct member *m)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        push(i);
        read_through(m);
        if (rows[i].api == OFFSET_COMMIT)
            commits_in_the_end(m);
    }
}

/* Several at once, and a rejoin in their midst; the seed is fixed. */
static void check_mixed(struct member *m)
{
    unsigned seed = 7;
    for (int n = 0; n < 4; n++)
        push((size_t)rand_r(&seed) % (sizeof rows / sizeof *rows));
    read_through(m);
    commits_in_the_end(m);
}

int main(void)
{
    struct member m = {0};
    batch_init(&batch);
    mock_start();
    mock_topic("errors", PARTITIONS);
    open_member(&m);
    read_through(&m);
    check_each(&m);
    check_mixed(&m);
    m.source->ops->close(m.source);
    batch_deinit(&batch);
    rd_kafka_destroy(mock_client);
    return check_result();
}

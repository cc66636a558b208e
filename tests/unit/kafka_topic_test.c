/* Topics that vanish and are there again, under a source that runs. */
#include "tests/kafka_places.h"

static size_t partitions_of(struct source *s)
{
    const struct str *names;
    size_t n = 99;
    CHECK_INT(s->ops->partitions(s, &names, &n, &err), 0);
    return n;
}

static void wait_for_partitions(struct source *s, size_t n)
{
    int64_t until = mock_now_ms() + PATIENCE_S * 1000;
    while (partitions_of(s) != n && mock_now_ms() < until)
        CHECK(next(s, 100) != SOURCE_ERROR);
    CHECK_INT(partitions_of(s), n);
}

/* Reads what the one partition with records has; the store is told where it stands. */
static void read_events(struct source *s, int64_t from, int64_t to)
{
    for (int64_t at = from; at < to; at = batch.next) {
        if (next_within(s, PATIENCE_S) != SOURCE_BATCH)
            abort();
        CHECK_INT(batch.start, at);
        CHECK_INT(batch.events[0].offset, at);
        places[number_of(batch.name)] =
            (struct source_place){batch.next, batch.last_offset, batch.last_hash};
    }
}

/* Gone for a while, so its log may be another one: the last record tells, whether the group took the
 * partitions from us meanwhile or not. */
static void check_topics(void)
{
    mock_topic("stays", 1);
    mock_topic("goes", 2);
    mock_events("goes", 1, 0, EVENTS);
    places[0] = places[1] = (struct source_place){-1, -1, 0};
    struct source *s = open_source("stays", "goes");
    CHECK_INT(partitions_of(s), 3);
    read_events(s, 0, EVENTS);
    struct kafka_slot *k = kafka_slot((struct kafka_source *)s, batch.slot);
    for (int round = 0; round < 2; round++) {
        rd_kafka_mock_topic_set_error(mock_cluster, "goes",
                                      RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
        wait_for_partitions(s, 1);
        if (round == 1) { /* as if another record had been applied */
            k->last_hash ^= 1;
            k->check_hash ^= 1;
            places[1].last_hash ^= 1;
        }
        rd_kafka_mock_topic_set_error(mock_cluster, "goes", RD_KAFKA_RESP_ERR_NO_ERROR);
        wait_for_partitions(s, 3);
        mock_events("goes", 1, EVENTS * (round + 1), EVENTS);
        if (round == 0)
            read_events(s, EVENTS, 2 * EVENTS);
        else
            CHECK_INT(next_within(s, PATIENCE_S), SOURCE_REMADE);
    }
    s->ops->close(s);
}

int main(void)
{
    if (!mock_can_forbid()) {
        puts("skipped: with this librdkafka the mock broker cannot hide a topic");
        return 77;
    }
    batch_init(&batch);
    mock_start();
    check_topics();
    batch_deinit(&batch);
    rd_kafka_destroy(mock_client);
    return check_result();
}

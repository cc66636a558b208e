/* Where the Kafka source goes on: logs that are verified, made anew, cut short; pauses. */
#include "tests/kafka_places.h"

/* --- the record that was applied last --- */

/* Reads all of topic "place" and notes where each batch ended. */
static void learn(struct source_place halves[PARTITIONS],
                  struct source_place ends[PARTITIONS])
{
    struct source *s = open_source("place", NULL);
    for (int left = PARTITIONS * EVENTS; left > 0; left -= (int)batch.events_n) {
        if (next_within(s, PATIENCE_S) != SOURCE_BATCH)
            abort();
        CHECK_INT(batch.last_offset, batch.next - 1);
        CHECK_INT(batch.lost, 0);
        struct source_place at = {batch.next, batch.last_offset, batch.last_hash};
        (batch.next == EVENTS ? ends : halves)[number_of(batch.name)] = at;
    }
    s->ops->close(s);
}

/* What comes of each partition until nothing does: where it began, and whether it was remade. */
static void go_on(struct source *s, int64_t began[PARTITIONS], bool remade[PARTITIONS])
{
    int64_t until = mock_now_ms() + PATIENCE_S * 1000, quiet = 0;
    for (int p = 0; p < PARTITIONS; p++)
        began[p] = -1;
    while (mock_now_ms() < until && (!quiet || mock_now_ms() < quiet)) {
        enum source_result result = next(s, 100);
        if (result == SOURCE_NOTHING)
            continue;
        int p = number_of(batch.name);
        quiet = mock_now_ms() + 6000;
        CHECK(result == SOURCE_BATCH || result == SOURCE_REMADE);
        if (result == SOURCE_REMADE) {
            CHECK(began[p] == -1); /* nothing of another log was handed out */
            CHECK_INT(batch.events_n, 0);
            remade[p] = true;
            CHECK_INT(s->ops->seek(s, batch.slot, 0, &err), 0);
        } else if (began[p] < 0) {
            began[p] = batch.start;
        }
    }
}

static void check_verified(void)
{
    struct source_place halves[PARTITIONS], ends[PARTITIONS];
    int64_t began[PARTITIONS];
    bool remade[PARTITIONS] = {false};
    mock_topic("place", PARTITIONS);
    for (int p = 0; p < PARTITIONS; p++) {
        mock_events("place", p, 0, EVENTS);
        places[p] = (struct source_place){-1, -1, 0};
    }
    learn(halves, ends);
    for (int p = 0; p < PARTITIONS; p++)
        CHECK(halves[p].last_hash != ends[p].last_hash);
    places[0] = ends[0]; /* at the end, and the log is the same */
    places[1] = ends[1]; /* the end is another record */
    places[1].last_hash ^= 1;
    places[2] = (struct source_place){EVENTS + 1, EVENTS, 1}; /* beyond the end */
    places[3] = halves[3];
    places[4] = halves[4];
    places[4].last_hash ^= 1;
    places[5] = (struct source_place){EVENTS + 5, -1, 0}; /* beyond it, nothing known */
    places[6] = halves[6];
    unknown[6] = 2;
    asked[6] = 0;
    places[7] = (struct source_place){EVENTS, -1, 0};
    struct source *s = open_source("place", NULL);
    go_on(s, began, remade);
    const int64_t want[PARTITIONS] = {-1, 0, 0, halves[3].offset, 0, 0, halves[6].offset,
                                      -1};
    for (int p = 0; p < PARTITIONS; p++) {
        CHECK_INT(began[p], want[p]);
        CHECK_INT(remade[p], want[p] == 0);
    }
    CHECK(asked[6] >= 3);
    mock_events("place", 0, EVENTS,
                1); /* the record that was verified is not handed out */
    CHECK_INT(next_within(s, PATIENCE_S), SOURCE_BATCH);
    CHECK_INT(batch.start, EVENTS);
    CHECK_INT(batch.events_n, 1);
    s->ops->close(s);
    unknown[6] = 0;
}

/* A record to be checked that compaction took: the next one proves nothing. */
static void check_compacted(void)
{
    static struct kafka_source s;
    rd_kafka_message_t later = {.offset = 7},
                       end = {.err = RD_KAFKA_RESP_ERR__PARTITION_EOF, .offset = 9};
    partitions_init(&s.partitions);
    size_t slot = partitions_slot(&s.partitions, STR("compacted"), 0);
    struct kafka_slot *k = kafka_slot(&s, slot);
    k->position = k->check_offset = 5;
    CHECK(kafka_check(&s, slot, &later));
    CHECK_INT(k->check_offset, POSITION_NONE);
    k->check_offset = 5;
    CHECK(kafka_check(&s, slot, &end));
    CHECK_INT(k->check_offset, POSITION_NONE);
    CHECK_INT(k->remade, false);
    partitions_deinit(&s.partitions);
    free(s.slots);
}

/* --- offsets that are not there --- */

/* The mock broker keeps 5 MB of a partition. */
static void fill_past_retention(const char *topic, int partition)
{
    char *pad = calloc(1, 900001), text[128];
    if (!pad)
        abort();
    memset(pad, ' ', 900000);
    for (int i = 0; i < 12; i++) {
        int n = snprintf(text, sizeof text,
                         "{\"id\":\"%d\",\"type\":\"t\",\"time\":1772442847120}", i);
        memcpy(pad, text, (size_t)n);
        mock_produce(topic, partition, NULL, (struct str){pad, 900000});
        CHECK_INT(rd_kafka_flush(mock_client, 60000), 0);
    }
    free(pad);
}

static void check_start(struct source *s, int64_t start, int64_t lost, int64_t low)
{
    CHECK_INT(next_within(s, PATIENCE_S), SOURCE_BATCH);
    CHECK_INT(batch.start,
              start); /* with a hole: the store goes on from where it stands */
    CHECK_INT(batch.lost, lost);
    CHECK_INT(batch.events_n ? batch.events[0].offset : -1, low);
    CHECK_INT(batch.events_n ? strtol(batch.events[0].id.p, NULL, 10) : -1, low);
}

static void check_lost(void)
{
    mock_topic("lost", 1);
    fill_past_retention("lost", 0);
    places[0] = (struct source_place){-1, -1, 0};
    struct source *s = open_source("lost", NULL);
    CHECK_INT(next_within(s, PATIENCE_S), SOURCE_BATCH);
    int64_t low = batch.events_n ? batch.events[0].offset : -1;
    CHECK(low > 3 && low < 11);
    CHECK_INT(batch.start, 0);
    CHECK_INT(batch.lost, 0); /* who begins at the beginning loses nothing */
    CHECK_INT(s->ops->seek(s, 0, 2, &err), 0);
    check_start(s, 2, low - 2, low);
    CHECK_INT(s->ops->seek(s, 0, low, &err), 0);
    check_start(s, low, 0, low);
    CHECK_INT(s->ops->seek(s, 0, 0, &err), 0);
    check_start(s, 0, 0, low);
    CHECK_INT(s->ops->seek(s, 0, 1000, &err), 0);
    CHECK_INT(next_within(s, PATIENCE_S), SOURCE_REMADE); /* the log ends before */
    CHECK_INT(batch.slot, 0);
    CHECK_STR(batch.name, STR("lost/0"));
    CHECK_INT(next_within(s, PATIENCE_S), SOURCE_REMADE); /* until it is sought */
    CHECK_INT(s->ops->seek(s, 0, 0, &err), 0);
    check_start(s, 0, 0, low);
    s->ops->close(s);
    places[0] = (struct source_place){3, 2, 77}; /* record 2 is gone: nothing is proven */
    s = open_source("lost", NULL);
    check_start(s, 3, low - 3, low);
    s->ops->close(s);
    places[0] = (struct source_place){low + 1, 2, 77}; /* that, but nothing is lost */
    s = open_source("lost", NULL);
    check_start(s, low + 1, 0, low + 1);
    s->ops->close(s);
}

/* --- what is committed is there --- */

/* Partition 0's offsets are committed again and again and stay; of partition 1 nothing is there that should. */
static void check_deleted(void)
{
    mock_topic("deleted", 2);
    mock_events("deleted", 0, 0, EVENTS);
    mock_events("deleted", 1, 0, EVENTS);
    places[0] = places[1] = (struct source_place){-1, -1, 0};
    struct source *s = open_source("deleted", NULL);
    size_t slots[2] = {0};
    for (int left = 2 * EVENTS; left > 0; left -= (int)batch.events_n) {
        if (next_within(s, PATIENCE_S) != SOURCE_BATCH)
            abort();
        slots[number_of(batch.name)] = batch.slot;
    }
    struct kafka_slot *first = kafka_slot((struct kafka_source *)s, slots[0]);
    int64_t until = mock_now_ms() + PATIENCE_S * 1000;
    for (int64_t offset = 1; offset < 4; offset++) {
        s->ops->commit(s, slots[0], offset, STR(""));
        while (!(first->acknowledged && first->committed == offset) &&
               mock_now_ms() < until)
            CHECK_INT(next(s, 100), SOURCE_NOTHING);
    }
    CHECK_INT(first->committed, 3);
    kafka_slot((struct kafka_source *)s, slots[1])->acknowledged = true;
    s->ops->commit(s, slots[1], 5, STR(""));
    CHECK_INT(next_within(s, PATIENCE_S), SOURCE_REMADE);
    CHECK_INT(batch.slot, slots[1]);
    CHECK_INT(s->ops->seek(s, slots[1], 0, &err), 0);
    CHECK_INT(next_within(s, PATIENCE_S), SOURCE_BATCH);
    CHECK_INT(batch.slot, slots[1]);
    CHECK_INT(batch.start, 0);
    s->ops->close(s);
}

/* --- pauses --- */

static void check_quiet(struct source *s)
{
    for (int i = 0; i < 10; i++)
        CHECK_INT(next(s, 100), SOURCE_NOTHING);
}

static void check_pauses(void)
{
    enum { MANY = 200 };
    int64_t at[2] = {0, 0}, until = mock_now_ms() + PATIENCE_S * 1000;
    mock_topic("pause", 2);
    mock_events("pause", 0, 0, MANY);
    mock_events("pause", 1, 0, MANY);
    places[0] = places[1] = (struct source_place){-1, -1, 0};
    ours[0] = ours[1] = false;
    struct source *s = open_source("pause", NULL);
    s->ops->pause(s, true);
    while (!(ours[0] && ours[1]) && mock_now_ms() < until)
        CHECK_INT(next(s, 100), SOURCE_NOTHING);
    check_quiet(s); /* what becomes ours is paused, too */
    s->ops->pause(s, false);
    for (int i = 0; at[0] < MANY + 1 || at[1] < MANY; i++) {
        if (next_within(s, PATIENCE_S) != SOURCE_BATCH)
            abort();
        int p = number_of(batch.name);
        CHECK_INT(batch.start, at[p]);
        at[p] = batch.next;
        if (i != 3 && i != 9)
            continue;
        s->ops->pause(s, true);
        if (i == 9) {
            mock_events("pause", 0, MANY, 1);
            CHECK_INT(s->ops->seek(s, batch.slot, at[p] = 3, &err), 0);
        }
        check_quiet(s);
        s->ops->pause(s, false);
        s->ops->pause(s, false);
    }
    s->ops->close(s);
}

int main(void)
{
    batch_init(&batch);
    mock_start();
    check_compacted();
    check_verified();
    check_lost();
    check_deleted();
    check_pauses();
    batch_deinit(&batch);
    rd_kafka_destroy(mock_client);
    return check_result();
}

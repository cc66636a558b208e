/* Whose turn it is: partitions of the Kafka source are read in step of their records' times, on librdkafka's mock
 * broker. */
#include "tests/kafka_mock.h"

static struct batch batch;
static struct err err;

static const int64_t BEGIN_MS = 1772442847120; /* as the events' own */

static void done(struct member *m)
{
    m->source->ops->close(m->source);
    err_clear(&err);
}

static void pause_ms(int ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* --- in step --- */

enum { PARTITIONS = 4, EACH = 1500, AT_A_TIME = 50, PATIENCE_MS = 1000 };

/* A partition's records are so far apart: the fourth has four times as many an hour as the first. */
static int64_t time_of(size_t slot, int64_t offset)
{
    return BEGIN_MS + offset * 4000 / (int64_t)(slot + 1);
}

/* The one whose next record is the oldest, but for one that waited for long. */
static bool is_right(size_t slot, const int64_t *next, const int64_t *since_ms)
{
    bool right = mock_now_ms() - since_ms[slot] >= PATIENCE_MS - 100;
    size_t oldest = slot;
    for (size_t i = 0; i < PARTITIONS; i++)
        if (next[i] < EACH && time_of(i, next[i]) < time_of(oldest, next[oldest]))
            oldest = i;
    return right || time_of(oldest, next[oldest]) == time_of(slot, next[slot]);
}

static void check_in_step(void)
{
    struct member m = {0};
    int64_t next[PARTITIONS] = {0}, since_ms[PARTITIONS], read = 0, wrong = 0;
    mock_topic("step", PARTITIONS);
    for (int p = 0; p < PARTITIONS; p++)
        for (int i = 0; i < EACH; i++)
            mock_event_at("step", p, time_of((size_t)p, i), i);
    CHECK_INT(rd_kafka_flush(mock_client, 60000), 0);
    mock_batch_events = AT_A_TIME;
    CHECK(mock_open(&m, "step", NULL, NULL, &err));
    mock_batch_events = 0;
    for (size_t i = 0; i < PARTITIONS; i++)
        since_ms[i] = mock_now_ms();
    while (read < PARTITIONS * EACH && mock_next(&m, &batch, 90, &err) == SOURCE_BATCH) {
        size_t slot = batch.slot;
        CHECK(slot < PARTITIONS && batch.start == next[slot]);
        wrong += read > 0 && !is_right(slot, next, since_ms);
        if (read == 0)
            pause_ms(1000); /* all are fetched */
        next[slot] = batch.next;
        since_ms[slot] = mock_now_ms();
        read += (int64_t)batch.events_n;
    }
    CHECK_INT(read, PARTITIONS * EACH);
    CHECK(wrong <= PARTITIONS * EACH / AT_A_TIME / 10); /* some may come late */
    done(&m);
}

/* --- patience --- */

/* One that is newer than all that others have to say is not left waiting for the end of that. */
static void check_patience(void)
{
    enum { MANY = 4000 };
    struct member m = {0};
    int64_t read = 0, newest = 0;
    mock_topic("newer", 2);
    for (int i = 0; i < MANY; i++)
        mock_event_at("newer", 0, BEGIN_MS + i, i);
    CHECK_INT(rd_kafka_flush(mock_client, 60000), 0);
    mock_batch_events = 1;
    CHECK(mock_open(&m, "newer", NULL, NULL, &err));
    mock_batch_events = 0;
    for (; newest == 0 && mock_next(&m, &batch, 90, &err) == SOURCE_BATCH; read++) {
        newest = batch.slot == 1 ? read : 0;
        if (read == 0)
            mock_event_at("newer", 1, BEGIN_MS + MANY, 0);
        pause_ms(1);
    }
    CHECK(newest > 0 && newest < MANY);
    done(&m);
}

/* --- many --- */

/* Among more partitions memory is divided into smaller parts: all are read all the same. */
static void check_many(void)
{
    enum { MANY = 48, FEW = 30 };
    struct member m = {0};
    int64_t next[MANY] = {0}, read = 0;
    mock_topic("many", MANY);
    for (int p = 0; p < MANY; p++)
        mock_events("many", p, 0, FEW);
    CHECK(mock_open(&m, "many", NULL, NULL, &err));
    while (read < MANY * FEW && mock_next(&m, &batch, 90, &err) == SOURCE_BATCH) {
        CHECK(batch.slot < MANY && batch.start == next[batch.slot]);
        next[batch.slot] = batch.next;
        read += (int64_t)batch.events_n;
    }
    CHECK_INT(read, MANY * FEW);
    CHECK_INT(m.assigned, MANY);
    done(&m);
}

/* --- little memory --- */

static void check_little_memory(void)
{
    static const int64_t limits_bytes[] = {192 << 20, 64 << 20, 16 << 20, 1 << 20};
    enum { FEW = 30 };
    mock_topic("little", 1);
    mock_events("little", 0, 0, FEW);
    for (size_t i = 0; i < sizeof limits_bytes / sizeof *limits_bytes; i++) {
        struct member m = {0};
        mock_memory_bytes = limits_bytes[i];
        CHECK(mock_open(&m, "little", NULL, NULL, &err));
        size_t read = 0;
        while (read < FEW && mock_next(&m, &batch, 90, &err) == SOURCE_BATCH)
            read += batch.events_n;
        CHECK_INT(read, FEW);
        done(&m);
    }
    mock_memory_bytes = 0;
}

/* --- full queues --- */

/* A queue that was full is filled again as soon as there is room, not a second later. */
static void check_refilled(void)
{
    enum { MANY = 60000, LONG_MS = 700 }; /* librdkafka 2.0 would rest four times */
    struct member m = {0};
    int64_t given_ms, read = 0, longest_ms = 0;
    mock_topic("full", 1);
    mock_events("full", 0, 0, MANY);
    CHECK(mock_open(&m, "full", "queued.min.messages", "500", &err));
    CHECK_INT(mock_next(&m, &batch, 90, &err), SOURCE_BATCH);
    do {
        read = batch.next;
        given_ms = mock_now_ms();
        if (read < MANY)
            CHECK_INT(mock_next(&m, &batch, 90, &err), SOURCE_BATCH);
        if (mock_now_ms() - given_ms > longest_ms)
            longest_ms = mock_now_ms() - given_ms;
    } while (read < MANY && batch.next > read);
    CHECK_INT(read, MANY);
    CHECK(longest_ms < LONG_MS);
    done(&m);
}

int main(void)
{
    batch_init(&batch);
    mock_start();
    mock_topic("dlq", 1);
    check_in_step();
    check_patience();
    check_many();
    check_little_memory();
    check_refilled();
    batch_deinit(&batch);
    rd_kafka_destroy(mock_client);
    return check_result();
}

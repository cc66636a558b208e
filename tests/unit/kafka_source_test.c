/* The Kafka source on librdkafka's mock broker: where it reads, what it hands out, what it says. */
#include "tests/kafka_mock.h"

static struct batch batch;
static struct err err;

static void done(struct member *m)
{
    int64_t from = mock_now_ms();
    m->source->ops->close(m->source);
    CHECK(mock_now_ms() - from < 60000);
    for (int i = 0; i < MOCK_SLOTS; i++)
        CHECK(!m->owned[i]);
    err_clear(&err);
}

/* --- opening --- */

static void check_refused(const char *topic, const char *property, const char *value,
                          const char *want)
{
    struct member m = {0};
    CHECK(!mock_open(&m, topic, property, value, &err));
    CHECK_INT(err.kind, ERR_REFUSED);
    if (!strstr(err.text, want))
        CHECK_STR(str_of(err.text), str_of(want));
    err_clear(&err);
}

static void check_opening(void)
{
    mock_topic("open", 1);
    rd_kafka_mock_topic_set_error(mock_cluster, "gone",
                                  RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    rd_kafka_mock_topic_set_error(mock_cluster, "closed",
                                  RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    check_refused("open", "fetch.max.byts", "1", "did you mean 'fetch.max.bytes'?");
    check_refused("open", "fetch.wait.max.ms", "soon",
                  "Invalid value for configuration property");
    check_refused("open", "enable.auto.commit", "true",
                  "enable.auto.commit is not for you to set");
    check_refused("open", "group.id", "mine", "group.id is not for you to set");
    check_refused(
        "gone", NULL, NULL,
        "topic 'gone' does not exist on the broker: create it (kafka-topics --create "
        "--topic gone) or fix kafka.topics");
    if (mock_can_forbid())
        check_refused("closed", NULL, NULL, "allow Describe and Read");
}

static void check_no_broker(void)
{
    struct str topics[] = {STR("t")};
    struct kafka_source_settings settings = {.brokers = STR("127.0.0.1:1"),
                                             .group = STR("g"),
                                             .topics = topics,
                                             .topics_n = 1};
    struct source_listener listener = {NULL, mock_assigned, mock_revoked};
    int64_t from = mock_now_ms();
    CHECK(!kafka_source_open(&settings, &listener, &err));
    CHECK(mock_now_ms() - from < 60000);
    CHECK_INT(err.kind, ERR_UNAVAILABLE);
    CHECK(strstr(err.text, "no Kafka broker of 127.0.0.1:1 answered: "));
    CHECK(strstr(err.text, "onnection refused"));
    err_clear(&err);
}

/* --- reading --- */

/* The next batch must hold events `from`..`to` - 1 whose ids are their offsets. */
static void check_events(const struct batch *b, int64_t from)
{
    CHECK_INT(b->start, from);
    for (size_t i = 0; i < b->events_n; i++) {
        CHECK_INT(b->events[i].offset, from + (int64_t)i);
        CHECK_INT(strtol(b->events[i].id.p, NULL, 10), b->events[i].offset);
    }
    CHECK_INT(b->next, from + (int64_t)(b->events_n + b->rejects_n));
}

static void take_end(void *arg, size_t slot, struct str name, int64_t end)
{
    (void)name;
    ((int64_t *)arg)[slot] = end;
}

static void check_reading(void)
{
    struct member m = {.start = {3, -1}};
    int64_t next[2] = {3, 0}, ends[2];
    const struct str *names;
    size_t n;
    mock_topic("read", 2);
    mock_events("read", 0, 0, 1700);
    mock_events("read", 1, 0, 40);
    CHECK(mock_open(&m, "read", NULL, NULL, &err));
    CHECK_INT(m.source->ops->partitions(m.source, &names, &n, &err), 0);
    CHECK_INT(n, 2);
    CHECK_STR(names[0], STR("read/0"));
    CHECK_STR(names[1], STR("read/1"));
    while ((next[0] < 1700 || next[1] < 40) &&
           mock_next(&m, &batch, 90, &err) == SOURCE_BATCH && batch.slot < 2) {
        CHECK_STR(batch.name, batch.slot ? STR("read/1") : STR("read/0"));
        CHECK(batch.events_n <= 2000);
        CHECK_INT(batch.events[0].partition, batch.slot);
        check_events(&batch, next[batch.slot]);
        next[batch.slot] = batch.next;
    }
    CHECK_INT(next[0], 1700);
    CHECK_INT(next[1], 40);
    CHECK_INT(m.source->ops->ends(m.source, take_end, ends, &err), 0);
    CHECK_INT(ends[0], 1700);
    CHECK_INT(ends[1], 40);
    CHECK_INT(mock_next(&m, &batch, 1, &err), SOURCE_NOTHING);
    mock_events("read", 1, 40, 1);
    CHECK_INT(mock_next(&m, &batch, 90, &err), SOURCE_BATCH);
    check_events(&batch, 40);
    done(&m);
    CHECK_INT(m.revoked, 2);
}

/* Who says that there is more hands it out at once, whatever else is in hand: news of an end are no batch. */
static void check_more(void)
{
    enum { MANY = 5000, FEW = 40 };
    struct member m = {0};
    int64_t read = 0;
    size_t promised_n = 0;
    mock_topic("more", 2);
    mock_events("more", 0, 0, MANY);
    mock_events("more", 1, 0, FEW);
    CHECK(mock_open(&m, "more", NULL, NULL, &err));
    while (read < MANY + FEW && mock_next(&m, &batch, 90, &err) == SOURCE_BATCH) {
        read += batch.next - batch.start;
        for (; batch.more; promised_n++) {
            batch_reset(&batch);
            CHECK_INT(m.source->ops->next(m.source, &batch, 0, &err), SOURCE_BATCH);
            read += batch.next - batch.start;
        }
    }
    CHECK_INT(read, MANY + FEW);
    CHECK(promised_n > 0);
    done(&m);
}

/* Seeks anywhere, any number of times: what comes next is what was asked for. */
static void check_seeking(void)
{
    struct member m = {.start = {0, 0}};
    int64_t next[2] = {0, 0};
    mock_topic("seek", 2);
    mock_events("seek", 0, 0, 3000);
    mock_events("seek", 1, 0, 3000);
    CHECK(mock_open(&m, "seek", NULL, NULL, &err));
    srand(7);
    for (int i = 0; i < 200; i++) {
        if (i % 3 == 0 && m.assigned == 2) {
            size_t slot = (size_t)rand() % 2;
            next[slot] = rand() % 3000;
            CHECK_INT(m.source->ops->seek(m.source, slot, next[slot], &err), 0);
        }
        if (mock_next(&m, &batch, next[0] < 3000 || next[1] < 3000 ? 15 : 0, &err) !=
            SOURCE_BATCH)
            continue;
        check_events(&batch, next[batch.slot]);
        CHECK(batch.events_n > 0);
        next[batch.slot] = batch.next;
    }
    CHECK_INT(m.source->ops->seek(m.source, 0, 0, &err), 0);
    CHECK_INT(m.source->ops->seek(m.source, 1, 3000, &err), 0);
    CHECK_INT(mock_next(&m, &batch, 90, &err), SOURCE_BATCH);
    CHECK_INT(batch.slot, 0);
    check_events(&batch, 0);
    done(&m);
}

/* --- records that are no events --- */

static const struct {
    const char *key, *value, *reason;
} records[] = {
    {"k1", "{\"id\":\"0\",\"type\":\"t\",\"time\":1772442847120}", NULL},
    {"k2", NULL, "tombstone"},
    {"k3", "", "empty record"},
    {NULL, "{\"id\":", "not JSON"},
    {NULL, "{\"id\":\"\xff\"}", "invalid UTF-8"},
    {"k6", "{\"id\":\"4\",\"type\":\"t\",\"time\":1772442847120}", NULL},
};
enum {
    RECORDS = sizeof records / sizeof records[0],
    HUGE_BYTES = 3 << 20 /* the mock broker keeps 5 MB */
};

static void produce_records(void)
{
    char *huge = malloc(HUGE_BYTES);
    if (!huge)
        abort();
    for (int i = 0; i < RECORDS; i++)
        mock_produce("bad", 0, records[i].key, str_of(records[i].value));
    memset(huge, 'x', HUGE_BYTES);
    mock_produce("bad", 0, "huge", (struct str){huge, HUGE_BYTES});
    CHECK_INT(rd_kafka_flush(mock_client, 60000), 0);
    free(huge);
}

static void check_reject(const struct reject *r, int i)
{
    CHECK_INT(r->offset, i);
    CHECK_STR(r->key, str_of(records[i].key));
    CHECK_STR(r->bytes, str_of(records[i].value));
    CHECK(r->timestamp_ms > 1700000000000);
    CHECK(strstr(r->reason, records[i].reason));
}

/* One letter of the dead-letter topic as "key value-bytes header=..." */
static void describe_letter(const rd_kafka_message_t *m, char *out, size_t n)
{
    rd_kafka_headers_t *headers;
    const char *name;
    const void *value;
    size_t size, at = (size_t)snprintf(out, n, "%.*s %zu%s", (int)m->key_len,
                                       m->key ? (const char *)m->key : "", m->len,
                                       m->payload ? "" : " null");
    if (rd_kafka_message_headers(m, &headers))
        return;
    for (size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &size); i++)
        if (strcmp(name, "tw-timestamp") != 0)
            at += (size_t)snprintf(out + at, n - at, " %s=%.*s", name, (int)size,
                                   (const char *)value);
}

static const char *const letters[] = {
    "k2 0 null tw-reason=tombstone: a record without a value is no event tw-topic=bad "
    "tw-partition=0 tw-offset=1",
    "k3 0 tw-reason=empty record (0 bytes of at most 1048576) tw-topic=bad "
    "tw-partition=0 "
    "tw-offset=2",
    " 6 tw-reason=not JSON, byte 6 of 6: unexpected end of data: send one JSON object a "
    "record "
    "tw-topic=bad tw-partition=0 tw-offset=3",
    " 10 tw-reason=invalid UTF-8 at byte 7 of 10: encode it in the producer tw-topic=bad "
    "tw-partition=0 tw-offset=4",
    "huge 900000 tw-reason=3145728 bytes, more than 1048576: shorten it in the producer "
    "tw-topic=bad tw-partition=0 tw-offset=6 tw-truncated=3145728",
};
enum { LETTERS = sizeof letters / sizeof letters[0] };

static rd_kafka_t *plain_consumer(const char *group)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers",
                      rd_kafka_mock_cluster_bootstraps(mock_cluster), why, sizeof why);
    rd_kafka_conf_set(conf, "group.id", group, why, sizeof why);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    if (!rk)
        abort();
    return rk;
}

static void check_letters(void)
{
    rd_kafka_t *rk = plain_consumer("letters");
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, "dlq", 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(rk, list);
    for (int i = 0; i < LETTERS; i++) {
        char got[1024];
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 60000);
        CHECK(m && !m->err);
        if (!m)
            continue;
        describe_letter(m, got, sizeof got);
        CHECK_STR(str_of(got), str_of(letters[i]));
        rd_kafka_message_destroy(m);
    }
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
}

static void check_rejects(void)
{
    struct member m = {0};
    size_t rejects = 0;
    mock_topic("bad", 1);
    produce_records();
    CHECK(mock_open(&m, "bad", NULL, NULL, &err));
    for (int64_t next = 0; next < RECORDS + 1; next = batch.next) {
        if (mock_next(&m, &batch, 90, &err) != SOURCE_BATCH)
            abort();
        CHECK_INT(batch.start, next);
        for (size_t i = 0; i < batch.rejects_n; i++) {
            const struct reject *r = &batch.rejects[i];
            if (r->offset < RECORDS)
                check_reject(r, (int)r->offset);
            else
                CHECK_INT(r->bytes_n, HUGE_BYTES);
        }
        rejects += batch.rejects_n;
        CHECK_INT(m.source->ops->dead_letter(m.source, &batch, &err), 0);
    }
    CHECK_INT(rejects, LETTERS);
    check_letters();
    done(&m);
}

/* The topic takes no letter: said, nothing lost, and the next try goes through. */
static void check_letters_refused(void)
{
    struct member m = {0};
    mock_topic("bad2", 1);
    mock_produce("bad2", 0, NULL, STR("{"));
    CHECK_INT(rd_kafka_flush(mock_client, 60000), 0);
    CHECK(mock_open(&m, "bad2", NULL, NULL, &err));
    CHECK_INT(mock_next(&m, &batch, 90, &err), SOURCE_BATCH);
    rd_kafka_resp_err_t refusals[] = {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED};
    rd_kafka_mock_push_request_errors_array(mock_cluster, 0 /* Produce */, 1, refusals);
    CHECK_INT(m.source->ops->dead_letter(m.source, &batch, &err), -1);
    CHECK_INT(err.kind, ERR_UNAVAILABLE);
    CHECK(strstr(err.text, "dead-letter topic 'dlq' did not take a record: "));
    err_clear(&err);
    CHECK_INT(m.source->ops->dead_letter(m.source, &batch, &err), 0);
    done(&m);
}

/* --- commits --- */

static void check_committed(const char *group, int partition, int64_t offset,
                            const char *metadata)
{
    rd_kafka_t *rk = plain_consumer(group);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, group, partition);
    CHECK_INT(rd_kafka_committed(rk, list, 60000), 0);
    CHECK_INT(list->elems[0].offset, offset);
    CHECK_STR(((struct str){list->elems[0].metadata, list->elems[0].metadata_size}),
              str_of(metadata));
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
}

static void check_commits(void)
{
    struct member m = {0};
    mock_topic("commit", 2);
    mock_events("commit", 0, 0, 10);
    mock_events("commit", 1, 0, 10);
    CHECK(mock_open(&m, "commit", NULL, NULL, &err));
    for (size_t events = 0; events < 20; events += batch.events_n)
        if (mock_next(&m, &batch, 90, &err) != SOURCE_BATCH)
            abort();
    m.source->ops->commit(m.source, 0, 5, STR("e-1 u-9"));
    CHECK_INT(mock_next(&m, &batch, 3, &err), SOURCE_NOTHING);
    check_committed("commit", 0, 5, "e-1 u-9");
    check_committed("commit", 1, RD_KAFKA_OFFSET_INVALID, "");
    m.source->ops->commit(m.source, 0, 7, STR("e-2"));
    m.source->ops->commit(m.source, 1, 8, STR(""));
    done(&m);
    check_committed("commit", 0, 7, "e-2");
    check_committed("commit", 1, 8, "");
}

int main(void)
{
    batch_init(&batch);
    mock_start();
    mock_topic("dlq", 1);
    check_opening();
    check_no_broker();
    check_reading();
    check_more();
    check_seeking();
    check_rejects();
    check_letters_refused();
    check_commits();
    batch_deinit(&batch);
    rd_kafka_destroy(mock_client);
    return check_result();
}

/* The Kafka source in a group, and while its broker is away. */
#include "tests/kafka_mock.h"

enum { EVENTS = 2000 };

static struct batch batch;
static struct err err;

/* Positions as the store would keep them: whoever owns a partition goes on from here. */
static int64_t next[2];

/* One call of next(); a batch must begin where the partition stands, and be of one's own. */
static enum source_result step(struct member *m)
{
    batch_reset(&batch);
    enum source_result result = m->source->ops->next(m->source, &batch, 50, &err);
    if (result != SOURCE_BATCH)
        return result;
    CHECK(m->owned[batch.slot]);
    size_t p = batch.name.p[batch.name.n - 1] == '1';
    CHECK_INT(batch.start, next[p]);
    for (size_t i = 0; i < batch.events_n; i++)
        CHECK_INT(batch.events[i].offset, next[p] + (int64_t)i);
    next[p] = batch.next;
    return result;
}

static size_t owned(const struct member *m)
{
    return (size_t)m->owned[0] + (size_t)m->owned[1];
}

/* The listener's answer is the store's: where the partition stands now. */
static struct source_place assigned_by_name(void *arg, size_t slot, struct str name)
{
    struct member *m = arg;
    m->start[slot] = next[name.p[name.n - 1] == '1'];
    return mock_assigned(arg, slot, name);
}

static void open_member(struct member *m)
{
    struct str topics[] = {STR("group")};
    struct str names[] = {STR("session.timeout.ms")}, values[] = {STR("6000")};
    struct kafka_source_settings settings = {
        .brokers = str_of(rd_kafka_mock_cluster_bootstraps(mock_cluster)),
        .group = STR("group"),
        .topics = topics,
        .topics_n = 1,
        .property_names = names,
        .property_values = values,
        .properties_n = 1,
        .batch_events = 50,
        .max_future_ms = (int64_t)3650 * 86400000};
    struct source_listener listener = {m, assigned_by_name, mock_revoked};
    m->source = kafka_source_open(&settings, &listener, &err);
    if (!m->source)
        abort();
}

/* --- what the group has committed --- */

static char told[2][64];

static void on_committed(void *arg, struct str name, int64_t offset, struct str metadata)
{
    char *text = told[name.p[name.n - 1] == '1'];
    CHECK(arg == told && text[0] == '\0');
    snprintf(text, sizeof told[0], "%d '%.*s'", (int)offset, (int)metadata.n,
             metadata.p ? metadata.p : "");
}

/* In the order of partitions. */
static void check_told(struct member *m, const char *first, const char *second)
{
    memset(told, 0, sizeof told);
    CHECK_INT(m->source->ops->committed(m->source, on_committed, told, &err), 0);
    CHECK_STR(str_of(told[0]), str_of(first));
    CHECK_STR(str_of(told[1]), str_of(second));
}

static size_t slot_of(const struct member *m)
{
    return m->owned[0] ? 0 : 1;
}

/* Each has one partition, and is told what both have committed. */
static void check_committed(struct member *a, struct member *b)
{
    struct str metadata = STR("tw2 a 0 1");
    check_told(a, "", "");
    a->source->ops->commit(a->source, slot_of(a), 7, metadata);
    b->source->ops->commit(b->source, slot_of(b), 7, metadata);
    int64_t until = mock_now_ms() + 60000;
    do {
        (void)step(a);
        (void)step(b);
        memset(told, 0, sizeof told);
        CHECK_INT(a->source->ops->committed(a->source, on_committed, told, &err), 0);
    } while (!(told[0][0] && told[1][0]) && mock_now_ms() < until);
    check_told(a, "7 'tw2 a 0 1'", "7 'tw2 a 0 1'");
    check_told(b, "7 'tw2 a 0 1'", "7 'tw2 a 0 1'");
}

/* Known before the first next(), to one that owns nothing; on a busy machine not within one call's time. */
static void check_committed_at_once(void)
{
    struct member c = {0};
    open_member(&c);
    int64_t until = mock_now_ms() + 60000;
    do
        memset(told, 0, sizeof told);
    while (c.source->ops->committed(c.source, on_committed, told, &err) &&
           err.kind == ERR_UNAVAILABLE && mock_now_ms() < until);
    err_clear(&err);
    check_told(&c, "7 'tw2 a 0 1'", "7 'tw2 a 0 1'");
    c.source->ops->close(c.source);
}

/* --- two members --- */

/* A second member takes a partition over and gives it back; nothing is read twice or left out. */
static void check_two(void)
{
    struct member a = {0}, b = {0};
    mock_topic("group", 2);
    mock_events("group", 0, 0, EVENTS);
    mock_events("group", 1, 0, EVENTS);
    open_member(&a);
    while (step(&a) != SOURCE_BATCH)
        ;
    CHECK_INT(owned(&a), 2);
    CHECK_INT(a.assigned, 2);
    open_member(&b);
    int64_t until = mock_now_ms() + 60000;
    while ((owned(&a) != 1 || owned(&b) != 1) && mock_now_ms() < until) {
        (void)step(&a);
        (void)step(&b);
    }
    CHECK_INT(owned(&a), 1);
    CHECK_INT(owned(&b), 1);
    CHECK_INT(a.assigned - a.revoked, 1);
    CHECK(a.assigned + b.assigned <= 4); /* cooperative: what stays is not taken away */
    check_committed(&a, &b);
    for (int i = 0; i < 10; i++) {
        (void)step(&a);
        (void)step(&b);
    }
    b.source->ops->close(b.source);
    CHECK_INT(owned(&b), 0);
    until = mock_now_ms() + 60000;
    while ((owned(&a) < 2 || next[0] < EVENTS || next[1] < EVENTS) &&
           mock_now_ms() < until)
        (void)step(&a);
    CHECK_INT(next[0], EVENTS);
    CHECK_INT(next[1], EVENTS);
    CHECK_INT(owned(&a), 2);
    a.source->ops->close(a.source);
    check_committed_at_once();
}

static int64_t timed_next(struct member *m, int wait_ms, enum source_result *result)
{
    int64_t from = mock_now_ms();
    batch_reset(&batch);
    *result = m->source->ops->next(m->source, &batch, wait_ms, &err);
    return mock_now_ms() - from;
}

static void take_end(void *arg, size_t slot, struct str name, int64_t end)
{
    (void)name;
    ((int64_t *)arg)[slot] = end;
}

/* The broker goes, next() goes on in time; the broker comes back, and so do the records. */
static void check_away(void)
{
    struct member m = {0};
    const struct str *names;
    enum source_result result;
    int64_t end = -1;
    size_t n;
    mock_topic("away", 1);
    mock_events("away", 0, 0, 10);
    CHECK(mock_open(&m, "away", NULL, NULL, &err));
    CHECK_INT(m.source->ops->partitions(m.source, &names, &n, &err), 0);
    for (int64_t at = 0; at < 10; at = batch.next)
        if (mock_next(&m, &batch, 90, &err) != SOURCE_BATCH)
            abort();
    rd_kafka_mock_broker_set_down(mock_cluster, 1);
    for (int i = 0; i < 20; i++) {
        CHECK(timed_next(&m, 100, &result) < 20000); /* a second, on a quiet machine */
        CHECK_INT(result, SOURCE_NOTHING);
    }
    CHECK_INT(m.source->ops->ends(m.source, take_end, &end, &err), -1);
    CHECK_INT(err.kind, ERR_UNAVAILABLE);
    err_clear(&err);
    CHECK_INT(m.source->ops->partitions(m.source, &names, &n, &err),
              0);   /* as they were */
    m.start[0] = 4; /* should the group have given us up meanwhile */
    CHECK_INT(m.source->ops->seek(m.source, 0, 4, &err), 0);
    m.start[0] = 4; /* the session may end meanwhile: then the listener says the same */
    rd_kafka_mock_broker_set_up(mock_cluster, 1);
    mock_events("away", 0, 10, 5);
    CHECK_INT(mock_next(&m, &batch, 60, &err), SOURCE_BATCH);
    CHECK_INT(batch.start, 4);
    CHECK(batch.events_n > 0 && batch.events[0].offset == 4);
    rd_kafka_mock_broker_set_down(mock_cluster, 1);
    m.source->ops->commit(m.source, 0, 12, STR("e"));
    int64_t from = mock_now_ms();
    m.source->ops->close(m.source);
    CHECK(mock_now_ms() - from < 60000); /* librdkafka itself waits some seconds then */
    CHECK(!m.owned[0]);
}

int main(void)
{
    batch_init(&batch);
    mock_start();
    mock_topic("dlq", 1);
    check_two();
    check_away();
    batch_deinit(&batch);
    rd_kafka_destroy(mock_client);
    return check_result();
}

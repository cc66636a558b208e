/* Redis says where a partition stands; the group's committed offset follows it for those who look
 * at the lag, and carries the caller's metadata. So a commit that fails costs nothing: a later one
 * says the same. */
#include <assert.h>
#include <inttypes.h>

#include "consumer/kafka_source.h"
#include "core/fault.h"
#include "core/log.h"

enum {
    EVERY_MS = 1000,
    QUIET_MS = 100, /* a topic is not deleted, made and filled sooner */
    LOOK_TIMEOUT_MS = 300,
    LOOK_AGAIN_MS = 2000,
    COMMITTED_TIMEOUT_MS = 5000,
    METADATA_BYTES_MAX = 4096 /* the broker's default limit */
};

void kafka_commit(struct source *source, size_t slot, int64_t offset, struct str metadata)
{
    struct kafka_slot *k = kafka_slot((struct kafka_source *)source, slot);
    if (!k->owned)
        return;
    if (!k->metadata.max_bytes)
        buf_init(&k->metadata, METADATA_BYTES_MAX);
    k->commit = offset;
    if (!str_eq(buf_str(&k->metadata), metadata))
        k->committed = POSITION_NONE; /* says something else */
    buf_clear(&k->metadata);
    buf_put(&k->metadata, metadata);
}

static void add(struct kafka_source *s, size_t slot,
                rd_kafka_topic_partition_list_t *list)
{
    struct kafka_slot *k = kafka_slot(s, slot);
    rd_kafka_topic_partition_t *tp = kafka_list_add(s, slot, list);
    tp->offset = k->commit;
    if (k->metadata.n) {
        /* the list frees it */
        tp->metadata = rd_kafka_mem_malloc(s->consumer, k->metadata.n);
        assert(tp->metadata);
        memcpy(tp->metadata, k->metadata.p, k->metadata.n);
        tp->metadata_size = k->metadata.n;
    }
    k->committed = k->commit;
}

static bool is_due(const struct kafka_slot *k)
{
    return k->owned && k->commit != POSITION_NONE && k->commit != k->committed;
}

/* What was noted and not sent yet; NULL: nothing. */
static rd_kafka_topic_partition_list_t *noted(struct kafka_source *s)
{
    rd_kafka_topic_partition_list_t *list = NULL;
    for (size_t i = 0; i < s->slots_n; i++) {
        if (!is_due(&s->slots[i]))
            continue;
        if (!list)
            list = rd_kafka_topic_partition_list_new(8);
        add(s, i, list);
    }
    return list;
}

void kafka_commit_noted(struct kafka_source *s)
{
    rd_kafka_topic_partition_list_t *list = noted(s);
    if (!list)
        return;
    FAULT_POINT("kafka.before.commit");
    rd_kafka_resp_err_t rc = rd_kafka_commit(s->consumer, list, 1);
    FAULT_POINT("kafka.after.commit");
    if (rc)
        kafka_on_commit(s->consumer, rc, list, s);
    rd_kafka_topic_partition_list_destroy(list);
}

/* A broker that deletes a topic deletes what groups have committed for it. So an offset that was committed
 * and is not there any more tells of a topic that was deleted, also if it was made anew at once and has
 * grown beyond our position since, which nothing else tells. False: not to be known now. */
static bool look(struct kafka_source *s)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
    for (size_t i = 0; i < s->slots_n; i++)
        if (s->slots[i].owned && s->slots[i].acknowledged)
            (void)kafka_list_add(s, i, list);
    rd_kafka_resp_err_t rc = list->cnt
                                 ? rd_kafka_committed(s->consumer, list, LOOK_TIMEOUT_MS)
                                 : RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int i = 0; i < list->cnt && !rc; i++) {
        const rd_kafka_topic_partition_t *tp = &list->elems[i];
        size_t slot;
        (void)kafka_slot_of(s, tp->topic, tp->partition, &slot);
        if (!tp->err && tp->offset < 0)
            kafka_deleted(s, slot);
    }
    rd_kafka_topic_partition_list_destroy(list);
    s->look_ms = clock_monotonic_ms() + (rc ? LOOK_AGAIN_MS : QUIET_MS);
    return rc == RD_KAFKA_RESP_ERR_NO_ERROR;
}

void kafka_look_after_quiet(struct kafka_source *s, struct kafka_slot *k)
{
    int64_t now = clock_monotonic_ms();
    if (k->acknowledged && now - k->given_ms >= QUIET_MS && now >= s->look_ms)
        (void)look(s);
    k->given_ms = now;
}

/* To be looked at before each commit, which would hide it. */
void kafka_commit_timed(struct kafka_source *s)
{
    int64_t now = clock_monotonic_ms();
    bool due = false;
    if (now < s->commit_ms)
        return;
    s->commit_ms = now + EVERY_MS;
    for (size_t i = 0; i < s->slots_n && !due; i++)
        due = is_due(&s->slots[i]);
    if (due && look(s))
        kafka_commit_noted(s);
    else if (due)
        s->commit_ms = s->look_ms;
}

void kafka_commit_wait(struct kafka_source *s, int timeout_ms)
{
    rd_kafka_topic_partition_list_t *list = noted(s);
    if (!list)
        return;
    rd_kafka_queue_t *answers = rd_kafka_queue_new(s->consumer);
    if (rd_kafka_commit_queue(s->consumer, list, answers, NULL, NULL) == 0)
        rd_kafka_event_destroy(rd_kafka_queue_poll(answers, timeout_ms));
    rd_kafka_queue_destroy(answers);
    rd_kafka_topic_partition_list_destroy(list);
}

static int tell(struct kafka_source *s, const rd_kafka_topic_partition_t *tp,
                source_committed_fn *fn, void *arg, struct err *e)
{
    size_t slot;
    if (tp->err)
        return err_set(e, ERR_UNAVAILABLE, "%s/%" PRId32 ": committed offset unknown: %s",
                       tp->topic, tp->partition, rd_kafka_err2str(tp->err));
    (void)kafka_slot_of(s, tp->topic, tp->partition, &slot);
    if (tp->offset >= 0)
        fn(arg, s->partitions.names[slot], tp->offset,
           (struct str){tp->metadata, tp->metadata_size});
    return 0;
}

int kafka_committed(struct source *source, source_committed_fn *fn, void *arg,
                    struct err *e)
{
    struct kafka_source *s = (struct kafka_source *)source;
    rd_kafka_topic_partition_list_t *all = kafka_everything(s, POSITION_NONE, e);
    if (!all)
        return -1;
    int result = 0;
    rd_kafka_resp_err_t rc =
        all->cnt ? rd_kafka_committed(s->consumer, all, COMMITTED_TIMEOUT_MS)
                 : RD_KAFKA_RESP_ERR_NO_ERROR;
    if (rc)
        result =
            err_set(e, ERR_UNAVAILABLE, "committed offsets of group %.*s unknown: %s",
                    STR_ARG(s->settings.group), rd_kafka_err2str(rc));
    for (int i = 0; i < all->cnt && !result; i++)
        result = tell(s, &all->elems[i], fn, arg, e);
    rd_kafka_topic_partition_list_destroy(all);
    return result;
}

/* One who owns a partition no more is refused: that is as it should be. */
void kafka_on_commit(rd_kafka_t *rk, rd_kafka_resp_err_t err,
                     rd_kafka_topic_partition_list_t *list, void *arg)
{
    struct kafka_source *s = arg;
    (void)rk;
    if (err)
        log_debug("commit_failed", "code=%s", rd_kafka_err2name(err));
    for (int i = 0; list && i < list->cnt; i++) {
        size_t slot;
        const rd_kafka_topic_partition_t *tp = &list->elems[i];
        struct kafka_slot *k = kafka_slot_of(s, tp->topic, tp->partition, &slot);
        if (!err && !tp->err) {
            k->acknowledged = k->owned;
            continue;
        }
        k->committed = POSITION_NONE;
        log_debug("commit_failed", "topic=%s partition=%d code=%s", tp->topic,
                  tp->partition, rd_kafka_err2name(tp->err));
    }
}

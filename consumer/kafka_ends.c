/* Where all partitions end, in one go: the proof that everything appended so far was read. */
#include <stdlib.h>

#include "consumer/kafka_source.h"

enum { ENDS_TIMEOUT_MS = 1000, TOPIC_BYTES = 256 };

/* "topic/3" as the broker knows it. */
static void add(rd_kafka_topic_partition_list_t *list, struct str name)
{
    char topic[TOPIC_BYTES];
    const char *slash = memrchr(name.p, '/', name.n);
    size_t n = slash ? (size_t)(slash - name.p) : 0;
    if (!slash || n >= sizeof topic)
        return;
    memcpy(topic, name.p, n);
    topic[n] = '\0';
    int32_t partition = 0;
    for (const char *p = slash + 1; p < name.p + name.n; p++)
        partition = partition * 10 + (*p - '0');
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset =
        RD_KAFKA_OFFSET_END;
}

static int tell(struct kafka_source *s, const rd_kafka_topic_partition_list_t *list,
                source_end_fn *fn, void *arg, struct err *e)
{
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *tp = &list->elems[i];
        size_t slot;
        if (tp->err || tp->offset < 0)
            return err_set(e, ERR_UNAVAILABLE,
                           "%s/%d: the broker does not say where it ends: %s", tp->topic,
                           tp->partition, rd_kafka_err2str(tp->err));
        (void)kafka_slot_of(s, tp->topic, tp->partition, &slot);
        fn(arg, slot, s->partitions.names[slot], tp->offset);
    }
    return 0;
}

int kafka_ends(struct source *source, source_end_fn *fn, void *arg, struct err *e)
{
    struct kafka_source *s = (struct kafka_source *)source;
    const struct str *names;
    size_t n;
    if (kafka_partitions(source, &names, &n, e))
        return -1;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);
    for (size_t i = 0; i < n; i++)
        add(list, names[i]);
    rd_kafka_resp_err_t rc =
        rd_kafka_offsets_for_times(s->consumer, list, ENDS_TIMEOUT_MS);
    int result = rc ? err_set(e, ERR_UNAVAILABLE,
                              "the broker does not say where partitions end: %s",
                              rd_kafka_err2str(rc))
                    : tell(s, list, fn, arg, e);
    rd_kafka_topic_partition_list_destroy(list);
    return result;
}

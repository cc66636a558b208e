/* Where all partitions end, in one go: the proof that everything appended so far was read. So it is all or
 * nothing: a partition about which nothing is said is no proof, until the topic's names say that it is gone. */
#include <stdio.h>

#include "consumer/kafka_source.h"

enum { ENDS_TIMEOUT_MS = 1000 };

static int unavailable(struct kafka_source *s, const char *what, rd_kafka_resp_err_t rc,
                       struct err *e)
{
    if (kafka_is_unknown(rc)) {
        s->names_ms = 0; /* the names that we had are old */
        for (size_t i = 0; i < s->settings.topics_n; i++)
            kafka_suspect(s, s->settings.topics[i]);
    }
    return err_set(e, ERR_UNAVAILABLE, "the broker does not say where %s: %s", what,
                   rd_kafka_err2str(rc));
}

static int tell(struct kafka_source *s, const rd_kafka_topic_partition_list_t *list,
                source_end_fn *fn, void *arg, struct err *e)
{
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *tp = &list->elems[i];
        size_t slot;
        (void)kafka_slot_of(s, tp->topic, tp->partition, &slot);
        if (tp->err || tp->offset < 0) {
            char what[300];
            snprintf(what, sizeof what, "%s ends", s->partitions.names[slot].p);
            return unavailable(s, what, tp->err, e);
        }
        fn(arg, slot, s->partitions.names[slot], tp->offset);
    }
    return 0;
}

int kafka_ends(struct source *source, source_end_fn *fn, void *arg, struct err *e)
{
    struct kafka_source *s = (struct kafka_source *)source;
    rd_kafka_topic_partition_list_t *all = kafka_everything(s, RD_KAFKA_OFFSET_END, e);
    if (!all)
        return -1;
    rd_kafka_resp_err_t rc =
        all->cnt ? rd_kafka_offsets_for_times(s->consumer, all, ENDS_TIMEOUT_MS)
                 : RD_KAFKA_RESP_ERR_NO_ERROR;
    int result = rc ? unavailable(s, "partitions end", rc, e) : tell(s, all, fn, arg, e);
    rd_kafka_topic_partition_list_destroy(all);
    return result;
}

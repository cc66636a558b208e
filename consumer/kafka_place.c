/* Where each partition is read from. A partition that is ours but not (or not surely) read from
 * where it should be is a stray: nothing of it is handed out, and placing it is tried until it
 * succeeds. So seek() never fails for a while, and a broker that is away costs time only. While the
 * source is paused, all partitions are strays that nobody places. */
#include <assert.h>
#include <inttypes.h>

#include "consumer/kafka_source.h"
#include "core/fault.h"
#include "core/log.h"
#include "core/metric_families.h"

enum { SEEK_TIMEOUT_MS = 500, RETRY_MS = 500 };

rd_kafka_topic_partition_t *kafka_list_add(const struct kafka_source *s, size_t slot,
                                           rd_kafka_topic_partition_list_t *list)
{
    const struct partition *p = &s->partitions.items[slot];
    struct buf topic;
    buf_init(&topic, p->topic.n + 1);
    buf_put(&topic, p->topic);
    buf_char(&topic, '\0');
    rd_kafka_topic_partition_t *tp =
        rd_kafka_topic_partition_list_add(list, topic.p, p->number);
    buf_deinit(&topic);
    return tp;
}

rd_kafka_topic_partition_list_t *kafka_list(const struct kafka_source *s, size_t slot,
                                            int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    kafka_list_add(s, slot, list)->offset = offset;
    return list;
}

int64_t kafka_from(const struct kafka_slot *k)
{
    return k->check_offset != POSITION_NONE ? k->check_offset : k->position;
}

/* As librdkafka is told it. Position 0 is the beginning, also where retention took the first records
 * away; where we were further on, that is to be noticed. */
static int64_t offset_of(const struct kafka_slot *k)
{
    int64_t from = k->stray ? k->fetch_from : kafka_from(k);
    if (k->unknown)
        return RD_KAFKA_OFFSET_END; /* there is little to be dropped */
    return k->position > 0 ? from : RD_KAFKA_OFFSET_BEGINNING;
}

static bool cooperative(struct kafka_source *s)
{
    const char *protocol = rd_kafka_rebalance_protocol(s->consumer);
    return protocol && strcmp(protocol, "COOPERATIVE") == 0;
}

static bool succeeded(rd_kafka_error_t *error, const char *event)
{
    char quoted[LOG_VALUE_BYTES];
    if (!error)
        return true;
    log_debug(event, "reason=%s",
              log_quote(str_of(rd_kafka_error_string(error)), quoted));
    rd_kafka_error_destroy(error);
    return false;
}

/* --- strays --- */

void kafka_set_stray(struct kafka_source *s, struct kafka_slot *k, int64_t from,
                     int64_t retry_ms)
{
    kafka_drop(k);
    s->strays += !k->stray;
    k->stray = true;
    k->fetch_from = from;
    k->retry_ms = retry_ms;
}

static void set_placed(struct kafka_source *s, struct kafka_slot *k)
{
    s->strays -= k->stray;
    k->stray = k->unknown = false;
}

/* Asks the listener where a partition stands that is ours; false: it does not know. */
static bool ask(struct kafka_source *s, size_t slot)
{
    struct source_place at =
        s->listener.assigned(s->listener.arg, slot, s->partitions.names[slot]);
    struct kafka_slot *k = kafka_slot(s, slot);
    k->unknown = at.offset == SOURCE_ASK_AGAIN;
    k->position = at.offset > 0 ? at.offset : 0;
    k->last_offset = at.last_offset;
    k->last_hash = at.last_hash;
    k->check_offset = POSITION_NONE;
    k->first_left = 0;
    kafka_verify(k);
    k->fetch_from = kafka_from(k);
    return !k->unknown;
}

/* Takes it back and gives it anew: what a partition needs that was stopped by an error, which
 * cannot be sought. With an eager protocol the whole assignment is given anew. */
static bool give_again(struct kafka_source *s, size_t slot,
                       rd_kafka_topic_partition_list_t *list)
{
    if (cooperative(s)) {
        kafka_queue_leave(s, kafka_slot(s, slot));
        bool taken = succeeded(rd_kafka_incremental_unassign(s->consumer, list),
                               "unassign_failed");
        kafka_queue_take(s, slot); /* which may be another one now */
        return taken && succeeded(rd_kafka_incremental_assign(s->consumer, list),
                                  "assign_failed");
    }
    rd_kafka_topic_partition_list_t *all;
    if (rd_kafka_assignment(s->consumer, &all))
        return false;
    for (int i = 0; i < all->cnt; i++) {
        struct kafka_slot *k =
            kafka_slot_of(s, all->elems[i].topic, all->elems[i].partition, &slot);
        all->elems[i].offset = offset_of(k);
    }
    rd_kafka_resp_err_t rc = rd_kafka_assign(s->consumer, all);
    rd_kafka_topic_partition_list_destroy(all);
    return rc == RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* The seek makes everything that librdkafka has fetched of the partition void. */
static void place(struct kafka_source *s, size_t slot)
{
    struct kafka_slot *k = kafka_slot(s, slot);
    k->retry_ms = clock_monotonic_ms() + RETRY_MS;
    if (k->unknown && !ask(s, slot))
        return;
    rd_kafka_topic_partition_list_t *list = kafka_list(s, slot, offset_of(k));
    bool sought = succeeded(rd_kafka_seek_partitions(s->consumer, list, SEEK_TIMEOUT_MS),
                            "seek_failed") &&
                  list->elems[0].err == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (sought || give_again(s, slot, list))
        set_placed(s, k);
    rd_kafka_topic_partition_list_destroy(list);
}

void kafka_place_strays(struct kafka_source *s)
{
    int64_t now = s->strays ? clock_monotonic_ms() : 0;
    if (s->paused)
        return;
    for (size_t i = 0; i < s->slots_n && s->strays; i++)
        if (s->slots[i].stray && !s->slots[i].remade && now >= s->slots[i].retry_ms)
            place(s, i);
}

int kafka_seek(struct source *source, size_t slot, int64_t offset, struct err *e)
{
    struct kafka_source *s = (struct kafka_source *)source;
    struct kafka_slot *k = kafka_slot(s, slot);
    (void)e;
    if (!k->owned)
        return 0; /* it went to another process meanwhile */
    k->position = offset > 0 ? offset : 0;
    k->last_offset = k->check_offset = POSITION_NONE;
    k->first_left = 0;
    k->unknown = false;
    kafka_forget_remade(s, k);
    kafka_set_stray(s, k, k->position, 0);
    if (!s->paused)
        place(s, slot);
    return 0;
}

/* --- pausing --- */

static void tell_paused(struct kafka_source *s, size_t slot)
{
    struct kafka_slot *k = kafka_slot(s, slot);
    if (k->paused == s->paused)
        return;
    rd_kafka_topic_partition_list_t *list = kafka_list(s, slot, 0);
    if (s->paused)
        (void)rd_kafka_pause_partitions(s->consumer, list);
    else
        (void)rd_kafka_resume_partitions(s->consumer, list);
    k->paused = s->paused;
    rd_kafka_topic_partition_list_destroy(list);
}

/* Whatever librdkafka makes of it, each partition is placed anew when it goes on. */
void kafka_pause(struct source *source, bool paused)
{
    struct kafka_source *s = (struct kafka_source *)source;
    if (s->paused == paused)
        return;
    s->paused = paused;
    for (size_t i = 0; i < s->slots_n; i++)
        if (s->slots[i].owned) {
            tell_paused(s, i);
            kafka_set_stray(s, &s->slots[i], kafka_from(&s->slots[i]), 0);
        }
}

/* --- rebalances --- */

static void give(struct kafka_source *s, rd_kafka_topic_partition_t *tp)
{
    size_t slot;
    (void)kafka_slot_of(s, tp->topic, tp->partition, &slot);
    kafka_queue_take(s, slot);
    bool known = ask(s, slot);
    struct kafka_slot *k = kafka_slot(s, slot);
    kafka_set_stray(s, k, kafka_from(k), clock_monotonic_ms() + RETRY_MS);
    if (known && !s->paused)
        set_placed(s, k);
    k->owned = true;
    k->commit = k->committed = POSITION_NONE;
    k->acknowledged = false;
    tp->offset = offset_of(k);
}

static void take_away(struct kafka_source *s, const rd_kafka_topic_partition_t *tp)
{
    size_t slot;
    struct kafka_slot *k = kafka_slot_of(s, tp->topic, tp->partition, &slot);
    kafka_drop(k);
    kafka_queue_leave(s, k);
    set_placed(s, k);
    kafka_forget_remade(s, k);
    k->owned = false;
    k->commit = k->committed = POSITION_NONE;
    k->acknowledged = false;
    s->listener.revoked(s->listener.arg, slot, s->partitions.names[slot]);
}

static void assign(struct kafka_source *s, rd_kafka_topic_partition_list_t *list)
{
    if (cooperative(s))
        (void)succeeded(rd_kafka_incremental_assign(s->consumer, list), "assign_failed");
    else
        (void)rd_kafka_assign(s->consumer, list);
}

static void unassign(struct kafka_source *s, rd_kafka_topic_partition_list_t *list)
{
    if (cooperative(s))
        (void)succeeded(rd_kafka_incremental_unassign(s->consumer, list),
                        "unassign_failed");
    else
        (void)rd_kafka_assign(s->consumer, NULL);
}

/* What stays ours is placed anew, too. librdkafka holds all partitions during a rebalance and then goes
 * on behind the last thing that it gave us; from 2.1 to 2.13.1 rd_kafka_consume_batch_queue() counts
 * the news of an end as a record there (its issue 5213), and the next record would never be seen. */
static void place_others_again(struct kafka_source *s)
{
    for (size_t i = 0; i < s->slots_n; i++) {
        struct kafka_slot *k = &s->slots[i];
        if (k->owned && !k->stray)
            kafka_set_stray(s, k, kafka_from(k), 0);
    }
}

bool kafka_joined(const struct source *source)
{
    return ((const struct kafka_source *)source)->in_group;
}

void kafka_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
                        rd_kafka_topic_partition_list_t *list, void *arg)
{
    struct kafka_source *s = arg;
    bool lost =
        err == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS && rd_kafka_assignment_lost(rk);
    const char *what = lost                                          ? "lost"
                       : err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS ? "assigned"
                       : err == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS
                           ? "revoked"
                           : rd_kafka_err2name(err);
    log_info("rebalance", "what=%s partitions=%d", what, list->cnt);
    metric_add(metric_of(&metric_rebalances, str_of(what), STR_NONE), 1);
    s->in_group = s->in_group && !lost;
    FAULT_POINT("kafka.rebalance");
    place_others_again(s);
    if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        s->was_assigned = s->in_group = true;
        for (int i = 0; i < list->cnt; i++)
            give(s, &list->elems[i]);
        assign(s, list);
        for (int i = 0; i < list->cnt; i++) {
            size_t slot;
            (void)kafka_slot_of(s, list->elems[i].topic, list->elems[i].partition, &slot);
            tell_paused(s, slot);
        }
        FAULT_POINT("kafka.assigned");
        return;
    }
    if (!lost)
        kafka_commit_noted(s);
    for (int i = 0; i < list->cnt; i++)
        take_away(s, &list->elems[i]);
    unassign(s, list);
    FAULT_POINT("kafka.revoked");
}

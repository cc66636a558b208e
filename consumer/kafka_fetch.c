/* Records come from librdkafka in one queue for all partitions, in runs. They are taken some
 * thousand at a time and chained by partition; a batch is made of one chain. The next are taken
 * when all chains are used up: what waits here is bounded, and librdkafka fetches on meanwhile. */
#include <assert.h>
#include <inttypes.h>

#include "consumer/kafka_source.h"
#include "core/log.h"

enum { REJECT_BYTES = 900000, ERROR_EVERY_MS = 10000 };

/* --- chains --- */

static void push(struct kafka_source *s, size_t slot, size_t at)
{
    struct kafka_slot *k = kafka_slot(s, slot);
    if (k->waiting == 0) {
        k->first = at;
        s->ready[s->ready_n++] = slot;
    } else {
        s->following[k->last] = at;
    }
    k->last = at;
    k->waiting++;
}

static rd_kafka_message_t *pop(struct kafka_source *s, struct kafka_slot *k)
{
    size_t at = k->first;
    rd_kafka_message_t *m = s->messages[at];
    s->messages[at] = NULL;
    k->first = s->following[at];
    k->waiting--;
    return m;
}

void kafka_drop(struct kafka_source *s, struct kafka_slot *k)
{
    while (k->waiting)
        rd_kafka_message_destroy(pop(s, k));
}

/* --- what comes --- */

static void note_error(struct kafka_source *s, const rd_kafka_message_t *m)
{
    char why[256], quoted[LOG_VALUE_BYTES];
    int64_t now = clock_monotonic_ms();
    kafka_count_error(m->err);
    if (rd_kafka_fatal_error(s->consumer, why, sizeof why)) {
        err_set(&s->failure, ERR_REFUSED, "Kafka does not let us go on: %s", why);
        return;
    }
    if (kafka_is_unknown(m->err)) {
        s->names_ms = 0; /* what is missing is said there */
        if (m->rkt)
            kafka_suspect(s, str_of(rd_kafka_topic_name(m->rkt)));
        return;
    }
    if ((int)m->err == s->last_error && now - s->last_error_ms < ERROR_EVERY_MS)
        return;
    s->last_error = m->err;
    s->last_error_ms = now;
    log_warn("kafka_error", "code=%s topic=%s partition=%" PRId32 " text=%s",
             rd_kafka_err2name(m->err), m->rkt ? rd_kafka_topic_name(m->rkt) : "",
             m->rkt ? m->partition : -1,
             log_quote(str_of(rd_kafka_message_errstr(m)), quoted));
}

/* Records come in runs of one partition. Those in hand keep their topic: its address is no other's meanwhile. */
struct run {
    const rd_kafka_topic_t *topic;
    int32_t partition;
    size_t slot;
};

static size_t slot_of(struct kafka_source *s, const rd_kafka_message_t *m,
                      struct run *run)
{
    if (m->rkt != run->topic || m->partition != run->partition) {
        (void)kafka_slot_of(s, rd_kafka_topic_name(m->rkt), m->partition, &run->slot);
        run->topic = m->rkt;
        run->partition = m->partition;
    }
    return run->slot;
}

/* Keeps a record or the news of a partition's end; false: it is of no use. */
static bool keep(struct kafka_source *s, size_t at, bool with_rebalance, struct run *run)
{
    rd_kafka_message_t *m = s->messages[at];
    bool end = m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
    bool outside = m->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET;
    if (m->err && !end && !outside) {
        note_error(s, m);
        return false;
    }
    size_t slot = slot_of(s, m, run);
    struct kafka_slot *k = kafka_slot(s, slot);
    if (!k->owned || k->stray || k->remade)
        return false;
    if (outside)
        kafka_out_of_range(s, slot);
    else if (with_rebalance && k->joined == s->round)
        kafka_misplaced(s, slot); /* it may have been taken before that assignment */
    else if (kafka_check(s, slot, m)) {
        push(s, slot, at);
        return true;
    }
    return false;
}

static size_t consume(struct kafka_source *s, size_t from)
{
    s->round++;
    ssize_t n = rd_kafka_consume_batch_queue(s->queue, 0, s->messages + from,
                                             s->fetch_max - from);
    return n > 0 ? (size_t)n : 0;
}

static void keep_all(struct kafka_source *s, size_t from, size_t n, bool with_rebalance)
{
    struct run run = {.topic = NULL};
    for (size_t i = from; i < from + n; i++) {
        rd_kafka_message_t *m = s->messages[i];
        if (!keep(s, i, with_rebalance, &run)) {
            s->messages[i] = NULL;
            rd_kafka_message_destroy(m);
        }
    }
}

void kafka_fetch(struct kafka_source *s, int wait_ms)
{
    s->ready_n = s->ready_at = 0;
    size_t n = consume(s, 0), polled = 0;
    keep_all(s, 0, n, true);
    if (n > 0)
        return;
    s->messages[0] = rd_kafka_consumer_poll(s->consumer, wait_ms);
    if (s->messages[0])
        polled = 1;
    keep_all(s, 0, polled, false);
    if (polled)
        keep_all(s, 1, consume(s, 1), true);
}

/* --- batches --- */

static void add_record(struct batch_fill *fill, const rd_kafka_message_t *m,
                       struct err *wrong)
{
    rd_kafka_timestamp_type_t type;
    struct raw_record record = {.bytes = {m->payload, m->len},
                                .key = {m->key, m->key_len},
                                .offset = m->offset,
                                .timestamp_ms = rd_kafka_message_timestamp(m, &type)};
    struct event *event;
    if (!m->payload) {
        batch_fill_reject(fill, &record, 0,
                          "tombstone: a record without a value is no event");
    } else if (batch_fill_decode(fill, &record, &event, NULL, wrong)) {
        batch_fill_reject(fill, &record, REJECT_BYTES, wrong->text);
        err_clear(wrong);
    } else {
        event->partition = m->partition;
        event->offset = m->offset;
        batch_fill_keep(fill);
    }
}

static void begin(struct kafka_source *s, struct batch *out, size_t slot,
                  struct batch_fill *fill)
{
    struct kafka_slot *k = kafka_slot(s, slot);
    *fill = (struct batch_fill){.batch = out, .decoder = s->decoder};
    out->slot = slot;
    out->name = s->partitions.names[slot];
    out->start = k->position;
    out->lost =
        k->position > 0 && k->first_left > k->position ? k->first_left - k->position : 0;
    size_t limit = s->settings.batch_events;
    batch_fill_reserve(fill, k->waiting < limit ? k->waiting : limit);
}

/* Takes what is in the chain, up to a batch. */
static void fill_from(struct kafka_source *s, struct kafka_slot *k,
                      struct batch_fill *fill)
{
    size_t records = 0, bytes = 0;
    rd_kafka_message_t *last = NULL;
    struct err wrong = {0}; /* with the record in hand */
    while (k->waiting && records < s->settings.batch_events &&
           bytes < KAFKA_BATCH_BYTES) {
        rd_kafka_message_t *m = pop(s, k);
        bool end = m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        if (m->offset >= k->position && !end) {
            add_record(fill, m, &wrong);
            records++;
            bytes += m->len;
            k->position = m->offset + 1;
            rd_kafka_message_t *before = last;
            last = m;
            m = before;
        } else if (m->offset > k->position) {
            /* over control records and what compaction left out */
            k->position = m->offset;
        }
        if (m)
            rd_kafka_message_destroy(m);
    }
    if (!last)
        return;
    k->last_offset = fill->batch->last_offset = last->offset;
    k->last_hash = fill->batch->last_hash = kafka_record_hash(last);
    rd_kafka_message_destroy(last);
}

/* Where the partition ended when something of it was last fetched. */
int64_t kafka_known_end(const struct source *source, size_t slot)
{
    const struct kafka_source *s = (const struct kafka_source *)source;
    int64_t low, high;
    rd_kafka_topic_partition_list_t *one = kafka_list(s, slot, 0);
    rd_kafka_resp_err_t rc = rd_kafka_get_watermark_offsets(
        s->consumer, one->elems[0].topic, one->elems[0].partition, &low, &high);
    rd_kafka_topic_partition_list_destroy(one);
    return rc ? POSITION_NONE : high;
}

static void note_beginning(const struct batch *b)
{
    int64_t first = b->events_n ? b->events[0].offset : b->next;
    if (b->rejects_n && b->rejects[0].offset < first)
        first = b->rejects[0].offset;
    if (b->start == 0 && first > 0)
        log_info("partition_begins", "partition=%.*s offset=%" PRId64, STR_ARG(b->name),
                 first);
}

/* The news of an end make no batch. */
static bool has_record(const struct kafka_source *s, const struct kafka_slot *k)
{
    size_t at = k->first;
    for (size_t i = 0; i < k->waiting; i++, at = s->following[at])
        if (!s->messages[at]->err && s->messages[at]->offset >= k->position)
            return true;
    return false;
}

/* To be handed out at once: strays are placed before, which may take long. */
static bool has_more(struct kafka_source *s)
{
    if (s->strays)
        return false;
    for (size_t i = s->ready_at; i < s->ready_n; i++)
        if (has_record(s, kafka_slot(s, s->ready[i])))
            return true;
    return false;
}

bool kafka_take(struct kafka_source *s, struct batch *out)
{
    for (; s->ready_at < s->ready_n; s->ready_at++) {
        size_t slot = s->ready[s->ready_at];
        struct kafka_slot *k = kafka_slot(s, slot);
        struct batch_fill fill;
        if (k->waiting)
            kafka_look_after_quiet(s, k);
        if (k->waiting == 0)
            continue;
        begin(s, out, slot, &fill);
        fill_from(s, k, &fill);
        out->next = k->position;
        out->more = has_more(s);
        out->at_end = kafka_known_end(&s->source, slot) == k->position;
        if (out->next == out->start)
            continue;
        k->first_left = 0;
        note_beginning(out);
        return true;
    }
    return false;
}

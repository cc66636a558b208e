/* Records come from librdkafka in a queue for each partition (kafka_queue.c). The next one of each is held, as its
 * head; the partition whose head is the oldest has its turn, so that all are read in step: windows of an hour of
 * event time are live, however far the log goes back. A batch is what follows a head in its queue. */
#include <inttypes.h>

#include "consumer/kafka_source.h"
#include "core/log.h"

enum {
    REJECT_BYTES = 900000,
    ERROR_EVERY_MS = 10000,
    RUN = 256,         /* records taken from a queue at a time */
    PATIENCE_MS = 1000 /* whose head is newer than all others' has its turn then */
};

void kafka_drop(struct kafka_slot *k)
{
    if (k->head)
        rd_kafka_message_destroy(k->head);
    k->head = NULL;
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

static bool is_end(const rd_kafka_message_t *m)
{
    return m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
}

static bool is_outside(const rd_kafka_message_t *m)
{
    return m->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET;
}

static bool is_error(const rd_kafka_message_t *m)
{
    return m->err && !is_end(m) && !is_outside(m);
}

/* Nothing of it is handed out before something else happened. */
static bool rests(const struct kafka_slot *k)
{
    return !k->owned || k->stray || k->remade;
}

/* Keeps a record, or the news of an end that is further on than the records were; false: it is of no use. */
static bool keep(struct kafka_source *s, size_t slot, const rd_kafka_message_t *m)
{
    const struct kafka_slot *k = kafka_slot(s, slot);
    if (is_error(m))
        note_error(s, m);
    else if (rests(k))
        return false;
    else if (is_outside(m))
        kafka_out_of_range(s, slot);
    else if (kafka_check(s, slot, m))
        return m->offset >= k->position + is_end(m);
    return false;
}

/* Up to `max` that are of use. */
static size_t pop(struct kafka_source *s, size_t slot, rd_kafka_message_t **out,
                  size_t max)
{
    rd_kafka_queue_t *queue = kafka_slot(s, slot)->queue;
    size_t queued = rd_kafka_queue_length(queue), kept = 0;
    if (queued == 0)
        return 0;
    ssize_t n =
        rd_kafka_consume_batch_queue(queue, 0, out, queued < max ? queued : max);
    for (ssize_t i = 0; i < n; i++) {
        rd_kafka_message_t *m = out[i];
        if (keep(s, slot, m))
            out[kept++] = m;
        else
            rd_kafka_message_destroy(m);
    }
    return kept;
}

static void hold_head(struct kafka_source *s, size_t slot, int64_t now_ms)
{
    struct kafka_slot *k = kafka_slot(s, slot);
    rd_kafka_message_t *m;
    while (!rests(k) && !k->head && rd_kafka_queue_length(k->queue) > 0)
        if (pop(s, slot, &m, 1) == 1)
            k->head = m;
    k->head_ms = now_ms;
}

static void hold_heads(struct kafka_source *s)
{
    int64_t now_ms = clock_monotonic_ms();
    for (size_t i = 0; i < s->slots_n; i++)
        if (s->slots[i].queue && rests(&s->slots[i]))
            (void)pop(s, i, s->messages, s->settings.batch_events); /* all void */
        else if (s->slots[i].queue && !s->slots[i].head)
            hold_head(s, i, now_ms);
}

/* What came for a partition of ours, but not by its queue: librdkafka has made it another one. */
static void find_queue(struct kafka_source *s, const rd_kafka_message_t *m)
{
    size_t slot;
    struct kafka_slot *k =
        kafka_slot_of(s, rd_kafka_topic_name(m->rkt), m->partition, &slot);
    if (rests(k))
        return;
    kafka_queue_leave(s, k);
    kafka_queue_take(s, slot);
    kafka_set_stray(s, k, kafka_from(k), 0);
}

void kafka_serve(struct kafka_source *s)
{
    rd_kafka_message_t *news[RUN];
    ssize_t n = rd_kafka_consume_batch_queue(s->queue, 0, news, RUN);
    for (ssize_t i = 0; i < n; i++) {
        if (is_error(news[i]))
            note_error(s, news[i]);
        else if (news[i]->rkt)
            find_queue(s, news[i]);
        rd_kafka_message_destroy(news[i]);
    }
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

static void begin(struct kafka_source *s, struct batch *out, size_t slot, size_t n,
                  struct batch_fill *fill)
{
    struct kafka_slot *k = kafka_slot(s, slot);
    *fill = (struct batch_fill){.batch = out, .decoder = s->decoder};
    out->slot = slot;
    out->name = s->partitions.names[slot];
    out->start = k->position;
    out->lost =
        k->position > 0 && k->first_left > k->position ? k->first_left - k->position : 0;
    batch_fill_reserve(fill, n);
}

/* The head and what follows it, up to a batch; 0: something happened to the partition meanwhile. */
static size_t gather(struct kafka_source *s, size_t slot)
{
    struct kafka_slot *k = kafka_slot(s, slot);
    size_t n = 1, bytes = k->head->len, limit = s->settings.batch_events;
    s->messages[0] = k->head;
    k->head = NULL;
    for (size_t got = 1; got && n < limit && bytes < KAFKA_BATCH_BYTES;) {
        got = pop(s, slot, s->messages + n, limit - n < RUN ? limit - n : RUN);
        for (size_t i = n; i < n + got; i++)
            bytes += s->messages[i]->len;
        n += got;
    }
    if (!rests(k))
        return n;
    while (n > 0)
        rd_kafka_message_destroy(s->messages[--n]);
    return 0;
}

static void fill_from(struct kafka_source *s, struct kafka_slot *k, size_t n,
                      struct batch_fill *fill)
{
    rd_kafka_message_t *last = NULL;
    struct err wrong = {0}; /* with the record in hand */
    for (size_t i = 0; i < n; i++) {
        rd_kafka_message_t *m = s->messages[i], *used = m;
        if (!is_end(m) && m->offset >= k->position) {
            add_record(fill, m, &wrong);
            k->position = m->offset + 1;
            used = last;
            last = m;
        } else if (m->offset > k->position) {
            /* over control records and what compaction left out */
            k->position = m->offset;
        }
        if (used)
            rd_kafka_message_destroy(used);
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

/* --- turns --- */

/* The news of an end make no batch that counts. Strays are placed before the next one, which may take long. */
static bool has_more(const struct kafka_source *s)
{
    if (s->strays)
        return false;
    for (size_t i = 0; i < s->slots_n; i++)
        if (s->slots[i].head && !s->slots[i].head->err)
            return true;
    return false;
}

/* By the time of the next record; at once, if it waited long enough, or has none. */
static int64_t turn_of(const struct kafka_slot *k, int64_t now_ms)
{
    rd_kafka_timestamp_type_t type;
    return k->head->err || now_ms - k->head_ms >= PATIENCE_MS
               ? -1
               : rd_kafka_message_timestamp(k->head, &type);
}

/* NULL: nobody's. */
static struct kafka_slot *whose_turn(struct kafka_source *s)
{
    struct kafka_slot *first = NULL;
    int64_t now_ms = clock_monotonic_ms(), first_turn = 0;
    for (size_t i = 0; i < s->slots_n; i++) {
        struct kafka_slot *k = &s->slots[i];
        int64_t turn = k->head ? turn_of(k, now_ms) : 0;
        if (!k->head || (first && (turn > first_turn || (turn == first_turn &&
                                                         k->head_ms >= first->head_ms))))
            continue;
        first = k;
        first_turn = turn;
    }
    return first;
}

/* What is known of what comes behind it. */
static void tell(struct kafka_source *s, struct kafka_slot *k, struct batch *out)
{
    int64_t left = kafka_known_end(&s->source, out->slot) - k->position;
    out->next = k->position;
    out->more = has_more(s);
    out->at_end = left == 0;
    if (left > (int64_t)rd_kafka_queue_length(k->queue) + 1)
        kafka_behind(s, k);
    note_beginning(out);
}

bool kafka_take(struct kafka_source *s, struct batch *out)
{
    struct kafka_slot *k;
    for (hold_heads(s); (k = whose_turn(s)); hold_heads(s)) {
        size_t slot = (size_t)(k - s->slots), n;
        struct batch_fill fill;
        kafka_look_after_quiet(s, k);
        if (!k->head || (n = gather(s, slot)) == 0)
            continue;
        begin(s, out, slot, n, &fill);
        fill_from(s, k, n, &fill);
        hold_heads(s);
        k->first_left = 0;
        tell(s, k, out);
        return true;
    }
    return false;
}

/* Reads each partition from its first offset to the end it had when it was asked: no group, no commit. */
#include "consumer/kafka_letters.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "consumer/kafka_source.h"

enum { ASK_MS = 10000, WAIT_MS = 15000, SEND_MS = 30000 };

struct kafka_letters {
    struct kafka_source client; /* only what kafka_config.c needs: settings, errors */
};

/* What is read of one partition. */
struct stretch {
    int32_t partition;
    int64_t from, to;
};

struct kafka_letters *kafka_letters_open(const struct kafka_source_settings *settings,
                                         struct err *e)
{
    struct kafka_letters *l = calloc(1, sizeof *l);
    assert(l && settings->dead_letter.n);
    l->client.settings = *settings;
    l->client.consumer = kafka_consumer_new(&l->client, 1, e); /* one queue for all */
    if (l->client.consumer)
        return l;
    free(l);
    return NULL;
}

void kafka_letters_close(struct kafka_letters *l)
{
    bool closed = kafka_destroy(l->client.consumer);
    if (l->client.producer)
        closed = kafka_destroy(l->client.producer) && closed;
    if (closed) /* else a thread of librdkafka still has it */
        free(l);
}

static int unavailable(const struct kafka_letters *l, rd_kafka_resp_err_t rc,
                       struct err *e)
{
    return err_set(e, ERR_UNAVAILABLE, "dead-letter topic '%.*s': %s%s%s",
                   STR_ARG(l->client.settings.dead_letter), rd_kafka_err2str(rc),
                   l->client.broker_error[0] ? ": " : "", l->client.broker_error);
}

/* How many partitions the topic has; -1. */
static int count_partitions(struct kafka_letters *l, struct err *e)
{
    const struct rd_kafka_metadata *m;
    rd_kafka_t *rk = l->client.consumer;
    rd_kafka_topic_t *topic =
        rd_kafka_topic_new(rk, l->client.settings.dead_letter.p, NULL);
    rd_kafka_resp_err_t rc =
        topic ? rd_kafka_metadata(rk, 0, topic, &m, ASK_MS) : rd_kafka_last_error();
    if (topic)
        rd_kafka_topic_destroy(topic);
    if (rc)
        return unavailable(l, rc, e);
    int n = m->topic_cnt == 1 ? m->topics[0].partition_cnt : 0;
    rc = m->topic_cnt == 1 ? m->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    rd_kafka_metadata_destroy(m);
    return rc ? unavailable(l, rc, e) : n;
}

static rd_kafka_resp_err_t ask_offset(struct kafka_letters *l, int32_t partition,
                                      int64_t which, int64_t *offset)
{
    rd_kafka_topic_partition_list_t *one = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(one, l->client.settings.dead_letter.p, partition)
        ->offset = which;
    rd_kafka_resp_err_t rc = kafka_query_offset(l->client.consumer, one, offset);
    rd_kafka_topic_partition_list_destroy(one);
    return rc;
}

static int ask_stretch(struct kafka_letters *l, struct stretch *s, struct err *e)
{
    rd_kafka_resp_err_t rc =
        ask_offset(l, s->partition, RD_KAFKA_OFFSET_BEGINNING, &s->from);
    if (!rc)
        rc = ask_offset(l, s->partition, RD_KAFKA_OFFSET_END, &s->to);
    return rc ? unavailable(l, rc, e) : 0;
}

/* --- a record --- */

static struct str header(const rd_kafka_headers_t *headers, const char *name)
{
    const void *value;
    size_t n;
    if (!headers || rd_kafka_header_get_last(headers, name, &value, &n))
        return STR_NONE;
    return (struct str){value, n};
}

/* Ours are short; what is no number is -1. */
static int64_t number(struct str text)
{
    char copy[24] = "", *end = copy;
    if (text.n && text.n < sizeof copy)
        memcpy(copy, text.p, text.n);
    long long n = strtoll(copy, &end, 10);
    return copy[0] && !*end ? n : -1;
}

static struct kafka_letter letter_of(const rd_kafka_message_t *m)
{
    rd_kafka_headers_t *headers = NULL;
    rd_kafka_timestamp_type_t type;
    if (rd_kafka_message_headers(m, &headers))
        headers = NULL;
    return (struct kafka_letter){.partition = m->partition,
                                 .offset = m->offset,
                                 .timestamp_ms = rd_kafka_message_timestamp(m, &type),
                                 .key = {m->key, m->key_len},
                                 .value = {m->payload, m->len},
                                 .reason = header(headers, "tw-reason"),
                                 .topic = header(headers, "tw-topic"),
                                 .from_partition =
                                     (int32_t)number(header(headers, "tw-partition")),
                                 .from_offset = number(header(headers, "tw-offset")),
                                 .truncated = header(headers, "tw-truncated").n > 0};
}

/* --- reading --- */

static int assign(struct kafka_letters *l, const struct stretch *s, struct err *e)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, l->client.settings.dead_letter.p,
                                      s->partition)
        ->offset = s->from;
    rd_kafka_resp_err_t rc = rd_kafka_assign(l->client.consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    return rc ? unavailable(l, rc, e) : 0;
}

/* The next of the stretch. 1; 0: its end, also where transactions or compaction left nothing; -1. */
static int next(struct kafka_letters *l, const struct stretch *s,
                rd_kafka_message_t **out, struct err *e)
{
    int64_t until_ms = clock_monotonic_ms() + WAIT_MS;
    for (int64_t now = 0; now < until_ms; now = clock_monotonic_ms()) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(l->client.consumer, 200);
        if (m && !m->err && m->offset < s->to) {
            *out = m;
            return 1;
        }
        bool end = m && (!m->err || m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF);
        rd_kafka_resp_err_t rc = m ? m->err : RD_KAFKA_RESP_ERR_NO_ERROR;
        if (m)
            rd_kafka_message_destroy(m);
        if (end)
            return 0;
        if (rc == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
            rc == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
            return unavailable(l, rc, e);
    }
    return unavailable(l, RD_KAFKA_RESP_ERR__TIMED_OUT, e);
}

/* How many `take` got; -1. */
static int64_t read_stretch(struct kafka_letters *l, const struct stretch *s,
                            kafka_letter_fn *take, void *arg, bool *more, struct err *e)
{
    rd_kafka_message_t *m = NULL;
    int64_t n = 0;
    int got = 1;
    if (s->from >= s->to)
        return 0;
    if (assign(l, s, e))
        return -1;
    while (*more && (got = next(l, s, &m, e)) > 0) {
        struct kafka_letter letter = letter_of(m);
        bool last = m->offset + 1 >= s->to;
        *more = take(arg, &letter);
        rd_kafka_message_destroy(m);
        n++;
        if (last)
            break;
    }
    return got < 0 ? -1 : n;
}

int kafka_letters_each(struct kafka_letters *l, kafka_letter_fn *take, void *arg,
                       struct err *e)
{
    bool more = true;
    int partitions = count_partitions(l, e);
    for (int p = 0; p < partitions && more; p++) {
        struct stretch s = {.partition = p};
        if (ask_stretch(l, &s, e) || read_stretch(l, &s, take, arg, &more, e) < 0)
            return -1;
    }
    return partitions < 0 ? -1 : 0;
}

int kafka_letters_find(struct kafka_letters *l, int32_t partition, int64_t offset,
                       kafka_letter_fn *take, void *arg, struct err *e)
{
    struct stretch s = {.partition = partition};
    bool more = true;
    int partitions = count_partitions(l, e);
    if (partitions < 0)
        return -1;
    if (partition < 0 || partition >= partitions)
        return 0;
    if (ask_stretch(l, &s, e))
        return -1;
    if (offset < s.from || offset >= s.to)
        return 0;
    s.from = offset;
    s.to = offset + 1;
    return (int)read_stretch(l, &s, take, arg, &more, e);
}

/* --- giving back --- */

static int can_go_back(const struct kafka_letter *letter, struct err *e)
{
    if (letter->truncated)
        return err_set(
            e, ERR_INPUT,
            "it was too large to be kept whole: its producer has to send it again");
    if (letter->topic.n == 0 || letter->from_partition < 0)
        return err_set(e, ERR_INPUT, "it does not say which topic it came from");
    return 0;
}

int kafka_letters_send_back(struct kafka_letters *l, const struct kafka_letter *letter,
                            struct err *e)
{
    char topic[256];
    struct kafka_receipt receipt = {.error = RD_KAFKA_RESP_ERR__TIMED_OUT};
    if (can_go_back(letter, e))
        return -1;
    if (!l->client.producer && !(l->client.producer = kafka_producer_new(&l->client, e)))
        return -1;
    snprintf(topic, sizeof topic, "%.*s", STR_ARG(letter->topic));
    rd_kafka_vu_t what[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = letter->from_partition},
        kafka_bytes(RD_KAFKA_VTYPE_VALUE, letter->value),
        kafka_bytes(RD_KAFKA_VTYPE_KEY, letter->key),
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = &receipt},
    };
    rd_kafka_error_t *error =
        rd_kafka_produceva(l->client.producer, what, sizeof what / sizeof what[0]);
    if (error)
        receipt.error = rd_kafka_error_code(error);
    else
        (void)rd_kafka_flush(l->client.producer, SEND_MS);
    rd_kafka_error_destroy(error);
    return receipt.delivered
               ? 0
               : err_set(e, ERR_UNAVAILABLE, "topic '%s' did not take it: %s", topic,
                         rd_kafka_err2str(receipt.error));
}

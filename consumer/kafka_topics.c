/* What the brokers say about topics: whether they exist, their partitions, what is in them. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "consumer/kafka_source.h"
#include "core/log.h"

enum {
    NAMES_FOR_MS = 10000,
    NAMES_TIMEOUT_MS = 2000,
    RANGE_TIMEOUT_MS = 1000,
    MISSING_EVERY_MS = 60000,
    ASK_FOR_MS = 1000,
};

bool kafka_is_unknown(rd_kafka_resp_err_t rc)
{
    return rc == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
           rc == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
           rc == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
}

/* It sends its nonce twice, which Kafka refuses from 3.7.2 on (CVE-2024-56128). */
static const char *scram_remark(const struct kafka_source *s)
{
    enum { MENDED_IN = 0x02060100 };
    static char text[160];
    if (!strstr(s->broker_error, "SCRAM") || rd_kafka_version() >= MENDED_IN)
        return "";
    snprintf(
        text, sizeof text,
        "; be it right: SCRAM of librdkafka %s is refused by Kafka from 3.7.2 on, take "
        "librdkafka 2.6.1 or newer",
        rd_kafka_version_str());
    return text;
}

/* A topic's metadata, to be destroyed; NULL: ERR_UNAVAILABLE. */
static const struct rd_kafka_metadata *
metadata_of(struct kafka_source *s, const char *topic, int timeout_ms, struct err *e)
{
    const struct rd_kafka_metadata *md = NULL;
    if (!s->subscribed)
        (void)rd_kafka_poll(s->consumer,
                            0); /* a token of OAUTHBEARER is made by a callback */
    rd_kafka_topic_t *handle = rd_kafka_topic_new(s->consumer, topic, NULL);
    rd_kafka_resp_err_t rc =
        handle ? rd_kafka_metadata(s->consumer, 0, handle, &md, timeout_ms)
               : rd_kafka_last_error();
    if (handle)
        rd_kafka_topic_destroy(handle);
    if (rc == RD_KAFKA_RESP_ERR_NO_ERROR)
        return md;
    if (!s->subscribed)
        (void)rd_kafka_poll(s->consumer, 0); /* hear why; later this would eat records */
    if (!s->subscribed && s->refused)
        err_set(e, ERR_REFUSED,
                "Kafka at %.*s does not let us in: %s%s; see kafka.properties",
                STR_ARG(s->settings.brokers), s->broker_error, scram_remark(s));
    err_set(e, ERR_UNAVAILABLE, "no Kafka broker of %.*s answered: %s",
            STR_ARG(s->settings.brokers),
            s->broker_error[0] ? s->broker_error : rd_kafka_err2str(rc));
    return NULL;
}

static int topic_error(const char *topic, const char *option, rd_kafka_resp_err_t rc,
                       struct err *e)
{
    if (rc == RD_KAFKA_RESP_ERR_NO_ERROR || rc == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
        return 0; /* a leader is being elected */
    if (rc == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
        rc == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION)
        return err_set(
            e, ERR_REFUSED,
            "topic '%s' does not exist on the broker: create it (kafka-topics --create "
            "--topic %s) or fix kafka.%s",
            topic, topic, option);
    if (rc == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        return err_set(
            e, ERR_REFUSED,
            "topic '%s': the broker does not let us read it: allow Describe and Read "
            "(Write for kafka.dead_letter) to our user, or fix kafka.%s",
            topic, option);
    return err_set(e, ERR_UNAVAILABLE, "topic '%s': %s", topic, rd_kafka_err2str(rc));
}

/* In parts, so that who is told to end need not wait for brokers that are away. */
static bool may_ask_again(const struct kafka_source *s, int64_t until_ms,
                          const struct err *e)
{
    const atomic_bool *stop = s->settings.stop;
    return e->kind == ERR_UNAVAILABLE && clock_monotonic_ms() < until_ms &&
           !(stop && atomic_load(stop));
}

static int check_topic(struct kafka_source *s, struct str topic, const char *option,
                       int64_t until_ms, size_t *partitions, struct err *e)
{
    const struct rd_kafka_metadata *md;
    do {
        err_clear(e);
        md = metadata_of(s, topic.p, ASK_FOR_MS, e);
    } while (!md && may_ask_again(s, until_ms, e));
    if (!md)
        return -1;
    int rc = topic_error(topic.p, option, md->topic_cnt ? md->topics[0].err : 0, e);
    *partitions += md->topic_cnt ? (size_t)md->topics[0].partition_cnt : 0;
    rd_kafka_metadata_destroy(md);
    return rc;
}

int kafka_check_topics(struct kafka_source *s, int timeout_ms, size_t *partitions,
                       struct err *e)
{
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    size_t others = 0;
    *partitions = 0;
    for (size_t i = 0; i < s->settings.topics_n; i++)
        if (check_topic(s, s->settings.topics[i], "topics", until_ms, partitions, e))
            return -1;
    if (s->settings.dead_letter.n)
        return check_topic(s, s->settings.dead_letter, "dead_letter", until_ms, &others,
                           e);
    return 0;
}

/* Once, then every minute; and when it is there again. */
static void note_missing(struct kafka_source *s, size_t topic, bool missing)
{
    int64_t now = clock_monotonic_ms(), *next_ms = &s->missing_ms[topic];
    char quoted[LOG_VALUE_BYTES];
    log_quote(s->settings.topics[topic], quoted);
    if (missing && now >= *next_ms)
        log_warn("topic_missing",
                 "topic=%s reason=\"the broker does not know it now: nothing of it is "
                 "read until it is there\"",
                 quoted);
    if (!missing && *next_ms)
        log_info("topic_there", "topic=%s", quoted);
    if (!missing)
        *next_ms = 0;
    else if (now >= *next_ms)
        *next_ms = now + MISSING_EVERY_MS;
}

/* Appends the names of a topic's partitions; of one that the broker does not know, none. */
static int add_names(struct kafka_source *s, size_t i, struct str **names, size_t *n,
                     struct err *e)
{
    struct str topic = s->settings.topics[i];
    const struct rd_kafka_metadata *md = metadata_of(s, topic.p, NAMES_TIMEOUT_MS, e);
    if (!md)
        return -1;
    rd_kafka_resp_err_t err = md->topic_cnt ? md->topics[0].err : 0;
    bool missing = err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    int rc = missing ? 0 : topic_error(topic.p, "topics", err, e);
    size_t found =
        rc || missing || !md->topic_cnt ? 0 : (size_t)md->topics[0].partition_cnt;
    *names = realloc(*names, (*n + found + 1) * sizeof **names);
    assert(*names);
    for (size_t j = 0; j < found; j++) {
        size_t slot =
            partitions_slot(&s->partitions, topic, md->topics[0].partitions[j].id);
        (*names)[(*n)++] = s->partitions.names[slot];
    }
    rd_kafka_metadata_destroy(md);
    if (rc)
        return -1;
    note_missing(s, i, missing);
    if (missing)
        kafka_suspect(s, topic);
    if (!missing && found == 0)
        return err_set(e, ERR_UNAVAILABLE, "topic '%s' has no partitions yet", topic.p);
    return 0;
}

static int read_names(struct kafka_source *s, struct err *e)
{
    struct str *names = NULL;
    size_t n = 0;
    for (size_t i = 0; i < s->settings.topics_n; i++)
        if (add_names(s, i, &names, &n, e)) {
            free(names);
            return -1;
        }
    free(s->names);
    s->names = names;
    s->names_n = n;
    return 0;
}

int kafka_partitions(struct source *source, const struct str **names, size_t *n,
                     struct err *e)
{
    struct kafka_source *s = (struct kafka_source *)source;
    int64_t now = clock_monotonic_ms();
    struct err why = {0};
    char quoted[LOG_VALUE_BYTES];
    if (!s->names || now >= s->names_ms) {
        s->names_ms = now + NAMES_FOR_MS;
        if (read_names(s, &why) && !s->names) {
            err_set(e, why.kind, "%s", why.text);
            return -1;
        }
        if (why.kind != ERR_NONE)
            log_warn("partitions_stale", "reason=%s",
                     log_quote(str_of(why.text), quoted));
    }
    *names = s->names;
    *n = s->names_n;
    return 0;
}

rd_kafka_topic_partition_list_t *kafka_everything(struct kafka_source *s, int64_t offset,
                                                  struct err *e)
{
    const struct str *names;
    size_t n;
    if (kafka_partitions(&s->source, &names, &n, e))
        return NULL;
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new((int)n);
    for (size_t i = 0; i < n; i++) {
        size_t slot = partitions_file_slot(&s->partitions, names[i]);
        kafka_list_add(s, slot, all)->offset = offset;
    }
    return all;
}

rd_kafka_resp_err_t
kafka_query_offset(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *one, int64_t *offset)
{
    rd_kafka_resp_err_t rc = rd_kafka_offsets_for_times(rk, one, RANGE_TIMEOUT_MS);
    if (rc == RD_KAFKA_RESP_ERR_NO_ERROR)
        rc = one->elems[0].err;
    *offset = one->elems[0].offset;
    if (rc == RD_KAFKA_RESP_ERR_NO_ERROR && *offset < 0)
        rc = RD_KAFKA_RESP_ERR__NO_OFFSET;
    return rc;
}

static int query_offset(struct kafka_source *s, size_t slot, int64_t which,
                        int64_t *offset, struct err *e)
{
    rd_kafka_topic_partition_list_t *list = kafka_list(s, slot, which);
    rd_kafka_resp_err_t rc = kafka_query_offset(s->consumer, list, offset);
    rd_kafka_topic_partition_list_destroy(list);
    if (rc == RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    return err_set(e, ERR_UNAVAILABLE, "%.*s: the broker does not say where it ends: %s",
                   STR_ARG(s->partitions.names[slot]), rd_kafka_err2str(rc));
}

int kafka_first(struct kafka_source *s, size_t slot, int64_t *first, struct err *e)
{
    return query_offset(s, slot, RD_KAFKA_OFFSET_BEGINNING, first, e);
}

int kafka_end(struct kafka_source *s, size_t slot, int64_t *end, struct err *e)
{
    return query_offset(s, slot, RD_KAFKA_OFFSET_END, end, e);
}

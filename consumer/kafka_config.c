/* Our defaults, then the user's properties, then what our promises rest on: that may not be set. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "consumer/kafka_source.h"
#include "core/log.h"
#include "core/metric_families.h"
#include "core/secret.h"
#include "core/suggest.h"

struct property {
    const char *name, *value;
};

/* What a partition may fetch ahead is set below. Time: the others hear of a dead process within its session and one
 * heartbeat. */
static const struct property consumer_defaults[] = {
    {"client.id", "ticketwatch"},
    {"partition.assignment.strategy", "cooperative-sticky"},
    {"isolation.level", "read_committed"},
    {"session.timeout.ms", "10000"},
    {"heartbeat.interval.ms", "1000"},
    {"socket.keepalive.enable", "true"},
    {"log.connection.close", "false"},
    {"fetch.wait.max.ms", "100"}, /* a seek waits for the fetch that is under way */
    {"topic.metadata.refresh.interval.ms", "10000"}, /* new partitions, topics */
};

/* Where librdkafka knows them. */
static const struct property consumer_options[] = {
    {"fetch.queue.backoff.ms", "10"}, /* from 2.2 on */
};

static const struct property producer_defaults[] = {
    {"client.id", "ticketwatch-dead-letter"}, {"linger.ms", "0"},
    {"message.timeout.ms", "25000"}, /* less than dead_letter() waits */
    {"socket.keepalive.enable", "true"},      {"log.connection.close", "false"},
};

static const struct property consumer_promises[] = {
    {"enable.auto.commit", "false"}, /* Redis says where we are; the commit follows it */
    {"enable.auto.offset.store", "false"},
    {"auto.offset.reset", "error"}, /* no gap in silence */
    {"enable.partition.eof", "true"},
};

static const struct property producer_promises[] = {
    {"enable.idempotence", "true"},
    {"acks", "all"},
};

#define FILE_SUFFIX "_file"
#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static void set_all(rd_kafka_conf_t *conf, const struct property *table, size_t n)
{
    char why[256];
    for (size_t i = 0; i < n; i++) {
        rd_kafka_conf_res_t rc =
            rd_kafka_conf_set(conf, table[i].name, table[i].value, why, sizeof why);
        assert(rc == RD_KAFKA_CONF_OK);
    }
}

/* Memory: all queues together have 24 MiB, or an eighth of the process' limit; with small records that nearly doubles,
 * as librdkafka keeps some 250 bytes beside each. A queue that is not full yet is sent a part of an answer more, which
 * is compressed: small parts where memory is. Of a backlog of 2 million records, 12 MiB took a tenth more CPU time and
 * 48 MiB not less; a third of a queue an answer took a tenth less than a twelfth. */
enum {
    QUEUES_KB = 24 << 10,
    MEMORY_PART = 8,
    QUEUE_LEAST_KB = 64, /* of a partition, however many there are */
    RECORD_BYTES = 500,
    ANSWER_PART = 3, /* of a queue, which an answer may bring */
    ANSWER_PART_LIMITED = 12,
    ANSWER_LEAST_KB = 32,
};

static void set_number(rd_kafka_conf_t *conf, const char *name, int64_t n)
{
    char text[24];
    const struct property property = {name, text};
    snprintf(text, sizeof text, "%" PRId64, n);
    set_all(conf, &property, 1);
}

static int64_t at_least(int64_t n, int64_t least)
{
    return n < least ? least : n;
}

static void size_queues(rd_kafka_conf_t *conf, int64_t memory_bytes, size_t partitions)
{
    int64_t all_kb = memory_bytes / MEMORY_PART / 1024, part = ANSWER_PART_LIMITED;
    if (memory_bytes == 0 || all_kb >= QUEUES_KB) {
        all_kb = QUEUES_KB;
        part = ANSWER_PART;
    }
    int64_t kb = at_least(all_kb / (int64_t)partitions, QUEUE_LEAST_KB);
    set_number(conf, "queued.max.messages.kbytes", kb);
    set_number(conf, "queued.min.messages", kb * 1024 / RECORD_BYTES);
    set_number(conf, "fetch.message.max.bytes",
               at_least(kb / part, ANSWER_LEAST_KB) * 1024);
    if (all_kb == QUEUES_KB) /* else librdkafka's least, which is as much as a message may have */
        set_number(conf, "fetch.max.bytes", all_kb / part * 1024);
}

static bool promised(struct str name)
{
    static const char *const others[] = {"bootstrap.servers", "metadata.broker.list",
                                         "group.id"};
    for (size_t i = 0; i < COUNT(consumer_promises); i++)
        if (str_is(name, consumer_promises[i].name))
            return true;
    for (size_t i = 0; i < COUNT(producer_promises); i++)
        if (str_is(name, producer_promises[i].name))
            return true;
    for (size_t i = 0; i < COUNT(others); i++)
        if (str_is(name, others[i]))
            return true;
    return false;
}

static int refuse_property(rd_kafka_conf_t *conf, struct str name, const char *why,
                           struct err *e)
{
    struct suggestion near = suggestion_for(name);
    char text[SUGGESTION_BYTES];
    size_t n;
    const char **dump = rd_kafka_conf_dump(conf, &n);
    for (size_t i = 0; i + 1 < n; i += 2)
        suggestion_offer(&near, str_of(dump[i]));
    err_set(e, ERR_REFUSED, "kafka.properties: %s%s", why, suggestion_text(&near, text));
    rd_kafka_conf_dump_free(dump, n);
    return -1;
}

static int set_property(rd_kafka_conf_t *conf, struct str name, struct str value,
                        struct err *e)
{
    char why[256];
    if (promised(name))
        return err_set(e, ERR_REFUSED,
                       "kafka.properties: %.*s is not for you to set: take it out "
                       "(brokers, group and commits are ticketwatch's own)",
                       STR_ARG(name));
    rd_kafka_conf_res_t rc = rd_kafka_conf_set(conf, name.p, value.p, why, sizeof why);
    if (rc == RD_KAFKA_CONF_UNKNOWN)
        return refuse_property(conf, name, why, e);
    return rc == RD_KAFKA_CONF_OK ? 0
                                  : err_set(e, ERR_REFUSED, "kafka.properties: %s", why);
}

/* NAME_file: the value of NAME stands in that file. */
static int set_from_file(rd_kafka_conf_t *conf, struct str name, struct str path,
                         struct arena *arena, struct err *e)
{
    const struct secret secret = {.file = path};
    struct str value;
    name = arena_str(arena, (struct str){name.p, name.n - strlen(FILE_SUFFIX)});
    if (secret_read(&secret, arena, &value, e))
        return -1;
    return set_property(conf, name, value, e);
}

static int set_properties(rd_kafka_conf_t *conf, const struct str *names,
                          const struct str *values, size_t n, struct err *e)
{
    struct arena arena;
    int result = 0;
    arena_init(&arena);
    for (size_t i = 0; i < n && result == 0; i++)
        result = str_ends(names[i], STR(FILE_SUFFIX))
                     ? set_from_file(conf, names[i], values[i], &arena, e)
                     : set_property(conf, names[i], values[i], e);
    arena_deinit(&arena);
    return result;
}

static int set_users(rd_kafka_conf_t *conf, const struct kafka_source_settings *settings,
                     struct err *e)
{
    return set_properties(conf, settings->property_names, settings->property_values,
                          settings->properties_n, e);
}

/* librdkafka's own lines; it says itself when it leaves out equal ones. Any thread. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility,
                   const char *text)
{
    enum { SYSLOG_CRITICAL = 2, SYSLOG_WARNING = 4, SYSLOG_INFO = 6 };
    char quoted[LOG_VALUE_BYTES];
    enum log_level ours = level <= SYSLOG_CRITICAL  ? LOG_ERROR
                          : level <= SYSLOG_WARNING ? LOG_WARN
                          : level <= SYSLOG_INFO    ? LOG_INFO
                                                    : LOG_DEBUG;
    if (strcmp(facility, "CONFWARN") == 0)
        ours = LOG_DEBUG; /* the consumer's properties are given to the producer, too */
    if (log_enabled(ours))
        log_event(ours, "kafka", "client=%s facility=%s text=%s", rd_kafka_name(rk),
                  facility, log_quote(str_of(text), quoted));
}

void kafka_count_error(rd_kafka_resp_err_t code)
{
    struct str name = str_of(rd_kafka_err2name(code));
    metric_add(metric_of(&metric_kafka_errors, name, STR_NONE), 1);
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *arg)
{
    struct kafka_source *s = arg;
    (void)rk;
    kafka_count_error((rd_kafka_resp_err_t)code);
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && s->broker_error[0])
        return; /* what was said before tells why */
    s->refused = code == RD_KAFKA_RESP_ERR__AUTHENTICATION;
    snprintf(s->broker_error, sizeof s->broker_error, "%s", reason);
}

static rd_kafka_t *client_new(struct kafka_source *s, rd_kafka_type_t type,
                              rd_kafka_conf_t *conf, struct err *e)
{
    char why[256];
    const struct property brokers = {"bootstrap.servers", s->settings.brokers.p};
    set_all(conf, &brokers, 1);
    rd_kafka_conf_set_opaque(conf, s);
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof why);
    if (rk)
        return rk;
    rd_kafka_conf_destroy(conf);
    err_set(e, ERR_REFUSED, "kafka.properties: %s", why);
    return NULL;
}

rd_kafka_t *kafka_consumer_new(struct kafka_source *s, size_t partitions, struct err *e)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    const struct property group = {"group.id", s->settings.group.p};
    char why[256];
    set_all(conf, consumer_defaults, COUNT(consumer_defaults));
    size_queues(conf, s->settings.memory_bytes, partitions);
    for (size_t i = 0; i < COUNT(consumer_options); i++)
        (void)rd_kafka_conf_set(conf, consumer_options[i].name, consumer_options[i].value,
                                why, sizeof why);
    if (set_users(conf, &s->settings, e)) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    set_all(conf, consumer_promises, COUNT(consumer_promises));
    set_all(conf, &group, 1);
    rd_kafka_conf_set_rebalance_cb(conf, kafka_on_rebalance);
    rd_kafka_conf_set_offset_commit_cb(conf, kafka_on_commit);
    return client_new(s, RD_KAFKA_CONSUMER, conf, e);
}

rd_kafka_t *kafka_producer_new(struct kafka_source *s, struct err *e)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set_all(conf, producer_defaults, COUNT(producer_defaults));
    if (set_users(conf, &s->settings, e)) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    set_all(conf, producer_promises, COUNT(producer_promises));
    rd_kafka_conf_set_dr_msg_cb(conf, kafka_on_delivery);
    return client_new(s, RD_KAFKA_PRODUCER, conf, e);
}

/* ---- producers of others' (producer.h) ---- */

rd_kafka_conf_t *kafka_producer_conf(const struct pairs *properties, struct err *e)
{
    static const struct property own[] = {
        {"client.id", "ticketwatch-alerts"},
        {"partitioner", "murmur2_random"}, /* as Kafka's own clients place a key */
        {"topic.metadata.propagation.max.ms", "3000"}, /* then a topic is not there */
    };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set_all(conf, producer_defaults, COUNT(producer_defaults));
    set_all(conf, own, COUNT(own));
    if (set_properties(conf, properties->names, properties->values, properties->n, e)) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    set_all(conf, producer_promises, COUNT(producer_promises));
    return conf;
}

rd_kafka_t *kafka_producer_made(rd_kafka_conf_t *conf, const char *brokers,
                                int64_t timeout_ms, struct err *e)
{
    char why[256], timeout[24];
    const struct property last[] = {{"bootstrap.servers", brokers},
                                    {"message.timeout.ms", timeout}};
    snprintf(timeout, sizeof timeout, "%lld", (long long)timeout_ms);
    set_all(conf, last, COUNT(last));
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (rk)
        return rk;
    rd_kafka_conf_destroy(conf);
    err_set(e, ERR_REFUSED, "kafka.properties: %s", why);
    return NULL;
}

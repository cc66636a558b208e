/* Puts a log into Kafka: kafka_feed BROKERS TOPIC [commit|abort] < LINES. Each line goes to the partition and gets the
 * timestamp that its "kafka" member says, and travels without that member's help: what is produced is
 * the line itself. Lines without one go to partition 0. An empty line waits until what came before is
 * stored. Returns when all are stored. With a third word all of them are one transaction, which ends so. */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRANSACTION_MS = 30000, FLUSH_MS = 200000 };

static int failed;

static void on_delivery(rd_kafka_t *k, const rd_kafka_message_t *m, void *opaque)
{
    (void)k, (void)opaque;
    if (m->err) {
        fprintf(stderr, "kafka_feed: %s\n", rd_kafka_err2str(m->err));
        failed = 1;
    }
}

/* The number behind `"name":` of the kafka member, or `none`; the lines are our own tests'. */
static long long number(const char *line, const char *name, long long none)
{
    char wanted[64];
    const char *kafka = strstr(line, "\"kafka\"");
    snprintf(wanted, sizeof wanted, "\"%s\":", name);
    const char *at = kafka ? strstr(kafka, wanted) : NULL;
    return at ? strtoll(at + strlen(wanted), NULL, 10) : none;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[200];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) != RD_KAFKA_CONF_OK) {
        fprintf(stderr, "kafka_feed: %s\n", text);
        exit(2);
    }
}

static void produce(rd_kafka_t *producer, const char *topic, char *line, size_t n)
{
    rd_kafka_resp_err_t err;
    do {
        err = rd_kafka_producev(
            producer, RD_KAFKA_V_TOPIC(topic),
            RD_KAFKA_V_PARTITION((int32_t)number(line, "partition", 0)),
            RD_KAFKA_V_TIMESTAMP(number(line, "timestamp", 0)), RD_KAFKA_V_VALUE(line, n),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
        rd_kafka_poll(producer, err == RD_KAFKA_RESP_ERR__QUEUE_FULL ? 100 : 0);
    } while (err == RD_KAFKA_RESP_ERR__QUEUE_FULL);
    if (err) {
        fprintf(stderr, "kafka_feed: %s\n", rd_kafka_err2str(err));
        failed = 1;
    }
}

static void flush(rd_kafka_t *producer)
{
    if (rd_kafka_flush(producer, FLUSH_MS))
        failed = 1;
}

static void check(rd_kafka_error_t *error)
{
    if (!error)
        return;
    fprintf(stderr, "kafka_feed: %s\n", rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    failed = 1;
}

int main(int argc, char **argv)
{
    char text[200], *line = NULL;
    size_t cap = 0;
    const char *ending = argc == 4 ? argv[3] : NULL;
    if (argc != 3 && !ending) {
        fprintf(stderr, "usage: kafka_feed BROKERS TOPIC [commit|abort] < LINES\n");
        return 2;
    }
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", argv[1]);
    set(conf, "enable.idempotence", "true");
    set(conf, "linger.ms", "5");
    set(conf, "message.max.bytes", "20000000");
    if (ending)
        set(conf, "transactional.id", argv[2]);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!producer) {
        fprintf(stderr, "kafka_feed: %s\n", text);
        return 1;
    }
    if (ending) {
        check(rd_kafka_init_transactions(producer, TRANSACTION_MS));
        check(rd_kafka_begin_transaction(producer));
    }
    for (ssize_t n; (n = getline(&line, &cap, stdin)) > 0;) {
        if (line[0] == '\n')
            flush(producer);
        else
            produce(producer, argv[2], line, (size_t)n - (line[n - 1] == '\n'));
    }
    flush(producer);
    if (ending)
        check(strcmp(ending, "commit") == 0
                  ? rd_kafka_commit_transaction(producer, TRANSACTION_MS)
                  : rd_kafka_abort_transaction(producer, TRANSACTION_MS));
    rd_kafka_destroy(producer);
    free(line);
    return failed;
}

/* Puts lines into Kafka one by one and says when: kafka_times BROKERS TOPIC < LINES. Each line is
 * "PARTITION VALUE"; it is sent at once, waited for (acks=all), and answered by a line "SENT ACKED" on
 * stdout: nanoseconds of the monotonic clock just before it was handed over, and when its ack came. */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static long long acked_ns;
static int failed;

static long long now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void on_delivery(rd_kafka_t *k, const rd_kafka_message_t *m, void *opaque)
{
    (void)k, (void)opaque;
    acked_ns = now_ns();
    if (m->err) {
        fprintf(stderr, "kafka_times: %s\n", rd_kafka_err2str(m->err));
        failed = 1;
    }
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[200];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) != RD_KAFKA_CONF_OK) {
        fprintf(stderr, "kafka_times: %s\n", text);
        exit(2);
    }
}

static void put(rd_kafka_t *producer, const char *topic, char *line)
{
    char *value;
    long partition = strtol(line, &value, 10);
    value += *value == ' ';
    long long sent_ns = now_ns();
    rd_kafka_resp_err_t err = rd_kafka_producev(
        producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION((int32_t)partition),
        RD_KAFKA_V_VALUE(value, strlen(value)), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_END);
    if (err || rd_kafka_flush(producer, 30000)) {
        fprintf(stderr, "kafka_times: %s\n", rd_kafka_err2str(err));
        failed = 1;
        return;
    }
    printf("%lld %lld\n", sent_ns, acked_ns);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    char text[200], *line = NULL;
    size_t cap = 0;
    if (argc != 3) {
        fprintf(stderr, "usage: kafka_times BROKERS TOPIC < LINES\n");
        return 2;
    }
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", argv[1]);
    set(conf, "acks", "all");
    set(conf, "linger.ms", "0");
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!producer) {
        fprintf(stderr, "kafka_times: %s\n", text);
        return 1;
    }
    for (ssize_t n; !failed && (n = getline(&line, &cap, stdin)) > 0;) {
        line[n - (line[n - 1] == '\n')] = '\0';
        put(producer, argv[2], line);
    }
    rd_kafka_destroy(producer);
    free(line);
    return failed;
}

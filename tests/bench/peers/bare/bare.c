/* The least that any consumer must do: librdkafka reads the topic from its beginning, and each message is thrown away.
 *   bare BROKERS TOPIC PARTITIONS EVENTS */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>

enum { WAIT_MS = 30000, AT_ONCE = 1000 };

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[200];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) != RD_KAFKA_CONF_OK) {
        fprintf(stderr, "bare: %s\n", text);
        exit(2);
    }
}

static void assign(rd_kafka_t *k, const char *topic, int partitions)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int p = 0; p < partitions; p++)
        rd_kafka_topic_partition_list_add(list, topic, p)->offset =
            RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(k, list);
    rd_kafka_topic_partition_list_destroy(list);
}

static long consume(rd_kafka_queue_t *queue, long wanted)
{
    rd_kafka_message_t *messages[AT_ONCE];
    long got = 0;
    while (got < wanted) {
        ssize_t n = rd_kafka_consume_batch_queue(queue, WAIT_MS, messages, AT_ONCE);
        if (n <= 0)
            break;
        for (ssize_t i = 0; i < n; i++) {
            got += !messages[i]->err;
            rd_kafka_message_destroy(messages[i]);
        }
    }
    return got;
}

int main(int argc, char **argv)
{
    char text[200];
    if (argc != 5)
        return 2;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", argv[1]);
    set(conf, "group.id", "bare");
    set(conf, "enable.auto.commit", "false");
    rd_kafka_t *k = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (!k)
        return 1;
    assign(k, argv[2], (int)strtol(argv[3], NULL, 10));
    rd_kafka_poll_set_consumer(k);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(k);
    long wanted = strtol(argv[4], NULL, 10), got = consume(queue, wanted);
    printf("events %ld\n", got);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(k);
    return got != wanted;
}

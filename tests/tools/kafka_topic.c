/* Makes a topic, or puts an end to one: kafka_topic BROKERS create NAME PARTITIONS [KEY VALUE]... |
 * delete NAME.
 * Kafka's own tool does the same in two seconds; tests make many. */
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 30000 };

static int die(const char *text)
{
    fprintf(stderr, "kafka_topic: %s\n", text);
    return 1;
}

/* The one topic's result of an answer to either request. */
static int result_of(rd_kafka_event_t *event)
{
    size_t n = 0;
    const rd_kafka_topic_result_t **results = NULL;
    if (!event)
        return die("no answer");
    if (rd_kafka_event_error(event))
        return die(rd_kafka_event_error_string(event));
    if (rd_kafka_event_CreateTopics_result(event))
        results = rd_kafka_CreateTopics_result_topics(
            rd_kafka_event_CreateTopics_result(event), &n);
    else if (rd_kafka_event_DeleteTopics_result(event))
        results = rd_kafka_DeleteTopics_result_topics(
            rd_kafka_event_DeleteTopics_result(event), &n);
    if (n != 1)
        return die("not one result");
    return rd_kafka_topic_result_error(results[0])
               ? die(rd_kafka_topic_result_error_string(results[0]))
               : 0;
}

static void create(rd_kafka_t *k, rd_kafka_queue_t *queue, char **arg)
{
    char text[200];
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(arg[0], atoi(arg[1]), 1, text, sizeof text);
    for (arg += 2; arg[0] && arg[1]; arg += 2)
        rd_kafka_NewTopic_set_config(topic, arg[0], arg[1]);
    rd_kafka_CreateTopics(k, &topic, 1, NULL, queue);
    rd_kafka_NewTopic_destroy(topic);
}

static void delete (rd_kafka_t *k, rd_kafka_queue_t *queue, const char *name)
{
    rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(name);
    rd_kafka_DeleteTopics(k, &topic, 1, NULL, queue);
    rd_kafka_DeleteTopic_destroy(topic);
}

int main(int argc, char **argv)
{
    char text[200];
    bool creates = argc >= 5 && !strcmp(argv[2], "create");
    if (!creates && !(argc == 4 && !strcmp(argv[2], "delete")))
        return die("usage: kafka_topic BROKERS create NAME PARTITIONS [KEY VALUE]... | "
                   "delete NAME"),
               2;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", argv[1], text, sizeof text);
    rd_kafka_t *k = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!k)
        return die(text);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(k);
    if (creates)
        create(k, queue, argv + 3);
    else
        delete (k, queue, argv[3]);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, WAIT_MS);
    int result = result_of(event);
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(k);
    return result;
}
